// Records: what the store keeps of one row, and what a write sends to it; the two are one format,
// so that writes fold into each other and into what is there, in any grouping.
//
//   record  := head:u8 base:i64 (little-endian)
//              [ttl:vint expires:zigzag]                  head 2: of the liveness, or of the cells
//              [timestamp:delta local_time:zigzag]        head 4: the row's deletion
//              [length:vint bytes]                        head 8: the clustering as written
//              { entry }                                  by column, then path
//   entry   := column:vint flags:u8
//              [length:vint path]                         flag 01
//              [timestamp:delta]                          flag 02; else the base
//              [local_time:zigzag]                        flag 04 or 40: a deletion
//              [ttl:vint expires:zigzag]                  flag 08; flag 10: those of the head
//              [sum:i64 (big-endian)]                     flag 20: a counter
//              [length:vint value]                        otherwise
//   delta   := zigzag of the difference to the base (modulo 2^64)
//
// head 1: there is a liveness; its timestamp is the base. Flag 40 deletes all of a column's cells
// at or before its timestamp and stands before them. Flag 80: the counter was cleared before it
// counted to `sum`. Vints are Cassandra's (cql_types/parts.h).
//
// Which of two entries wins is Cassandra's rule (5.0.9, db/rows/Cells.java); which liveness,
// db/LivenessInfo.java. Counters have no timestamps here: amounts add up in order of arrival, and
// any deletion sets them back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cql_store/cells.h"

namespace tailrace::cql_store {

/// What a record says of a column and path. Views are into the record.
struct Entry {
  enum class Kind : std::uint8_t {
    kErasedAll,  // the column's cells at or before `timestamp`; no path
    kTombstone,
    kCell,
    kCounter,
  };
  std::uint32_t column = 0;
  Kind kind = Kind::kCell;
  bool cleared = false;  // kCounter
  std::int32_t ttl = 0;  // kCell
  std::string_view path;
  std::int64_t timestamp = 0;
  std::int64_t when = 0;  // kCell with a ttl: when it expires; deletions: their local time
  std::int64_t sum = 0;   // kCounter
  std::string_view value;

  bool expired(std::int64_t now_seconds) const { return ttl != 0 && now_seconds >= when; }
};

/// Before: by column, what deletes all of it first, then by path.
inline int compare(const Entry& a, const Entry& b) {
  if (a.column != b.column) return a.column < b.column ? -1 : 1;
  const bool all_a = a.kind == Entry::Kind::kErasedAll;
  const bool all_b = b.kind == Entry::Kind::kErasedAll;
  if (all_a != all_b) return all_a ? -1 : 1;
  return a.path.compare(b.path);
}

/// The winner of two entries of one place, `b` the later arrival. Neither deletes all.
Entry reconcile(const Entry& a, const Entry& b);

inline bool supersedes(const Deletion& a, const Deletion& b) {
  return a.timestamp != b.timestamp ? a.timestamp > b.timestamp : a.local_time > b.local_time;
}
bool supersedes(const Liveness& a, const Liveness& b);

/// Reads a record from front to end. False from open() or next() is the end or damage; failed()
/// tells which.
class RecordReader {
 public:
  RecordReader() = default;
  explicit RecordReader(std::string_view record) { open(record); }
  bool open(std::string_view record);
  bool next(Entry& entry);

  const Liveness& liveness() const { return liveness_; }
  const Deletion& deletion() const { return deletion_; }
  std::string_view raw() const { return raw_; }
  bool failed() const { return failed_; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }

  std::string_view rest_;
  std::string_view raw_;
  Liveness liveness_;
  Deletion deletion_;
  std::int64_t base_ = 0;
  std::int64_t base_expires_ = 0;
  std::int32_t base_ttl_ = 0;
  bool failed_ = false;
};

/// Writes a record from entries offered in order (compare() above; those of one place one after the
/// other as they arrived): drops what is deleted by what else is there, and reconciles.
class RecordBuilder {
 public:
  /// Appends to `out`, which must stay until finish().
  explicit RecordBuilder(std::string& out) : out_(out) {}

  void begin(const Liveness& liveness, const Deletion& deletion, std::string_view raw);
  void offer(const Entry& entry);
  /// If the place in hand is a counter's, its amounts so far are gone.
  void clear_counter() {
    if (pending_ && place_.kind == Entry::Kind::kCounter) pending_ = false;
  }
  /// Nothing is in it that a reader or a later fold would need.
  bool nothing() const { return !begun_ && !pending_ && deletion_.live(); }
  void finish();

 private:
  void flush();
  void write_head(std::int64_t base, std::int32_t ttl, std::int64_t expires);
  void write(const Entry& entry);

  std::string& out_;
  Liveness liveness_;
  Deletion deletion_;
  std::string_view raw_;
  Entry place_;           // the winner so far of the place in hand
  bool pending_ = false;  // place_ is to be written
  bool begun_ = false;    // the head is written
  std::int64_t base_ = 0, base_expires_ = 0;
  std::int32_t base_ttl_ = 0;
  Deletion column_;  // what deletes all of the column `column_number_`
  std::uint32_t column_number_ = 0;
};

/// One record of many, the oldest arrival first; `out` is replaced. False: one is damaged.
bool fold(std::span<const std::string_view> records, std::string& out);

/// Reads a record as of `now` under a deletion from outside (of its partition or slice) into a row;
/// false when nothing of it is there. `damaged` is set when the record is.
bool read_record(std::string_view record, const Deletion& outer, std::int64_t now_seconds, Row& row,
                 bool& damaged);

/// What a record may lose when all there is of its row is in it.
struct PurgeRules {
  Deletion outer;                   // the partition's or a slice's
  std::int64_t now_seconds = 0;     // no reader is before it
  std::int64_t before_seconds = 0;  // deletions older than this are forgotten
};
enum class Purged { kSame, kChanged, kNothing };
/// kChanged: `out` is the record without it. A damaged record stays the same.
Purged purge(std::string_view record, const PurgeRules& rules, std::string& out);

}  // namespace tailrace::cql_store
