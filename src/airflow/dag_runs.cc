// Runs: listed, asked for, changed, cleared, deleted, waited for.
#include <algorithm>
#include <charconv>

#include "airflow/clearing.h"
#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/runs.h"

namespace tailrace::airflow {
namespace {

constexpr std::size_t kLongestNote = 1000;
constexpr std::int64_t kCountedEntries = 1000;
constexpr int kShortestWaitMs = 100;

struct RunQuery {
  std::string dag;  ///< empty: all
  std::vector<std::string> dags, states, types;
  Range run_after, logical_date, start_date, end_date, duration;
  std::string conf_contains, run_id_pattern, run_id_prefix, dag_id_pattern, dag_id_prefix;
  std::vector<std::string> order_by;
};

Answer<std::vector<sched::RunState>> states_of(const std::vector<std::string>& names) {
  std::vector<sched::RunState> states;
  for (const auto& name : names) {
    if (name == "none") continue;
    ASSIGN(const auto state, run_state_of(name));
    states.push_back(state);
  }
  return states;
}

Answer<std::vector<sched::RunType>> types_of(const std::vector<std::string>& names) {
  using enum sched::RunType;
  std::vector<sched::RunType> types;
  for (const auto& one : names) {
    const auto known = {kScheduled, kManual, kBackfill, kAssetTriggered, kAssetMaterialization};
    const auto at =
        std::ranges::find_if(known, [&](auto type) { return sched::name(type) == one; });
    if (at != known.end()) {
      types.push_back(*at);
    } else if (one != "operator_triggered") {
      return refuse(422,
                    "Invalid value for run type. Valid values are backfill, scheduled, manual, "
                    "operator_triggered, asset_triggered, asset_materialization");
    }
  }
  return types;
}

std::optional<calendar::Micros> micros(const std::optional<double>& bound) {
  return bound ? std::optional(static_cast<calendar::Micros>(*bound)) : std::nullopt;
}

/// Whether the database orders and cuts the list by itself.
bool is_plain(const RunQuery& query) {
  const auto& order = query.order_by;
  constexpr std::array kOrders = {"id", "-id", "run_after", "-run_after"};
  const bool ordered =
      order.empty() || (order.size() == 1 && std::ranges::find(kOrders, order[0]) != kOrders.end());
  const auto closed = [](const Range& range) { return !range.gt && !range.lt; };
  return ordered && query.dags.empty() && closed(query.run_after) && closed(query.logical_date) &&
         !query.start_date.any() && !query.end_date.any() && !query.duration.any() &&
         query.conf_contains.empty() && query.run_id_pattern.empty() &&
         query.run_id_prefix.empty() && query.dag_id_pattern.empty() && query.dag_id_prefix.empty();
}

bool fits(const RunQuery& query, const sched::Run& run, const Json& json) {
  const auto& conf = query.conf_contains;
  return is_one_of(run.id.dag, query.dags) && query.run_after.holds(json["run_after"]) &&
         query.logical_date.holds(json["logical_date"]) &&
         query.start_date.holds(json["start_date"]) && query.end_date.holds(json["end_date"]) &&
         query.duration.holds(json["duration"]) &&
         (conf.empty() || json["conf"].dump().contains(conf)) &&
         (query.run_id_pattern.empty() || matches_pattern(run.id.run, query.run_id_pattern)) &&
         run.id.run.starts_with(query.run_id_prefix) &&
         (query.dag_id_pattern.empty() || matches_pattern(run.id.dag, query.dag_id_pattern)) &&
         run.id.dag.starts_with(query.dag_id_prefix);
}

struct RunRows {
  Json rows = Json::array();
  std::int64_t total = 0;
};

Answer<RunRows> find_runs(Call& call, const RunQuery& query, std::int64_t offset,
                          std::int64_t limit) {
  ASSIGN(auto states, states_of(query.states));
  ASSIGN(auto types, types_of(query.types));
  RunRows found;
  const bool none =
      (!query.states.empty() && states.empty()) || (!query.types.empty() && types.empty());
  if (none) return found;
  metadata::RunFilter filter{.dag = query.dag,
                             .states = std::move(states),
                             .types = std::move(types),
                             .run_after_from = micros(query.run_after.gte),
                             .run_after_to = micros(query.run_after.lte),
                             .logical_from = micros(query.logical_date.gte),
                             .logical_to = micros(query.logical_date.lte),
                             .newest_first = false,
                             .by_number = true};
  const Catalog catalog(call.workflows);
  if (is_plain(query)) {
    const std::string order = query.order_by.empty() ? "id" : query.order_by[0];
    filter.newest_first = order.starts_with('-');
    filter.by_number = order.ends_with("id");
    filter.offset = offset;
    filter.limit = limit;
    ASSIGN(const auto page, or_refuse(call.kept().runs(filter)));
    for (const auto& run : page.runs) found.rows.push_back(run_json(run, catalog));
    found.total = page.total;
    return found;
  }
  filter.limit = kMostRows;
  ASSIGN(const auto all, or_refuse(call.kept().runs(filter)));
  std::vector<Json> rows;
  for (const auto& run : all.runs) {
    Json json = run_json(run, catalog);
    if (!fits(query, run, json)) continue;
    json[" id"] = run.number;
    rows.push_back(std::move(json));
  }
  const Sorting sorting{
      .allowed = {"id", "state", "dag_id", "run_id", "dag_run_id", "logical_date", "partition_date",
                  "run_after", "start_date", "end_date", "updated_at", "conf", "duration"},
      .members = {
          {"id", " id"}, {"run_id", "dag_run_id"}, {"updated_at", "last_scheduling_decision"}}};
  TRY(sort(rows, query.order_by, sorting));
  Json cut = page("rows", std::move(rows), offset, limit);
  found.total = cut["total_entries"];
  for (Json& row : cut["rows"]) {
    row.erase(" id");
    found.rows.push_back(std::move(row));
  }
  return found;
}

/// What a run id may be made of ([scheduler] allowed_run_id_pattern).
Answer<void> check_run_id(const std::string& id, bool materializes) {
  if (id.contains(".."))
    return refuse(400, "The run_id '" + id + "' must not contain '..' to prevent path traversal");
  const bool good = !id.empty() && std::ranges::all_of(id, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("_.~:+-").contains(static_cast<char>(c));
  });
  for (const char* type : {"scheduled", "backfill", "asset_triggered", "asset_materialization"}) {
    if (good && !materializes && id.starts_with(std::string(type) + "__"))
      return refuse(400, "A manual DAG run cannot use ID '" + id + "' since it is reserved for " +
                             type + " runs");
  }
  if (good) return {};
  return refuse(400, "The run_id provided '" + id +
                         "' does not match regex pattern '^[A-Za-z0-9_.~:+-]+$' or "
                         "'^(?:manual|scheduled|asset_triggered)__(?:\\d{4}-\\d{2}-\\d{2}T"
                         "\\d{2}:\\d{2}:\\d{2}\\+00:00)$'");
}

/// As the database's refusal of a second row.
std::unexpected<Refusal> taken(const Error& why) {
  return std::unexpected(Refusal{.status = 409,
                                 .detail = {{"reason", "Unique constraint violation"},
                                            {"statement", "hidden"},
                                            {"orig_error", "hidden"},
                                            {"message", why.what}}});
}

}  // namespace

