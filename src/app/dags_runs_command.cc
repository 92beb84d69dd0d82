// `tailrace dags run | runs | clear | pause | unpause | logs | backfill`: asked of the program that
// runs on the project.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <map>
#include <regex>
#include <thread>

#include "app/commands.h"
#include "app/dags_actions.h"
#include "app/stop_signals.h"
#include "app/workflow_api.h"

namespace tailrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookEvery = 200ms;

std::string text_of(const Json& row, const char* name) {
  const Json& value = row[name];
  return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump();
}

bool is_over(const Json& run) {
  return run["state"] == "success" || run["state"] == "failed";
}

std::string instance_name(const Json& task) {
  const int index = task.value("map_index", -1);
  const auto id = task.value("task_id", "");
  return index < 0 ? id : fmt::format("{}[{}]", id, index);
}

/// Prints each task's states as they change.
class Follower {
 public:
  explicit Follower(bool json) : json_(json) {}

  void look(const std::vector<Json>& tasks) {
    for (const Json& task : tasks) {
      const std::string state = task["state"].is_null() ? "" : task["state"].get<std::string>();
      const int number = task.value("try_number", 0);
      auto& before = seen_[instance_name(task)];
      if (before == std::pair(state, number)) continue;
      before = {state, number};
      if (state.empty() || state == "scheduled" || state == "queued") continue;
      print(task, state, number);
    }
  }

 private:
  void print(const Json& task, const std::string& state, int number) const {
    if (json_) {
      std::cout << Json{{"task_id", task["task_id"]},
                        {"map_index", task["map_index"]},
                        {"state", state},
                        {"try_number", number}}
                       .dump()
                << std::endl;
      return;
    }
    std::cout << fmt::format("{:<40} {}", instance_name(task), state);
    if (number > 1) std::cout << "  try " << number;
    if (!task["duration"].is_null())
      std::cout << fmt::format("  {:.1f} s", task["duration"].get<double>());
    std::cout << std::endl;
  }

  bool json_;
  std::map<std::string, std::pair<std::string, int>> seen_;
};

std::string dag_path(const DagsOptions& options) {
  return "dags/" + escaped(options.dag);
}

