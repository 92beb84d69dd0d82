// Where the tables of workflows lie: an SQLite file, or a schema of a PostgreSQL database. One text
// of each statement goes to both.
//
// Statements are in the SQL that both read: parameters are ? or ?1 …, what may be there already is
// ON CONFLICT … DO UPDATE, and a parameter that is compared with NULL has been compared with a
// column before (PostgreSQL takes its type from there). Numbers, times and truths are integers,
// all else is text; texts are in the order of their bytes.
//
// Threads: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metadata/metadata.h"

namespace tailrace::metadata {

/// A statement while it is used: bound from the left, then stepped or run.
class Statement {
 public:
  /// What a store does with it.
  class Work {
   public:
    virtual ~Work() = default;
    virtual void bind(std::optional<std::int64_t> value) = 0;
    virtual void bind(std::optional<std::string_view> text) = 0;
    virtual Result<bool> step() = 0;
    virtual Status run() = 0;
    virtual std::optional<std::int64_t> integer(int column) const = 0;
    virtual std::optional<std::string> text(int column) const = 0;
  };
  explicit Statement(std::unique_ptr<Work> work) : work_(std::move(work)) {}

  Statement& bind(const std::optional<std::int64_t>& value) {
    work_->bind(value);
    return *this;
  }
  Statement& bind(std::int64_t value) { return bind(std::optional(value)); }
  Statement& bind(int value) { return bind(std::int64_t{value}); }
  Statement& bind(bool value) { return bind(std::int64_t{value}); }
  /// The text must live until the statement has run.
  Statement& bind(std::string_view text) {
    work_->bind(std::optional(text));
    return *this;
  }
  Statement& bind(const std::optional<std::string>& text) {
    work_->bind(text ? std::optional<std::string_view>(*text) : std::nullopt);
    return *this;
  }

  /// True: there is a row.
  Result<bool> step() { return work_->step(); }
  /// One that gives no rows, or whose rows do not matter. Within a Transaction it may wait for
  /// commit(), which then says what was wrong.
  Status run() { return work_->run(); }

  /// 0 and empty for NULL.
  std::int64_t integer(int column) const { return work_->integer(column).value_or(0); }
  std::optional<std::int64_t> integer_or_none(int column) const { return work_->integer(column); }
  std::string text(int column) const { return work_->text(column).value_or(""); }
  std::optional<std::string> text_or_none(int column) const { return work_->text(column); }

 private:
  std::unique_ptr<Work> work_;
};

class Store {
 public:
  virtual ~Store() = default;

  /// Prepared once for each text, which stays at its address as long as the store.
  virtual Statement prepare(const char* sql) = 0;
  virtual Status begin() = 0;
  virtual Status commit() = 0;
  virtual void roll_back() = 0;
  /// Calls that wait for the database end, and no later one waits.
  virtual void give_up() {}
  virtual std::string trouble() { return {}; }
};

/// Rolled back unless committed. Reads within it may not see its own changes.
class Transaction {
 public:
  static Result<Transaction> begin(Store& store) {
    TRY(store.begin());
    return Transaction(&store);
  }
  Transaction(Transaction&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (store_ != nullptr) store_->roll_back();
  }
  Status commit() {
    TRY(store_->commit());
    store_ = nullptr;
    return {};
  }

 private:
  explicit Transaction(Store* store) : store_(store) {}
  Store* store_;
};

/// With the tables made, or brought up to date. kFailedPrecondition: they are a newer program's.
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);
/// The one that the scheduler writes by: it waits while the server is away, and whoever opened the
/// same schema before is shut out for good (kFailedPrecondition at his next write).
Result<std::unique_ptr<Store>> open_postgres(const Place& place);
/// Beside it: connects when it is first asked, and is kUnavailable while the server is away.
std::unique_ptr<Store> postgres_beside(const Place& place);

}  // namespace tailrace::metadata
