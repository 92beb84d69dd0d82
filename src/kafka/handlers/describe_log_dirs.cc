// DescribeLogDirs (KIP-113, 827): how large each partition is, and the disk it lies on.
#include <filesystem>
#include <set>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_log_dirs_request.h"
#include "kafka/messages/describe_log_dirs_response.h"

namespace tailrace::kafka {
namespace {

using Asked = std::vector<DescribeLogDirsRequest::DescribableLogDirTopic>;
using TopicAnswer = DescribeLogDirsResponse::DescribeLogDirsTopic;

void add(Broker& broker, const std::string& topic, const std::set<std::int32_t>& partitions,
         std::vector<TopicAnswer>& answers) {
  TopicAnswer answer;
  answer.name = topic;
  for (const auto index : partitions) {
    const auto partition = broker.log().partition(topic, PartitionId(index));
    if (!partition) continue;
    answer.partitions.push_back(
        {index, static_cast<std::int64_t>((*partition)->size_bytes()), 0, false});
  }
  if (!answer.partitions.empty()) answers.push_back(std::move(answer));
}

std::vector<TopicAnswer> sizes(Broker& broker, const std::optional<Asked>& asked) {
  std::vector<TopicAnswer> answers;
  if (asked) {
    for (const auto& topic : *asked) {
      add(broker, topic.topic, {topic.partitions.begin(), topic.partitions.end()}, answers);
    }
    return answers;
  }
  for (const auto& topic : broker.log().topics()) {
    std::set<std::int32_t> all;
    for (std::int32_t i = 0; i < topic.settings.partitions; ++i) all.insert(all.end(), i);
    add(broker, topic.name, all, answers);
  }
  return answers;
}

}  // namespace

void describe_log_dirs(Call call, const DescribeLogDirsRequest& request) {
  Broker& broker = call.broker();
  DescribeLogDirsResponse response;
  auto& folder = response.results.emplace_back();
  folder.log_dir = std::filesystem::absolute(broker.folder()).lexically_normal().string();
  folder.topics = sizes(broker, request.topics);
  std::error_code failed;
  const auto space = std::filesystem::space(broker.folder(), failed);
  if (!failed) {
    folder.total_bytes = static_cast<std::int64_t>(space.capacity);
    folder.usable_bytes = static_cast<std::int64_t>(space.available);
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
