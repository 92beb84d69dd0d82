// Filters of texts.
#include <algorithm>

#include "jinja/filters.h"
#include "jinja/methods.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

Result<std::vector<Value>> given(const Call& call, std::string_view name,
                                 std::initializer_list<Parameter> parameters) {
  return bind(name, call.arguments, call.named, parameters);
}

/// A str, or Markup where the filter was given Markup (soft_str).
Value like(const Value& value, std::string made) {
  return value.is_markup() ? Value::markup(std::move(made)) : Value(std::move(made));
}

template <std::string (*kChange)(std::string_view)>
Result<Value> changed(const Call& call) {
  TRY(given(call, "filter", {}));
  ASSIGN(const std::string text, to_text(call.value));
  return like(call.value, kChange(text));
}

/// A capital after each blank, hyphen or opening bracket.
Result<Value> title_filter(const Call& call) {
  ASSIGN(const std::string text, to_text(call.value));
  std::string out, word;
  const auto flush = [&] {
    if (!word.empty()) out += capitalize(word);
    word.clear();
  };
  for (const auto c : characters(text)) {
    if (c == "-" || c == "(" || c == "{" || c == "[" || c == "<" || is(CharacterKind::kSpace, c)) {
      flush();
      out += c;
    } else {
      word += c;
    }
  }
  flush();
  return Value(std::move(out));
}

Result<Value> through_method(const Value& value, std::string_view method, List arguments) {
  ASSIGN(const std::string text, to_text(value));
  const auto found = string_attribute(like(value, text), method);
  return jinja::call(*found, arguments, {});
}

Result<Value> center(const Call& call) {
  ASSIGN(const auto with, given(call, "do_center", {{"width", 80}}));
  return through_method(call.value, "center", {with[0]});
}

Result<Value> trim(const Call& call) {
  ASSIGN(const auto with, given(call, "do_trim", {{"chars", Value()}}));
  return through_method(call.value, "strip", {with[0]});
}

Result<Value> replace_filter(const Call& call) {
  ASSIGN(const auto with, given(call, "do_replace", {"old", "new", {"count", Value()}}));
  ASSIGN(const std::string text, to_text(call.value));
  ASSIGN(const std::string from, to_text(with[0]));
  ASSIGN(const std::string to, to_text(with[1]));
  return through_method(Value(text), "replace",
                        {Value(from), Value(to), with[2].is_none() ? Value(-1) : with[2]});
}

Result<Value> string_filter(const Call& call) {
  if (call.value.string()) return call.value;
  ASSIGN(std::string text, to_text(call.value));
  return Value(std::move(text));
}

Result<Value> format_filter(const Call& call) {
  if (!call.arguments.empty() && !call.named.empty())
    return raised("FilterArgumentError",
                  "can't handle positional and keyword arguments at the same time");
  ASSIGN(const std::string text, to_text(call.value));
  Dict named;
  for (const auto& [key, value] : call.named) named.set(Value(key), value);
  ASSIGN(std::string made, percent_format(text, call.named.empty() ? Value(Tuple{call.arguments})
                                                                   : Value(std::move(named))));
  return like(call.value, std::move(made));
}

/// A text filter that Jinja applies without str() fails on what is no text.
Status has_method(const Value& value, std::string_view method) {
  TRY(defined(value));
  if (value.string()) return {};
  return raised("AttributeError",
                "'" + value.type_name() + "' object has no attribute " + text_repr(method));
}

