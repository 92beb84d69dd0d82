#include "staging/sqlite_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "staging/json_text.h"

namespace tailrace::staging {
namespace {

constexpr std::pair<std::string_view, Type> kDeclared[] = {{"TEXT", Type::kText},
                                                           {"BIGINT", Type::kBigint},
                                                           {"DOUBLE", Type::kDouble},
                                                           {"BOOLEAN", Type::kBoolean},
                                                           {"TIMESTAMP", Type::kTimestamp},
                                                           {"DATE", Type::kDate},
                                                           {"NUMERIC_TEXT", Type::kNumeric},
                                                           {"JSON_TEXT", Type::kJson},
                                                           {"UUID", Type::kUuid}};

std::string text_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

/// What keeps a text column from holding what is no JSON, so that messages are JSON whoever wrote.
std::string check_of(const Column& column) {
  const std::string name = quoted_name(column.name);
  if (column.type == Type::kJson)
    return fmt::format(" CHECK ({0} IS NULL OR json_valid({0}))", name);
  if (column.type == Type::kNumeric)
    return fmt::format(
        " CHECK ({0} IS NULL OR (json_valid({0}) AND json_type({0}) IN ('integer', 'real')))",
        name);
  return {};
}

std::string column_text(const Column& column) {
  return fmt::format("{} {}{}", quoted_name(column.name), declared_type(column.type),
                     check_of(column));
}

/// A SQL expression that gives the value as JSON. A double with up to six decimals is short: the
/// division of two whole numbers says so exactly, as SQLite's reading of a text would not. Others
/// have more digits than they need, since those that SQLite prints last are not exact.
std::string json_of(Type type, const std::string& value) {
  switch (type) {
    case Type::kBoolean:
      return fmt::format("CASE {0} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE json_quote({0}) END",
                         value);
    case Type::kDouble:
      return fmt::format(
          "CASE WHEN typeof({0}) <> 'real' THEN json_quote({0}) "
          "WHEN abs({0}) > 1.7976931348623157e308 THEN 'null' "
          "WHEN abs({0}) < 1e9 AND CAST({0} * 1e6 + CASE WHEN {0} < 0 THEN -0.5 ELSE 0.5 END "
          "AS INTEGER) / 1e6 = {0} THEN printf('%!.15g', {0}) "
          "ELSE printf('%!.20g', {0}) END",
          value);
    case Type::kNumeric:
    case Type::kJson:
      return fmt::format("coalesce({}, 'null')", value);
    default:
      return fmt::format("json_quote({})", value);
  }
}

/// The value's text, as a message's key has it.
std::string text_of(Type type, const std::string& value) {
  switch (type) {
    case Type::kBoolean:
    case Type::kDouble:
      return json_of(type, value);
    default:
      return fmt::format("CAST({} AS TEXT)", value);
  }
}

/// '{"a":' || … || '}' of the columns that `take` names.
template <typename Take>
std::string json_object(const Layout& layout, std::string_view row, Take take) {
  std::string sql;
  std::string lead = "{";
  for (const Column& column : layout.columns) {
    if (!take(column)) continue;
    append_quoted(lead, column.name);
    lead += ':';
    sql += fmt::format("{} || {} || ", text_literal(lead),
                       json_of(column.type, fmt::format("{}.{}", row, quoted_name(column.name))));
    lead = ",";
  }
  return sql + text_literal(lead == "{" ? "{}" : "}");
}

std::string row_json(const Layout& layout, std::string_view row) {
  return json_object(layout, row, [](const Column& one) { return one.name.front() != kHidden; });
}

std::string key_text(const Layout& layout, std::string_view row) {
  if (layout.key.size() != 1)
    return json_object(layout, row, [&](const Column& one) { return layout.is_key(one.name); });
  const Column* column = layout.find(layout.key.front());
  return text_of(column->type, fmt::format("{}.{}", row, quoted_name(column->name)));
}

std::string same_key(const Layout& layout) {
  std::string sql;
  for (const std::string& name : layout.key)
    sql += fmt::format("{}OLD.{} IS NEW.{}", sql.empty() ? "" : " AND ", quoted_name(name),
                       quoted_name(name));
  return sql;
}

std::string names_of(const std::vector<Column>& columns) {
  std::string sql;
  for (const Column& column : columns) (sql += sql.empty() ? "" : ", ") += quoted_name(column.name);
  return sql;
}

std::string converted(Type from, Type to, const std::string& value) {
  if (from == to) return value;
  if (to == Type::kJson)
    return fmt::format("CASE WHEN {0} IS NULL THEN NULL ELSE {1} END", value, json_of(from, value));
  if (from == Type::kBoolean || from == Type::kDouble)
    return fmt::format("CASE WHEN {0} IS NULL THEN NULL ELSE {1} END", value, json_of(from, value));
  return fmt::format("CAST({} AS TEXT)", value);
}

}  // namespace

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string outbox_name(std::string_view table) {
  return fmt::format("tailrace_outbox_{}", table);
}

std::string_view declared_type(Type type) {
  for (const auto& [word, one] : kDeclared)
    if (one == type) return word;
  return "TEXT";
}

Type type_of_declared(std::string_view declared) {
  std::string upper(declared);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const auto& [word, type] : kDeclared)
    if (word == upper) return type;
  const auto has = [&](std::string_view part) { return upper.find(part) != std::string::npos; };
  if (has("INT")) return Type::kBigint;
  if (has("REAL") || has("FLOA") || has("DOUB")) return Type::kDouble;
  return Type::kText;
}

