// A DAG as its file says it: Airflow's model of dags, tasks, groups and assets, checked and closed
// over defaults, and ready to be scheduled. Pure data.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calendar/timetable.h"
#include "jinja/value.h"

namespace tailrace::dags {

/// Where something stands in its file, for messages.
struct Place {
  std::string file;
  int line = 0, column = 0;  ///< from 1; 0: the file as a whole
  std::string text() const;  ///< `dags/x.yml:12:5`
};

/// Airflow's trigger rules, all of them (airflow.task.trigger_rule).
enum class TriggerRule {
  kAllSuccess,
  kAllFailed,
  kAllDone,
  kAllDoneMinOneSuccess,
  kAllDoneSetupSuccess,
  kOneSuccess,
  kOneFailed,
  kOneDone,
  kNoneFailed,
  kNoneSkipped,
  kNoneFailedMinOneSuccess,
  kAllSkipped,
  kAlways,
};

enum class WeightRule { kDownstream, kUpstream, kAbsolute };

/// An asset by URI and name (either gives the other, as Airflow normalises them).
struct Asset {
  std::string name, uri, group;
  jinja::Value extra;
  bool operator==(const Asset& other) const { return name == other.name && uri == other.uri; }
};

/// What fires a run by assets: a leaf, or all/any of parts. With a timetable: AssetOrTimeSchedule.
struct AssetCondition {
  enum class Kind { kAsset, kAlias, kReference, kAll, kAny } kind = Kind::kAsset;
  Asset asset;                        ///< kAsset; kReference (by name or uri)
  std::string alias;                  ///< kAlias
  std::vector<AssetCondition> parts;  ///< kAll, kAny
};

/// How an expanded task gets its instances.
struct Expansion {
  enum class Kind { kProduct, kZip } kind = Kind::kProduct;  ///< expand(); expand_kwargs()
  /// kProduct: parameter → list, dict or XComArg; kZip: one value under "".
  std::vector<std::pair<std::string, jinja::Value>> arguments;
};

/// `output` of another task as an argument (`XComArg`, dag-factory's `task_id.output` or `+task`).
class XComArg final : public jinja::Object {
 public:
  XComArg(std::string task_id, std::string key)
      : task_id(std::move(task_id)), key(std::move(key)) {}
  std::string task_id, key;
  std::string type_name() const override;
  std::string text() const override;
  jinja::Value attribute(std::string_view name) const override;
};

/// An argument of the mapped group that a task is in: `+group['argument']` (Airflow's
/// MappedArgument).
class MappedArgument final : public jinja::Object {
 public:
  MappedArgument(std::string group_id, std::string key)
      : group_id(std::move(group_id)), key(std::move(key)) {}
  std::string group_id, key;
  std::string type_name() const override;
  std::string text() const override;
  jinja::Value attribute(std::string_view name) const override;
};

/// `{__type__: path, kwargs…, __args__: […]}` that is none of the types the reader knows: kept as
/// it is written, for an operator that knows it. A date, and a datetime without a zone, which Value
/// cannot hold, are `datetime.date` and `datetime.datetime` with their numbers as arguments.
class PythonObject final : public jinja::Object {
 public:
  std::string path;
  jinja::List arguments;
  jinja::Dict named;
  std::string type_name() const override;
  std::string text() const override;
  jinja::Value attribute(std::string_view name) const override;
};

struct Param {
  std::string name;
  jinja::Value value;  ///< default; undefined: it must be given
  std::string description;
  jinja::Value schema;  ///< JSON Schema as a dict
  Place place;
};

struct Task {
  std::string id;     ///< with its groups before it: `group.task`
  std::string group;  ///< id of its group; empty: the root
  Place place;
  std::string operator_path;   ///< dotted, as the file has it:
                               ///< airflow.providers.standard.operators.bash.BashOperator
  std::string decorator_path;  ///< instead: airflow.sdk.task …
  /// Of the operator, templates not rendered, without the fields below; BaseOperator's that have no
  /// field here (map_index_template, executor_config …) are among them. The function of a Python
  /// task: `python_callable` (a dotted path), or `python_callable_file` and `python_callable_name`;
  /// a decorated function's own arguments are `op_kwargs`.
  jinja::Dict arguments;
  std::optional<Expansion> expansion;             ///< then `arguments` are partial()'s
  std::vector<std::string> upstream, downstream;  ///< direct, task ids, sorted, groups resolved
  TriggerRule trigger_rule = TriggerRule::kAllSuccess;
  std::string owner = "airflow";
  int retries = 0;
  calendar::Micros retry_delay = 300'000'000;
  double retry_exponential_backoff = 0;  ///< Airflow 3: a multiplier; 0 is off, True is 2.0
  std::optional<calendar::Micros> max_retry_delay;
  std::optional<calendar::Micros> execution_timeout;
  std::optional<calendar::Micros> start_date, end_date;
  bool depends_on_past = false, wait_for_downstream = false,
       wait_for_past_depends_before_skipping = false;
  bool ignore_first_depends_on_past = false;
  std::string pool = "default_pool";
  int pool_slots = 1;
  std::int64_t priority_weight = 1;
  WeightRule weight_rule = WeightRule::kDownstream;
  std::string queue = "default";
  std::optional<int> max_active_tis_per_dag, max_active_tis_per_dagrun;
  bool is_setup = false, is_teardown = false, on_failure_fail_dagrun = false;
  bool do_xcom_push = true, multiple_outputs = false;
  bool allow_nested_operators = true;
  std::vector<Asset> outlets;
  std::vector<std::string> outlet_aliases;
  std::vector<jinja::Value> inlets;  ///< URIs, and assets as they are written
  std::string doc_md, task_display_name;
  std::vector<Param> params;  ///< its own, which go over the DAG's of the same names
  /// Callbacks: None, or {callback: dotted path, kwargs: {…}}, or {file: …, name: …}.
  jinja::Value on_failure, on_success, on_retry, on_execute, on_skipped;
};

struct Group {
  std::string id;      ///< with its parents: `outer.inner`
  std::string parent;  ///< empty: the root
  Place place;
  std::string tooltip, display_name;
  bool prefix_group_id = true;
  std::optional<Expansion> expansion;  ///< a mapped task group
};

struct Deadline {  ///< Airflow 3's DeadlineAlert
  enum class Reference {
    kLogicalDate,
    kQueuedAt,
    kFixed,
    kAverage
  } reference = Reference::kQueuedAt;
  calendar::Micros fixed = 0, interval = 0;
  int max_runs = 0, min_runs = 0;  ///< kAverage: of how many runs
  std::string name;
  jinja::Value callback;  ///< {callback: dotted path, kwargs: {…}}
};

struct Dag {
  std::string id;
  Place place;
  std::string description, display_name, doc_md;
  std::vector<std::string> tags;
  std::vector<std::string> owners;
  calendar::Timetable timetable;
  std::string timetable_summary;         ///< as the page shows it
  std::optional<AssetCondition> assets;  ///< runs when it is true; also with a timetable
  std::optional<calendar::Micros> start_date, end_date;
  bool catchup = false;  ///< Airflow 3's default
  /// For Timetable::next: the dates above with those of the tasks, as Airflow joins them.
  calendar::Restriction restriction;
  int max_active_runs = 16, max_active_tasks = 16;
  int max_consecutive_failed_runs = 0;
  std::optional<calendar::Micros> dagrun_timeout;
  std::optional<bool> paused_upon_creation;
  std::vector<std::string> template_searchpath;  ///< where templates' files are, beside dags/
  bool render_native = false;                    ///< render_template_as_native_obj
  bool fail_fast = false;
  bool strict_undefined = true;
  std::vector<Param> params;
  jinja::Value user_defined_macros;  ///< texts are dotted paths of what Python imports
  std::vector<std::pair<std::string, std::string>> owner_links;
  jinja::Value on_failure, on_success;
  std::vector<Deadline> deadlines;
  std::vector<Task> tasks;  ///< in the file's order
  std::vector<Group> groups;
  /// Indexes into `tasks`, each after all its upstream (Airflow's topological_sort order).
  std::vector<int> topological_order;
  std::string version;  ///< digest of what matters; a new one is a new version of the DAG

  const Task* find(std::string_view task_id) const;
};

}  // namespace tailrace::dags
