// Kafka's sticky task assignor of streams groups (KIP-1071): who of a group works on which task.
//
//   active   each task with one member: where it was, then where its standby was, then where the
//            least is to do; loads of members differ by as little as that allows
//   standby  `standbys` further processes keep a copy of a stateful task's state: where it was,
//   then
//            where the least is to do. Never twice in one process; fewer when there are not enough
//   warmup   none: Kafka 4.3.1 assigns none either
//
// Pure and deterministic: members and processes are taken in the order of their ids.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "groups/types.h"

namespace tailrace::groups {

struct TaskMember {
  std::string id;
  std::string process;
  TaskSet had;  // the last target
};

struct TaskCount {
  std::int32_t tasks = 0;
  bool stateful = false;
};

struct TaskAssignment {
  std::vector<TaskMember> members;
  std::map<std::string, TaskCount> subtopologies;
  std::int32_t standbys = 0;
};

/// In the order of the members; there is one at least.
std::vector<TaskSet> assign_tasks(const TaskAssignment& task);

}  // namespace tailrace::groups
