// SQLite's C interface behind sqlite.h.
#include "sqlite/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"

namespace tailrace::sqlite {
namespace {

constexpr int kBusyMs = 10'000;

Error failure(sqlite3* database, int code) {
  const bool no_room = sqlite3_system_errno(database) == ENOSPC && (code & 0xFF) == SQLITE_IOERR;
  const bool full =
      code == SQLITE_FULL || no_room || (code & 0xFF) == SQLITE_BUSY || code == SQLITE_LOCKED;
  if (no_room) return {Code::kUnavailable, "SQLite: database or disk is full"};
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  const Code kind = full                                 ? Code::kUnavailable
                    : damaged                            ? Code::kDataLoss
                    : (code & 0xFF) == SQLITE_CONSTRAINT ? Code::kAlreadyExists
                                                         : Code::kInternal;
  return {kind, fmt::format("SQLite: {}", sqlite3_errmsg(database))};
}

}  // namespace

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(std::int64_t value) {
  CHECK(sqlite3_bind_int64(statement_, ++bound_, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(double value) {
  CHECK(sqlite3_bind_double(statement_, ++bound_, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  CHECK(sqlite3_bind_text64(statement_, ++bound_, value.empty() ? "" : value.data(), value.size(),
                            SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(const std::optional<std::int64_t>& value) {
  return value ? bind(*value) : bind_null();
}

Statement& Statement::bind(const std::optional<std::string>& value) {
  return value ? bind(std::string_view(*value)) : bind_null();
}

Statement& Statement::bind_null() {
  CHECK(sqlite3_bind_null(statement_, ++bound_) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(failure(database_, code));
}

Status Statement::run() {
  while (true) {
    ASSIGN(const bool row, step());
    if (!row) return {};
  }
}

std::optional<std::int64_t> Statement::integer_or_none(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::string_view> Statement::view(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return std::string_view(bytes,
                          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::optional<std::string> Statement::text_or_none(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return text(column);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  // Made by us, so that nobody else may read what connections hold.
  if (path != kInMemory) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
      return error(Code::kFailedPrecondition, fmt::format("{}: {}", path, std::strerror(errno)));
    ::close(file);
  }
  sqlite3* database = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &database,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> made(new Database(database));
  if (code != SQLITE_OK) return std::unexpected(failure(database, code).in(path));
  sqlite3_busy_timeout(database, kBusyMs);
  const auto set = made->execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
      "PRAGMA cache_size=-4000;");
  if (!set) return std::unexpected(set.error().in(path));
  return made;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  for (const auto& [sql, statement] : texts_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Status Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(failure(database_, code));
  return {};
}

Statement Database::prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code =
        sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    CHECK(code == SQLITE_OK);
  }
  return {database_, statement};
}

Result<Statement> Database::prepare_text(const std::string& sql) {
  sqlite3_stmt*& statement = texts_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      texts_.erase(sql);
      Error why = failure(database_, code);
      if (why.code == Code::kInternal) why.code = Code::kInvalidArgument;
      return std::unexpected(std::move(why));
    }
  }
  return Statement(database_, statement);
}

Result<Transaction> Transaction::begin(Database& database) {
  TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(&database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

Status Transaction::commit() {
  TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace tailrace::sqlite
