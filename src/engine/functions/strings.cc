// String functions. Positions and lengths count code points, from 1, as in Spark.
#include <algorithm>

#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;
using Int = std::int32_t;

Text trimmed(Text text, Text chars, bool left, bool right) {
  while (left && !text.empty()) {
    const Text first = text.substr(0, utf8_width(text[0]));
    if (chars.find(first) == Text::npos) break;
    text.remove_prefix(first.size());
  }
  while (right && !text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && utf8_continues(text[start])) --start;
    if (chars.find(text.substr(start)) == Text::npos) break;
    text = text.substr(0, start);
  }
  return text;
}

/// trim, ltrim and rtrim take the characters first, btrim last.
Kernel trim(bool left, bool right, bool chars_first = true) {
  return [=](Call& call) -> Result<Array> {
    if (call.args.size() == 1) {
      return map_rows<Text>(call, [&](auto, Text text) { return trimmed(text, " ", left, right); });
    }
    return map_rows<Text, Text>(call, [&](auto, Text first, Text second) {
      return chars_first ? trimmed(second, first, left, right)
                         : trimmed(first, second, left, right);
    });
  };
}

Result<Array> substring(Call& call) {
  if (call.args.size() == 2) {
    return map_rows<Text, Int>(
        call, [](auto, Text text, Int from) { return utf8_substring(text, from, INT32_MAX); });
  }
  return map_rows<Text, Int, Int>(
      call, [](auto, Text text, Int from, Int count) { return utf8_substring(text, from, count); });
}

std::string replaced(Text text, Text what, Text with) {
  std::string out;
  if (what.empty()) return std::string(text);
  while (true) {
    const auto at = text.find(what);
    out += text.substr(0, at);
    if (at == Text::npos) return out;
    out += with;
    text.remove_prefix(at + what.size());
  }
}

Result<Array> replace(Call& call) {
  if (call.args.size() == 2) {
    return map_rows<Text, Text>(
        call, [](auto, Text text, Text what) { return replaced(text, what, ""); });
  }
  return map_rows<Text, Text, Text>(
      call, [](auto, Text text, Text what, Text with) { return replaced(text, what, with); });
}

std::vector<Text> code_points(Text text) {
  std::vector<Text> out;
  while (!text.empty()) {
    out.push_back(text.substr(0, utf8_width(text[0])));
    text.remove_prefix(out.back().size());
  }
  return out;
}

Result<Array> translate(Call& call) {
  return map_rows<Text, Text, Text>(call, [](auto, Text text, Text from, Text to) {
    const auto wanted = code_points(from);
    const auto given = code_points(to);
    std::string out;
    for (const Text c : code_points(text)) {
      const auto at = static_cast<std::size_t>(std::ranges::find(wanted, c) - wanted.begin());
      if (at == wanted.size()) {
        out += c;
      } else if (at < given.size()) {
        out += given[at];
      }
    }
    return out;
  });
}

Result<Array> split_part(Call& call) {
  return map_rows<Text, Text, Int>(
      call, [&](std::int64_t row, Text text, Text by, Int part) -> std::optional<std::string> {
        if (part == 0) {
          call.fail(row,
                    "[INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index shall be either < 0 "
                    "or > 0 (the first "
                    "element has index 1).");
          return std::nullopt;
        }
        std::vector<Text> parts;
        while (!by.empty() && text.find(by) != Text::npos) {
          parts.push_back(text.substr(0, text.find(by)));
          text.remove_prefix(parts.back().size() + by.size());
        }
        parts.push_back(text);
        const auto count = static_cast<std::int64_t>(parts.size());
        const std::int64_t at = part > 0 ? part - 1 : count + part;
        return at < 0 || at >= count ? std::string() : std::string(parts[at]);
      });
}

Int position_of(Text text, Text what, Int from) {
  if (from < 1) return 0;
  const std::size_t start = utf8_offset(text, from - 1);
  if (start > text.size()) return 0;
  const auto at = text.find(what, start);
  return at == Text::npos ? 0 : utf8_length(text.substr(0, at)) + 1;
}

