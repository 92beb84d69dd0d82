// Runs one source in a thread and appends what it emits to a topic, or lands it in a staging table
// (target.h), each record once, kill -9 or not.
//
//   FOLDER/NAME.json    what is noted of a topic's source (log_target.cc)
//   FOLDER/NAME.spool   a fetched chunk that cannot be fetched again, from before its append until
//                       it is noted
//
// What a crash leaves at each point, of a topic: (1) chunk fetched, nothing appended: fetched again
// or read from the spool; (2) some of it appended: emitted again with the same sequences, the log
// drops what it has; (3) appended and synced but not noted: the same, all of it dropped; (4) noted:
// the next chunk. A position is noted only after Log::sync of its partitions. A staging table takes
// rows and position in one transaction (staging_target.cc).
//
// A record larger than the topic's max.message.bytes, one that does not fit the topic's schema, and
// what the source rejects, go to the topic
// `__rejected` as JSON {source, topic, reason, detail, origin, bytes (base64), time_ms}, by the
// same rules. Threads: start, stop, pause, status from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connect/record_encoder.h"
#include "connect/source.h"
#include "connect/target.h"
#include "log/log.h"
#include "rt/clock.h"
#include "rt/file.h"

namespace tailrace::connect {

inline constexpr std::string_view kRejectedTopic = "__rejected";

struct RunnerConfig {
  std::string name;    ///< of the source: producer ids and file names come from it
  std::string topic;   ///< must be there
  std::string folder;  ///< DATA/ingest
  /// Where the topic's format has a schema: records are written by it.
  EncoderSource encoders = {};
  /// A replayable source's position is noted at least so often while it emits.
  std::int64_t note_every_ms = 500;
  std::int64_t note_every_records = 200'000;
  /// Ids of deliveries are kept in their records, and read back after a crash; false where the log
  /// is somewhere else.
  bool ids_in_records = true;
  std::string staged_in = {};  ///< the staging table that the target is, for traces; empty: a topic
};

enum class SourceState { kStarting, kRunning, kWaiting, kPaused, kFinished, kFailed, kStopped };
std::string_view source_state_name(SourceState state);

/// Counters since the start of the process; `records` is since the beginning of the source.
struct SourceStatus {
  std::string name;
  std::string topic;
  std::string describe;
  SourceState state = SourceState::kStarting;
  std::string why;                           ///< what it waits for, or how far it is
  std::optional<Chunk::Behind> behind = {};  ///< as its last chunk said
  std::int64_t records = 0;
  std::int64_t fetched = 0;  ///< records and rejects
  std::int64_t fetched_bytes = 0;
  std::int64_t appended = 0;
  std::int64_t appended_bytes = 0;
  std::int64_t duplicates = 0;  ///< emitted again after a crash, and dropped
  std::int64_t rejected = 0;
  std::int64_t errors = 0;
  std::string last_error;
  std::int64_t last_error_ms = 0;
  bool failing = false;         ///< the last try ended in last_error
  bool target_failing = false;  ///< and it was the target that failed
  bool idle = false;            ///< nothing more is there for now, all of it appended
};

class SourceRunner {
 public:
  virtual ~SourceRunner() = default;

  /// Reads what is noted. kDataLoss when that file is damaged, kNotFound when the topic is missing.
  static Result<std::unique_ptr<SourceRunner>> open(RunnerConfig config,
                                                    std::unique_ptr<Source> source, log::Log& log,
                                                    rt::FileSystem& files = rt::posix_files(),
                                                    rt::Clock& clock = rt::system_clock());
  /// The same with another target than the topic's log.
  static Result<std::unique_ptr<SourceRunner>> open(RunnerConfig config,
                                                    std::unique_ptr<Source> source,
                                                    std::unique_ptr<Target> target,
                                                    rt::FileSystem& files = rt::posix_files(),
                                                    rt::Clock& clock = rt::system_clock());

  /// Starts the thread.
  virtual void start() = 0;
  /// Ends the thread within a moment, notes the position. The destructor stops too.
  virtual void stop() = 0;
  /// Back-pressure: a paused source emits nothing.
  virtual void pause(bool on) = 0;
  virtual SourceStatus status() const = 0;

  /// One emission in the calling thread (tests, --once): the wait it asks for.
  virtual Result<std::chrono::nanoseconds> step() = 0;
  /// Notes the position of all that was appended.
  virtual Status note() = 0;
};

/// The partition of a key as Kafka's default partitioner chooses it: murmur2, positive, modulo.
std::int32_t partition_of_key(std::string_view key, std::int32_t partitions);

}  // namespace tailrace::connect
