#include "cql_terms/prepared.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_types/compare.h"
#include "cql_types/validate.h"

namespace tailrace::cql_terms {

using cql_types::CollectionReader;
using cql_types::invalid;
using cql_types::Kind;

namespace {

Value kept(const Bindings& bindings, Made made) {
  if (!made) return {};
  return Value::of(bindings.made.emplace_back(std::move(*made)));
}

class ConstantTerm : public Prepared {
 public:
  ConstantTerm(Made value, bool null_literal)
      : value_(std::move(value)), null_literal_(null_literal) {}
  Outcome<Value> bind(const Bindings&) const override {
    return value_ ? Value::of(*value_) : Value{};
  }
  bool is_null_literal() const override { return null_literal_; }
  bool is_terminal() const override { return true; }

 private:
  Made value_;
  bool null_literal_;
};

class MarkerTerm : public Prepared {
 public:
  MarkerTerm(int index, const ColumnSpec& receiver)
      : index_(index), receiver_(receiver), ordered_(has_ordered_parts(*receiver.type)) {}

  Outcome<Value> bind(const Bindings& bindings) const override {
    if (static_cast<std::size_t>(index_) >= bindings.values.size())
      return invalid(fmt::format("Missing value for bind variable {}", index_));
    const Value& value = bindings.values[static_cast<std::size_t>(index_)];
    TRY(check(receiver_, value));
    if (!ordered_ || value.kind != Value::Kind::kBytes) return value;
    auto made = in_order(*receiver_.type, value.bytes);
    return made ? kept(bindings, std::move(made)) : value;
  }
  int marker() const override { return ordered_ ? -1 : index_; }
  bool contains_marker() const override { return true; }

 private:
  int index_;
  ColumnSpec receiver_;
  bool ordered_;
};

// Tuples and user types tell of markers within; lists, sets and maps have none.
class CompositeTerm : public Prepared {
 public:
  CompositeTerm(ColumnSpec receiver, std::vector<PreparedPtr> parts)
      : receiver_(std::move(receiver)), parts_(std::move(parts)) {}

  Outcome<Value> bind(const Bindings& bindings) const override {
    const Type& type = *receiver_.type;
    std::vector<Part> values;
    values.reserve(parts_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      ASSIGN(const auto value, parts_[i]->bind(bindings));
      if (cql_types::is_collection(type.kind)) {
        if (value.is_null()) return invalid("null is not supported inside collections");
        if (value.is_unset() && type.kind == Kind::kMap && i % 2 == 0)
          return invalid("unset value is not supported for map keys");
        if (value.is_unset()) return Value::unset();
      } else if (type.kind == Kind::kVector) {
        if (value.kind != Value::Kind::kBytes ||
            (value.bytes.empty() && empty_is_null(type.element())))
          return invalid("null is not supported inside vectors");
      } else if (value.is_unset()) {
        if (type.kind == Kind::kTuple)
          return invalid(fmt::format("Invalid unset value for tuple field number {}", i));
        if (!type.is_multi_cell())
          return invalid(fmt::format("Invalid unset value for field '{}' of user defined type {}",
                                     type.field_names[i], type.name));
      }
      values.push_back(value.kind == Value::Kind::kBytes ? Part(value.bytes) : std::nullopt);
    }
    return kept(bindings, pack(type, values));
  }
  bool contains_marker() const override {
    return !cql_types::is_collection(receiver_.type->kind) &&
           std::any_of(parts_.begin(), parts_.end(),
                       [](const PreparedPtr& part) { return part->contains_marker(); });
  }

 private:
  ColumnSpec receiver_;
  std::vector<PreparedPtr> parts_;
};

class CallTerm : public Prepared {
 public:
  CallTerm(FunctionPtr function, std::vector<PreparedPtr> arguments)
      : function_(std::move(function)), arguments_(std::move(arguments)) {}