Result<Array> instr(Call& call) {
  return map_rows<Text, Text>(
      call, [](auto, Text text, Text what) { return position_of(text, what, 1); });
}

Result<Array> locate(Call& call) {
  if (call.args.size() == 2) {
    return map_rows<Text, Text>(
        call, [](auto, Text what, Text text) { return position_of(text, what, 1); });
  }
  // A null place to begin at is none.
  const Reader<Int> from(call.args[2]);
  Call two{call.expr, {call.args[0], call.args[1]}, call.rows, call.context};
  return map_rows<Text, Text>(two, [&](std::int64_t row, Text what, Text text) {
    return from.nulls[row] ? 0 : position_of(text, what, from[row]);
  });
}

std::string padded(Text text, Int length, Text pad, bool left) {
  const Int have = utf8_length(text);
  if (length <= 0) return {};
  if (have >= length || pad.empty()) return std::string(utf8_substring(text, 1, length));
  const auto pieces = code_points(pad);
  std::string filling;
  for (Int i = 0; i < length - have; ++i)
    filling += pieces[static_cast<std::size_t>(i) % pieces.size()];
  return left ? filling + std::string(text) : std::string(text) + filling;
}

Kernel pad(bool left) {
  return [left](Call& call) -> Result<Array> {
    if (call.args.size() == 2) {
      return map_rows<Text, Int>(
          call, [&](auto, Text text, Int length) { return padded(text, length, " ", left); });
    }
    return map_rows<Text, Int, Text>(call, [&](auto, Text text, Int length, Text with) {
      return padded(text, length, with, left);
    });
  };
}

Result<Array> repeat(Call& call) {
  return map_rows<Text, Int>(call, [](auto, Text text, Int times) {
    std::string out;
    for (Int i = 0; i < times && out.size() < (1U << 30); ++i) out += text;
    return out;
  });
}

Result<Array> reverse(Call& call) {
  if (call.args[0].type().id() == arrow::Type::LIST) return reverse_arrays(call);
  return map_rows<Text>(call, [](auto, Text text) {
    std::string out;
    const auto pieces = code_points(text);
    for (auto it = pieces.rbegin(); it != pieces.rend(); ++it) out += *it;
    return out;
  });
}

/// Joins each row's texts; a null makes the row null, unless `skip_nulls` (concat_ws, whose first
/// argument separates).
Result<Array> join(Call& call, bool with_separator) {
  Sink<Text> out(call.type(), call.rows);
  std::vector<Nulls> nulls;
  for (const Value& value : call.args) nulls.emplace_back(value);
  std::string text;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    text.clear();
    bool is_null = with_separator && nulls[0][row];
    bool first = true;
    std::string separator;
    if (with_separator && !is_null)
      append_text(separator, *call.args[0].array, call.args[0].at(row));
    for (std::size_t i = with_separator ? 1 : 0; i < call.args.size() && !is_null; ++i) {
      const Value& value = call.args[i];
      if (nulls[i][row]) {
        is_null = !with_separator;
        continue;
      }
      auto add = [&](const arrow::Array& array, std::int64_t at) {
        if (!first) text += separator;
        first = false;
        append_text(text, array, at);
      };
      if (value.type().id() != arrow::Type::LIST) {
        add(*value.array, value.at(row));
        continue;
      }
      const auto& list = static_cast<const arrow::ListArray&>(*value.array);
      for (auto k = list.value_offset(value.at(row)); k < list.value_offset(value.at(row) + 1);
           ++k) {
        if (list.values()->IsValid(k)) add(*list.values(), k);
      }
    }
    is_null ? out.null(row) : out.set(row, text);
  }
  return out.finish();
}

