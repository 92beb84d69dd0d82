// Filters and tests by name: Jinja's, and Airflow's ds, ts and their kin.
#pragma once

#include <span>
#include <string_view>

#include "jinja/python.h"

namespace tailrace::jinja {

struct Call {
  const Value& value;  ///< what stands before `|` or `is`
  const List& arguments;
  const Object::Named& named;
};

using Filter = Result<Value> (*)(const Call& call);
using Test = Result<bool> (*)(const Call& call);

struct NamedFilter {
  std::string_view name;
  Filter filter;
};
struct NamedTest {
  std::string_view name;
  Test test;
};

/// Null when there is none of the name.
Filter find_filter(std::string_view name);
Test find_test(std::string_view name);
/// A filter or test by a name that the template computes; unknown ones are TemplateRuntimeError.
Result<Value> apply_filter(std::string_view name, const Call& call);
Result<bool> apply_test(std::string_view name, const Call& call);

std::span<const NamedFilter> text_filters();
std::span<const NamedFilter> number_filters();
std::span<const NamedFilter> list_filters();
std::span<const NamedFilter> selecting_filters();
std::span<const NamedFilter> html_filters();
std::span<const NamedFilter> time_filters();

/// `range`, `dict`, `cycler`, `joiner`, `namespace`; none for other names.
std::optional<Value> find_global(std::string_view name);

/// {% set name.attribute = … %} needs one.
class Namespace final : public Object {
 public:
  explicit Namespace(Dict attributes) : attributes(std::move(attributes)) {}
  mutable Dict attributes;
  std::string type_name() const override { return "Namespace"; }
  std::string text() const override { return "<Namespace " + Value(attributes).repr() + ">"; }
  Value attribute(std::string_view name) const override;
};

}  // namespace tailrace::jinja
