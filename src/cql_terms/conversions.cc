// Casts, types as blobs and back, JSON, tokens.
#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "base/hex.h"
#include "cql_terms/native.h"
#include "cql_types/cast.h"
#include "cql_types/json.h"
#include "cql_types/token.h"
#include "cql_types/validate.h"

namespace tailrace::cql_terms {

using cql_types::invalid;
using cql_types::Kind;
using cql_types::native_type;

namespace {

Function cast_between(Kind from, Kind to) {
  Function function;
  function.name = cast_function(*native_type(to));
  function.arguments = {native_type(from)};
  function.result = native_type(to);
  function.style = Function::Style::kCast;
  function.scalar = [=](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    if (!values[0]) return std::nullopt;
    ASSIGN(auto made, cql_types::cast(from, *values[0], to));
    return made;
  };
  return function;
}

void add_casts(NativeFunctions& functions, Kind from) {
  for (int i = 0; i < static_cast<int>(Kind::kList); ++i) {
    const auto to = static_cast<Kind>(i);
    if (!can_cast(from, to)) continue;
    std::string older(native_name(to));
    older[0] = static_cast<char>(older[0] - 'a' + 'A');
    functions.add(cast_between(from, to), "castAs" + older);
  }
}

Function to_blob(std::string_view name, Kind kind) {
  Function function;
  function.name = fmt::format("{}_as_blob", name);
  function.arguments = {native_type(kind)};
  function.result = native_type(Kind::kBlob);
  function.scalar = [](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    return values[0] ? Made(*values[0]) : std::nullopt;
  };
  return function;
}

Function from_blob(std::string function_name, std::string_view name, Kind kind) {
  Function function;
  function.name = std::move(function_name);
  function.arguments = {native_type(Kind::kBlob)};
  function.result = native_type(kind);
  function.scalar = [called = function.name, name = std::string(name), type = native_type(kind)](
                        std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    if (!values[0]) return std::nullopt;
    if (!cql_types::validate(*type, *values[0]))
      return invalid(
          fmt::format("In call to function system.{}, value 0x{} is not a valid binary "
                      "representation for type {}",
                      called, encode_hex(*values[0]), name));
    return std::string(*values[0]);
  };
  return function;
}

void add_blobs(NativeFunctions& functions, std::string_view name, Kind kind) {
  functions.add(to_blob(name, kind), fmt::format("{}asblob", name));
  functions.add(from_blob(fmt::format("blob_as_{}", name), name, kind));
  functions.add(from_blob(fmt::format("blobas{}", name), name, kind));
}

Factory to_json_function(const std::string& name) {
  return factory(name, {{Parameter::Kind::kAny}},
                 [name](const std::vector<TypePtr>& types, const TypePtr&) -> Outcome<FunctionPtr> {
                   Function function;
                   function.name = name;
                   function.arguments = types;
                   function.result = native_type(Kind::kText);
                   function.scalar = [type = types[0]](std::span<const Part> values,
                                                       const Bindings&) -> Outcome<Made> {
                     const bool null = !values[0] || (values[0]->empty() && empty_is_null(*type));
                     if (null) return "null";
                     ASSIGN(auto made, cql_types::to_json(*type, values[0]));
                     return made;
                   };
                   return std::make_shared<const Function>(std::move(function));
                 });
}

// Texts of durations are refused as requests, all others as failures of the function.
bool is_duration_refusal(std::string_view what) {
  return what.starts_with("Unable to convert '") || what.starts_with("Invalid duration");
}

Factory from_json_function(const std::string& name) {
  return factory(
      name, {{Parameter::Kind::kFixed, {Kind::kText}}},
      [name](const std::vector<TypePtr>&, const TypePtr& receiver) -> Outcome<FunctionPtr> {
        if (!receiver)
          return invalid(name + "() cannot be used in the selection clause of a SELECT statement");
        Function function;
        function.name = name;
        function.arguments = {native_type(Kind::kText)};
        function.result = receiver;
        const Function told = function;
        function.scalar = [told](std::span<const Part> values,
                                 const Bindings& bindings) -> Outcome<Made> {
          if (!values[0]) return std::nullopt;
          const auto json = cql_types::parse_json(*values[0]);
          if (!json)
            return function_failure(
                told, fmt::format("execution of 'system.{}[text]' failed: Could not decode JSON "
                                  "string '{}': {}",
                                  told.name, *values[0], json.error().what));
          auto made = cql_types::from_json(*told.result, *json, bindings.now_us / 1'000);
          if (!made && is_duration_refusal(made.error().what)) return invalid(made.error().what);
          if (!made)
            return function_failure(
                told, "org.apache.cassandra.serializers.MarshalException: " + made.error().what);
          return std::move(*made);
        };
        return std::make_shared<const Function>(std::move(function));
      });
}

// Of the partition key of the table that the call is about.
Outcome<FunctionPtr> token_of(const ColumnSpec& of, const Scope& scope) {
  if (of.keyspace.empty())
    return invalid("No receiver keyspace has been specified for function system.token");
  if (of.table.empty())
    return invalid("No receiver table has been specified for function system.token");
  const auto table = scope.schema ? scope.schema->table(of.keyspace, of.table) : nullptr;
  if (!table)
    return invalid(fmt::format(
        "The receiver table {}.{} specified by call to function system.token hasn't been found",
        of.keyspace, of.table));
  Function function;
  function.name = "token";
  for (int i = 0; i < table->partition_columns; ++i)
    function.arguments.push_back(table->partition_column(i).type);
  function.result = native_type(Kind::kBigint);
  function.scalar = [](std::span<const Part> values, const Bindings&) -> Outcome<Made> {
    std::vector<std::string_view> key;
    for (const auto& value : values) {
      if (!value) return std::nullopt;
      key.push_back(*value);
    }
    ASSIGN(const auto bytes, cql_types::partition_key(key));
    std::string out;
    append_be(out, cql_types::murmur3_token(bytes));
    return out;
  };
  return std::make_shared<const Function>(std::move(function));
}

}  // namespace

void add_conversions(NativeFunctions& functions) {
  for (int i = 0; i < static_cast<int>(Kind::kList); ++i) {
    const auto kind = static_cast<Kind>(i);
    add_casts(functions, kind);
    if (kind != Kind::kBlob) add_blobs(functions, native_name(kind), kind);
  }
  add_blobs(functions, "varchar", Kind::kText);
  for (const char* name : {"to_json", "tojson"}) functions.add(to_json_function(name));
  for (const char* name : {"from_json", "fromjson"}) functions.add(from_json_function(name));
  functions.add(Factory{"token", [](Factory::Operands, const TypePtr&, const ColumnSpec& of,
                                    const Scope& scope) { return token_of(of, scope); }});
}

}  // namespace tailrace::cql_terms
