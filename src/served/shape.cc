#include "served/shape.h"

#include <fmt/format.h>

namespace tailrace::served {
namespace {

using cql_types::Kind;
using Form = Shape::Form;

struct Native {
  Form form;
  Kind kind;
};

/// Of a type without parts; kNull and kBlob for one that has, or is none of Spark's.
Native native_of(const arrow::DataType& spark) {
  switch (spark.id()) {
    case arrow::Type::NA:
      return {Form::kNull, Kind::kText};
    case arrow::Type::BOOL:
      return {Form::kBoolean, Kind::kBoolean};
    case arrow::Type::INT8:
      return {Form::kInteger, Kind::kTinyint};
    case arrow::Type::INT16:
      return {Form::kInteger, Kind::kSmallint};
    case arrow::Type::INT32:
      return {Form::kInteger, Kind::kInt};
    case arrow::Type::INT64:
      return {Form::kInteger, Kind::kBigint};
    case arrow::Type::FLOAT:
      return {Form::kFloat, Kind::kFloat};
    case arrow::Type::DOUBLE:
      return {Form::kDouble, Kind::kDouble};
    case arrow::Type::DECIMAL128:
      return {Form::kDecimal, Kind::kDecimal};
    case arrow::Type::STRING:
      return {Form::kBytes, Kind::kText};
    case arrow::Type::BINARY:
      return {Form::kBytes, Kind::kBlob};
    case arrow::Type::DATE32:
      return {Form::kDate, Kind::kDate};
    case arrow::Type::TIMESTAMP:
      return {Form::kTimestamp, Kind::kTimestamp};
    case arrow::Type::DURATION:
      return {Form::kInterval, Kind::kText};
    default:
      return {Form::kNull, Kind::kBlob};
  }
}

}  // namespace

std::string own_name(const std::string& wanted, std::set<std::string>& taken) {
  std::string name = wanted;
  for (int i = 2; !taken.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
  return name;
}

std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool stays = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    plain += upper ? static_cast<char>(c - 'A' + 'a') : stays ? c : '_';
  }
  return plain;
}

Result<Shape> shape_of(const Type& spark, const std::string& name, UserTypes& types) {
  Shape shape;
  shape.spark = spark;
  const auto add_part = [&](const Type& type, const std::string& part_name) -> Status {
    ASSIGN(auto part, shape_of(type, part_name, types));
    shape.parts.push_back(std::move(part));
    return {};
  };
  if (spark->id() == arrow::Type::LIST) {
    shape.form = Form::kList;
    TRY(add_part(spark->field(0)->type(), name));
    shape.cql = cql_types::list_of(shape.parts[0].cql, true);
    return shape;
  }
  if (spark->id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(*spark);
    shape.form = Form::kMap;
    TRY(add_part(map.key_type(), name + "_key"));
    TRY(add_part(map.item_type(), name));
    shape.cql = cql_types::map_of(shape.parts[0].cql, shape.parts[1].cql, true);
    return shape;
  }
  if (spark->id() == arrow::Type::STRUCT) {
    shape.form = Form::kStruct;
    std::set<std::string> taken;
    std::vector<std::string> names;
    std::vector<cql_types::TypePtr> fields;
    for (const Field& field : spark->fields()) {
      names.push_back(own_name(plain_name(field->name()), taken));
      TRY(add_part(field->type(), name + "_" + names.back()));
      fields.push_back(shape.parts.back().cql);
    }
    auto made = cql_types::user_type(types.keyspace, own_name(name, types.taken), std::move(names),
                                     std::move(fields), false);
    types.types.push_back(made);
    shape.cql = cql_types::frozen(made);
    return shape;
  }
  const auto [form, kind] = native_of(*spark);
  if (form == Form::kNull && kind == Kind::kBlob)
    return error(Code::kUnimplemented, fmt::format("type {} is not supported", spark_name(*spark)));
  shape.form = form;
  shape.cql = cql_types::native_type(kind);
  return shape;
}

}  // namespace tailrace::served
