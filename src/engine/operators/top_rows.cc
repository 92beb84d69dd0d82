// Keys: partition, order, row. Near: key → weight, where the row begins. Set aside: where the row
// begins (8 bytes), key. Numbers are of this machine.
#include "engine/operators/top_rows.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "columns/byte_order.h"

namespace tailrace::engine {
namespace {

constexpr std::int64_t kLeastReserve = 16;
/// After rows set aside were read again, one of so many is held near.
constexpr std::int64_t kReserveShare = 16;
/// Rows added and taken away again are dropped once they outnumber the others by so many.
constexpr std::int64_t kGarbageEntries = 4096;

struct Near {
  Weight weight;
  std::uint64_t row_at;

  static Near read(std::string_view bytes) {
    Near near;
    std::memcpy(&near, bytes.data(), sizeof near);
    return near;
  }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
};

std::string cold_key(std::string_view key, std::uint64_t row_at) {
  std::string cold(reinterpret_cast<const char*>(&row_at), sizeof row_at);
  cold += key;
  return cold;
}

}  // namespace

TopRows::TopRows(std::int64_t limit, bool rows_only_come, TraceHomes& homes)
    : limit_(limit),
      rows_only_come_(rows_only_come),
      near_(homes.next()),
      parts_(homes.next()),
      cold_(homes.next()) {}

Result<std::vector<TopRows::Change>> TopRows::apply(const Ordered& in) {
  TRY(sum_up(in));
  ASSIGN(std::vector<Run> runs, open_runs());
  std::vector<Change> changes(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    ASSIGN(changes[i].before, first_places(partition_of(runs[i])));
  }
  for (Run& run : runs) TRY(lower_bound(run));
  TRY(load_near(runs));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    put(runs[i]);
    TRY(settle(runs[i]));
    write_part(runs[i]);
    ASSIGN(changes[i].after, first_places(partition_of(runs[i])));
  }
  return changes;
}

Status TopRows::sum_up(const Ordered& in) {
  const EncodedRows heads = append_bytes(in.partitions, in.orders);
  step_keys_ = append_bytes(heads, in.rows);
  groups_.assign(in.partitions);
  keys_.assign(step_keys_);
  step_.assign(keys_.size(), {});
  for (std::size_t i = 0; i < step_.size(); ++i) {
    const std::int64_t row = keys_.first_rows()[i];
    step_[i] = {keys_.keys()[i], heads[row].size(), groups_.group_of()[row], 0};
  }
  for (std::int64_t row = 0; row < in.input.size(); ++row) {
    step_[keys_.group_of()[row]].weight += in.input.weight(row);
  }
  std::erase_if(step_, [](const StepRow& row) { return row.weight == 0; });
  sort_by_bytes(step_, [](const StepRow& row) { return row.key; });
  return {};
}

Result<std::vector<TopRows::Run>> TopRows::open_runs() {
  TRY(parts_.open(groups_.keys(), groups_.hashes(), slots_));
  std::vector<Run> runs;
  for (std::size_t i = 0; i < step_.size(); ++i) {
    const std::size_t group = step_[i].group;
    if (runs.empty() || runs.back().group != group)
      runs.push_back({group, i, i, read_part(*slots_[group])});
    runs.back().end = i + 1;
  }
  return runs;
}

std::int64_t TopRows::near_limit(const Part& part) const {
  if (limit_ == std::numeric_limits<std::int64_t>::max()) return limit_;
  const std::int64_t least = rows_only_come_ ? 0 : std::max(kLeastReserve, limit_);
  return limit_ + std::max(least, part.reserve);
}

Status TopRows::lower_bound(Run& run) {
  std::int64_t come = 0;
  const std::int64_t most = near_limit(run.part);
  for (std::size_t i = run.begin; i < run.end; ++i) {
    if (run.part.bounded && step_[i].key >= run.part.bound) break;
    if (step_[i].weight < 0 || ++come <= most) continue;
    run.part.bounded = true;
    run.part.bound = step_[i].key;
    return trim(run, most);
  }
  return {};
}

Status TopRows::load_near(const std::vector<Run>& runs) {
  std::vector<std::string_view> keys;
  for (const Run& run : runs) {
    for (std::size_t i = run.begin; i < run.end; ++i) {
      if (!run.part.bounded || step_[i].key < run.part.bound) keys.push_back(step_[i].key);
    }
  }
  return near_.load(std::move(keys));
}

