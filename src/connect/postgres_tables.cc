#include "connect/postgres_tables.h"

#include <algorithm>
#include <charconv>

namespace tailrace::connect {
namespace {

using postgres::Oid;
using postgres::Shape;
using postgres::ValueType;
using Parameter = std::optional<std::string>;

constexpr int kDeepestType = 8;

// pg_catalog's own and those of extensions' bookkeeping are not a user's tables.
constexpr const char* kTables =
    "SELECT n.nspname, c.relname, c.relkind, c.relreplident IN ('f', 'i') OR (c.relreplident = 'd' "
    "AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)) "
    "FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' "
    "AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2";

constexpr const char* kKey =
    "SELECT a.attname FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND CASE c.relreplident "
    "WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) "
    "WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum";

constexpr const char* kType =
    "SELECT typtype, typbasetype, typtypmod, typelem, typdelim, typcategory "
    "FROM pg_catalog.pg_type WHERE oid = $1::oid";

bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, from = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p;
      ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::uint32_t number(std::optional<std::string_view> text) {
  std::int64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return static_cast<std::uint32_t>(value);
}

}  // namespace

bool matches(const std::vector<std::string>& patterns, const std::string& schema,
             const std::string& table) {
  return std::ranges::any_of(patterns, [&](std::string_view pattern) {
    const auto dot = pattern.find('.');
    if (dot == std::string_view::npos) return schema == "public" && matches(pattern, table);
    return matches(pattern.substr(0, dot), schema) && matches(pattern.substr(dot + 1), table);
  });
}

Result<std::vector<PostgresTableName>> PostgresCatalog::tables(
    const std::vector<std::string>& patterns, std::stop_token stop) {
  ASSIGN(const postgres::Rows rows, connection_.query(kTables, {}, stop));
  std::vector<PostgresTableName> found;
  for (int i = 0; i < rows.size(); ++i) {
    PostgresTableName one{std::string(*rows.cell(i, 0)), std::string(*rows.cell(i, 1)),
                          *rows.cell(i, 2) == "p", *rows.cell(i, 3) == "t"};
    if (connect::matches(patterns, one.schema, one.name)) found.push_back(std::move(one));
  }
  return found;
}

Result<std::vector<std::string>> PostgresCatalog::key_of(const std::string& schema,
                                                         const std::string& table,
                                                         std::stop_token stop) {
  const Parameter given[] = {schema, table};
  ASSIGN(const postgres::Rows rows, connection_.query(kKey, given, stop));
  std::vector<std::string> key;
  for (int i = 0; i < rows.size(); ++i) key.emplace_back(*rows.cell(i, 0));
  return key;
}

Result<ValueType> PostgresCatalog::type_of(Oid oid, std::int32_t modifier, std::stop_token stop,
                                           int depth) {
  if (auto known = postgres::built_in_type(oid, modifier)) return *known;
  const auto found = types_.find({oid, modifier});
  if (found != types_.end()) return found->second;
  const Parameter given[] = {std::to_string(oid.value)};
  ASSIGN(const postgres::Rows rows, connection_.query(kType, given, stop));
  ValueType type;
  if (rows.size() == 1 && depth < kDeepestType) {
    const std::string_view kind = *rows.cell(0, 0);
    const Oid base(number(rows.cell(0, 1))), element(number(rows.cell(0, 3)));
    if (kind == "d") {
      const auto its = static_cast<std::int32_t>(number(rows.cell(0, 2)));
      ASSIGN(type, type_of(base, its < 0 ? modifier : its, stop, depth + 1));
    } else if (*rows.cell(0, 5) == "A" && element.value != 0) {
      ASSIGN(const ValueType of, type_of(element, modifier, stop, depth + 1));
      type = {.shape = Shape::kArray, .element = std::make_shared<ValueType>(of)};
      type.delimiter = rows.cell(0, 4)->front();
    }
  }
  types_[{oid, modifier}] = type;
  return type;
}

Result<PostgresTable> PostgresCatalog::table_of(const postgres::Relation& relation,
                                                const std::vector<std::string>* key,
                                                std::stop_token stop) {
  PostgresTable table{.schema = relation.schema, .name = relation.name};
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto& column = relation.columns[i];
    ASSIGN(const ValueType type, type_of(column.type, column.modifier, stop));
    PostgresColumn made{column.name, type, {}};
    postgres::append_json_string(made.member, column.name);
    made.member += ':';
    table.columns.push_back(std::move(made));
    const bool of_key =
        key ? std::ranges::find(*key, column.name) != key->end() : column.of_identity;
    if (of_key) table.key.push_back(i);
  }
  return table;
}

}  // namespace tailrace::connect
