#include "dags/dag_settings.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "dags/fields.h"
#include "dags/python_types.h"
#include "dags/schedules.h"

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
/// What Airflow has and dag-factory 1.1 passes over: the loader of python/tailrace_airflow gives
/// it.
constexpr std::array kBeyondKeys = std::to_array<std::string_view>({
    "allowed_run_types",
    "deadline",
    "fail_fast",
    "max_consecutive_failed_dag_runs",
    "owner_links",
});

std::vector<std::string> words(const auto& list) {
  return {list.begin(), list.end()};
}

class SettingsReader {
 public:
  SettingsReader(const Node& config, const Building& building, Dag& dag, Node& defaults)
      : config_(config),
        building_(building),
        findings_(building.findings),
        dag_(&dag),
        defaults_(defaults) {}

  void read() {
    check_keys();
    words_and_numbers();
    read_defaults();
    dates();
    schedule();
    params();
    callbacks();
    deadlines();
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
        findings_.doubt(place, "`" + key + "`" + std::string(kNeedsLoader));
      else if (key == "concurrency")
        findings_.doubt(place, said + "its name is `max_active_tasks` now");
      else if (const auto found = gone.find(key); found != gone.end())
        findings_.doubt(place, said + found->second);
      else if (const auto fatal = refused.find(key);
               fatal != refused.end() && !config_.items[i].is_none())
        findings_.fatal(place, said + fatal->second);
      else
        findings_.doubt(place,
                        "a DAG has no key `" + key + "`: it is ignored" + suggestion(key, known));
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
        findings_.fatal(node->place, "`user_defined_macros` is a mapping, not " + node->what());
    }
    if (const Node* node = set("owner_links"); node && node->is_map())
      for (std::size_t i = 0; i < node->keys.size(); ++i)
        dag_->owner_links.emplace_back(node->keys[i].text(), to_value(node->items[i]).text());
    if (const Node* node = set("template_searchpath")) search_path(*node);
    for (const char* key : {"access_control", "doc_md_python_callable_file"})
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

  /// A folder, or a list of them.
  void search_path(const Node& node) {
    const auto add = [&](const Node& folder) {
      auto path = text_field(folder, "template_searchpath", findings_);
      if (!path) return;
      std::error_code failed;
      if (!path->starts_with('/')) {
        findings_.doubt(folder.place,
                        "`template_searchpath: " + *path +
                            "`: dag-factory 1.1 wants absolute paths: on Airflow use the loader "
                            "that `tailrace airflow` writes, for which it is in the project");
      } else if (!std::filesystem::is_directory(*path, failed)) {
        findings_.fatal(folder.place, "`template_searchpath`: there is no folder " + *path);
      }
      dag_->template_searchpath.push_back(*std::move(path));
    };
    if (!node.is_list()) return add(node);
    for (const Node& item : node.items) add(item);
  }

  void tags(const Node& node) {
    if (!node.is_list()) {
      findings_.fatal(node.place, "`tags` is a list, not " + node.what());
      return;
    }
    for (const Node& item : node.items) {
      auto tag = text_field(item, "tags", findings_);
      if (!tag) continue;
      if (tag->size() > 100) findings_.fatal(item.place, "a tag has at most 100 characters");
      dag_->tags.push_back(*std::move(tag));
    }
  }

  /// default_args with its dates read; its params are the DAG's.
  void read_defaults() {
    defaults_.kind = Node::Kind::kMap;
    const Node* given = set("default_args");
    if (!given) return;
    if (!given->is_map()) {
      findings_.fatal(given->place, "`default_args` is a mapping, not " + given->what());
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
        const auto moment =
            zone ? date_field(value, name, *zone, building_.now, findings_) : std::nullopt;
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
    return name.starts_with("on_") &&
           (name.ends_with("_callback_name") || name.ends_with("_callback_file"));
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
    // dag-factory gives Airflow no start date then: the tasks have it, and it counts for the zone.
    if (start_ && set("start_date")) dag_->start_date = start_->instant;
    if (start_) zone_ = start_->zone;
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
    if (by_time_ && dag_->catchup && !start_)
      findings_.fatal(dag_->place, "`catchup` needs a `start_date`");
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
        findings_.fatal(param.place, "the param `" + param.name +
                                         "` needs a default: this DAG "
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
      findings_.fatal(node.place,
                      "a deadline is {__type__: airflow.sdk.DeadlineAlert, reference: "
                      "…, interval: …, callback: …}, not " +
                          node.what());
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
      findings_.fatal(node.place,
                      "a deadline's callback is {__type__: airflow.sdk.AsyncCallback "
                      "or airflow.sdk.SyncCallback, __args__: [dotted path]}");
      return false;
    }
    const Bound bound(node, {"!callback_callable", "kwargs", "executor"}, findings_);
    if (!bound.ok()) return false;
    jinja::Dict callback;
    callback.set("callback", to_value(*bound.find("callback_callable")));
    const Node* arguments = bound.find("kwargs");
    callback.set("kwargs",
                 arguments && arguments->is_map() ? to_value(*arguments) : Value(jinja::Dict()));
    callback.set("async", type == "AsyncCallback");
    made.callback = Value(std::move(callback));
    return true;
  }

  const Node& config_;
  const Building& building_;
  Findings& findings_;
  Dag* dag_;
  Node& defaults_;
  const Node* default_params_ = nullptr;
  std::optional<Moment> start_;
  calendar::Zone zone_ = calendar::Zone::utc();
  bool by_time_ = false;
};

}  // namespace

void read_settings(const Node& config, const Building& building, Dag& dag, Node& defaults) {
  SettingsReader(config, building, dag, defaults).read();
}

}  // namespace tailrace::dags
