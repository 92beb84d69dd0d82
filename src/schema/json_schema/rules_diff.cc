// How the rules of strings, numbers and listed values differ.
#include <algorithm>
#include <set>

#include "schema/json_schema/comparison.h"
#include "schema/json_schema/decimal.h"

namespace tailrace::schema::json_schema {
namespace {

void add(Found& into, const char* place, const char* type) {
  into.steps.push_back({place, type, nullptr});
}

void maximum(Found& into, const char* place, const Json* writer, const Json* reader,
             const char* added, const char* decreased) {
  if (!reader) return;
  if (!writer)
    add(into, place, added);
  else if (reader->number() < writer->number())
    add(into, place, decreased);
}

void minimum(Found& into, const char* place, const Json* writer, const Json* reader,
             const char* added, const char* increased) {
  if (!reader) return;
  if (!writer)
    add(into, place, added);
  else if (reader->number() > writer->number())
    add(into, place, increased);
}

std::set<std::string> texts(const std::vector<const Json*>& values) {
  std::set<std::string> made;
  for (const Json* value : values) {
    std::string text;
    append_json(text, *value, true);
    made.insert(std::move(text));
  }
  return made;
}

}  // namespace

void compare_strings(Found& into, const StringRules& writer, const StringRules& reader) {
  if (reader.max) {
    if (!writer.max)
      add(into, "maxLength", "MAX_LENGTH_ADDED");
    else if (*reader.max < *writer.max)
      add(into, "maxLength", "MAX_LENGTH_DECREASED");
  }
  if (reader.min) {
    if (!writer.min)
      add(into, "minLength", "MIN_LENGTH_ADDED");
    else if (*reader.min > *writer.min)
      add(into, "minLength", "MIN_LENGTH_INCREASED");
  }
  if (reader.pattern) {
    if (!writer.pattern)
      add(into, "pattern", "PATTERN_ADDED");
    else if (*writer.pattern != *reader.pattern)
      add(into, "pattern", "PATTERN_CHANGED");
  }
}

void compare_numbers(Found& into, const NumberRules& writer, const NumberRules& reader) {
  maximum(into, "maximum", writer.maximum, reader.maximum, "MAXIMUM_ADDED", "MAXIMUM_DECREASED");
  minimum(into, "minimum", writer.minimum, reader.minimum, "MINIMUM_ADDED", "MINIMUM_INCREASED");
  maximum(into, "exclusiveMaximum", writer.exclusive_maximum, reader.exclusive_maximum,
          "EXCLUSIVE_MAXIMUM_ADDED", "EXCLUSIVE_MAXIMUM_DECREASED");
  minimum(into, "exclusiveMinimum", writer.exclusive_minimum, reader.exclusive_minimum,
          "EXCLUSIVE_MINIMUM_ADDED", "EXCLUSIVE_MINIMUM_INCREASED");
  if (reader.multiple_of && !writer.multiple_of) {
    add(into, "multipleOf", "MULTIPLE_OF_ADDED");
  } else if (reader.multiple_of) {
    const Json& before = *writer.multiple_of;
    const Json& now = *reader.multiple_of;
    // A divisor of the one before takes all that it took.
    const bool expanded = is_multiple_of(now, before);
    const bool reduced = is_multiple_of(before, now);
    if (expanded && !(reduced && before.number() == now.number()))
      add(into, "multipleOf", "MULTIPLE_OF_EXPANDED");
    else if (!reduced)
      add(into, "multipleOf", "MULTIPLE_OF_CHANGED");
  }
  if (reader.integer && !writer.integer) add(into, "", "TYPE_NARROWED");
}

void compare_values(Found& into, const Node& writer, const Node& reader) {
  const auto before = texts(writer.as<Values>().values);
  const auto now = texts(reader.as<Values>().values);
  if (before == now) return;
  if (writer.kind == Kind::kConst) return add(into, "const", "ENUM_ARRAY_CHANGED");
  if (std::ranges::includes(now, before)) return;
  add(into, "enum",
      std::ranges::includes(before, now) ? "ENUM_ARRAY_NARROWED" : "ENUM_ARRAY_CHANGED");
}

}  // namespace tailrace::schema::json_schema
