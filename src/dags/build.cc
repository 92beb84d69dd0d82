#include "dags/build.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

#include "dags/dag_settings.h"
#include "dags/fields.h"
#include "dags/graph.h"
#include "dags/task_fields.h"
#include "dags/task_reader.h"

namespace tailrace::dags {
namespace {

using jinja::Value;

constexpr std::array kGroupKeys = std::to_array<std::string_view>({
    "add_suffix_on_collision",
    "default_args",
    "dependencies",
    "doc_md",
    "expand",
    "group_display_name",
    "parent_group_name",
    "prefix_group_id",
    "tooltip",
    "ui_color",
    "ui_fgcolor",
});

std::vector<std::string> words(const auto& list) {
  return {list.begin(), list.end()};
}

class DagBuilder {
 public:
  DagBuilder(const Node::Key& name, Node config, const Building& building)
      : config_(std::move(config)),
        building_(building),
        findings_(building.findings),
        name_(name),
        dag_(std::make_shared<Dag>()) {}

  std::shared_ptr<const Dag> build() {
    const int faults = findings_.fatal_count();
    dag_->place = name_.place;
    dag_->id = name_.text();
    if (!name_.value.string())
      findings_.fatal(name_.place, "a DAG's id is a text; quote it");
    else
      check_key(dag_->id, false, name_.place, findings_);
    read_settings(config_, building_, *dag_, defaults_);
    collect_names("tasks", "task_id", "a task", task_names_, task_confs_);
    collect_names("task_groups", "group_name", "a task group", group_names_, group_confs_);
    read_groups();
    if (read_tasks() && draw_edges()) check_graph();
    if (findings_.fatal_count() > faults) return nullptr;
    finish();
    return dag_;
  }

 private:
  const Node* set(std::string_view key) const {
    const Node* node = config_.find(key);
    return node && !node->is_none() ? node : nullptr;
  }

  /// A mapping of names, or a list whose entries say theirs.
  void collect_names(const char* key, const char* id, const char* what,
                     std::vector<Node::Key>& names, std::vector<const Node*>& confs) {
    const Node* node = set(key);
    if (!node) return;
    if (node->is_map()) {
      for (std::size_t i = 0; i < node->keys.size(); ++i) {
        names.push_back(node->keys[i]);
        confs.push_back(&node->items[i]);
      }
      return;
    }
    if (!node->is_list()) {
      findings_.fatal(node->place,
                      "`" + std::string(key) + "` is a mapping or a list, not " + node->what());
      return;
    }
    std::map<std::string, bool> seen;
    for (const Node& item : node->items) {
      const Node* name = item.is_map() ? item.find(id) : nullptr;
      if (!name) {
        findings_.fatal(item.place,
                        std::string(what) + " in a list is a mapping with `" + id + "`");
        continue;
      }
      if (!seen.emplace(name->scalar.text(), true).second) {
        findings_.fatal(name->place, "`" + name->scalar.text() + "` is the name of two");
        continue;
      }
      Node& kept = kept_.emplace_back(item);
      kept.keys.clear();
      kept.items.clear();
      for (std::size_t i = 0; i < item.keys.size(); ++i)
        if (item.keys[i].text() != id) kept.set(item.keys[i], item.items[i]);
      names.push_back({name->scalar, name->place});
      confs.push_back(&kept);
    }
  }

  int group_number(std::string_view name) const {
    for (std::size_t i = 0; i < group_names_.size(); ++i)
      if (group_names_[i].text() == name) return static_cast<int>(i);
    return -1;
  }

  void read_groups() {
    drafts_.resize(group_names_.size());
    children_.resize(1);
    made_at_.assign(group_names_.size(), -1);
    for (std::size_t i = 0; i < group_names_.size(); ++i) {
      std::vector<std::size_t> path;
      make_group(i, path);
    }
  }

