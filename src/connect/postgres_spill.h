// Changes of a large transaction that the server sends before it is known whether they stay: on
// disk until then, in a file without a name that a crash leaves nothing of.
//
//   a change: length u32 · place in the log u64 · (sub)transaction u32 · pgoutput's message
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "postgres/lsn.h"
#include "postgres/pgoutput.h"

namespace tailrace::connect {

class PostgresSpill {
 public:
  struct Entry {
    postgres::Lsn lsn;
    std::string_view message;  ///< until the next call
  };
  /// `folder`: empty is the system's for temporary files.
  static Result<std::unique_ptr<PostgresSpill>> make(const std::string& folder);
  ~PostgresSpill();
  PostgresSpill(const PostgresSpill&) = delete;
  PostgresSpill& operator=(const PostgresSpill&) = delete;

  Status add(postgres::Xid part, postgres::Lsn lsn, std::string_view message);
  /// What this subtransaction did is not given.
  void abort(postgres::Xid part) { aborted_.insert(part); }
  /// In order, from the beginning; none: the end. After the first call nothing is added.
  Result<std::optional<Entry>> next();

 private:
  explicit PostgresSpill(int file) : file_(file) {}
  Status write_out();
  Result<bool> fill(std::size_t bytes);

  int file_;
  std::string buffer_;  // not yet written, then read ahead
  std::size_t at_ = 0;  // in buffer_, while reading
  std::int64_t written_ = 0, read_ = 0;
  bool reading_ = false;
  std::set<postgres::Xid> aborted_;
};

}  // namespace tailrace::connect
