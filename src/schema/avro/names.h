// Avro's names (specification, "Names"): what may be one, and how a namespace completes one.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::schema::avro {

enum class NameRule {
  kAscii,    ///< the specification's: [A-Za-z_][A-Za-z0-9_]*
  kLetters,  ///< letters of any script too, as older registries took them
};

bool is_name(std::string_view name, NameRule rule);
/// Names with points between them; empty is the null namespace.
bool is_namespace(std::string_view space, NameRule rule);

/// A name in its two parts.
struct FullName {
  std::string space;
  std::string name;

  std::string text() const { return space.empty() ? name : space + "." + name; }
};

/// `name` where `space` encloses it: a name with a point in it is full already.
FullName complete(std::string_view name, std::string_view space);

}  // namespace tailrace::schema::avro