  /// make_nested_task_groups: parents first.
  bool make_group(std::size_t number, std::vector<std::size_t>& path) {
    const Node::Key& name = group_names_[number];
    if (made_at_[number] >= 0) return true;
    if (std::ranges::find(path, number) != path.end()) {
      findings_.fatal(name.place, "the group `" + name.text() + "` is within itself");
      return false;
    }
    path.push_back(number);
    const Node& conf = *group_confs_[number];
    GroupDraft& draft = drafts_[number];
    draft.name = name.text();
    draft.defaults.kind = Node::Kind::kMap;
    draft.group.place = name.place;
    check_key(draft.name, true, name.place, findings_);
    int parent = -1;
    if (conf.is_none()) {
      findings_.fatal(name.place, "the group `" + draft.name +
                                      "` is empty: write {} for a group "
                                      "without settings");
    } else if (!conf.is_map()) {
      findings_.fatal(conf.place, "a task group is a mapping, not " + conf.what());
    } else if (const Node* above = conf.find("parent_group_name"); above && !above->is_none()) {
      parent = group_number(to_value(*above).text());
      if (parent < 0) {
        findings_.fatal(above->place, "there is no group `" + to_value(*above).text() + "`" +
                                          suggestion(to_value(*above).text(), all_groups()));
      } else if (!make_group(static_cast<std::size_t>(parent), path)) {
        parent = -1;
      }
    }
    if (parent >= 0) {
      draft.parent = &drafts_[static_cast<std::size_t>(parent)];
      draft.group.parent = draft.parent->group.id;
      draft.group.id = draft.parent->child_id(draft.name);
      draft.defaults = draft.parent->defaults;
    } else {
      draft.group.id = draft.name;
    }
    if (conf.is_map()) group_settings(conf, draft);
    made_at_[number] = static_cast<int>(made_order_.size());
    made_order_.push_back(number);
    children_.emplace_back();
    const std::size_t above =
        parent < 0 ? 0 : static_cast<std::size_t>(made_at_[static_cast<std::size_t>(parent)]) + 1;
    children_[above].push_back({true, made_at_[number]});
    if (!ids_.insert(draft.group.id).second)
      findings_.fatal(name.place, "the id `" + draft.group.id + "` is a group's already");
    return true;
  }

  std::vector<std::string> all_groups() const {
    std::vector<std::string> names;
    for (const Node::Key& name : group_names_) names.push_back(name.text());
    return names;
  }

  void group_settings(const Node& conf, GroupDraft& draft) {
    for (std::size_t i = 0; i < conf.keys.size(); ++i) {
      const std::string key = conf.keys[i].text();
      if (std::ranges::find(kGroupKeys, key) == kGroupKeys.end())
        findings_.fatal(conf.keys[i].place, "a task group has no key `" + key + "`" +
                                                suggestion(key, words(kGroupKeys)));
    }
    if (const Node* node = conf.find("prefix_group_id"))
      draft.group.prefix_group_id = to_value(*node).truth();
    const auto text = [&](const char* key, std::string& field) {
      if (const Node* node = conf.find(key))
        if (auto value = text_field(*node, key, findings_)) field = *std::move(value);
    };
    text("tooltip", draft.group.tooltip);
    text("group_display_name", draft.group.display_name);
    if (const Node* node = conf.find("default_args"); node && node->is_map())
      for (std::size_t i = 0; i < node->keys.size(); ++i)
        draft.defaults.set(node->keys[i], node->items[i]);
    const Node* expand = conf.find("expand");
    if (!expand || expand->is_none()) return;
    findings_.doubt(expand->place, "a group's `expand`" + std::string(kNeedsLoader));
    if (!expand->is_map() || expand->items.empty()) {
      findings_.fatal(expand->place, "`expand` is a mapping of arguments and lists");
      return;
    }
    Expansion made;
    for (std::size_t i = 0; i < expand->keys.size(); ++i) {
      const Node& value = expand->items[i];
      if (!value.is_list() && !value.is_map() && !(value.text() && value.text()->starts_with('+')))
        findings_.fatal(value.place,
                        "a group is mapped over a list, a mapping or another task's "
                        "result (+task), not over a " +
                            value.type_name());
      made.arguments.emplace_back(expand->keys[i].text(), to_value(value));
    }
    draft.group.expansion = std::move(made);
  }

