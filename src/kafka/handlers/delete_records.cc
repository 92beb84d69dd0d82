// DeleteRecords (KIP-107): moves the start of partitions.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/delete_records_request.h"
#include "kafka/messages/delete_records_response.h"

namespace tailrace::kafka {
namespace {

constexpr std::int64_t kToTheEnd = -1;
using Answer = DeleteRecordsResponse::DeleteRecordsPartitionResult;

Answer remove(Broker& broker, const std::string& topic, std::int32_t index, std::int64_t before) {
  Answer answer;
  answer.partition_index = index;
  answer.low_watermark = -1;
  const auto partition = broker.log().partition(topic, PartitionId(index));
  if (!partition) {
    answer.error_code = wire(read_error(partition.error().code));
    return answer;
  }
  const Offset to = before == kToTheEnd ? (*partition)->high_watermark() : Offset(before);
  const auto start = (*partition)->log_start();
  auto done = to < start ? Status(error(Code::kOutOfRange, "below the start"))
                         : (*partition)->delete_records(to);
  if (!done) {
    answer.error_code = wire(read_error(done.error().code));
  } else {
    answer.low_watermark = (*partition)->log_start().value;
  }
  return answer;
}

}  // namespace

void delete_records(Call call, const DeleteRecordsRequest& request) {
  call.broker().later([call = std::move(call), request]() mutable {
    DeleteRecordsResponse response;
    for (const auto& topic : request.topics) {
      auto& answers = response.topics.emplace_back();
      answers.name = topic.name;
      for (const auto& asked : topic.partitions) {
        answers.partitions.push_back(
            remove(call.broker(), topic.name, asked.partition_index, asked.offset));
      }
    }
    call.answer(response);
  });
}

}  // namespace tailrace::kafka
