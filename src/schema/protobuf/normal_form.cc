// Options and numbers in the form that all their spellings have in common (printer.h).
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "schema/protobuf/printer.h"

namespace tailrace::schema::protobuf {
namespace {

constexpr std::size_t kMostCompared = 1'000;

// `(a).b.c = 1` as `(a) = {b: {c: 1}}`.
Value as_map(Value value) {
  if (value.kind != Value::Kind::kNested) return value;
  Value made;
  made.kind = Value::Kind::kMap;
  Option inner = std::move(value.members.front());
  inner.value = as_map(std::move(inner.value));
  inner.parenthesized = false;
  made.members.push_back(std::move(inner));
  return made;
}

const Field* field_of(const Message& message, std::string_view name) {
  for (const auto& field : message.fields)
    if (field.name == name) return &field;
  for (const auto& oneof : message.oneofs)
    for (const auto& field : oneof.fields)
      if (field.name == name) return &field;
  return nullptr;
}

class Merging {
 public:
  Merging(const Names& names, const std::string& scope) : names_(names), scope_(scope) {}

  Value options(const Field& field, Value first, Value second) const {
    second = as_map(std::move(second));
    if (first.kind != Value::Kind::kMap || second.kind != Value::Kind::kMap) return second;
    return maps(&field, std::move(first), std::move(second));
  }

 private:
  Value maps(const Field* field, Value first, Value second) const {
    const Message* type = field ? message_of(*field) : nullptr;
    std::unordered_map<std::string, std::size_t> places;
    for (const auto& member : first.members) places.emplace(member.name, places.size());
    for (auto& member : second.members) {
      const auto known = places.find(member.name);
      if (known == places.end()) {
        first.members.push_back(std::move(member));
        continue;
      }
      Value& value = first.members[known->second].value;
      value = values(type ? field_of(*type, member.name) : nullptr, std::move(value),
                     std::move(member.value));
    }
    return first;
  }

  // The value of one field is merged or replaced; of a repeated or an unknown one both are kept.
  Value values(const Field* field, Value first, Value second) const {
    if (field && field->label != Label::kRepeated && !field->is_map()) {
      if (first.kind == Value::Kind::kMap && second.kind == Value::Kind::kMap && message_of(*field))
        return maps(field, std::move(first), std::move(second));
      return second;
    }
    Value list;
    list.kind = Value::Kind::kList;
    add(list, std::move(first));
    add(list, std::move(second));
    return list;
  }

  static void add(Value& list, Value more) {
    if (more.kind == Value::Kind::kList) {
      for (auto& one : more.elements) add_one(list, std::move(one));
    } else {
      add_one(list, std::move(more));
    }
  }
  // Of long lists it is not asked whether they hold the value already.
  static void add_one(Value& list, Value one) {
    if (list.elements.size() > kMostCompared ||
        std::ranges::find(list.elements, one) == list.elements.end())
      list.elements.push_back(std::move(one));
  }

  const Message* message_of(const Field& field) const {
    const NamedType* type = names_.type_at(scope_, field.type);
    return type ? type->message : nullptr;
  }

  const Names& names_;
  const std::string& scope_;
};

std::string whole_number(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (code != std::errc() || end != digits.data() + digits.size()) return "";
  return std::to_string(value);
}

// The shortest digits of a double, laid out without an exponent; "" for more than three after the
// point.
std::string laid_out(double value) {
  char text[40];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  std::string_view shown(text, static_cast<std::size_t>(end - text));
  const auto exponent_at = shown.find('e');
  int exponent = std::atoi(std::string(shown.substr(exponent_at + 1)).c_str());
  std::string digits;
  for (const char c : shown.substr(0, exponent_at))
    if (c != '.') digits += c;
  const auto count = static_cast<int>(digits.size());
  if (exponent >= 0 && exponent + 1 >= count)
    return digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0');
  const int fraction = count - 1 - exponent;
  if (fraction > 3) return "";
  if (exponent < 0)
    return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  return digits.insert(static_cast<std::size_t>(exponent + 1), ".");
}

std::string shortest(auto value) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr};
}

}  // namespace

std::string normal_number(const std::string& text) {
  const bool negative = text.starts_with('-');
  const std::string sign = negative ? "-" : "";
  const std::string digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || digits.front() < '0' || digits.front() > '9') return text;
  const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
  if (hex || digits.find_first_not_of("0123456789") == digits.npos) {
    const bool octal = !hex && digits.size() > 1 && digits.front() == '0';
    const auto whole = whole_number(std::string_view(digits).substr(hex ? 2 : 0), hex     ? 16
                                                                                  : octal ? 8
                                                                                          : 10);
    if (whole.empty()) return text;
    return whole == "0" ? whole : sign + whole;
  }
  // A number that a float spells as well is taken as one.
  const float narrow = std::strtof(digits.c_str(), nullptr);
  const double wide = std::strtod(digits.c_str(), nullptr);
  const bool fits =
      std::isfinite(narrow) && (narrow != 0 || wide == 0) && shortest(narrow) == shortest(wide);
  const double value = fits ? static_cast<double>(narrow) : wide;
  if (!std::isfinite(value)) return text;
  std::string shown = laid_out(value);
  if (shown.empty()) {
    char rounded[400];
    std::snprintf(rounded, sizeof rounded, "%.3f", value);
    shown = rounded;
  }
  if (shown.find('.') != shown.npos) {
    shown.erase(shown.find_last_not_of('0') + 1);
    if (shown.back() == '.') shown.pop_back();
  }
  return sign + shown;
}

Options normal_options(const Options& options, const Names& names, const std::string& scope) {
  Options sorted = options;
  for (auto& option : sorted) {
    if (!option.parenthesized) continue;
    const auto full = names.find_extension(scope, option.name);
    if (!full) continue;
    option.name = *full;
    option.value = as_map(std::move(option.value));
  }
  std::ranges::stable_sort(sorted, {}, &Option::name);
  Options made;
  const Merging merging(names, scope);
  for (auto& option : sorted) {
    const Field* field = names.extension(option.name);
    const bool again = !made.empty() && made.back().name == option.name && field &&
                       field->label != Label::kRepeated;
    if (!again) {
      made.push_back(std::move(option));
    } else {
      const bool parenthesized = option.parenthesized;
      made.back().value =
          merging.options(*field, std::move(made.back().value), std::move(option.value));
      made.back().parenthesized = parenthesized;
    }
  }
  return made;
}

}  // namespace tailrace::schema::protobuf
