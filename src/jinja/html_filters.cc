// Filters that write HTML, URLs and JSON.
#include <algorithm>
#include <array>

#include "jinja/filters.h"
#include "jinja/json.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

Result<std::vector<Value>> given(const Call& call, std::string_view name,
                                 std::initializer_list<Parameter> parameters) {
  return bind(name, call.arguments, call.named, parameters);
}

Result<std::string> escaped(const Value& value) {
  ASSIGN(const std::string text, to_text(value));
  TRY(spend_bytes(text.size()));
  return value.is_markup() ? text : html_escaped(text);
}

Result<Value> escape(const Call& call) {
  ASSIGN(std::string made, escaped(call.value));
  return Value::markup(std::move(made));
}

Result<Value> forceescape(const Call& call) {
  ASSIGN(const std::string text, to_text(call.value));
  return Value::markup(html_escaped(text));
}

Result<Value> safe(const Call& call) {
  ASSIGN(std::string text, to_text(call.value));
  return Value::markup(std::move(text));
}

Result<Value> striptags(const Call& call) {
  ASSIGN(std::string text, to_text(call.value));
  for (std::size_t at = 0; (at = text.find("<!--", at)) != std::string::npos;) {
    const std::size_t end = text.find("-->", at);
    if (end == std::string::npos) break;
    text.erase(at, end + 3 - at);
  }
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos;) {
    const std::size_t end = text.find('>', at);
    if (end == std::string::npos) break;
    text.erase(at, end + 1 - at);
  }
  std::string out;
  for (const auto& word : split(text, nullptr, -1, false)) out += (out.empty() ? "" : " ") + word;
  constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&lt;", "<"},          {"&gt;", ">"},          {"&#39;", "'"},
      {"&#34;", "\""},        {"&quot;", "\""},       {"&apos;", "'"},
      {"&nbsp;", "\xC2\xA0"}, {"&copy;", "\xC2\xA9"}, {"&amp;", "&"}};
  for (const auto& [entity, plain] : kEntities) out = replaced(out, entity, plain, -1);
  return Value(std::move(out));
}

Result<Value> urlencode(const Call& call) {
  TRY(defined(call.value));
  if (call.value.string() || !iterable(call.value)) {
    ASSIGN(const std::string text, to_text(call.value));
    TRY(spend_bytes(text.size() * 3));
    return Value(url_quoted(text, "/"));
  }
  List pairs;
  if (const auto* dict = call.value.dict()) {
    for (const auto& [key, value] : dict->items()) pairs.emplace_back(Tuple{{key, value}});
  } else {
    ASSIGN(pairs, iterate(call.value));
  }
  std::string out;
  for (const Value& pair : pairs) {
    ASSIGN(const List parts, iterate(pair));
    if (parts.size() != 2)
      return value_error(parts.size() > 2 ? "too many values to unpack (expected 2)"
                                          : "not enough values to unpack (expected 2, got " +
                                                std::to_string(parts.size()) + ")");
    ASSIGN(const std::string key, to_text(parts[0]));
    ASSIGN(const std::string value, to_text(parts[1]));
    if (!out.empty()) out += '&';
    out += url_quoted(key, "", true) + "=" + url_quoted(value, "", true);
    TRY(spend_bytes(out.size() / 16));
  }
  return Value(std::move(out));
}

Result<Value> xmlattr(const Call& call) {
  ASSIGN(const auto with, given(call, "do_xmlattr", {{"autospace", true}}));
  TRY(defined(call.value));
  if (!call.value.dict())
    return raised("AttributeError",
                  "'" + call.value.type_name() + "' object has no attribute 'items'");
  std::string out;
  for (const auto& [key, value] : call.value.dict()->items()) {
    if (value.is_none() || value.is_undefined()) continue;
    ASSIGN(const std::string name, to_text(key));
    if (name.find_first_of(" \t\n\r\f\v/>=") != std::string::npos)
      return value_error("Invalid character in attribute name: " + text_repr(name));
    ASSIGN(const std::string escaped_name, escaped(key));
    ASSIGN(const std::string text, escaped(value));
    out += (out.empty() ? "" : " ") + escaped_name + "=\"" + text + "\"";
  }
  if (with[0].truth() && !out.empty()) out.insert(0, 1, ' ');
  return Value(std::move(out));
}

