// Spark's names of types: https://github.com/delta-io/delta/blob/master/PROTOCOL.md "Schema
// Serialization Format".
#include "lake/schema_json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstdio>

#include "lake/json_text.h"

namespace tailrace::lake {
namespace {

namespace dom = simdjson::dom;

constexpr int kMaxDepth = 64;

Result<std::string> type_to_json(const arrow::DataType& type);

Result<std::string> struct_to_json(const arrow::FieldVector& fields) {
  std::string out = R"({"type":"struct","fields":[)";
  bool first = true;
  for (const Field& field : fields) {
    ASSIGN(const std::string type, type_to_json(*field->type()));
    out += fmt::format(R"({}{{"name":{},"type":{},"nullable":true,"metadata":{{}}}})",
                       first ? "" : ",", json_string(field->name()), type);
    first = false;
  }
  return out + "]}";
}

Result<std::string> type_to_json(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return "\"boolean\"";
    case arrow::Type::INT8:
      return "\"byte\"";
    case arrow::Type::INT16:
      return "\"short\"";
    case arrow::Type::INT32:
      return "\"integer\"";
    case arrow::Type::INT64:
      return "\"long\"";
    case arrow::Type::FLOAT:
      return "\"float\"";
    case arrow::Type::DOUBLE:
      return "\"double\"";
    case arrow::Type::STRING:
      return "\"string\"";
    case arrow::Type::BINARY:
      return "\"binary\"";
    case arrow::Type::DATE32:
      return "\"date\"";
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return fmt::format("\"decimal({},{})\"", decimal.precision(), decimal.scale());
    }
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty() ? "\"timestamp_ntz\""
                                                                               : "\"timestamp\"";
    case arrow::Type::LIST: {
      ASSIGN(const std::string element,
             type_to_json(*static_cast<const arrow::ListType&>(type).value_type()));
      return fmt::format(R"({{"type":"array","elementType":{},"containsNull":true}})", element);
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      ASSIGN(const std::string key, type_to_json(*map.key_type()));
      ASSIGN(const std::string value, type_to_json(*map.item_type()));
      return fmt::format(R"({{"type":"map","keyType":{},"valueType":{},"valueContainsNull":true}})",
                         key, value);
    }
    case arrow::Type::STRUCT:
      return struct_to_json(type.fields());
    default:
      return error(Code::kUnimplemented,
                   fmt::format("a Delta table has no column type {}", spark_name(type)));
  }
}

Result<Type> named_type(std::string_view name) {
  if (name == "boolean") return arrow::boolean();
  if (name == "byte") return arrow::int8();
  if (name == "short") return arrow::int16();
  if (name == "integer") return arrow::int32();
  if (name == "long") return arrow::int64();
  if (name == "float") return arrow::float32();
  if (name == "double") return arrow::float64();
  if (name == "string") return arrow::utf8();
  if (name == "binary") return arrow::binary();
  if (name == "date") return arrow::date32();
  if (name == "timestamp") return timestamp_type();
  if (name == "timestamp_ntz") return arrow::timestamp(arrow::TimeUnit::MICRO);
  int precision = 0;
  int scale = 0;
  if (std::sscanf(std::string(name).c_str(), "decimal(%d,%d)", &precision, &scale) == 2 &&
      precision >= 1 && precision <= 38) {
    return arrow::decimal128(precision, scale);
  }
  return error(Code::kUnimplemented, fmt::format("column type {} is not supported", name));
}

Result<Type> type_from_json(const dom::element& from, int depth);

Result<arrow::FieldVector> fields_from_json(const dom::element& from, int depth) {
  arrow::FieldVector fields;
  dom::array array;
  if (from["fields"].get(array) != simdjson::SUCCESS) {
    return error(Code::kDataLoss, "schemaString: a struct without fields");
  }
  for (const dom::element item : array) {
    std::string_view name;
    dom::element type;
    if (item["name"].get(name) != simdjson::SUCCESS ||
        item["type"].get(type) != simdjson::SUCCESS) {
      return error(Code::kDataLoss, "schemaString: a field without name or type");
    }
    ASSIGN(const Type parsed, type_from_json(type, depth + 1));
    fields.push_back(arrow::field(std::string(name), parsed));
  }
  return fields;
}

Result<Type> type_from_json(const dom::element& from, int depth) {
  if (depth > kMaxDepth) return error(Code::kDataLoss, "schemaString: nested too deep");
  std::string_view name;
  if (from.get(name) == simdjson::SUCCESS) return named_type(name);
  if (from["type"].get(name) != simdjson::SUCCESS)
    return error(Code::kDataLoss, "schemaString: a type without name");
  if (name == "struct") {
    ASSIGN(arrow::FieldVector fields, fields_from_json(from, depth));
    return arrow::struct_(std::move(fields));
  }
  dom::element first;
  if (name == "array" && from["elementType"].get(first) == simdjson::SUCCESS) {
    ASSIGN(const Type element, type_from_json(first, depth + 1));
    return arrow::list(arrow::field("element", element));
  }
  dom::element second;
  if (name == "map" && from["keyType"].get(first) == simdjson::SUCCESS &&
      from["valueType"].get(second) == simdjson::SUCCESS) {
    ASSIGN(const Type key, type_from_json(first, depth + 1));
    ASSIGN(const Type value, type_from_json(second, depth + 1));
    return arrow::map(key, value);
  }
  return error(Code::kDataLoss, fmt::format("schemaString: type {} is not known", name));
}

bool has_ntz(const arrow::DataType& type) {
  if (type.id() == arrow::Type::TIMESTAMP)
    return static_cast<const arrow::TimestampType&>(type).timezone().empty();
  for (const Field& field : type.fields()) {
    if (has_ntz(*field->type())) return true;
  }
  return false;
}

}  // namespace

Result<std::string> schema_to_json(const arrow::Schema& schema) {
  return struct_to_json(schema.fields());
}

Result<Schema> schema_from_json(std::string_view text) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
    return error(Code::kDataLoss, "schemaString: not JSON");
  }
  ASSIGN(arrow::FieldVector fields, fields_from_json(root, 0));
  return arrow::schema(std::move(fields));
}

bool has_timestamp_ntz(const arrow::Schema& schema) {
  for (const Field& field : schema.fields()) {
    if (has_ntz(*field->type())) return true;
  }
  return false;
}

}  // namespace tailrace::lake
