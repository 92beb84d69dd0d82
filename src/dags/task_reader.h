// One task of a DAG file: its keys, the defaults of its groups and its DAG, and what dag-factory
// makes of them, as a Task without its edges.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dags/callables.h"
#include "dags/tree.h"

namespace tailrace::dags {

/// A task group while its DAG is read.
struct GroupDraft {
  std::string name;  ///< as the file has it
  Group group;
  const GroupDraft* parent = nullptr;
  Node defaults;  ///< default_args with those of its parents
  std::string child_id(const std::string& name) const;
};

/// What a task's file position, its DAG and its surroundings give it.
struct TaskSetting {
  const Operators& operators;
  Callables& callables;
  Findings& findings;
  const Node& defaults;  ///< the DAG's default_args, dates already read
  std::optional<calendar::Micros> start_date, end_date;  ///< of the DAG
  bool fail_fast = false;
};

class TaskReader {
 public:
  explicit TaskReader(TaskSetting setting) : setting_(std::move(setting)) {}

  /// Tasks come in dag-factory's order: each may name results of those before it. None after a
  /// fatal finding. `upstream` gains the ids of tasks whose results it takes.
  std::optional<Task> read(const Node::Key& name, const Node& conf, const GroupDraft* group,
                           std::vector<std::string>& upstream);

  /// The id under which dag-factory finds a task by its name in `dependencies`, or why it does not.
  struct Made {
    std::string id;
    bool decorated = false;
    bool mapped = false;
  };
  const std::map<std::string, Made>& made() const { return made_; }

 private:
  class One;
  TaskSetting setting_;
  std::map<std::string, Made> made_;  ///< dag-factory's tasks_dict
  std::set<std::string> ignored_;     ///< places of arguments that do nothing, each told once
};

}  // namespace tailrace::dags
