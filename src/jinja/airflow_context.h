// The names of Airflow's template reference (`ds`, `ti`, `params`, `var`, `macros` …) from plain
// data, as a worker of Airflow 3 gives them to a task's templates.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "calendar/zone.h"
#include "jinja/template.h"
#include "jinja/value.h"

namespace tailrace::jinja {

/// An Airflow connection. Its text never shows the password.
struct Connection {
  std::string id;
  std::optional<std::string> type = {}, description = {}, host = {}, schema = {}, login = {},
                             password = {};
  std::optional<std::int64_t> port = {};
  std::optional<std::string> extra = {};  ///< JSON, as it is kept
};
/// Connection.get_uri().
std::string connection_uri(const Connection& connection);
Value connection_value(const Connection& connection);

struct XComQuery {
  std::string dag, run, task, key;
  bool include_prior_dates = false;
  /// XCom.get_one of this map index; without it get_all: of every map index, in order.
  std::optional<int> map_index;
};

/// What is known of a run and its task. Moments are UTC.
struct AirflowContext {
  using Micros = calendar::Micros;

  struct Run {
    std::string run_id, run_type = "manual", state = "running";
    /// Without it `logical_date`, `ds`, `ts`, `data_interval_start` and their kin are undefined.
    std::optional<Micros> logical_date;
    std::optional<Micros> interval_start, interval_end;
    Micros run_after = 0;
    std::optional<Micros> start_date, end_date;
    int clear_number = 0;
    Value conf;  ///< a dict, or None
    std::optional<std::string> triggering_user, note;
    std::vector<Value> consumed_asset_events;  ///< as `triggering_asset_events` lists them
  } run;

  std::string dag_id, task_id;
  Dict dag;   ///< further attributes of `dag`: description, tags, owner …
  Dict task;  ///< further attributes of `task`: owner, retries, queue, an operator's fields …
  int map_index = -1, try_number = 1, max_tries = 0, reschedule_count = 0;
  Micros start_date = 0;
  std::string hostname = {};
  std::string base_url = "http://localhost:8080";  ///< of `ti.log_url`: Airflow's [api] base_url
  /// Dict of the DAG's and task's params with the run's conf over them.
  Value params = Value(Dict());
  List inlets, outlets;
  std::optional<std::string> map_index_template;
  /// URI (or name) of an asset → its events, of an asset-triggered run.
  Dict triggering_asset_events;
  /// The last successful run before this one.
  struct Previous {
    std::optional<Micros> interval_start, interval_end, start_date, end_date;
  };
  std::function<Previous()> previous_success = {};

  /// None where there is none of the name; these are asked only when a template names them.
  std::function<Result<std::optional<std::string>>(const std::string& key)> variable = {};
  std::function<Result<std::optional<Connection>>(const std::string& id)> connection = {};
  std::function<Result<std::optional<List>>(const XComQuery& query)> xcom = {};
  std::function<Status(const std::string& key, const Value& value)> xcom_push = {};
  /// Names of user_defined_macros, and others that an operator adds.
  Dict more = {};
};

/// The scope keeps the context alive. Names that Airflow would not have are undefined.
Scope airflow_scope(std::shared_ptr<const AirflowContext> context);
/// The module `macros` alone.
Value macros_value();

/// A template field: strings are rendered, lists, tuples and dicts gone through, all else stays.
/// `native` as the DAG's render_template_as_native_obj.
Result<Value> render_field(const Value& field, const Scope& scope, const Template::Options& options,
                           bool native);

}  // namespace tailrace::jinja