Answer<sched::Run> run_at(const Call& call) {
  ASSIGN(auto run, or_refuse(call.kept().run({call.at(0), call.at(1)})));
  if (run) return std::move(*run);
  return refuse(404, "The DagRun with dag_id: `" + call.at(0) + "` and run_id: `" + call.at(1) +
                         "` was not found");
}

Answer<std::vector<sched::Run>> runs_between(const Call& call, const std::string& dag,
                                             std::optional<calendar::Micros> from,
                                             std::optional<calendar::Micros> to) {
  ASSIGN(auto page, or_refuse(call.kept().runs({.dag = dag,
                                                .logical_from = from,
                                                .logical_to = to,
                                                .newest_first = false,
                                                .by_number = true,
                                                .limit = kMostRows})));
  return std::move(page.runs);
}

Answer<sched::RunState> run_state_of(const std::string& name) {
  using enum sched::RunState;
  for (const auto state : {kQueued, kRunning, kSuccess, kFailed}) {
    if (sched::name(state) == name) return state;
  }
  return refuse(422, "Invalid value for state. Valid values are queued, running, success, failed");
}

Answer<std::int64_t> offset_of(const Call& call, Parameters& parameters) {
  const auto offset = parameters.offset();
  const auto cursor = call.request.param("cursor");
  if (!cursor || cursor->empty()) return cursor ? 0 : offset;
  std::int64_t place = 0;
  const auto [end, failed] =
      std::from_chars(cursor->data(), cursor->data() + cursor->size(), place);
  if (failed != std::errc() || end != cursor->data() + cursor->size() || place < 0)
    return refuse(400, "Invalid cursor token");
  return place;
}