std::string create_table(std::string_view name, const Layout& layout, bool own_id) {
  std::string body;
  for (const Column& column : layout.columns) {
    body += body.empty() ? "" : ", ";
    if (own_id && layout.is_key(column.name))
      body += quoted_name(column.name) + " INTEGER PRIMARY KEY AUTOINCREMENT";
    else
      body += column_text(column) + (layout.is_key(column.name) ? " NOT NULL" : "");
  }
  if (!own_id) {
    std::string key;
    for (const std::string& one : layout.key) (key += key.empty() ? "" : ", ") += quoted_name(one);
    body += fmt::format(", PRIMARY KEY ({})", key);
  }
  return fmt::format("CREATE TABLE {} ({})", quoted_name(name), body);
}

std::string add_column(std::string_view table, const Column& column) {
  return fmt::format("ALTER TABLE {} ADD COLUMN {}", quoted_name(table), column_text(column));
}

std::string create_outbox(std::string_view table) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (seq INTEGER PRIMARY KEY AUTOINCREMENT, op TEXT NOT NULL, "
      "key TEXT, before TEXT, after TEXT, time INTEGER NOT NULL);"
      "CREATE TABLE IF NOT EXISTS tailrace_traces (outbox TEXT, last INTEGER, first INTEGER, "
      "trace TEXT, PRIMARY KEY (outbox, last)) WITHOUT ROWID",
      quoted_name(outbox_name(table)));
}

std::string copy_rows(std::string_view from, const Layout& present, std::string_view to,
                      const Layout& wanted) {
  std::string values;
  for (std::size_t i = 0; i < present.columns.size(); ++i)
    (values += values.empty() ? "" : ", ") += converted(
        present.columns[i].type, wanted.columns[i].type, quoted_name(present.columns[i].name));
  return fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}", quoted_name(to),
                     names_of(present.columns), values, quoted_name(from));
}

std::vector<Trigger> triggers(std::string_view table, const Layout& layout, bool before) {
  const auto put = [&](std::string_view op, std::string_view row) {
    const bool deleted = op == "d";
    return fmt::format(
        "INSERT INTO {} (op, key, before, after, time) VALUES ('{}', {}, {}, {}, "
        "CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER));",
        quoted_name(outbox_name(table)), op, key_text(layout, row),
        before && op != "c" ? row_json(layout, "OLD") : "NULL",
        deleted ? "NULL" : row_json(layout, "NEW"));
  };
  std::vector<Trigger> made;
  const auto add = [&](std::string_view what, std::string_view when, const std::string& body) {
    std::string name = fmt::format("tailrace_{}_{}", table, what);
    std::string sql =
        fmt::format("CREATE TRIGGER {} AFTER {} ON {} {}BEGIN {} END", quoted_name(name),
                    what == "rekey" ? "update" : what, quoted_name(table), when, body);
    made.push_back({std::move(name), std::move(sql)});
  };
  add("insert", "", put("c", "NEW"));
  add("delete", "", put("d", "OLD"));
  add("update", fmt::format("WHEN {} ", same_key(layout)), put("u", "NEW"));
  // A row whose key changes goes under one and comes under the other.
  add("rekey", fmt::format("WHEN NOT ({}) ", same_key(layout)),
      put("d", "OLD") + " " + put("c", "NEW"));
  return made;
}

bool is_given(const TableSpec& spec, const Column& column) {
  const bool own_key = column.name == (spec.record_keys ? kKeyColumn : kIdColumn);
  if (spec.key.empty() && own_key) return !spec.record_keys;
  return !spec.columns.empty() &&
         std::ranges::find(spec.columns, column.name, &Column::name) == spec.columns.end();
}

std::string upsert(const TableSpec& spec, const Layout& layout) {
  std::string names, places, sets, changed;
  for (const Column& column : layout.columns) {
    if (is_given(spec, column)) continue;
    const std::string name = quoted_name(column.name);
    (names += names.empty() ? "" : ", ") += name;
    places += places.empty() ? "?" : ", ?";
    if (layout.is_key(column.name)) continue;
    (sets += sets.empty() ? "" : ", ") += fmt::format("{0} = excluded.{0}", name);
    (changed += changed.empty() ? "" : " OR ") += fmt::format("t.{0} IS NOT excluded.{0}", name);
  }
  if (names.empty()) return fmt::format("INSERT INTO {} DEFAULT VALUES", quoted_name(spec.name));
  std::string sql =
      fmt::format("INSERT INTO {} AS t ({}) VALUES ({})", quoted_name(spec.name), names, places);
  const bool own_id = spec.key.empty() && !spec.record_keys;
  if (own_id) return sql;
  if (spec.mode == TableSpec::Mode::kInsert || sets.empty()) return sql + " ON CONFLICT DO NOTHING";
  std::string key;
  for (const std::string& one : layout.key) (key += key.empty() ? "" : ", ") += quoted_name(one);
  return sql + fmt::format(" ON CONFLICT ({}) DO UPDATE SET {} WHERE {}", key, sets, changed);
}

}  // namespace tailrace::staging