  /// dag-factory's topological_sort_tasks over `dependencies` that name tasks.
  std::vector<std::size_t> creation_order() {
    std::map<std::string, std::size_t> numbers;
    for (std::size_t i = 0; i < task_names_.size(); ++i) numbers[task_names_[i].text()] = i;
    std::vector<std::vector<std::size_t>> after(task_names_.size());
    std::vector<int> waiting(task_names_.size());
    for (std::size_t i = 0; i < task_names_.size(); ++i)
      for (const Node* name : dependencies(*task_confs_[i])) {
        const auto found = numbers.find(to_value(*name).text());
        if (found == numbers.end()) continue;
        after[found->second].push_back(i);
        ++waiting[i];
      }
    std::deque<std::size_t> ready;
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i] == 0) ready.push_back(i);
    std::vector<std::size_t> order;
    while (!ready.empty()) {
      order.push_back(ready.front());
      ready.pop_front();
      for (const std::size_t next : after[order.back()])
        if (--waiting[next] == 0) ready.push_back(next);
    }
    if (order.size() == task_names_.size()) return order;
    std::string ring;
    const Node::Key* first = nullptr;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i] == 0) continue;
      if (!first) first = &task_names_[i];
      ring += (ring.empty() ? "`" : ", `") + task_names_[i].text() + "`";
    }
    findings_.fatal(first->place, "a ring of `dependencies`, or behind one: " + ring);
    return {};
  }

  std::vector<const Node*> dependencies(const Node& conf) {
    std::vector<const Node*> names;
    const Node* node = conf.is_map() ? conf.find("dependencies") : nullptr;
    if (!node || node->is_none()) return names;
    if (!node->is_list()) {
      findings_.fatal(node->place, "`dependencies` is a list of names, [" + to_value(*node).text() +
                                       "], not " + node->what());
      return names;
    }
    for (const Node& item : node->items) names.push_back(&item);
    return names;
  }

  bool read_tasks() {
    if (const Node* tasks = set("tasks");
        task_names_.empty() && (!tasks || (tasks->items.empty() && !tasks->text())))
      findings_.doubt(name_.place, "the DAG `" + dag_->id +
                                       "` has no tasks: its runs succeed at "
                                       "once");
    const int faults = findings_.fatal_count();
    TaskReader reader({.operators = building_.operators,
                       .callables = building_.callables,
                       .findings = findings_,
                       .defaults = defaults_,
                       .start_date = dag_->start_date,
                       .end_date = dag_->end_date,
                       .fail_fast = dag_->fail_fast});
    std::vector<std::optional<Task>> read(task_names_.size());
    results_.resize(task_names_.size());
    const std::vector<std::size_t> order = creation_order();
    for (const std::size_t i : order) {
      const GroupDraft* group = group_of(i);
      read[i] = reader.read(task_names_[i], *task_confs_[i], group, results_[i]);
      if (read[i] && !ids_.insert(read[i]->id).second)
        findings_.fatal(task_names_[i].place, "the id `" + read[i]->id +
                                                  "` is another's already: names of tasks and "
                                                  "groups are different");
      children_[group ? static_cast<std::size_t>(made_at_[number_of(group)]) + 1 : 0].push_back(
          {false, static_cast<int>(i)});
    }
    for (std::size_t i = 0; i < read.size(); ++i) beyond(*task_confs_[i]);
    if (findings_.fatal_count() > faults) {
      check_dependencies();
      return false;
    }
    for (auto& task : read) dag_->tasks.push_back(*std::move(task));
    for (const std::size_t number : made_order_) dag_->groups.push_back(drafts_[number].group);
    return true;
  }

  /// What the loader of python/tailrace_airflow knows and dag-factory does not.
  void beyond(const Node& conf) {
    for (const char* key : {"is_setup", "is_teardown", "expand_kwargs"})
      if (const Node::Key* found = conf.is_map() ? conf.find_key(key) : nullptr)
        findings_.doubt(found->place, "`" + std::string(key) + "`" + kNeedsLoader);
  }

  const GroupDraft* group_of(std::size_t task) {
    const Node* name =
        task_confs_[task]->is_map() ? task_confs_[task]->find("task_group_name") : nullptr;
    if (!name || name->is_none() || drafts_.empty()) {
      if (name && !name->is_none())
        findings_.doubt(name->place, "there are no `task_groups`: `task_group_name` is ignored");
      return nullptr;
    }
    const int number = group_number(to_value(*name).text());
    if (number >= 0) return &drafts_[static_cast<std::size_t>(number)];
    findings_.fatal(name->place, "there is no group `" + to_value(*name).text() + "`" +
                                     suggestion(to_value(*name).text(), all_groups()));
    return nullptr;
  }
  std::size_t number_of(const GroupDraft* group) const {
    return static_cast<std::size_t>(group - drafts_.data());
  }

  /// A name in `dependencies`: groups go before tasks of the same name.
  std::optional<Graph::Member> member(const Node& name) {
    const std::string text = to_value(name).text();
    if (const int group = group_number(text); group >= 0)
      return Graph::Member{true, made_at_[static_cast<std::size_t>(group)]};
    std::vector<std::string> known = all_groups();
    for (std::size_t i = 0; i < task_names_.size(); ++i) {
      if (task_names_[i].text() == text) return Graph::Member{false, static_cast<int>(i)};
      known.push_back(task_names_[i].text());
    }
    const std::size_t dot = text.rfind('.');
    findings_.fatal(name.place,
                    "`dependencies` names no task and no group `" + text + "`" +
                        (dot != std::string::npos &&
                                 std::ranges::find(known, text.substr(dot + 1)) != known.end()
                             ? "; write `" + text.substr(dot + 1) + "`, without its group"
                             : suggestion(text, known)));
    return std::nullopt;
  }

  void check_dependencies() {
    for (const auto* confs : {&task_confs_, &group_confs_})
      for (const Node* conf : *confs)
        for (const Node* name : dependencies(*conf)) member(*name);
  }

  /// What dag-factory 1.1 looks up under another name than it kept.
  void check_lookup(std::size_t task, const Place& place) {
    const GroupDraft* group = group_of(task);
    if (!group) return;
    const bool decorated = task_confs_[task]->is_map() && !task_confs_[task]->find("operator");
    if (!decorated && group->group.prefix_group_id) return;
    findings_.doubt(place, "dag-factory 1.1 fails here (KeyError): `dependencies` of and on a " +
                               std::string(decorated ? "decorated task in a group"
                                                     : "task in a group without a prefix") +
                               "; " +
                               (decorated ? "use `operator` with "
                                            "airflow.providers.standard.operators.python."
                                            "PythonOperator"
                                          : "depend on the group"));
  }

  bool draw_edges() {
    const int faults = findings_.fatal_count();
    graph_.emplace(dag_->tasks, dag_->groups, children_);
    for (std::size_t i = 0; i < task_names_.size(); ++i)
      for (const std::string& id : results_[i]) connect_result({false, static_cast<int>(i)}, id);
    for (std::size_t i = 0; i < task_names_.size(); ++i) {
      const auto names = dependencies(*task_confs_[i]);
      if (!names.empty()) check_lookup(i, task_names_[i].place);
      connect({false, static_cast<int>(i)}, names);
    }
    for (std::size_t i = 0; i < group_names_.size(); ++i)
      connect({true, made_at_[i]}, dependencies(*group_confs_[i]));
    for (const std::size_t number : made_order_) map_group(number);
    return findings_.fatal_count() == faults;
  }

  void connect(Graph::Member source, const std::vector<const Node*>& names) {
    for (const Node* name : names) {
      const auto dependency = member(*name);
      if (!dependency) continue;
      if (!dependency->is_group)
        check_lookup(static_cast<std::size_t>(dependency->number), name->place);
      graph_->set_upstream(source, *dependency);
    }
  }

  void connect_result(Graph::Member source, const std::string& id) {
    for (std::size_t i = 0; i < dag_->tasks.size(); ++i)
      if (dag_->tasks[i].id == id) graph_->set_upstream(source, {false, static_cast<int>(i)});
  }

  /// `+task` in a group's expand, known now that the tasks are made.
  void map_group(std::size_t number) {
    Group& group = dag_->groups[static_cast<std::size_t>(made_at_[number])];
    if (!group.expansion) return;
    for (auto& [name, value] : group.expansion->arguments) {
      const std::string* text = value.string();
      if (!text) continue;
      const std::string id = text->substr(1);
      const Task* task = dag_->find(id);
      if (!task) {
        std::vector<std::string> ids;
        for (const Task& each : dag_->tasks) ids.push_back(each.id);
        findings_.fatal(group.place, "`" + *text + "` names no task" + suggestion(id, ids));
        continue;
      }
      value = Value(
          std::shared_ptr<const jinja::Object>(std::make_shared<XComArg>(id, "return_value")));
      connect_result({true, made_at_[number]}, id);
    }
  }

  void check_graph() {
    const std::vector<std::string> ring = graph_->cycle();
    if (!ring.empty()) {
      std::string text;
      for (const std::string& id : ring) text += (text.empty() ? "`" : " → `") + id + "`";
      findings_.fatal(dag_->find(ring[0])->place, "a ring of tasks: " + text);
      return;
    }
    for (std::size_t i = 0; i < dag_->tasks.size(); ++i) {
      if (!dag_->tasks[i].is_setup) continue;
      for (const int down : graph_->downstream(static_cast<int>(i))) {
        const Task& task = dag_->tasks[static_cast<std::size_t>(down)];
        if (!task.is_teardown && task.trigger_rule != TriggerRule::kAllSuccess)
          findings_.fatal(task.place, "a task after a setup (`" + dag_->tasks[i].id +
                                          "`) has the trigger rule all_success");
      }
    }
  }

  void finish() {
    std::set<std::string> owners;
    for (std::size_t i = 0; i < dag_->tasks.size(); ++i) {
      Task& task = dag_->tasks[i];
      for (const int up : graph_->upstream(static_cast<int>(i)))
        task.upstream.push_back(dag_->tasks[static_cast<std::size_t>(up)].id);
      for (const int down : graph_->downstream(static_cast<int>(i)))
        task.downstream.push_back(dag_->tasks[static_cast<std::size_t>(down)].id);
      std::ranges::sort(task.upstream);
      std::ranges::sort(task.downstream);
      owners.insert(task.owner);
    }
    restrict_dates();
    dag_->owners.assign(owners.begin(), owners.end());
    dag_->topological_order = graph_->order();
    if (dag_->display_name.empty()) dag_->display_name = dag_->id;
    dag_->timetable_summary = dag_->timetable.summary();
    dag_->version = version_of(*dag_);
  }

  /// Airflow's _time_restriction.
  void restrict_dates() {
    calendar::Restriction& made = dag_->restriction;
    made = {.earliest = dag_->start_date, .latest = dag_->end_date, .catchup = dag_->catchup};
    std::optional<calendar::Micros> last_end = dag_->end_date;
    bool all_end = true;
    for (const Task& task : dag_->tasks) {
      if (task.start_date)
        made.earliest = std::min(made.earliest.value_or(*task.start_date), *task.start_date);
      all_end = all_end && task.end_date;
      if (task.end_date) last_end = std::max(last_end.value_or(*task.end_date), *task.end_date);
    }
    if (all_end) made.latest = last_end;
  }

  /// FNV-1a of 64 bits from two starts over the description, as hex.
  static std::string version_of(const Dag& dag) {
    const std::string text = describe(dag);
    std::string out;
    for (std::uint64_t hash : {0xcbf29ce484222325ULL, 0x84222325cbf29ce4ULL}) {
      for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
      for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(hash >> shift) & 15];
    }
    return out;
  }

  Node config_;
  const Building& building_;
  Findings& findings_;
  const Node::Key& name_;
  std::shared_ptr<Dag> dag_;
  Node defaults_;
  std::deque<Node> kept_;  ///< entries of lists without their names
  std::vector<Node::Key> task_names_, group_names_;
  std::vector<const Node*> task_confs_, group_confs_;
  std::vector<GroupDraft> drafts_;       ///< as in the file
  std::vector<int> made_at_;             ///< group in the file → its place in made_order_
  std::vector<std::size_t> made_order_;  ///< parents first, as Airflow has them
  std::vector<std::vector<Graph::Member>> children_;
  std::vector<std::vector<std::string>> results_;  ///< of each task: whose results it takes
  std::set<std::string> ids_;
  std::optional<Graph> graph_;
};

}  // namespace

std::shared_ptr<const Dag> build_dag(const Node::Key& name, Node config, const Building& building) {
  return DagBuilder(name, std::move(config), building).build();
}

}  // namespace tailrace::dags