Result<BoundFunction> bind_concat_ws(const BindCall& call) {
  if (call.args.empty()) return wrong_count(call, "> 0");
  BoundFunction bound{{}, arrow::utf8()};
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    const bool list = i > 0 && call.args[i]->id() == arrow::Type::LIST;
    auto cast = list ? std::optional(call.args[i]) : implicit_cast(call.args[i], "string");
    if (!cast) return wrong_argument(call, i, "STRING");
    bound.args.push_back(*cast);
  }
  return bound;
}

/// Arrays of one type, or all BINARY, or texts.
Result<BoundFunction> bind_concat(const BindCall& call) {
  bool arrays = false;
  bool binary = !call.args.empty();
  for (const Type& type : call.args) {
    arrays |= type->id() == arrow::Type::LIST;
    binary &= type->id() == arrow::Type::BINARY;
  }
  if (arrays || binary) {
    ASSIGN(Type common, common_type(call.args));
    return BoundFunction{std::vector<Type>(call.args.size(), common), common};
  }
  if (call.args.empty()) return BoundFunction{{}, arrow::utf8()};
  return signature("string, string... -> string")(call);
}

Result<Array> concat_bytes(Call& call) {
  std::vector<Reader<Text>> parts;
  for (const Value& value : call.args) parts.emplace_back(value);
  Sink<Text> out(call.type(), call.rows);
  std::string made;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    made.clear();
    bool null = false;
    for (const auto& part : parts) {
      null |= part.nulls[row];
      if (!null) made += part[row];
    }
    null ? out.null(row) : out.set(row, made);
  }
  return out.finish();
}

Result<Array> concat(Call& call) {
  if (call.type()->id() == arrow::Type::LIST) return concat_arrays(call);
  for (const Value& value : call.args) {
    if (is_void(value.type())) return join(call, false);
  }
  return concat_bytes(call);
}

Kernel text_test(bool (*test)(Text, Text)) {
  return [test](Call& call) {
    return map_rows<Text, Text>(call,
                                [test](auto, Text text, Text part) { return test(text, part); });
  };
}

void add_tests(Functions& out) {
  const Binder pair = signature("string, string -> boolean");
  out.push_back({{"startswith", "startswith(text, part)", "Whether the text begins so.",
                  "startswith('abc', 'ab')", "true"},
                 {},
                 pair,
                 text_test([](Text text, Text part) { return text.starts_with(part); })});
  out.push_back({{"endswith", "endswith(text, part)", "Whether the text ends so.",
                  "endswith('abc', 'bc')", "true"},
                 {},
                 pair,
                 text_test([](Text text, Text part) { return text.ends_with(part); })});
  out.push_back({{"contains", "contains(text, part)", "Whether the part is in the text.",
                  "contains('abc', 'b')", "true"},
                 {},
                 pair,
                 text_test([](Text text, Text part) { return text.find(part) != Text::npos; })});
}

void add_positions(Functions& out) {
  out.push_back({{"instr", "instr(text, part)", "Where the part is, from 1; 0 when nowhere.",
                  "instr('abc', 'c')", "3"},
                 {},
                 signature("string, string -> int"),
                 instr});
  out.push_back({{"locate", "locate(part, text[, from])", "Where the part is, from 1.",
                  "locate('b', 'abcb', 3)", "4"},
                 {"position"},
                 signature("string, string, [int] -> int"),
                 locate});
  out.push_back({{"split_part", "split_part(text, by, n)", "Part n, from 1, or from the end.",
                  "split_part('a.b.c', '.', -1)", "c"},
                 {},
                 signature("string, string, int -> string"),
                 split_part});
  out.push_back(
      {{"length", "length(text)", "Code points, or bytes of BINARY.", "length('é1')", "2"},
       {"char_length", "character_length", "len"},
       signature("string -> int; binary -> int"),
       [](Call& call) {
         const bool binary = !is_string_type(call.args[0].type());
         return map_rows<Text>(call, [binary](auto, Text text) {
           return binary ? static_cast<Int>(text.size()) : utf8_length(text);
         });
       }});
  out.push_back({{"ascii", "ascii(text)", "Code point of the first character.", "ascii('A')", "65"},
                 {},
                 signature("string -> int"),
                 [](Call& call) {
                   return map_rows<Text>(call, [](auto, Text text) { return utf8_first(text); });
                 }});
}

}  // namespace

