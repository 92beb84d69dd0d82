#include "cql_terms/function.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_terms/native.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;

namespace {

struct Operator {
  std::string_view symbol, function;
};
constexpr Operator kOperators[] = {
    {"+", "_add"}, {"-", "_substract"}, {"*", "_multiply"}, {"/", "_divide"}, {"%", "_modulo"}};

// Signatures show tuples without frozen<>.
std::string argument_text(const Type& type) {
  const auto text = to_cql(type);
  if (type.kind != Kind::kTuple || !text.starts_with("frozen<")) return text;
  return text.substr(7, text.size() - 8);
}

std::string signatures(std::span<const FunctionPtr> functions) {
  std::vector<std::string> texts;
  for (const auto& function : functions) texts.push_back(function->signature());
  return fmt::format("{}", fmt::join(texts, ", "));
}

class Resolver {
 public:
  Resolver(const Called& called, Factory::Operands arguments, const ColumnSpec& of)
      : called_(called), arguments_(arguments), of_(of) {}

  Outcome<FunctionPtr> only(const FunctionPtr& function) const {
    const auto wanted = function->arguments.size();
    if (arguments_.size() != wanted)
      return invalid(fmt::format(
          "Invalid number of arguments in call to function system.{}: {} required but {} provided",
          function->name, wanted, arguments_.size()));
    for (std::size_t i = 0; i < wanted; ++i) {
      const auto spec = argument_spec(of_, *function, i);
      ASSIGN(const auto match, arguments_[i]->test(spec));
      if (match == Match::kNone)
        return invalid(fmt::format(
            "Type error: {} cannot be passed as argument {} of function system.{} of type {}",
            arguments_[i]->text(), i, function->name, to_cql(*spec.type)));
    }
    return function;
  }

  Outcome<FunctionPtr> best(std::span<const FunctionPtr> candidates) const {
    std::vector<FunctionPtr> compatible;
    for (const auto& function : candidates) {
      if (of_.type && match_types(function->result, of_.type) == Match::kNone) continue;
      ASSIGN(const auto match, match_arguments(*function));
      if (match == Match::kExact) return function;
      if (match == Match::kWeak) compatible.push_back(function);
    }
    const auto symbol = symbol_called();
    if (compatible.empty()) {
      if (!symbol.empty())
        return invalid(fmt::format("the '{}' operation is not supported between {} and {}", symbol,
                                   arguments_[0]->text(), arguments_[1]->text()));
      return invalid(
          fmt::format("Invalid call to function {}, none of its type signatures match (known type "
                      "signatures: {})",
                      called_.text(), signatures(candidates)));
    }
    if (compatible.size() == 1) return compatible[0];
    return ambiguous(compatible, symbol);
  }

 private:
  std::string_view symbol_called() const {
    return called_.keyspace == "system" ? operation_symbol(called_.name) : std::string_view{};
  }

  Outcome<Match> match_arguments(const Function& function) const {
    if (arguments_.size() != function.arguments.size()) return Match::kNone;
    Match all = Match::kExact;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      ASSIGN(const auto one, arguments_[i]->test(argument_spec(of_, function, i)));
      if (one == Match::kNone) return one;
      all = std::max(all, one);
    }
    return all;
  }

  Outcome<FunctionPtr> ambiguous(std::span<const FunctionPtr> compatible,
                                 std::string_view symbol) const {
    if (!symbol.empty()) {
      const bool markers = std::any_of(arguments_.begin(), arguments_.end(),
                                       [](const Operand* operand) { return operand->is_marker(); });
      if (of_.type && !markers)
        for (const auto& function : compatible)
          if (*function->arguments[0] == *of_.type && *function->arguments[1] == *of_.type)
            return function;
      return invalid(fmt::format(
          "Ambiguous '{}' operation with args {} and {}: use type hint to disambiguate, example "
          "'(int) ?'",
          symbol, arguments_[0]->text(), arguments_[1]->text()));
    }
    if (called_.keyspace == "system" && called_.name == kNegation)
      return invalid("Ambiguous negation: use type casts to disambiguate");
    return invalid(
        fmt::format("Ambiguous call to function {} (can be matched by following signatures: {}): "
                    "use type casts to disambiguate",
                    called_.text(), signatures(compatible)));
  }

  const Called& called_;
  Factory::Operands arguments_;
  const ColumnSpec& of_;
};

