// DescribeShareGroupOffsets (KIP-932, 1226): where share groups begin, and how many records they
// have still before them.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/describe_share_group_offsets_request.h"
#include "kafka/messages/describe_share_group_offsets_response.h"

namespace tailrace::kafka {
namespace {

using Asked = DescribeShareGroupOffsetsRequest::DescribeShareGroupOffsetsRequestGroup;
using Response = DescribeShareGroupOffsetsResponse;
using Group = Response::DescribeShareGroupOffsetsResponseGroup;
using Topic = Response::DescribeShareGroupOffsetsResponseTopic;
using Partition = Response::DescribeShareGroupOffsetsResponsePartition;

Partition told(Broker& broker, const std::string& group, const Topic& topic, std::int32_t index) {
  Partition out;
  out.partition_index = index;
  const auto kept = broker.share().position({group, topic.topic_id, PartitionId(index)});
  out.start_offset = kept.start.value;
  const auto partition = broker.log().partition(topic.topic_name, PartitionId(index));
  if (!partition || kept.start == share::kNoStart || kept.complete < 0) return out;
  out.lag = (*partition)->high_watermark() - kept.start - kept.complete;
  return out;
}

/// What was asked for, whether the group has it or not.
void tell_asked(Broker& broker, const Asked& asked, Group& out) {
  for (const auto& topic : *asked.topics) {
    auto& answer = out.topics.emplace_back();
    answer.topic_name = topic.topic_name;
    if (const auto found = broker.log().topic(topic.topic_name)) answer.topic_id = found->id;
    for (const auto index : topic.partitions) {
      answer.partitions.push_back(told(broker, asked.group_id, answer, index));
    }
  }
}

void tell_all(Broker& broker, const groups::ShareTopicsAnswer::Group& has, Group& out) {
  for (const auto& [id, shared] : has.topics) {
    auto& answer = out.topics.emplace_back();
    answer.topic_name = shared.name;
    answer.topic_id = id.bytes;
    for (const auto index : shared.partitions) {
      answer.partitions.push_back(told(broker, has.group, answer, index));
    }
  }
}

}  // namespace

void describe_share_group_offsets(Call call, const DescribeShareGroupOffsetsRequest& request) {
  groups::ShareTopics event;
  for (const auto& group : request.groups) event.groups.push_back(group.group_id);
  call.broker().groups().ask(std::move(event), [call = std::move(call), groups = request.groups](
                                                   const auto& result) mutable {
    Response response;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      auto& out = response.groups.emplace_back();
      out.group_id = groups[i].group_id;
      if (!result) {
        out.error_code = kNotKept;
        continue;
      }
      const auto& has = std::get<groups::ShareTopicsAnswer>(*result).groups[i];
      out.error_code = wire(has.error);
      if (has.error != ErrorCode::kNone) {
        out.error_message = has.message;
      } else if (groups[i].topics) {
        tell_asked(call.broker(), groups[i], out);
      } else {
        tell_all(call.broker(), has, out);
      }
    }
    call.answer(response);
  });
}

}  // namespace tailrace::kafka
