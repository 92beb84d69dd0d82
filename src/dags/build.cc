#include "dags/build.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "dags/fields.h"
#include "dags/graph.h"
#include "dags/python_types.h"
#include "dags/schedules.h"
#include "dags/task_fields.h"
#include "dags/task_reader.h"

namespace tailrace::dags {
namespace {

using calendar::Moment;
using jinja::Value;

/// What dag-factory 1.1 reads of a DAG.
constexpr std::array kDagKeys = std::to_array<std::string_view>({
    "access_control",
    "catchup",
    "dag_display_name",
    "dagrun_timeout",
    "default_args",
    "description",
    "doc_md",
    "doc_md_file_path",
    "doc_md_python_arguments",
    "doc_md_python_callable_file",
    "doc_md_python_callable_name",
    "end_date",
    "is_paused_upon_creation",
    "max_active_runs",
    "max_active_tasks",
    "on_failure_callback",
    "on_failure_callback_file",
    "on_failure_callback_name",
    "on_success_callback",
    "on_success_callback_file",
    "on_success_callback_name",
    "params",
    "render_template_as_native_obj",
    "schedule",
    "start_date",
    "tags",
    "task_groups",
    "tasks",
    "template_searchpath",
    "timezone",
    "user_defined_macros",
});
/// What Airflow has and dag-factory 1.1 passes over: the loader of python/tailrace_airflow gives it.
constexpr std::array kBeyondKeys = std::to_array<std::string_view>({
    "allowed_run_types",
    "deadline",
    "fail_fast",
    "max_consecutive_failed_dag_runs",
    "owner_links",
});
constexpr const char* kLoader =
    "; dag-factory 1.1 does not pass it on: on Airflow use the loader that `tailrace airflow` "
    "writes";
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

std::vector<std::string> words(const auto& list) { return {list.begin(), list.end()}; }

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
    check_keys();
    words_and_numbers();
    read_defaults();
    dates();
    schedule();
    params();
    callbacks();
    deadlines();
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

  void check_keys() {
    static const std::map<std::string_view, const char*> gone = {
        {"default_view", "the web page's views have gone with Airflow 3; leave it out"},
        {"orientation", "it has gone with Airflow 3; leave it out"},
        {"sla_miss_callback", "SLAs have gone with Airflow 3; write `deadline`"},
        {"on_execute_callback", "it is a task's; write it in `default_args`"},
        {"on_retry_callback", "it is a task's; write it in `default_args`"},
        {"on_skipped_callback", "it is a task's; write it in `default_args`"},
    };
    static const std::map<std::string_view, const char*> refused = {
        {"schedule_interval", "it has gone with Airflow 3; write `schedule`"},
        {"timetable", "Airflow 3 takes timetables as `schedule`"},
    };
    std::vector<std::string> known = words(kDagKeys);
    known.insert(known.end(), kBeyondKeys.begin(), kBeyondKeys.end());
    for (std::size_t i = 0; i < config_.keys.size(); ++i) {
      const std::string key = config_.keys[i].text();
      const Place& place = config_.keys[i].place;
      const std::string said = "the DAG's key `" + key + "`: ";
      if (std::ranges::find(kDagKeys, key) != kDagKeys.end()) continue;
      if (std::ranges::find(kBeyondKeys, key) != kBeyondKeys.end())
        findings_.doubt(place, "`" + key + "`" + std::string(kLoader).substr(1));
      else if (key == "concurrency")
        findings_.doubt(place, said + "its name is `max_active_tasks` now");
      else if (const auto found = gone.find(key); found != gone.end())
        findings_.doubt(place, said + found->second);
      else if (const auto fatal = refused.find(key);
               fatal != refused.end() && !config_.items[i].is_none())
        findings_.fatal(place, said + fatal->second);
      else
        findings_.doubt(place, "a DAG has no key `" + key + "`: it is ignored" +
                                   suggestion(key, known));
    }
  }