Result<Value> indent(const Call& call) {
  ASSIGN(const auto with,
         given(call, "do_indent", {{"width", 4}, {"first", false}, {"blank", false}}));
  ASSIGN(const std::string text, to_text(call.value));
  std::string blanks;
  if (const auto* prefix = with[0].string()) {
    blanks = *prefix;
  } else {
    TRY(defined(with[0]));
    if (!with[0].index())
      return type_error("can't multiply sequence by non-int of type '" + with[0].type_name() + "'");
    TRY(spend_product(*with[0].index(), 1));
    blanks =
        std::string(static_cast<std::size_t>(std::max<std::int64_t>(*with[0].index(), 0)), ' ');
  }
  if (!call.value.string() && !call.value.list()) {
    if (call.value.tuple()) return type_error("can only concatenate tuple (not \"str\") to tuple");
    return type_error("unsupported operand type(s) for +=: '" + call.value.type_name() +
                      "' and 'str'");
  }
  TRY(has_method(call.value, "splitlines"));
  const auto lines = split_lines(text + "\n", false);
  TRY(spend_product(static_cast<std::int64_t>(lines.size()), blanks.size()));
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\n";
    const bool indents = i == 0 ? with[1].truth() : with[2].truth() || !lines[i].empty();
    out += (indents ? blanks : "") + lines[i];
  }
  return like(call.value, std::move(out));
}

Result<Value> truncate(const Call& call) {
  ASSIGN(const auto with,
         given(call, "do_truncate",
               {{"length", 255}, {"killwords", false}, {"end", "..."}, {"leeway", Value()}}));
  ASSIGN(const std::string text, to_text(call.value));
  ASSIGN(const std::string end, to_text(with[2]));
  if (!with[0].index()) return type_error("a length is an int, not " + with[0].type_name());
  const std::int64_t most = *with[0].index(), leeway = with[3].index().value_or(5);
  const auto tail = static_cast<std::int64_t>(character_count(end));
  if (most < tail)
    return raised("AssertionError",
                  "expected length >= " + std::to_string(tail) + ", got " + std::to_string(most));
  if (leeway < 0)
    return raised("AssertionError", "expected leeway >= 0, got " + std::to_string(leeway));
  ASSIGN(const std::int64_t size, length(call.value));
  if (size <= most + leeway) return call.value;
  TRY(has_method(call.value, "rsplit"));
  std::string_view kept = substring(text, 0, static_cast<std::size_t>(most - tail));
  if (!with[1].truth()) {
    const std::size_t blank = kept.rfind(' ');
    if (blank != std::string_view::npos) kept = kept.substr(0, blank);
  }
  return like(call.value, std::string(kept) + end);
}

bool is_word(std::string_view c) {
  return c == "_" || is(CharacterKind::kAlpha, c) || is(CharacterKind::kDigit, c);
}

Result<Value> wordcount(const Call& call) {
  ASSIGN(const std::string text, to_text(call.value));
  std::int64_t words = 0;
  bool inside = false;
  for (const auto c : characters(text)) {
    words += is_word(c) && !inside ? 1 : 0;
    inside = is_word(c);
  }
  return Value(words);
}

/// Whether a chunk ends before all[at], after a hyphen: textwrap's rule of what a hyphenated word
/// is.
bool hyphenates(const std::vector<std::string_view>& all, std::size_t at) {
  const auto letter = [&](std::size_t i) {
    return i < all.size() && is_word(all[i]) && !is(CharacterKind::kDigit, all[i]);
  };
  const auto punctuated = [&](std::size_t i) {
    return is_word(all[i]) || std::string_view("!\"'&.,?").find(all[i]) != std::string_view::npos;
  };
  const bool before = (at >= 3 && letter(at - 2) && letter(at - 3)) ||
                      (at >= 4 && punctuated(at - 2) && all[at - 3] == "-" && letter(at - 4));
  return before && letter(at) &&
         (letter(at + 1) || (at + 1 < all.size() && all[at + 1] == "-" && letter(at + 2)));
}

/// textwrap's chunks: words, runs of blanks, and parts of words up to a hyphen.
std::vector<std::string> chunks_of(std::string_view line, bool on_hyphens) {
  std::vector<std::string> out;
  const auto all = characters(line);
  for (std::size_t i = 0; i < all.size();) {
    std::string chunk;
    const bool blank = is_space(all[i][0]);
    while (i < all.size() && is_space(all[i][0]) == blank) {
      chunk += all[i++];
      if (!blank && on_hyphens && chunk.ends_with('-') && hyphenates(all, i)) break;
    }
    out.push_back(std::move(chunk));
  }
  return out;
}

