// MASKED WITH: which functions mask, and their arguments as they are kept.
#include "cql_schema/draft.h"
#include "cql_schema/refusal.h"
#include "cql_syntax/statement.h"
#include "cql_types/class_name.h"
#include "cql_types/text.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::Expression;
using cql_types::Kind;
using cql_types::Outcome;

std::string signature(const cql_syntax::Mask& mask) {
  const auto& name = *mask.function;
  std::string text = name.keyspace ? *name.keyspace + "." + name.name : name.name;
  text += '(';
  for (std::size_t i = 0; i < mask.arguments.size(); ++i)
    text += (i == 0 ? "" : ", ") + cql_syntax::print(mask.arguments[i]);
  return text + ")";
}

std::optional<cql_types::Literal> literal_of(Expression::Kind kind) {
  switch (kind) {
    case Expression::Kind::kString:
      return cql_types::Literal::kString;
    case Expression::Kind::kInteger:
      return cql_types::Literal::kInteger;
    case Expression::Kind::kFloat:
      return cql_types::Literal::kFloat;
    case Expression::Kind::kUuid:
      return cql_types::Literal::kUuid;
    case Expression::Kind::kBoolean:
      return cql_types::Literal::kBoolean;
    case Expression::Kind::kHex:
      return cql_types::Literal::kHex;
    case Expression::Kind::kDuration:
      return cql_types::Literal::kDuration;
    default:
      return std::nullopt;
  }
}

// The argument as a literal of its type; false in `fits` where it cannot be one.
Outcome<std::string> argument(const Expression& given, const cql_types::Type& type, bool& fits) {
  fits = true;
  if (given.kind == Expression::Kind::kNull) return "null";
  if (!cql_types::is_native(type.kind)) return cql_syntax::print(given);
  const auto literal = literal_of(given.kind);
  fits = literal && cql_types::literal_fits(*literal, type.kind);
  if (!fits) return "";
  ASSIGN(const auto bytes, cql_types::literal_bytes(*literal, given.text, type, 0));
  ASSIGN(auto text, cql_types::to_literal(type, bytes));
  return text;
}

// The type that Cassandra thinks of for a constant alone.
std::string_view constant_type(const Expression& given) {
  switch (given.kind) {
    case Expression::Kind::kString:
      return "ascii";
    case Expression::Kind::kInteger:
      return java_int(given.text) ? "int" : java_long(given.text) ? "bigint" : "varint";
    case Expression::Kind::kFloat:
      return "double";
    case Expression::Kind::kUuid:
      return "uuid";
    case Expression::Kind::kBoolean:
      return "boolean";
    case Expression::Kind::kHex:
      return "blob";
    default:
      return "duration";
  }
}

std::unexpected<cql_types::Failure> unfit(const Expression& given, std::size_t i,
                                          const std::string& function,
                                          const cql_types::Type& type) {
  if (function == "mask_replace")
    return invalid(
        "Type error: {} cannot be passed as argument {} of function system.{} of type {}",
        cql_syntax::print(given), i, function, to_cql(type));
  return invalid(
      "Function system.{} requires an argument of type {}, but found argument {} of type {}",
      function, to_cql(type), cql_syntax::print(given), constant_type(given));
}

}  // namespace

std::unexpected<cql_types::Failure> masks_are_off() {
  return invalid(
      "Cannot mask columns because dynamic data masking is not enabled. You can enable it with the "
      "dynamic_data_masking_enabled property on cassandra.yaml");
}

Outcome<Mask> made_mask(const cql_syntax::Mask& mask, const std::string& column,
                        const cql_types::Type& type) {
  Mask made;
  made.function = mask.function ? mask.function->name : "mask_default";
  const auto count = mask.arguments.size();
  if (made.function == "mask_default" && !mask.function) return made;
  const auto unknown = [&] {
    return invalid(
        "Unable to find masking function for {}, no declared function matches the signature {}",
        column, signature(mask));
  };
  if (mask.function->keyspace && *mask.function->keyspace != "system") return unknown();
  std::vector<cql_types::TypePtr> types;
  const bool partial = made.function == "mask_inner" || made.function == "mask_outer";
  std::size_t least = 0;
  if (partial) {
    types = {cql_types::native_type(Kind::kInt), cql_types::native_type(Kind::kInt),
             cql_types::native_type(Kind::kText)};
    least = 2;
  } else if (made.function == "mask_replace") {
    types = {std::make_shared<cql_types::Type>(type)};
    least = 1;
  } else if (made.function == "mask_hash") {
    types = {cql_types::native_type(Kind::kText)};
  } else if (made.function != "mask_default" && made.function != "mask_null") {
    return unknown();
  }
  const std::string parameters = partial ? "[text|varchar|ascii], int, int, [text]"
                                 : made.function == "mask_replace" ? "any, any"
                                 : made.function == "mask_hash"    ? "any, [text]"
                                                                   : "any";
  if (count < least || count > types.size())
    return invalid("Invalid number of arguments for function system.{}({})", made.function,
                   parameters);
  if (partial && type.kind != Kind::kText && type.kind != Kind::kAscii)
    return invalid(
        "Function system.{} requires an argument of type [text|varchar|ascii], but found argument "
        "{} "
        "of type {}",
        made.function, cql_types::to_class_name(type), to_cql(type));
  for (std::size_t i = 0; i < count; ++i) {
    bool fits = true;
    ASSIGN(auto text, argument(mask.arguments[i], *types[i], fits));
    if (!fits) return unfit(mask.arguments[i], i + 1, made.function, *types[i]);
    made.arguments.push_back(std::move(text));
  }
  if (made.function == "mask_hash" && type.kind != Kind::kBlob)
    return invalid(
        "Masking function {} return type is blob. This is different to the type of the masked "
        "column {} of type {}. Masking functions can only be attached to table columns if they "
        "return the same data type as the masked column.",
        signature(mask), column, to_cql(type));
  return made;
}

}  // namespace tailrace::cql_schema
