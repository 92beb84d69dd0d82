// Methods of Python's str.
#include <algorithm>
#include <limits>

#include "jinja/methods.h"
#include "jinja/texts.h"

namespace tailrace::jinja {
namespace {

using Named = Object::Named;
constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

/// The text that the method is called on, and its arguments.
struct Self {
  const Value& value;
  const std::string& text;
  std::string_view method;
  const List& arguments;
  const Named& named;

  /// str of a str, Markup of Markup.
  Value same(std::string made) const {
    return value.is_markup() ? Value::markup(std::move(made)) : Value(std::move(made));
  }
  Result<std::vector<Value>> bind(std::initializer_list<Parameter> parameters) const {
    return jinja::bind(method, arguments, named, parameters);
  }
};

using Method = Result<Value> (*)(const Self& self);

Result<const std::string*> text_of(const Value& value) {
  TRY(defined(value));
  if (const auto* text = value.string()) return text;
  return type_error("expected a string, got " + value.type_name());
}

Result<std::int64_t> number_of(const Value& value, std::int64_t fallback) {
  if (value.is_none()) return fallback;
  TRY(defined(value));
  if (const auto whole = value.index()) return *whole;
  return type_error("'" + value.type_name() + "' object cannot be interpreted as an integer");
}

template <std::string (*kChange)(std::string_view)>
Result<Value> changed(const Self& self) {
  TRY(self.bind({}));
  TRY(spend_bytes(self.text.size()));
  return self.same(kChange(self.text));
}

template <Side kSide>
Result<Value> strip(const Self& self) {
  ASSIGN(const auto given, self.bind({{"chars", Value()}}));
  const std::string* set = nullptr;
  if (!given[0].is_none()) {
    ASSIGN(set, text_of(given[0]));
  }
  return self.same(std::string(stripped(self.text, set, kSide)));
}

template <bool kRight>
Result<Value> split_up(const Self& self) {
  ASSIGN(const auto given, self.bind({{"sep", Value()}, {"maxsplit", -1}}));
  const std::string* separator = nullptr;
  if (!given[0].is_none()) {
    ASSIGN(separator, text_of(given[0]));
    if (separator->empty()) return value_error("empty separator");
  }
  ASSIGN(const std::int64_t most, number_of(given[1], -1));
  TRY(spend_items(self.text.size()));
  List out;
  for (auto& part : split(self.text, separator, most, kRight))
    out.push_back(self.same(std::move(part)));
  return Value(std::move(out));
}

Result<Value> splitlines(const Self& self) {
  ASSIGN(const auto given, self.bind({{"keepends", false}}));
  TRY(spend_items(self.text.size()));
  List out;
  for (auto& line : split_lines(self.text, given[0].truth()))
    out.push_back(self.same(std::move(line)));
  return Value(std::move(out));
}

/// The range of characters that start and end name, as bytes of the text.
struct Window {
  std::size_t from = 0, to = 0;
  bool valid = true;  ///< start is not beyond end
};

Result<Window> window(const Self& self, const Value& start, const Value& end) {
  const auto size = static_cast<std::int64_t>(character_count(self.text));
  ASSIGN(std::int64_t from, number_of(start, 0));
  ASSIGN(std::int64_t to, number_of(end, size));
  if (from < 0) from = std::max<std::int64_t>(from + size, 0);
  if (to < 0) to = std::max<std::int64_t>(to + size, 0);
  to = std::min(to, size);
  if (from > to) return Window{0, 0, false};
  return Window{byte_of(self.text, static_cast<std::size_t>(from)),
                byte_of(self.text, static_cast<std::size_t>(to))};
}

template <bool kRight, bool kFails>
Result<Value> find(const Self& self) {
  ASSIGN(const auto given, self.bind({"sub", {"start", Value()}, {"end", Value()}}));
  ASSIGN(const std::string* part, text_of(given[0]));
  ASSIGN(const Window range, window(self, given[1], given[2]));
  const std::string_view inside = std::string_view(self.text).substr(0, range.to);
  std::size_t at = std::string_view::npos;
  if (range.valid) {
    at = kRight ? inside.rfind(*part) : inside.find(*part, range.from);
    if (kRight && at < range.from) at = std::string_view::npos;
  }
  if (at != std::string_view::npos)
    return Value(static_cast<std::int64_t>(character_count(inside.substr(0, at))));
  if (kFails) return value_error("substring not found");
  return Value(-1);
}

Result<Value> count(const Self& self) {
  ASSIGN(const auto given, self.bind({"sub", {"start", Value()}, {"end", Value()}}));
  ASSIGN(const std::string* part, text_of(given[0]));
  ASSIGN(const Window range, window(self, given[1], given[2]));
  if (!range.valid) return Value(0);
  const std::string_view inside =
      std::string_view(self.text).substr(range.from, range.to - range.from);
  if (part->empty()) return Value(static_cast<std::int64_t>(character_count(inside) + 1));
  std::int64_t found = 0;
  for (std::size_t at = 0; (at = inside.find(*part, at)) != std::string_view::npos;
       at += part->size())
    ++found;
  return Value(found);
}

template <bool kEnd>
Result<Value> begins(const Self& self) {
  ASSIGN(const auto given, self.bind({"prefix", {"start", Value()}, {"end", Value()}}));
  TRY(defined(given[0]));
  ASSIGN(const Window range, window(self, given[1], given[2]));
  const std::string_view inside =
      std::string_view(self.text).substr(range.from, range.to - range.from);
  const List only = {given[0]};
  for (const Value& each : given[0].tuple() ? given[0].tuple()->items : only) {
    if (!each.string())
      return type_error(std::string(self.method) +
                        " first arg must be str or a tuple of str, not " + each.type_name());
    if (range.valid &&
        (kEnd ? inside.ends_with(*each.string()) : inside.starts_with(*each.string())))
      return Value(true);
  }
  return Value(false);
}

Result<Value> replace(const Self& self) {
  ASSIGN(const auto given, self.bind({"old", "new", {"count", -1}}));
  ASSIGN(const std::string* from, text_of(given[0]));
  ASSIGN(const std::string* to, text_of(given[1]));
  ASSIGN(const std::int64_t most, number_of(given[2], -1));
  const auto places = static_cast<std::int64_t>(from->empty() ? self.text.size() + 1
                                                              : self.text.size() / from->size());
  TRY(spend_bytes(self.text.size()));
  TRY(spend_product(most < 0 ? places : std::min(most, places), to->size()));
  return self.same(
      replaced(self.text, *from,
               self.value.is_markup() && !given[1].is_markup() ? html_escaped(*to) : *to, most));
}

Result<Value> join(const Self& self) {
  ASSIGN(const auto given, self.bind({"iterable"}));
  ASSIGN(const List items, iterate(given[0]));
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    TRY(defined(items[i]));
    if (!items[i].string())
      return type_error("sequence item " + std::to_string(i) + ": expected str instance, " +
                        items[i].type_name() + " found");
    if (i > 0) out += self.text;
    out += self.value.is_markup() && !items[i].is_markup() ? html_escaped(*items[i].string())
                                                           : *items[i].string();
    TRY(spend_bytes(self.text.size() + items[i].string()->size()));
    if (budget() && out.size() > budget()->max_output) TRY(spend_bytes(out.size()));
  }
  return self.same(std::move(out));
}

enum class Fill { kLeft, kRight, kCenter };

template <Fill kFill>
Result<Value> justify(const Self& self) {
  ASSIGN(const auto given, self.bind({"width", {"fillchar", " "}}));
  ASSIGN(const std::int64_t width, number_of(given[0], 0));
  ASSIGN(const std::string* fill, text_of(given[1]));
  if (character_count(*fill) != 1)
    return type_error("The fill character must be exactly one character long");
  const auto size = static_cast<std::int64_t>(character_count(self.text));
  if (width <= size) return self.value;
  TRY(spend_product(width, fill->size()));
  const std::int64_t missing = width - size;
  // CPython puts the odd one to the left when the width is odd.
  const std::int64_t left = kFill == Fill::kRight  ? missing
                            : kFill == Fill::kLeft ? 0
                                                   : missing / 2 + (missing & width & 1);
  std::string out;
  for (std::int64_t i = 0; i < left; ++i) out += *fill;
  out += self.text;
  for (std::int64_t i = left; i < missing; ++i) out += *fill;
  return self.same(std::move(out));
}

Result<Value> zfill(const Self& self) {
  ASSIGN(const auto given, self.bind({"width"}));
  ASSIGN(const std::int64_t width, number_of(given[0], 0));
  const auto size = static_cast<std::int64_t>(character_count(self.text));
  if (width <= size) return self.value;
  TRY(spend_product(width, 1));
  const bool sign = self.text.starts_with('-') || self.text.starts_with('+');
  return self.same(self.text.substr(0, sign ? 1 : 0) +
                   std::string(static_cast<std::size_t>(width - size), '0') +
                   self.text.substr(sign ? 1 : 0));
}

template <bool kSuffix>
Result<Value> remove_affix(const Self& self) {
  ASSIGN(const auto given, self.bind({"prefix"}));
  ASSIGN(const std::string* part, text_of(given[0]));
  if (kSuffix ? !self.text.ends_with(*part) : !self.text.starts_with(*part)) return self.value;
  return self.same(kSuffix ? self.text.substr(0, self.text.size() - part->size())
                           : self.text.substr(part->size()));
}

template <bool kRight>
Result<Value> partition(const Self& self) {
  ASSIGN(const auto given, self.bind({"sep"}));
  ASSIGN(const std::string* separator, text_of(given[0]));
  if (separator->empty()) return value_error("empty separator");
  const std::size_t at = kRight ? self.text.rfind(*separator) : self.text.find(*separator);
  if (at == std::string::npos)
    return kRight ? Value(Tuple{{self.same(""), self.same(""), self.value}})
                  : Value(Tuple{{self.value, self.same(""), self.same("")}});
  return Value(Tuple{{self.same(self.text.substr(0, at)), self.same(*separator),
                      self.same(self.text.substr(at + separator->size()))}});
}

template <CharacterKind kKind>
Result<Value> all_are(const Self& self) {
  TRY(self.bind({}));
  const auto all = characters(self.text);
  return Value(!all.empty() && std::ranges::all_of(all, [](auto c) { return is(kKind, c); }));
}

Result<Value> isalnum_text(const Self& self) {
  TRY(self.bind({}));
  const auto all = characters(self.text);
  return Value(!all.empty() && std::ranges::all_of(all, [](auto c) {
    return is(CharacterKind::kAlpha, c) || is(CharacterKind::kDigit, c);
  }));
}

template <bool kUpper>
Result<Value> in_case(const Self& self) {
  TRY(self.bind({}));
  bool some = false;
  for (const auto c : characters(self.text)) {
    if (is(kUpper ? CharacterKind::kLower : CharacterKind::kUpper, c)) return Value(false);
    some |= is(kUpper ? CharacterKind::kUpper : CharacterKind::kLower, c);
  }
  return Value(some);
}

Result<Value> istitle(const Self& self) {
  TRY(self.bind({}));
  bool some = false, inside = false;
  for (const auto c : characters(self.text)) {
    const bool up = is(CharacterKind::kUpper, c), low = is(CharacterKind::kLower, c);
    if ((up && inside) || (low && !inside)) return Value(false);
    inside = up || low;
    some |= inside;
  }
  return Value(some);
}

Result<Value> isascii(const Self& self) {
  return Value(std::ranges::none_of(self.text, [](char c) { return (c & 0x80) != 0; }));
}

Result<Value> isprintable(const Self& self) {
  return Value(std::ranges::all_of(characters(self.text),
                                   [](auto c) { return is(CharacterKind::kPrintable, c); }));
}

Result<Value> isidentifier(const Self& self) {
  const auto all = characters(self.text);
  const auto letter = [](auto c) { return c == "_" || is(CharacterKind::kAlpha, c); };
  return Value(!all.empty() && letter(all.front()) && std::ranges::all_of(all, [&](auto c) {
    return letter(c) || is(CharacterKind::kDigit, c);
  }));
}

Result<Value> format(const Self& self) {
  ASSIGN(std::string made, brace_format(self.text, self.arguments, self.named));
  return self.same(std::move(made));
}

Result<Value> format_map(const Self& self) {
  ASSIGN(const auto given, self.bind({"mapping"}));
  if (!given[0].dict()) return type_error("format_map() needs a dict");
  Named named;
  for (const auto& [key, value] : given[0].dict()->items())
    if (key.string()) named.emplace_back(*key.string(), value);
  ASSIGN(std::string made, brace_format(self.text, {}, named));
  return self.same(std::move(made));
}

Result<Value> expandtabs(const Self& self) {
  ASSIGN(const auto given, self.bind({{"tabsize", 8}}));
  ASSIGN(const std::int64_t size, number_of(given[0], 8));
  std::string out;
  std::int64_t column = 0;
  for (const auto c : characters(self.text)) {
    if (c == "\t") {
      const std::int64_t blanks = size > 0 ? size - column % size : 0;
      TRY(spend_product(blanks, 1));
      out += std::string(static_cast<std::size_t>(blanks), ' ');
      column += blanks;
    } else {
      out += c;
      column = c == "\n" || c == "\r" ? 0 : column + 1;
    }
  }
  return self.same(std::move(out));
}

Result<Value> encode(const Self&) {
  return raised("TypeError", "bytes do not occur here: write the text itself",
                Code::kUnimplemented);
}

struct NamedMethod {
  std::string_view name;
  Method method;
};

constexpr NamedMethod kMethods[] = {
    {"upper", changed<upper>},
    {"lower", changed<lower>},
    {"casefold", changed<lower>},
    {"title", changed<title>},
    {"capitalize", changed<capitalize>},
    {"swapcase", changed<swapcase>},
    {"strip", strip<Side::kBoth>},
    {"lstrip", strip<Side::kLeft>},
    {"rstrip", strip<Side::kRight>},
    {"split", split_up<false>},
    {"rsplit", split_up<true>},
    {"splitlines", splitlines},
    {"find", find<false, false>},
    {"rfind", find<true, false>},
    {"index", find<false, true>},
    {"rindex", find<true, true>},
    {"count", count},
    {"startswith", begins<false>},
    {"endswith", begins<true>},
    {"replace", replace},
    {"join", join},
    {"ljust", justify<Fill::kLeft>},
    {"rjust", justify<Fill::kRight>},
    {"center", justify<Fill::kCenter>},
    {"zfill", zfill},
    {"removeprefix", remove_affix<false>},
    {"removesuffix", remove_affix<true>},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"isalpha", all_are<CharacterKind::kAlpha>},
    {"isdigit", all_are<CharacterKind::kDigit>},
    {"isdecimal", all_are<CharacterKind::kDigit>},
    {"isnumeric", all_are<CharacterKind::kDigit>},
    {"isspace", all_are<CharacterKind::kSpace>},
    {"isalnum", isalnum_text},
    {"isupper", in_case<true>},
    {"islower", in_case<false>},
    {"istitle", istitle},
    {"isascii", isascii},
    {"isprintable", isprintable},
    {"isidentifier", isidentifier},
    {"format", format},
    {"format_map", format_map},
    {"expandtabs", expandtabs},
    {"encode", encode},
};

}  // namespace

std::optional<Value> string_attribute(const Value& value, std::string_view name) {
  for (const NamedMethod& each : kMethods)
    if (each.name == name)
      return function(std::string(name), [value, each](const List& arguments, const Named& named) {
        return each.method(Self{value, *value.string(), each.name, arguments, named});
      });
  if (value.is_markup() && name == "unescape")
    return function("unescape", [value](const List&, const Named&) -> Result<Value> {
      std::string text = *value.string();
      for (const auto& [entity, c] :
           {std::pair{"&lt;", "<"}, std::pair{"&gt;", ">"}, std::pair{"&#39;", "'"},
            std::pair{"&#34;", "\""}, std::pair{"&amp;", "&"}})
        text = replaced(text, entity, c, -1);
      return Value(std::move(text));
    });
  return std::nullopt;
}

}  // namespace tailrace::jinja