Result<Value> tojson(const Call& call) {
  ASSIGN(const auto with, given(call, "do_tojson", {{"indent", Value()}}));
  ASSIGN(std::string text,
         json_dumps({call.value}, {{"sort_keys", Value(true)}, {"indent", with[0]}}));
  constexpr std::pair<std::string_view, std::string_view> kUnsafe[] = {
      {"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}, {"'", "\\u0027"}};
  for (const auto& [plain, safe_form] : kUnsafe) text = replaced(text, plain, safe_form, -1);
  return Value::markup(std::move(text));
}

// --- urlize --------------------------------------------------------------------------------------

bool is_word_char(char c) {
  return isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80);
}

/// A host with labels of letters, digits and hyphens, whose last is letters.
bool is_host(std::string_view host, bool known_ends_only) {
  const std::string dot = ".";
  const auto labels = split(host, &dot, -1, false);
  for (const auto& label : labels)
    if (label.empty() ||
        !std::ranges::all_of(label, [](char c) { return is_word_char(c) || c == '-' || c == '%'; }))
      return false;
  const std::string end = lower(labels.back());
  const bool letters =
      end.size() >= 2 && std::ranges::all_of(end, [](char c) { return c >= 'a' && c <= 'z'; });
  if (!known_ends_only) {
    const bool numbers = labels.size() == 4 && std::ranges::all_of(labels, [](const auto& label) {
                           return label.size() <= 3 && std::ranges::all_of(label, [](char c) {
                                    return c >= '0' && c <= '9';
                                  });
                         });
    return letters || numbers || end.starts_with("xn--");
  }
  constexpr std::array<std::string_view, 8> kEnds = {"com", "net", "int",  "edu",
                                                     "gov", "org", "info", "mil"};
  return labels.size() > 1 && (std::ranges::find(kEnds, end) != std::end(kEnds));
}

bool is_link(std::string_view word) {
  const std::string low = lower(word);
  std::size_t scheme = low.starts_with("https://")  ? 8
                       : low.starts_with("http://") ? 7
                       : low.starts_with("www.")    ? 4
                                                    : 0;
  const std::string_view rest = word.substr(scheme);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view host = rest.substr(0, end);
  if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    if (port.empty() || port.size() > 5 ||
        port.find_first_not_of("0123456789") != std::string_view::npos)
      return false;
    host = host.substr(0, colon);
  }
  return !host.empty() && is_host(host, scheme == 0);
}

bool is_address(std::string_view word) {
  const std::size_t at = word.rfind('@');
  if (at == std::string_view::npos || at == 0) return false;
  const std::string_view host = word.substr(at + 1);
  const std::size_t dot = host.rfind('.');
  return dot != std::string_view::npos && dot > 0 && dot + 1 < host.size() &&
         is_word_char(host[0]) &&
         std::ranges::all_of(host,
                             [](char c) { return is_word_char(c) || c == '.' || c == '-'; }) &&
         std::ranges::all_of(host.substr(dot + 1), is_word_char);
}

struct Links {
  std::optional<std::int64_t> limit;
  std::string attributes;
  std::vector<std::string> schemes;

  std::string shown(const std::string& url) const {
    if (!limit || static_cast<std::int64_t>(character_count(url)) <= *limit) return url;
    return std::string(
               substring(url, 0, static_cast<std::size_t>(std::max<std::int64_t>(*limit, 0)))) +
           "...";
  }

