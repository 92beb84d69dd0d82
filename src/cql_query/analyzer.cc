#include "cql_query/analyzer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>

#include "cql_query/ascii_forms.h"

namespace tailrace::cql_query {
namespace {

using Target = cql_schema::Index::Target;

constexpr char32_t kCapitalSigma = 0x3A3, kFinalSigma = 0x3C2, kCapitalDottedI = 0x130;

const utf8proc_uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

/// The code point at the front of `text`, and how many bytes it takes; -1 and one for what is none.
std::pair<utf8proc_int32_t, std::size_t> first_of(std::string_view text) {
  utf8proc_int32_t point = 0;
  const auto length =
      utf8proc_iterate(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &point);
  if (length <= 0) return {-1, 1};
  return {point, static_cast<std::size_t>(length)};
}

void append_point(std::string& out, utf8proc_int32_t point) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(point, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

bool is_cased(utf8proc_int32_t point) {
  const auto category = utf8proc_category(point);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

/// Marks and signs within words, which case does not look at.
bool is_passed_over(utf8proc_int32_t point) {
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return point == '\'' || point == '.' || point == ':' || point == 0xB7 || point == 0x2019;
  }
}

bool begins_within_word(std::string_view text) {
  while (!text.empty()) {
    const auto [point, length] = first_of(text);
    if (point < 0 || !is_passed_over(point)) return point >= 0 && is_cased(point);
    text.remove_prefix(length);
  }
  return false;
}

std::string lower_case(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  bool within_word = false;
  while (!text.empty()) {
    const auto [point, length] = first_of(text);
    const auto rest = text.substr(length);
    if (point < 0) {
      lower += text.front();
    } else if (static_cast<char32_t>(point) == kCapitalDottedI) {
      lower += "i\u0307";
    } else if (static_cast<char32_t>(point) == kCapitalSigma && within_word &&
               !begins_within_word(rest)) {
      append_point(lower, kFinalSigma);
    } else {
      append_point(lower, utf8proc_tolower(point));
    }
    if (point < 0 || !is_passed_over(point)) within_word = point >= 0 && is_cased(point);
    text = rest;
  }
  return lower;
}

std::string normal_form(std::string_view text) {
  utf8proc_uint8_t* made = nullptr;
  const auto length =
      utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &made,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> held(made, &std::free);
  if (length < 0) return std::string(text);
  return {reinterpret_cast<const char*>(made), static_cast<std::size_t>(length)};
}

std::string ascii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [point, length] = first_of(text);
    const auto form = point < 0 ? std::string_view() : ascii_form(static_cast<char32_t>(point));
    out += form.empty() ? text.substr(0, length) : form;
    text.remove_prefix(length);
  }
  return out;
}

/// `given` is the option's value that is not its default.
bool says(const cql_schema::Index& index, const char* option, std::string_view given) {
  const auto found = index.options.find(option);
  return found != index.options.end() &&
         std::ranges::equal(found->second, given, {},
                            [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
}

bool is_text(const cql_types::Type& type) {
  return type.kind == cql_types::Kind::kText || type.kind == cql_types::Kind::kAscii;
}

}  // namespace

Analysis analysis_of(const cql_schema::Index& index) {
  if (!index.options.contains("class_name")) return {};
  return {.lower_case = says(index, "case_sensitive", "false"),
          .normal_form = says(index, "normalize", "true"),
          .ascii = says(index, "ascii", "true")};
}

Analysis analysis_of(const cql_schema::Table& table, const cql_schema::Column& column,
                     Target target) {
  Analysis analysis;
  const bool collection = column.type->is_multi_cell();
  for (const auto& index : table.indexes) {
    if (index.column != column.name || (collection && index.target != target)) continue;
    if (!collection && !is_text(*column.type)) continue;
    const auto one = analysis_of(index);
    analysis.lower_case |= one.lower_case;
    analysis.normal_form |= one.normal_form;
    analysis.ascii |= one.ascii;
  }
  return analysis;
}

std::string analyzed(std::string_view text, const Analysis& analysis) {
  std::string made(text);
  if (analysis.lower_case) made = lower_case(made);
  if (analysis.normal_form) made = normal_form(made);
  if (analysis.ascii) made = ascii(made);
  return made;
}

}  // namespace tailrace::cql_query
