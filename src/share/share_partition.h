// A partition as a share group reads it (KIP-932): which records are with whom, how often each was
// delivered, and where the group begins. No clock, no IO, no threads.
//
//                   acquire (+1 delivery)                accept
//   kAvailable ───────────────────────────▶ kAcquired ───────────▶ kAcknowledged
//        ▲                                    │    │
//        │  release, lock ended, session ended│    │ reject, gap, or delivered
//        └────────────────────────────────────┘    │ as often as allowed
//                                                  └──────────────▶ kArchived
//
//   final        in flight: available or with a member        never acquired yet
//   ────────────┬───────────────────────────────────────────┬────────────────────▶ offsets
//             start()                                      end()
//
// Offsets, not records, are followed: an offset that holds no record (compacted, a marker, of an
// aborted transaction) is archived when a read shows it, and start() moves over what is final.
//
// Order of calls: next_fetch() says where to read; acquire() gives a member some of what was read;
// acknowledge(), release() and expire() say what became of it. What they return is to be appended
// (records.h); after a restart the object is made from what was kept, and what was with members is
// available again. Of a record that was with a member then, the delivery is not counted, as in
// Kafka: it is written when the record comes back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/kafka_error.h"
#include "share/kept_state.h"
#include "share/records.h"
#include "share/runs.h"

namespace tailrace::share {

/// Of a group, as they are now.
struct Settings {
  std::int32_t record_lock_ms = 30'000;   // share.record.lock.duration.ms
  std::int32_t delivery_count_limit = 5;  // share.delivery.count.limit
  std::int32_t max_record_locks = 2'000;  // share.partition.max.record.locks
  bool renewals = true;                   // share.renew.acknowledge.enable
};

/// A batch that was read, by rising offset; what lies between two batches is no record.
struct ReadBatch {
  Offset first;
  Offset last;
  bool has_records = true;  // false: a marker, or of an aborted transaction
};

struct AcquireTask {
  std::string member;
  std::span<const ReadBatch> batches;
  std::int32_t max_records = 0;
  std::int32_t batch_size = 0;  // what is acquired is told in parts of about so many records
  bool exactly = false;         // never more than max_records (KIP-1206); else batches stay whole
};

struct Acquired {
  Offset first;
  Offset last;
  std::int16_t delivery_count = 0;
  auto operator<=>(const Acquired&) const = default;
};

/// The numbers are the protocol's.
enum class AcknowledgeType : std::int8_t {
  kGap = 0,  // there is no record at this offset
  kAccept = 1,
  kRelease = 2,
  kReject = 3,
  kRenew = 4,  // still working: the lock begins anew (KIP-1222)
};

struct Acknowledgement {
  Offset first;
  Offset last;
  std::vector<AcknowledgeType> types;  // one for all, or one for each offset
};

/// What a change leads to.
struct Settled {
  KafkaError error = KafkaError::kNone;  // nothing was changed then
  std::string_view message{};
  std::optional<Update> update{};  // to be appended; its snapshot epoch is the caller's to set
  bool freed = false;              // something is available that was not
};

/// Neighbouring offsets from start() on whose fate is open: with a member, or given back to be
/// delivered again.
struct InFlight {
  Offset first;
  Offset last;
  RecordState state = RecordState::kAvailable;  // or kAcquired
  std::int16_t delivery_count = 0;
  std::string member{};
  auto operator<=>(const InFlight&) const = default;
};

class SharePartition {
 public:
  /// `start`: where the group begins when nothing was kept of that.
  SharePartition(const KeptState& kept, Offset start);

  Offset start() const { return start_; }
  /// The first offset that was never acquired.
  Offset end() const { return end_; }
  /// Where to read for the next to acquire: what is available below end(), else end().
  Offset next_fetch() const;
  /// Whether acquire() may give anything: false when as many records as allowed are in flight.
  bool has_room(const Settings& settings) const;

  /// Records from next_fetch() on; `batches` were read from there.
  std::vector<Acquired> acquire(const AcquireTask& task, const Settings& settings, TimestampMs now);
  /// All or nothing. What lies below start() is done already.
  Settled acknowledge(const std::string& member, std::span<const Acknowledgement> acknowledgements,
                      const Settings& settings, TimestampMs now);
  /// The member is gone: what it has is available again.
  Settled release(const std::string& member, const Settings& settings);
  /// What is locked until `now` or before is available again.
  Settled expire(const Settings& settings, TimestampMs now);
  /// When expire() is due; may be early.
  std::optional<TimestampMs> next_deadline() const { return deadline_; }
  /// By rising offset.
  std::vector<InFlight> in_flight() const;
  /// Records below were deleted.
  void log_starts_at(Offset offset);
  /// What tells start() to a replay before anything was settled.
  Update first_update() const;

 private:
  struct Place {
    RecordState state = RecordState::kAvailable;
    std::int16_t delivery_count = 0;
    std::string member{};
    TimestampMs deadline{0};
    bool operator==(const Place&) const = default;
  };
  struct Take;

  Settled check(const std::string& member, const Acknowledgement& one,
                const Settings& settings) const;
  void settle(const std::string& member, const Acknowledgement& one, const Settings& settings,
              TimestampMs now, Runs<KeptState::Fate>& changed);
  void give_back(Offset first, Offset last, Place& place, const Settings& settings,
                 Runs<KeptState::Fate>& changed);
  Settled settled(const Runs<KeptState::Fate>& changed);
  void archive(Offset first, Offset last);
  std::int32_t complete() const;
  void move_start();
  void lock(Place& place, const std::string& member, const Settings& settings, TimestampMs now);

  Offset start_;
  Offset end_;
  Runs<Place> places_;  // all of [start_, end_)
  std::optional<TimestampMs> deadline_;
};

}  // namespace tailrace::share