  void words_and_numbers() {
    const auto text = [&](const char* key, std::string& field) {
      if (const Node* node = set(key))
        if (auto value = text_field(*node, key, findings_)) field = *std::move(value);
    };
    text("description", dag_->description);
    text("dag_display_name", dag_->display_name);
    text("doc_md", dag_->doc_md);
    doc_file();
    const auto whole = [&](const char* key, int& field) {
      if (const Node* node = set(key))
        if (const auto value = integer_field(*node, key, findings_))
          field = static_cast<int>(std::clamp<std::int64_t>(*value, -1, 1'000'000'000));
    };
    whole("concurrency", dag_->max_active_tasks);
    whole("max_active_tasks", dag_->max_active_tasks);
    whole("max_active_runs", dag_->max_active_runs);
    whole("max_consecutive_failed_dag_runs", dag_->max_consecutive_failed_runs);
    const auto flag = [&](const char* key) -> std::optional<bool> {
      const Node* node = set(key);
      return node ? bool_field(*node, key, findings_) : std::nullopt;
    };
    dag_->catchup = flag("catchup").value_or(false);
    dag_->render_native = flag("render_template_as_native_obj").value_or(false);
    dag_->fail_fast = flag("fail_fast").value_or(false);
    dag_->paused_upon_creation = flag("is_paused_upon_creation");
    if (const Node* node = set("dagrun_timeout"))
      dag_->dagrun_timeout = timedelta_of(*node, findings_);
    if (const Node* node = set("tags")) tags(*node);
    if (const Node* node = set("user_defined_macros")) {
      if (node->is_map())
        dag_->user_defined_macros = to_value(*node);
      else
        findings_.fatal(node->place, "`user_defined_macros` is a mapping, not a " +
                                         node->type_name());
    }
    if (const Node* node = set("owner_links"); node && node->is_map())
      for (std::size_t i = 0; i < node->keys.size(); ++i)
        dag_->owner_links.emplace_back(node->keys[i].text(), to_value(node->items[i]).text());
    for (const char* key : {"template_searchpath", "access_control", "doc_md_python_callable_file"})
      if (const Node* node = set(key))
        findings_.doubt(node->place, "`" + std::string(key) + "` works on Airflow only");
  }

  void doc_file() {
    const Node* path = set("doc_md_file_path");
    if (!path || !path->text()) return;
    if (!path->text()->starts_with('/')) {
      findings_.fatal(path->place, "`doc_md_file_path` must be an absolute path");
      return;
    }
    std::ifstream in(*path->text(), std::ios::binary);
    dag_->doc_md.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (!in) findings_.fatal(path->place, *path->text() + " cannot be read");
  }

  void tags(const Node& node) {
    if (!node.is_list()) {
      findings_.fatal(node.place, "`tags` is a list, not a " + node.type_name());
      return;
    }
    for (const Node& item : node.items) {
      auto tag = text_field(item, "tags", findings_);
      if (!tag) continue;
      if (tag->size() > 100)
        findings_.fatal(item.place, "a tag has at most 100 characters");
      dag_->tags.push_back(*std::move(tag));
    }
  }

  /// default_args with its dates read; its params are the DAG's.
  void read_defaults() {
    defaults_.kind = Node::Kind::kMap;
    const Node* given = set("default_args");
    if (!given) return;
    if (!given->is_map()) {
      findings_.fatal(given->place, "`default_args` is a mapping, not a " + given->type_name());
      return;
    }
    const auto zone = zone_from(*given);
    std::set<std::string> known;
    for (const std::string& path : building_.operators.paths())
      if (const auto* signature = building_.operators.find(path))
        known.insert(signature->arguments.begin(), signature->arguments.end());
    for (std::size_t i = 0; i < given->keys.size(); ++i) {
      const Node::Key& key = given->keys[i];
      const std::string name = key.text();
      const Node& value = given->items[i];
      if (name == "params") {
        default_params_ = &value;
      } else if ((name == "start_date" || name == "end_date") && !value.is_none()) {
        const auto moment = zone ? date_field(value, name, *zone, building_.now, findings_)
                                 : std::nullopt;
        if (moment) defaults_.set(key, Node{.scalar = Value(*moment), .place = value.place});
      } else {
        if (!known.contains(name) && name != "timezone" && !is_callback_file(name))
          findings_.doubt(key.place, "no operator takes `" + name + "`: this default is ignored" +
                                         suggestion(name, words(known)));
        defaults_.set(key, value);
      }
    }
  }
  static bool is_callback_file(const std::string& name) {
    return name.starts_with("on_") && (name.ends_with("_callback_name") ||
                                       name.ends_with("_callback_file"));
  }

  std::optional<calendar::Zone> zone_from(const Node& map) {
    const Node* zone = map.find("timezone");
    return zone && !zone->is_none() ? zone_of(*zone, findings_) : calendar::Zone::utc();
  }

  void dates() {
    const auto zone = zone_from(config_);
    if (!zone) return;
    zone_ = calendar::Zone::utc();
    if (const Node* node = set("start_date"))
      start_ = date_field(*node, "start_date", *zone, building_.now, findings_);
    else if (const Node* own = defaults_.find("start_date"))
      start_ = moment_of(*own, calendar::Zone::utc());
    if (start_) {
      dag_->start_date = start_->instant;
      zone_ = start_->zone;
    }
    if (const Node* node = set("end_date"))
      if (const auto end = date_field(*node, "end_date", *zone, building_.now, findings_))
        dag_->end_date = end->instant;
    if (dag_->start_date && dag_->end_date && *dag_->end_date < *dag_->start_date)
      findings_.doubt(set("end_date")->place, "the end is before the start: there will be no run");
  }

  void schedule() {
    const Node* node = config_.find("schedule");
    if (!node) return;
    auto made = schedule_of(*node, zone_, findings_);
    if (!made) return;
    by_time_ = made->by_time;
    dag_->timetable = std::move(made->timetable);
    dag_->assets = std::move(made->assets);
    if (by_time_ && dag_->catchup && !dag_->start_date)
      findings_.fatal(name_.place, "`catchup` needs a `start_date`");
    if (made->active_runs && *made->active_runs < dag_->max_active_runs)
      findings_.fatal(node->place, "this schedule needs `max_active_runs: " +
                                       std::to_string(*made->active_runs) + "`");
  }

  void params() {
    if (const Node* node = config_.find("params")) dag_->params = params_field(*node, findings_);
    if (default_params_)
      for (Param& param : params_field(*default_params_, findings_)) {
        const auto same = std::ranges::find(dag_->params, param.name, &Param::name);
        if (same == dag_->params.end())
          dag_->params.push_back(std::move(param));
        else
          *same = std::move(param);
      }
    if (!by_time_) return;
    for (const Param& param : dag_->params)
      if (param.value.is_undefined())
        findings_.fatal(param.place, "the param `" + param.name + "` needs a default: this DAG "
                                     "runs by a schedule, where nobody gives one");
  }

  void callbacks() {
    for (const auto& [word, field] : {std::pair("on_success_callback", &dag_->on_success),
                                      std::pair("on_failure_callback", &dag_->on_failure)}) {
      if (const Node* node = set(word))
        if (auto value = callback_field(*node, word, findings_)) *field = *std::move(value);
      const Node* name = set(std::string(word) + "_name");
      const Node* file = set(std::string(word) + "_file");
      if (!name || !file || !name->text() || !file->text()) continue;
      jinja::Dict made;
      made.set("file", *file->text());
      made.set("name", *name->text());
      *field = Value(std::move(made));
    }
  }

  void deadlines() {
    const Node* node = set("deadline");
    if (!node) return;
    if (node->is_list())
      for (const Node& item : node->items) deadline(item);
    else
      deadline(*node);
  }

  void deadline(const Node& node) {
    if (known_type(node) != "DeadlineAlert") {
      findings_.fatal(node.place, "a deadline is {__type__: airflow.sdk.DeadlineAlert, reference: "
                                  "…, interval: …, callback: …}, not a " + node.type_name());
      return;
    }
    const Bound bound(node, {"!reference", "!interval", "!callback", "name"}, findings_);
    if (!bound.ok()) return;
    Deadline made;
    const auto interval = timedelta_of(*bound.find("interval"), findings_);
    if (interval) made.interval = *interval;
    if (const Node* name = bound.find("name"); name && name->text()) made.name = *name->text();
    if (deadline_reference(*bound.find("reference"), made) &&
        deadline_callback(*bound.find("callback"), made))
      dag_->deadlines.push_back(std::move(made));
  }

  bool deadline_reference(const Node& node, Deadline& made) {
    const std::string_view type = known_type(node);
    if (type == "DagRunLogicalDateDeadline") {
      made.reference = Deadline::Reference::kLogicalDate;
    } else if (type == "DagRunQueuedAtDeadline") {
      made.reference = Deadline::Reference::kQueuedAt;
    } else if (type == "FixedDatetimeDeadline" && node.positional.size() == 1) {
      made.reference = Deadline::Reference::kFixed;
      const auto moment = moment_of(node.positional[0], calendar::Zone::utc());
      if (!moment) findings_.fatal(node.place, "a fixed deadline takes one date with its time");
      if (moment) made.fixed = moment->instant;
    } else if (type == "AverageRuntimeDeadline") {
      made.reference = Deadline::Reference::kAverage;
      const Bound bound(node, {"!max_runs", "min_runs"}, findings_);
      if (!bound.ok()) return false;
      made.max_runs = static_cast<int>(
          integer_field(*bound.find("max_runs"), "max_runs", findings_).value_or(0));
      made.min_runs = made.max_runs;
      if (const Node* least = bound.find("min_runs"); least && !least->is_none())
        made.min_runs = static_cast<int>(integer_field(*least, "min_runs", findings_).value_or(0));
    } else {
      findings_.fatal(node.place,
                      "a deadline's reference is one of airflow.sdk.definitions.deadline: "
                      "DagRunQueuedAtDeadline, DagRunLogicalDateDeadline, FixedDatetimeDeadline, "
                      "AverageRuntimeDeadline");
      return false;
    }
    return true;
  }

  bool deadline_callback(const Node& node, Deadline& made) {
    const std::string_view type = known_type(node);
    if (type != "AsyncCallback" && type != "SyncCallback") {
      findings_.fatal(node.place, "a deadline's callback is {__type__: airflow.sdk.AsyncCallback "
                                  "or airflow.sdk.SyncCallback, __args__: [dotted path]}");
      return false;
    }
    const Bound bound(node, {"!callback_callable", "kwargs", "executor"}, findings_);
    if (!bound.ok()) return false;
    jinja::Dict callback;
    callback.set("callback", to_value(*bound.find("callback_callable")));
    const Node* arguments = bound.find("kwargs");
    callback.set("kwargs", arguments && arguments->is_map() ? to_value(*arguments)
                                                            : Value(jinja::Dict()));
    callback.set("async", type == "AsyncCallback");
    made.callback = Value(std::move(callback));
    return true;
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
      findings_.fatal(node->place, "`" + std::string(key) + "` is a mapping or a list, not a " +
                                       node->type_name());
      return;
    }
    std::map<std::string, bool> seen;
    for (const Node& item : node->items) {
      const Node* name = item.is_map() ? item.find(id) : nullptr;
      if (!name) {
        findings_.fatal(item.place, std::string(what) + " in a list is a mapping with `" + id + "`");
        continue;
      }
      if (!seen.emplace(name->scalar.text(), true).second)
        findings_.fatal(name->place, "`" + name->scalar.text() + "` is the name of two");
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
      findings_.fatal(name.place, "the group `" + draft.name + "` is empty: write {} for a group "
                                  "without settings");
    } else if (!conf.is_map()) {
      findings_.fatal(conf.place, "a task group is a mapping, not a " + conf.type_name());
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
        parent < 0 ? 0
                   : static_cast<std::size_t>(made_at_[static_cast<std::size_t>(parent)]) + 1;
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
    findings_.doubt(expand->place, "a group's `expand`" + std::string(kLoader));
    if (!expand->is_map() || expand->items.empty()) {
      findings_.fatal(expand->place, "`expand` is a mapping of arguments and lists");
      return;
    }
    Expansion made;
    for (std::size_t i = 0; i < expand->keys.size(); ++i) {
      const Node& value = expand->items[i];
      if (!value.is_list() && !value.is_map() && !(value.text() && value.text()->starts_with('+')))
        findings_.fatal(value.place, "a group is mapped over a list, a mapping or another task's "
                                     "result (+task), not over a " + value.type_name());
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
      findings_.fatal(node->place, "`dependencies` is a list of names, [" +
                                       to_value(*node).text() + "], not a " + node->type_name());
      return names;
    }
    for (const Node& item : node->items) names.push_back(&item);
    return names;
  }

  bool read_tasks() {
    if (task_names_.empty())
      findings_.doubt(name_.place, "the DAG `" + dag_->id + "` has no tasks: its runs succeed at "
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
        findings_.doubt(found->place, "`" + std::string(key) + "`" + kLoader);
  }

  const GroupDraft* group_of(std::size_t task) {
    const Node* name = task_confs_[task]->is_map() ? task_confs_[task]->find("task_group_name")
                                                   : nullptr;
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
      value = Value(std::shared_ptr<const jinja::Object>(
          std::make_shared<XComArg>(id, "return_value")));
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
    dag_->owners.assign(owners.begin(), owners.end());
    dag_->topological_order = graph_->order();
    if (dag_->display_name.empty()) dag_->display_name = dag_->id;
    dag_->timetable_summary = dag_->timetable.summary();
    dag_->version = version_of(*dag_);
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
  const Node* default_params_ = nullptr;
  std::optional<Moment> start_;
  calendar::Zone zone_ = calendar::Zone::utc();
  bool by_time_ = false;
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

std::shared_ptr<const Dag> build_dag(const Node::Key& name, Node config,
                                     const Building& building) {
  return DagBuilder(name, std::move(config), building).build();
}

}  // namespace tailrace::dags
