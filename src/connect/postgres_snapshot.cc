#include "connect/postgres_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tailrace::connect {
namespace {

using postgres::Connection;
using postgres::Lsn;
using postgres::quoted_name;
using postgres::Rows;
using postgres::Xid;
using Parameter = std::optional<std::string>;

/// A table without a key is one chunk in memory.
constexpr std::int64_t kLargestWithoutKey = 256 << 20;

// Generated columns are not in the stream either.
constexpr const char* kColumns =
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid, a.atttypmod, c.relkind, "
    "c.reltuples::bigint, pg_table_size(c.oid) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "AND a.attgenerated = '' WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') "
    "ORDER BY a.attnum";

constexpr const char* kPublished =
    "SELECT to_json(attnames), coalesce(rowfilter, '') FROM pg_publication_tables "
    "WHERE pubname = ANY(string_to_array($1, ',')) AND schemaname = $2 AND tablename = $3";

std::int64_t number(std::optional<std::string_view> text) {
  std::int64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

/// A table's SELECT, built of what the catalog says.
struct Statement {
  std::string sql;
  std::vector<Parameter> given;
};

struct Shape {
  postgres::Relation relation;
  std::vector<std::string> types;  // as SQL has them
  std::vector<std::string> key;
  std::string filter;
  bool partitioned = false;
  std::int64_t estimate = 0, bytes = 0;
};

class ChunkReader {
 public:
  ChunkReader(Connection& connection, const SnapshotChunk::Wanted& wanted, std::stop_token stop)
      : connection_(connection), wanted_(wanted), stop_(std::move(stop)) {}

  /// False: there is no such table.
  Result<bool> shape();
  Status filter();
  Status rows();

  Shape shape_;
  Rows rows_;
  std::string seen_;

 private:
  Result<Rows> query(const std::string& sql, const std::vector<Parameter>& given) {
    return connection_.query(sql, given, stop_);
  }
  Statement statement() const;
  std::size_t index_of(const std::string& column) const {
    const auto& columns = shape_.relation.columns;
    return static_cast<std::size_t>(
        std::ranges::find(columns, column, &postgres::Relation::Column::name) - columns.begin());
  }

  Connection& connection_;
  const SnapshotChunk::Wanted& wanted_;
  const std::stop_token stop_;
};

Result<bool> ChunkReader::shape() {
  ASSIGN(const Rows rows, query(kColumns, {wanted_.schema, wanted_.name}));
  if (rows.size() == 0) return false;
  shape_.relation.schema = wanted_.schema;
  shape_.relation.name = wanted_.name;
  for (int i = 0; i < rows.size(); ++i) {
    const postgres::Oid type(static_cast<std::uint32_t>(number(rows.cell(i, 2))));
    shape_.relation.columns.push_back({false, std::string(*rows.cell(i, 0)), type,
                                       static_cast<std::int32_t>(number(rows.cell(i, 3)))});
    shape_.types.emplace_back(*rows.cell(i, 1));
  }
  shape_.partitioned = rows.cell(0, 4) == "p";
  shape_.estimate = number(rows.cell(0, 5));
  shape_.bytes = number(rows.cell(0, 6));
  PostgresCatalog catalog(connection_);
  ASSIGN(shape_.key, catalog.key_of(wanted_.schema, wanted_.name, stop_));
  return true;
}

// A publication that the user made may have some columns and some rows only (PostgreSQL 15).
Status ChunkReader::filter() {
  if (connection_.server_version() < 150000) return {};
  std::string names;
  for (const std::string& one : wanted_.publications) names += (names.empty() ? "" : ",") + one;
  ASSIGN(const Rows rows, query(kPublished, {names, wanted_.schema, wanted_.name}));
  if (rows.size() != 1) return {};
  const std::string_view columns = rows.cell(0, 0).value_or("");
  shape_.filter = rows.cell(0, 1).value_or("");
  for (std::size_t i = shape_.types.size(); i-- > 0;) {
    std::string quoted;
    postgres::append_json_string(quoted, shape_.relation.columns[i].name);
    if (columns.find(quoted) != std::string_view::npos) continue;
    shape_.relation.columns.erase(shape_.relation.columns.begin() + static_cast<std::ptrdiff_t>(i));
    shape_.types.erase(shape_.types.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return {};
}

Statement ChunkReader::statement() const {
  Statement made;
  std::string columns, where, key, after;
  for (const auto& column : shape_.relation.columns)
    columns += (columns.empty() ? "" : ", ") + quoted_name(column.name);
  for (std::size_t i = 0; i < shape_.key.size(); ++i) {
    key += (i > 0 ? ", " : "") + quoted_name(shape_.key[i]);
    after +=
        fmt::format("{}${}::{}", i > 0 ? ", " : "", i + 1, shape_.types[index_of(shape_.key[i])]);
  }
  if (!shape_.filter.empty()) where = "(" + shape_.filter + ")";
  if (!key.empty() && wanted_.progress.after.size() == shape_.key.size()) {
    where += fmt::format("{}ROW({}) > ROW({})", where.empty() ? "" : " AND ", key, after);
    made.given.assign(wanted_.progress.after.begin(), wanted_.progress.after.end());
  }
  made.sql = fmt::format("SELECT {} FROM {}{}.{}{}{}", columns, shape_.partitioned ? "" : "ONLY ",
                         quoted_name(wanted_.schema), quoted_name(wanted_.name),
                         where.empty() ? "" : " WHERE ", where);
  if (!key.empty()) made.sql += fmt::format(" ORDER BY {} LIMIT {}", key, wanted_.most_rows);
  return made;
}

Status ChunkReader::rows() {
  if (shape_.key.empty() && shape_.bytes > kLargestWithoutKey)
    return error(
        Code::kFailedPrecondition,
        fmt::format("table {}.{} has no primary key and {} MB; without a key at most {} MB "
                    "are read. Give it a primary key, or leave it out of `tables`, or "
                    "begin without its rows: `snapshot: never`",
                    wanted_.schema, wanted_.name, shape_.bytes >> 20, kLargestWithoutKey >> 20));
  const Statement select = statement();
  ASSIGN(const Rows seen, query("SELECT pg_current_snapshot()", {}));
  seen_ = seen.cell(0, 0).value_or("");
  ASSIGN(rows_, query(select.sql, select.given));
  TRY(query("SELECT pg_logical_emit_message(true, $1, $2)", {wanted_.prefix, wanted_.watermark}));
  return {};
}

}  // namespace

std::optional<SeenTransactions> SeenTransactions::parse(std::string_view text) {
  SeenTransactions seen;
  seen.text_ = text;
  const char* at = text.data();
  const char* const end = at + text.size();
  std::vector<std::uint64_t> numbers;
  while (at < end) {
    std::uint64_t value = 0;
    const auto [rest, failure] = std::from_chars(at, end, value);
    if (failure != std::errc()) return std::nullopt;
    numbers.push_back(value);
    at = rest;
    if (at < end && *at != ':' && *at != ',') return std::nullopt;
    if (at < end && ++at == end && numbers.size() != 2) return std::nullopt;
  }
  if (numbers.size() < 2) return std::nullopt;
  // The epoch is cut off: the stream has 32 bits.
  seen.first_ = static_cast<std::uint32_t>(numbers[0]);
  seen.end_ = static_cast<std::uint32_t>(numbers[1]);
  for (std::size_t i = 2; i < numbers.size(); ++i)
    seen.under_way_.emplace_back(static_cast<std::uint32_t>(numbers[i]));
  return seen;
}

bool SeenTransactions::sees(Xid xid) const {
  if (static_cast<std::int32_t>(xid.value - first_) < 0) return true;
  if (static_cast<std::int32_t>(xid.value - end_) >= 0) return false;
  return std::ranges::find(under_way_, xid) == under_way_.end();
}

Result<std::optional<SnapshotChunk>> SnapshotChunk::read(Connection& connection,
                                                         const Wanted& wanted,
                                                         std::stop_token stop) {
  ChunkReader reader(connection, wanted, stop);
  TRY(connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ", stop));
  const auto read = [&]() -> Result<bool> {
    ASSIGN(const bool there, reader.shape());
    if (!there) return false;
    TRY(reader.filter());
    TRY(reader.rows());
    return true;
  }();
  if (!read) {
    (void)connection.run("ROLLBACK", stop);
    // Dropped, or changed by DDL, between two statements.
    if (read.error().code == Code::kNotFound) return error(Code::kAborted, read.error().what);
    return std::unexpected(read.error());
  }
  TRY(connection.run("COMMIT", stop));
  if (!*read) return std::nullopt;
  SnapshotChunk chunk;
  PostgresCatalog catalog(connection);
  ASSIGN(chunk.table_, catalog.table_of(reader.shape_.relation, &reader.shape_.key, stop));
  auto seen = SeenTransactions::parse(reader.seen_);
  if (!seen) return error(Code::kInternal, "PostgreSQL: pg_current_snapshot() is " + reader.seen_);
  chunk.seen_ = std::move(*seen);
  chunk.rows_ = std::move(reader.rows_);
  chunk.watermark_ = wanted.watermark;
  chunk.estimate_ = reader.shape_.estimate;
  chunk.out_.assign(static_cast<std::size_t>(chunk.rows_.size()), false);
  chunk.index_rows(wanted);
  return chunk;
}

void SnapshotChunk::index_rows(const Wanted& wanted) {
  const int rows = rows_.size();
  after_ = wanted.progress;
  after_.rows += rows;
  after_.done = !keyed() || rows < wanted.most_rows;
  if (!keyed()) return;
  for (int i = 0; i < rows; ++i) by_key_.emplace(key_of(i), i);
  if (rows == 0) return;
  after_.after.clear();
  for (const std::size_t column : table_.key)
    after_.after.emplace_back(rows_.cell(rows - 1, static_cast<int>(column)).value_or(""));
}

postgres::Tuple SnapshotChunk::row(int i) const {
  postgres::Tuple cells;
  for (int column = 0; column < static_cast<int>(table_.columns.size()); ++column) {
    const auto text = rows_.cell(i, column);
    if (text) {
      cells.push_back({postgres::Cell::Kind::kText, *text});
    } else {
      cells.push_back({});
    }
  }
  return cells;
}

std::string SnapshotChunk::key_of(int i) const {
  std::string key;
  PostgresRecordWriter::append_key(key, table_, row(i), postgres::ValueStyle::kFlat);
  return key;
}

void SnapshotChunk::take_out(const std::string& key, bool whole) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  out_[static_cast<std::size_t>(found->second)] = true;
  again_ = again_ || !whole;
}

void SnapshotChunk::take_out_all() {
  out_.assign(out_.size(), true);
}

void SnapshotChunk::emit(PostgresRecordWriter& writer, const PostgresTransaction& of,
                         Chunk& chunk) const {
  for (int i = 0; i < rows_.size(); ++i)
    if (!out_[static_cast<std::size_t>(i)]) writer.snapshot(table_, row(i), of, chunk);
}

void EmittedTransactions::add(Xid xid) {
  order_.push_back(xid);
  ++counts_[xid];
  if (order_.size() <= kMost) return;
  const auto oldest = counts_.find(order_.front());
  if (--oldest->second == 0) counts_.erase(oldest);
  order_.pop_front();
}

bool EmittedTransactions::contains(Xid xid) const {
  return counts_.contains(xid);
}

}  // namespace tailrace::connect
