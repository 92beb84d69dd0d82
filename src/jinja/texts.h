// Characters of UTF-8 text: counting, slicing, case and kinds, as Python's str has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::jinja {

/// ASCII blanks: what `\s` takes in templates.
bool is_space(char c);
std::size_t character_count(std::string_view text);
/// The bytes of the first character.
std::string_view first_character(std::string_view text);
std::vector<std::string_view> characters(std::string_view text);
/// The byte at which the n-th character begins; the size when there are fewer.
std::size_t byte_of(std::string_view text, std::size_t character);
std::string_view substring(std::string_view text, std::size_t from, std::size_t to);
char32_t code_point(std::string_view character);
void append_code_point(std::string& out, char32_t point);

enum class CharacterKind { kAlpha, kDigit, kSpace, kUpper, kLower, kPrintable };
bool is(CharacterKind kind, std::string_view character);
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string title(std::string_view text);       ///< str.title
std::string capitalize(std::string_view text);  ///< str.capitalize
std::string swapcase(std::string_view text);
/// str.strip by the characters given, by blanks without them.
enum class Side { kBoth, kLeft, kRight };
std::string_view stripped(std::string_view text, const std::string* characters, Side side);

std::string replaced(std::string_view text, std::string_view from, std::string_view to,
                     std::int64_t count);
/// str.split and rsplit: without separator by runs of blanks.
std::vector<std::string> split(std::string_view text, const std::string* separator,
                               std::int64_t most, bool from_right);
std::vector<std::string> split_lines(std::string_view text, bool keep_ends);

/// Python's escapes of a string literal.
Result<std::string> unescaped(std::string_view text, int line);
double parse_double(const std::string& text);
/// &, <, >, ' and " as entities.
std::string html_escaped(std::string_view text);
/// urllib.parse.quote(), which has `kept` as it is beside letters, digits and "_.-~"; `plus`: a
/// blank is a plus, as of quote_plus().
std::string url_quoted(std::string_view text, std::string_view kept, bool plus = false);

}  // namespace tailrace::jinja
