// LIKE, ILIKE, RLIKE, regexp_*, split: by RE2. Java's look-around and back references are refused,
// not misread.
#include <re2/re2.h>

#include "engine/functions/patterns.h"
#include "engine/functions/registry.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;
using Int = std::int32_t;

re2::StringPiece piece(Text text) {
  return {text.data(), text.size()};
}

std::string like_to_regex(Text pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    if (pattern[i] == '%') {
      out += ".*";
    } else if (pattern[i] == '_') {
      out += '.';
    } else {
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      const auto width = utf8_width(pattern[i]);
      out += re2::RE2::QuoteMeta(piece(pattern.substr(i, width)));
      i += width;
      continue;
    }
    ++i;
  }
  return out;
}

Kernel like(bool fold_case) {
  return [fold_case](Call& call) -> Result<Array> {
    Patterns patterns(fold_case);
    patterns.dot_matches_newline();
    std::string last;
    std::string regex;
    bool known = false;
    return map_rows<Text, Text>(
        call, [&](std::int64_t row, Text text, Text pattern) -> std::optional<bool> {
          if (!known || pattern != last) {
            known = true;
            last = pattern;
            regex = like_to_regex(pattern);
          }
          const re2::RE2* compiled = patterns.get(regex);
          if (compiled) return re2::RE2::FullMatch(piece(text), *compiled);
          call.fail(row, patterns.what());
          return std::nullopt;
        });
  };
}

Result<Array> rlike(Call& call) {
  Patterns patterns;
  return map_rows<Text, Text>(
      call, [&](std::int64_t row, Text text, Text pattern) -> std::optional<bool> {
        const re2::RE2* compiled = patterns.get(pattern);
        if (compiled) return re2::RE2::PartialMatch(piece(text), *compiled);
        call.fail(row, patterns.what());
        return std::nullopt;
      });
}

Result<Array> extract(Call& call) {
  Patterns patterns;
  const bool has_group = call.args.size() > 2;
  std::optional<Reader<Int>> groups;
  if (has_group) groups.emplace(call.args[2]);
  Call two{call.expr, {call.args[0], call.args[1]}, call.rows, call.context};
  return map_rows<Text, Text>(
      two, [&](std::int64_t row, Text text, Text pattern) -> std::optional<std::string> {
        const Int group = groups ? (*groups)[row] : 1;
        const re2::RE2* compiled = patterns.get(pattern);
        if (groups && groups->nulls[row]) return std::nullopt;
        const Int most = compiled ? compiled->NumberOfCapturingGroups() : 0;
        std::vector<re2::StringPiece> found(static_cast<std::size_t>(most) + 1);
        // Where nothing matches the group is not looked at, as in Spark.
        if (compiled && !compiled->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED,
                                         found.data(), most + 1))
          return "";
        if (!compiled || group < 0 || group > most) {
          call.fail(row, compiled
                             ? "[INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX] The value of "
                               "parameter(s) `idx` in `regexp_extract` is invalid: Expects group "
                               "index between 0 and " +
                                   std::to_string(most) + ", but got " + std::to_string(group) + "."
                             : patterns.what());
          return std::nullopt;
        }
        return std::string(found[group].data() ? found[group].data() : "", found[group].size());
      });
}

/// Java's $1 as RE2's \1.
std::string rewrite_of(Text java) {
  std::string out;
  for (std::size_t i = 0; i < java.size(); ++i) {
    if (java[i] == '$' && i + 1 < java.size() &&
        std::isdigit(static_cast<unsigned char>(java[i + 1]))) {
      out += '\\';
    } else if (java[i] == '\\' && i + 1 < java.size()) {
      out += java[++i] == '\\' ? "\\\\" : std::string(1, java[i]);
    } else {
      out += java[i];
    }
  }
  return out;
}

Result<Array> regexp_replace(Call& call) {
  Patterns patterns;
  return map_rows<Text, Text, Text>(
      call,
      [&](std::int64_t row, Text text, Text pattern, Text with) -> std::optional<std::string> {
        const re2::RE2* compiled = patterns.get(pattern);
        if (!compiled) {
          call.fail(row, patterns.what());
          return std::nullopt;
        }
        std::string out(text);
        re2::RE2::GlobalReplace(&out, *compiled, rewrite_of(with));
        return out;
      });
}

Result<Array> split(Call& call) {
  const Reader<Text> texts(call.args[0]);
  const Reader<Text> by(call.args[1]);
  std::optional<Reader<Int>> limits;
  if (call.args.size() > 2) limits.emplace(call.args[2]);
  Patterns patterns;
  arrow::ListBuilder out(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>(),
                         call.type());
  auto& values = static_cast<arrow::StringBuilder&>(*out.value_builder());
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const re2::RE2* compiled = nullptr;
    if (!texts.nulls[row] && !by.nulls[row] && !(limits && limits->nulls[row])) {
      compiled = patterns.get(by[row]);
      if (!compiled) call.fail(row, patterns.what());
    }
    if (!compiled) {
      TRY(from_arrow(out.AppendNull()));
      continue;
    }
    TRY(from_arrow(out.Append()));
    const Text text = texts[row];
    const Int limit = limits ? (*limits)[row] : -1;
    std::size_t start = 0;
    std::size_t from = 0;
    re2::StringPiece found;
    for (Int parts = 1; limit <= 0 || parts < limit;) {
      if (from > text.size() ||
          !compiled->Match(piece(text), from, text.size(), re2::RE2::UNANCHORED, &found, 1))
        break;
      const auto at = static_cast<std::size_t>(found.data() - text.data());
      if (found.empty() && (at == 0 || at >= text.size())) {
        from = at + 1;
        continue;
      }
      TRY(from_arrow(values.Append(text.substr(start, at - start))));
      start = at + found.size();
      from = found.empty() ? start + 1 : start;
      ++parts;
    }
    TRY(from_arrow(values.Append(text.substr(start))));
  }
  return from_arrow(out.Finish());
}

}  // namespace

void add_pattern(Functions& out) {
  const Binder pair = signature("string, string -> boolean");
  out.push_back({{"like", "text LIKE pattern", "% is any text, _ one character.",
                  "'Spark' LIKE 'S_ar%'", "true"},
                 {},
                 pair,
                 like(false)});
  out.push_back({{"ilike", "text ILIKE pattern", "LIKE without regard to case.",
                  "'Spark' ILIKE 's%'", "true"},
                 {},
                 pair,
                 like(true)});
  out.push_back(
      {{"rlike", "text RLIKE regex", "Whether the regex is found.", "'Spark' RLIKE 'p.r'", "true"},
       {"regexp_like", "regexp"},
       pair,
       rlike});
  out.push_back(
      {{"regexp_extract", "regexp_extract(text, regex[, group])", "The group's match, or ''.",
        "regexp_extract('100-200', '([0-9]+)-([0-9]+)', 2)", "200"},
       {},
       signature("string, string, [int] -> string"),
       extract});
  out.push_back({{"regexp_replace", "regexp_replace(text, regex, with)", "Every match replaced.",
                  "regexp_replace('100-200', '([0-9]+)', 'n')", "n-n"},
                 {},
                 signature("string, string, string -> string"),
                 regexp_replace});
  out.push_back({{"split", "split(text, regex[, limit])", "The parts between matches.",
                  "split('a,b,c', ',')", "[a, b, c]"},
                 {},
                 signature("string, string, [int] -> array<string>"),
                 split});
}

}  // namespace tailrace::engine
