#include "postgres/pgoutput.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "postgres/replication.h"

namespace tailrace::postgres {
namespace {

/// MaxTupleAttributeNumber of PostgreSQL: no row has more.
constexpr int kMostColumns = 1664;

/// Reads from the front. After a failed read everything is 0 or empty, and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return bytes_.size(); }
  template <typename T>
  T number() {
    if (bytes_.size() < sizeof(T)) return fail(), T{};
    const T value = load_be<T>(bytes_.data());
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  char letter() { return static_cast<char>(number<std::int8_t>()); }
  Lsn lsn() { return Lsn(number<std::uint64_t>()); }
  Xid xid() { return Xid(number<std::uint32_t>()); }
  Oid oid() { return Oid(number<std::uint32_t>()); }
  std::int64_t time_us() { return number<std::int64_t>() + kEpochUs; }
  std::string_view counted() {
    const auto size = number<std::int32_t>();
    if (size < 0 || static_cast<std::size_t>(size) > bytes_.size()) return fail(), "";
    const std::string_view text = bytes_.substr(0, static_cast<std::size_t>(size));
    bytes_.remove_prefix(text.size());
    return text;
  }
  std::string_view text() {
    const auto end = bytes_.find('\0');
    if (end == std::string_view::npos) return fail(), "";
    const std::string_view found = bytes_.substr(0, end);
    bytes_.remove_prefix(end + 1);
    return found;
  }
  void fail() {
    ok_ = false;
    bytes_ = {};
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

void read_row(Reader& in, Tuple& row) {
  row.clear();
  const int columns = in.number<std::int16_t>();
  if (columns < 0 || columns > kMostColumns) return in.fail();
  for (int i = 0; i < columns && in.ok(); ++i) {
    Cell cell{static_cast<Cell::Kind>(in.letter()), {}};
    switch (cell.kind) {
      case Cell::Kind::kNull:
      case Cell::Kind::kUnchanged:
        break;
      case Cell::Kind::kText:
      case Cell::Kind::kBinary:
        cell.text = in.counted();
        break;
      default:
        return in.fail();
    }
    row.push_back(cell);
  }
}

void read_change(Reader& in, Change::Kind kind, Change& change) {
  change.kind = kind;
  change.table = in.oid();
  change.old = Change::Old::kNone;
  change.old_row.clear();
  change.row.clear();
  char what = in.letter();
  if ((what == 'K' || what == 'O') && kind != Change::Kind::kInsert) {
    change.old = static_cast<Change::Old>(what);
    read_row(in, change.old_row);
    if (kind == Change::Kind::kDelete) return;
    what = in.letter();
  }
  if (what != 'N' || kind == Change::Kind::kDelete) return in.fail();
  read_row(in, change.row);
}

Relation read_relation(Reader& in) {
  Relation relation;
  relation.oid = in.oid();
  relation.schema = in.text();
  relation.name = in.text();
  relation.identity = in.letter();
  const int columns = in.number<std::int16_t>();
  if (columns < 0 || columns > kMostColumns) in.fail();
  // pg_catalog is written as nothing.
  if (relation.schema.empty()) relation.schema = "pg_catalog";
  for (int i = 0; i < columns && in.ok(); ++i) {
    Relation::Column column;
    column.of_identity = (in.letter() & 1) != 0;
    column.name = in.text();
    column.type = in.oid();
    column.modifier = in.number<std::int32_t>();
    relation.columns.push_back(std::move(column));
  }
  return relation;
}

Truncate read_truncate(Reader& in) {
  Truncate truncate;
  const auto tables = in.number<std::uint32_t>();
  const char flags = in.letter();
  truncate.cascade = (flags & 1) != 0;
  truncate.restart_identity = (flags & 2) != 0;
  if (std::uint64_t{tables} * sizeof(std::uint32_t) > in.left()) in.fail();
  for (std::uint32_t i = 0; i < tables && in.ok(); ++i) truncate.tables.push_back(in.oid());
  return truncate;
}

LogicalMessage read_message(Reader& in) {
  LogicalMessage message;
  message.transactional = (in.letter() & 1) != 0;
  message.lsn = in.lsn();
  message.prefix = in.text();
  message.content = in.counted();
  return message;
}

Commit read_commit(Reader& in) {
  Commit commit;
  in.letter();
  commit.commit = in.lsn();
  commit.end = in.lsn();
  commit.time_us = in.time_us();
  return commit;
}

bool has_xid(char kind) {
  return std::string_view("RYIUDTM").find(kind) != std::string_view::npos;
}

Message read(Reader& in, char kind, Change& change) {
  switch (kind) {
    case 'I':
    case 'U':
    case 'D':
      read_change(in, static_cast<Change::Kind>(kind), change);
      return &change;
    case 'B': {
      const Lsn commit = in.lsn();
      const std::int64_t time_us = in.time_us();
      return Begin{commit, time_us, in.xid()};
    }
    case 'C':
      return read_commit(in);
    case 'R':
      return read_relation(in);
    case 'T':
      return read_truncate(in);
    case 'M':
      return read_message(in);
    case 'Y':
      in.oid();
      in.text();
      in.text();
      return Passed{};
    case 'O':
      in.lsn();
      in.text();
      return Passed{};
    case 'S': {
      const Xid xid = in.xid();
      return StreamStart{xid, in.letter() != 0};
    }
    case 'E':
      return StreamStop{};
    case 'c': {
      const Xid xid = in.xid();
      return StreamCommit{xid, read_commit(in)};
    }
    case 'A': {
      const Xid xid = in.xid();
      return StreamAbort{xid, in.xid()};
    }
    case 'b':
    case 'P':
    case 'K':
    case 'r':
    case 'p':
      return TwoPhase{};
    default:
      in.fail();
      return Passed{};
  }
}

}  // namespace

Result<PgoutputDecoder::Decoded> PgoutputDecoder::decode(std::string_view bytes, bool in_stream) {
  Reader in(bytes);
  const char kind = in.letter();
  Decoded decoded;
  if (in_stream && has_xid(kind)) decoded.of = in.xid();
  decoded.message = read(in, kind, change_);
  if (!in.ok())
    return error(
        Code::kDataLoss,
        fmt::format("PostgreSQL: a message of pgoutput of kind 0x{:02x} and {} bytes is cut "
                    "short or not of the protocol",
                    static_cast<unsigned char>(kind), bytes.size()));
  return decoded;
}

}  // namespace tailrace::postgres
