// The topic `_schemas`: one partition, compacted, in which a registry keeps what it knows.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "log/log.h"
#include "subjects/registry.h"

namespace tailrace::subjects {

inline constexpr std::string_view kSchemasTopic = "_schemas";

/// The topic is made with the first record that is appended. A record that is none of a registry's
/// is passed over, with one line in the log. Where its file is damaged reading stops, with one
/// line, until the file is back.
///
/// Threads: has_new() from any; append() and read_new() from one at a time.
class SubjectLog final : public Store {
 public:
  /// The log must outlive it.
  explicit SubjectLog(log::Log& log) : log_(log) {}

  Status append(std::span<const RecordText> records) override;
  bool has_new() const override;
  Status read_new(const Use& use) override;

 private:
  Status make_topic();
  Status find_topic();
  Status read_on(const Use& use);

  static constexpr std::uint64_t kNever = UINT64_MAX;

  log::Log& log_;
  mutable std::mutex mutex_;                      ///< of partition_
  std::shared_ptr<log::Partition> partition_;     ///< null while there is no topic
  std::atomic<std::uint64_t> looked_at_{kNever};  ///< the log's appends when there was none
  std::atomic<std::int64_t> seen_{0};             ///< up to where there is nothing new
  Offset next_;                                   ///< of the record to read next
  log::ReadBuffer buffer_;                        ///< knows where that lies
  bool told_damage_ = false;
};

}  // namespace tailrace::subjects
