#include "auth/principal.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>

namespace tailrace::auth {

struct PrincipalRules::Rule {
  std::unique_ptr<re2::RE2> pattern;  // nullptr: DEFAULT
  std::string replacement;            // $1 written as \1
  char letters = 0;                   // 'L', 'U'
};

PrincipalRules::PrincipalRules() = default;
PrincipalRules::~PrincipalRules() = default;
PrincipalRules::PrincipalRules(PrincipalRules&&) noexcept = default;
PrincipalRules& PrincipalRules::operator=(PrincipalRules&&) noexcept = default;

namespace {

std::unexpected<Error> unreadable(std::string_view rule, std::string_view why) {
  return error(Code::kInvalidArgument, fmt::format("the rule '{}': {}", rule, why));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

/// Where the next slash is that no backslash hides.
std::size_t slash(std::string_view text, std::size_t from) {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '/') {
      return i;
    }
  }
  return std::string_view::npos;
}

/// Java's $1 as RE2's \1.
std::string replacement_of(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1]));
    out += text[i] == '$' && digit ? '\\' : text[i];
  }
  return out;
}

/// How many characters of `text` are its first rule; npos when it is none.
std::size_t rule_size(std::string_view text) {
  if (!text.starts_with("RULE:")) return std::min(text.find(','), text.size());
  const auto first = slash(text, 5);
  const auto second = first == std::string_view::npos ? first : slash(text, first + 1);
  if (second == std::string_view::npos) return second;
  return std::min(text.find(',', second), text.size());
}

}  // namespace

Result<Principal> parse_principal(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return error(Code::kInvalidArgument, fmt::format("'{}' is not TYPE:NAME", text));
  }
  return Principal{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

Result<PrincipalRules> PrincipalRules::parse(std::string_view text) {
  PrincipalRules out;
  for (text = trimmed(text); !text.empty();) {
    const auto size = rule_size(text);
    if (size == std::string_view::npos)
      return unreadable(text, "RULE:PATTERN/REPLACEMENT/ is expected");
    const auto rule = trimmed(text.substr(0, size));
    text.remove_prefix(std::min(text.size(), size + 1));
    text = trimmed(text);
    auto& added = out.rules_.emplace_back();
    if (rule == "DEFAULT") continue;
    if (!rule.starts_with("RULE:")) return unreadable(rule, "neither DEFAULT nor RULE:");
    const auto first = slash(rule, 5);
    const auto second = slash(rule, first + 1);
    const auto letters = trimmed(rule.substr(second + 1));
    if (!letters.empty() && letters != "L" && letters != "U") {
      return unreadable(rule, "L, U or nothing is expected at its end");
    }
    added.pattern =
        std::make_unique<re2::RE2>(std::string(rule.substr(5, first - 5)), re2::RE2::Quiet);
    if (!added.pattern->ok()) return unreadable(rule, added.pattern->error());
    added.replacement = replacement_of(rule.substr(first + 1, second - first - 1));
    if (std::string why; !added.pattern->CheckRewriteString(added.replacement, &why)) {
      return unreadable(rule, why);
    }
    added.letters = letters.empty() ? '\0' : letters[0];
  }
  if (out.rules_.empty()) out.rules_.emplace_back();
  return out;
}

Result<std::string> PrincipalRules::name_of(const std::string& subject) const {
  for (const auto& rule : rules_) {
    if (!rule.pattern) return subject;
    if (!re2::RE2::FullMatch(subject, *rule.pattern)) continue;
    std::string name;
    re2::RE2::Extract(subject, *rule.pattern, rule.replacement, &name);
    const auto change = rule.letters == 'L'   ? [](int c) { return std::tolower(c); }
                        : rule.letters == 'U' ? [](int c) { return std::toupper(c); }
                                              : [](int c) { return c; };
    std::ranges::transform(name, name.begin(),
                           [&](unsigned char c) { return static_cast<char>(change(c)); });
    return name;
  }
  return error(Code::kNotFound, fmt::format("no rule names {}", subject));
}

}  // namespace tailrace::auth
