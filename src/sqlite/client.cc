// A connection for foreign statements.
#include "sqlite/client.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <string_view>

namespace tailrace::sqlite {
namespace {

constexpr int kBusyMs = 5'000;
constexpr int kSteps = 10'000;  ///< of SQLite's machine between two looks at the stop token

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

bool is_blank(const char* text) {
  return std::string_view(text).find_first_not_of(" \t\r\n;") == std::string_view::npos;
}

Cell cell_of(sqlite3_stmt* statement, int column) {
  const auto bytes = [&](const void* data) {
    return data == nullptr
               ? std::string()
               : std::string(static_cast<const char*>(data),
                             static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT:
      return bytes(sqlite3_column_text(statement, column));
    case SQLITE_BLOB:
      return Blob{bytes(sqlite3_column_blob(statement, column))};
    default:
      return {};
  }
}

class OpenClient final : public Client {
 public:
  explicit OpenClient(sqlite3* database) : database_(database) {}
  ~OpenClient() override { sqlite3_close_v2(database_); }

  Result<Answer> run(const std::string& sql,
                     const std::vector<std::pair<std::string, Cell>>& parameters,
                     std::size_t most_rows, std::stop_token stop) override {
    sqlite3_progress_handler(
        database_, kSteps,
        [](void* token) { return static_cast<std::stop_token*>(token)->stop_requested() ? 1 : 0; },
        &stop);
    auto answer = try_run(sql, parameters, most_rows);
    sqlite3_progress_handler(database_, 0, nullptr, nullptr);
    return answer;
  }

  Status commit() override {
    if (sqlite3_get_autocommit(database_) != 0) return {};
    return execute("COMMIT");
  }

 private:
  Error failure() const {
    const int code = sqlite3_errcode(database_);
    const Code kind = code == SQLITE_INTERRUPT ? Code::kCancelled
                      : code == SQLITE_BUSY    ? Code::kUnavailable
                                               : Code::kInvalidArgument;
    return {kind, sqlite3_errmsg(database_)};
  }

  Status execute(const char* sql) {
    if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      return std::unexpected(failure());
    return {};
  }

  Result<Answer> try_run(const std::string& sql,
                         const std::vector<std::pair<std::string, Cell>>& parameters,
                         std::size_t most_rows) {
    sqlite3_stmt* made = nullptr;
    const char* rest = "";
    if (sqlite3_prepare_v2(database_, sql.c_str(), static_cast<int>(sql.size() + 1), &made,
                           &rest) != SQLITE_OK)
      return std::unexpected(failure());
    const Prepared statement(made);
    if (!is_blank(rest))
      return error(Code::kInvalidArgument, "You can only execute one statement at a time.");
    Answer answer;
    if (made == nullptr) return answer;
    TRY(bind(made, parameters));
    if (changes_rows(sql) && sqlite3_get_autocommit(database_) != 0) TRY(execute("BEGIN"));
    const int columns = sqlite3_column_count(made);
    answer.has_rows = columns > 0;
    for (int i = 0; i < columns; ++i) answer.columns.emplace_back(sqlite3_column_name(made, i));
    int code = 0;
    while ((code = sqlite3_step(made)) == SQLITE_ROW) {
      if (answer.rows.size() == most_rows)
        return error(Code::kResourceExhausted, fmt::format("over {} rows", most_rows));
      auto& row = answer.rows.emplace_back();
      for (int i = 0; i < columns; ++i) row.push_back(cell_of(made, i));
    }
    if (code != SQLITE_DONE) return std::unexpected(failure());
    return answer;
  }

  static bool changes_rows(std::string_view sql) {
    const auto start = sql.find_first_not_of(" \t\r\n");
    if (start == sql.npos) return false;
    const auto is = [&](std::string_view word) {
      const std::string_view there = sql.substr(start, word.size());
      return std::ranges::equal(there, word, [](char a, char b) { return (a & ~0x20) == b; });
    };
    return is("INSERT") || is("UPDATE") || is("DELETE") || is("REPLACE");
  }

  Status bind(sqlite3_stmt* statement, const std::vector<std::pair<std::string, Cell>>& given) {
    const int wanted = sqlite3_bind_parameter_count(statement);
    const bool named = !given.empty() && !given.front().first.empty();
    if (!named && static_cast<std::size_t>(wanted) != given.size())
      return error(
          Code::kInvalidArgument,
          fmt::format("Incorrect number of bindings supplied. The current statement uses {}, "
                      "and there are {} supplied.",
                      wanted, given.size()));
    for (int i = 1; i <= wanted; ++i) {
      const Cell* value = nullptr;
      if (!named) {
        value = &given[static_cast<std::size_t>(i - 1)].second;
      } else {
        const char* name = sqlite3_bind_parameter_name(statement, i);
        const std::string word = name == nullptr ? "" : name + 1;
        const auto at = std::ranges::find(given, word, [](const auto& one) { return one.first; });
        if (at == given.end())
          return error(Code::kInvalidArgument,
                       fmt::format("You did not supply a value for binding parameter :{}.", word));
        value = &at->second;
      }
      bind(statement, i, *value);
    }
    return {};
  }

  static void bind(sqlite3_stmt* statement, int at, const Cell& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(statement, at, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      sqlite3_bind_double(statement, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      sqlite3_bind_blob64(statement, at, blob->bytes.data(), blob->bytes.size(), SQLITE_TRANSIENT);
    } else {
      sqlite3_bind_null(statement, at);
    }
  }

  sqlite3* database_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::open(const std::string& file) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &database,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  auto client = std::make_unique<OpenClient>(database);
  if (code != SQLITE_OK)
    return error(Code::kUnavailable,
                 database == nullptr ? "no memory for SQLite" : sqlite3_errmsg(database));
  sqlite3_busy_timeout(database, kBusyMs);
  return client;
}

}  // namespace tailrace::sqlite
