// Assets that DAGs schedule by, read or write; their events, which are pushed here, too.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/runs.h"
#include "airflow/secrets.h"

namespace tailrace::airflow {
namespace {

struct TaskRef {
  std::string dag, task;
};

struct KnownAsset {
  dags::Asset asset;
  std::vector<std::string> scheduled;
  std::vector<TaskRef> producing, consuming;
  std::vector<std::string> aliases;
};

class Assets {
 public:
  explicit Assets(const Catalog& catalog) {
    for (const auto& dag : catalog.dags()) {
      if (dag->assets) add_condition(*dag->assets, dag->id);
      for (const auto& task : dag->tasks) {
        for (const auto& asset : task.outlets) entry(asset).producing.push_back({dag->id, task.id});
        for (const auto& inlet : task.inlets) add_inlet(inlet, {dag->id, task.id});
        for (const auto& alias : task.outlet_aliases) aliases_[alias];
      }
    }
  }

  const std::vector<KnownAsset>& all() const { return all_; }
  const std::map<std::string, int>& aliases() const { return aliases_; }
  const KnownAsset* find(std::int64_t id) const {
    const auto at = std::ranges::find_if(
        all_, [&](const KnownAsset& one) { return asset_id(one.asset) == id; });
    return at == all_.end() ? nullptr : &*at;
  }
  /// By URI or name.
  const KnownAsset* find(std::string_view uri) const {
    const auto at = std::ranges::find_if(
        all_, [&](const KnownAsset& one) { return one.asset.uri == uri || one.asset.name == uri; });
    return at == all_.end() ? nullptr : &*at;
  }

 private:
  KnownAsset& entry(const dags::Asset& asset) {
    const auto at =
        std::ranges::find_if(all_, [&](const KnownAsset& one) { return one.asset == asset; });
    if (at != all_.end()) return *at;
    all_.push_back(
        {.asset = asset, .scheduled = {}, .producing = {}, .consuming = {}, .aliases = {}});
    return all_.back();
  }

  void add_condition(const dags::AssetCondition& condition, const std::string& dag) {
    using Kind = dags::AssetCondition::Kind;
    if (condition.kind == Kind::kAsset) {
      auto& scheduled = entry(condition.asset).scheduled;
      if (std::ranges::find(scheduled, dag) == scheduled.end()) scheduled.push_back(dag);
    }
    if (condition.kind == Kind::kAlias) aliases_[condition.alias];
    for (const auto& part : condition.parts) add_condition(part, dag);
  }

  void add_inlet(const jinja::Value& inlet, const TaskRef& task) {
    std::string name, uri;
    if (inlet.string() != nullptr) name = uri = *inlet.string();
    if (const auto* dict = inlet.dict()) {
      const auto text = [&](const char* key) {
        const auto* value = dict->find(key);
        return value != nullptr && value->string() != nullptr ? *value->string() : std::string();
      };
      name = text("name");
      uri = text("uri");
      if (name.empty()) name = uri;
      if (uri.empty()) uri = name;
    }
    if (name.empty()) return;
    const KnownAsset* known = find(uri);
    entry(known != nullptr ? known->asset : dags::Asset{name, uri, "asset", {}})
        .consuming.push_back(task);
  }

