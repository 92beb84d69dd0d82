// Backfills: asked for, tried without doing, paused, cancelled.
#include <algorithm>
#include <charconv>

#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/runs.h"

namespace tailrace::airflow {
namespace {

using Reprocess = sched::Backfill::Reprocess;

Json backfill_json(const sched::Backfill& one, const Catalog& catalog) {
  return {{"id", one.id},
          {"dag_id", one.dag},
          {"from_date", time_json(one.from)},
          {"to_date", time_json(one.to)},
          {"dag_run_conf", one.conf.dict() != nullptr ? value_json(one.conf) : Json(nullptr)},
          {"is_paused", one.paused},
          {"reprocess_behavior", one.reprocess == Reprocess::kFailed      ? "failed"
                                 : one.reprocess == Reprocess::kCompleted ? "completed"
                                                                          : "none"},
          {"max_active_runs", one.max_active_runs},
          {"created_at", time_json(one.created_at)},
          {"completed_at", time_json(one.completed_at)},
          {"updated_at", time_json(one.completed_at ? one.completed_at : one.created_at)},
          {"dag_display_name", catalog.display_name(one.dag)}};
}

Answer<sched::Backfill> wanted_of(Call& call) {
  ASSIGN(Body body, call.body());
  sched::Backfill wanted;
  for (const char* name : {"dag_id", "from_date", "to_date"}) body.required(name);
  wanted.dag = body.text("dag_id").value_or("");
  wanted.from = body.time("from_date").value_or(0);
  wanted.to = body.time("to_date").value_or(0);
  wanted.reverse = body.flag("run_backwards").value_or(false);
  if (const auto conf = body.dict("dag_run_conf")) wanted.conf = json_value(*conf);
  const auto again = body.one_of("reprocess_behavior", {"failed", "completed", "none"});
  wanted.reprocess = again == "failed"      ? Reprocess::kFailed
                     : again == "completed" ? Reprocess::kCompleted
                                            : Reprocess::kNone;
  wanted.max_active_runs = static_cast<int>(
      std::min<std::int64_t>(body.number("max_active_runs").value_or(10), INT32_MAX));
  (void)body.any("run_on_latest_version");
  TRY(body.check());
  if (wanted.max_active_runs < 1) return refuse(422, "max_active_runs must be at least 1");
  return wanted;
}

/// Of any DAG, by its number in the path.
Answer<sched::Backfill> backfill_at(Call& call) {
  const std::string& text = call.at(0);
  std::int64_t number = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number < 0) {
    Faults faults;
    faults.add("int_parsing", "path", "backfill_id",
               "Input should be a valid integer, unable to parse string as an integer", text);
    return std::unexpected(faults.check().error());
  }
  for (const auto& dag : call.workflows.dags()) {
    ASSIGN(const auto all, or_refuse(call.kept().backfills(dag->id)));
    const auto at = std::ranges::find(all, number, &sched::Backfill::id);
    if (at != all.end()) return *at;
  }
  return refuse(404, "Backfill not found");
}

/// What the scheduler refuses of a backfill, by Airflow's codes.
std::unexpected<Refusal> refused(const Error& why, const std::string& dag) {
  if (why.code == Code::kNotFound) return refuse(404, "Could not find dag " + dag);
  if (why.code == Code::kAlreadyExists)
    return refuse(409, "There is already a running backfill for dag " + dag);
  return refuse(422, why.what);
}

Answer<Reply> change(Call& call, bool paused, bool cancelled) {
  ASSIGN(auto one, backfill_at(call));
  if (one.completed_at) return refuse(409, "Backfill is already completed.");
  const auto done = call.workflows.handle(
      sched::SetBackfill{.id = one.id, .paused = paused, .cancelled = cancelled});
  if (!done && done.error().code == Code::kNotFound)
    return refuse(409, "Backfill is already completed.");
  TRY(or_refuse(done));
  ASSIGN(one, backfill_at(call));
  return Reply(backfill_json(one, Catalog(call.workflows)));
}

}  // namespace

Answer<Reply> list_backfills(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TRY(parameters.check());
  if (!parameters.has("dag_id")) {
    Faults faults;
    faults.add("missing", "query", "dag_id", "Field required", nullptr);
    TRY(faults.check());
  }
  ASSIGN(const auto all, or_refuse(call.kept().backfills(parameters.text("dag_id"))));
  const Catalog catalog(call.workflows);
  std::vector<Json> rows;
  for (const auto& one : all) rows.push_back(backfill_json(one, catalog));
  auto order = parameters.texts("order_by");
  if (order.empty()) order = {"id"};
  TRY(sort(rows, order, {.allowed = {"id"}}));
  return Reply(page("backfills", std::move(rows), offset, limit));
}

Answer<Reply> get_backfill(Call& call) {
  ASSIGN(const auto one, backfill_at(call));
  return Reply(backfill_json(one, Catalog(call.workflows)));
}

Answer<Reply> create_backfill(Call& call) {
  ASSIGN(const auto wanted, wanted_of(call));
  const auto made = call.workflows.handle(sched::MakeBackfill{.wanted = wanted});
  if (!made) return refused(made.error(), wanted.dag);
  ASSIGN(const auto all, or_refuse(call.kept().backfills(wanted.dag)));
  if (all.empty()) return refuse(500, "the backfill is not there");
  return Reply(backfill_json(all.back(), Catalog(call.workflows)));
}

/// The logical dates that would run: those of the schedule between the dates whose run is not
/// there, or is to be done again.
Answer<Reply> backfill_dry_run(Call& call) {
  ASSIGN(const auto wanted, wanted_of(call));
  const Catalog catalog(call.workflows);
  const auto dag = catalog.find(wanted.dag);
  if (!dag) return refuse(404, "Could not find dag " + wanted.dag);
  const auto now = call.workflows.now();
  if (wanted.from > wanted.to || wanted.from >= now)
    return refuse(422, "a backfill is of the past, and ends after it begins");
  ASSIGN(const auto runs, runs_between(call, wanted.dag, wanted.from, wanted.to));
  const calendar::Restriction range{.earliest = wanted.from, .latest = wanted.to, .catchup = true};
  std::vector<Json> rows;
  for (auto info = dag->timetable.next(std::nullopt, range, now); info;
       info = dag->timetable.next(info, range, now)) {
    if (!info->interval || info->interval->end >= now) break;
    const auto there = std::ranges::find(runs, info->logical_date, &sched::Run::logical_date);
    const bool over = there != runs.end() && (there->state == sched::RunState::kSuccess ||
                                              there->state == sched::RunState::kFailed);
    const bool again =
        over &&
        (wanted.reprocess == Reprocess::kCompleted ||
         (wanted.reprocess == Reprocess::kFailed && there->state == sched::RunState::kFailed));
    if (there == runs.end() || again)
      rows.push_back({{"logical_date", time_json(info->logical_date)},
                      {"partition_key", nullptr},
                      {"partition_date", nullptr}});
  }
  if (wanted.reverse) std::ranges::reverse(rows);
  const auto total = static_cast<std::int64_t>(rows.size());
  return Reply(page("backfills", std::move(rows), 0, total));
}

Answer<Reply> pause_backfill(Call& call) {
  return change(call, true, false);
}
Answer<Reply> unpause_backfill(Call& call) {
  return change(call, false, false);
}
Answer<Reply> cancel_backfill(Call& call) {
  return change(call, true, true);
}

}  // namespace tailrace::airflow
