// Functions made for their arguments: types found, checked, and told of as Cassandra does.
#include <fmt/format.h>

#include <algorithm>

#include "cql_terms/native.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;
using cql_types::native_type;

namespace {

bool is_number(Kind kind) {
  switch (kind) {
    case Kind::kTinyint:
    case Kind::kSmallint:
    case Kind::kInt:
    case Kind::kBigint:
    case Kind::kCounter:
    case Kind::kVarint:
    case Kind::kDecimal:
    case Kind::kFloat:
    case Kind::kDouble:
      return true;
    default:
      return false;
  }
}

std::string_view wanted(Parameter::Kind kind) {
  switch (kind) {
    case Parameter::Kind::kCollection:
      return "collection";
    case Parameter::Kind::kSetOrList:
      return "set or list";
    case Parameter::Kind::kNumericSetOrList:
      return "numeric set/list";
    case Parameter::Kind::kMap:
      return "map";
    default:
      return "float vector";
  }
}

bool takes(const Parameter& parameter, const TypePtr& type) {
  const bool set_or_list = type->kind == Kind::kSet || type->kind == Kind::kList;
  switch (parameter.kind) {
    case Parameter::Kind::kFixed:
      return std::any_of(parameter.types.begin(), parameter.types.end(), [&](Kind kind) {
        return match_types(type, native_type(kind)) != Match::kNone;
      });
    case Parameter::Kind::kCollection:
      return cql_types::is_collection(type->kind);
    case Parameter::Kind::kSetOrList:
      return set_or_list;
    case Parameter::Kind::kNumericSetOrList:
      return set_or_list && is_number(type->element().kind);
    case Parameter::Kind::kMap:
      return type->kind == Kind::kMap;
    case Parameter::Kind::kFloatVector:
      return type->kind == Kind::kVector && type->element().kind == Kind::kFloat;
    default:
      return true;
  }
}

class Inference {
 public:
  Inference(const std::string& name, const std::vector<Parameter>& parameters,
            Factory::Operands arguments, const TypePtr& receiver)
      : name_(name), parameters_(parameters), arguments_(arguments), receiver_(receiver) {}

  Outcome<std::vector<TypePtr>> types() {
    const auto least = std::count_if(parameters_.begin(), parameters_.end(),
                                     [](const Parameter& one) { return !one.optional; });
    if (std::cmp_less(arguments_.size(), least) || arguments_.size() > parameters_.size())
      return invalid("Invalid number of arguments for function " + text());
    std::vector<TypePtr> found;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      ASSIGN(auto type, infer(i, nullptr));
      found.push_back(std::move(type));
    }
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      ASSIGN(auto type, infer(i, &found));
      if (!type)
        return invalid(
            fmt::format("Cannot infer type of argument {} in call to function {}: use "
                        "type casts to disambiguate",
                        arguments_[i]->text(), text()));
      TRY(checked(i, type));
      found[i] = std::move(type);
    }
    return found;
  }

 private:
  std::string text() const {
    std::vector<std::string> texts;
    for (const auto& parameter : parameters_) texts.push_back(parameter.text());
    return fmt::format("system.{}({})", name_, fmt::join(texts, ", "));
  }

  Outcome<TypePtr> own(std::size_t i) const {
    const auto& parameter = parameters_[i];
    const auto size = arguments_[i]->list_size();
    if (parameter.kind == Parameter::Kind::kFloatVector && size && *size > 0)
      return cql_types::vector_of(native_type(Kind::kFloat), static_cast<int>(*size));
    ASSIGN(auto type, arguments_[i]->compatible_type());
    if (type) return type;
    if (parameter.kind == Parameter::Kind::kFixed) return native_type(parameter.types[0]);
    const bool from_receiver = parameter.kind == Parameter::Kind::kAnyOrReceiver ||
                               parameter.kind == Parameter::Kind::kFloatVector;
    return from_receiver ? receiver_ : nullptr;
  }

  // `found` is what the first round found, or null during it.
  Outcome<TypePtr> infer(std::size_t i, const std::vector<TypePtr>* found) const {
    const auto& parameter = parameters_[i];
    TypePtr other;
    if (parameter.same_as >= 0 && found)
      other = (*found)[static_cast<std::size_t>(parameter.same_as)];
    if (parameter.prefers_other && other) return other;
    ASSIGN(auto type, own(i));
    return type ? type : other;
  }

  Outcome<void> checked(std::size_t i, const TypePtr& type) const {
    const auto& parameter = parameters_[i];
    if (takes(parameter, type)) return {};
    if (parameter.kind == Parameter::Kind::kFixed)
      return invalid(fmt::format(
          "Function system.{} requires an argument of type {}, but found argument {} of type {}",
          name_, Parameter{parameter.kind, parameter.types}.text(), arguments_[i]->text(),
          to_cql(*type)));
    return invalid(
        fmt::format("Function system.{} requires a {} argument, but found argument {} of type {}",
                    name_, wanted(parameter.kind), arguments_[i]->text(), to_cql(*type)));
  }

  const std::string& name_;
  const std::vector<Parameter>& parameters_;
  Factory::Operands arguments_;
  const TypePtr& receiver_;
};

}  // namespace

std::string Parameter::text() const {
  std::string out;
  switch (kind) {
    case Kind::kFixed: {
      std::vector<std::string_view> names;
      for (const auto type : types) names.push_back(native_name(type));
      // Cassandra names text and varchar apart.
      if (names.size() > 1) names.insert(names.begin() + 1, "varchar");
      out = names.size() == 1 ? std::string(names[0]) : fmt::format("[{}]", fmt::join(names, "|"));
      break;
    }
    case Kind::kAny:
    case Kind::kAnyOrReceiver:
      out = "any";
      break;
    case Kind::kCollection:
      out = "collection";
      break;
    case Kind::kSetOrList:
    case Kind::kNumericSetOrList:
      out = "numeric_set_or_list";
      break;
    case Kind::kMap:
      out = "map";
      break;
    case Kind::kFloatVector:
      out = "vector<float, n>";
      break;
  }
  return optional ? "[" + out + "]" : out;
}

Factory factory(std::string name, std::vector<Parameter> parameters, Maker make) {
  Factory made{name, {}};
  made.make = [name = std::move(name), parameters = std::move(parameters), make = std::move(make)](
                  Factory::Operands arguments, const TypePtr& receiver, const ColumnSpec&,
                  const Scope&) -> Outcome<FunctionPtr> {
    ASSIGN(const auto types, Inference(name, parameters, arguments, receiver).types());
    return make(types, receiver);
  };
  return made;
}

}  // namespace tailrace::cql_terms
