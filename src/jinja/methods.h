// Attributes and methods of Python's own types, by name; none when a type has no such attribute.
#pragma once

#include <optional>
#include <string_view>

#include "jinja/python.h"

namespace tailrace::jinja {

std::optional<Value> string_attribute(const Value& value, std::string_view name);
std::optional<Value> list_attribute(const Value& value, std::string_view name);
std::optional<Value> dict_attribute(const Value& value, std::string_view name);
std::optional<Value> number_attribute(const Value& value, std::string_view name);

/// What dict.keys(), values() and items() give: `dict_keys([…])`.
class View final : public Object {
 public:
  View(std::string name, List items) : name_(std::move(name)), items_(std::move(items)) {}
  std::string type_name() const override { return name_; }
  std::string text() const override { return name_ + "(" + Value(items_).repr() + ")"; }
  Value attribute(std::string_view name) const override;
  Result<Value> item(const Value& key) const override;
  std::optional<List> elements() const override { return items_; }
  std::optional<std::int64_t> length() const override {
    return static_cast<std::int64_t>(items_.size());
  }

 private:
  std::string name_;
  List items_;
};

/// Adds to a list or dict of this rendering; fails for those that came from outside it, and where
/// the value would then contain itself.
Status append_to(const Value& list, Value value);
Status set_in(const Value& dict, Value key, Value value);

/// Python's literals: what ast.literal_eval takes; an error otherwise.
Result<Value> parse_literal(std::string_view text);

}  // namespace tailrace::jinja