  std::vector<KnownAsset> all_;
  std::map<std::string, int> aliases_;
};

Json refs_json(const std::vector<TaskRef>& refs, const Json& time) {
  Json list = Json::array();
  for (const auto& ref : refs)
    list.push_back(
        {{"dag_id", ref.dag}, {"task_id", ref.task}, {"created_at", time}, {"updated_at", time}});
  return list;
}

Answer<Json> asset_json(const Call& call, const KnownAsset& known, const Catalog& catalog) {
  const dags::Asset& asset = known.asset;
  ASSIGN(const auto events, or_refuse(call.kept().asset_events(asset.uri, 1)));
  const Json time = time_json(catalog.read_at());
  Json scheduled = Json::array();
  for (const auto& dag : known.scheduled)
    scheduled.push_back({{"dag_id", dag}, {"created_at", time}, {"updated_at", time}});
  Json last = {{"id", nullptr}, {"timestamp", nullptr}};
  if (!events.empty())
    last = {{"id", events.front().id}, {"timestamp", time_json(events.front().at)}};
  return Json{{"id", asset_id(asset)},
              {"name", asset.name},
              {"uri", asset.uri},
              {"group", asset.group.empty() ? "asset" : asset.group},
              {"extra", asset.extra.dict() ? redacted(value_json(asset.extra)) : Json::object()},
              {"created_at", time},
              {"updated_at", time},
              {"scheduled_dags", std::move(scheduled)},
              {"producing_tasks", refs_json(known.producing, time)},
              {"consuming_tasks", refs_json(known.consuming, time)},
              {"aliases", Json::array()},
              {"watchers", Json::array()},
              {"last_asset_event", std::move(last)}};
}

Json made_run_json(const sched::Run& run, std::int64_t event) {
  Json start, end;
  if (run.interval) {
    start = time_json(run.interval->start);
    end = time_json(run.interval->end);
  }
  return {{"run_id", run.id.run},
          {"dag_id", run.id.dag},
          {"logical_date", time_json(run.logical_date)},
          {"start_date", time_json(run.started_at ? run.started_at : run.queued_at)},
          {"end_date", time_json(run.ended_at)},
          {"state", sched::name(run.state)},
          {"data_interval_start", std::move(start)},
          {"data_interval_end", std::move(end)},
          {"partition_key", nullptr},
          {"triggering", run.asset_events.back() == event}};
}

/// Runs that events made, by event.
using MadeRuns = std::map<std::int64_t, std::vector<sched::Run>>;

/// A run comes after its last event, and that not before its first one.
Answer<MadeRuns> runs_of(const Call& call, const std::vector<sched::AssetEvent>& events) {
  MadeRuns made;
  if (events.empty()) return made;
  const auto first = std::ranges::min(events, {}, &sched::AssetEvent::at).at;
  ASSIGN(const auto page, or_refuse(call.kept().runs({.dag = "",
                                                      .types = {sched::RunType::kAssetTriggered},
                                                      .run_after_from = first,
                                                      .newest_first = false,
                                                      .by_number = true,
                                                      .limit = kMostRows})));
  for (const auto& run : page.runs) {
    for (const auto event : run.asset_events) made[event].push_back(run);
  }
  return made;
}

Json event_json(const sched::AssetEvent& event, const Assets& assets, const MadeRuns& made) {
  const KnownAsset* known = assets.find(event.asset_uri);
  const std::string name = known != nullptr ? known->asset.name : event.asset_uri;
  const std::string uri = known != nullptr ? known->asset.uri : event.asset_uri;
  Json runs = Json::array();
  if (const auto of = made.find(event.id); of != made.end())
    for (const auto& run : of->second) runs.push_back(made_run_json(run, event.id));
  const auto& source = event.source;
  return {{"id", event.id},
          {"asset_id", asset_id(name, uri)},
          {"uri", uri},
          {"name", name},
          {"group", known != nullptr && !known->asset.group.empty() ? known->asset.group : "asset"},
          {"extra", event.extra.dict() ? redacted(value_json(event.extra)) : Json::object()},
          {"source_task_id", source ? Json(source->task) : Json(nullptr)},
          {"source_dag_id", source ? Json(source->run.dag) : Json(nullptr)},
          {"source_run_id", source ? Json(source->run.run) : Json(nullptr)},
          {"source_map_index", source ? source->map_index : -1},
          {"created_dagruns", std::move(runs)},
          {"timestamp", time_json(event.at)},
          {"partition_key", nullptr}};
}

Answer<std::int64_t> id_at(const Call& call, std::size_t place) {
  const std::string& text = call.at(place);
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size()) return number;
  Faults faults;
  faults.add("int_parsing", "path", "asset_id",
             "Input should be a valid integer, unable to parse string as an integer", text);
  return std::unexpected(faults.check().error());
}

/// Events that DAGs have not consumed: of one DAG, of one asset, or all.
Answer<Reply> queued(Call& call, const std::optional<std::string>& of_dag,
                     std::optional<std::int64_t> of_asset, bool alone) {
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  Json list = Json::array();
  for (const auto& row : call.workflows.rows()) {
    if (of_dag && row.id != *of_dag) continue;
    ASSIGN(const auto events, or_refuse(call.kept().asset_events(row.pending_asset_events)));
    std::map<std::int64_t, calendar::Micros> first;
    for (const auto& event : events) {
      const KnownAsset* known = assets.find(event.asset_uri);
      first.try_emplace(
          known != nullptr ? asset_id(known->asset) : asset_id(event.asset_uri, event.asset_uri),
          event.at);
    }
    for (const auto& [asset, time] : first) {
      if (!of_asset || asset == *of_asset)
        list.push_back({{"dag_id", row.id},
                        {"asset_id", asset},
                        {"created_at", time_json(time)},
                        {"dag_display_name", catalog.display_name(row.id)}});
    }
  }
  if (alone) {
    if (list.empty())
      return refuse(404, "Queued event with dag_id: `" + *of_dag + "` and asset_id: `" +
                             std::to_string(*of_asset) + "` was not found");
    return Reply(list.front());
  }
  const auto total = list.size();
  return Reply(Json{{"queued_events", std::move(list)}, {"total_entries", total}});
}

/// What `queued` lists goes; false: there was none.
Answer<bool> drop_queued(Call& call, const std::optional<std::string>& of_dag,
                         std::optional<std::int64_t> of_asset) {
  Parameters parameters = call.parameters();
  const auto before = parameters.time("before");
  TRY(parameters.check());
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  sched::DropPending event{.dag = {}, .assets = {}, .before = before};
  if (of_asset) {
    const KnownAsset* known = assets.find(*of_asset);
    if (known == nullptr) return false;
    event.assets = {known->asset.uri, known->asset.name};
  }
  bool some = false;
  for (const auto& dag : catalog.dags()) {
    if (of_dag && dag->id != *of_dag) continue;
    event.dag = dag->id;
    const auto gone = call.workflows.handle(event);
    if (!gone && gone.error().code != Code::kNotFound) return refuse(gone.error());
    some = some || gone.has_value();
  }
  return some;
}

}  // namespace

