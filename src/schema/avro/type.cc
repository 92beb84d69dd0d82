#include "schema/avro/type.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tailrace::schema::avro {
namespace {

constexpr std::array<std::string_view, 14> kKinds = {
    "null",   "boolean", "int", "long",  "float", "double", "bytes",
    "string", "array",   "map", "union", "fixed", "enum",   "record"};

constexpr std::array<std::string_view, 14> kLogicals = {"",
                                                        "decimal",
                                                        "big-decimal",
                                                        "uuid",
                                                        "date",
                                                        "time-millis",
                                                        "time-micros",
                                                        "timestamp-millis",
                                                        "timestamp-micros",
                                                        "timestamp-nanos",
                                                        "local-timestamp-millis",
                                                        "local-timestamp-micros",
                                                        "local-timestamp-nanos",
                                                        "duration"};

const Json* property(const Type& type, std::string_view name) {
  const auto found = std::ranges::find(type.properties, name, &JsonMember::name);
  return found == type.properties.end() ? nullptr : &found->value;
}

bool is_fixed_of(const Type& type, std::int32_t size) {
  return type.kind == Kind::kFixed && type.defined->size == size;
}

// How many decimal digits a two's complement number of so many bytes always holds.
std::int64_t digits_of(std::int32_t bytes) {
  return std::llround(std::floor(std::log10(2.0) * (8.0 * bytes - 1)));
}

LogicalType decimal_of(const Type& type) {
  const Json* precision = property(type, "precision");
  const Json* scale = property(type, "scale");
  if (type.kind != Kind::kBytes && type.kind != Kind::kFixed) return {};
  if (!precision || !precision->integer() || (scale && !scale->integer())) return {};
  const std::int64_t digits = *precision->integer();
  const std::int64_t after_point = scale ? *scale->integer() : 0;
  const std::int64_t most = type.kind == Kind::kFixed ? digits_of(type.defined->size)
                                                      : std::numeric_limits<std::int32_t>::max();
  if (digits <= 0 || digits > most || after_point < 0 || after_point > digits) return {};
  return {Logical::kDecimal, static_cast<int>(digits), static_cast<int>(after_point)};
}

bool fits(Logical logical, const Type& type) {
  switch (logical) {
    case Logical::kNone:
    case Logical::kDecimal:
      return false;
    case Logical::kBigDecimal:
      return type.kind == Kind::kBytes;
    case Logical::kUuid:
      return type.kind == Kind::kString || is_fixed_of(type, 16);
    case Logical::kDate:
    case Logical::kTimeMillis:
      return type.kind == Kind::kInt;
    case Logical::kTimeMicros:
    case Logical::kTimestampMillis:
    case Logical::kTimestampMicros:
    case Logical::kTimestampNanos:
    case Logical::kLocalTimestampMillis:
    case Logical::kLocalTimestampMicros:
    case Logical::kLocalTimestampNanos:
      return type.kind == Kind::kLong;
    case Logical::kDuration:
      return is_fixed_of(type, 12);
  }
  return false;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::optional<Kind> primitive_kind(std::string_view name) {
  const auto end = kKinds.begin() + static_cast<int>(Kind::kArray);
  const auto found = std::find(kKinds.begin(), end, name);
  if (found == end) return std::nullopt;
  return static_cast<Kind>(found - kKinds.begin());
}

std::string_view logical_name(Logical logical) {
  return kLogicals[static_cast<std::size_t>(logical)];
}

const Field* find_field(const Definition& record, std::string_view name) {
  const auto found = record.field_places.find(name);
  return found == record.field_places.end() ? nullptr : &record.fields[found->second];
}

LogicalType logical_type_of(const Type& type) {
  const Json* declared = property(type, "logicalType");
  if (!declared || !declared->text()) return {};
  const auto found = std::ranges::find(kLogicals, *declared->text());
  if (found == kLogicals.end()) return {};
  const auto logical = static_cast<Logical>(found - kLogicals.begin());
  if (logical == Logical::kDecimal) return decimal_of(type);
  return fits(logical, type) ? LogicalType{logical} : LogicalType{};
}

}  // namespace tailrace::schema::avro
