#include "dags/task_fields.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "dags/assets.h"
#include "dags/fields.h"
#include "dags/python_types.h"

namespace tailrace::dags {
namespace {

using jinja::Value;

constexpr std::array<std::string_view, 32> kFields = {
    "owner",
    "retries",
    "retry_delay",
    "retry_exponential_backoff",
    "max_retry_delay",
    "start_date",
    "end_date",
    "depends_on_past",
    "ignore_first_depends_on_past",
    "wait_for_past_depends_before_skipping",
    "wait_for_downstream",
    "params",
    "priority_weight",
    "weight_rule",
    "queue",
    "pool",
    "pool_slots",
    "execution_timeout",
    "on_execute_callback",
    "on_failure_callback",
    "on_success_callback",
    "on_retry_callback",
    "on_skipped_callback",
    "trigger_rule",
    "max_active_tis_per_dag",
    "max_active_tis_per_dagrun",
    "do_xcom_push",
    "multiple_outputs",
    "inlets",
    "outlets",
    "doc_md",
    "task_display_name",
};

struct RuleName {
  TriggerRule rule;
  std::string_view name;
};
constexpr std::array kRules = std::to_array<RuleName>({
    {TriggerRule::kAllSuccess, "all_success"},
    {TriggerRule::kAllFailed, "all_failed"},
    {TriggerRule::kAllDone, "all_done"},
    {TriggerRule::kAllDoneMinOneSuccess, "all_done_min_one_success"},
    {TriggerRule::kAllDoneSetupSuccess, "all_done_setup_success"},
    {TriggerRule::kOneSuccess, "one_success"},
    {TriggerRule::kOneFailed, "one_failed"},
    {TriggerRule::kOneDone, "one_done"},
    {TriggerRule::kNoneFailed, "none_failed"},
    {TriggerRule::kNoneSkipped, "none_skipped"},
    {TriggerRule::kNoneFailedMinOneSuccess, "none_failed_min_one_success"},
    {TriggerRule::kAllSkipped, "all_skipped"},
    {TriggerRule::kAlways, "always"},
});

class FieldReader {
 public:
  FieldReader(const TaskFieldSource& source, Task& task, Findings& findings)
      : source_(source), task_(task), findings_(findings) {}

  void read() {
    texts();
    numbers();
    times();
    bools();
    rules();
    assets();
    dates();
    if (const Node* node = source_.given("params")) task_.params = params_field(*node, findings_);
  }

 private:
  /// Given and not null.
  const Node* set(std::string_view key) const {
    const Node* node = source_.given(key);
    return node && !node->is_none() ? node : nullptr;
  }

  void texts() {
    for (const auto& [key, field] :
         {std::pair("owner", &task_.owner), std::pair("pool", &task_.pool),
          std::pair("queue", &task_.queue), std::pair("doc_md", &task_.doc_md),
          std::pair("task_display_name", &task_.task_display_name)})
      if (const Node* node = set(key))
        if (auto value = text_field(*node, key, findings_)) *field = *std::move(value);
  }

  void numbers() {
    if (const Node* node = set("retries")) retries(*node);
    const auto whole = [&](const char* key) -> std::optional<std::int64_t> {
      const Node* node = set(key);
      return node ? integer_field(*node, key, findings_) : std::nullopt;
    };
    if (const auto value = whole("pool_slots")) {
      task_.pool_slots = static_cast<int>(*value);
      if (*value < 1)
        findings_.fatal(set("pool_slots")->place, "`pool_slots` cannot be less than 1");
    }
    if (const auto value = whole("priority_weight"))  // db_safe_priority
      task_.priority_weight = std::clamp<std::int64_t>(*value, -2147483648LL, 2147483647LL);
    if (const auto value = whole("max_active_tis_per_dag"))
      task_.max_active_tis_per_dag = static_cast<int>(*value);
    if (const auto value = whole("max_active_tis_per_dagrun"))
      task_.max_active_tis_per_dagrun = static_cast<int>(*value);
    if (const Node* node = set("retry_exponential_backoff")) backoff(*node);
  }

  /// int(): a whole number, a fraction cut off, a text of digits.
  void retries(const Node& node) {
    if (const auto value = node.scalar.index()) {
      task_.retries = static_cast<int>(*value);
    } else if (const double* real = node.scalar.real()) {
      task_.retries = static_cast<int>(*real);
    } else {
      const std::string text = node.text() ? *node.text() : "";
      const bool digits = !text.empty() && text.size() < 9 &&
                          std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
      if (digits)
        task_.retries = std::stoi(text);
      else
        findings_.fatal(node.place, "`retries` is a whole number, not " + node.what());
    }
  }

  void backoff(const Node& node) {
    if (const bool* on = node.scalar.boolean())
      task_.retry_exponential_backoff = *on ? 2.0 : 0;
    else if (const auto number = node.scalar.number(); number && node.kind == Node::Kind::kScalar)
      task_.retry_exponential_backoff = *number;
    else
      findings_.fatal(
          node.place,
          "`retry_exponential_backoff` is a factor (2.0), true or false, not " + node.what());
  }