void TopRows::put(Run& run) {
  for (std::size_t i = run.begin; i < run.end; ++i) {
    const StepRow& row = step_[i];
    if (run.part.bounded && row.key >= run.part.bound) {
      set_aside(run, cold_key(row.key, row.row_at), row.weight);
      continue;
    }
    const std::string* known = near_.get(row.key);
    const Weight weight = row.weight + (known ? Near::read(*known).weight : 0);
    if (weight != 0) {
      if (!known) ++run.part.near;
      near_.put(row.key, Near{weight, row.row_at}.bytes());
    } else if (known) {
      --run.part.near;
      near_.erase(row.key);
    }
  }
}

Status TopRows::settle(Run& run) {
  Part& part = run.part;
  const std::int64_t most = near_limit(part);
  // Half as many again, so that not every step trims.
  if (part.near - most > most / 2) TRY(trim(run, most));
  const bool garbage = part.cold.entries > 2 * part.cold.rows + kGarbageEntries;
  if (garbage || (part.near < limit_ && part.cold.rows > 0)) return refill(run);
  return {};
}

Status TopRows::trim(Run& run, std::int64_t kept) {
  std::int64_t seen = 0;
  std::vector<std::pair<std::string, Near>> behind;
  TRY(near_.scan_prefix(partition_of(run), [&](std::string_view key, std::string_view value) {
    const bool past_bound = run.part.bounded && key >= run.part.bound;
    if (past_bound || ++seen > kept) behind.emplace_back(key, Near::read(value));
    return true;
  }));
  if (behind.empty()) return {};
  if (!run.part.bounded || behind[0].first < run.part.bound) run.part.bound = behind[0].first;
  run.part.bounded = true;
  run.part.near -= static_cast<std::int64_t>(behind.size());
  for (const auto& [key, near] : behind) {
    near_.erase(key);
    set_aside(run, cold_key(key, near.row_at), near.weight);
  }
  return {};
}

Status TopRows::refill(Run& run) {
  ASSIGN(const auto sums, cold_.take_all(partition_of(run), run.part.cold));
  std::vector<std::pair<std::string_view, Weight>> rows(sums.begin(), sums.end());
  const auto key_of = [](const auto& row) { return row.first.substr(sizeof(std::uint64_t)); };
  sort_by_bytes(rows, key_of);
  const auto count = static_cast<std::int64_t>(rows.size());
  run.part.reserve = count / kReserveShare;
  const std::int64_t wanted =
      std::clamp<std::int64_t>(near_limit(run.part) - run.part.near, 0, count);
  run.part.bounded = wanted < count;
  run.part.bound = run.part.bounded ? std::string(key_of(rows[wanted])) : std::string();
  run.part.near += wanted;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& [cold, weight] = rows[i];
    if (i >= wanted) {
      set_aside(run, cold, weight);
      continue;
    }
    Near near{weight, 0};
    std::memcpy(&near.row_at, cold.data(), sizeof near.row_at);
    near_.put(key_of(rows[i]), near.bytes());
  }
  return {};
}

void TopRows::set_aside(Run& run, std::string_view key, Weight weight) {
  if (!rows_only_come_) cold_.add(partition_of(run), run.part.cold, key, weight);
}

Result<std::vector<Place>> TopRows::first_places(std::string_view partition) const {
  std::vector<Place> places;
  std::int64_t rank = 1;
  TRY(near_.scan_prefix(partition, [&](std::string_view key, std::string_view value) {
    const Near near = Near::read(value);
    const Weight count = std::min<Weight>(near.weight, limit_ - rank + 1);
    if (count > 0) places.push_back({std::string(key), near.row_at, rank, count});
    rank += std::max<Weight>(count, 0);
    return rank <= limit_;
  }));
  return places;
}

TopRows::Part TopRows::read_part(const PointTrace::Slot& slot) {
  Part part;
  if (!slot.present) return part;
  std::string_view bytes = slot.value();
  const auto take = [&](auto& number) {
    std::memcpy(&number, bytes.data(), sizeof number);
    bytes.remove_prefix(sizeof number);
  };
  take(part.cold);
  take(part.near);
  take(part.reserve);
  take(part.bounded);
  part.bound = bytes;
  return part;
}

void TopRows::write_part(const Run& run) {
  const Part& part = run.part;
  std::string bytes;
  const auto append = [&](const auto& number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  append(part.cold);
  append(part.near);
  append(part.reserve);
  append(part.bounded);
  bytes += part.bound;
  parts_.put(*slots_[run.group], bytes);
}

}  // namespace tailrace::engine
