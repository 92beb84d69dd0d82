// What the page is told of workflows, over real ones.
#include "console/workflows_page.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "console/workflows_json.h"
#include "tasks/testing/no_project.h"

namespace tailrace::console {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kFile = R"(
one:
  schedule: none
  start_date: 2026-01-01
  tags: [a, b]
  description: The First
  task_groups: {outer: {}, inner: {parent_group_name: outer}}
  tasks:
    last:
      operator: airflow.providers.standard.operators.empty.EmptyOperator
      dependencies: [outer]
    first:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: "true"
      task_group_name: inner
    wait:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: "true"
      dependencies: [first]
      task_group_name: outer
two:
  schedule: "0 5 * * *"
  start_date: 2026-01-01
  is_paused_upon_creation: true
  tasks:
    only: {operator: airflow.providers.standard.operators.empty.EmptyOperator}
)";

class WorkflowsPage : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("tailrace_workflows_page_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_ / "dags");
    std::ofstream(folder_ / "dags" / "all.yml") << kFile;
    auto opened = workflows::Workflows::open(
        {.folder = folder_.string(), .data = (folder_ / "data").string()}, project_,
        rt::system_clock());
    ASSERT_TRUE(opened) << opened.error().what;
    workflows_ = std::move(*opened);
    ASSERT_TRUE(workflows_->start());
  }
  void TearDown() override {
    workflows_.reset();
    std::filesystem::remove_all(folder_);
  }

  net::Response ask(std::vector<std::string> segments,
                    std::multimap<std::string, std::string> query = {}, std::string known = {}) {
    net::Request request;
    request.method = "GET";
    request.segments = std::move(segments);
    request.query = std::move(query);
    if (!known.empty()) request.headers["if-none-match"] = std::move(known);
    return workflows_response(workflows_.get(), request);
  }
  json told(std::vector<std::string> segments, std::multimap<std::string, std::string> query = {}) {
    auto response = ask(std::move(segments), std::move(query));
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body);
  }
  std::vector<std::string> names(std::multimap<std::string, std::string> query) {
    std::vector<std::string> all;
    const json page = told({"api", "workflows"}, std::move(query));
    for (const auto& dag : page["dags"]) all.push_back(dag["name"]);
    return all;
  }
  /// The id of a run of `one` that is over.
  std::string run_one() {
    sched::Trigger wanted;
    wanted.dag = "one";
    const auto run = workflows_->trigger(std::move(wanted));
    EXPECT_TRUE(run) << run.error().what;
    for (int i = 0; i < 3000; ++i) {
      const auto view = workflows_->view(*run);
      if (view && view->run.ended_at) return run->run;
      std::this_thread::sleep_for(10ms);
    }
    ADD_FAILURE() << "the run does not end";
    return {};
  }

  std::filesystem::path folder_;
  tasks::NoProject project_;
  std::unique_ptr<workflows::Workflows> workflows_;
};

TEST_F(WorkflowsPage, the_list_is_found_by_words_tags_and_state_and_comes_in_pages) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({}), (Names{"one", "two"}));
  EXPECT_EQ(names({{"search", "FIRST"}}), Names{"one"});
  EXPECT_EQ(names({{"tag", "b"}}), Names{"one"});
  EXPECT_EQ(names({{"which", "paused"}}), Names{"two"});
  EXPECT_EQ(names({{"which", "active"}}), Names{"one"});
  EXPECT_EQ(names({{"which", "failed"}}), Names{});
  EXPECT_EQ(names({{"offset", "1"}, {"limit", "1"}}), Names{"two"});
  const json all = told({"api", "workflows"});
  EXPECT_EQ(all["total"], 2);
  EXPECT_EQ(all["tags"], json({"a", "b"}));
  EXPECT_EQ(all["dags"][1]["schedule_words"], "At 05:00");
  EXPECT_EQ(all["dags"][0]["schedule"], "");
}

