#include "groups/streams_reconcile.h"

#include <utility>

namespace tailrace::groups {

namespace {

using Current = StreamsGroupCurrentMemberAssignmentValue;
using State = StreamsMemberState;

bool contains(const Tasks& tasks, const std::string& subtopology, std::int32_t partition) {
  const auto found = tasks.find(subtopology);
  return found != tasks.end() && found->second.contains(partition);
}

bool share_any(const Tasks& one, const Tasks& other) {
  for (const auto& [subtopology, partitions] : one)
    for (const auto partition : partitions)
      if (contains(other, subtopology, partition)) return true;
  return false;
}

class Reconciliation {
 public:
  explicit Reconciliation(const StreamsReconcileTask& task)
      : task_(task), was_(task.member.current) {}

  std::expected<Current, Refusal> next() {
    switch (was_.state) {
      case State::kStable:
      case State::kUnreleasedTasks:
        return from(was_.epoch);
      case State::kUnrevokedTasks:
        return still_owns(was_.pending_revocation) ? was_ : from(was_.epoch + 1);
      case State::kUnknown:
        break;
    }
    if (task_.owned && task_.owned->is_empty()) return from(task_.target_epoch);
    return std::unexpected(
        Refusal{ErrorCode::kFencedMemberEpoch,
                "The streams group member is in a unknown state. The member must abandon all its "
                "tasks and rejoin."});
  }

 private:
  /// Who does not say what it owns owns all.
  bool still_owns(const OwnedTasks& revoked) const {
    if (!task_.owned) return true;
    const auto tasks = plain(revoked);
    return share_any(task_.owned->active, tasks.active) ||
           share_any(task_.owned->standby, tasks.standby) ||
           share_any(task_.owned->warmup, tasks.warmup);
  }

  /// Splits what the member has by what it shall have, and takes what is free of the rest.
  void split_active() {
    for (const auto& [id, partitions] : was_.assigned.active)
      for (const auto& [partition, since] : partitions) {
        auto& to = contains(task_.target.active, id, partition) ? kept_ : revoked_;
        to.active[id][partition] = since;
      }
    for (const auto& [id, partitions] : task_.target.active)
      for (const auto partition : partitions) {
        const auto has = was_.assigned.active.find(id);
        if (has != was_.assigned.active.end() && has->second.contains(partition)) continue;
        if (task_.group.is_active(id, partition) || is_here(id, partition))
          waits_ = true;
        else
          free_.active[id][partition] = task_.target_epoch;
      }
  }

  void split_idle(const Tasks& has, const Tasks& target, Tasks OwnedTasks::*kind) {
    for (const auto& [id, partitions] : has)
      for (const auto partition : partitions) {
        auto& to = contains(target, id, partition) ? kept_ : revoked_;
        (to.*kind)[id].insert(partition);
      }
    for (const auto& [id, partitions] : target)
      for (const auto partition : partitions) {
        if (contains(has, id, partition)) continue;
        if (is_here(id, partition))
          waits_ = true;
        else
          (free_.*kind)[id].insert(partition);
      }
  }

  bool is_here(const std::string& id, std::int32_t partition) const {
    return task_.group.is_in(task_.member.about.process, id, partition);
  }

  void take_free() {
    for (auto& [id, partitions] : free_.active) kept_.active[id].merge(partitions);
    for (auto& [id, partitions] : free_.standby) kept_.standby[id].merge(partitions);
    for (auto& [id, partitions] : free_.warmup) kept_.warmup[id].merge(partitions);
  }

  /// `epoch`: the member's while it still has to give up.
  Current from(MemberEpoch epoch) {
    split_active();
    split_idle(was_.assigned.standby, task_.target.standby, &OwnedTasks::standby);
    split_idle(was_.assigned.warmup, task_.target.warmup, &OwnedTasks::warmup);
    if (!revoked_.is_empty() && still_owns(revoked_))
      return {epoch, was_.epoch, State::kUnrevokedTasks, std::move(kept_), std::move(revoked_)};
    take_free();
    return {task_.target_epoch,
            was_.epoch,
            waits_ ? State::kUnreleasedTasks : State::kStable,
            std::move(kept_),
            {}};
  }

  const StreamsReconcileTask& task_;
  const Current& was_;
  OwnedTasks kept_;
  OwnedTasks revoked_;
  OwnedTasks free_;
  bool waits_ = false;
};

}  // namespace

std::expected<StreamsGroupCurrentMemberAssignmentValue, Refusal> reconcile(
    const StreamsReconcileTask& task) {
  if (task.member.reconciled_to(task.target_epoch)) return task.member.current;
  return Reconciliation(task).next();
}

}  // namespace tailrace::groups
