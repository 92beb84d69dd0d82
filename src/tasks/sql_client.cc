// PostgreSQL, SQLite and the project's tables behind one interface, with Python's values.
#include "tasks/sql_client.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "calendar/zone.h"
#include "jinja/json.h"
#include "net/http_message.h"
#include "postgres/connection.h"
#include "sqlite/client.h"

namespace tailrace::tasks {
namespace {

using jinja::List;
using jinja::Value;

constexpr std::size_t kMostRows = 100'000;

Result<jinja::Dict> extra_of(const std::string& text) {
  ASSIGN(const Value extra, jinja::from_json(text));
  return extra.dict() != nullptr ? *extra.dict() : jinja::Dict();
}

const List* list_of(const Value& value) {
  if (value.list() != nullptr) return value.list();
  return value.tuple() != nullptr ? &value.tuple()->items : nullptr;
}

// --- SQLite
// ---------------------------------------------------------------------------------------

sqlite::Cell sqlite_cell(const Value& value) {
  if (value.is_none()) return {};
  if (const auto number = value.index()) return *number;
  if (const auto* real = value.real()) return *real;
  return value.text();
}

Value sqlite_value(const sqlite::Cell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return Value(*number);
  if (const auto* real = std::get_if<double>(&cell)) return Value(*real);
  if (const auto* text = std::get_if<std::string>(&cell)) return Value(*text);
  if (const auto* blob = std::get_if<sqlite::Blob>(&cell)) return Value(blob->bytes);
  return {};
}

class Sqlite final : public SqlClient {
 public:
  Sqlite(std::unique_ptr<sqlite::Client> client, std::stop_token stop)
      : client_(std::move(client)), stop_(std::move(stop)) {}

  Result<SqlAnswer> run(const std::string& sql, const Value& parameters) override {
    std::vector<std::pair<std::string, sqlite::Cell>> given;
    if (const List* list = list_of(parameters)) {
      for (const auto& one : *list) given.emplace_back("", sqlite_cell(one));
    } else if (parameters.dict() != nullptr) {
      for (const auto& [name, one] : parameters.dict()->items())
        given.emplace_back(name.text(), sqlite_cell(one));
    }
    ASSIGN(const auto answer, client_->run(sql, given, kMostRows, stop_));
    SqlAnswer told{.has_rows = answer.has_rows, .rows = {}};
    for (const auto& row : answer.rows) {
      List cells;
      for (const auto& cell : row) cells.push_back(sqlite_value(cell));
      told.rows.emplace_back(jinja::Tuple{std::move(cells)});
    }
    return told;
  }
  Status autocommit() override { return {}; }  // Airflow's hook has none for SQLite
  Status commit() override { return client_->commit(); }

 private:
  std::unique_ptr<sqlite::Client> client_;
  std::stop_token stop_;
};

// --- PostgreSQL
// -----------------------------------------------------------------------------------

/// pg_type.oid of those that have a Python type of their own.
enum PgType : std::uint32_t {
  kBool = 16,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kOid = 26,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kTimestampTz = 1184,
  kJsonb = 3802,
};

Result<Value> postgres_value(std::string_view text, std::uint32_t type) {
  switch (type) {
    case kBool:
      return Value(text == "t");
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid: {
      std::int64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return Value(number);
    }
    case kFloat4:
    case kFloat8:
      return Value(std::strtod(std::string(text).c_str(), nullptr));
    case kJson:
    case kJsonb:
      return jinja::load_json(text);
    case kTimestampTz:
      if (const auto at = calendar::parse_moment(text))
        return Value(calendar::Moment{.instant = at->instant, .zone = calendar::Zone::utc()});
      return Value(text);
    default:
      return Value(text);
  }
}

class Postgres final : public SqlClient {
 public:
  Postgres(std::unique_ptr<postgres::Connection> connection, TaskLog& log, std::stop_token stop)
      : connection_(std::move(connection)), log_(log), stop_(std::move(stop)) {}

