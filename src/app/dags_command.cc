// `tailrace dags`: a project's workflows, as its files have them.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "app/commands.h"
#include "app/dags_actions.h"
#include "app/project_access.h"
#include "app/stop_signals.h"
#include "app/terminal.h"
#include "app/workflow_api.h"
#include "dags/read.h"
#include "rt/clock.h"
#include "workflows/settings.h"
#include "workflows/workflows.h"

namespace tailrace::app {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string folder_of(const std::string& project) {
  return fs::is_regular_file(project) ? fs::path(project).parent_path().string() : project;
}

Result<std::vector<std::shared_ptr<const dags::Dag>>> read_dags(const std::string& project) {
  ASSIGN(auto reading, dags::read(folder_of(project) + "/dags", tasks::operators_here()));
  std::string fatal;
  for (const auto& one : reading.findings) {
    if (one.fatal) {
      fatal += (fatal.empty() ? "" : "\n") + one.text();
    } else {
      std::cerr << "warning: " << one.text() << "\n";
    }
  }
  if (!fatal.empty()) return error(Code::kInvalidArgument, fatal);
  return std::move(reading.dags);
}

std::string when(const std::optional<calendar::RunInfo>& next) {
  if (!next) return "";
  return calendar::isoformat({.instant = next->run_after, .zone = calendar::Zone::utc()});
}

/// What the program that runs on the project knows of its DAGs: whether each is paused, and its
/// last run; nothing without one.
std::map<std::string, Json> running_dags(const DagsOptions& options) {
  std::map<std::string, Json> known;
  auto api = WorkflowApi::open(options.project, options.data);
  if (!api) return known;
  const auto dags = api->all("dags", "dags");
  if (!dags) return known;
  for (const Json& dag : *dags) {
    const auto id = dag.value("dag_id", "");
    Json& row = known[id];
    row = {{"paused", dag["is_paused"] == true ? "paused" : ""}, {"last run", ""}};
    const auto page = api->get("dags/" + escaped(id) + "/dagRuns?order_by=-run_after&limit=1");
    if (!page || (*page)["dag_runs"].empty()) continue;
    const Json& last = (*page)["dag_runs"][0];
    row["last run"] = last.value("state", "") + " " + last.value("run_after", "");
  }
  return known;
}

Status list(const DagsOptions& options) {
  ASSIGN(const auto dags, read_dags(options.project));
  const auto now = rt::system_clock().now().value * 1000;
  const auto known = running_dags(options);
  Json rows = Json::array();
  for (const auto& dag : dags) {
    const auto next = dag->timetable.next(std::nullopt, dag->restriction, now);
    rows.push_back({{"dag", dag->id},
                    {"schedule", dag->timetable_summary},
                    {"next", when(next)},
                    {"tasks", dag->tasks.size()},
                    {"file", dag->place.text()}});
    if (const auto at = known.find(dag->id); at != known.end()) rows.back().update(at->second);
  }
  Json columns = {"dag", "schedule", "next", "tasks", "file"};
  if (!known.empty()) columns = {"dag", "schedule", "paused", "last run", "next", "tasks", "file"};
  for (Json& row : rows) {
    for (const Json& column : columns)
      if (!row.contains(column.get<std::string>())) row[column.get<std::string>()] = "";
  }
  print_table(columns, rows, options.json);
  return {};
}

Result<std::shared_ptr<const dags::Dag>> find(const DagsOptions& options) {
  ASSIGN(const auto dags, read_dags(options.project));
  std::string names;
  for (const auto& dag : dags) {
    if (dag->id == options.dag) return dag;
    names += (names.empty() ? "" : ", ") + dag->id;
  }
  return error(Code::kNotFound,
               fmt::format("no DAG is called {}; there are: {}", options.dag, names));
}

Status show(const DagsOptions& options) {
  ASSIGN(const auto dag, find(options));
  Json rows = Json::array();
  for (const int at : dag->topological_order) {
    const dags::Task& task = dag->tasks[static_cast<std::size_t>(at)];
    std::string after;
    for (const auto& id : task.upstream) after += (after.empty() ? "" : ", ") + id;
    const std::string& path =
        task.decorator_path.empty() ? task.operator_path : task.decorator_path;
    rows.push_back({{"task", task.id},
                    {"does", path.substr(path.rfind('.') + 1)},
                    {"after", after},
                    {"mapped", task.expansion.has_value()},
                    {"at", task.place.text()}});
  }
  if (!options.json)
    std::cout << dag->id << "  " << dag->timetable_summary << "  " << dag->description << "\n";
  print_table({"task", "does", "after", "mapped", "at"}, rows, options.json);
  return {};
}

/// A data folder for one test, gone with it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "tailrace_dags_test_XXXXXX").string();
    path_ = ::mkdtemp(name.data()) != nullptr ? name : "";
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string name_of(const sched::TaskId& id) {
  return id.map_index < 0 ? id.task : fmt::format("{}[{}]", id.task, id.map_index);
}

/// Prints what is new: tasks' states, and the log of a try when it is over.
class Follower {
 public:
  explicit Follower(workflows::Workflows& workflows) : workflows_(workflows) {}

