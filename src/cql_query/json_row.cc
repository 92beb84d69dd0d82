#include "cql_query/json_row.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_types/json.h"

namespace tailrace::cql_query {
namespace {

using cql_terms::Value;
using cql_types::invalid;
using cql_types::Json;

using Members = std::vector<std::pair<std::string, const Json*>>;

void put(Members& members, std::string name, const Json* value) {
  const auto at = std::ranges::find(members, name, &Members::value_type::first);
  if (at == members.end())
    members.emplace_back(std::move(name), value);
  else
    at->second = value;
}

// By column name: what is not in quotes is in small letters, and comes after what was so already.
Members members_of(const Json& object) {
  Members members;
  for (const auto& [name, value] : object.members) put(members, name, &value);
  for (const auto& [name, value] : Members(members)) {
    std::string column = cql_types::json_name(name);
    if (column == name) continue;
    std::erase_if(members, [&](const auto& member) { return member.first == name; });
    put(members, std::move(column), value);
  }
  return members;
}

Outcome<Json> parse_object(std::string_view text) {
  auto json = cql_types::parse_json(text);
  const auto refused = [&](std::string_view why) {
    return invalid(
        fmt::format("Could not decode JSON string as a map: {}. (String was: {})", why, text));
  };
  if (!json) return refused(json.error().what);
  if (json->kind == Json::Kind::kNull) return invalid("Got null for INSERT JSON values");
  if (json->kind != Json::Kind::kObject) return refused("it is no JSON object");
  return std::move(*json);
}

}  // namespace

Outcome<std::shared_ptr<const JsonRow>> json_row(const cql_schema::Table& table,
                                                 std::string_view text, bool default_unset,
                                                 std::int64_t now_us) {
  ASSIGN(const Json json, parse_object(text));
  Members members = members_of(json);
  auto row = std::make_shared<JsonRow>();
  for (const auto& column : table.columns) {
    const auto at = std::ranges::find(members, column.name, &Members::value_type::first);
    if (at == members.end()) {
      row->values.push_back(default_unset ? Value::unset() : Value{});
      continue;
    }
    auto value = cql_types::from_json(*column.type, *at->second, now_us / 1'000);
    if (!value) {
      return invalid(
          fmt::format("Error decoding JSON value for {}: {}", column.name, value.error().what));
    }
    members.erase(at);
    row->values.push_back(*value ? Value::of(row->bytes.emplace_back(std::move(**value)))
                                 : Value{});
  }
  if (!members.empty()) {
    return invalid("JSON values map contains unrecognized column: " + members.front().first);
  }
  return row;
}

}  // namespace tailrace::cql_query