/// textwrap.wrap of one paragraph.
std::vector<std::string> wrapped(std::string_view line, std::size_t width, bool break_long,
                                 bool on_hyphens) {
  std::vector<std::string> lines;
  auto chunks = chunks_of(line, on_hyphens);
  std::ranges::reverse(chunks);
  while (!chunks.empty()) {
    std::string now;
    std::size_t length = 0;
    std::vector<std::string> kept;
    if (!lines.empty() && stripped(chunks.back(), nullptr, Side::kBoth).empty()) chunks.pop_back();
    while (!chunks.empty()) {
      const std::size_t size = character_count(chunks.back());
      if (length + size > width) break;
      kept.push_back(std::move(chunks.back()));
      chunks.pop_back();
      length += size;
    }
    if (!chunks.empty() && character_count(chunks.back()) > width) {
      const std::size_t room = width - length;
      if (break_long) {
        std::string& long_one = chunks.back();
        std::size_t cut = room;
        if (on_hyphens) {
          const std::string_view head = substring(long_one, 0, room);
          const std::size_t hyphen = head.rfind('-');
          if (hyphen != std::string_view::npos && hyphen > 0 &&
              head.substr(0, hyphen).find_first_not_of('-') != std::string_view::npos)
            cut = character_count(head.substr(0, hyphen + 1));
        }
        kept.emplace_back(substring(long_one, 0, cut));
        long_one = std::string(std::string_view(long_one).substr(byte_of(long_one, cut)));
      } else if (kept.empty()) {
        kept.push_back(std::move(chunks.back()));
        chunks.pop_back();
      }
    }
    if (!kept.empty() && stripped(kept.back(), nullptr, Side::kBoth).empty()) kept.pop_back();
    for (const auto& part : kept) now += part;
    if (!kept.empty()) lines.push_back(std::move(now));
  }
  return lines;
}

Result<Value> wordwrap(const Call& call) {
  ASSIGN(const auto with, given(call, "do_wordwrap",
                                {{"width", 79},
                                 {"break_long_words", true},
                                 {"wrapstring", Value()},
                                 {"break_on_hyphens", true}}));
  TRY(has_method(call.value, "splitlines"));
  ASSIGN(const std::string text, to_text(call.value));
  if (!with[0].index()) return type_error("a width is an int, not " + with[0].type_name());
  if (*with[0].index() <= 0)
    return value_error("invalid width " + with[0].repr() + " (must be > 0)");
  std::string separator = "\n";
  if (!with[2].is_none()) {
    ASSIGN(separator, to_text(with[2]));
  }
  TRY(spend_product(static_cast<std::int64_t>(text.size() + 1), separator.size() + 1));
  std::string out;
  bool first = true;
  for (const auto& paragraph : split_lines(text, false)) {
    if (!first) out += separator;
    first = false;
    const auto lines = wrapped(paragraph, static_cast<std::size_t>(*with[0].index()),
                               with[1].truth(), with[3].truth());
    for (std::size_t i = 0; i < lines.size(); ++i) out += (i > 0 ? separator : "") + lines[i];
  }
  return Value(std::move(out));
}

constexpr NamedFilter kFilters[] = {
    {"upper", changed<upper>},   {"lower", changed<lower>}, {"capitalize", changed<capitalize>},
    {"title", title_filter},     {"center", center},        {"trim", trim},
    {"replace", replace_filter}, {"string", string_filter}, {"format", format_filter},
    {"indent", indent},          {"truncate", truncate},    {"wordcount", wordcount},
    {"wordwrap", wordwrap},
};

}  // namespace

std::span<const NamedFilter> text_filters() {
  return kFilters;
}

}  // namespace tailrace::jinja
