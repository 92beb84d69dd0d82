// The topic `_schemas`: one partition, compacted, in which a registry keeps what it knows.
#pragma once

#include <memory>

#include "base/result.h"
#include "log/log.h"
#include "subjects/registry.h"

namespace tailrace::subjects {

inline constexpr std::string_view kSchemasTopic = "_schemas";

/// The topic is made with the first record. Threads: append() from one at a time.
class SubjectLog final : public Sink {
 public:
  /// The log must outlive it.
  explicit SubjectLog(log::Log& log) : log_(log) {}

  /// Gives every record to the registry. A record that is none of a registry's is passed over, with
  /// one line in the log; an error is the log's.
  Status load(Registry& registry);

  Result<std::int64_t> append(std::span<const RecordText> records) override;

 private:
  Status make_topic();

  log::Log& log_;
  std::shared_ptr<log::Partition> partition_;  ///< null while there is no topic
};

}  // namespace tailrace::subjects
