// Fields on their way: what is sent, what the stream's schema reads, what the table has.
#include <algorithm>
#include <cctype>
#include <set>

#include "doctor/rules.h"

namespace tailrace::doctor {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Words and single marks of CQL; comments are left out.
struct Word {
  std::string text;
  std::size_t at = 0;
};
std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (text.compare(i, 2, "--") == 0 || text.compare(i, 2, "//") == 0) {
      i = std::min(text.find('\n', i), text.size());
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '"') {
      const std::size_t from = i;
      if (c == '"')
        i = std::min(text.find('"', i + 1), text.size() - 1) + 1;
      else
        while (i < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[i])) != 0 || text[i] == '_'))
          ++i;
      std::string word = text.substr(from, i - from);
      if (c == '"' && word.size() > 1) word = word.substr(1, word.size() - 2);
      out.push_back({lower(word), from});
    } else {
      out.push_back({std::string(1, c), i++});
    }
  }
  return out;
}

/// The reader of one statement's words.
class Cql {
 public:
  explicit Cql(const std::string& text) : words_(words_of(text)) {}

  bool take(std::string_view word) {
    if (at_ >= words_.size() || words_[at_].text != word) return false;
    ++at_;
    return true;
  }
  bool has_more() const { return at_ < words_.size(); }
  Word next() { return has_more() ? words_[at_++] : Word{}; }
  void skip() { ++at_; }

  /// [KEYSPACE.]NAME
  std::pair<std::string, std::string> name() {
    std::string first = next().text;
    if (!take(".")) return {"", first};
    return {first, next().text};
  }

 private:
  std::vector<Word> words_;
  std::size_t at_ = 0;
};

void read_key(Cql& cql, CqlTable& table) {
  int depth = 0;
  do {
    const Word word = cql.next();
    if (word.text == "(")
      ++depth;
    else if (word.text == ")")
      --depth;
    else if (word.text != ",")
      table.key.push_back(word.text);
  } while (depth > 0 && cql.has_more());
}

void read_columns(Cql& cql, CqlTable& table) {
  int depth = 1;
  bool first = true;
  while (cql.has_more() && depth > 0) {
    const Word word = cql.next();
    if (word.text == "(" || word.text == "<")
      ++depth;
    else if (word.text == ")" || word.text == ">")
      --depth;
    else if (depth == 1 && word.text == ",")
      first = true;
    else if (word.text == "primary" && cql.take("key")) {
      if (first)
        read_key(cql, table);
      else
        table.key.push_back(table.columns.empty() ? "" : table.columns.back());
      first = false;
    } else if (depth == 1 && first) {
      table.columns.push_back(word.text);
      first = false;
    }
  }
}

const CqlTable* find_table(const std::vector<CqlTable>& tables, const std::string& keyspace,
                           const std::string& name) {
  for (const CqlTable& one : tables)
    if (one.name == lower(name) &&
        (keyspace.empty() || one.keyspace.empty() || one.keyspace == lower(keyspace)))
      return &one;
  return nullptr;
}

bool has_column(const CqlTable& table, const std::string& column) {
  return std::ranges::find(table.columns, lower(column)) != table.columns.end();
}

std::string full_name(const CqlTable& table) {
  return (table.keyspace.empty() ? "" : table.keyspace + ".") + table.name;
}

void unknown_column(const CqlTable& table, const std::string& column, const std::string& file,
                    int line, Findings& out) {
  out.push_back({file, line, "unknown-column",
                 "`" + column + "` is written to " + full_name(table) +
                     ", which has no such column: the write fails",
                 "add the column to CREATE TABLE, or leave it out here"});
}