bool is_user_function(const Called& called, const Scope& scope) {
  if (!scope.schema) return false;
  const auto* keyspace = scope.schema->keyspace(called.keyspace.value_or(scope.keyspace));
  if (!keyspace) return false;
  const auto named = [&](const auto& function) { return function.name == called.name; };
  return std::any_of(keyspace->functions.begin(), keyspace->functions.end(), named) ||
         std::any_of(keyspace->aggregates.begin(), keyspace->aggregates.end(), named);
}

}  // namespace

std::string Called::quoted() const {
  if (name == "token" && (!keyspace || *keyspace == "system")) return name;
  const auto quoted_name = cql_types::quoted_if_needed(name);
  return keyspace ? cql_types::quoted_if_needed(*keyspace) + "." + quoted_name : quoted_name;
}

std::string Function::signature(const std::vector<bool>& constants) const {
  std::vector<std::string> types;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    types.push_back(argument_text(*arguments[i]) +
                    (i < constants.size() && constants[i] ? "(constant)" : ""));
  return fmt::format("{} : ({}) -> {}", Called{"system", name}.quoted(), fmt::join(types, ", "),
                     to_cql(*result));
}

std::string Function::column_name(const std::vector<std::string>& names) const {
  switch (style) {
    case Style::kOperation:
      return fmt::format("{} {} {}", names[0], operation_symbol(name), names[1]);
    case Style::kNegation:
      return "-" + names[0];
    case Style::kCast:
      return fmt::format("cast({} as {})", names[0], to_cql(*result));
    case Style::kCountRows:
      return "count";
    case Style::kCall:
      break;
  }
  return fmt::format("system.{}({})", name, fmt::join(names, ", "));
}

const NativeFunctions& NativeFunctions::all() {
  static const NativeFunctions made = [] {
    NativeFunctions functions;
    add_aggregates(functions);
    add_arithmetic(functions);
    add_collection_functions(functions);
    add_conversions(functions);
    add_masks(functions);
    add_time_functions(functions);
    add_vector_functions(functions);
    return functions;
  }();
  return made;
}

std::span<const FunctionPtr> NativeFunctions::functions(const std::string& name) const {
  const auto at = functions_.find(name);
  if (at == functions_.end()) return {};
  return at->second;
}

const Factory* NativeFunctions::factory(const std::string& name) const {
  const auto at = factories_.find(name);
  return at == factories_.end() ? nullptr : &at->second;
}

void NativeFunctions::add(Function function) {
  auto& named = functions_[function.name];
  named.push_back(std::make_shared<const Function>(std::move(function)));
}

void NativeFunctions::add(Function function, const std::string& older) {
  add(function);
  function.name = older;
  add(std::move(function));
}

void NativeFunctions::add(Factory factory) {
  auto name = factory.name;
  factories_.emplace(std::move(name), std::move(factory));
}

Outcome<FunctionPtr> resolve(const Called& called, Factory::Operands arguments,
                             const ColumnSpec& of, const Scope& scope) {
  std::vector<FunctionPtr> candidates;
  if (!called.keyspace || *called.keyspace == "system") {
    const auto& natives = NativeFunctions::all();
    const auto found = natives.functions(called.name);
    candidates.assign(found.begin(), found.end());
    if (const auto* factory = natives.factory(called.name)) {
      ASSIGN(auto made, factory->make(arguments, of.type, of, scope));
      if (made) candidates.push_back(std::move(made));
    }
  }
  if (candidates.empty()) {
    if (is_user_function(called, scope))
      return invalid("User-defined functions cannot be called here: they are kept, but never run");
    return nullptr;
  }
  const Resolver resolver(called, arguments, of);
  return candidates.size() == 1 ? resolver.only(candidates[0]) : resolver.best(candidates);
}

ColumnSpec argument_spec(const ColumnSpec& of, const Function& function, std::size_t i) {
  return named(of, fmt::format("arg{}(system.{})", i, function.name), function.arguments[i]);
}

std::string operation_function(std::string_view symbol) {
  for (const auto& operation : kOperators)
    if (operation.symbol == symbol) return std::string(operation.function);
  return {};
}

std::string_view operation_symbol(std::string_view function) {
  for (const auto& operation : kOperators)
    if (operation.function == function) return operation.symbol;
  return {};
}

std::string cast_function(const Type& to) {
  return "cast_as_" + to_cql(to);
}

std::unexpected<cql_types::Failure> function_failure(const Function& function,
                                                     std::string message) {
  cql_types::Failure failure(cql_types::ErrorCode::kFunctionFailure, std::move(message));
  failure.keyspace = "system";
  failure.name = function.name;
  for (const auto& type : function.arguments) failure.argument_types.push_back(to_cql(*type));
  return std::unexpected(std::move(failure));
}

}  // namespace tailrace::cql_terms