Answer<Reply> list_assets(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TRY(parameters.check());
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  const auto dags = parameters.texts("dag_ids");
  std::vector<Json> rows;
  for (const auto& known : assets.all()) {
    const auto of_dag = [&](const std::string& dag) { return is_one_of(dag, dags); };
    const bool fits = (!parameters.has("name_pattern") ||
                       matches_pattern(known.asset.name, parameters.text("name_pattern"))) &&
                      (!parameters.has("uri_pattern") ||
                       matches_pattern(known.asset.uri, parameters.text("uri_pattern"))) &&
                      (dags.empty() || std::ranges::any_of(known.scheduled, of_dag) ||
                       std::ranges::any_of(known.producing, of_dag, &TaskRef::dag));
    if (!fits) continue;
    ASSIGN(auto row, asset_json(call, known, catalog));
    rows.push_back(std::move(row));
  }
  auto order = parameters.texts("order_by");
  TRY(sort(rows, order, {.allowed = {"id", "name", "uri", "created_at", "updated_at"}}));
  return Reply(page("assets", std::move(rows), offset, limit));
}

Answer<Reply> get_asset(Call& call) {
  ASSIGN(const auto id, id_at(call, 0));
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  const KnownAsset* known = assets.find(id);
  if (known == nullptr) return refuse(404, "The Asset with ID: `" + call.at(0) + "` was not found");
  ASSIGN(auto json, asset_json(call, *known, catalog));
  return Reply(std::move(json));
}

Answer<Reply> list_asset_aliases(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TRY(parameters.check());
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  std::vector<Json> rows;
  for (const auto& [name, unused] : assets.aliases())
    rows.push_back({{"id", asset_id(name, "")}, {"name", name}, {"group", "asset"}});
  return Reply(page("asset_aliases", std::move(rows), offset, limit));
}

Answer<Reply> get_asset_alias(Call& call) {
  ASSIGN(const auto id, id_at(call, 0));
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  for (const auto& [name, unused] : assets.aliases()) {
    if (asset_id(name, "") == id)
      return Reply(Json{{"id", id}, {"name", name}, {"group", "asset"}});
  }
  return refuse(404, "The Asset Alias with ID: `" + call.at(0) + "` was not found");
}

Answer<Reply> list_asset_events(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  const auto asset = parameters.number("asset_id");
  const Range time = time_range(parameters, "timestamp");
  TRY(parameters.check());
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  std::string uri;
  if (asset) {
    const KnownAsset* known = assets.find(*asset);
    if (known == nullptr) return Reply(Json{{"asset_events", Json::array()}, {"total_entries", 0}});
    uri = known->asset.uri;
  }
  ASSIGN(const auto events, or_refuse(call.kept().asset_events(uri, kMostRows)));
  std::vector<Json> rows;
  std::map<std::int64_t, const sched::AssetEvent*> by_id;
  for (const auto& event : events) {
    Json row = event_json(event, assets, {});
    const bool fits =
        time.holds(row["timestamp"]) &&
        is_one_of(row["source_dag_id"], parameters.texts("source_dag_id")) &&
        is_one_of(row["source_task_id"], parameters.texts("source_task_id")) &&
        is_one_of(row["source_run_id"], parameters.texts("source_run_id")) &&
        is_one_of(row["source_map_index"], parameters.texts("source_map_index")) &&
        (!parameters.has("name_pattern") ||
         matches_pattern(row["name"].get<std::string>(), parameters.text("name_pattern")));
    if (!fits) continue;
    by_id[event.id] = &event;
    rows.push_back(std::move(row));
  }
  std::ranges::reverse(rows);  // oldest first
  auto order = parameters.texts("order_by");
  if (order.empty()) order = {"timestamp"};
  TRY(sort(rows, order,
           {.allowed = {"id", "source_task_id", "source_dag_id", "source_run_id",
                        "source_map_index", "timestamp"}}));
  Json cut = page("asset_events", std::move(rows), offset, limit);
  std::vector<sched::AssetEvent> shown;
  for (const Json& row : cut["asset_events"]) shown.push_back(*by_id[row["id"]]);
  ASSIGN(const auto made, runs_of(call, shown));
  for (std::size_t i = 0; i < shown.size(); ++i)
    cut["asset_events"][i] = event_json(shown[i], assets, made);
  return Reply(std::move(cut));
}

