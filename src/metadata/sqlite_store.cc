// The tables in an SQLite file.
#include <fmt/format.h>

#include "metadata/store.h"
#include "metadata/tables.h"
#include "sqlite/database.h"

namespace tailrace::metadata {
namespace {

class SqliteWork final : public Statement::Work {
 public:
  explicit SqliteWork(sqlite::Statement statement) : statement_(std::move(statement)) {}

  void bind(std::optional<std::int64_t> value) override { statement_.bind(value); }
  void bind(std::optional<std::string_view> text) override {
    text ? statement_.bind(*text) : statement_.bind_null();
  }
  Result<bool> step() override { return statement_.step(); }
  Status run() override { return statement_.run(); }
  std::optional<std::int64_t> integer(int column) const override {
    return statement_.integer_or_none(column);
  }
  std::optional<std::string> text(int column) const override {
    return statement_.text_or_none(column);
  }

 private:
  sqlite::Statement statement_;
};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}

  Statement prepare(const char* sql) override {
    return Statement(std::make_unique<SqliteWork>(database_->prepare(sql)));
  }
  Status begin() override {
    ASSIGN(auto begun, sqlite::Transaction::begin(*database_));
    transaction_.emplace(std::move(begun));
    return {};
  }
  Status commit() override {
    TRY(transaction_->commit());
    transaction_.reset();
    return {};
  }
  void roll_back() override { transaction_.reset(); }

  Status make_tables() {
    int version = 0;
    {
      sqlite::Statement row = database_->prepare("PRAGMA user_version");
      ASSIGN(const bool there, row.step());
      if (there) version = static_cast<int>(row.integer(0));
    }
    ASSIGN(const std::string more, tables_since(version));
    if (more.empty()) return {};
    ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
    TRY(database_->execute(more));
    TRY(database_->execute(fmt::format("PRAGMA user_version = {}", kTablesVersion)));
    return transaction.commit();
  }

 private:
  std::unique_ptr<sqlite::Database> database_;
  std::optional<sqlite::Transaction> transaction_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::string& path) {
  ASSIGN(auto database, sqlite::Database::open(path));
  auto store = std::make_unique<SqliteStore>(std::move(database));
  if (const auto ready = store->make_tables(); !ready)
    return std::unexpected(ready.error().in(path));
  return store;
}

}  // namespace tailrace::metadata
