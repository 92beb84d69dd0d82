#include "schema/avro/names.h"

#include <algorithm>

namespace tailrace::schema::avro {
namespace {

bool is_letter(char c, NameRule rule) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') return true;
  return rule == NameRule::kLetters && static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

bool is_name(std::string_view name, NameRule rule) {
  if (name.empty() || !is_letter(name.front(), rule)) return false;
  return std::ranges::all_of(
      name, [rule](char c) { return is_letter(c, rule) || (c >= '0' && c <= '9'); });
}

bool is_namespace(std::string_view space, NameRule rule) {
  while (!space.empty()) {
    const auto point = space.find('.');
    if (!is_name(space.substr(0, point), rule)) return false;
    if (point == std::string_view::npos) return true;
    space.remove_prefix(point + 1);
    if (space.empty()) return false;
  }
  return true;
}

FullName complete(std::string_view name, std::string_view space) {
  const auto point = name.rfind('.');
  if (point == std::string_view::npos) return {std::string(space), std::string(name)};
  return {std::string(name.substr(0, point)), std::string(name.substr(point + 1))};
}

}  // namespace tailrace::schema::avro
