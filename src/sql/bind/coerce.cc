// Spark's ANSI common type (AnsiTypeCoercion.findTightestCommonType and its widening), without the
// functions' own rules.
#include "sql/bind/coerce.h"

#include <algorithm>

namespace tailrace::sql {
namespace {

int integer_digits(arrow::Type::type id) {
  switch (id) {
    case arrow::Type::INT8:
      return 3;
    case arrow::Type::INT16:
      return 5;
    case arrow::Type::INT32:
      return 10;
    case arrow::Type::INT64:
      return 20;
    default:
      return 0;
  }
}

bool is_float(arrow::Type::type id) {
  return id == arrow::Type::FLOAT || id == arrow::Type::DOUBLE;
}

std::optional<Type> numeric(const Type& a, const Type& b) {
  const auto ai = a->id(), bi = b->id();
  const int ad = integer_digits(ai), bd = integer_digits(bi);
  if (ad && bd) return ad >= bd ? a : b;
  if (is_float(ai) || is_float(bi)) {
    const bool single = ai == arrow::Type::FLOAT && bi == arrow::Type::FLOAT;
    return single ? arrow::float32() : arrow::float64();
  }
  const auto as_decimal = [](const Type& type, int digits) {
    if (digits) return std::pair{digits, 0};
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
    return std::pair{decimal.precision(), decimal.scale()};
  };
  const auto [ap, as] = as_decimal(a, ad);
  const auto [bp, bs] = as_decimal(b, bd);
  const int scale = std::max(as, bs);
  const int precision = std::max(ap - as, bp - bs) + scale;
  return arrow::decimal128(std::min(38, precision), std::min(38, scale));
}

bool is_number(arrow::Type::type id) {
  return integer_digits(id) || is_float(id) || id == arrow::Type::DECIMAL128;
}

std::optional<Type> structs(const Type& a, const Type& b) {
  if (a->num_fields() != b->num_fields()) return std::nullopt;
  arrow::FieldVector fields;
  for (int i = 0; i < a->num_fields(); ++i) {
    if (a->field(i)->name() != b->field(i)->name()) return std::nullopt;
    const auto type = coerced_type(a->field(i)->type(), b->field(i)->type());
    if (!type) return std::nullopt;
    fields.push_back(a->field(i)->WithType(*type)->WithNullable(a->field(i)->nullable() ||
                                                                b->field(i)->nullable()));
  }
  return arrow::struct_(std::move(fields));
}

}  // namespace

std::optional<Type> coerced_type(const Type& a, const Type& b) {
  if (a->Equals(*b)) return a;
  const auto ai = a->id(), bi = b->id();
  if (ai == arrow::Type::NA) return b;
  if (bi == arrow::Type::NA) return a;
  if (is_number(ai) && is_number(bi)) return numeric(a, b);
  if (ai == arrow::Type::STRUCT && bi == arrow::Type::STRUCT) return structs(a, b);
  if (ai == arrow::Type::LIST && bi == arrow::Type::LIST) {
    const auto element = coerced_type(a->field(0)->type(), b->field(0)->type());
    if (!element) return std::nullopt;
    return arrow::list(a->field(0)->WithType(*element)->WithNullable(a->field(0)->nullable() ||
                                                                     b->field(0)->nullable()));
  }
  const auto time = [](arrow::Type::type id) {
    return id == arrow::Type::DATE32 || id == arrow::Type::TIMESTAMP;
  };
  if (time(ai) && time(bi)) return ai == arrow::Type::TIMESTAMP ? a : b;
  const bool a_string = ai == arrow::Type::STRING, b_string = bi == arrow::Type::STRING;
  if (!a_string && !b_string) return std::nullopt;
  const Type& other = a_string ? b : a;
  if (integer_digits(other->id())) return arrow::int64();
  if (is_float(other->id()) || other->id() == arrow::Type::DECIMAL128) return arrow::float64();
  if (time(other->id()) || other->id() == arrow::Type::BOOL || other->id() == arrow::Type::BINARY)
    return other;
  return std::nullopt;
}

}  // namespace tailrace::sql
