// The book of objects in SQLite.
#include "connect/bucket_book.h"

#include <cstdlib>

namespace tailrace::connect {
namespace {

constexpr int kCallAtOnce = 1000;

BookedObject object_of(const sqlite::Statement& row) {
  return {.n = row.integer(0),
          .key = row.text(1),
          .etag = row.text(2),
          .version = row.text(3),
          .size_bytes = row.integer(4)};
}

Result<std::vector<BookedObject>> objects_of(sqlite::Statement& query) {
  std::vector<BookedObject> found;
  while (true) {
    ASSIGN(const bool row, query.step());
    if (!row) return found;
    found.push_back(object_of(query));
  }
}

}  // namespace

Result<std::unique_ptr<ObjectBook>> ObjectBook::open(const std::string& path,
                                                     const std::string& fingerprint,
                                                     std::int64_t now_ms) {
  ASSIGN(auto database, sqlite::Database::open(path));
  std::unique_ptr<ObjectBook> book(new ObjectBook(std::move(database)));
  if (auto done = book->set_up(fingerprint, now_ms); !done)
    return std::unexpected(done.error().in(path));
  return book;
}

Status ObjectBook::set_up(const std::string& fingerprint, std::int64_t now_ms) {
  TRY(database_->execute(
      "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL);"
      "CREATE TABLE IF NOT EXISTS object(n INTEGER PRIMARY KEY, key TEXT NOT NULL,"
      " etag TEXT NOT NULL, version TEXT NOT NULL, size INTEGER NOT NULL,"
      " tries INTEGER NOT NULL DEFAULT 0, retry_ms INTEGER, why TEXT);"
      "CREATE UNIQUE INDEX IF NOT EXISTS object_key ON object(key, etag);"
      "CREATE INDEX IF NOT EXISTS object_retry ON object(retry_ms) WHERE retry_ms IS NOT NULL;"));
  ASSIGN(const std::string had, meta("fingerprint"));
  if (had != fingerprint) {
    ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
    TRY(database_->execute("DELETE FROM object; DELETE FROM meta;"));
    TRY(set_meta("fingerprint", fingerprint));
    TRY(set_meta("since_ms", std::to_string(now_ms)));
    TRY(transaction.commit());
  }
  ASSIGN(const std::string since, meta("since_ms"));
  since_ms_ = std::atoll(since.c_str());
  ASSIGN(const std::string cleaned, meta("cleaned"));
  cleaned_ = std::atoll(cleaned.c_str());
  ASSIGN(listed_to_, meta("listed_to"));
  auto sums = database_->prepare("SELECT coalesce(max(n), 0), count(*) FROM object");
  TRY(sums.step());
  last_ = sums.integer(0);
  count_ = sums.integer(1);
  return {};
}

Result<std::string> ObjectBook::meta(const char* name) {
  auto query = database_->prepare("SELECT value FROM meta WHERE name = ?");
  query.bind(std::string_view(name));
  ASSIGN(const bool there, query.step());
  return there ? query.text(0) : std::string();
}

Status ObjectBook::set_meta(const char* name, const std::string& value) {
  auto put = database_->prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)");
  return put.bind(std::string_view(name)).bind(std::string_view(value)).run();
}

Result<std::int64_t> ObjectBook::enter(const std::vector<BookedObject>& objects, bool once) {
  if (objects.empty()) return 0;
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  std::int64_t added = 0;
  for (const BookedObject& object : objects) {
    if (once) {
      auto known = database_->prepare("SELECT 1 FROM object WHERE key = ? LIMIT 1");
      ASSIGN(const bool there, known.bind(std::string_view(object.key)).step());
      if (there) continue;
    }
    auto put = database_->prepare(
        "INSERT INTO object(n, key, etag, version, size) VALUES(?, ?, ?, ?, ?)"
        " ON CONFLICT(key, etag) DO NOTHING");
    TRY(put.bind(last_ + added + 1)
            .bind(std::string_view(object.key))
            .bind(std::string_view(object.etag))
            .bind(std::string_view(object.version))
            .bind(object.size_bytes)
            .run());
    added += database_->changes();
  }
  TRY(transaction.commit());
  last_ += added;
  count_ += added;
  return added;
}

