// Traces: the state of operators, a write-back cache over one prefix of the store.
//
// Changes stay in memory until save(), which gives what changed to a writer; the writer must be
// finished before the next call. After a save evict() may forget everything that is in the store.
// While nothing was ever forgotten
// (`complete`: a new circuit) the store is not asked at all; after that a filter of the forgotten
// keys spares most look-ups of keys that are new. A restored trace knows nothing and asks the
// store.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_set.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/key_filter.h"
#include "kv/store.h"

namespace tailrace::engine {

/// What a circuit does with every trace, whatever its kind.
class Trace {
 public:
  virtual ~Trace() = default;
  virtual void save(kv::BulkWriter& writer) = 0;
  /// Forgets entries that are in the store; only between a save and the next change.
  virtual void evict() = 0;
  virtual std::size_t size_bytes() const = 0;
};

/// Where a trace lives, and whether nothing was ever saved there.
struct TraceHome {
  kv::Store* store;
  std::string prefix;
  bool fresh;
};

/// Values by key; each key is asked for by itself.
class PointTrace final : public Trace {
 public:
  struct Slot {
    const char* key_data;
    char* value_data;
    std::uint32_t key_size, value_size, capacity;
    bool present, dirty;

    std::string_view key() const { return {key_data, key_size}; }
    std::string_view value() const { return {value_data, value_size}; }
  };

  /// Values of sorted keys; nullopt where there is none.
  using Read = std::function<Result<std::vector<std::optional<std::string>>>(
      std::span<const std::string_view> keys)>;

  explicit PointTrace(TraceHome home)
      : home_(std::move(home)), complete_(home_.fresh), knows_store_(home_.fresh) {}
  /// Somebody else writes the values, before the next step: save() does not.
  PointTrace(bool fresh, Read read)
      : read_(std::move(read)), complete_(fresh), knows_store_(fresh) {}

  /// The slots of `keys` (distinct; hashes by hash_of), brought from the store in one read where
  /// needed. A slot lives until evict().
  Status open(std::span<const std::string_view> keys, std::span<const std::uint64_t> hashes,
              std::vector<Slot*>& slots);
  void put(Slot& slot, std::string_view value);
  void erase(Slot& slot);

  static std::uint64_t hash_of(std::string_view key) { return absl::Hash<std::string_view>()(key); }

  void save(kv::BulkWriter& writer) override;
  void evict() override;
  std::size_t size_bytes() const override;

 private:
  struct Entry {
    Slot* slot;
    std::uint64_t hash;
  };
  struct Probe {
    std::string_view key;
    std::uint64_t hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Entry& entry) const { return entry.hash; }
    std::size_t operator()(const Probe& probe) const { return probe.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Entry& a, const Entry& b) const { return a.slot == b.slot; }
    bool operator()(const Entry& entry, const Probe& probe) const {
      return entry.hash == probe.hash && entry.slot->key() == probe.key;
    }
    bool operator()(const Probe& probe, const Entry& entry) const { return (*this)(entry, probe); }
  };
  Slot* make_slot(std::string_view key);
  void set_value(Slot& slot, std::string_view value);
  void mark(Slot& slot);
  Status fetch(std::span<Slot*> missing);
  Result<std::vector<std::optional<std::string>>> read(std::span<Slot* const> sorted) const;

  TraceHome home_{};
  Read read_;
  bool complete_;
  bool knows_store_;     ///< false when restored: forgotten_ lacks what earlier circuits saved
  KeyFilter forgotten_;  ///< keys the store may hold beyond memory; of use when knows_store_
  Arena arena_;
  absl::flat_hash_set<Entry, Hash, Equal> slots_;
  std::vector<Slot*> dirty_;
};

/// Values in key order.
class OrderedTrace final : public Trace {
 public:
  explicit OrderedTrace(TraceHome home) : home_(std::move(home)), complete_(home_.fresh) {}

  /// Brings keys into memory with one sorted read, so that get and put of them need no store.
  Status load(std::vector<std::string_view> keys);
  /// Null when the key is not there; the key was loaded.
  const std::string* get(std::string_view key) const;
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);

  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  /// Entries of [begin, end) in key order, until `visit` returns false; an empty end means to the
  /// last. `visit` must not change the trace.
  Status scan(std::string_view begin, std::string_view end, const Visit& visit) const;
  Status scan_prefix(std::string_view prefix, const Visit& visit) const {
    return scan(prefix, kv::prefix_end(prefix), visit);
  }

  void save(kv::BulkWriter& writer) override;
  void evict() override;
  std::size_t size_bytes() const override;

 private:
  struct Entry {
    std::string value;
    bool present = false, dirty = false;
  };
  Entry& at(std::string_view key);
  void rebuild();
  Status scan_merged(std::string_view begin, std::string_view end, const Visit& visit) const;

  TraceHome home_;
  bool complete_;
  Arena arena_;
  absl::btree_map<std::string_view, Entry> entries_;
  std::size_t value_bytes_ = 0, garbage_bytes_ = 0;
  std::vector<std::string_view> dirty_;
};

}  // namespace tailrace::engine
