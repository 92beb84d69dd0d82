// The messages of pgoutput, PostgreSQL's own output plugin, protocol versions 1 to 4 (PostgreSQL
// 16, §55.9). A byte of kind, then big-endian fields; texts end in a zero byte.
//
//   B  first of a transaction: commit record i64 · time i64 · xid i32
//   C  its end: flags i8 · commit record i64 · end of it i64 · time i64
//   R  a table as the rows after it have it: oid i32 · schema · name · identity i8 · columns i16 ·
//      (flags i8: 1 = of the identity · name · type i32 · modifier i32)*
//   Y  a type that is not built in: oid i32 · schema · name
//   I  oid i32 · 'N' row          U  oid i32 · ('K' key | 'O' old row)? · 'N' row
//   D  oid i32 · 'K' key | 'O' old row          T  tables i32 · flags i8 · oid i32*
//   M  flags i8: 1 = of the transaction · lsn i64 · prefix · length i32 · bytes
//   O  origin: lsn i64 · name
//   row, key: columns i16 · ('n' null | 'u' unchanged and not sent | 't' text | 'b' binary; the
//      latter two with length i32 · bytes)*
//   since 2: S (xid i32 · first i8), E, c (xid i32 · as C), A (xid i32 · of what i32; since 4: lsn
//      i64 · time i64): a large transaction in pieces before its end is known; between S and E the
//      kinds R Y I U D T M have the xid i32 of their (sub)transaction before all else
//   since 3: b P K r p of two-phase commits: told apart, not read
//
// Every length is checked against what is there. Views point into the bytes that were given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "postgres/lsn.h"

namespace tailrace::postgres {

using Oid = Strong<struct OidTag, std::uint32_t>;
using Xid = Strong<struct XidTag, std::uint32_t>;

struct Cell {
  enum class Kind : char { kNull = 'n', kUnchanged = 'u', kText = 't', kBinary = 'b' };
  Kind kind = Kind::kNull;
  std::string_view text;
};
using Tuple = std::vector<Cell>;

struct Begin {
  Lsn commit;
  std::int64_t time_us = 0;  ///< since 1970
  Xid xid;
};
struct Commit {
  Lsn commit, end;
  std::int64_t time_us = 0;
};
struct Relation {
  struct Column {
    bool of_identity = false;
    std::string name;
    Oid type;
    std::int32_t modifier = -1;
    bool operator==(const Column&) const = default;
  };
  Oid oid;
  std::string schema, name;
  char identity = 'd';  ///< d: the primary key, n: nothing, f: whole rows, i: an index
  std::vector<Column> columns;
};
/// An insert, update or delete.
struct Change {
  enum class Kind : char { kInsert = 'I', kUpdate = 'U', kDelete = 'D' };
  enum class Old : char { kNone = 0, kKey = 'K', kRow = 'O' };
  Kind kind = Kind::kInsert;
  Oid table;
  Old old = Old::kNone;
  Tuple old_row, row;
};
struct Truncate {
  std::vector<Oid> tables;
  bool cascade = false, restart_identity = false;
};
struct LogicalMessage {
  bool transactional = false;
  Lsn lsn;
  std::string_view prefix, content;
};
struct StreamStart {
  Xid xid;
  bool first = false;
};
struct StreamStop {};
struct StreamCommit {
  Xid xid;
  Commit commit;
};
struct StreamAbort {
  Xid xid, part;  ///< equal: the whole transaction
};
/// Types, origins: nothing to be done.
struct Passed {};
struct TwoPhase {};

/// A Change is the decoder's own, until the next call.
using Message = std::variant<const Change*, Begin, Commit, Relation, Truncate, LogicalMessage,
                             StreamStart, StreamStop, StreamCommit, StreamAbort, Passed, TwoPhase>;

class PgoutputDecoder {
 public:
  struct Decoded {
    std::optional<Xid> of;  ///< between StreamStart and StreamStop: the (sub)transaction
    Message message;
  };
  /// `in_stream`: between StreamStart and StreamStop. kDataLoss says where it ends.
  Result<Decoded> decode(std::string_view bytes, bool in_stream);

 private:
  Change change_;
};

}  // namespace tailrace::postgres
