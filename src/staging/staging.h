// Staging: rows between fetch and stream, in SQLite or PostgreSQL. A source's records land in a
// table by their key; what changed in it flows on to a topic (connect/outbox_source.h,
// connect/postgres_source.h).
//
// Exactly once: write() puts rows and the source's position into one transaction, so what a crash
// makes the source emit again is known by its position.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::staging {

/// The types of columns: what each is in SQLite and in PostgreSQL is in columns.h.
enum class Type { kText, kBigint, kDouble, kBoolean, kTimestamp, kDate, kNumeric, kJson, kUuid };
std::string_view name(Type type);  ///< as tailrace.yml has it: `text`, `bigint` …

struct Column {
  std::string name;
  Type type = Type::kText;
  std::string path;  ///< of the record's JSON: $.login.uuid; empty: the member of the column's name
};

/// A table as `staging:` of tailrace.yml has it.
struct TableSpec {
  std::string name;  ///< `schema.table` where it is not in the default one
  /// Empty: the columns of the first records' members, and new ones as new members come.
  std::vector<Column> columns = {};
  /// The primary key, of the columns. Empty: `_key`, the record's key; for records without one
  /// `_id`, a number. Columns that begin with `_` are not in messages.
  std::vector<std::string> key = {};
  enum class Mode { kUpsert, kInsert } mode = Mode::kUpsert;  ///< kInsert: what is there stays
};

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

class Table {
 public:
  virtual ~Table() = default;
  /// The position of the last write(); "" before the first.
  virtual Result<std::string> position() = 0;
  /// All or nothing, with `position`: rows of one key in one batch follow each other in order.
  /// Misfits (not JSON, no object, a value that its column cannot hold, no key) are left out.
  virtual Result<std::vector<Misfit>> write(std::span<const Record> records,
                                            const std::string& position, std::stop_token stop) = 0;
};

class Staging {
 public:
  /// `sqlite:///PATH` or `postgresql://…`.
  static Result<std::unique_ptr<Staging>> open(const std::string& url, const std::string& password);
  virtual ~Staging() = default;
  /// Made when it is not there, with what its capture needs (SQLite: triggers and outbox;
  /// PostgreSQL: the publication); kFailedPrecondition names the column that is of another type,
  /// or the key that is another. `writer`: whose position it keeps.
  virtual Result<std::unique_ptr<Table>> table(const TableSpec& spec,
                                               const std::string& writer) = 0;
};

}  // namespace tailrace::staging
