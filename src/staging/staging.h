// Staging: rows between fetch and stream, in SQLite or PostgreSQL. A source's records land in a
// table by their key; what changed in it, by whomever, flows on to a topic
// (connect/outbox_source.h, connect/staged_rows.h).
//
// Exactly once: write() puts rows and the source's position into one transaction, so a crash leaves
// both or neither.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "staging/table_spec.h"

namespace tailrace::staging {

/// Of the message that says a write's trace in PostgreSQL's stream, before its rows.
inline constexpr std::string_view kTracePrefix = "tailrace.trace";

/// A record on its way into the table.
struct Record {
  std::optional<std::string_view> key;
  std::string_view value;  ///< a JSON object
};

/// What could not become a row, by its place in the batch, with the sentence.
struct Misfit {
  std::size_t record = 0;
  std::string why;
};

/// One thread at a time.
class Table {
 public:
  virtual ~Table() = default;
  /// The position of the last write(); "" before the first.
  virtual Result<std::string> position() = 0;
  /// Gives the position that is kept with the rows.
  using Position = std::function<std::string(std::span<const Misfit>)>;
  /// All or nothing. Rows of one key in one batch follow each other in order; a row that is there
  /// as it comes is no change. Misfits (not JSON, no object, a value that its column cannot hold,
  /// no key) are left out.
  virtual Status write(std::span<const Record> records, const Position& position,
                       std::stop_token stop) = 0;
  /// The trace that the next write() belongs to, as telemetry's context_text(); it goes on with the
  /// changes that it makes. "": none.
  void set_trace(std::string trace) { trace_ = std::move(trace); }

 protected:
  std::string trace_;
};

/// What happened to a row; the views live as long as the visit.
struct Change {
  std::int64_t number = 0;  ///< grows by one from change to change
  char op = 'c';            ///< c, u, d as Debezium has them
  std::string_view key;     ///< the key column's text; of several columns a JSON object
  std::optional<std::string_view> before, after;  ///< JSON objects
  std::int64_t time_ms = 0;
  std::string_view trace = {};  ///< of the write() that made it; "": none, or somebody else did
};

/// The outbox of a table that its triggers fill, whoever writes. One thread at a time, but for
/// passed() and waiting().
class Changes {
 public:
  virtual ~Changes() = default;
  /// Those behind `after`, in order: at most so many, and about so many bytes.
  virtual Status read(std::int64_t after, std::size_t most, std::size_t bytes,
                      const std::function<void(const Change&)>& visit) = 0;
  /// Until something may have come: at once after a write() of this process, within 100 ms after
  /// anybody else's.
  virtual void wait(std::chrono::milliseconds most, std::stop_token stop) = 0;
  /// They are durable elsewhere.
  virtual Status forget(std::int64_t up_to) = 0;
  /// The newest one's number, now.
  virtual Result<std::int64_t> newest() = 0;
  /// The `after` of the last read(): so far the reader has come.
  virtual std::int64_t passed() const = 0;
  /// How many were behind passed() at the last look.
  virtual std::int64_t waiting() const = 0;
  /// Another one for another database: numbers begin again.
  virtual std::string identity() const = 0;
};

/// Any thread.
class Staging {
 public:
  virtual ~Staging() = default;
  /// Made when it is not there and its columns are known, else by the first records, with what its
  /// capture needs. kFailedPrecondition names the column that is of another type, or the key that
  /// is another. `writer`: whose position it keeps.
  virtual Result<std::unique_ptr<Table>> table(const TableSpec& spec,
                                               const std::string& writer) = 0;
  /// kUnimplemented where the database has a stream of changes of its own (PostgreSQL).
  virtual Result<std::unique_ptr<Changes>> changes(const TableSpec& spec) = 0;
  /// For people, without secrets: DATA/staging/staging.db, postgresql://host/db.
  virtual std::string where() const = 0;
};

struct PostgresStaging {
  std::string url;                       ///< postgresql://USER@HOST:PORT/DATABASE
  std::string user = {}, password = {};  ///< beside the URL's
  /// Asked before a table's first row of this process, when the table is there: returns when its
  /// changes are followed, so that no row is both in what was there before and a change.
  std::function<Status(const std::string& table, std::stop_token)> followed = {};
};

/// A database that is there, asked for when it is needed first.
Result<std::unique_ptr<Staging>> open_postgres(const PostgresStaging& config);

/// A file, made with its folder when it is not there.
Result<std::unique_ptr<Staging>> open_sqlite(const std::string& path);

}  // namespace tailrace::staging
