#include "cql_types/compare.h"

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"
#include "cql_types/floating_bits.h"
#include "cql_types/number.h"
#include "cql_types/parts.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_types {
namespace {

using Order = std::weak_ordering;
constexpr auto kSame = Order::equivalent;

template <typename T>
Order compare_as(std::string_view a, std::string_view b) {
  if (a.size() < sizeof(T) || b.size() < sizeof(T)) return a.size() <=> b.size();
  return load_be<T>(a.data()) <=> load_be<T>(b.data());
}

template <typename Bits>
Order compare_floating(std::string_view a, std::string_view b) {
  if (a.size() < sizeof(Bits) || b.size() < sizeof(Bits)) return a.size() <=> b.size();
  return ordered_bits(load_be<Bits>(a.data())) <=> ordered_bits(load_be<Bits>(b.data()));
}

// Two's complement without the bytes that only repeat the sign.
std::string_view shortest(std::string_view bytes) {
  while (bytes.size() > 1 && (bytes[0] == 0 || bytes[0] == '\xFF') &&
         (bytes[0] < 0) == (bytes[1] < 0))
    bytes.remove_prefix(1);
  return bytes;
}

Order compare_varint(std::string_view a, std::string_view b) {
  a = shortest(a);
  b = shortest(b);
  const bool negative = a[0] < 0;
  if (negative != (b[0] < 0)) return negative ? Order::less : Order::greater;
  if (a.size() != b.size()) return negative ? b.size() <=> a.size() : a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

// Digits as fractions: a shorter one is followed by zeros.
Order compare_digits(std::string_view a, std::string_view b) {
  const auto common = std::min(a.size(), b.size());
  if (const auto order = a.substr(0, common).compare(b.substr(0, common)); order != 0)
    return order <=> 0;
  const auto rest = a.size() > b.size() ? a.substr(common) : b.substr(common);
  if (rest.find_first_not_of('0') == std::string_view::npos) return kSame;
  return a.size() <=> b.size();
}

Order compare_decimal(std::string_view a, std::string_view b) {
  if (a.size() < 4 || b.size() < 4) return a.size() <=> b.size();
  const bool both_digits = a.size() > 4 && b.size() > 4;
  if (both_digits && a.substr(0, 4) == b.substr(0, 4))
    return compare_varint(a.substr(4), b.substr(4));
  const auto x = decimal_digits(a), y = decimal_digits(b);
  // Beyond the digits that are compared, the longer is the larger.
  if (!x || !y)
    return both_digits ? compare_varint(a.substr(4), b.substr(4)) : a.size() <=> b.size();
  const int x_sign = x->is_zero() ? 0 : x->negative ? -1 : 1;
  const int y_sign = y->is_zero() ? 0 : y->negative ? -1 : 1;
  if (x_sign != y_sign || x_sign == 0) return x_sign <=> y_sign;
  const Order order = x->exponent() != y->exponent() ? Order(x->exponent() <=> y->exponent())
                                                     : compare_digits(x->digits, y->digits);
  return x_sign > 0 ? order : 0 <=> order;
}

Order compare_collection(const Type& type, std::string_view a, std::string_view b) {
  const bool is_map = type.kind == Kind::kMap;
  CollectionReader x(a, is_map ? 2 : 1), y(b, is_map ? 2 : 1);
  Part p, q;
  for (bool is_key = true; x.next(p) && y.next(q); is_key = !is_key) {
    if (!p || !q) {
      if (p.has_value() != q.has_value()) return p.has_value() <=> q.has_value();
      continue;
    }
    const auto order = compare(is_map && !is_key ? type.value() : type.element(), *p, *q);
    if (order != kSame) return order;
  }
  return x.size() <=> y.size();
}

bool only_nulls(TupleReader& reader) {
  Part part;
  while (reader.next(part))
    if (part) return false;
  return true;
}

Order compare_tuple(const Type& type, std::string_view a, std::string_view b) {
  TupleReader x(a), y(b);
  for (const auto& field : type.parameters) {
    if (x.rest().empty() || y.rest().empty()) break;
    Part p, q;
    if (!x.next(p) || !y.next(q)) return kSame;
    if (!p || !q) {
      if (p.has_value() != q.has_value()) return p.has_value() <=> q.has_value();
      continue;
    }
    if (const auto order = compare(*field, *p, *q); order != kSame) return order;
  }
  const bool x_over = only_nulls(x), y_over = only_nulls(y);
  return y_over <=> x_over;
}

Order compare_vector(const Type& type, std::string_view a, std::string_view b) {
  VectorReader x(type, a), y(type, b);
  std::string_view p, q;
  while (x.next(p) && y.next(q))
    if (const auto order = compare(type.element(), p, q); order != kSame) return order;
  return kSame;
}

}  // namespace

Order compare(const Type& type, std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return b.empty() <=> a.empty();
  switch (type.kind) {
    case Kind::kBoolean:
      return (a[0] != 0) <=> (b[0] != 0);
    case Kind::kTinyint:
      return compare_as<std::int8_t>(a, b);
    case Kind::kSmallint:
      return compare_as<std::int16_t>(a, b);
    case Kind::kInt:
      return compare_as<std::int32_t>(a, b);
    case Kind::kBigint:
    case Kind::kCounter:
    case Kind::kTimestamp:
      return compare_as<std::int64_t>(a, b);
    case Kind::kFloat:
      return compare_floating<std::uint32_t>(a, b);
    case Kind::kDouble:
      return compare_floating<std::uint64_t>(a, b);
    case Kind::kVarint:
      return compare_varint(a, b);
    case Kind::kDecimal:
      return compare_decimal(a, b);
    case Kind::kUuid:
    case Kind::kTimeuuid: {
      if (a.size() != 16 || b.size() != 16) return a.size() <=> b.size();
      const bool by_time = type.kind == Kind::kTimeuuid;
      return (by_time ? timeuuid_order(a) : uuid_order(a)) <=>
             (by_time ? timeuuid_order(b) : uuid_order(b));
    }
    case Kind::kList:
    case Kind::kSet:
    case Kind::kMap:
      return compare_collection(type, a, b);
    case Kind::kTuple:
    case Kind::kUserType:
      return compare_tuple(type, a, b);
    case Kind::kVector:
      return compare_vector(type, a, b);
    case Kind::kAscii:
    case Kind::kBlob:
    case Kind::kDate:
    case Kind::kDuration:
    case Kind::kInet:
    case Kind::kText:
    case Kind::kTime:
    case Kind::kCustom:
      break;
  }
  return a.compare(b) <=> 0;
}

}  // namespace tailrace::cql_types
