// DDL, DESCRIBE and reads of system_schema are answered as Cassandra 5.0.9 answered them: the
// statements of testdata/cassandra_5_0_9.tsv one after the other, and those of the file that
// TAILRACE_CQL_SCHEMA names (tests/real/test_cql_schema.py writes it).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>

#include "cql_schema/change.h"
#include "cql_schema/describe.h"
#include "cql_schema/system_tables.h"
#include "cql_types/text.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::Statement;

std::string unescaped(std::string_view text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      c = text[++i];
      c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    made += c;
  }
  return made;
}

std::string failure_text(const cql_types::Failure& failure) {
  char code[8];
  std::snprintf(code, sizeof code, "%04X", static_cast<unsigned>(failure.code));
  std::string text = code;
  if (failure.code == cql_types::ErrorCode::kAlreadyExists)
    text += " [" + failure.keyspace + "." + failure.name + "]";
  text += " " + failure.message;
  for (const auto& warning : failure.warnings) text += "\nwarning " + warning;
  return text;
}

std::string event_text(const Event& event) {
  constexpr const char* kChanges[] = {"CREATED", "UPDATED", "DROPPED"};
  constexpr const char* kTargets[] = {"KEYSPACE", "TABLE", "TYPE", "FUNCTION", "AGGREGATE"};
  auto text = std::string(kChanges[static_cast<int>(event.change)]) + " " +
              kTargets[static_cast<int>(event.target)] + " " + event.keyspace;
  if (event.target != Event::Target::kKeyspace) text += " " + event.name;
  return text;
}

std::string literal(const cql_types::Type& type, const std::optional<std::string>& value) {
  if (!value) return "null";
  const auto text = cql_types::to_literal(type, *value);
  return text ? *text : "?" + text.error().what;
}

// Rows in the order of their texts, for those of tables have none.
std::string sorted_rows(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at <= text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::sort(lines.begin() + 1, lines.end());
  std::string made;
  for (const auto& line : lines) made += (made.empty() ? "" : "\n") + line;
  return made;
}

// Which of several indexes or tables hinders is told there in
// an order that no two runs, or no two histories, have in common.
std::string comparable(const std::string& statement, std::string text) {
  if (statement.starts_with("SELECT")) return sorted_rows(text);
  for (const auto* before : {"dependent secondary indexes (", "still used by tables ",
                             "partition key by the following tables: "})
    if (const auto at = text.find(before); at != std::string::npos)
      std::sort(text.begin() + static_cast<std::ptrdiff_t>(at), text.end());
  return text;
}

/// A server that has a schema and nothing else.
class Player {
 public:
  std::string answer(const std::string& text) {
    const auto statement = cql_syntax::parse(text);
    if (!statement) return "2000 " + statement.error().what;
    if (const auto* use = std::get_if<cql_syntax::Use>(&statement->body)) {
      if (!schema->keyspace(use->keyspace))
        return "2200 Keyspace '" + use->keyspace + "' does not exist";
      used = use->keyspace;
      return "use " + used;
    }
    if (const auto* describe = std::get_if<cql_syntax::Describe>(&statement->body))
      return described(*describe);
    if (const auto* select = std::get_if<cql_syntax::Select>(&statement->body))
      return selected(*select);
    return changed(*statement);
  }

  SchemaPtr schema = initial_schema();
  std::string used;

 private:
  std::string changed(const Statement& statement) {
    Circumstances now;
    now.keyspace = used;
    now.dynamic_data_masking = true;
    now.now_us = 1'700'000'000'000'000;
    now.new_id = [this] { return "new-table-" + std::to_string(100000 + ids_++); };
    auto change = apply(schema, statement, now);
    if (!change) return failure_text(change.error());
    EXPECT_EQ(change->schema->version == schema->version, !change->event.has_value());
    for (const auto& record : change->records) {
      if (record.bytes)
        kept_[record.name] = *record.bytes;
      else
        kept_.erase(record.name);
    }
    expect_kept(*change->schema, cql_syntax::print(statement));
    schema = change->schema;
    std::string text = change->event ? event_text(*change->event) : "void";
    for (const auto& warning : change->warnings) text += "\nwarning " + warning;
    return text;
  }

