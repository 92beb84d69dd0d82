// The topic of rejects as one runner writes it: a producer of its own, each reject once.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "connect/rejects.h"
#include "log/log.h"

namespace tailrace::connect {

class RejectLog {
 public:
  /// Makes the topic when it is not there. `source`: the runner's name.
  static Result<std::unique_ptr<RejectLog>> open(log::Log& log, const std::string& source);

  /// Records of rejects.h; the first has this sequence. `ids`: of the deliveries they came with,
  /// "" for none; may be empty. Not synced.
  Status append(std::span<const std::string> rejects, std::int64_t sequence,
                std::span<const std::string> ids = {});
  /// Adds the ids of what this runner appended from `end` on, unless its next sequence is the
  /// log's.
  Status ids_since(std::int64_t end, std::int64_t sequence, std::vector<std::string>& ids) const;
  std::int64_t end() const { return partition_->next_offset().value; }
  Status sync() { return partition_->sync(); }
  std::int64_t next_sequence() const;
  /// Takes the log's sequence where it has lost some of what was noted.
  void catch_up(std::int64_t& sequence) const;

 private:
  RejectLog(std::string source, std::shared_ptr<log::Partition> partition);
  const std::string source_;
  const std::int64_t producer_;
  const std::shared_ptr<log::Partition> partition_;
};

}  // namespace tailrace::connect
