// The groups as somebody inside the program sees them: the page and the metrics. Asks the
// coordinator as a client would, without a connection.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace tailrace::kafka {

class Broker;

/// Of a member of a streams group: "0_1" is the second task of the first subtopology.
struct StreamsTasksView {
  std::vector<std::string> active, standby, warmup;
};

struct GroupMemberView {
  std::string id;
  std::string instance;  ///< group.instance.id; empty for none
  std::string client_id;
  std::string host;
  std::map<std::string, std::set<std::int32_t>> assigned;  ///< by topic
  StreamsTasksView tasks = {};
};

/// Records of a share group's partition that are with a member, or came back from one.
struct DeliveriesView {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool acquired = false;  ///< else: available again
  std::int32_t count = 0;
  std::string member = {};  ///< its id
};

/// A partition that a group committed an offset of, or has assigned.
struct GroupOffsetView {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t committed = -1;  ///< -1: nothing yet; of a share group where it begins
  std::int64_t end = -1;        ///< -1: the partition is gone
  std::int64_t lag = -1;        ///< records yet to be read; -1 when one of the two is not known
  std::string metadata;
  std::vector<DeliveriesView> in_flight = {};
};

struct GroupView {
  std::string name;
  std::string type;   ///< "classic", "consumer", …
  std::string state;  ///< Kafka's word: "Stable"
  std::string assignor;
  std::vector<GroupMemberView> members;
  std::vector<GroupOffsetView> offsets;  ///< by topic and partition
  /// Over the partitions whose lag is known.
  std::int64_t lag() const;
};

/// All groups by name, or only `name`. kUnavailable when the coordinator does not answer.
Result<std::vector<GroupView>> look_at_groups(Broker& broker, const std::string& name = {});

}  // namespace tailrace::kafka
