#include "cql_query/analyzer.h"

#include <algorithm>
#include <clocale>
#include <cwchar>
#include <cwctype>

#include "cql_types/type.h"

namespace tailrace::cql_query {
namespace {

/// The letters of all of Unicode.
locale_t unicode() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

/// The code point at the front of `text` and its length; length 1 and the byte for what is none.
std::pair<char32_t, std::size_t> first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length == 1 || text.size() < length) return {first, 1};
  char32_t point = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) point = point << 6U | (byte(i) & 0x3FU);
  return {point, length};
}

void append_point(std::string& out, char32_t point) {
  const auto add = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xC0 | point >> 6U);
  } else if (point < 0x10000) {
    add(0xE0 | point >> 12U);
    add(0x80 | (point >> 6U & 0x3F));
  } else {
    add(0xF0 | point >> 18U);
    add(0x80 | (point >> 12U & 0x3F));
    add(0x80 | (point >> 6U & 0x3F));
  }
  add(0x80 | (point & 0x3F));
}

}  // namespace

bool ignores_case(const cql_schema::Index& index) {
  const auto given = index.options.find("case_sensitive");
  if (given == index.options.end() || !index.options.contains("class_name")) return false;
  std::string value = given->second;
  std::ranges::transform(value, value.begin(), [](unsigned char c) { return std::tolower(c); });
  return value == "false";
}

bool ignores_case(const cql_schema::Table& table, const cql_schema::Column& column) {
  const auto kind = column.type->kind;
  return (kind == cql_types::Kind::kText || kind == cql_types::Kind::kAscii) &&
         std::ranges::any_of(table.indexes, [&](const cql_schema::Index& index) {
           return index.column == column.name && ignores_case(index);
         });
}

std::string lower_case(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  while (!text.empty()) {
    const auto [point, length] = first_of(text);
    const auto mapped =
        length > 1 && unicode() != nullptr
            ? static_cast<char32_t>(::towlower_l(static_cast<wint_t>(point), unicode()))
        : point >= 'A' && point <= 'Z' ? point + ('a' - 'A')
                                       : point;
    if (length == 1) {
      lower += static_cast<char>(mapped);
    } else if (mapped == point) {
      lower += text.substr(0, length);
    } else {
      append_point(lower, mapped);
    }
    text.remove_prefix(length);
  }
  return lower;
}

}  // namespace tailrace::cql_query