  void look(const workflows::Workflows::View& view) {
    for (const auto& task : view.tasks) {
      auto& before = seen_[task.id];
      const auto now = std::pair{task.state, task.try_number};
      if (before == now) continue;
      before = now;
      if (task.state == sched::TaskState::kNone || task.state == sched::TaskState::kScheduled ||
          task.state == sched::TaskState::kQueued)
        continue;
      if (task.state != sched::TaskState::kRunning) print_log(task);
      std::cout << fmt::format("{:<40} {}", name_of(task.id), sched::name(task.state));
      if (task.try_number > 1) std::cout << "  try " << task.try_number;
      std::cout << std::endl;
    }
  }

 private:
  void print_log(const sched::TaskInstance& task) {
    auto& offset = read_[{task.id, task.try_number}];
    while (true) {
      const auto part = workflows_.log(task.id, task.try_number, offset, 0ms);
      if (!part || part->text.empty()) return;
      std::cout << part->text;
      offset = part->next;
    }
  }

  workflows::Workflows& workflows_;
  std::map<sched::TaskId, std::pair<sched::TaskState, int>> seen_;
  std::map<std::pair<sched::TaskId, int>, std::uint64_t> read_;
};

Status test(const DagsOptions& options) {
  const Scratch scratch;
  if (scratch.path().empty())
    return error(Code::kUnavailable, "no folder can be made for temporary files");
  const auto access = no_project();
  workflows::Options settings{.folder = folder_of(options.project), .data = scratch.path()};
  settings.only = options.dag;
  ASSIGN(auto written, workflows::load_settings(settings.folder));
  settings.limits = written.limits;
  settings.connections = std::move(written.connections);
  settings.variables = std::move(written.variables);
  ASSIGN(auto workflows, workflows::Workflows::open(settings, *access, rt::system_clock()));
  sched::Trigger wanted{.dag = options.dag,
                        .run_id = {},
                        .logical_date = rt::system_clock().now().value * 1000,
                        .run_after = {},
                        .conf = {},
                        .by = "test",
                        .note = {}};
  if (!options.conf.empty()) {
    auto conf = jinja::from_json(options.conf);
    if (!conf) return std::unexpected(conf.error().in("--conf"));
    wanted.conf = std::move(*conf);
  }
  if (!options.date.empty()) {
    auto date = calendar::parse_moment(options.date);
    if (!date) return std::unexpected(date.error().in("--date"));
    wanted.logical_date = date->instant;
  }
  TRY(workflows->start());
  auto run = workflows->trigger(std::move(wanted));
  if (!run) return std::unexpected(run.error());
  Follower follower(*workflows);
  watch_stop_signals();
  while (!stop_asked()) {
    ASSIGN(const auto view, workflows->view(*run));
    follower.look(view);
    if (view.run.state == sched::RunState::kSuccess || view.run.state == sched::RunState::kFailed) {
      std::cout << fmt::format("run {}: {}", run->run, sched::name(view.run.state)) << std::endl;
      if (view.run.state == sched::RunState::kSuccess) return {};
      return error(Code::kAborted, fmt::format("DAG {} failed", options.dag));
    }
    std::this_thread::sleep_for(20ms);
  }
  workflows->stop(0ms);
  return error(Code::kCancelled, "stopped");
}

Status carry_out(const DagsOptions& options) {
  switch (options.action) {
    using enum DagsOptions::Action;
    case kList:
      return list(options);
    case kShow:
      return show(options);
    case kTest:
      return test(options);
    case kRun:
      return run_dag(options);
    case kRuns:
      return list_runs(options);
    case kBackfill:
      return backfill_dag(options);
    case kClear:
      return clear_tasks(options);
    case kPause:
      return pause_dag(options, true);
    case kUnpause:
      return pause_dag(options, false);
    case kLogs:
      return print_log(options);
  }
  return {};
}

}  // namespace

int dags_command(const DagsOptions& options) {
  const Status done = carry_out(options);
  return done ? 0 : fail(done.error());
}

}  // namespace tailrace::app
