#include "connect/reject_log.h"

#include "connect/log_producer.h"
#include "connect/runner.h"

namespace tailrace::connect {

RejectLog::RejectLog(std::string source, std::shared_ptr<log::Partition> partition)
    : source_(std::move(source)),
      producer_(producer_id(source_ + "\nrejects")),
      partition_(std::move(partition)) {}

Result<std::unique_ptr<RejectLog>> RejectLog::open(log::Log& log, const std::string& source) {
  TRY(log.ensure_topic(kRejectedTopic, rejected_topic_settings()));
  ASSIGN(auto partition, log.partition(kRejectedTopic, PartitionId(0)));
  return std::unique_ptr<RejectLog>(new RejectLog(source, std::move(partition)));
}

Status RejectLog::append(std::span<const std::string> rejects, std::int64_t sequence,
                         std::span<const std::string> ids) {
  if (rejects.empty()) return {};
  std::vector<log::Record> records;
  std::vector<log::Header> headers;
  for (const std::string& id : ids) headers.push_back({kIdHeader, id});
  for (std::size_t i = 0; i < rejects.size(); ++i) {
    const bool named = i < ids.size() && !ids[i].empty();
    records.push_back({source_, rejects[i], TimestampMs(-1),
                       named ? std::span(headers).subspan(i, 1) : std::span<log::Header>()});
  }
  TRY(partition_->append(records, log::Producer{producer_, 0, sequence}, log::Durability::kNoSync));
  return {};
}

Status RejectLog::ids_since(std::int64_t end, std::int64_t sequence,
                            std::vector<std::string>& ids) const {
  return connect::ids_since(*partition_, producer_, end, sequence, ids);
}

std::int64_t RejectLog::next_sequence() const {
  return sequence_after(*partition_, producer_);
}

void RejectLog::catch_up(std::int64_t& sequence) const {
  connect::catch_up(*partition_, producer_, sequence);
}

}  // namespace tailrace::connect
