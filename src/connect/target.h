// Where a runner puts what its source emits: a topic of the log, or a staging table.
//
// Order of calls: load() once; then for each chunk write(), again and again with the same chunk and
// state until it succeeds; note() now and then. What was written and not noted is emitted again
// after a crash, and must be recognised. Threads: one thread calls a target, after load().
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "connect/noted_state.h"
#include "connect/record_encoder.h"
#include "connect/source.h"
#include "log/log.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "staging/staging.h"

namespace tailrace::connect {

class Target {
 public:
  /// Of one write().
  struct Written {
    std::int64_t appended = 0;
    std::int64_t appended_bytes = 0;
    std::int64_t duplicates = 0;  ///< emitted again after a crash, and dropped
    std::int64_t misfits = 0;     ///< records that write() added to the chunk's rejects
  };

  virtual ~Target() = default;
  /// What is noted of a source with this fingerprint; of another one: from its beginning.
  virtual Result<NotedState> load(const std::string& fingerprint) = 0;
  /// Writes the chunk's records and rejects, and moves `state` past it.
  virtual Result<Written> write(Chunk& chunk, NotedState& state, std::stop_token stop) = 0;
  /// How many records are there that were written after `state` was noted, as load() gave it: a
  /// source emits them again.
  virtual std::int64_t written_since(const NotedState& /*state*/) const { return 0; }
  /// The ids of what was written after `state` was noted, as load() gave it, and from then on not
  /// again; nothing where ids are not kept with their records.
  virtual Result<std::optional<std::vector<std::string>>> ids_since(NotedState& /*state*/) {
    return std::nullopt;
  }
  /// Makes durable what was written; `state` need not be.
  virtual Status sync(NotedState& state) { return note(state, false); }
  /// Makes durable what was written, then `state`. `clean`: nothing is written after it.
  virtual Status note(NotedState& state, bool clean) = 0;
};

struct LogTargetConfig {
  std::string name;    ///< of the source: producer ids and file names come from it
  std::string topic;   ///< must be there
  std::string folder;  ///< DATA/ingest
  EncoderSource encoders = {};
  bool ids_in_records = true;  ///< the log can be read back at the start: ids_since()
};

/// A topic: each partition drops what it has, by producer id and sequence. The state is a file.
/// kNotFound: there is no such topic.
Result<std::unique_ptr<Target>> log_target(LogTargetConfig config, log::Log& log,
                                           rt::FileSystem& files, rt::Clock& clock);

/// A staging table: rows and state in one transaction. `topic` is where its changes go, as rejects
/// name it.
Result<std::unique_ptr<Target>> staging_target(const std::string& name, const std::string& topic,
                                               std::unique_ptr<staging::Table> table, log::Log& log,
                                               rt::Clock& clock);

}  // namespace tailrace::connect
