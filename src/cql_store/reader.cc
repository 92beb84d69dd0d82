#include "cql_store/reader.h"

#include <fmt/format.h>

#include <limits>

#include "base/bytes.h"
#include "base/hex.h"
#include "cql_store/keys.h"
#include "cql_store/record.h"

namespace tailrace::cql_store {
namespace {

std::unexpected<Error> damaged_record(std::string_view key) {
  return error(Code::kDataLoss, fmt::format("the record of key {} is damaged", encode_hex(key)));
}

/// The row of `record`, found by the key at the front of `buffer.more`; the row's own views are put
/// behind it.
Result<bool> finish_read(const PartitionKey& partition, const RowKey& key, const Deletion& outer,
                         std::int64_t now_seconds, Row& row, Snapshot::Buffer& buffer) {
  bool damaged = false;
  const bool there = read_record(buffer.bytes, outer, now_seconds, row, damaged);
  if (damaged) return damaged_record(buffer.more);
  if (!there) return false;
  const std::size_t at = buffer.more.size();
  buffer.more += partition.bytes;
  if (!key.is_static) buffer.more += key.clustering;
  const std::string_view texts = std::string_view(buffer.more).substr(at);
  row.partition = texts.substr(0, partition.bytes.size());
  row.clustering = texts.substr(partition.bytes.size());
  row.token = partition.token;
  row.is_static = key.is_static;
  return true;
}

std::string with_kind(std::string_view partition, Kind kind, std::string_view clustering = {}) {
  std::string key;
  key.reserve(partition.size() + 1 + clustering.size());
  key += partition;
  append_kind(key, kind);
  key += clustering;
  return key;
}

std::string end_of(std::string_view partition, std::string_view slice_end) {
  return slice_end.empty() ? with_kind(partition, Kind::kEnd)
                           : with_kind(partition, Kind::kRow, slice_end);
}

}  // namespace

Status Reader::read_deletions(TableNumber table, std::string_view partition_key,
                              std::string& record, Deletions& deletions) const {
  deletions.clear();
  if (!traits_.has(table, Trait::kDeletions)) return {};
  const std::string key = with_kind(partition_key, Kind::kDeletions);
  ASSIGN(const bool there, store_.get(key, record, moment_.get()));
  if (there && !deletions.read(record)) return damaged_record(key);
  return {};
}

Result<bool> Reader::read(TableNumber table, const PartitionKey& partition, const RowKey& key,
                          std::int64_t now_seconds, Row& row, Buffer& buffer) const {
  buffer.more.clear();
  append_row(buffer.more, table, partition, key);
  ASSIGN(const bool there, store_.get(buffer.more, buffer.bytes, moment_.get()));
  if (!there) return false;
  Deletion outer;
  if (traits_.has(table, Trait::kDeletions)) {
    Deletions deletions;
    std::string record;
    const std::size_t length = partition_length(buffer.more);
    TRY(read_deletions(table, std::string_view(buffer.more).substr(0, length), record, deletions));
    outer = key.is_static ? deletions.partition() : deletions.of(key.clustering);
  }
  return finish_read(partition, key, outer, now_seconds, row, buffer);
}

Result<bool> read_latest(const kv::DurableStore& store, const Traits& traits, TableNumber table,
                         const PartitionKey& partition, const RowKey& key, std::int64_t now_seconds,
                         Row& row, Snapshot::Buffer& buffer) {
  buffer.more.clear();
  append_row(buffer.more, table, partition, key);
  ASSIGN(const bool there, store.get(buffer.more, buffer.bytes, nullptr));
  if (!there) return false;
  // The trait is set before the first deletion is there: none was when the row was read.
  if (!traits.has(table, Trait::kDeletions))
    return finish_read(partition, key, {}, now_seconds, row, buffer);
  return Reader(store, traits, store.moment())
      .read(table, partition, key, now_seconds, row, buffer);
}

namespace {

/// Goes over the slices of one partition.
class PartitionScan {
 public:
  PartitionScan(std::string_view prefix, const Deletions& deletions, std::int64_t now_seconds,
                Row& row, const std::function<bool(const Row&)>& visit)
      : prefix_(prefix),
        deletions_(deletions),
        now_seconds_(now_seconds),
        row_(row),
        visit_(visit) {}

  Status run(kv::DurableStore::Cursor& cursor, std::span<const Slice> slices, bool backwards) {
    for (std::size_t i = 0; i < slices.size() && !stopped_; ++i) {
      const Slice& slice = slices[backwards ? slices.size() - 1 - i : i];
      const std::string begin = with_kind(prefix_, Kind::kRow, slice.begin);
      const std::string end = end_of(prefix_, slice.end);
      if (backwards) {
        for (cursor.seek_before(end); cursor.valid() && cursor.key() >= begin && !stopped_;
             cursor.previous())
          TRY(see(cursor.key(), cursor.value()));
      } else {
        for (cursor.seek(begin); cursor.valid() && cursor.key() < end && !stopped_; cursor.next())
          TRY(see(cursor.key(), cursor.value()));
      }
      TRY(cursor.status());
    }
    return {};
  }

