// SQLite behind a few functions: a database, its statements, a transaction.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace tailrace::sqlite {

/// A prepared statement while it is used: bound from the left, then stepped.
class Statement {
 public:
  Statement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  Statement(Statement&& other) noexcept
      : database_(other.database_),
        statement_(std::exchange(other.statement_, nullptr)),
        bound_(other.bound_) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(std::int64_t value);
  Statement& bind(int value) { return bind(std::int64_t{value}); }
  Statement& bind(double value);
  Statement& bind(bool value) { return bind(std::int64_t{value}); }
  Statement& bind(std::string_view value);  ///< the text must live until the statement has run
  Statement& bind(const std::optional<std::int64_t>& value);
  Statement& bind(const std::optional<std::string>& value);
  Statement& bind_null();

  /// True: there is a row. kUnavailable when the disk is full or the file is locked.
  Result<bool> step();
  /// To its end.
  Status run();

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::optional<std::int64_t> integer_or_none(int column) const;
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  std::string text(int column) const;
  /// Until the next step.
  std::optional<std::string_view> view(int column) const;
  std::optional<std::string> text_or_none(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

/// A path for what is gone with its Database.
inline constexpr std::string_view kInMemory = ":memory:";

class Database {
 public:
  /// In write-ahead mode, with each commit synced.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Statements without parameters, several at once.
  Status execute(const std::string& sql);
  /// Prepared once for each text. The text is the program's: a fault in it ends the program.
  Statement prepare(const char* sql);
  /// A text that is put together while it runs; prepared once, too. kInvalidArgument says what is
  /// wrong with it.
  Result<Statement> prepare_text(const std::string& sql);
  /// Rows that the last INSERT, UPDATE or DELETE touched.
  std::int64_t changes() const { return sqlite3_changes64(database_); }

 private:
  explicit Database(sqlite3* database) : database_(database) {}
  sqlite3* database_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::unordered_map<std::string, sqlite3_stmt*> texts_;
};

/// Rolled back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;
};

}  // namespace tailrace::sqlite
