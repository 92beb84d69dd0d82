// regexp_extract_all, regexp_count, regexp_instr, regexp_substr: every match, counted or found.
#include <re2/re2.h>

#include "engine/functions/patterns.h"
#include "engine/functions/registry.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;
using Int = std::int32_t;

/// Matches from left to right; after an empty one the next character, as Java's Matcher.find.
class Matches {
 public:
  Matches(const re2::RE2& pattern, Text text, int groups)
      : pattern_(pattern), text_(text), found_(static_cast<std::size_t>(groups) + 1) {}
  bool next() {
    const re2::StringPiece whole(text_.data(), text_.size());
    if (from_ > text_.size() || !pattern_.Match(whole, from_, text_.size(), re2::RE2::UNANCHORED,
                                                found_.data(), static_cast<int>(found_.size()))) {
      return false;
    }
    const auto end = begin() + found_[0].size();
    from_ = found_[0].empty() ? end + (end < text_.size() ? utf8_width(text_[end]) : 1) : end;
    return true;
  }
  std::size_t begin() const { return static_cast<std::size_t>(found_[0].data() - text_.data()); }
  Text group(int number) const {
    const auto& piece = found_[static_cast<std::size_t>(number)];
    return piece.data() ? Text(piece.data(), piece.size()) : Text();
  }

 private:
  const re2::RE2& pattern_;
  Text text_;
  std::size_t from_ = 0;
  std::vector<re2::StringPiece> found_;
};

Result<Array> count(Call& call) {
  Patterns patterns;
  return map_rows<Text, Text>(call,
                              [&](std::int64_t row, Text text, Text pattern) -> std::optional<Int> {
                                const re2::RE2* compiled = patterns.get(pattern);
                                if (!compiled) {
                                  call.fail(row, patterns.what());
                                  return std::nullopt;
                                }
                                Int made = 0;
                                for (Matches matches(*compiled, text, 0); matches.next();) ++made;
                                return made;
                              });
}

Result<Array> substr(Call& call) {
  Patterns patterns;
  return map_rows<Text, Text>(
      call, [&](std::int64_t row, Text text, Text pattern) -> std::optional<Text> {
        const re2::RE2* compiled = patterns.get(pattern);
        if (!compiled) {
          call.fail(row, patterns.what());
          return std::nullopt;
        }
        Matches matches(*compiled, text, 0);
        if (!matches.next() || matches.group(0).empty()) return std::nullopt;
        return matches.group(0);
      });
}

Result<Array> instr(Call& call) {
  Patterns patterns;
  Call two{call.expr, {call.args[0], call.args[1]}, call.rows, call.context};
  return map_rows<Text, Text>(
      two, [&](std::int64_t row, Text text, Text pattern) -> std::optional<Int> {
        const re2::RE2* compiled = patterns.get(pattern);
        if (!compiled) {
          call.fail(row, patterns.what());
          return std::nullopt;
        }
        Matches matches(*compiled, text, 0);
        return matches.next() ? utf8_length(text.substr(0, matches.begin())) + 1 : 0;
      });
}

Result<Array> extract_all(Call& call) {
  const Reader<Text> texts(call.args[0]), by(call.args[1]);
  std::optional<Reader<Int>> groups;
  if (call.args.size() > 2) groups.emplace(call.args[2]);
  Patterns patterns;
  arrow::ListBuilder out(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>(),
                         call.type());
  auto& values = static_cast<arrow::StringBuilder&>(*out.value_builder());
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const Int group = groups ? (*groups)[row] : 1;
    const re2::RE2* compiled = nullptr;
    if (!texts.nulls[row] && !by.nulls[row] && !(groups && groups->nulls[row])) {
      compiled = patterns.get(by[row]);
      if (!compiled) call.fail(row, patterns.what());
    }
    const bool wrong = compiled && (group < 0 || group > compiled->NumberOfCapturingGroups());
    if (wrong && Matches(*compiled, texts[row], 0).next()) {
      call.fail(row,
                "[INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX] The value of parameter(s) `idx` in "
                "`regexp_extract_all` is invalid: Expects group index between 0 and " +
                    std::to_string(compiled->NumberOfCapturingGroups()) + ", but got " +
                    std::to_string(group) + ".");
      compiled = nullptr;
    }
    if (!compiled) {
      TRY(from_arrow(out.AppendNull()));
      continue;
    }
    TRY(from_arrow(out.Append()));
    for (Matches matches(*compiled, texts[row], wrong ? 0 : group); !wrong && matches.next();)
      TRY(from_arrow(values.Append(matches.group(group))));
  }
  return from_arrow(out.Finish());
}

}  // namespace

void add_regex(Functions& out) {
  out.push_back({{"regexp_extract_all", "regexp_extract_all(text, regex[, group])",
                  "The group of every match.",
                  "regexp_extract_all('100-200, 300-400', '([0-9]+)-([0-9]+)', 1)", "[100, 300]"},
                 {},
                 signature("string, string, [int] -> array<string>"),
                 extract_all});
  out.push_back({{"regexp_count", "regexp_count(text, regex)", "How many matches.",
                  "regexp_count('Steven Jones and Stephen Smith', 'Ste(v|ph)en')", "2"},
                 {},
                 signature("string, string -> int"),
                 count});
  out.push_back({{"regexp_substr", "regexp_substr(text, regex)", "The first match, or null.",
                  "regexp_substr('Steven Jones', 'Ste(v|ph)en')", "Steven"},
                 {},
                 signature("string, string -> string"),
                 substr});
  out.push_back({{"regexp_instr", "regexp_instr(text, regex)", "Where the first match is, from 1.",
                  "regexp_instr('user@spark.org', '@[^.]*')", "5"},
                 {},
                 signature("string, string, [int] -> int"),
                 instr});
}

}  // namespace tailrace::engine
