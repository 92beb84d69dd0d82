#include "schema/json_schema/uri.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

namespace tailrace::schema::json_schema {
namespace {

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_alnum(char c) {
  return is_alpha(c) || (c >= '0' && c <= '9');
}

/// The parts of a reference; those that are absent are not there.
struct Parts {
  std::optional<std::string_view> scheme, authority, query, fragment;
  std::string_view path;
  bool opaque = false;  ///< "urn:x": a scheme, and no slash after it
};

Parts parts_of(std::string_view text) {
  Parts made;
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    made.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  const auto end = text.find_first_of(":/?");
  if (end != std::string_view::npos && text[end] == ':') {
    made.scheme = text.substr(0, end);
    text = text.substr(end + 1);
    made.opaque = !text.starts_with('/');
  }
  if (const auto mark = text.find('?'); mark != std::string_view::npos && !made.opaque) {
    made.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (text.starts_with("//")) {
    const auto slash = std::min(text.find('/', 2), text.size());
    made.authority = text.substr(2, slash - 2);
    text = text.substr(slash);
  }
  made.path = text;
  return made;
}

// RFC 3986 §5.2.4, but ".." beyond the root stays.
std::string without_dots(std::string_view path) {
  if (path.find('.') == std::string_view::npos) return std::string(path);
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> kept;
  bool folder = false;
  for (std::size_t at = rooted ? 1 : 0; at <= path.size();) {
    const auto slash = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, slash - at);
    folder = part.empty() || part == "." || part == "..";
    if (part == ".." && !kept.empty() && kept.back() != "..")
      kept.pop_back();
    else if (!part.empty() && part != ".")
      kept.push_back(part);
    at = slash + 1;
  }
  std::string made = rooted ? "/" : "";
  for (const auto part : kept) {
    if (!made.empty() && made.back() != '/') made += '/';
    made += part;
  }
  if (folder && !made.empty() && made.back() != '/' && (kept.empty() || kept.back() != ".."))
    made += '/';
  return made;
}

std::string joined(const Parts& parts, std::string_view path) {
  std::string made;
  if (parts.scheme) made += std::string(*parts.scheme) + ":";
  if (parts.authority) made += "//" + std::string(*parts.authority);
  made += path;
  if (parts.query) made += "?" + std::string(*parts.query);
  if (parts.fragment) made += "#" + std::string(*parts.fragment);
  return made;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_alpha(text[0]) && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || c == '+' || c == '-' || c == '.';
  });
}

bool characters_are_legal(std::string_view text) {
  static constexpr std::string_view kLegal = "-_.!~*'();/?:@&=+$,[]%#";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x80 || is_alnum(c)) continue;
    if (kLegal.find(c) == std::string_view::npos) return false;
    if (c == '%' &&
        (i + 2 >= text.size() || !std::isxdigit(static_cast<unsigned char>(text[i + 1])) ||
         !std::isxdigit(static_cast<unsigned char>(text[i + 2]))))
      return false;
  }
  return true;
}

}  // namespace

bool is_uri(std::string_view text) {
  if (!characters_are_legal(text)) return false;
  const Parts parts = parts_of(text);
  if (parts.fragment && parts.fragment->find('#') != std::string_view::npos) return false;
  if (parts.scheme && (!is_scheme(*parts.scheme) || (parts.opaque && parts.path.empty())))
    return false;
  if (parts.authority && parts.authority->empty() && parts.path.empty()) return false;
  return parts.path.find_first_of("[]") == std::string_view::npos || parts.opaque;
}

bool is_absolute_uri(std::string_view text) {
  return parts_of(text).scheme.has_value();
}

std::string resolve_uri(std::string_view base, std::string_view reference) {
  const Parts child = parts_of(reference);
  const Parts above = parts_of(base);
  if (base.empty() || child.scheme || above.opaque) return std::string(reference);
  if (!child.authority && child.path.empty() && !child.query && child.fragment)
    return std::string(without_fragment(base)) + "#" + std::string(*child.fragment);
  Parts made = child;
  made.scheme = above.scheme;
  if (child.authority) return joined(made, child.path);
  made.authority = above.authority;
  if (child.path.starts_with('/')) return joined(made, without_dots(child.path));
  const auto slash = above.path.rfind('/');
  std::string_view folder = above.path.substr(0, slash == std::string_view::npos ? 0 : slash + 1);
  if (above.authority && above.path.empty()) folder = "/";
  return joined(made, without_dots(std::string(folder) + std::string(child.path)));
}

std::string_view without_fragment(std::string_view uri) {
  return uri.substr(0, uri.find('#'));
}

std::string_view fragment_of(std::string_view uri) {
  const auto hash = uri.find('#');
  return hash == std::string_view::npos ? std::string_view() : uri.substr(hash);
}

}  // namespace tailrace::schema::json_schema
