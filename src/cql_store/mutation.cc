#include "cql_store/mutation.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "cql_store/deletions.h"
#include "cql_store/keys.h"
#include "cql_store/record.h"

namespace tailrace::cql_store {
namespace {

constexpr std::size_t kChangeHead = 1 + 2 * sizeof(std::uint32_t);

}  // namespace

void Mutation::change(char op, std::string_view key, std::string_view value) {
  const auto key_size = static_cast<std::uint32_t>(key.size());
  const auto value_size = static_cast<std::uint32_t>(value.size());
  bytes_.push_back(op);
  bytes_.append(reinterpret_cast<const char*>(&key_size), sizeof key_size);
  bytes_.append(reinterpret_cast<const char*>(&value_size), sizeof value_size);
  bytes_ += key;
  bytes_ += value;
}

void Mutation::row(TableNumber table, const PartitionKey& partition, const RowKey& row) {
  end_row();
  append_row(key_, table, partition, row);
  texts_ = row.raw;
  raw_size_ = row.raw.size();
}

void Mutation::replace_row(TableNumber table, const PartitionKey& partition, const RowKey& row) {
  this->row(table, partition, row);
  replaces_ = true;
}

void Mutation::add_part(Part part, std::string_view path, std::string_view value) {
  DCHECK(!key_.empty());
  part.path_at = texts_.size();
  part.path_size = path.size();
  part.value_size = value.size();
  texts_ += path;
  texts_ += value;
  parts_.push_back(part);
}

void Mutation::liveness(const Liveness& liveness) {
  DCHECK(!key_.empty());
  if (supersedes(liveness, liveness_)) liveness_ = liveness;
}

void Mutation::delete_row(const Deletion& deletion) {
  DCHECK(!key_.empty());
  if (supersedes(deletion, deletion_)) deletion_ = deletion;
  constexpr auto kCounter = static_cast<std::uint8_t>(Entry::Kind::kCounter);
  std::erase_if(parts_, [](const Part& part) { return part.kind == kCounter; });
}

void Mutation::put(std::uint32_t column, std::string_view path, std::int64_t timestamp,
                   std::string_view value, std::int32_t ttl, std::int64_t expires) {
  add_part({column, static_cast<std::uint8_t>(Entry::Kind::kCell), ttl, timestamp,
            ttl != 0 ? expires : 0, 0, 0, 0},
           path, value);
}

void Mutation::erase(std::uint32_t column, std::string_view path, const Deletion& deletion) {
  add_part({column, static_cast<std::uint8_t>(Entry::Kind::kTombstone), 0, deletion.timestamp,
            deletion.local_time, 0, 0, 0},
           path, {});
}

void Mutation::erase_all(std::uint32_t column, const Deletion& deletion) {
  add_part({column, static_cast<std::uint8_t>(Entry::Kind::kErasedAll), 0, deletion.timestamp,
            deletion.local_time, 0, 0, 0},
           {}, {});
}

void Mutation::add(std::uint32_t column, std::int64_t amount) {
  char value[sizeof amount];
  store_be(value, amount);
  add_part({column, static_cast<std::uint8_t>(Entry::Kind::kCounter), 0, 0, 0, 0, 0, 0}, {},
           {value, sizeof value});
}

void Mutation::end_row() {
  if (key_.empty()) return;
  const auto entry_of = [&](const Part& part) {
    Entry entry;
    entry.column = part.column;
    entry.kind = static_cast<Entry::Kind>(part.kind);
    entry.ttl = part.ttl;
    entry.timestamp = part.timestamp;
    entry.when = part.when;
    entry.path = std::string_view(texts_).substr(part.path_at, part.path_size);
    entry.value = std::string_view(texts_).substr(part.path_at + part.path_size, part.value_size);
    if (entry.kind == Entry::Kind::kCounter) entry.sum = load_be<std::int64_t>(entry.value.data());
    return entry;
  };
  const auto before = [&](const Part& a, const Part& b) {
    if (a.column != b.column) return a.column < b.column;
    return compare(entry_of(a), entry_of(b)) < 0;
  };
  if (!std::ranges::is_sorted(parts_, before)) std::ranges::stable_sort(parts_, before);

  // The change is written in place; its sizes when they are known.
  const std::size_t at = bytes_.size();
  change(static_cast<char>(replaces_ ? Op::kSetRow : Op::kRow), key_, {});
  const std::size_t value_at = bytes_.size();
  RecordBuilder builder(bytes_);
  builder.begin(liveness_, deletion_, std::string_view(texts_).substr(0, raw_size_));
  bool counts = false;
  for (const Part& part : parts_) {
    const Entry entry = entry_of(part);
    counts |= entry.kind == Entry::Kind::kCounter;
    builder.offer(entry);
  }
  if (builder.nothing()) {
    bytes_.resize(at);
    if (replaces_) change(static_cast<char>(Op::kForgetRow), key_, {});
  } else {
    builder.finish();
    if (counts) bytes_[at] = static_cast<char>(Op::kCounters);
    const auto value_size = static_cast<std::uint32_t>(bytes_.size() - value_at);
    std::memcpy(bytes_.data() + at + 1 + sizeof(std::uint32_t), &value_size, sizeof value_size);
  }
  key_.clear();
  replaces_ = false;
  texts_.clear();
  parts_.clear();
  raw_size_ = 0;
  liveness_ = {};
  deletion_ = {};
}

void Mutation::delete_slice(TableNumber table, const PartitionKey& partition, const Slice& slice,
                            const Deletion& deletion) {
  end_row();
  std::string key, value;
  append_partition(key, table, partition);
  append_kind(key, Kind::kDeletions);
  append_slice_deletion(value, slice, deletion);
  change(static_cast<char>(Op::kDeletions), key, value);
}

void Mutation::delete_partition(TableNumber table, const PartitionKey& partition,
                                const Deletion& deletion) {
  end_row();
  std::string key, value;
  append_partition(key, table, partition);
  append_kind(key, Kind::kDeletions);
  append_partition_deletion(value, deletion);
  change(static_cast<char>(Op::kDeletions), key, value);
}

void Mutation::drop_all(TableNumber table) {
  end_row();
  std::string key;
  append_table(key, table);
  change(static_cast<char>(Op::kDropTable), key, {});
}

void Mutation::keep(std::string_view name, std::optional<std::string_view> value) {
  end_row();
  const std::string key = std::string(kOwnKept) + std::string(name);
  change(static_cast<char>(value ? Op::kKeep : Op::kForget), key, value.value_or(""));
}

bool Mutation::empty() const {
  return bytes_.empty() && key_.empty();
}

std::size_t Mutation::size_bytes() const {
  return bytes_.size() + key_.size() + texts_.size() + parts_.size() * sizeof(Part);
}

void Mutation::clear() {
  *this = Mutation();
}

void Mutation::append(Mutation&& other) {
  end_row();
  other.end_row();
  if (bytes_.empty()) {
    bytes_ = std::move(other.bytes_);
  } else {
    bytes_ += other.bytes_;
  }
  other.clear();
}

MutationReader::MutationReader(Mutation& mutation) {
  mutation.end_row();
  rest_ = mutation.bytes_;
}

bool MutationReader::next() {
  if (rest_.empty()) return false;
  CHECK(rest_.size() >= kChangeHead);
  std::uint32_t key_size = 0, value_size = 0;
  op_ = static_cast<Op>(rest_.front());
  std::memcpy(&key_size, rest_.data() + 1, sizeof key_size);
  std::memcpy(&value_size, rest_.data() + 1 + sizeof key_size, sizeof value_size);
  key_ = rest_.substr(kChangeHead, key_size);
  value_ = rest_.substr(kChangeHead + key_size, value_size);
  rest_.remove_prefix(kChangeHead + key_size + value_size);
  return true;
}

}  // namespace tailrace::cql_store