 private:
  Status see(std::string_view key, std::string_view record) {
    row_.clustering = key.substr(prefix_.size() + 1);
    bool damaged = false;
    const bool there =
        read_record(record, deletions_.of(row_.clustering), now_seconds_, row_, damaged);
    if (damaged) return damaged_record(key);
    if (there) stopped_ = !visit_(row_);
    return {};
  }

  std::string_view prefix_;
  const Deletions& deletions_;
  std::int64_t now_seconds_;
  Row& row_;
  const std::function<bool(const Row&)>& visit_;
  bool stopped_ = false;
};

}  // namespace

Status Reader::scan_partition(TableNumber table, const PartitionKey& partition,
                              const PartitionRead& what, std::int64_t now_seconds,
                              const std::function<bool(const Row&)>& visit) const {
  std::string prefix;
  append_partition(prefix, table, partition);
  std::string deletions_record;
  Deletions deletions;
  TRY(read_deletions(table, prefix, deletions_record, deletions));
  Row row;
  row.partition = partition.bytes;
  row.token = partition.token;
  if (what.with_static) {
    std::string record;
    const std::string key = with_kind(prefix, Kind::kStatic);
    ASSIGN(const bool kept, store_.get(key, record, moment_.get()));
    row.is_static = true;
    bool damaged = false;
    const bool there =
        kept && read_record(record, deletions.partition(), now_seconds, row, damaged);
    if (damaged) return damaged_record(key);
    if (there && !visit(row)) return {};
    row.is_static = false;
  }
  static const Slice kAll{};
  const std::span<const Slice> slices = what.slices.empty() ? std::span(&kAll, 1) : what.slices;
  const auto cursor = store_.cursor(with_kind(prefix, Kind::kRow, slices.front().begin),
                                    end_of(prefix, slices.back().end), true, moment_.get());
  return PartitionScan(prefix, deletions, now_seconds, row, visit)
      .run(*cursor, slices, what.backwards);
}

namespace {

std::string scan_begin(const Range& range) {
  std::string begin;
  if (!range.after) {
    append_token(begin, range.table, range.first_token);
    return begin;
  }
  append_partition(begin, range.table, {range.first_token, range.after->partition});
  append_kind(begin, range.after->whole_partition ? Kind::kEnd : Kind::kRow);
  if (!range.after->whole_partition && range.after->clustering) {
    begin += *range.after->clustering;
    begin.push_back('\0');
  }
  return begin;
}

std::string scan_end(const Range& range) {
  std::string end;
  if (range.last_token == std::numeric_limits<std::int64_t>::max()) {
    append_be(end, range.table + 1);
  } else {
    append_token(end, range.table, range.last_token + 1);
  }
  return end;
}

}  // namespace

Status Reader::scan(const Range& range, std::int64_t now_seconds,
                    const std::function<Next(const Row&)>& visit) const {
  if (range.first_token > range.last_token) return {};
  std::string current, partition_bytes, deletions_record;
  Deletions deletions;
  Row row;
  if (range.after && !range.after->whole_partition) {
    append_partition(current, range.table, {range.first_token, range.after->partition});
    partition_bytes = range.after->partition;
    TRY(read_deletions(range.table, current, deletions_record, deletions));
  }
  const std::string begin = scan_begin(range);
  const auto cursor = store_.cursor(begin, scan_end(range), false, moment_.get());
  for (cursor->seek(begin); cursor->valid();) {
    KeyParts parts;
    if (!split(cursor->key(), parts)) return damaged_record(cursor->key());
    if (parts.partition != current) {
      current = parts.partition;
      unescape(current, partition_bytes);
      deletions.clear();
    }
    if (parts.kind == Kind::kDeletions) {
      deletions_record = cursor->value();
      if (!deletions.read(deletions_record)) return damaged_record(cursor->key());
      cursor->next();
      continue;
    }
    row.partition = partition_bytes;
    row.token = parts.token;
    row.is_static = parts.kind == Kind::kStatic;
    row.clustering = parts.clustering;
    const Deletion outer = row.is_static ? deletions.partition() : deletions.of(parts.clustering);
    bool damaged = false;
    const bool there = read_record(cursor->value(), outer, now_seconds, row, damaged);
    if (damaged) return damaged_record(cursor->key());
    const Next next = there ? visit(row) : Next::kRow;
    if (next == Next::kStop) return {};
    if (next == Next::kPartition) {
      cursor->seek(with_kind(current, Kind::kEnd));
    } else {
      cursor->next();
    }
  }
  return cursor->status();
}

}  // namespace tailrace::cql_store