Json cursor_page(const std::string& name, Json rows, std::int64_t total, std::int64_t offset,
                 std::int64_t limit, const Call& call) {
  const bool cursor = call.request.param("cursor").has_value();
  Json next, before;
  if (cursor && offset + limit < total) next = std::to_string(offset + limit);
  if (cursor && offset > 0) before = std::to_string(std::max<std::int64_t>(0, offset - limit));
  return {{name, std::move(rows)},
          {"total_entries", cursor ? std::min(total, kCountedEntries) : total},
          {"total_entries_limit", cursor ? Json(kCountedEntries) : Json(nullptr)},
          {"next_cursor", std::move(next)},
          {"previous_cursor", std::move(before)}};
}

Answer<Reply> list_dag_runs(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit();
  ASSIGN(const auto offset, offset_of(call, parameters));
  RunQuery query{.dag = call.at(0) == "~" ? "" : call.at(0),
                 .dags = {},
                 .states = parameters.texts("state"),
                 .types = parameters.texts("run_type"),
                 .run_after = time_range(parameters, "run_after"),
                 .logical_date = time_range(parameters, "logical_date"),
                 .start_date = time_range(parameters, "start_date"),
                 .end_date = time_range(parameters, "end_date"),
                 .duration = number_range(parameters, "duration"),
                 .conf_contains = parameters.text("conf_contains"),
                 .run_id_pattern = parameters.text("run_id_pattern"),
                 .run_id_prefix = parameters.text("run_id_prefix_pattern"),
                 .dag_id_pattern = parameters.text("dag_id_pattern"),
                 .dag_id_prefix = parameters.text("dag_id_prefix_pattern"),
                 .order_by = parameters.texts("order_by")};
  TRY(parameters.check());
  if (!query.dag.empty() && !Catalog(call.workflows).find(query.dag))
    return refuse(404, "The Dag with ID: `" + query.dag + "` was not found");
  ASSIGN(auto found, find_runs(call, query, offset, limit));
  return Reply(cursor_page("dag_runs", std::move(found.rows), found.total, offset, limit, call));
}

Answer<Reply> list_dag_runs_by_body(Call& call) {
  ASSIGN(Body body, call.body());
  RunQuery query;
  if (const auto order = body.text("order_by")) query.order_by = {*order};
  const auto offset = body.number("page_offset", 0).value_or(0);
  const auto limit = body.number("page_limit", 0).value_or(100);
  query.dags = body.texts("dag_ids").value_or(std::vector<std::string>());
  query.states = body.texts("states").value_or(std::vector<std::string>());
  query.run_after = time_range(body, "run_after");
  query.logical_date = time_range(body, "logical_date");
  query.start_date = time_range(body, "start_date");
  query.end_date = time_range(body, "end_date");
  query.duration = number_range(body, "duration");
  query.conf_contains = body.text("conf_contains").value_or("");
  TRY(body.check());
  ASSIGN(auto found, find_runs(call, query, offset, limit));
  return Reply(cursor_page("dag_runs", std::move(found.rows), found.total, offset, limit, call));
}

