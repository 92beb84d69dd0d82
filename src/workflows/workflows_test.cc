// Real DAG files with real processes: states, values between tasks, retries, and what a crash
// leaves.
#include "workflows/workflows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "tasks/testing/no_project.h"

namespace tailrace::workflows {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

class WorkflowsTest : public testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    folder_ = std::filesystem::temp_directory_path() /
              ("tailrace_workflows_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_ / "dags");
  }
  void TearDown() override {
    workflows_.reset();
    std::filesystem::remove_all(folder_);
  }

  void file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / "dags" / name) << text;
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void open() {
    auto opened = Workflows::open({.folder = folder_.string(), .data = path("data")}, project_,
                                  rt::system_clock());
    ASSERT_TRUE(opened) << opened.error().what;
    workflows_ = std::move(*opened);
    ASSERT_TRUE(workflows_->start());
  }

  sched::RunId start(const std::string& dag, jinja::Value conf = {}) {
    sched::Trigger wanted;
    wanted.dag = dag;
    wanted.conf = std::move(conf);
    const auto run = workflows_->trigger(std::move(wanted));
    EXPECT_TRUE(run) << run.error().what;
    return run ? *run : sched::RunId();
  }

  Workflows::View finished(const sched::RunId& run) {
    for (int i = 0; i < 3000; ++i) {
      auto view = workflows_->view(run);
      if (view && view->run.ended_at) return *view;
      std::this_thread::sleep_for(10ms);
    }
    ADD_FAILURE() << run.run << " does not end";
    return {};
  }

  static std::vector<std::pair<std::string, std::string>> states(const Workflows::View& view) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& task : view.tasks)
      all.emplace_back(
          task.id.task +
              (task.id.map_index < 0 ? "" : "[" + std::to_string(task.id.map_index) + "]"),
          std::string(sched::name(task.state)));
    return all;
  }

  std::string log(const sched::RunId& run, const std::string& task, int try_number = 1) {
    const auto part = workflows_->log({run, task, -1}, try_number, 0, 0ms);
    return part ? part->text : part.error().what;
  }

  std::filesystem::path folder_;
  tasks::NoProject project_;
  std::unique_ptr<Workflows> workflows_;
};

constexpr const char* kBash = "airflow.providers.standard.operators.bash.BashOperator";
constexpr const char* kPython = "airflow.providers.standard.operators.python.PythonOperator";

TEST_F(WorkflowsTest, tasks_run_in_their_order_and_a_failure_stops_what_follows) {
  file("a.yml",
       std::string("a:\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n") +
           "    first: {operator: " + kBash + ", bash_command: 'echo one'}\n" +
           "    bad: {operator: " + kBash + ", bash_command: 'exit 3', dependencies: [first]}\n" +
           "    never: {operator: " + kBash + ", bash_command: 'true', dependencies: [bad]}\n");
  open();
  const auto run = start("a");
  const auto view = finished(run);
  EXPECT_EQ(view.run.state, sched::RunState::kFailed);
  EXPECT_THAT(states(view), UnorderedElementsAre(Pair("first", "success"), Pair("bad", "failed"),
                                                 Pair("never", "upstream_failed")));
  EXPECT_THAT(log(run, "first"), HasSubstr(" one\n"));
  EXPECT_THAT(log(run, "bad"), HasSubstr("non-zero exit code 3"));
}

TEST_F(WorkflowsTest, metrics_count_runs_and_tries_and_say_what_waits) {
  file("a.yml", std::string("a:\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n") +
                    "    first: {operator: " + kBash + ", bash_command: 'echo one'}\n" +
                    "    bad: {operator: " + kBash +
                    ", bash_command: 'exit 3', dependencies: [first]}\n");
  file("b.yml", std::string("b:\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n") +
                    "    good: {operator: " + kBash + ", bash_command: 'true'}\n" +
                    "    stays: {operator: " + kBash + ", bash_command: 'sleep 600'}\n");
  open();
  finished(start("a"));
  const auto run = start("b");
  const auto text = [&] {
    MetricsText out;
    workflows_->write_metrics(out);
    return out.finish();
  };
  const auto lines = {"tailrace_workflow_runs_total{dag=\"a\",state=\"failed\"} 1\n",
                      "tailrace_workflow_runs_total{dag=\"a\",state=\"success\"} 0\n",
                      "tailrace_workflow_tries_total{dag=\"a\",outcome=\"success\"} 1\n",
                      "tailrace_workflow_tries_total{dag=\"a\",outcome=\"failed\"} 1\n",
                      "tailrace_workflow_tries_total{dag=\"b\",outcome=\"success\"} 1\n",
                      "tailrace_scheduler_run_delay_seconds_count 2\n",
                      "tailrace_scheduler_task_delay_seconds_count 4\n",
                      "tailrace_scheduler_runs{state=\"running\"} 1\n",
                      "tailrace_scheduler_tasks{state=\"running\"} 1\n",
                      "tailrace_scheduler_tasks{state=\"scheduled\"} 0\n",
                      "tailrace_scheduler_pool_slots{pool=\"default_pool\"} 128\n",
                      "tailrace_scheduler_pool_used_slots{pool=\"default_pool\"} 1\n",
                      "tailrace_scheduler_waits 0\n"};
  // The one has ended, and the other begun.
  const auto all_there = [&] {
    const std::string told = text();
    return std::ranges::all_of(lines, [&](const char* line) { return told.contains(line); });
  };
  for (int i = 0; i < 3000 && !all_there(); ++i) std::this_thread::sleep_for(10ms);
  for (const char* line : lines) EXPECT_THAT(text(), HasSubstr(line));
  EXPECT_TRUE(workflows_->handle(sched::SetRun{.run = run, .state = sched::RunState::kFailed}));
  EXPECT_THAT(text(), HasSubstr("tailrace_workflow_runs_total{dag=\"b\",state=\"failed\"} 1\n"));
}