Answer<Reply> create_asset_event(Call& call) {
  ASSIGN(Body body, call.body());
  body.required("asset_id");
  const auto id = body.number("asset_id").value_or(-1);
  if (body.text("partition_key")) body.fault("assets have no partitions here");
  Json extra = body.dict("extra").value_or(Json::object());
  (void)body.dict("access_control");
  TRY(body.check());
  extra["from_rest_api"] = true;
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  const KnownAsset* known = assets.find(id);
  if (known == nullptr)
    return refuse(404, "Asset with ID: `" + std::to_string(id) + "` was not found");
  TRY(or_refuse(call.workflows.happened(known->asset.uri, json_value(extra))));
  ASSIGN(const auto events, or_refuse(call.kept().asset_events(known->asset.uri, 1)));
  if (events.empty()) return refuse(500, "the event is not there");
  ASSIGN(const auto made, runs_of(call, events));
  return Reply(event_json(events.front(), assets, made));
}

Answer<std::string> dag_that_makes(Call& call) {
  ASSIGN(const auto id, id_at(call, 0));
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  const KnownAsset* known = assets.find(id);
  std::set<std::string> dags;
  if (known != nullptr)
    for (const TaskRef& one : known->producing) dags.insert(one.dag);
  if (dags.size() == 1) return *dags.begin();
  if (dags.empty()) return refuse(404, "No Dag materializes asset with ID: " + call.at(0));
  return refuse(409, "More than one Dag materializes asset with ID: " + call.at(0));
}

Answer<Reply> upstream_asset_events(Call& call) {
  ASSIGN(const auto run, run_at(call));
  const Catalog catalog(call.workflows);
  const Assets assets(catalog);
  std::vector<sched::AssetEvent> consumed;
  if (!run.asset_events.empty()) {
    ASSIGN(consumed, or_refuse(call.kept().asset_events(run.asset_events)));
  }
  ASSIGN(const auto made, runs_of(call, consumed));
  Json list = Json::array();
  for (const auto& event : consumed) list.push_back(event_json(event, assets, made));
  const auto total = list.size();
  return Reply(Json{{"asset_events", std::move(list)}, {"total_entries", total}});
}

Answer<Reply> asset_queued_events(Call& call) {
  ASSIGN(const auto id, id_at(call, 0));
  return queued(call, std::nullopt, id, false);
}
Answer<Reply> dag_queued_events(Call& call) {
  return queued(call, call.at(0), std::nullopt, false);
}
Answer<Reply> dag_asset_queued_event(Call& call) {
  ASSIGN(const auto id, id_at(call, 1));
  return queued(call, call.at(0), id, true);
}

Answer<Reply> delete_asset_queued_events(Call& call) {
  ASSIGN(const auto id, id_at(call, 0));
  ASSIGN(const bool some, drop_queued(call, std::nullopt, id));
  if (some) return Reply::nothing();
  return refuse(404, "Queue event with asset_id: `" + call.at(0) + "` was not found");
}
Answer<Reply> delete_dag_queued_events(Call& call) {
  ASSIGN(const bool some, drop_queued(call, call.at(0), std::nullopt));
  if (some) return Reply::nothing();
  return refuse(404, "Queue event with dag_id: `" + call.at(0) + "` was not found");
}
Answer<Reply> delete_dag_asset_queued_event(Call& call) {
  ASSIGN(const auto id, id_at(call, 1));
  ASSIGN(const bool some, drop_queued(call, call.at(0), id));
  if (some) return Reply::nothing();
  return refuse(404, "Queued event with dag_id: `" + call.at(0) + "` and asset_id: `" + call.at(1) +
                         "` was not found");
}

}  // namespace tailrace::airflow