  Outcome<Value> bind(const Bindings& bindings) const override {
    std::vector<Part> values;
    values.reserve(arguments_.size());
    for (const auto& argument : arguments_) {
      ASSIGN(const auto value, argument->bind(bindings));
      if (value.is_unset())
        return invalid("Invalid unset value for argument in call to function " + function_->name);
      values.push_back(value.is_null() ? std::nullopt : Part(value.bytes));
    }
    ASSIGN(auto made, function_->scalar(values, bindings));
    return kept(bindings, std::move(made));
  }
  bool contains_marker() const override {
    return std::any_of(arguments_.begin(), arguments_.end(),
                       [](const PreparedPtr& argument) { return argument->contains_marker(); });
  }

 private:
  FunctionPtr function_;
  std::vector<PreparedPtr> arguments_;
};

// Runs of `each` parts, ordered by the first, the last of equals in the first's place.
void sort_unique(const Type& by, std::vector<Part>& parts, std::size_t each) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < parts.size(); i += each) order.push_back(i);
  const auto compared = [&](std::size_t a, std::size_t b) {
    return cql_types::compare(by, parts[a].value_or(""), parts[b].value_or(""));
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return compared(a, b) < 0; });
  std::vector<Part> out;
  out.reserve(parts.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool again = i > 0 && compared(order[i - 1], order[i]) == 0;
    if (!again) out.push_back(parts[order[i]]);
    if (each == 2) {
      if (again) out.pop_back();
      out.push_back(parts[order[i] + 1]);
    }
  }
  parts = std::move(out);
}

}  // namespace

PreparedPtr constant_term(Made value, bool null_literal) {
  return std::make_shared<ConstantTerm>(std::move(value), null_literal);
}

PreparedPtr marker_term(int index, const ColumnSpec& receiver) {
  return std::make_shared<MarkerTerm>(index, receiver);
}

PreparedPtr call_term(FunctionPtr function, std::vector<PreparedPtr> arguments) {
  return std::make_shared<CallTerm>(std::move(function), std::move(arguments));
}

Outcome<PreparedPtr> composite_term(const ColumnSpec& receiver, std::vector<PreparedPtr> parts) {
  const bool terminal = std::all_of(parts.begin(), parts.end(),
                                    [](const PreparedPtr& part) { return part->is_terminal(); });
  auto term = std::make_shared<CompositeTerm>(receiver, std::move(parts));
  if (!terminal) return term;
  const Bindings none;
  ASSIGN(const auto value, term->bind(none));
  return constant_term(std::string(value.bytes));
}

std::string pack(const Type& type, std::span<const Part> parts) {
  std::string out;
  if (type.kind == Kind::kVector) {
    for (const auto& part : parts)
      cql_types::append_element(out, type.element(), part.value_or(std::string_view{}));
    return out;
  }
  std::vector<Part> sorted;
  const std::size_t each = type.kind == Kind::kMap ? 2 : 1;
  if (type.kind == Kind::kSet || type.kind == Kind::kMap) {
    sorted.assign(parts.begin(), parts.end());
    sort_unique(type.element(), sorted, each);
    parts = sorted;
  }
  if (cql_types::is_collection(type.kind))
    cql_types::append_count(out, static_cast<std::int32_t>(parts.size() / each));
  for (const auto& part : parts) cql_types::append_part(out, part);
  return out;
}

bool has_ordered_parts(const Type& type) {
  if (type.kind == Kind::kSet || type.kind == Kind::kMap) return true;
  return type.kind == Kind::kList && has_ordered_parts(type.element());
}

Made in_order(const Type& type, std::string_view bytes) {
  if (!has_ordered_parts(type)) return std::nullopt;
  const bool is_map = type.kind == Kind::kMap;
  std::list<std::string> made;
  std::vector<Part> parts;
  CollectionReader reader(bytes, is_map ? 2 : 1);
  for (Part part; reader.next(part);) {
    const Type& of = is_map && parts.size() % 2 == 1 ? type.value() : type.element();
    auto ordered = part ? in_order(of, *part) : std::nullopt;
    parts.push_back(ordered ? Part(made.emplace_back(std::move(*ordered))) : part);
  }
  auto out = pack(type, parts);
  if (out == bytes) return std::nullopt;
  return out;
}

Outcome<void> check(const ColumnSpec& receiver, const Value& value) {
  if (value.kind != Value::Kind::kBytes) return {};
  TRY(cql_types::validate(*receiver.type, value.bytes));
  return {};
}

}  // namespace tailrace::cql_terms