TEST_F(WorkflowsTest, values_go_from_task_to_task_and_into_templates) {
  file("steps.py",
       "def give():\n    return {'n': 20}\n\n\ndef twice(x, ti=None):\n"
       "    ti.xcom_push('seen', x)\n    return 2 * x\n");
  file("b.yml",
       std::string("b:\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n") +
           "    give: {operator: " + kPython + ", python_callable: steps.give}\n" + "    twice:\n" +
           "      operator: " + kPython + "\n      python_callable: steps.twice\n" +
           "      op_kwargs: {x: 21}\n      dependencies: [give]\n" +
           "    say:\n      operator: " + kBash +
           "\n      bash_command: \"echo {{ ti.xcom_pull(task_ids='give')['n'] }} "
           "{{ ti.xcom_pull(task_ids='twice') }} {{ ti.xcom_pull(task_ids='twice', key='seen') }} "
           "{{ dag_run.conf['who'] }}\"\n      dependencies: [twice]\n");
  open();
  jinja::Dict conf;
  conf.set("who", jinja::Value("me"));
  const auto run = start("b", jinja::Value(std::move(conf)));
  const auto view = finished(run);
  EXPECT_EQ(view.run.state, sched::RunState::kSuccess)
      << log(run, "give") << log(run, "twice") << log(run, "say");
  EXPECT_EQ(workflows_->metadata().xcom({run, "say", -1}, "return_value")->value(),
            jinja::Value("20 42 21 me"));
}

TEST_F(WorkflowsTest, a_mapped_task_runs_once_for_each_element) {
  file("steps.py", "def some():\n    return ['a', 'b', 'c']\n");
  file("c.yml",
       std::string("c:\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n") +
           "    some: {operator: " + kPython + ", python_callable: steps.some}\n" +
           "    each:\n      operator: " + kBash +
           "\n      partial: {env: {X: '1'}}\n      expand: {bash_command: some.output}\n" +
           "      dependencies: [some]\n");
  open();
  const auto run = start("c");
  const auto view = finished(run);
  EXPECT_EQ(view.tasks.size(), 4U);
}

TEST_F(WorkflowsTest, a_try_that_failed_is_tried_again_and_each_has_its_log) {
  file("d.yml", std::string("d:\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n") +
                    "    flaky: {operator: " + kBash + ", bash_command: 'echo try; test -e " +
                    path("mark") + " || { touch " + path("mark") +
                    "; exit 1; }', retries: 1, retry_delay: 0}\n");
  open();
  const auto run = start("d");
  const auto view = finished(run);
  EXPECT_EQ(view.run.state, sched::RunState::kSuccess);
  EXPECT_EQ(view.tasks.at(0).try_number, 2);
  EXPECT_THAT(log(run, "flaky", 1), HasSubstr("exit code 1"));
  EXPECT_THAT(log(run, "flaky", 2), Not(HasSubstr("exit code")));
  EXPECT_EQ(workflows_->metadata().tries({run, "flaky", -1})->size(), 2U);
}

TEST_F(WorkflowsTest, what_is_wrong_with_the_files_is_told_with_its_place) {
  file("e.yml", "e:\n  schedule: none\n  tasks:\n    x: {operator: no.such.Operator}\n");
  const auto opened = Workflows::open({.folder = folder_.string(), .data = path("data")}, project_,
                                      rt::system_clock());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().what, HasSubstr("e.yml:4"));
}

TEST_F(WorkflowsTest, after_a_stop_runs_go_on_where_they_were) {
  file("f.yml", std::string("f:\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n") +
                    "    once: {operator: " + kBash + ", bash_command: 'echo x >> " +
                    path("count") + "'}\n" + "    long: {operator: " + kBash +
                    ", bash_command: 'test -e " + path("go") +
                    " || sleep 1000', retries: 3, retry_delay: 0, dependencies: [once]}\n");
  open();
  const auto run = start("f");
  for (int i = 0; i < 1000; ++i) {
    const auto view = workflows_->view(run);
    if (view && states(*view).at(1).second == "running") break;
    std::this_thread::sleep_for(10ms);
  }
  workflows_->stop(0ms);
  std::ofstream(path("go")) << "now";
  open();
  const auto view = finished(run);
  EXPECT_EQ(view.run.state, sched::RunState::kSuccess);
  std::ifstream count(path("count"));
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(count)), {}), "x\n");
}

TEST_F(WorkflowsTest, secrets_of_connections_are_not_in_logs) {
  ::setenv("AIRFLOW_CONN_BANK", "postgres://me:verysecret@db/x", 1);
  file("g.yml", std::string("g:\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n") +
                    "    say: {operator: " + kBash +
                    ", bash_command: 'echo {{ conn.bank.password }} of {{ conn.bank.host }}'}\n");
  open();
  const auto run = start("g");
  finished(run);
  EXPECT_THAT(log(run, "say"), HasSubstr("*** of db"));
  EXPECT_THAT(log(run, "say"), Not(HasSubstr("verysecret")));
}

}  // namespace
}  // namespace tailrace::workflows