void add_strings(Functions& out) {
  out.push_back({{"concat", "concat(a, …)", "The texts joined; null when one is.",
                  "concat('a', 1, 'b')", "a1b"},
                 {"||"},
                 bind_concat,
                 concat});
  out.push_back({{"concat_ws", "concat_ws(by, a, …)", "Joined by `by`, nulls skipped.",
                  "concat_ws('-', 'a', NULL, 'b')", "a-b"},
                 {},
                 bind_concat_ws,
                 [](Call& call) { return join(call, true); }});
  out.push_back(
      {{"trim", "trim([chars, ]text)", "Without spaces (chars) at both ends.", "trim('  a ')", "a"},
       {},
       signature("string, [string] -> string"),
       trim(true, true)});
  out.push_back({{"btrim", "btrim(text[, chars])", "Without spaces (chars) at both ends.",
                  "btrim('xax', 'x')", "a"},
                 {},
                 signature("string, [string] -> string"),
                 trim(true, true, false)});
  out.push_back(
      {{"ltrim", "ltrim([chars, ]text)", "Without spaces on the left.", "ltrim('  a')", "a"},
       {},
       signature("string, [string] -> string"),
       trim(true, false)});
  out.push_back(
      {{"rtrim", "rtrim([chars, ]text)", "Without spaces on the right.", "rtrim('a  ')", "a"},
       {},
       signature("string, [string] -> string"),
       trim(false, true)});
  out.push_back({{"substring", "substring(text, from[, count])", "From 1, or from the end.",
                  "substring('Spark', -3, 2)", "ar"},
                 {"substr"},
                 signature("string, int, [int] -> string"),
                 substring});
  out.push_back({{"left", "left(text, n)", "The first n characters.", "left('Spark', 2)", "Sp"},
                 {},
                 signature("string, int -> string"),
                 [](Call& call) {
                   return map_rows<Text, Int>(
                       call, [](auto, Text text, Int n) { return utf8_substring(text, 1, n); });
                 }});
  out.push_back({{"right", "right(text, n)", "The last n characters.", "right('Spark', 2)", "rk"},
                 {},
                 signature("string, int -> string"),
                 [](Call& call) {
                   return map_rows<Text, Int>(call, [](auto, Text text, Int n) {
                     return n <= 0 ? Text()
                                   : utf8_substring(text, -std::min(n, utf8_length(text)), n);
                   });
                 }});
  out.push_back({{"replace", "replace(text, what[, with])", "Every `what` as `with`.",
                  "replace('abc', 'b', 'x')", "axc"},
                 {},
                 signature("string, string, [string] -> string"),
                 replace});
  out.push_back(
      {{"translate", "translate(text, from, to)", "Characters of `from` as those of `to`.",
        "translate('AaBbCc', 'abc', '12')", "A1B2C"},
       {},
       signature("string, string, string -> string"),
       translate});
  out.push_back(
      {{"lpad", "lpad(text, length[, pad])", "Filled on the left.", "lpad('7', 3, '0')", "007"},
       {},
       signature("string, int, [string] -> string"),
       pad(true)});
  out.push_back(
      {{"rpad", "rpad(text, length[, pad])", "Filled on the right.", "rpad('7', 3, '0')", "700"},
       {},
       signature("string, int, [string] -> string"),
       pad(false)});
  out.push_back({{"reverse", "reverse(text)", "Backwards.", "reverse('abc')", "cba"},
                 {},
                 signature("string -> string; array -> $1"),
                 reverse});
  out.push_back({{"repeat", "repeat(text, n)", "n times.", "repeat('ab', 2)", "abab"},
                 {},
                 signature("string, int -> string"),
                 repeat});
  add_tests(out);
  add_positions(out);
}

}  // namespace tailrace::engine
