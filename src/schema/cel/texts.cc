#include "schema/cel/texts.h"

#include <algorithm>
#include <climits>

#include "schema/cel/functions.h"

namespace tailrace::schema::cel {
namespace {

std::unexpected<Error> wrong(std::string what) {
  return error(Code::kInvalidArgument, std::move(what));
}

bool begins(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// The byte at which the n-th character begins; its size for n == count; npos beyond.
std::size_t byte_of(std::string_view text, std::int64_t n) {
  if (n < 0) return std::string_view::npos;
  std::int64_t at = -1;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (begins(text[i]) && ++at == n) return i;
  return at + 1 == n ? text.size() : std::string_view::npos;
}

std::int64_t characters_before(std::string_view text, std::size_t byte) {
  return static_cast<std::int64_t>(character_count(text.substr(0, byte)));
}

std::string trimmed(std::string_view text) {
  // Unicode's White_Space.
  constexpr std::string_view kBlanks[] = {"\t",           "\n",           "\v",
                                          "\f",           "\r",           " ",
                                          "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80",
                                          "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
                                          "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85",
                                          "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88",
                                          "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
                                          "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F",
                                          "\xE3\x80\x80"};
  for (bool more = true; more;) {
    more = false;
    for (const std::string_view blank : kBlanks) {
      if (text.starts_with(blank)) text.remove_prefix(blank.size()), more = true;
      if (text.ends_with(blank)) text.remove_suffix(blank.size()), more = true;
    }
  }
  return std::string(text);
}

Result<Value> substring(const std::string& text, std::int64_t from, std::int64_t to) {
  const std::size_t begin = byte_of(text, from), end = byte_of(text, to);
  if (begin == std::string::npos || end == std::string::npos || begin > end)
    return wrong("index out of range");
  return Value(text.substr(begin, end - begin));
}

Result<Value> index_of(const std::string& text, const std::string& part, std::int64_t from) {
  const std::size_t begin = byte_of(text, from);
  if (begin == std::string::npos) return wrong("index out of range");
  const std::size_t found = text.find(part, begin);
  return Value(found == std::string::npos ? std::int64_t{-1} : characters_before(text, found));
}

Result<Value> last_index_of(const std::string& text, const std::string& part,
                            std::optional<std::int64_t> from) {
  const std::size_t begin = from ? byte_of(text, *from) : text.size();
  if (begin == std::string::npos) return wrong("index out of range");
  const std::size_t found = text.rfind(part, begin);
  return Value(found == std::string::npos ? std::int64_t{-1} : characters_before(text, found));
}

Result<Value> replaced(const std::string& text, const std::string& part, const std::string& with,
                       std::int64_t limit) {
  std::string out;
  std::size_t at = 0;
  const auto wide = [&] { return out.size() > kMaxValueBytes; };
  for (; limit != 0; --limit) {
    std::size_t found = text.find(part, at);
    if (found == std::string::npos || wide()) break;
    out += text.substr(at, found - at) + with;
    at = found + part.size();
    if (!part.empty()) continue;
    // Between all characters.
    if (at >= text.size()) {
      at = text.size() + 1;
      break;
    }
    std::size_t next = at + 1;
    while (next < text.size() && !begins(text[next])) ++next;
    out += text.substr(at, next - at);
    at = next;
  }
  if (wide()) return error(Code::kResourceExhausted, "a value of more than 16 MiB");
  if (at <= text.size()) out += text.substr(at);
  return Value(std::move(out));
}

Result<Value> split(const std::string& text, const std::string& by, std::int64_t limit) {
  List parts;
  if (limit == 0) return Value::list({});
  std::size_t at = 0;
  while (limit < 0 || std::ssize(parts) + 1 < limit) {
    std::size_t end = text.find(by, at);
    if (by.empty()) {
      end = at + 1;
      while (end < text.size() && !begins(text[end])) ++end;
      if (end >= text.size()) break;
    }
    if (end == std::string::npos) break;
    parts.emplace_back(text.substr(at, end - at));
    at = end + by.size();
  }
  if (!(by.empty() && text.empty())) parts.emplace_back(text.substr(at));
  return Value::list(std::move(parts));
}

std::string in_case(std::string text, char first, char last) {
  for (char& c : text)
    if (c >= first && c <= last) c = static_cast<char>(c ^ 0x20);
  return text;
}

/// Functions of a text and a text.
std::optional<Result<Value>> of_text(std::string_view name, const std::string& text,
                                     const std::string& part, std::optional<std::int64_t> number) {
  if (name == "indexOf") return index_of(text, part, number.value_or(0));
  if (name == "lastIndexOf") return last_index_of(text, part, number);
  if (name == "split") return split(text, part, number.value_or(-1));
  if (number) return std::nullopt;
  if (name == "contains") return Value(text.find(part) != std::string::npos);
  if (name == "startsWith") return Value(text.starts_with(part));
  if (name == "endsWith") return Value(text.ends_with(part));
  return std::nullopt;
}

}  // namespace

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins));
}

bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    const std::size_t more = c < 0x80                ? 0
                             : c >= 0xC2 && c < 0xE0 ? 1
                             : c >= 0xE0 && c < 0xF0 ? 2
                             : c >= 0xF0 && c < 0xF5 ? 3
                                                     : 9;
    if (more == 9 || i + more >= bytes.size()) return false;
    std::uint32_t code = more == 0 ? c : c & (0x3FU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      if (begins(bytes[i + k])) return false;
      code = (code << 6) | (static_cast<unsigned char>(bytes[i + k]) & 0x3FU);
    }
    if ((more == 2 && (code < 0x800 || (code >= 0xD800 && code < 0xE000))) ||
        (more == 3 && (code < 0x10000 || code > 0x10FFFF)))
      return false;
    i += more + 1;
  }
  return true;
}

std::optional<Result<Value>> text_function(std::string_view name, const std::string& text,
                                           std::span<const Value> args) {
  if (name == "lowerAscii") return Value(in_case(text, 'A', 'Z'));
  if (name == "upperAscii") return Value(in_case(text, 'a', 'z'));
  if (name == "trim") return Value(trimmed(text));
  const auto number = [&](std::size_t i) {
    const auto* found = args.size() > i ? args[i].get<std::int64_t>() : nullptr;
    return found ? std::optional(*found) : std::nullopt;
  };
  if (name == "charAt" || name == "substring") {
    const auto from = number(0);
    if (!from || (args.size() == 2 && !number(1))) return std::nullopt;
    const auto end = static_cast<std::int64_t>(character_count(text));
    if (name == "substring") return substring(text, *from, number(1).value_or(end));
    if (*from == end) return Value(std::string());
    if (*from > end) return wrong("index out of range");
    return substring(text, *from, *from + 1);
  }
  const auto* part = args.empty() ? nullptr : args[0].get<std::string>();
  if (!part) return std::nullopt;
  if (name == "replace") {
    const auto* with = args[1].get<std::string>();
    if (!with || (args.size() == 3 && !number(2))) return std::nullopt;
    return replaced(text, *part, *with, number(2).value_or(-1));
  }
  if (args.size() == 2 && !number(1)) return std::nullopt;
  return of_text(name, text, *part, number(1));
}

Result<Value> joined(std::span<const Value> args) {
  const List* list = args[0].list();
  const auto* by = args.size() == 2 ? args[1].get<std::string>() : nullptr;
  if (!list || (args.size() == 2 && !by)) return wrong("no such overload: join");
  std::string out;
  for (const Value& one : *list) {
    const auto* text = one.get<std::string>();
    if (!text) return wrong("no such overload: join of " + one.type_name());
    if (by && &one != list->data()) out += *by;
    out += *text;
    if (out.size() > kMaxValueBytes)
      return error(Code::kResourceExhausted, "a value of more than 16 MiB");
  }
  return Value(std::move(out));
}

}  // namespace tailrace::schema::cel