  Result<SqlAnswer> run(const std::string& sql, const Value& parameters) override {
    std::string text = sql;
    if (parameters.truth()) {
      ASSIGN(text, interpolated(sql, parameters, false));
    }
    if (!autocommit_ && !begun_) {
      TRY(say("BEGIN"));
      begun_ = true;
    }
    ASSIGN(const auto rows, connection_->run(text, stop_));
    for (const auto& notice : connection_->notices()) log_.line(notice);
    SqlAnswer told{.has_rows = !rows.columns().empty(), .rows = {}};
    if (static_cast<std::size_t>(rows.size()) > kMostRows)
      return error(Code::kResourceExhausted, fmt::format("over {} rows", kMostRows));
    for (int row = 0; row < rows.size(); ++row) {
      List cells;
      for (std::size_t i = 0; i < rows.columns().size(); ++i) {
        const auto cell = rows.cell(row, static_cast<int>(i));
        Value value;
        if (cell) {
          ASSIGN(value, postgres_value(*cell, rows.columns()[i].type));
        }
        cells.push_back(std::move(value));
      }
      told.rows.emplace_back(jinja::Tuple{std::move(cells)});
    }
    return told;
  }
  Status autocommit() override {
    autocommit_ = true;
    return {};
  }
  Status commit() override {
    if (!begun_) return {};
    begun_ = false;
    return say("COMMIT");
  }

 private:
  Status say(const std::string& sql) {
    const auto done = connection_->run(sql, stop_);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  std::unique_ptr<postgres::Connection> connection_;
  TaskLog& log_;
  std::stop_token stop_;
  bool autocommit_ = false, begun_ = false;
};

/// PostgresHook's own words in a connection's extra; the rest are libpq's.
bool is_hooks(const std::string& name) {
  for (const char* word :
       {"iam", "redshift", "redshift-serverless", "cursor", "cluster-identifier", "workgroup-name",
        "aws_conn_id", "sqlalchemy_scheme", "sqlalchemy_query", "azure_conn_id", "database"})
    if (name == word) return true;
  return false;
}

Result<std::unique_ptr<SqlClient>> open_postgres(Context& context,
                                                 const metadata::Connection& given,
                                                 std::string database) {
  const auto part = [](const std::optional<std::string>& text) {
    return net::percent_encode(text.value_or(""));
  };
  if (database.empty()) database = given.schema.value_or("");
  postgres::Settings settings;
  settings.url = "postgresql://";
  if (given.login && !given.login->empty()) settings.url += part(given.login) + "@";
  settings.url += part(given.host);
  if (given.port) settings.url += ":" + std::to_string(*given.port);
  settings.url += "/" + net::percent_encode(database);
  settings.password = given.password.value_or("");
  if (given.extra && !given.extra->empty()) {
    ASSIGN(const jinja::Dict extra, extra_of(*given.extra));
    char sign = '?';
    for (const auto& [name, value] : extra.items()) {
      if (is_hooks(name.text())) continue;
      settings.url +=
          sign + net::percent_encode(name.text()) + "=" + net::percent_encode(value.text());
      sign = '&';
    }
  }
  ASSIGN(auto connection, postgres::Connection::open(settings, context.stop));
  return std::make_unique<Postgres>(std::move(connection), context.log, context.stop);
}

// --- the project's tables
// -------------------------------------------------------------------------

class Own final : public SqlClient {
 public:
  explicit Own(ProjectAccess& project) : project_(project) {}
  Result<SqlAnswer> run(const std::string& sql, const Value& parameters) override {
    std::string text = sql;
    if (parameters.truth()) {
      ASSIGN(text, interpolated(sql, parameters, true));
    }
    ASSIGN(const List rows, project_.query(text));
    SqlAnswer told{.has_rows = true, .rows = {}};
    for (const auto& row : rows) {
      List cells;
      for (const auto& [name, value] : row.dict()->items()) cells.push_back(value);
      told.rows.emplace_back(jinja::Tuple{std::move(cells)});
    }
    return told;
  }
  Status autocommit() override { return {}; }
  Status commit() override { return {}; }

