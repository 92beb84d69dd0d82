#include "alerts/matcher_text.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace tailrace::alerts {
namespace {

constexpr std::pair<std::string_view, Ms> kUnits[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Ms kLongest = 10 * 366 * 86'400'000LL;
constexpr std::size_t kLongestMatcher = 1000;

bool begins_label(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool in_label(char c) {
  return begins_label(c) || (c >= '0' && c <= '9');
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Ms> parse_duration(std::string_view text) {
  Ms number = 0;
  const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const auto& [name, factor] : kUnits)
    if (code == std::errc() && number >= 0 && unit == name && number <= kLongest / factor)
      return number * factor;
  return std::nullopt;
}

std::string duration_text(Ms ms) {
  for (const auto& [name, factor] : {kUnits[4], kUnits[3], kUnits[2], kUnits[1]})
    if (ms >= factor && ms % factor == 0 && ms / factor < 100)
      return fmt::format("{}{}", ms / factor, name);
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < 60'000) return fmt::format("{}s", ms / 1000);
  if (ms < 3'600'000) return fmt::format("{}m {}s", ms / 60'000, ms % 60'000 / 1000);
  if (ms < 2 * 86'400'000) return fmt::format("{}h {}m", ms / 3'600'000, ms % 3'600'000 / 60'000);
  return fmt::format("{}d {}h", ms / 86'400'000, ms % 86'400'000 / 3'600'000);
}

bool is_label(std::string_view name) {
  return !name.empty() && begins_label(name[0]) && std::ranges::all_of(name, in_label);
}

std::string as_label(std::string_view text) {
  std::string out;
  for (const char c : text) out += in_label(c) ? c : '_';
  if (out.empty() || !begins_label(out[0])) out.insert(out.begin(), '_');
  return out;
}

Result<Matcher> Matcher::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return error(Code::kInvalidArgument,
                 fmt::format("`{}` is no matcher: {}; write it like alertname=\"x\" or "
                             "hop=~\"fetched.*\"",
                             text.substr(0, 200), why));
  };
  if (text.size() > kLongestMatcher) return wrong("it is too long");
  Matcher matcher;
  std::string_view rest = trimmed(text);
  std::size_t length = 0;
  while (length < rest.size() && in_label(rest[length])) ++length;
  matcher.label = rest.substr(0, length);
  if (!is_label(matcher.label)) return wrong("a label's name comes first");
  rest = trimmed(rest.substr(length));
  for (const auto& [sign, op] : {std::pair{"=~", Op::kMatch},
                                 {"!~", Op::kNotMatch},
                                 {"!=", Op::kNotEqual},
                                 {"=", Op::kEqual}}) {
    if (!rest.starts_with(sign)) continue;
    matcher.op = op;
    rest = trimmed(rest.substr(std::string_view(sign).size()));
    if (rest.size() >= 2 && rest.front() == '"' && rest.back() == '"') {
      rest = rest.substr(1, rest.size() - 2);
      for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\'))
          ++i;
        matcher.value += rest[i];
      }
    } else {
      if (rest.find('"') != rest.npos) return wrong("its quotes do not match");
      matcher.value = rest;
    }
    if (op == Op::kMatch || op == Op::kNotMatch) {
      const re2::RE2 expression(matcher.value, re2::RE2::Quiet);
      if (!expression.ok()) return wrong(expression.error());
    }
    return matcher;
  }
  return wrong("there is no =, !=, =~ or !~");
}

bool Matcher::fits(const Labels& labels) const {
  const auto at = labels.find(label);
  const std::string_view is = at == labels.end() ? std::string_view() : at->second;
  switch (op) {
    case Op::kEqual:
      return is == value;
    case Op::kNotEqual:
      return is != value;
    case Op::kMatch:
      return re2::RE2::FullMatch(is, re2::RE2(value, re2::RE2::Quiet));
    case Op::kNotMatch:
      return !re2::RE2::FullMatch(is, re2::RE2(value, re2::RE2::Quiet));
  }
  return false;
}

std::string Matcher::text() const {
  constexpr std::string_view kSigns[] = {"=", "!=", "=~", "!~"};
  std::string quoted;
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("{}{}\"{}\"", label, kSigns[static_cast<std::size_t>(op)], quoted);
}

bool fits(const std::vector<Matcher>& matchers, const Labels& labels) {
  return std::ranges::all_of(matchers, [&](const Matcher& one) { return one.fits(labels); });
}

}  // namespace tailrace::alerts