  void times() {
    if (const Node* node = set("retry_delay"))
      if (const auto value = seconds_field(*node, "retry_delay", findings_))
        task_.retry_delay = *value;
    if (const Node* node = set("max_retry_delay"))
      task_.max_retry_delay = seconds_field(*node, "max_retry_delay", findings_);
    if (const Node* node = set("execution_timeout")) {
      if (known_type(*node) == "timedelta")
        task_.execution_timeout = timedelta_of(*node, findings_);
      else
        findings_.fatal(node->place,
                        "`execution_timeout` is {__type__: datetime.timedelta, "
                        "seconds: 60}, not " +
                            node->what());
    }
    if (const Node* node = set("sla"))
      findings_.doubt(node->place, "`sla` is gone since Airflow 3.0; write `deadline` at the DAG");
    if (const Node* node = set("retry_policy"))
      findings_.doubt(node->place, "retry policies work on Airflow only; here `retries` counts");
  }

  void bools() {
    for (const auto& [key, field] :
         {std::pair("depends_on_past", &task_.depends_on_past),
          std::pair("wait_for_downstream", &task_.wait_for_downstream),
          std::pair("wait_for_past_depends_before_skipping",
                    &task_.wait_for_past_depends_before_skipping),
          std::pair("ignore_first_depends_on_past", &task_.ignore_first_depends_on_past),
          std::pair("do_xcom_push", &task_.do_xcom_push),
          std::pair("multiple_outputs", &task_.multiple_outputs),
          std::pair("allow_nested_operators", &task_.allow_nested_operators)})
      if (const Node* node = set(key))
        if (const auto value = bool_field(*node, key, findings_)) *field = *value;
    if (task_.wait_for_downstream) task_.depends_on_past = true;
  }

  void rules() {
    if (const Node* node = set("trigger_rule")) {
      const auto rule = node->text() ? trigger_rule_of(*node->text()) : std::nullopt;
      std::vector<std::string> names;
      for (const RuleName& known : kRules) names.emplace_back(known.name);
      std::string all;
      for (const std::string& each : names) all += (all.empty() ? "" : ", ") + each;
      if (rule)
        task_.trigger_rule = *rule;
      else
        findings_.fatal(node->place, "`trigger_rule` is one of " + all +
                                         (node->text() ? ", not `" + *node->text() + "`" +
                                                             suggestion(*node->text(), names)
                                                       : ", not " + node->what()));
    }
    if (const Node* node = set("weight_rule")) {
      const std::string rule = node->text() ? *node->text() : "";
      if (rule == "downstream" || rule == "upstream" || rule == "absolute")
        task_.weight_rule = rule == "downstream" ? WeightRule::kDownstream
                            : rule == "upstream" ? WeightRule::kUpstream
                                                 : WeightRule::kAbsolute;
      else
        findings_.fatal(node->place, "`weight_rule` is downstream, upstream or absolute" +
                                         suggestion(rule, {"downstream", "upstream", "absolute"}));
    }
  }

  void assets() {
    if (const Node* node = set("outlets"))
      for (const Node& item : list_of(*node, "outlets")) {
        if (known_type(item) == "AssetAlias") {
          if (auto alias = condition_of(item, findings_))
            task_.outlet_aliases.push_back(alias->alias);
        } else if (auto asset = asset_of(item, findings_)) {
          task_.outlets.push_back(*std::move(asset));
        }
      }
    if (const Node* node = set("inlets"))
      for (const Node& item : list_of(*node, "inlets")) task_.inlets.push_back(to_value(item));
  }

  const std::vector<Node>& list_of(const Node& node, const char* key) {
    static const std::vector<Node> none;
    if (node.is_list()) return node.items;
    findings_.fatal(node.place,
                    node.find("datasets")
                        ? "`" + std::string(key) +
                              "` with `file` and `datasets` is of Airflow 2: "
                              "write a list of URIs"
                        : "`" + std::string(key) + "` is a list of assets, not " + node.what());
    return none;
  }

  void dates() {
    const auto read_date = [&](const char* key) -> std::optional<calendar::Micros> {
      const Node* node = set(key);
      if (!node) return std::nullopt;
      const auto moment = moment_of(*node, calendar::Zone::utc());
      const auto* object = node->scalar.as<PythonObject>();
      if (moment && !(object && object->path == "datetime.date")) return moment->instant;
      findings_.fatal(node->place, "`" + std::string(key) +
                                       "` of a task is a date with its time, 2026-01-31 00:00:00, "
                                       "not a " +
                                       (object ? object->path : node->type_name()));
      return std::nullopt;
    };
    task_.start_date = read_date("start_date");
    task_.end_date = read_date("end_date");
    if (source_.start_date)
      task_.start_date =
          std::max(task_.start_date.value_or(*source_.start_date), *source_.start_date);
    if (source_.end_date)
      task_.end_date = std::min(task_.end_date.value_or(*source_.end_date), *source_.end_date);
  }

  const TaskFieldSource& source_;
  Task& task_;
  Findings& findings_;
};

}  // namespace

bool is_task_field(std::string_view key) {
  return key == "allow_nested_operators" || key == "sla" || key == "retry_policy" ||
         std::ranges::find(kFields, key) != kFields.end();
}

void read_task_fields(const TaskFieldSource& source, Task& task, Findings& findings) {
  FieldReader(source, task, findings).read();
}

std::optional<TriggerRule> trigger_rule_of(std::string_view name) {
  for (const RuleName& known : kRules)
    if (known.name == name) return known.rule;
  return std::nullopt;
}

std::string_view name(TriggerRule rule) {
  for (const RuleName& known : kRules)
    if (known.rule == rule) return known.name;
  return "";
}

std::string_view name(WeightRule rule) {
  switch (rule) {
    case WeightRule::kDownstream:
      return "downstream";
    case WeightRule::kUpstream:
      return "upstream";
    case WeightRule::kAbsolute:
      return "absolute";
  }
  return "";
}

}  // namespace tailrace::dags
