#include "cql_store/record.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include "base/bytes.h"
#include "cql_store/vint.h"

namespace tailrace::cql_store {
namespace {

constexpr unsigned kHasLiveness = 1, kHasTtl = 2, kHasDeletion = 4, kHasRaw = 8;
constexpr unsigned kPath = 0x01, kOwnTime = 0x02, kTombstone = 0x04, kOwnTtl = 0x08,
                   kBaseTtl = 0x10, kCounter = 0x20, kErasedAll = 0x40, kCleared = 0x80;

std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

bool take_u32(std::string_view& from, std::uint32_t& value) {
  std::uint64_t wide = 0;
  if (!take(from, wide) || wide > std::numeric_limits<std::uint32_t>::max()) return false;
  value = static_cast<std::uint32_t>(wide);
  return true;
}

bool take_ttl(std::string_view& from, std::int32_t& ttl, std::int64_t& expires) {
  std::uint32_t wide = 0;
  if (!take_u32(from, wide) || wide == 0 || wide > std::numeric_limits<std::int32_t>::max())
    return false;
  ttl = static_cast<std::int32_t>(wide);
  return take_signed(from, expires);
}

/// Both counters or a counter and its tombstone, in order of arrival.
Entry reconcile_counter(const Entry& a, const Entry& b) {
  if (b.kind != Entry::Kind::kCounter || b.cleared) return b;
  Entry made = b;
  if (a.kind == Entry::Kind::kCounter) {
    made.sum = plus(a.sum, b.sum);
    made.cleared = a.cleared;
  } else {
    made.cleared = true;
  }
  return made;
}

}  // namespace

Entry reconcile(const Entry& a, const Entry& b) {
  if (a.kind == Entry::Kind::kCounter || b.kind == Entry::Kind::kCounter)
    return reconcile_counter(a, b);
  if (a.timestamp != b.timestamp) return a.timestamp > b.timestamp ? a : b;
  // A cell that will expire counts as a tombstone against one that will not, or which of the two
  // wins would change with the time.
  const bool ends_a = a.kind == Entry::Kind::kTombstone || a.ttl != 0;
  const bool ends_b = b.kind == Entry::Kind::kTombstone || b.ttl != 0;
  if (ends_a != ends_b) return ends_a ? a : b;
  if (a.kind != b.kind) return a.kind == Entry::Kind::kTombstone ? a : b;
  if (ends_a && a.when != b.when) return a.when > b.when ? a : b;
  if (a.ttl != b.ttl) return a.ttl < b.ttl ? a : b;  // it was written later
  return a.value >= b.value ? a : b;
}

bool supersedes(const Liveness& a, const Liveness& b) {
  if (a.timestamp != b.timestamp) return a.timestamp > b.timestamp;
  if ((a.ttl != 0) != (b.ttl != 0)) return a.ttl != 0;
  if (a.ttl == 0) return false;
  return a.expires != b.expires ? a.expires > b.expires : a.ttl < b.ttl;
}

bool RecordReader::open(std::string_view record) {
  rest_ = record;
  raw_ = {};
  liveness_ = {};
  deletion_ = {};
  base_ttl_ = 0;
  failed_ = false;
  if (rest_.size() < 1 + sizeof base_) return fail();
  const auto head = static_cast<unsigned char>(rest_.front());
  std::memcpy(&base_, rest_.data() + 1, sizeof base_);
  rest_.remove_prefix(1 + sizeof base_);
  if ((head & kHasTtl) && !take_ttl(rest_, base_ttl_, base_expires_)) return fail();
  if (head & kHasLiveness) {
    liveness_ = {base_, base_ttl_, base_ttl_ != 0 ? base_expires_ : 0};
  }
  if (head & kHasDeletion) {
    std::int64_t delta = 0;
    if (!take_signed(rest_, delta) || !take_signed(rest_, deletion_.local_time)) return fail();
    deletion_.timestamp = plus(base_, delta);
  }
  if ((head & kHasRaw) && !take_bytes(rest_, raw_)) return fail();
  return true;
}

bool RecordReader::next(Entry& entry) {
  if (rest_.empty() || failed_) return false;
  if (!take_u32(rest_, entry.column) || rest_.empty()) return fail();
  const auto flags = static_cast<unsigned char>(rest_.front());
  rest_.remove_prefix(1);
  entry.path = {};
  entry.value = {};
  entry.ttl = 0;
  entry.when = 0;
  entry.timestamp = base_;
  if ((flags & kPath) && !take_bytes(rest_, entry.path)) return fail();
  if (flags & kOwnTime) {
    std::int64_t delta = 0;
    if (!take_signed(rest_, delta)) return fail();
    entry.timestamp = plus(base_, delta);
  }
  if (flags & (kTombstone | kErasedAll)) {
    entry.kind = flags & kTombstone ? Entry::Kind::kTombstone : Entry::Kind::kErasedAll;
    return take_signed(rest_, entry.when) || fail();
  }
  if (flags & kCounter) {
    entry.kind = Entry::Kind::kCounter;
    entry.cleared = flags & kCleared;
    if (rest_.size() < sizeof entry.sum) return fail();
    entry.value = rest_.substr(0, sizeof entry.sum);
    entry.sum = load_be<std::int64_t>(entry.value.data());
    rest_.remove_prefix(sizeof entry.sum);
    return true;
  }
  entry.kind = Entry::Kind::kCell;
  if (flags & kOwnTtl) {
    if (!take_ttl(rest_, entry.ttl, entry.when)) return fail();
  } else if (flags & kBaseTtl) {
    entry.ttl = base_ttl_;
    entry.when = base_expires_;
  }
  return take_bytes(rest_, entry.value) || fail();
}

void RecordBuilder::begin(const Liveness& liveness, const Deletion& deletion,
                          std::string_view raw) {
  deletion_ = deletion;
  raw_ = raw;
  liveness_ = liveness.timestamp > deletion.timestamp ? liveness : Liveness{};
  pending_ = begun_ = false;
  column_ = {};
  if (liveness_.timestamp != kNoTimestamp)
    write_head(liveness_.timestamp, liveness_.ttl, liveness_.expires);
}

void RecordBuilder::write_head(std::int64_t base, std::int32_t ttl, std::int64_t expires) {
  begun_ = true;
  base_ = base;
  base_ttl_ = ttl;
  base_expires_ = expires;
  unsigned head = 0;
  if (liveness_.timestamp != kNoTimestamp) head |= kHasLiveness;
  if (ttl != 0) head |= kHasTtl;
  if (!deletion_.live()) head |= kHasDeletion;
  if (!raw_.empty()) head |= kHasRaw;
  out_.push_back(static_cast<char>(head));
  out_.append(reinterpret_cast<const char*>(&base), sizeof base);
  if (ttl != 0) {
    put(out_, static_cast<std::uint64_t>(ttl));
    put_signed(out_, expires);
  }
  if (!deletion_.live()) {
    put_signed(out_, minus(deletion_.timestamp, base));
    put_signed(out_, deletion_.local_time);
  }
  if (!raw_.empty()) put_bytes(out_, raw_);
}

void RecordBuilder::offer(const Entry& entry) {
  if (pending_ && compare(place_, entry) != 0) flush();
  if (entry.kind == Entry::Kind::kErasedAll) {
    const Deletion all{entry.timestamp, entry.when};
    if (!supersedes(all, deletion_)) return;
    if (column_.live() || column_number_ != entry.column || supersedes(all, column_)) {
      column_ = all;
      column_number_ = entry.column;
      place_ = entry;
      pending_ = true;
    }
    return;
  }
  if (entry.kind == Entry::Kind::kTombstone) clear_counter();
  if (entry.kind != Entry::Kind::kCounter) {
    if (entry.timestamp <= deletion_.timestamp) return;
    if (column_number_ == entry.column && entry.timestamp <= column_.timestamp) return;
  }
  place_ = pending_ ? reconcile(place_, entry) : entry;
  pending_ = true;
}

void RecordBuilder::flush() {
  pending_ = false;
  write(place_);
}

void RecordBuilder::write(const Entry& entry) {
  if (!begun_) write_head(entry.timestamp, entry.ttl, entry.when);
  unsigned flags = 0;
  if (!entry.path.empty()) flags |= kPath;
  if (entry.timestamp != base_ && entry.kind != Entry::Kind::kCounter) flags |= kOwnTime;
  switch (entry.kind) {
    case Entry::Kind::kErasedAll:
      flags |= kErasedAll;
      break;
    case Entry::Kind::kTombstone:
      flags |= kTombstone;
      break;
    case Entry::Kind::kCounter:
      flags |= entry.cleared ? kCounter | kCleared : kCounter;
      break;
    case Entry::Kind::kCell:
      if (entry.ttl != 0)
        flags |= entry.ttl == base_ttl_ && entry.when == base_expires_ ? kBaseTtl : kOwnTtl;
  }
  put(out_, entry.column);
  out_.push_back(static_cast<char>(flags));
  if (flags & kPath) put_bytes(out_, entry.path);
  if (flags & kOwnTime) put_signed(out_, minus(entry.timestamp, base_));
  if (flags & (kTombstone | kErasedAll)) {
    put_signed(out_, entry.when);
  } else if (flags & kCounter) {
    append_be(out_, entry.sum);
  } else {
    if (flags & kOwnTtl) {
      put(out_, static_cast<std::uint64_t>(entry.ttl));
      put_signed(out_, entry.when);
    }
    put_bytes(out_, entry.value);
  }
}

void RecordBuilder::finish() {
  if (pending_) flush();
  if (!begun_) write_head(deletion_.live() ? 0 : deletion_.timestamp, 0, 0);
}

bool fold(std::span<const std::string_view> records, std::string& out) {
  struct Source {
    RecordReader reader;
    Entry entry;
    bool more = false;
  };
  constexpr std::size_t kFew = 8;
  std::array<Source, kFew> few;
  std::vector<Source> many(records.size() > kFew ? records.size() : 0);
  const std::span<Source> sources(many.empty() ? few.data() : many.data(), records.size());

  Liveness liveness;
  Deletion deletion;
  std::string_view raw;
  for (std::size_t i = 0; i < records.size(); ++i) {
    Source& source = sources[i];
    if (!source.reader.open(records[i])) return false;
    if (supersedes(source.reader.liveness(), liveness)) liveness = source.reader.liveness();
    if (supersedes(source.reader.deletion(), deletion)) deletion = source.reader.deletion();
    if (raw.empty()) raw = source.reader.raw();
    source.more = source.reader.next(source.entry);
  }
  out.clear();
  RecordBuilder builder(out);
  builder.begin(liveness, deletion, raw);
  while (true) {
    const Source* first = nullptr;
    for (const Source& source : sources)
      if (source.more && (!first || compare(source.entry, first->entry) < 0)) first = &source;
    if (!first) break;
    const Entry place = first->entry;
    bool here = false;
    for (Source& source : sources) {
      if (here && !source.reader.deletion().live()) builder.clear_counter();
      if (!source.more || compare(source.entry, place) != 0) continue;
      here = true;
      builder.offer(source.entry);
      source.more = source.reader.next(source.entry);
    }
  }
  builder.finish();
  return std::ranges::none_of(sources, [](const Source& s) { return s.reader.failed(); });
}

bool read_record(std::string_view record, const Deletion& outer, std::int64_t now_seconds, Row& row,
                 bool& damaged) {
  RecordReader reader;
  row.cells.clear();
  row.liveness = {};
  if (!reader.open(record)) {
    damaged = true;
    return false;
  }
  row.raw_clustering = reader.raw();
  const Liveness& liveness = reader.liveness();
  if (liveness.timestamp > outer.timestamp && (liveness.ttl == 0 || now_seconds < liveness.expires))
    row.liveness = liveness;
  Entry entry;
  while (reader.next(entry)) {
    if (entry.kind == Entry::Kind::kCounter) {
      row.cells.push_back({entry.column, entry.path, 0, 0, 0, entry.value});
      continue;
    }
    if (entry.kind != Entry::Kind::kCell || entry.timestamp <= outer.timestamp ||
        entry.expired(now_seconds))
      continue;
    row.cells.push_back(
        {entry.column, entry.path, entry.timestamp, entry.ttl, entry.when, entry.value});
  }
  damaged = reader.failed();
  return !damaged && (row.liveness.timestamp != kNoTimestamp || !row.cells.empty());
}

namespace {

/// What is left of an entry when all there is of its row is known; false: nothing.
bool left_of(Entry& entry, const PurgeRules& rules, bool& changed) {
  if (entry.kind == Entry::Kind::kCounter) {
    changed |= entry.cleared;
    entry.cleared = false;
    return true;
  }
  bool gone = entry.timestamp <= rules.outer.timestamp;
  if (entry.kind != Entry::Kind::kCell) {
    gone |= entry.when < rules.before_seconds;
  } else if (entry.expired(rules.now_seconds)) {
    // It counts as deleted from the moment of its write. Until then it stays what it is, without
    // its value: a tombstone would win over a cell of its timestamp that expires later.
    gone |= entry.when - entry.ttl < rules.before_seconds;
    changed |= !entry.value.empty();
    entry.value = {};
  }
  changed |= gone;
  return !gone;
}

}  // namespace

Purged purge(std::string_view record, const PurgeRules& rules, std::string& out) {
  RecordReader reader;
  if (!reader.open(record)) return Purged::kSame;
  bool changed = false;
  Liveness liveness = reader.liveness();
  if (liveness.timestamp != kNoTimestamp &&
      (liveness.timestamp <= rules.outer.timestamp ||
       (liveness.ttl != 0 && rules.now_seconds >= liveness.expires &&
        liveness.expires < rules.before_seconds))) {
    liveness = {};
    changed = true;
  }
  Deletion deletion = reader.deletion();
  if (!deletion.live() &&
      (deletion.timestamp <= rules.outer.timestamp || deletion.local_time < rules.before_seconds)) {
    deletion = {};
    changed = true;
  }
  Entry entry;
  bool anything = liveness.timestamp != kNoTimestamp || !deletion.live();
  while (reader.next(entry)) anything |= left_of(entry, rules, changed);
  if (reader.failed()) return Purged::kSame;
  if (!anything) return Purged::kNothing;
  if (!changed) return Purged::kSame;

  reader.open(record);
  out.clear();
  RecordBuilder builder(out);
  builder.begin(liveness, deletion, reader.raw());
  while (reader.next(entry))
    if (left_of(entry, rules, changed)) builder.offer(entry);
  builder.finish();
  return Purged::kChanged;
}

}  // namespace tailrace::cql_store
