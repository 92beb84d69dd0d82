#include "groups/task_assignor.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace tailrace::groups {

namespace {

struct Task {
  std::string subtopology;
  std::int32_t partition = 0;
  auto operator<=>(const Task&) const = default;
};

/// By partition first, so that the tasks of one subtopology spread.
bool by_partition(const Task& a, const Task& b) {
  return std::tie(a.partition, a.subtopology) < std::tie(b.partition, b.subtopology);
}

struct Process;

struct Worker {
  std::size_t place;  // in the task's members
  Process* process;
  int tasks = 0;
};

struct Process {
  std::vector<Worker*> workers{};
  std::set<Task> has{};
  int tasks = 0;

  double load() const { return static_cast<double>(tasks) / static_cast<double>(workers.size()); }
};

/// How many each may have while some have less: shrinks as members fill up.
class Quota {
 public:
  Quota(int tasks, int members) : tasks_(tasks), members_(members) {}
  bool has_room(const Worker& worker) const { return worker.tasks < each(); }
  void filled(const Worker& worker) {
    if (worker.tasks != each()) return;
    --members_;
    tasks_ -= worker.tasks;
  }

 private:
  int each() const { return members_ == 0 ? 0 : (tasks_ + members_ - 1) / members_; }
  int tasks_;
  int members_;
};

class Assignor {
 public:
  explicit Assignor(const TaskAssignment& task)
      : task_(task),
        out_(task.members.size()),
        active_quota_(total(false), static_cast<int>(task.members.size())),
        quota_(total(true), static_cast<int>(task.members.size())) {
    workers_.reserve(task.members.size());
    for (std::size_t i = 0; i < task.members.size(); ++i) add(i, task.members[i]);
  }

  std::vector<TaskSet> run() {
    assign_active();
    if (task_.standbys > 0) assign_standby();
    return std::move(out_);
  }

 private:
  int total(bool with_standbys) const {
    int sum = 0;
    for (const auto& [id, part] : task_.subtopologies)
      sum += part.tasks * (with_standbys && part.stateful ? 1 + task_.standbys : 1);
    return sum;
  }

  void add(std::size_t place, const TaskMember& member) {
    auto& process = processes_[member.process];
    auto& worker = workers_.emplace_back(Worker{place, &process});
    process.workers.push_back(&worker);
    each(member.had.active, [&](const Task& task) { was_active_[task] = &worker; });
    each(member.had.standby, [&](const Task& task) { was_standby_[task].push_back(&worker); });
  }

  template <typename Do>
  static void each(const Tasks& tasks, const Do& act) {
    for (const auto& [id, partitions] : tasks)
      for (const auto partition : partitions) act(Task{id, partition});
  }

  std::vector<Task> tasks(bool stateful_only) const {
    std::vector<Task> out;
    for (const auto& [id, part] : task_.subtopologies)
      if (part.stateful || !stateful_only)
        for (std::int32_t i = 0; i < part.tasks; ++i) out.push_back({id, i});
    return out;
  }

  void give(Worker& worker, const Task& task, bool active) {
    auto& set = out_[worker.place];
    (active ? set.active : set.standby)[task.subtopology].insert(task.partition);
    worker.process->has.insert(task);
    ++worker.process->tasks;
    ++worker.tasks;
    if (active) active_quota_.filled(worker);
    quota_.filled(worker);
  }

  void assign_active() {
    auto left = tasks(false);
    std::ranges::sort(left, by_partition);
    const auto keep = [&](const auto& previous) {
      std::erase_if(left, [&](const Task& task) {
        Worker* worker = previous(task);
        if (worker == nullptr || !active_quota_.has_room(*worker)) return false;
        give(*worker, task, true);
        return true;
      });
    };
    keep([&](const Task& task) { return was_active(task); });
    keep([&](const Task& task) { return least_loaded_standby(task, false); });
    std::ranges::sort(left);
    for (const auto& task : left) give(*least_loaded(nullptr), task, true);
  }

  Worker* was_active(const Task& task) const {
    const auto found = was_active_.find(task);
    return found == was_active_.end() ? nullptr : found->second;
  }

  /// Who had the task as a standby. `anew`: none whose process has it already; as in Kafka, that
  /// is asked of the first of them, whoever is taken.
  Worker* least_loaded_standby(const Task& task, bool anew) const {
    const auto found = was_standby_.find(task);
    if (found == was_standby_.end()) return nullptr;
    Worker* best = found->second.front();
    double process_load = best->process->load();
    const bool taken = anew && best->process->has.contains(task);
    for (Worker* worker : found->second) {
      if (worker->process->load() >= process_load || worker->tasks >= best->tasks) continue;
      if (anew && worker->process->has.contains(task)) continue;
      best = worker;
      process_load = worker->process->load();
    }
    return taken ? nullptr : best;
  }

  /// In the least loaded process that has not got `without`; null: all have it.
  Worker* least_loaded(const Task* without) const {
    const Process* best = nullptr;
    for (const auto& [id, process] : processes_) {
      if (without != nullptr && process.has.contains(*without)) continue;
      if (best == nullptr || process.load() < best->load()) best = &process;
    }
    return best == nullptr ? nullptr : *std::ranges::min_element(best->workers, {}, &Worker::tasks);
  }

  void assign_standby() {
    auto stateful = tasks(true);
    std::ranges::sort(stateful, [](const Task& a, const Task& b) { return by_partition(b, a); });
    std::map<Task, int, std::greater<>> left;
    for (const auto& task : stateful)
      for (int i = 0; i < task_.standbys; ++i) {
        if (keep_standby(task)) continue;
        left[task] = task_.standbys - i;
        break;
      }
    for (const auto& [task, copies] : left)
      for (int i = 0; i < copies; ++i)
        if (Worker* worker = least_loaded(&task)) give(*worker, task, false);
  }

  bool keep_standby(const Task& task) {
    Worker* active = was_active(task);
    if (active != nullptr && !active->process->has.contains(task) && quota_.has_room(*active)) {
      give(*active, task, false);
      return true;
    }
    Worker* standby = least_loaded_standby(task, true);
    if (standby == nullptr || !quota_.has_room(*standby)) return false;
    give(*standby, task, false);
    return true;
  }

  const TaskAssignment& task_;
  std::vector<TaskSet> out_;  // by the members' places
  std::vector<Worker> workers_;
  std::map<std::string, Process> processes_;
  std::map<Task, Worker*> was_active_;
  std::map<Task, std::vector<Worker*>> was_standby_;
  Quota active_quota_;
  Quota quota_;
};

}  // namespace

std::vector<TaskSet> assign_tasks(const TaskAssignment& task) {
  return Assignor(task).run();
}

}  // namespace tailrace::groups
