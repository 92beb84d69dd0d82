#include "staging/json_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace tailrace::staging {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

/// Behind the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

/// Behind the value that begins at `at`.
std::size_t skip_value(std::string_view text, std::size_t at) {
  if (at >= text.size()) return text.size();
  if (text[at] == '"') return skip_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && !is_space(text[at]) && text[at] != ',' && text[at] != '}' &&
           text[at] != ']')
      ++at;
    return at;
  }
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
    ++at;
  }
  return at;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

std::uint32_t hex4(std::string_view text) {
  std::uint32_t code = 0;
  std::from_chars(text.data(), text.data() + std::min<std::size_t>(4, text.size()), code, 16);
  return code;
}

char plain_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

/// The element of an array by its number in text; none when it is no such number.
std::optional<std::string_view> element(std::string_view array, std::string_view number) {
  std::size_t wanted = 0;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), wanted);
  if (failed != std::errc() || end != number.data() + number.size()) return std::nullopt;
  std::size_t at = skip_space(array, 1);
  for (std::size_t i = 0; at < array.size() && array[at] != ']'; ++i) {
    const std::size_t end_of = skip_value(array, at);
    if (i == wanted) return array.substr(at, end_of - at);
    at = skip_space(array, end_of);
    if (at < array.size() && array[at] == ',') at = skip_space(array, at + 1);
  }
  return std::nullopt;
}

std::optional<std::string_view> member(std::string_view object, std::string_view name) {
  std::optional<std::string_view> found;
  walk_members(object, [&](std::string_view one, std::string_view raw) {
    if (one == name) found = raw;
  });
  return found;
}

}  // namespace

Status check_object(std::string_view text) {
  static thread_local simdjson::dom::parser parser;
  simdjson::dom::element root;
  const auto failure = parser.parse(text.data(), text.size()).get(root);
  // simdjson has no whole numbers beyond 64 bits; JSON has.
  const bool long_number = failure == simdjson::NUMBER_ERROR;
  if (long_number && nlohmann::json::accept(text)) {
    if (text[skip_space(text, 0)] == '{') return {};
    return error(Code::kInvalidArgument, "it is not a JSON object");
  }
  if (failure)
    return error(Code::kInvalidArgument,
                 fmt::format("it is not JSON: {}", simdjson::error_message(failure)));
  if (!root.is_object()) return error(Code::kInvalidArgument, "it is not a JSON object");
  return {};
}

void walk_members(std::string_view object, const VisitMember& visit) {
  std::string name;
  std::size_t at = skip_space(object, skip_space(object, 0) + 1);
  while (at < object.size() && object[at] == '"') {
    const std::size_t name_end = skip_string(object, at);
    std::string_view shown = object.substr(at + 1, name_end - at - 2);
    if (shown.find('\\') != std::string_view::npos) {
      name.clear();
      append_unescaped(name, object.substr(at, name_end - at));
      shown = name;
    }
    at = skip_space(object, skip_space(object, name_end) + 1);
    const std::size_t value_end = skip_value(object, at);
    visit(shown, object.substr(at, value_end - at));
    at = skip_space(object, value_end);
    if (at < object.size() && object[at] == ',') at = skip_space(object, at + 1);
  }
}

std::optional<std::string_view> at_pointer(std::string_view json, std::string_view pointer) {
  std::optional<std::string_view> found = json.substr(skip_space(json, 0));
  while (found && !pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    std::string name(pointer.substr(0, end));
    for (const auto& [escape, plain] : {std::pair("~1", "/"), std::pair("~0", "~")})
      for (std::size_t at = 0; (at = name.find(escape, at)) != std::string::npos; ++at)
        name.replace(at, 2, plain);
    pointer.remove_prefix(end);
    if (found->starts_with('{'))
      found = member(*found, name);
    else if (found->starts_with('['))
      found = element(*found, name);
    else
      found.reset();
  }
  return found;
}

void append_unescaped(std::string& out, std::string_view raw) {
  const std::string_view text = raw.substr(1, raw.size() - 2);
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t next = std::min(text.find('\\', at), text.size());
    out += text.substr(at, next - at);
    if (next + 1 >= text.size()) return;
    if (text[next + 1] != 'u') {
      out += plain_escape(text[next + 1]);
      at = next + 2;
      continue;
    }
    std::uint32_t code = hex4(text.substr(next + 2));
    at = next + 6;
    if (code >= 0xD800 && code < 0xDC00 && at + 6 <= text.size()) {
      code = 0x10000 + ((code - 0xD800) << 10) + (hex4(text.substr(at + 2)) - 0xDC00);
      at += 6;
    }
    append_utf8(out, code);
  }
}

void append_compact(std::string& out, std::string_view raw) {
  std::size_t at = 0;
  while (at < raw.size()) {
    const std::size_t begin = at;
    while (at < raw.size() && !is_space(raw[at]))
      at = raw[at] == '"' ? skip_string(raw, at) : at + 1;
    out += raw.substr(begin, at - begin);
    at = skip_space(raw, at);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace tailrace::staging
