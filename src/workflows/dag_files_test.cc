// DAG files that change are read again, a DAG that was forgotten comes back with them.
#include "workflows/dag_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tasks/testing/no_project.h"
#include "workflows/workflows.h"

namespace tailrace::workflows {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class DagFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("tailrace_dag_files_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_ / "dags" / "more");
  }
  void TearDown() override {
    workflows_.reset();
    std::filesystem::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / "dags" / name) << text;
  }
  static std::string dag(const std::string& id, const std::string& task = "a") {
    return id + ":\n  start_date: 2026-01-01\n  schedule: none\n  tasks:\n    " + task +
           ": {operator: airflow.providers.standard.operators.empty.EmptyOperator}\n";
  }

  void open() {
    auto opened = Workflows::open({.folder = folder_.string(), .data = (folder_ / "data").string()},
                                  project_, rt::system_clock());
    ASSERT_TRUE(opened) << opened.error().what;
    workflows_ = std::move(*opened);
    ASSERT_TRUE(workflows_->start());
  }

  std::vector<std::string> ids() {
    std::vector<std::string> all;
    for (const auto& dag : workflows_->dags()) all.push_back(dag->id);
    return all;
  }
  template <typename Condition>
  static bool comes(Condition condition) {
    for (int i = 0; i < 3000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  std::filesystem::path folder_;
  tasks::NoProject project_;
  std::unique_ptr<Workflows> workflows_;
};

TEST_F(DagFilesTest, files_that_come_change_and_go_are_seen_while_it_runs) {
  write("one.yml", dag("one"));
  open();
  EXPECT_THAT(ids(), ElementsAre("one"));
  write("more/two.yml", dag("two"));
  EXPECT_TRUE(comes([&] { return ids() == std::vector<std::string>{"one", "two"}; }));
  write("one.yml", dag("one", "other"));
  EXPECT_TRUE(comes([&] { return workflows_->dags()[0]->find("other") != nullptr; }));
  std::filesystem::remove(folder_ / "dags" / "one.yml");
  EXPECT_TRUE(comes([&] { return ids() == std::vector<std::string>{"two"}; }));
}

TEST_F(DagFilesTest, files_with_a_fault_change_nothing_and_are_told_of) {
  write("one.yml", dag("one"));
  open();
  write("two.yml", "two: {tasks: 7}\n");
  EXPECT_TRUE(comes([&] { return !workflows_->last_reading().findings.empty(); }));
  EXPECT_THAT(ids(), ElementsAre("one"));
  write("two.yml", dag("two"));
  EXPECT_TRUE(comes([&] { return ids().size() == 2; }));
  EXPECT_THAT(workflows_->last_reading().findings, IsEmpty());
}

TEST_F(DagFilesTest, a_dag_that_was_forgotten_comes_back_new_when_the_files_are_read) {
  write("one.yml", dag("one"));
  open();
  const auto trigger = [&] {
    return workflows_->trigger({.dag = "one",
                                .run_id = "r",
                                .logical_date = {},
                                .run_after = {},
                                .conf = {},
                                .by = "test",
                                .note = {}});
  };
  ASSERT_TRUE(trigger());
  const auto over = [&] {
    const auto run = workflows_->metadata().run({"one", "r"});
    return run && *run && (*run)->state == sched::RunState::kSuccess;
  };
  EXPECT_TRUE(comes(over));
  ASSERT_TRUE(workflows_->handle(sched::Pause{.dag = "one", .paused = true}));
  ASSERT_TRUE(workflows_->forget("one"));
  EXPECT_THAT(ids(), IsEmpty());
  EXPECT_FALSE(trigger());
  EXPECT_EQ(workflows_->metadata().runs({})->total, 0);
  EXPECT_THAT(workflows_->reload(), IsEmpty());
  EXPECT_THAT(ids(), ElementsAre("one"));
  EXPECT_FALSE(workflows_->rows()[0].paused);
  EXPECT_TRUE(trigger()) << "its run ids are free";
  EXPECT_TRUE(comes(over));
}

}  // namespace
}  // namespace tailrace::workflows