namespace {

/// Airflow's TriggerDAGRunPostBody.
Answer<sched::Trigger> read_trigger(Call& call, Body& body, bool dated) {
  sched::Trigger wanted{.dag = {},
                        .run_id = body.text("dag_run_id"),
                        .logical_date = {},
                        .run_after = {},
                        .conf = {},
                        .by = (call.request.header("referer").empty() ? "rest_api" : "ui") +
                              (call.user.empty() ? "" : "/" + call.user),
                        .note = {}};
  const auto from = body.time("data_interval_start", true);
  const auto to = body.time("data_interval_end", true);
  if (dated) body.required("logical_date");
  wanted.logical_date = body.time("logical_date", true);
  wanted.run_after = body.time("run_after");
  wanted.conf = json_value(body.dict("conf").value_or(Json::object()));
  wanted.note = body.text("note").value_or("");
  if (body.text("partition_key")) body.fault("this Dag is not partitioned");
  if (from.has_value() != to.has_value())
    body.fault(
        "Either both data_interval_start and data_interval_end must be provided or both must be "
        "None");
  TRY(body.check());
  if (from && to && wanted.logical_date) wanted.interval = {*from, *to};
  return wanted;
}

Answer<Reply> make_run(Call& call, sched::Trigger wanted) {
  if (wanted.run_id) TRY(check_run_id(*wanted.run_id, wanted.materializes));
  const auto made = call.workflows.trigger(std::move(wanted));
  if (!made && made.error().code == Code::kAlreadyExists) return taken(made.error());
  if (!made) return refuse(made.error());
  call.names = {made->dag, made->run};
  ASSIGN(const auto run, run_at(call));
  return Reply(run_json(run, Catalog(call.workflows)));
}

}  // namespace

Answer<Reply> trigger_dag_run(Call& call) {
  ASSIGN(Body body, call.body());
  ASSIGN(auto wanted, read_trigger(call, body, true));
  wanted.dag = call.at(0);
  if (!Catalog(call.workflows).find(wanted.dag))
    return refuse(404, "Dag with dag_id: '" + wanted.dag + "' not found");
  return make_run(call, std::move(wanted));
}

Answer<Reply> materialize_asset(Call& call) {
  Body body{Json::object()};
  if (!call.request.body.empty() && call.request.body != "null") {
    ASSIGN(body, call.body());
  }
  ASSIGN(auto wanted, read_trigger(call, body, false));
  ASSIGN(wanted.dag, dag_that_makes(call));
  wanted.materializes = true;
  return make_run(call, std::move(wanted));
}

Answer<Reply> get_dag_run(Call& call) {
  ASSIGN(const auto run, run_at(call));
  return Reply(run_json(run, Catalog(call.workflows)));
}

Answer<Reply> patch_dag_run(Call& call) {
  ASSIGN(Body body, call.body());
  const auto state = body.one_of("state", {"queued", "success", "failed"});
  const auto note = body.text("note", kLongestNote);
  TRY(body.check());
  ASSIGN(auto run, run_at(call));
  const auto mask = call.parameters().texts("update_mask");
  const auto meant = [&](const char* name) { return body.has(name) && is_one_of(name, mask); };
  if (meant("note"))
    TRY(or_refuse(call.workflows.handle(
        sched::SetNote{.run = run.id, .task = {}, .note = note.value_or("")})));
  if (meant("state") && state) {
    ASSIGN(const auto to, run_state_of(*state));
    TRY(or_refuse(call.workflows.handle(sched::SetRun{.run = run.id, .state = to})));
  }
  ASSIGN(run, run_at(call));
  return Reply(run_json(run, Catalog(call.workflows)));
}