 private:
  ProjectAccess& project_;
};

// --- texts
// ----------------------------------------------------------------------------------------

std::string literal(const Value& value, bool spark) {
  if (value.is_none()) return "NULL";
  if (const bool* truth = value.boolean()) return *truth ? "true" : "false";
  if (value.number()) return value.text();
  if (const List* list = list_of(value)) {
    std::string out = value.tuple() != nullptr ? "(" : "ARRAY[";
    if (spark && value.list() != nullptr) out = "array(";
    for (std::size_t i = 0; i < list->size(); ++i)
      out += (i > 0 ? ", " : "") + literal((*list)[i], spark);
    return out + (value.list() != nullptr && !spark ? "]" : ")");
  }
  const std::string text = value.text();
  if (!spark) return postgres::quoted_text(text);
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

/// Where a comment, a quoted text or name, or a dollar quote that starts at `at` ends; `at`: none
/// does. `comment` says which.
std::size_t end_of_whole(std::string_view sql, std::size_t at, bool& comment) {
  const auto after = [&](std::size_t found, std::size_t length) {
    return found == sql.npos ? sql.size() : found + length;
  };
  comment = true;
  if (sql.substr(at, 2) == "--") return after(sql.find('\n', at), 0);
  if (sql.substr(at, 2) == "/*") return after(sql.find("*/", at + 2), 2);
  comment = false;
  const char c = sql[at];
  if (c == '\'' || c == '"' || c == '`') return after(sql.find(c, at + 1), 1);
  if (c == '$') {
    const std::size_t end = sql.find('$', at + 1);
    if (end == sql.npos) return at;
    const std::string_view tag = sql.substr(at, end - at + 1);
    for (const char letter : tag.substr(1, tag.size() - 2))
      if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '_') return at;
    return after(sql.find(tag, end + 1), tag.size());
  }
  return at;
}

}  // namespace

std::vector<std::string> split_statements(std::string_view sql) {
  std::vector<std::string> all;
  std::string now;
  const auto end = [&] {
    const auto first = now.find_first_not_of(" \t\r\n"), last = now.find_last_not_of(" \t\r\n");
    if (first != now.npos && now.substr(first, last - first + 1) != ";")
      all.push_back(now.substr(first, last - first + 1));
    now.clear();
  };
  for (std::size_t at = 0; at < sql.size();) {
    bool comment = false;
    if (const std::size_t to = end_of_whole(sql, at, comment); to > at) {
      now += comment ? std::string(" ") : std::string(sql.substr(at, to - at));
      at = to;
      continue;
    }
    now += sql[at];
    if (sql[at++] == ';') end();
  }
  end();
  return all;
}

Result<std::string> interpolated(std::string_view sql, const Value& parameters, bool spark) {
  std::string out;
  std::size_t next = 0;
  const List* list = list_of(parameters);
  for (std::size_t at = 0; at < sql.size(); ++at) {
    if (sql[at] != '%') {
      out += sql[at];
      continue;
    }
    const std::string_view rest = sql.substr(at + 1);
    if (rest.starts_with('%')) {
      out += '%';
      ++at;
    } else if (rest.starts_with('s')) {
      if (list == nullptr || next >= list->size())
        return error(Code::kInvalidArgument, "the query has more placeholders than parameters");
      out += literal((*list)[next++], spark);
      ++at;
    } else if (const auto close = rest.find(")s"); rest.starts_with('(') && close != rest.npos) {
      const std::string name(rest.substr(1, close - 1));
      const Value* value =
          parameters.dict() == nullptr ? nullptr : parameters.dict()->find(std::string_view(name));
      if (value == nullptr)
        return error(Code::kInvalidArgument, fmt::format("query parameter missing: {}", name));
      out += literal(*value, spark);
      at += close + 2;
    } else {
      return error(Code::kInvalidArgument,
                   "only '%s' and '%(name)s' are allowed as placeholders; a percent sign is '%%'");
    }
  }
  if (list != nullptr && next < list->size())
    return error(Code::kInvalidArgument,
                 fmt::format("the query has {} placeholders but {} parameters were passed", next,
                             list->size()));
  return out;
}

Result<std::unique_ptr<SqlClient>> SqlClient::open(Context& context, const std::string& connection,
                                                   const std::string& database) {
  const auto given = context.connection(connection);
  if (!given && connection == "tailrace_default") return std::make_unique<Own>(context.project);
  if (!given) return std::unexpected(given.error());
  const std::string type = given->type.value_or("");
  if (type == "tailrace") return std::make_unique<Own>(context.project);
  if (type == "postgres" || type == "postgresql") return open_postgres(context, *given, database);
  if (type == "sqlite") {
    std::string path = given->host.value_or("");
    if (given->schema && !given->schema->empty()) path += "/" + *given->schema;
    if (!path.starts_with('/') && !path.empty()) path = context.folder + "/" + path;
    std::string file = "file:" + net::percent_encode(path);
    for (std::size_t at; (at = file.find("%2F")) != file.npos;) file.replace(at, 3, "/");
    if (given->extra && !given->extra->empty()) {
      ASSIGN(const jinja::Dict extra, extra_of(*given->extra));
      char sign = '?';
      for (const auto& [name, value] : extra.items()) {
        file += sign + net::percent_encode(name.text()) + "=" + net::percent_encode(value.text());
        sign = '&';
      }
    }
    ASSIGN(auto client, sqlite::Client::open(file));
    return std::make_unique<Sqlite>(std::move(client), context.stop);
  }
  return error(Code::kUnimplemented,
               fmt::format("connection {} has the type `{}`; embedded are postgres, sqlite and "
                           "tailrace",
                           connection, type));
}

}  // namespace tailrace::tasks
