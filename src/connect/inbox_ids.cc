// Accepted ids as rows.
#include "connect/inbox_ids.h"

#include "sqlite/database.h"

namespace tailrace::connect {
namespace {

/// What is too old or too much is removed each time so many were added.
constexpr std::int64_t kForgetEvery = 10'000;

}  // namespace

InboxIds::InboxIds(std::unique_ptr<sqlite::Database> database, std::int64_t keep_ms,
                   std::int64_t most)
    : database_(std::move(database)), keep_ms_(keep_ms), most_(most) {}

InboxIds::~InboxIds() = default;

Result<std::unique_ptr<InboxIds>> InboxIds::open(const std::string& path, std::int64_t keep_ms,
                                                 std::int64_t most) {
  ASSIGN(auto database, sqlite::Database::open(path));
  TRY(database->execute(
      "CREATE TABLE IF NOT EXISTS ids (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;"
      "CREATE INDEX IF NOT EXISTS ids_at ON ids (at_ms)"));
  return std::unique_ptr<InboxIds>(new InboxIds(std::move(database), keep_ms, most));
}

Result<bool> InboxIds::knows(const std::string& id, std::int64_t now_ms) {
  auto asked = database_->prepare("SELECT 1 FROM ids WHERE id = ? AND at_ms > ?");
  asked.bind(std::string_view(id)).bind(now_ms - keep_ms_);
  return asked.step();
}

Status InboxIds::add(std::span<const std::string> ids, std::int64_t now_ms) {
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  for (const std::string& id : ids) {
    auto added = database_->prepare("INSERT OR REPLACE INTO ids VALUES (?, ?)");
    added.bind(std::string_view(id)).bind(now_ms);
    TRY(added.run());
  }
  since_forgotten_ += static_cast<std::int64_t>(ids.size());
  if (since_forgotten_ >= kForgetEvery) TRY(forget(now_ms));
  return transaction.commit();
}

Status InboxIds::forget(std::int64_t now_ms) {
  auto old = database_->prepare("DELETE FROM ids WHERE at_ms <= ?");
  old.bind(now_ms - keep_ms_);
  TRY(old.run());
  auto many = database_->prepare(
      "DELETE FROM ids WHERE at_ms <= "
      "(SELECT at_ms FROM ids ORDER BY at_ms DESC LIMIT 1 OFFSET ?)");
  many.bind(most_);
  TRY(many.run());
  since_forgotten_ = 0;
  return {};
}

}  // namespace tailrace::connect