  // What was kept of all changes is the schema.
  void expect_kept(const Schema& after, const std::string& statement) {
    std::vector<Record> records;
    for (const auto& [name, bytes] : kept_) records.push_back({name, bytes});
    const auto loaded = load(records);
    ASSERT_TRUE(loaded.has_value()) << statement << loaded.error().what;
    ASSERT_EQ((*loaded)->version, after.version) << statement;
    ASSERT_EQ((*loaded)->next_table, after.next_table);
  }

  std::string described(const cql_syntax::Describe& statement) {
    const auto made = describe(statement, *schema, node_, used);
    if (!made) return failure_text(made.error());
    std::string text = "rows";
    for (const auto& column : made->columns) text += " " + column;
    for (const auto& row : made->rows) {
      text += '\n';
      for (std::size_t i = 0; i < row.size(); ++i)
        text += (i == 0 ? "" : "\t") + literal(*made->types[i], row[i]);
    }
    return text;
  }

  // SELECT columns FROM table WHERE column = 'text'…; ids are not the same twice.
  std::string selected(const cql_syntax::Select& select) {
    const auto table = schema->table(*select.from.keyspace, select.from.name);
    if (!table) return "2200 table " + select.from.name + " does not exist";
    std::vector<int> columns;
    for (const auto& one : select.selectors) columns.push_back(table->find(one.expression.text));
    std::string text = "rows";
    for (const int at : columns) text += " " + table->columns[static_cast<std::size_t>(at)].name;
    for (const auto& row : system_rows(*table, *schema, node_)) {
      const bool fits =
          std::all_of(select.where.begin(), select.where.end(), [&](const auto& relation) {
            const auto& value = row[static_cast<std::size_t>(table->find(relation.columns[0]))];
            return value == relation.values[0].text;
          });
      if (!fits) continue;
      text += '\n';
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto at = static_cast<std::size_t>(columns[i]);
        text += (i == 0 ? "" : "\t") + literal(*table->columns[at].type, row[at]);
      }
    }
    return text;
  }

  Node node_;
  std::map<std::string, std::string> kept_;
  int ids_ = 0;
};

void play(const std::string& path, int& played, std::vector<std::string>& wrong) {
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  Player player;
  std::string line;
  while (std::getline(in, line)) {
    const auto tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos) << line;
    const auto statement = unescaped(line.substr(0, tab));
    auto expected = unescaped(line.substr(tab + 1));
    expected = comparable(statement, std::move(expected));
    const auto answer = comparable(statement, player.answer(statement));
    ++played;
    if (answer != expected)
      wrong.push_back(statement + "\n  Cassandra: " + expected + "\n  Tailrace:  " + answer);
  }
}

void expect_same_answers(const std::string& path, int at_least) {
  int played = 0;
  std::vector<std::string> wrong;
  play(path, played, wrong);
  EXPECT_GE(played, at_least);
  for (std::size_t i = 0; i < wrong.size() && i < 400; ++i) ADD_FAILURE() << wrong[i];
  EXPECT_EQ(wrong.size(), 0U) << "of " << played;
}

TEST(Replay, recorded_statements_are_answered_as_cassandra_answered_them) {
  expect_same_answers("src/cql_schema/testdata/cassandra_5_0_9.tsv", 500);
}

TEST(Replay, fresh_statements_are_answered_as_cassandra_answered_them) {
  const char* path = std::getenv("TAILRACE_CQL_SCHEMA");
  if (!path) GTEST_SKIP() << "TAILRACE_CQL_SCHEMA names no file of statements and answers";
  expect_same_answers(path, 1);
}

}  // namespace
}  // namespace tailrace::cql_schema
