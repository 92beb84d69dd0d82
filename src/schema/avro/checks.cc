// What is checked when all names are known: definitions that are repeated, defaults, and depth.
#include <algorithm>
#include <functional>
#include <limits>
#include <unordered_set>

#include "schema/avro/parser.h"

namespace tailrace::schema::avro {
namespace {

// How many values a default may come to, the defaults within it counted.
constexpr int kMaxDefaultSteps = 1'000'000;
constexpr int kMaxDefaultDepth = 500;

bool same_use(const Type& one, const Type& other) {
  if (&one == &other) return true;
  if (one.defined || other.defined) return one.full_name() == other.full_name();
  return same_meaning(one, other);
}

bool same_field(const Field& one, const Field& other) {
  return one.name == other.name && one.order == other.order &&
         one.default_value == other.default_value && one.properties == other.properties &&
         same_use(*one.type, *other.type);
}

// Walks a default with its type; a count of steps and a depth bound it.
class DefaultCheck {
 public:
  Result<bool> fits(const Type& type, const Json& value, int depth) {
    if (++steps_ > kMaxDefaultSteps || depth > kMaxDefaultDepth)
      return error(Code::kInvalidArgument, "the default is too large, or contains itself");
    switch (type.kind) {
      case Kind::kNull:
        return value.is_null();
      case Kind::kBoolean:
        return value.boolean() != nullptr;
      case Kind::kInt:
        return value.integer() && *value.integer() >= std::numeric_limits<std::int32_t>::min() &&
               *value.integer() <= std::numeric_limits<std::int32_t>::max();
      case Kind::kLong:
        return value.integer() != nullptr;
      case Kind::kFloat:
      case Kind::kDouble:
        return value.is_number();
      case Kind::kBytes:
      case Kind::kString:
      case Kind::kFixed:
      case Kind::kEnum:
        return value.text() != nullptr;
      case Kind::kUnion:
        return fits_union(type, value, depth);
      case Kind::kArray:
        return fits_array(type, value, depth);
      case Kind::kMap:
        return fits_map(type, value, depth);
      case Kind::kRecord:
        return fits_record(type, value, depth);
    }
    return false;
  }

 private:
  Result<bool> fits_union(const Type& type, const Json& value, int depth) {
    for (const Type* branch : type.branches) {
      ASSIGN(const bool good, fits(*branch, value, depth + 1));
      if (good) return true;
    }
    return false;
  }

  Result<bool> fits_array(const Type& type, const Json& value, int depth) {
    if (!value.array()) return false;
    for (const auto& item : *value.array()) {
      ASSIGN(const bool good, fits(*type.element, item, depth + 1));
      if (!good) return false;
    }
    return true;
  }

  Result<bool> fits_map(const Type& type, const Json& value, int depth) {
    if (!value.object()) return false;
    for (const auto& member : *value.object()) {
      ASSIGN(const bool good, fits(*type.element, member.value, depth + 1));
      if (!good) return false;
    }
    return true;
  }

  Result<bool> fits_record(const Type& type, const Json& value, int depth) {
    if (!value.object()) return false;
    for (const auto& field : type.defined->fields) {
      const Json* given = value.find(field.name);
      if (!given && field.default_value) given = &*field.default_value;
      if (!given) return false;
      ASSIGN(const bool good, fits(*field.type, *given, depth + 1));
      if (!good) return false;
    }
    return true;
  }

  int steps_ = 0;
};

}  // namespace

bool same_meaning(const Type& one, const Type& other) {
  if (one.kind != other.kind || one.properties != other.properties) return false;
  if (one.kind == Kind::kArray || one.kind == Kind::kMap)
    return same_use(*one.element, *other.element);
  if (one.kind == Kind::kUnion)
    return std::ranges::equal(one.branches, other.branches,
                              [](const Type* a, const Type* b) { return same_use(*a, *b); });
  if (!one.defined) return true;
  return one.defined->full_name == other.defined->full_name &&
         one.defined->size == other.defined->size &&
         one.defined->symbols == other.defined->symbols &&
         std::ranges::equal(one.defined->fields, other.defined->fields, same_field);
}

Result<bool> fits_default(const Type& type, const Json& value) {
  return DefaultCheck().fits(type, value, 0);
}

Status check_depth(const Type& root) {
  std::unordered_set<const Type*> seen;
  const std::function<bool(const Type&, int)> shallow = [&](const Type& type, int depth) {
    if (depth > kMaxTypeDepth) return false;
    if (type.defined && !seen.insert(&type).second) return true;
    if (type.element) return shallow(*type.element, depth + 1);
    const auto next = [&](const Type* branch) { return shallow(*branch, depth + 1); };
    if (!type.branches.empty()) return std::ranges::all_of(type.branches, next);
    return !type.defined || std::ranges::all_of(type.defined->fields, next, &Field::type);
  };
  if (shallow(root, 0)) return {};
  return error(Code::kInvalidArgument, "more than " + std::to_string(kMaxTypeDepth) +
                                           " types lie in one another by way of names");
}

}  // namespace tailrace::schema::avro
