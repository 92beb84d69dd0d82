// Questions about workflows: read the parameters, ask, write the answer.
#include "console/workflows_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "console/errors.h"
#include "console/json.h"
#include "console/params.h"
#include "console/workflows_json.h"

namespace tailrace::console {
namespace {

using net::Request;
using net::Response;
using workflows::Workflows;

constexpr int kRunsListed = 14;
constexpr std::int64_t kMostRuns = 200;
constexpr std::int64_t kFew = 25;

/// FNV-1a of the body: the same bytes, the same tag, and nobody gains by a collision.
std::string tag_of(std::string_view body) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("\"{:016x}-{}\"", hash, body.size());
}

Response json_unless_known(const Request& request, std::string body) {
  Response response;
  const std::string tag = tag_of(body);
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("ETag", tag);
  response.content_type = kJsonType;
  if (request.header("if-none-match") == tag) {
    response.status = 304;
  } else {
    response.body = std::move(body);
  }
  return response;
}

bool holds(std::string_view text, std::string_view words) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return !std::ranges::search(text, words, {}, lower, lower).empty() || words.empty();
}

bool is_found(const dags::Dag& dag, std::string_view words) {
  return holds(dag.id, words) || holds(dag.display_name, words) || holds(dag.description, words);
}

Result<std::vector<sched::Run>> newest_runs(Workflows& workflows, const std::string& dag,
                                            std::int64_t limit) {
  ASSIGN(auto page, workflows.metadata().runs({.dag = dag, .limit = limit}));
  return std::move(page.runs);
}

/// Whether a list of `which` has the DAG.
Result<bool> is_wanted(Workflows& workflows, const ListedDag& dag, std::string_view which) {
  if (which == "active") return !dag.row.paused;
  if (which == "paused") return dag.row.paused;
  if (which == "running") {
    ASSIGN(const auto page, workflows.metadata().runs(
                                {.dag = dag.dag->id,
                                 .states = {sched::RunState::kQueued, sched::RunState::kRunning},
                                 .limit = 1}));
    return page.total > 0;
  }
  if (which == "failed") {
    ASSIGN(const auto runs, newest_runs(workflows, dag.dag->id, 1));
    return !runs.empty() && runs.front().state == sched::RunState::kFailed;
  }
  return true;
}

Result<std::string> list(Workflows& workflows, const Request& request) {
  TRY(only_params(request, {"search", "tag", "which", "offset", "limit"}));
  ASSIGN(const auto which,
         word_of(request, "which", {"all", "active", "paused", "running", "failed"}, "all"));
  ASSIGN(const auto skip, number_of<std::int64_t>(request, "offset", 0, INT64_MAX, 0));
  ASSIGN(const auto limit, number_of<std::int64_t>(request, "limit", 1, kMostRuns, kFew));
  const std::string words = request.param("search").value_or("");
  const std::string tag = request.param("tag").value_or("");
  std::map<std::string, sched::DagRow> rows;
  for (auto& row : workflows.rows()) rows[row.id] = row;
  DagList found;
  std::set<std::string> tags;
  for (const auto& dag : workflows.dags()) {
    tags.insert(dag->tags.begin(), dag->tags.end());
    if (!is_found(*dag, words)) continue;
    if (!tag.empty() && std::ranges::find(dag->tags, tag) == dag->tags.end()) continue;
    ListedDag one{.dag = dag, .row = rows[dag->id], .runs = {}};
    ASSIGN(const bool wanted, is_wanted(workflows, one, which));
    if (!wanted) continue;
    const auto place = found.total++;
    if (place < skip || place >= skip + limit) continue;
    ASSIGN(one.runs, newest_runs(workflows, dag->id, kRunsListed));
    found.dags.push_back(std::move(one));
  }
  found.tags.assign(tags.begin(), tags.end());
  return dag_list_json(found);
}

Result<ListedDag> dag_called(Workflows& workflows, const std::string& name) {
  for (auto& dag : workflows.dags()) {
    if (dag->id != name) continue;
    ListedDag found{.dag = dag, .row = {}, .runs = {}};
    for (auto& row : workflows.rows()) {
      if (row.id == name) found.row = row;
    }
    return found;
  }
  return error(Code::kNotFound, fmt::format("no DAG is called {}", name));
}

/// The value whose name is `word`; none of an empty word.
template <typename T>
std::vector<T> named(std::initializer_list<T> all, std::string_view word) {
  std::vector<T> found;
  for (const T one : all) {
    if (sched::name(one) == word) found.push_back(one);
  }
  return found;
}

Result<std::string> grid(Workflows& workflows, const Request& request) {
  using sched::RunState;
  using sched::RunType;
  TRY(only_params(request, {"state", "type", "offset", "limit"}));
  ASSIGN(const auto state,
         word_of(request, "state", {"queued", "running", "success", "failed"}, ""));
  ASSIGN(
      const auto type,
      word_of(request, "type",
              {"scheduled", "manual", "backfill", "asset_triggered", "asset_materialization"}, ""));
  metadata::RunFilter filter{.dag = request.segments[2]};
  filter.states =
      named({RunState::kQueued, RunState::kRunning, RunState::kSuccess, RunState::kFailed}, state);
  filter.types = named({RunType::kScheduled, RunType::kManual, RunType::kBackfill,
                        RunType::kAssetTriggered, RunType::kAssetMaterialization},
                       type);
  ASSIGN(filter.offset, number_of<std::int64_t>(request, "offset", 0, INT64_MAX, 0));
  ASSIGN(filter.limit, number_of<std::int64_t>(request, "limit", 1, kMostRuns, kFew));
  DagGrid grid;
  ASSIGN(grid.dag, dag_called(workflows, filter.dag));
  ASSIGN(auto page, workflows.metadata().runs(filter));
  grid.total = page.total;
  for (auto& run : page.runs) {
    ASSIGN(auto tasks, workflows.metadata().tasks(run.id));
    grid.columns.push_back({.run = std::move(run), .tasks = std::move(tasks)});
  }
  return dag_grid_json(grid);
}

Result<std::string> run(Workflows& workflows, const Request& request) {
  TRY(only_params(request, {}));
  RunDetail detail;
  ASSIGN(detail.view, workflows.view({request.segments[2], request.segments[4]}));
  for (const auto& task : detail.view.tasks) {
    std::vector<metadata::Try> tries;
    if (task.try_number > 0) {
      ASSIGN(tries, workflows.metadata().tries(task.id));
    }
    detail.tries.push_back(std::move(tries));
  }
  return run_detail_json(detail);
}

}  // namespace

Response workflows_response(Workflows* workflows, const Request& request) {
  const auto& segments = request.segments;
  Result<std::string> (*answer)(Workflows&, const Request&) = nullptr;
  if (segments.size() == 2) answer = list;
  if (segments.size() == 3 && !segments[2].empty()) answer = grid;
  if (segments.size() == 5 && segments[3] == "runs") answer = run;
  if (answer == nullptr)
    return error_response({Code::kNotFound, "no such address: " + request.path});
  if (workflows == nullptr)
    return error_response({Code::kNotFound, "the project has no folder dags/"});
  if (const std::string why = workflows->trouble(); !why.empty())
    return error_response({Code::kUnavailable, "the workflows wait for their metadata: " + why});
  auto body = answer(*workflows, request);
  if (!body) return error_response(body.error());
  return json_unless_known(request, std::move(*body));
}

}  // namespace tailrace::console
