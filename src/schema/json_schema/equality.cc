#include "schema/json_schema/equality.h"

#include <string_view>

namespace tailrace::schema::json_schema {
namespace {

namespace dom = simdjson::dom;
using Type = dom::element_type;

bool is_number(Type type) {
  return type == Type::INT64 || type == Type::UINT64 || type == Type::DOUBLE;
}

template <typename T>
int compared(T one, T other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

double real_of(const dom::element& number) {
  return number.get_double().value_unsafe();
}

int order(const dom::element& one, const dom::element& other) {
  std::int64_t a = 0, b = 0;
  if (!one.get(a) && !other.get(b)) return compared(a, b);
  std::uint64_t c = 0, d = 0;
  if (!one.get(c) && !other.get(d)) return compared(c, d);
  return compared(real_of(one), real_of(other));
}

std::uint64_t mixed(std::uint64_t seed, std::uint64_t more) {
  const std::uint64_t made = (seed ^ (more + 0x9E3779B97F4A7C15ULL)) * 0xBF58476D1CE4E5B9ULL;
  return made ^ (made >> 29);
}

}  // namespace

int order(const dom::element& number, const Json& other) {
  std::int64_t whole = 0;
  if (const auto* limit = other.integer(); limit && !number.get(whole))
    return compared(whole, *limit);
  std::uint64_t big = 0;
  if (const auto* limit = other.big(); limit && !number.get(big)) return compared(big, *limit);
  return compared(real_of(number), other.number());
}

bool are_equal(const dom::element& value, const Json& other) {
  switch (value.type()) {
    case Type::NULL_VALUE:
      return other.is_null();
    case Type::BOOL:
      return other.boolean() && *other.boolean() == bool(value);
    case Type::STRING:
      return other.text() && *other.text() == std::string_view(value);
    case Type::ARRAY: {
      const dom::array items(value);
      if (!other.array() || other.array()->size() != items.size()) return false;
      std::size_t i = 0;
      for (const dom::element item : items)
        if (!are_equal(item, (*other.array())[i++])) return false;
      return true;
    }
    case Type::OBJECT: {
      const dom::object members(value);
      if (!other.object() || other.object()->size() != members.size()) return false;
      for (const auto& [name, one] : *other.object()) {
        dom::element member;
        if (members.at_key(name).get(member) || !are_equal(member, one)) return false;
      }
      return true;
    }
    default:
      return other.is_number() && order(value, other) == 0;
  }
}

bool are_equal(const dom::element& value, const dom::element& other) {
  const Type type = value.type();
  if (is_number(type)) return is_number(other.type()) && order(value, other) == 0;
  if (type != other.type()) return false;
  switch (type) {
    case Type::BOOL:
      return bool(value) == bool(other);
    case Type::STRING:
      return std::string_view(value) == std::string_view(other);
    case Type::ARRAY: {
      const dom::array items(value), others(other);
      if (items.size() != others.size()) return false;
      auto at = others.begin();
      for (const dom::element item : items) {
        if (!are_equal(item, *at)) return false;
        ++at;
      }
      return true;
    }
    case Type::OBJECT: {
      const dom::object members(value), others(other);
      if (members.size() != others.size()) return false;
      for (const auto& [name, one] : members) {
        dom::element found;
        if (others.at_key(name).get(found) || !are_equal(one, found)) return false;
      }
      return true;
    }
    default:
      return true;
  }
}

std::uint64_t hash_of(const dom::element& value) {
  const Type type = value.type();
  if (is_number(type)) return mixed(1, std::hash<double>()(real_of(value) + 0.0));
  switch (type) {
    case Type::BOOL:
      return mixed(2, std::uint64_t{bool(value)});
    case Type::STRING:
      return mixed(3, std::hash<std::string_view>()(std::string_view(value)));
    case Type::ARRAY: {
      std::uint64_t made = 4;
      for (const dom::element item : dom::array(value)) made = mixed(made, hash_of(item));
      return made;
    }
    case Type::OBJECT: {
      std::uint64_t sum = 5;
      for (const auto& [name, one] : dom::object(value))
        sum += mixed(std::hash<std::string_view>()(name), hash_of(one));
      return mixed(6, sum);
    }
    default:
      return 7;
  }
}

}  // namespace tailrace::schema::json_schema
