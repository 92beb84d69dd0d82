#include "cql_schema/properties.h"

#include <algorithm>
#include <charconv>

#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_types/number.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::Outcome;

template <typename Number>
std::optional<Number> java_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  Number value{};
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int32_t> java_int(std::string_view text) {
  return java_number<std::int32_t>(text);
}
std::optional<std::int64_t> java_long(std::string_view text) {
  return java_number<std::int64_t>(text);
}

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return made;
}

Properties::Properties(const std::vector<cql_syntax::Property>& list) {
  for (const auto& one : list) {
    if (one.value.kind != cql_syntax::Expression::Kind::kMap) {
      texts_[one.name] = one.value.text;
      continue;
    }
    auto& made = maps_[one.name];
    for (std::size_t i = 0; i + 1 < one.value.items.size(); i += 2)
      made[one.value.items[i].text] = one.value.items[i + 1].text;
  }
}

Outcome<void> Properties::check_names(const std::vector<std::string>& known) const {
  auto names = keys_of(texts_);
  for (const auto& [name, map] : maps_) names.push_back(name);
  for (const auto& name : java_order(names))
    if (std::find(known.begin(), known.end(), name) == known.end())
      return malformed("Unknown property '{}'", name);
  return {};
}

Outcome<std::optional<std::string>> Properties::text(const std::string& name) const {
  if (maps_.contains(name))
    return malformed("Invalid value for property '{}'. It should be a string", name);
  const auto found = texts_.find(name);
  if (found == texts_.end()) return std::nullopt;
  return found->second;
}

Outcome<std::optional<Options>> Properties::map(const std::string& name) const {
  if (texts_.contains(name))
    return malformed("Invalid value for property '{}'. It should be a map.", name);
  const auto found = maps_.find(name);
  if (found == maps_.end()) return std::nullopt;
  return found->second;
}

Outcome<void> Properties::read(const std::string& name, std::string& value) const {
  ASSIGN(auto given, text(name));
  if (given) value = std::move(*given);
  return {};
}

Outcome<void> Properties::read(const std::string& name, bool& value) const {
  ASSIGN(const auto given, text(name));
  if (!given) return {};
  const auto word = lower(*given);
  if (word == "1" || word == "true" || word == "yes") {
    value = true;
  } else if (word == "0" || word == "false" || word == "no") {
    value = false;
  } else {
    return malformed(
        "Invalid boolean value {} for '{}'. Positive values can be '1', 'true' or 'yes'. Negative "
        "values can be '0', 'false' or 'no'.",
        *given, name);
  }
  return {};
}

Outcome<void> Properties::read(const std::string& name, std::int32_t& value) const {
  ASSIGN(const auto given, text(name));
  if (!given) return {};
  const auto number = java_int(*given);
  if (!number) return malformed("Invalid integer value {} for '{}'", *given, name);
  value = *number;
  return {};
}

Outcome<void> Properties::read(const std::string& name, double& value) const {
  ASSIGN(const auto given, text(name));
  if (!given) return {};
  const auto number = cql_types::parse_double(*given);
  if (!number) return malformed("Invalid double value {} for '{}'", *given, name);
  value = *number;
  return {};
}

}  // namespace tailrace::cql_schema