Result<std::vector<BookedObject>> ObjectBook::from(std::int64_t n, int most) {
  auto query = database_->prepare(
      "SELECT n, key, etag, version, size FROM object WHERE n >= ? ORDER BY n LIMIT ?");
  return objects_of(query.bind(n).bind(most));
}

Result<std::vector<BookedObject>> ObjectBook::read_from(std::int64_t n, std::int64_t below,
                                                        int most) {
  auto query = database_->prepare(
      "SELECT n, key, etag, version, size FROM object WHERE n >= ? AND n < ? AND why IS NULL"
      " ORDER BY n LIMIT ?");
  return objects_of(query.bind(n).bind(below).bind(most));
}

Status ObjectBook::keep(std::int64_t n, const std::string& why) {
  auto put = database_->prepare("UPDATE object SET retry_ms = NULL, why = ? WHERE n = ?");
  return put.bind(std::string_view(why)).bind(n).run();
}

Result<std::string> ObjectBook::greatest_key() {
  auto query = database_->prepare("SELECT max(key) FROM object");
  TRY(query.step());
  return query.text(0);
}

Status ObjectBook::put_off(std::int64_t n, std::int64_t retry_ms, const std::string& why) {
  auto put =
      database_->prepare("UPDATE object SET tries = tries + 1, retry_ms = ?, why = ? WHERE n = ?");
  return put.bind(retry_ms).bind(std::string_view(why)).bind(n).run();
}

Status ObjectBook::taken(std::int64_t n) {
  auto put = database_->prepare(
      "UPDATE object SET retry_ms = NULL, why = NULL WHERE n = ? AND retry_ms IS NOT NULL");
  return put.bind(n).run();
}

Result<int> ObjectBook::tries(std::int64_t n) {
  auto query = database_->prepare("SELECT tries FROM object WHERE n = ?");
  ASSIGN(const bool there, query.bind(n).step());
  return there ? static_cast<int>(query.integer(0)) : 0;
}

Result<ObjectBook::PutOff> ObjectBook::waiting() {
  auto query = database_->prepare(
      "SELECT count(*), min(retry_ms), why FROM object WHERE retry_ms IS NOT NULL");
  TRY(query.step());
  return PutOff{.count = query.integer(0), .next_ms = query.integer(1), .why = query.text(2)};
}

Result<std::int64_t> ObjectBook::call_again(std::int64_t noted, std::int64_t now_ms) {
  auto query = database_->prepare(
      "SELECT n FROM object WHERE retry_ms <= ? AND n < ? ORDER BY retry_ms, n LIMIT ?");
  query.bind(now_ms).bind(noted).bind(kCallAtOnce);
  std::vector<std::int64_t> due;
  while (true) {
    ASSIGN(const bool row, query.step());
    if (!row) break;
    due.push_back(query.integer(0));
  }
  if (due.empty()) return 0;
  ASSIGN(auto transaction, sqlite::Transaction::begin(*database_));
  std::int64_t moved = 0;
  for (const std::int64_t n : due) {
    auto move =
        database_->prepare("UPDATE object SET n = ?, retry_ms = NULL, why = NULL WHERE n = ?");
    TRY(move.bind(last_ + moved + 1).bind(n).run());
    ++moved;
  }
  TRY(transaction.commit());
  last_ += moved;
  return moved;
}

Status ObjectBook::set_listed_to(const std::string& key) {
  if (key == listed_to_) return {};
  TRY(set_meta("listed_to", key));
  listed_to_ = key;
  return {};
}

Status ObjectBook::set_cleaned(std::int64_t n) {
  if (n == cleaned_) return {};
  TRY(set_meta("cleaned", std::to_string(n)));
  cleaned_ = n;
  return {};
}

}  // namespace tailrace::connect
