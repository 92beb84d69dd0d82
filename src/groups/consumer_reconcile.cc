#include "groups/consumer_reconcile.h"

#include <utility>

namespace tailrace::groups {

namespace {

using Current = ConsumerGroupCurrentMemberAssignmentValue;

class Reconciliation {
 public:
  explicit Reconciliation(const ReconcileTask& task) : task_(task), was_(task.member.current) {}

  Current next() const {
    switch (was_.state) {
      case MemberState::kStable:
        if (was_.epoch != task_.target_epoch) return towards_target();
        return task_.subscription_changed ? within_subscription() : was_;
      case MemberState::kUnrevokedPartitions:
        if (!still_owns(was_.pending_revocation)) return towards_target();
        return task_.subscription_changed ? within_subscription() : was_;
      case MemberState::kUnreleasedPartitions:
        return towards_target();
    }
    return was_;
  }

 private:
  /// Who does not say what it owns owns all.
  bool still_owns(const EpochAssignment& revoked) const {
    if (!task_.owned) return true;
    for (const auto& [topic, partitions] : *task_.owned) {
      const auto some = revoked.find(topic);
      if (some == revoked.end()) continue;
      for (const auto partition : partitions)
        if (some->second.contains(partition)) return true;
    }
    return false;
  }

  Current at(MemberEpoch epoch, MemberState state, EpochAssignment assigned,
             EpochAssignment revoking = {}) const {
    return {epoch, was_.epoch, state, std::move(assigned), std::move(revoking)};
  }

  /// The epoch stays; partitions of topics that are no longer subscribed to go.
  Current within_subscription() const {
    Current next = was_;
    for (const auto& [topic, partitions] : was_.assigned) {
      if (task_.subscribed.contains(topic)) continue;
      next.pending_revocation[topic].insert(partitions.begin(), partitions.end());
      next.assigned.erase(topic);
    }
    if (next.assigned == was_.assigned) return was_;
    next.previous_epoch = was_.epoch;
    if (still_owns(next.pending_revocation))
      next.state = MemberState::kUnrevokedPartitions;
    else
      next.pending_revocation = was_.pending_revocation;
    return next;
  }

  Current towards_target() const {
    Assignment target = task_.target;
    std::erase_if(target, [&](const auto& part) { return !task_.subscribed.contains(part.first); });
    EpochAssignment kept;
    EpochAssignment revoked;
    for (const auto& [topic, partitions] : was_.assigned)
      for (const auto& [partition, epoch] : partitions) {
        const auto wanted = target.find(topic);
        const bool keeps = wanted != target.end() && wanted->second.contains(partition);
        (keeps ? kept : revoked)[topic][partition] = epoch;
      }
    if (!revoked.empty() && still_owns(revoked))
      return at(was_.epoch, MemberState::kUnrevokedPartitions, std::move(kept), std::move(revoked));
    const bool waits = take_free(target, kept);
    return at(task_.target_epoch, waits ? MemberState::kUnreleasedPartitions : MemberState::kStable,
              std::move(kept));
  }

  /// Adds what nobody else holds; true when some of the target is held by others.
  bool take_free(const Assignment& target, EpochAssignment& kept) const {
    bool waits = false;
    for (const auto& [topic, partitions] : target)
      for (const auto partition : partitions) {
        if (const auto have = kept.find(topic);
            have != kept.end() && have->second.contains(partition))
          continue;
        const auto mine = was_.pending_revocation.find(topic);
        const bool was_mine =
            mine != was_.pending_revocation.end() && mine->second.contains(partition);
        if (task_.group.is_held(topic, partition) && !was_mine)
          waits = true;
        else
          kept[topic][partition] = task_.target_epoch;
      }
    return waits;
  }

  const ReconcileTask& task_;
  const Current& was_;
};

}  // namespace

ConsumerGroupCurrentMemberAssignmentValue reconcile(const ReconcileTask& task) {
  const bool there = task.member.reconciled_to(task.target_epoch) && !task.subscription_changed;
  return there ? task.member.current : Reconciliation(task).next();
}

}  // namespace tailrace::groups
