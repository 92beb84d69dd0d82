// The ids of deliveries that were accepted: a SQLite file, as many and for as long as is asked.
//
//   ids(id TEXT PRIMARY KEY, at_ms INTEGER)
//
// Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace tailrace::sqlite {
class Database;
}

namespace tailrace::connect {

class InboxIds {
 public:
  /// Those older than `keep_ms` are forgotten, and beyond `most` the oldest.
  static Result<std::unique_ptr<InboxIds>> open(const std::string& path, std::int64_t keep_ms,
                                                std::int64_t most);
  ~InboxIds();

  Result<bool> knows(const std::string& id, std::int64_t now_ms);
  /// Durable when it returns.
  Status add(std::span<const std::string> ids, std::int64_t now_ms);

 private:
  InboxIds(std::unique_ptr<sqlite::Database> database, std::int64_t keep_ms, std::int64_t most);
  Status forget(std::int64_t now_ms);

  const std::unique_ptr<sqlite::Database> database_;
  const std::int64_t keep_ms_;
  const std::int64_t most_;
  std::int64_t since_forgotten_ = 0;
};

}  // namespace tailrace::connect