TEST_F(WorkflowsPage, a_grid_has_tasks_after_what_they_wait_for_and_runs_newest_first) {
  const std::string before = run_one();
  const std::string after = run_one();
  const json grid = told({"api", "workflows", "one"});
  std::vector<std::string> tasks;
  for (const auto& task : grid["tasks"]) tasks.push_back(task["name"]);
  EXPECT_EQ(tasks, (std::vector<std::string>{"outer.inner.first", "outer.wait", "last"}));
  EXPECT_EQ(grid["groups"].size(), 2);
  ASSERT_EQ(grid["columns"].size(), 2);
  EXPECT_EQ(grid["columns"][0]["run"]["run_id"], after);
  EXPECT_EQ(grid["columns"][1]["run"]["run_id"], before);
  EXPECT_EQ(grid["columns"][0]["cells"]["outer.wait"]["states"], json({{"success", 1}}));
  EXPECT_EQ(told({"api", "workflows", "one"}, {{"state", "failed"}})["total"], 0);
  EXPECT_EQ(told({"api", "workflows", "one"}, {{"type", "manual"}, {"limit", "1"}})["total"], 2);
}

TEST_F(WorkflowsPage, a_run_shows_each_instance_with_its_tries) {
  const json run = told({"api", "workflows", "one", "runs", run_one()});
  EXPECT_EQ(run["run"]["state"], "success");
  for (const auto& one : run["instances"]) {
    if (one["task"] != "outer.inner.first") continue;
    EXPECT_EQ(one["map_index"], -1);
    ASSERT_EQ(one["tries"].size(), 1);
    EXPECT_EQ(one["tries"][0]["state"], "success");
    EXPECT_GE(one["tries"][0]["ended_ms"], one["tries"][0]["started_ms"]);
    return;
  }
  ADD_FAILURE() << run.dump();
}

TEST_F(WorkflowsPage, what_has_not_changed_is_not_sent_again) {
  const auto first = ask({"api", "workflows", "two"});
  std::string tag;
  for (const auto& [name, value] : first.headers) {
    if (name == "ETag") tag = value;
  }
  const auto again = ask({"api", "workflows", "two"}, {}, tag);
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  ASSERT_TRUE(workflows_->handle(sched::Pause{.dag = "two", .paused = false}));
  EXPECT_EQ(ask({"api", "workflows", "two"}, {}, tag).status, 200);
}

TEST_F(WorkflowsPage, what_is_not_there_and_what_is_not_known_is_told) {
  EXPECT_EQ(ask({"api", "workflows", "three"}).status, 404);
  EXPECT_EQ(ask({"api", "workflows", "one", "runs", "x"}).status, 404);
  EXPECT_EQ(ask({"api", "workflows", "one", "odd"}).status, 404);
  EXPECT_EQ(ask({"api", "workflows"}, {{"which", "odd"}}).status, 400);
  EXPECT_EQ(ask({"api", "workflows"}, {{"odd", ""}}).status, 400);
  EXPECT_EQ(ask({"api", "workflows", "one"}, {{"limit", "201"}}).status, 400);
  net::Request request;
  request.segments = {"api", "workflows"};
  const auto none = workflows_response(nullptr, request);
  EXPECT_EQ(none.status, 404);
  EXPECT_THAT(none.body, HasSubstr("no folder dags/"));
}

TEST(Expressions, assets_are_written_with_what_joins_them) {
  using Kind = dags::AssetCondition::Kind;
  const auto asset = [](std::string uri) {
    return dags::AssetCondition{
        .kind = Kind::kAsset,
        .asset = {.name = {}, .uri = std::move(uri), .group = {}, .extra = {}},
        .alias = {},
        .parts = {}};
  };
  const dags::AssetCondition both{
      .kind = Kind::kAll, .asset = {}, .alias = {}, .parts = {asset("s3://a"), asset("s3://b")}};
  const dags::AssetCondition any{
      .kind = Kind::kAny,
      .asset = {},
      .alias = {},
      .parts = {both, {.kind = Kind::kAlias, .asset = {}, .alias = "c", .parts = {}}}};
  EXPECT_EQ(expression_of(any), "(s3://a & s3://b) | alias c");
}

}  // namespace
}  // namespace tailrace::console