void check_insert(const CqlStatement& statement, const std::vector<CqlTable>& tables,
                  Findings& out) {
  Cql cql(statement.text);
  if (!cql.take("insert") || !cql.take("into")) return;
  const auto [keyspace, name] = cql.name();
  const CqlTable* table = find_table(tables, keyspace, name);
  if (table == nullptr || !cql.take("(")) return;
  while (cql.has_more()) {
    const Word column = cql.next();
    if (column.text == ")") break;
    if (column.text == "," || has_column(*table, column.text)) continue;
    const auto lines =
        std::count(statement.text.begin(),
                   statement.text.begin() + static_cast<std::ptrdiff_t>(column.at), '\n');
    unknown_column(*table, column.text, statement.file, statement.line + static_cast<int>(lines),
                   out);
  }
}

std::string word_of(const Script& script, const std::string& option) {
  const auto found = script.options.find(option);
  return found == script.options.end() ? "" : found->second.text;
}

/// What a stream writes: the last selection that names its columns, else all of its schema.
void check_stream(const Script& script, const std::vector<CqlTable>& tables, Findings& out) {
  const CqlTable* table = find_table(tables, word_of(script, "keyspace"), word_of(script, "table"));
  if (table == nullptr) return;
  std::vector<Site> columns = script.schema;
  for (Site& column : columns) column.text = column.text.substr(0, column.text.find(' '));
  if (!script.selections.empty() && script.selections.back().size() > 1)
    columns = script.selections.back();
  for (const Site& column : columns)
    if (!has_column(*table, column.text))
      unknown_column(*table, column.text, script.path, column.line, out);
}

bool has_topic(const std::string& list, const std::string& topic) {
  return mentions(list, topic);
}

/// The fields of what is sent beside those that the stream's schema reads.
void check_fields(const Script& producer, const Send& send, const Script& reader, Findings& out) {
  std::set<std::string> read, sent;
  for (const Site& field : reader.schema) read.insert(field.text.substr(0, field.text.find(' ')));
  for (const Field& field : send.fields) sent.insert(field.name);
  if (read.empty() || sent.empty()) return;
  for (const Field& field : send.fields)
    if (!read.contains(field.name))
      out.push_back({producer.path, field.line, "dropped-field",
                     "`" + field.name + "` is sent to " + send.topic.text + ", but the schema in " +
                         reader.path + " does not have it: it is dropped in silence",
                     "add a StructField, or do not send it"});
  for (const Site& field : reader.schema)
    if (const std::string name = field.text.substr(0, field.text.find(' ')); !sent.contains(name))
      out.push_back({reader.path, field.line, "never-sent",
                     "`" + name + "` is read from " + send.topic.text + ", but " + producer.path +
                         " does not send it: it is always null",
                     "send it, or leave it out"});
}

}  // namespace

std::vector<CqlTable> tables_of(const Folder& folder) {
  std::vector<CqlTable> tables;
  for (const CqlStatement& statement : folder.cql) {
    Cql cql(statement.text);
    if (!cql.take("create") || !cql.take("table")) continue;
    if (cql.take("if")) {
      cql.skip();
      cql.skip();
    }
    CqlTable table;
    std::tie(table.keyspace, table.name) = cql.name();
    if (!cql.take("(")) continue;
    read_columns(cql, table);
    tables.push_back(table);
  }
  return tables;
}

void check_columns(const Folder& folder, Findings& out) {
  const auto tables = tables_of(folder);
  for (const CqlStatement& statement : folder.cql) check_insert(statement, tables, out);
  bool anything_sent = false;
  for (const Script& script : folder.scripts)
    anything_sent = anything_sent || !script.sends.empty();
  for (const Script& reader : folder.scripts) {
    check_stream(reader, tables, out);
    const auto subscribed = reader.options.find("subscribe");
    if (subscribed == reader.options.end()) continue;
    bool found = false;
    for (const Script& producer : folder.scripts)
      for (const Send& send : producer.sends)
        if (has_topic(subscribed->second.text, send.topic.text)) {
          found = true;
          check_fields(producer, send, reader, out);
        }
    if (!found && anything_sent)
      out.push_back({reader.path, subscribed->second.line, "topic-mismatch",
                     "reads the topic " + subscribed->second.text + ", which nobody here writes",
                     "read the topic that is written"});
  }
}

}  // namespace tailrace::doctor
