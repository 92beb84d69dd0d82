#include "spark/difference.h"

#include <absl/container/flat_hash_map.h>
#include <arrow/util/byte_size.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <span>

#include "columns/row_codec.h"
#include "engine/rows.h"
#include "lake/data_file.h"

namespace tailrace::spark {
namespace {

/// Rows gathered until they are given away together.
constexpr std::int64_t kGivenBytes = 16 << 20;

struct Hash {
  std::uint64_t high, low;
  bool operator==(const Hash&) const = default;
};

struct HashOf {
  std::size_t operator()(const Hash& hash) const { return hash.low; }
};

Status each_row(const std::vector<std::string>& paths, const Schema& schema,
                const std::function<Status(const Batch&, std::span<const Hash>)>& visit) {
  std::vector<Hash> hashes;
  const auto read = [&](const Batch& rows) -> Result<bool> {
    ASSIGN(const EncodedRows encoded, encode_rows(*rows));
    hashes.clear();
    for (std::int64_t i = 0; i < encoded.size(); ++i) {
      const XXH128_hash_t hash = XXH3_128bits(encoded[i].data(), encoded[i].size());
      hashes.push_back({hash.high64, hash.low64});
    }
    TRY(visit(rows, hashes));
    return true;
  };
  for (const std::string& path : paths) TRY(lake::read_data_file(path, schema, read));
  return {};
}

/// Deltas put together until they are large.
class Gathered {
 public:
  Gathered(Schema schema, const std::function<Status(Delta)>& emit)
      : schema_(std::move(schema)), emit_(emit) {}

  Status add(const Batch& rows, const std::vector<std::int64_t>& chosen, Weight weight) {
    if (chosen.empty()) return {};
    Delta delta;
    ASSIGN(delta.rows, engine::take(rows, chosen));
    delta.weights.assign(chosen.size(), weight);
    bytes_ += arrow::util::ReferencedBufferSize(*delta.rows).ValueOr(0);
    parts_.push_back(std::move(delta));
    return bytes_ < kGivenBytes ? Status() : give();
  }
  Status give() {
    if (parts_.empty()) return {};
    ASSIGN(Delta whole, engine::concat(parts_, schema_));
    parts_.clear();
    bytes_ = 0;
    return emit_(std::move(whole));
  }

 private:
  Schema schema_;
  const std::function<Status(Delta)>& emit_;
  std::vector<Delta> parts_;
  std::int64_t bytes_ = 0;
};

class Difference {
 public:
  Difference(const FilesChanged& files, const Schema& schema, std::size_t memory_bytes)
      : files_(files),
        schema_(schema),
        capacity_(std::max<std::size_t>(memory_bytes / (2 * sizeof(Slot)), 16)) {}

  Status give(const std::function<Status(Delta)>& emit) {
    Gathered gathered(schema_, emit);
    TRY(count());
    const bool whole = last_ == UINT64_MAX;
    TRY(find(gathered, true, whole));
    while (next()) {
      TRY(count());
      TRY(find(gathered, true, false));
    }
    if (whole) return gathered.give();
    from_ = 0;
    do {
      TRY(count());
      TRY(find(gathered, false, true));
    } while (next());
    return gathered.give();
  }

 private:
  using Weights = absl::flat_hash_map<Hash, Weight, HashOf>;
  using Slot = Weights::value_type;

  bool next() {
    if (last_ == UINT64_MAX) return false;
    from_ = last_ + 1;
    return true;
  }

  /// Sums up the rows of a range that begins at from_; it ends where they fill the memory.
  Status count() {
    weights_.clear();
    last_ = UINT64_MAX;
    for (const auto& [paths, weight] : {std::pair{&files_.removed, -1}, {&files_.added, 1}})
      TRY(each_row(*paths, schema_, [&](const Batch&, std::span<const Hash> rows) -> Status {
        for (const Hash& row : rows) {
          if (row.high < from_ || row.high > last_) continue;
          const auto [at, fresh] = weights_.try_emplace(row, 0);
          at->second += weight;
          if (at->second == 0) weights_.erase(at);
          if (fresh && weights_.size() > capacity_) narrow();
        }
        return {};
      }));
    return {};
  }

  void narrow() {
    std::vector<std::uint64_t> highs;
    highs.reserve(weights_.size());
    for (const auto& [row, weight] : weights_) highs.push_back(row.high);
    const auto middle = highs.begin() + static_cast<std::ptrdiff_t>(highs.size() / 2);
    std::ranges::nth_element(highs, middle);
    if (*middle <= from_) return;  // hashes spread: as good as impossible
    last_ = *middle - 1;
    absl::erase_if(weights_, [&](const Slot& slot) { return slot.first.high > last_; });
  }

  /// Reads the rows that count() found.
  Status find(Gathered& gathered, bool leaving, bool coming) {
    if (weights_.empty()) return {};
    std::vector<std::int64_t> chosen;
    for (const bool left : {true, false}) {
      if (left ? !leaving : !coming) continue;
      const Weight step = left ? -1 : 1;
      TRY(each_row(left ? files_.removed : files_.added, schema_,
                   [&](const Batch& rows, std::span<const Hash> hashes) -> Status {
                     chosen.clear();
                     for (std::size_t i = 0; i < hashes.size(); ++i) {
                       const auto found = weights_.find(hashes[i]);
                       if (found == weights_.end() || found->second * step <= 0) continue;
                       found->second -= step;
                       chosen.push_back(static_cast<std::int64_t>(i));
                     }
                     return gathered.add(rows, chosen, step);
                   }));
    }
    return {};
  }

  const FilesChanged& files_;
  Schema schema_;
  std::size_t capacity_;
  Weights weights_;
  std::uint64_t from_ = 0, last_ = UINT64_MAX;  ///< of the hashes looked at
};

}  // namespace

Status difference(const FilesChanged& files, const Schema& schema, std::size_t memory_bytes,
                  const std::function<Status(Delta)>& emit) {
  return Difference(files, schema, memory_bytes).give(emit);
}

}  // namespace tailrace::spark
