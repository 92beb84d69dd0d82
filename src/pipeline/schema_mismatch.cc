#include "pipeline/schema_mismatch.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tailrace::pipeline {
namespace {

using Json = nlohmann::json;
using engine::Expr;
using engine::ExprPtr;
using engine::Plan;

void find_schemas(const ExprPtr& expr, std::vector<Type>& schemas) {
  if (!expr) return;
  if (expr->kind == Expr::Kind::kCall && expr->name == "from_json") schemas.push_back(expr->type);
  for (const ExprPtr& arg : expr->args) find_schemas(arg, schemas);
}

void find_schemas(const Plan& plan, std::vector<Type>& schemas) {
  for (const ExprPtr& expr : plan.exprs) find_schemas(expr, schemas);
  for (const engine::PlanPtr& input : plan.inputs) find_schemas(*input, schemas);
}

/// Whether from_json makes a value of the type of it. Text is made of anything.
bool fits(const Json& value, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRUCT:
    case arrow::Type::MAP:
      return value.is_object();
    case arrow::Type::LIST:
      return value.is_array();
    case arrow::Type::BOOL:
      return value.is_boolean();
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
      return value.is_number_integer();
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DECIMAL128:
      return value.is_number();
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      return value.is_string() || value.is_number();
    default:
      return true;
  }
}

std::string found_at(const Json& value, const arrow::DataType& type, const std::string& path) {
  if (value.is_null()) return {};
  if (!fits(value, type))
    return fmt::format("schema mismatch at field `{}`: {} expected, the record has {} {}",
                       path.empty() ? "(the whole record)" : path, spark_name(type),
                       value.is_array() || value.is_object() ? "an" : "a", value.type_name());
  if (type.id() == arrow::Type::STRUCT) {
    for (const Field& field : type.fields()) {
      const auto inner = value.find(field->name());
      if (inner == value.end()) continue;
      const std::string below = path.empty() ? field->name() : path + "." + field->name();
      if (auto found = found_at(*inner, *field->type(), below); !found.empty()) return found;
    }
  } else if (type.id() == arrow::Type::LIST) {
    const auto& element = *static_cast<const arrow::ListType&>(type).value_type();
    for (std::size_t i = 0; i < value.size(); ++i)
      if (auto found = found_at(value[i], element, fmt::format("{}[{}]", path, i)); !found.empty())
        return found;
  }
  return {};
}

}  // namespace

std::string schema_mismatch(const engine::FlowPlan& plan, std::string_view record) {
  std::vector<Type> schemas;
  find_schemas(*plan.root, schemas);
  if (schemas.empty()) return {};
  const Json json = Json::parse(record, nullptr, false);
  if (!json.is_object()) return {};
  for (const Type& schema : schemas)
    if (auto found = found_at(json, *schema, ""); !found.empty()) return found;
  return {};
}

}  // namespace tailrace::pipeline
