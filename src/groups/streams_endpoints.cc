#include "groups/streams_endpoints.h"

namespace tailrace::groups {

Tasks partitions_of(const Tasks& tasks, const ConfiguredTopology& topology, const Topics& topics) {
  Tasks out;
  for (const auto& [id, partitions] : tasks) {
    const auto part = topology.subtopologies.find(id);
    if (part == topology.subtopologies.end()) continue;
    for (const auto& name : part->second.sources) {
      const auto topic = topics.find(name);
      if (topic == topics.end()) continue;
      for (const auto partition : partitions)
        if (partition < topic->second.partitions) out[name].insert(partition);
    }
  }
  return out;
}

std::vector<EndpointPartitions> endpoints_of(const StreamsGroup& group,
                                             const StreamsMember& changed,
                                             const ConfiguredTopology& topology,
                                             const Topics& topics) {
  std::vector<EndpointPartitions> out;
  const auto add = [&](const StreamsMember& member) {
    if (!member.about.endpoint) return;
    const auto tasks = plain(member.current.assigned);
    out.push_back({*member.about.endpoint, partitions_of(tasks.active, topology, topics),
                   partitions_of(tasks.standby, topology, topics)});
  };
  for (const auto& [id, member] : group.members())
    if (id != changed.id) add(member);
  add(changed);
  return out;
}

}  // namespace tailrace::groups
