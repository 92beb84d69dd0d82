// Names and small questions about types and deltas.
#include "columns/types.h"

#include <arrow/compute/initialize.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace tailrace {

bool Delta::only_inserts() const {
  return std::all_of(weights.begin(), weights.end(), [](Weight weight) { return weight > 0; });
}

void initialise_kernels() {
  static std::once_flag once;
  std::call_once(once, [] { (void)arrow::compute::Initialize(); });
}

Type timestamp_type() {
  static const Type type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return type;
}

namespace {

std::string struct_name(const arrow::DataType& type) {
  std::string fields;
  for (const Field& field : type.fields()) {
    if (!fields.empty()) fields += ", ";
    fields += fmt::format("{}: {}", field->name(), spark_name(*field->type()));
  }
  return fmt::format("STRUCT<{}>", fields);
}

std::string parametric_name(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return fmt::format("DECIMAL({},{})", decimal.precision(), decimal.scale());
    }
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      return timestamp.timezone().empty() ? "TIMESTAMP_NTZ" : "TIMESTAMP";
    }
    case arrow::Type::LIST:
      return fmt::format("ARRAY<{}>", spark_name(*type.field(0)->type()));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      return fmt::format("MAP<{}, {}>", spark_name(*map.key_type()), spark_name(*map.item_type()));
    }
    case arrow::Type::STRUCT:
      return struct_name(type);
    default:
      return type.ToString();  // no type of Spark's: Arrow's own word
  }
}

}  // namespace

std::string spark_name(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return "VOID";
    case arrow::Type::BOOL:
      return "BOOLEAN";
    case arrow::Type::INT8:
      return "TINYINT";
    case arrow::Type::INT16:
      return "SMALLINT";
    case arrow::Type::INT32:
      return "INT";
    case arrow::Type::INT64:
      return "BIGINT";
    case arrow::Type::FLOAT:
      return "FLOAT";
    case arrow::Type::DOUBLE:
      return "DOUBLE";
    case arrow::Type::STRING:
      return "STRING";
    case arrow::Type::BINARY:
      return "BINARY";
    case arrow::Type::DATE32:
      return "DATE";
    case arrow::Type::DURATION:
      return "INTERVAL DAY TO SECOND";
    default:
      return parametric_name(type);
  }
}

}  // namespace tailrace