Answer<Reply> delete_dag_run(Call& call) {
  ASSIGN(const auto run, run_at(call));
  if (run.state == sched::RunState::kRunning)
    return refuse(409, "The DagRun with dag_id: `" + run.id.dag + "` and run_id: `" + run.id.run +
                           "` cannot be deleted in running state");
  TRY(or_refuse(call.workflows.handle(sched::DeleteRun{.run = run.id})));
  return Reply::nothing();
}

Answer<Reply> clear_dag_run(Call& call) {
  ASSIGN(Body body, call.body());
  const bool dry = body.flag("dry_run").value_or(true);
  const bool failed = body.flag("only_failed").value_or(false);
  const bool fresh = body.flag("only_new").value_or(false);
  const bool latest = body.has("run_on_latest_version") && !body.is_null("run_on_latest_version") &&
                      body.flag("run_on_latest_version").value_or(false);
  if (body.is_null("run_on_latest_version")) body.any("run_on_latest_version");
  const auto note = body.text("note", kLongestNote);
  if (fresh && failed) body.fault("only_new and only_failed are mutually exclusive");
  TRY(body.check());
  ASSIGN(auto run, run_at(call));
  Catalog catalog(call.workflows);
  if (!catalog.find(run.id.dag)) return refuse(404, "Dag with id " + run.id.dag + " was not found");
  // New tasks of a new version have instances as soon as a run has it (only_new finds none).
  if (dry) {
    ASSIGN(const auto found, instances_of(call, {run}, [&](const sched::TaskInstance& task) {
             return !fresh && (!failed || has_failed(task));
           }));
    return Reply(instances_page(call, found, catalog, false));
  }
  if (!fresh)
    TRY(or_refuse(call.workflows.handle(
        sched::Clear{.run = run.id, .tasks = {}, .only_failed = failed, .new_version = latest})));
  if (note)
    TRY(or_refuse(call.workflows.handle(sched::SetNote{.run = run.id, .task = {}, .note = *note})));
  ASSIGN(run, run_at(call));
  return Reply(run_json(run, catalog));
}

/// A line with the state at once, and each time that it is looked at until the run is over; with
/// what the tasks of `result` returned.
Answer<Reply> wait_for_dag_run(Call& call) {
  Parameters parameters = call.parameters();
  const auto interval = parameters.real("interval");
  TRY(parameters.check());
  if (!interval || *interval <= 0) {
    Faults faults;
    faults.add(interval ? "greater_than" : "missing", "query", "interval",
               interval ? "Input should be greater than 0" : "Field required",
               interval ? Json(parameters.text("interval")) : Json(nullptr));
    TRY(faults.check());
  }
  ASSIGN(const auto run, run_at(call));
  const auto results = parameters.texts("result");
  constexpr double kLongestS = 3600;
  net::TextStream stream;
  stream.every_ms =
      std::max(kShortestWaitMs, static_cast<int>(1000 * std::min(*interval, kLongestS)));
  stream.next = [&kept = call.kept(), id = run.id, results,
                 over = false]() mutable -> std::optional<std::string> {
    if (over) return std::nullopt;
    const auto now = kept.run(id);
    if (!now || !*now) return std::nullopt;
    Json line = {{"state", sched::name((*now)->state)}};
    over = (*now)->state == sched::RunState::kSuccess || (*now)->state == sched::RunState::kFailed;
    if (over && !results.empty()) {
      line["results"] = Json::object();
      for (const auto& task : results) {
        const auto value = kept.xcom({id, task, -1}, "return_value");
        if (value && *value) line["results"][task] = value_json(**value);
      }
    }
    return dump(line) + "\n";
  };
  net::Response response;
  response.content_type = "application/x-ndjson";
  response.stream = std::move(stream);
  return Reply(std::move(response));
}

}  // namespace tailrace::airflow