  std::string middle(const std::string& word) const {
    if (is_link(word)) {
      const bool scheme = word.starts_with("https://") || word.starts_with("http://");
      return "<a href=\"" + std::string(scheme ? "" : "https://") + word + "\"" + attributes + ">" +
             shown(word) + "</a>";
    }
    if (word.starts_with("mailto:") && is_address(word.substr(7)))
      return "<a href=\"" + word + "\">" + word.substr(7) + "</a>";
    if (word.find('@') != std::string::npos && !word.starts_with("www.") &&
        !word.starts_with("@") && word.find(':') == std::string::npos && is_address(word))
      return "<a href=\"mailto:" + word + "\">" + word + "</a>";
    for (const auto& scheme : schemes)
      if (word != scheme && word.starts_with(scheme))
        return "<a href=\"" + word + "\"" + attributes + ">" + word + "</a>";
    return word;
  }

  /// Brackets before and punctuation after a link do not belong to it, unless they balance.
  std::string word(std::string now) const {
    std::string head, tail;
    for (bool more = true; more;) {
      more = false;
      for (const std::string_view open : {"(", "<", "&lt;"})
        if (now.starts_with(open)) {
          head += open;
          now.erase(0, open.size());
          more = true;
        }
    }
    for (bool more = true; more;) {
      more = false;
      for (const std::string_view close : {")", ">", ".", ",", "\n", "&gt;"})
        if (now.ends_with(close)) {
          tail.insert(0, close);
          now.erase(now.size() - close.size());
          more = true;
        }
    }
    constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
        {"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}};
    for (const auto& [open, close] : kPairs) {
      const auto count = [](std::string_view text, std::string_view part) {
        std::size_t n = 0;
        for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos;
             at += part.size())
          ++n;
        return n;
      };
      const std::size_t opened = count(now, open);
      if (opened <= count(now, close)) continue;
      for (std::size_t i = std::min(opened, count(tail, close)); i > 0; --i) {
        const std::size_t end = tail.find(close) + close.size();
        now += tail.substr(0, end);
        tail.erase(0, end);
      }
    }
    return head + middle(now) + tail;
  }
};

Result<Value> urlize(const Call& call) {
  ASSIGN(const auto with, given(call, "do_urlize",
                                {{"trim_url_limit", Value()},
                                 {"nofollow", false},
                                 {"target", Value()},
                                 {"rel", Value()},
                                 {"extra_schemes", Value()}}));
  ASSIGN(const std::string text, escaped(call.value));
  Links links;
  links.limit = with[0].index();
  std::vector<std::string> rel = {"noopener"};
  if (with[1].truth()) rel.emplace_back("nofollow");
  if (const auto* more = with[3].string())
    for (auto& part : split(*more, nullptr, -1, false)) rel.push_back(std::move(part));
  std::ranges::sort(rel);
  rel.erase(std::ranges::unique(rel).begin(), rel.end());
  links.attributes = " rel=\"";
  for (std::size_t i = 0; i < rel.size(); ++i)
    links.attributes += (i ? " " : "") + html_escaped(rel[i]);
  links.attributes += "\"";
  if (with[2].truth()) links.attributes += " target=\"" + html_escaped(with[2].text()) + "\"";
  if (!with[4].is_none()) {
    ASSIGN(const List schemes, iterate(with[4]));
    for (const Value& scheme : schemes) links.schemes.push_back(scheme.text());
  }
  std::string out, word;
  for (const auto c : characters(text)) {
    if (is(CharacterKind::kSpace, c)) {
      out += links.word(std::move(word)) + std::string(c);
      word.clear();
    } else {
      word += c;
    }
    TRY(spend(1));
  }
  out += links.word(std::move(word));
  return Value(std::move(out));
}

constexpr NamedFilter kFilters[] = {
    {"escape", escape},           {"e", escape},
    {"forceescape", forceescape}, {"safe", safe},
    {"striptags", striptags},     {"urlencode", urlencode},
    {"xmlattr", xmlattr},         {"tojson", tojson},
    {"urlize", urlize},
};

}  // namespace

std::span<const NamedFilter> html_filters() {
  return kFilters;
}

}  // namespace tailrace::jinja
