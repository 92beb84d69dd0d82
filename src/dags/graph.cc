#include "dags/graph.h"

#include <algorithm>
#include <map>

namespace tailrace::dags {
namespace {

std::size_t at(int number) {
  return static_cast<std::size_t>(number);
}

}  // namespace

Graph::Graph(const std::vector<Task>& tasks, const std::vector<Group>& groups,
             std::vector<std::vector<Member>> children)
    : tasks_(tasks),
      children_(std::move(children)),
      task_parent_(tasks.size(), -1),
      group_parent_(groups.size(), -1),
      up_(tasks.size()),
      down_(tasks.size()),
      group_up_groups_(groups.size()),
      group_up_tasks_(groups.size()) {
  for (std::size_t i = 0; i < children_.size(); ++i)
    for (const Member& child : children_[i])
      (child.is_group ? group_parent_ : task_parent_)[at(child.number)] = static_cast<int>(i) - 1;
}

std::vector<int> Graph::all(int group) const {
  std::vector<int> found;
  for (const Member& child : children_[at(group + 1)]) {
    if (!child.is_group) {
      found.push_back(child.number);
      continue;
    }
    const std::vector<int> inner = all(child.number);
    found.insert(found.end(), inner.begin(), inner.end());
  }
  return found;
}

std::vector<int> Graph::roots(int group) const {
  const std::vector<int> tasks = all(group);
  const std::set<int> inside(tasks.begin(), tasks.end());
  std::vector<int> found;
  for (const int task : tasks)
    if (std::ranges::none_of(up_[at(task)], [&](int up) { return inside.contains(up); }))
      found.push_back(task);
  return found;
}

/// Airflow's get_leaves: a teardown is none, what it follows is, unless something else follows
/// that.
std::vector<int> Graph::leaves(int group) const {
  const std::vector<int> tasks = all(group);
  const std::set<int> inside(tasks.begin(), tasks.end());
  std::vector<int> found;
  for (const int task : tasks) {
    if (std::ranges::any_of(down_[at(task)], [&](int down) { return inside.contains(down); }))
      continue;
    if (tasks_[at(task)].is_teardown)
      before_teardown(task, inside, found);
    else
      found.push_back(task);
  }
  return found;
}

void Graph::before_teardown(int task, const std::set<int>& inside, std::vector<int>& out) const {
  for (const int up : up_[at(task)]) {
    if (!inside.contains(up)) continue;
    if (tasks_[at(up)].is_teardown) {
      before_teardown(up, inside, out);
      continue;
    }
    if (tasks_[at(task)].is_teardown && tasks_[at(up)].is_setup) continue;
    const bool has_more = std::ranges::any_of(down_[at(up)], [&](int down) {
      return down != task && inside.contains(down) && !tasks_[at(down)].is_teardown;
    });
    if (!has_more) out.push_back(up);
  }
}

void Graph::set_upstream(Member source, Member dependency) {
  if (source.is_group) {
    auto& seen = dependency.is_group ? group_up_groups_ : group_up_tasks_;
    seen[at(source.number)].insert(dependency.number);
  }
  const std::vector<int> to =
      source.is_group ? roots(source.number) : std::vector<int>{source.number};
  for (const int task : to) {
    const std::vector<int> from =
        dependency.is_group ? leaves(dependency.number) : std::vector<int>{dependency.number};
    for (const int up : from) {
      up_[at(task)].insert(up);
      down_[at(up)].insert(task);
    }
  }
}

std::vector<std::string> Graph::cycle() const {
  enum class Mark { kNew, kOpen, kDone };
  std::vector<Mark> marks(tasks_.size(), Mark::kNew);
  for (std::size_t start = 0; start < tasks_.size(); ++start) {
    std::vector<int> path;
    std::vector<std::set<int>::const_iterator> next;
    const auto open = [&](int task) {
      marks[at(task)] = Mark::kOpen;
      path.push_back(task);
      next.push_back(down_[at(task)].begin());
    };
    if (marks[start] == Mark::kNew) open(static_cast<int>(start));
    while (!path.empty()) {
      const int task = path.back();
      if (next.back() == down_[at(task)].end()) {
        marks[at(task)] = Mark::kDone;
        path.pop_back();
        next.pop_back();
        continue;
      }
      const int down = *next.back()++;
      if (marks[at(down)] == Mark::kNew) {
        open(down);
      } else if (marks[at(down)] == Mark::kOpen) {
        std::vector<std::string> ids;
        for (auto it = std::ranges::find(path, down); it != path.end(); ++it)
          ids.push_back(tasks_[at(*it)].id);
        ids.push_back(tasks_[at(down)].id);
        return ids;
      }
    }
  }
  return {};
}

std::vector<int> Graph::order() const {
  std::vector<int> out;
  sort_group(-1, out);
  return out;
}

int Graph::parent_of(Member member) const {
  return (member.is_group ? group_parent_ : task_parent_)[at(member.number)];
}

/// Airflow's _topological_upstream_ids.
std::vector<Graph::Member> Graph::before(const Member& member) const {
  std::vector<Member> found;
  const auto add = [&](const std::set<int>& numbers, bool groups) {
    for (const int number : numbers) found.push_back({groups, number});
  };
  if (!member.is_group) {
    add(up_[at(member.number)], false);
    return found;
  }
  add(group_up_groups_[at(member.number)], true);
  add(group_up_tasks_[at(member.number)], false);
  for (const int root : roots(member.number)) add(up_[at(root)], false);
  return found;
}

/// TaskGroup.topological_sort, with the groups among its children sorted in their places: sweeps
/// over the children that still wait for one of them, in the order in which they were added.
void Graph::sort_group(int group, std::vector<int>& out) const {
  const std::vector<Member>& children = children_[at(group + 1)];
  std::map<std::pair<bool, int>, std::size_t> places;
  for (std::size_t i = 0; i < children.size(); ++i)
    places[{children[i].is_group, children[i].number}] = i;
  std::vector<std::set<std::size_t>> needs(children.size());
  for (std::size_t i = 0; i < children.size(); ++i)
    for (Member up : before(children[i])) {
      // The child of this group that the other one is, or is in.
      for (;;) {
        const auto found = places.find({up.is_group, up.number});
        if (found != places.end()) {
          if (found->second != i) needs[i].insert(found->second);
          break;
        }
        const int parent = parent_of(up);
        if (parent < 0) break;
        up = {true, parent};
      }
    }
  std::vector<bool> done(children.size());
  for (std::size_t left = children.size(), before_sweep = left + 1;
       left > 0 && left < before_sweep;) {
    before_sweep = left;
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (done[i] || std::ranges::any_of(needs[i], [&](std::size_t need) { return !done[need]; }))
        continue;
      done[i] = true;
      --left;
      if (children[i].is_group)
        sort_group(children[i].number, out);
      else
        out.push_back(children[i].number);
    }
  }
  // Groups may depend on each other in a ring though their tasks do not: the rest as it was added.
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (done[i]) continue;
    if (children[i].is_group)
      sort_group(children[i].number, out);
    else
      out.push_back(children[i].number);
  }
}

}  // namespace tailrace::dags
