// AlterReplicaLogDirs (KIP-113): there is one folder, where every partition lies already.
#include <filesystem>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/alter_replica_log_dirs_request.h"
#include "kafka/messages/alter_replica_log_dirs_response.h"

namespace tailrace::kafka {

void alter_replica_log_dirs(Call call, const AlterReplicaLogDirsRequest& request) {
  Broker& broker = call.broker();
  AlterReplicaLogDirsResponse response;
  const auto ours = std::filesystem::absolute(broker.folder()).lexically_normal();
  for (const auto& folder : request.dirs) {
    const bool here = std::filesystem::path(folder.path).lexically_normal() == ours;
    for (const auto& topic : folder.topics) {
      auto& answer = response.results.emplace_back();
      answer.topic_name = topic.name;
      for (const auto index : topic.partitions) {
        const bool known = broker.log().partition(topic.name, PartitionId(index)).has_value();
        answer.partitions.push_back({index, wire(!here    ? ErrorCode::kLogDirNotFound
                                                 : !known ? ErrorCode::kReplicaNotAvailable
                                                          : ErrorCode::kNone)});
      }
    }
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