Status follow(WorkflowApi& api, const DagsOptions& options, const std::string& run) {
  const std::string path = dag_path(options) + "/dagRuns/" + escaped(run);
  Follower follower(options.json);
  watch_stop_signals();
  while (!stop_asked()) {
    ASSIGN(const Json now, api.get(path));
    ASSIGN(const auto tasks, api.all(path + "/taskInstances", "task_instances"));
    follower.look(tasks);
    if (is_over(now)) {
      if (!options.json)
        std::cout << fmt::format("run {}: {}", run, text_of(now, "state")) << std::endl;
      else
        std::cout << now.dump() << std::endl;
      if (now["state"] == "success") return {};
      return error(Code::kAborted, fmt::format("run {} of DAG {} failed", run, options.dag));
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return error(
      Code::kCancelled,
      fmt::format("no longer watched; the run goes on: tailrace dags runs {}", options.dag));
}

Result<Json> conf_of(const DagsOptions& options) {
  if (options.conf.empty()) return Json::object();
  Json conf = Json::parse(options.conf, nullptr, false);
  if (!conf.is_object()) return error(Code::kInvalidArgument, "--conf: a JSON object is expected");
  return conf;
}

/// A date or time in the form that the API takes: with an offset.
Result<std::string> time_of(const std::string& text, const char* option) {
  auto moment = calendar::parse_moment(text);
  if (!moment) return std::unexpected(moment.error().in(option));
  return calendar::isoformat(*moment);
}

/// Asks on the terminal; without one `--yes` is wanted.
Result<bool> agreed(const DagsOptions& options, const std::string& question) {
  if (options.yes) return true;
  if (isatty(STDIN_FILENO) == 0)
    return error(Code::kFailedPrecondition, question + " Say so by --yes.");
  std::cout << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

Status run_dag(const DagsOptions& options) {
  ASSIGN(auto api, WorkflowApi::open(options.project, options.data));
  ASSIGN(Json conf, conf_of(options));
  Json body = {{"logical_date", nullptr}, {"conf", std::move(conf)}};
  if (!options.date.empty()) {
    ASSIGN(body["logical_date"], time_of(options.date, "--logical-date"));
  }
  if (!options.run.empty()) body["dag_run_id"] = options.run;
  ASSIGN(const Json run, api.post(dag_path(options) + "/dagRuns", body));
  const auto id = run.value("dag_run_id", "");
  if (options.json)
    std::cout << run.dump() << std::endl;
  else
    std::cout << "run " << id << std::endl;
  ASSIGN(const Json dag, api.get(dag_path(options)));
  if (dag["is_paused"] == true)
    std::cerr << "DAG " << options.dag << " is paused: the run waits until: tailrace dags unpause "
              << options.dag << "\n";
  return options.wait ? follow(api, options, id) : Status();
}

Status list_runs(const DagsOptions& options) {
  ASSIGN(auto api, WorkflowApi::open(options.project, options.data));
  ASSIGN(const Json page, api.get(fmt::format("{}/dagRuns?order_by=-run_after&limit={}",
                                              dag_path(options), options.limit)));
  if (options.json) {
    for (const Json& run : page["dag_runs"]) std::cout << run.dump() << "\n";
    return {};
  }
  Json rows = Json::array();
  for (const Json& run : page["dag_runs"]) {
    const Json& seconds = run["duration"];
    rows.push_back(
        {{"run", run["dag_run_id"]},
         {"type", run["run_type"]},
         {"state", run["state"]},
         {"logical date", text_of(run, "logical_date")},
         {"started", text_of(run, "start_date")},
         {"seconds", seconds.is_null() ? "" : fmt::format("{:.1f}", seconds.get<double>())}});
  }
  print_table({"run", "type", "state", "logical date", "started", "seconds"}, rows, false);
  return {};
}

Status clear_tasks(const DagsOptions& options) {
  ASSIGN(auto api, WorkflowApi::open(options.project, options.data));
  if (options.run.empty() && options.from.empty() && options.to.empty())
    return error(Code::kInvalidArgument, "which runs? --run RUN, or --from DATE and --to DATE");
  Json body = {{"dry_run", true},
               {"only_failed", options.failed},
               {"include_upstream", options.upstream},
               {"include_downstream", options.downstream}};
  if (!options.run.empty()) body["dag_run_id"] = options.run;
  if (!options.from.empty()) {
    ASSIGN(body["start_date"], time_of(options.from, "--from"));
  }
  if (!options.to.empty()) {
    ASSIGN(body["end_date"], time_of(options.to, "--to"));
  }
  if (!options.task.empty()) {
    ASSIGN(const Json tasks, api.get(dag_path(options) + "/tasks"));
    Json ids = Json::array();
    try {
      const std::regex wanted(options.task);
      for (const Json& task : tasks["tasks"]) {
        const auto id = task.value("task_id", "");
        if (std::regex_search(id, wanted)) ids.push_back(id);
      }
    } catch (const std::regex_error& why) {
      return error(Code::kInvalidArgument, fmt::format("--task {}: {}", options.task, why.what()));
    }
    if (ids.empty())
      return error(Code::kNotFound,
                   fmt::format("DAG {} has no task like {}", options.dag, options.task));
    body["task_ids"] = std::move(ids);
  }
  const std::string path = dag_path(options) + "/clearTaskInstances";
  ASSIGN(const Json found, api.post(path, body));
  Json rows = Json::array();
  for (const Json& task : found["task_instances"])
    rows.push_back({{"run", task["dag_run_id"]},
                    {"task", instance_name(task)},
                    {"state", text_of(task, "state")}});
  print_table({"run", "task", "state"}, rows, options.json);
  if (rows.empty() || options.dry_run) return {};
  ASSIGN(const bool yes,
         agreed(options, fmt::format("Clear {} task(s) of DAG {}?", rows.size(), options.dag)));
  if (!yes) return error(Code::kCancelled, "nothing is cleared");
  body["dry_run"] = false;
  TRY(api.post(path, body));
  if (!options.json) std::cout << "cleared; they run again\n";
  return {};
}

Status pause_dag(const DagsOptions& options, bool paused) {
  ASSIGN(auto api, WorkflowApi::open(options.project, options.data));
  ASSIGN(const Json dag, api.patch(dag_path(options), {{"is_paused", paused}}));
  if (options.json) {
    std::cout << dag.dump() << "\n";
  } else if (paused) {
    std::cout << "DAG " << options.dag << " is paused: no run starts, those that run go on\n";
  } else {
    const std::string next = text_of(dag, "next_dagrun_run_after");
    std::cout << "DAG " << options.dag << " runs"
              << (next.empty() ? std::string() : ", next at " + next) << "\n";
  }
  return {};
}

Status print_log(const DagsOptions& options) {
  ASSIGN(auto api, WorkflowApi::open(options.project, options.data));
  std::string run = options.run;
  if (run.empty()) {
    ASSIGN(const Json page, api.get(dag_path(options) + "/dagRuns?order_by=-run_after&limit=1"));
    if (page["dag_runs"].empty())
      return error(Code::kNotFound, fmt::format("DAG {} has no run yet", options.dag));
    run = page["dag_runs"][0].value("dag_run_id", "");
  }
  const std::string task = fmt::format("{}/dagRuns/{}/taskInstances/{}", dag_path(options),
                                       escaped(run), escaped(options.task));
  int number = options.try_number;
  watch_stop_signals();
  while (number <= 0) {
    ASSIGN(const Json instance,
           api.get(options.map_index < 0 ? task : fmt::format("{}/{}", task, options.map_index)));
    number = instance.value("try_number", 0);
    if (number > 0) break;
    if (!options.follow || stop_asked())
      return error(Code::kNotFound, fmt::format("task {} of run {} has not begun: its state is {}",
                                                options.task, run, text_of(instance, "state")));
    std::this_thread::sleep_for(kLookEvery);
  }
  std::string token;
  while (!stop_asked()) {
    ASSIGN(const Json part, api.get(fmt::format("{}/logs/{}?map_index={}&token={}", task, number,
                                                options.map_index, escaped(token))));
    for (const Json& line : part["content"]) {
      if (options.json)
        std::cout << line.dump() << "\n";
      else
        std::cout << text_of(line, "timestamp") << " " << text_of(line, "event") << "\n";
    }
    std::cout.flush();
    const Json& next = part["continuation_token"];
    const bool more = !part["content"].empty();
    if (next.is_null() || (!options.follow && !more)) return {};
    token = next.get<std::string>();
    if (!more) std::this_thread::sleep_for(kLookEvery);
  }
  return {};
}

namespace {

/// How many of a backfill's runs are in each state.
std::map<std::string, int> count_states(const std::vector<Json>& runs) {
  std::map<std::string, int> counts;
  for (const Json& run : runs) ++counts[run.value("state", "")];
  return counts;
}

Status follow_backfill(WorkflowApi& api, const DagsOptions& options, const Json& backfill) {
  const auto id = backfill.value("id", std::int64_t{0});
  const std::string path = fmt::format("backfills/{}", id);
  const std::string runs_path = fmt::format(
      "{}/dagRuns?run_type=backfill&logical_date_gte={}&logical_date_lte={}", dag_path(options),
      escaped(text_of(backfill, "from_date")), escaped(text_of(backfill, "to_date")));
  watch_stop_signals();
  std::string before;
  for (;;) {
    if (stop_asked()) {
      TRY(api.put(path + "/cancel"));
      return error(Code::kCancelled,
                   fmt::format("backfill {} is cancelled: runs that were queued have failed, those "
                               "that run go on to their end",
                               id));
    }
    ASSIGN(const Json now, api.get(path));
    ASSIGN(const auto runs, api.all(runs_path, "dag_runs"));
    auto counts = count_states(runs);
    const int done = counts["success"] + counts["failed"];
    const std::string line = options.json
                                 ? Json(counts).dump()
                                 : fmt::format("{} of {} runs done, {} failed, {} running", done,
                                               runs.size(), counts["failed"], counts["running"]);
    if (line != before) std::cout << line << std::endl;
    before = line;
    if (!now["completed_at"].is_null()) {
      if (counts["failed"] == 0) return {};
      return error(Code::kAborted,
                   fmt::format("{} run(s) of backfill {} failed: tailrace dags runs "
                               "{}",
                               counts["failed"], id, options.dag));
    }
    std::this_thread::sleep_for(kLookEvery);
  }
}

}  // namespace

Status backfill_dag(const DagsOptions& options) {
  ASSIGN(auto api, WorkflowApi::open(options.project, options.data));
  ASSIGN(const std::string from, time_of(options.from, "--from"));
  ASSIGN(const std::string to, time_of(options.to, "--to"));
  ASSIGN(Json conf, conf_of(options));
  const Json body = {{"dag_id", options.dag},
                     {"from_date", from},
                     {"to_date", to},
                     {"run_backwards", options.backwards},
                     {"dag_run_conf", std::move(conf)},
                     {"reprocess_behavior", options.reprocess},
                     {"max_active_runs", options.max_active_runs}};
  if (options.dry_run) {
    ASSIGN(const Json found, api.post("backfills/dry_run", body));
    Json rows = Json::array();
    for (const Json& one : found["backfills"])
      rows.push_back({{"logical date", one["logical_date"]}});
    print_table({"logical date"}, rows, options.json);
    return {};
  }
  ASSIGN(const Json backfill, api.post("backfills", body));
  if (options.json)
    std::cout << backfill.dump() << std::endl;
  else
    std::cout << "backfill " << backfill["id"] << (options.wait ? "; Ctrl-C cancels it" : "")
              << std::endl;
  ASSIGN(const Json dag, api.get(dag_path(options)));
  if (dag["is_paused"] == true)
    std::cerr << "DAG " << options.dag << " is paused: the runs wait until: tailrace dags unpause "
              << options.dag << "\n";
  return options.wait ? follow_backfill(api, options, backfill) : Status();
}

}  // namespace tailrace::app
