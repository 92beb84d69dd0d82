// Records, commits and files make runs: each once, whatever is stopped between, as large as a batch
// says.
#include "workflows/asset_sources.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "log/log.h"
#include "tasks/testing/no_project.h"
#include "workflows/workflows.h"

namespace tailrace::workflows {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AssetSourcesTest : public testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    folder_ = std::filesystem::temp_directory_path() /
              ("tailrace_assets_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_ / "dags");
    auto log = log::Log::open((folder_ / "log").string(), {});
    ASSERT_TRUE(log);
    log_ = std::move(*log);
    log::TopicSettings two;
    two.partitions = 2;
    ASSERT_TRUE(log_->create_topic("orders", two));
  }
  void TearDown() override {
    workflows_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// A DAG `d` that waits for `uri`.
  void dag(const std::string& uri, const std::string& extra = "{}") {
    std::ofstream(folder_ / "dags" / "d.yml")
        << "d:\n  start_date: 2026-01-01\n  max_active_runs: 100\n  schedule:\n"
        << "    - {__type__: airflow.sdk.Asset, uri: '" << uri << "', extra: " << extra << "}\n"
        << "  tasks:\n    a:\n"
        << "      operator: airflow.providers.standard.operators.empty.EmptyOperator\n";
  }

  void open() {
    auto opened = Workflows::open({.folder = folder_.string(),
                                   .data = (folder_ / "data").string(),
                                   .scheduler = {.max_waiting_runs = 40},
                                   .log = [this] { return log_.get(); },
                                   .lake = (folder_ / "lake").string()},
                                  project_, rt::system_clock());
    ASSERT_TRUE(opened) << opened.error().what;
    workflows_ = std::move(*opened);
    ASSERT_TRUE(workflows_->start());
  }

  void append(int partition, int records, const log::Producer& producer = {}) {
    std::vector<log::Record> some(static_cast<std::size_t>(records));
    for (auto& record : some) record.value = "x";
    ASSERT_TRUE((*log_->partition("orders", PartitionId(partition)))->append(some, producer));
  }

  /// Each run's events as JSON, when there are so many runs, in order.
  std::vector<std::string> runs(std::size_t wanted) {
    std::vector<std::string> found;
    for (int i = 0; i < 3000; ++i) {
      found.clear();
      auto page = workflows_->metadata().runs({.dag = "d", .newest_first = false, .limit = 10'000});
      for (const auto& run : page->runs) {
        std::string text;
        auto events = workflows_->metadata().asset_events(run.asset_events);
        for (const auto& event : *events) text += *jinja::to_json(event.extra);
        found.push_back(text);
      }
      if (found.size() >= wanted) break;
      std::this_thread::sleep_for(10ms);
    }
    return found;
  }

  static std::string records(int partition, int first, int last) {
    return "{\"topic\": \"orders\", \"partition\": " + std::to_string(partition) +
           ", \"offset\": " + std::to_string(first) + ", \"last_offset\": " + std::to_string(last) +
           ", \"records\": " + std::to_string(last - first + 1) + "}";
  }

  std::filesystem::path folder_;
  tasks::NoProject project_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Workflows> workflows_;
};

TEST_F(AssetSourcesTest, each_record_that_comes_after_the_dag_makes_one_run_with_its_offset) {
  dag("tailrace://topics/orders");
  append(0, 3);
  open();
  append(0, 2);
  EXPECT_THAT(runs(2), ElementsAre(records(0, 3, 3), records(0, 4, 4)));
  append(1, 1);
  EXPECT_THAT(runs(3), ElementsAre(records(0, 3, 3), records(0, 4, 4), records(1, 0, 0)));
}

TEST_F(AssetSourcesTest, records_appended_while_the_workflows_are_stopped_make_theirs_later) {
  dag("tailrace://topics/orders");
  open();
  append(0, 1);
  EXPECT_EQ(runs(1).size(), 1U);
  workflows_.reset();
  append(0, 2);
  append(1, 1);
  open();
  EXPECT_THAT(runs(4),
              ElementsAre(records(0, 0, 0), records(0, 1, 1), records(0, 2, 2), records(1, 0, 0)));
  workflows_.reset();
  open();
  append(1, 1);
  EXPECT_EQ(runs(5).size(), 5U);
}

TEST_F(AssetSourcesTest, a_declared_batch_is_as_large_as_it_says_over_partitions_and_appends) {
  dag("tailrace://topics/orders", "{tailrace: {batch_events: 10}}");
  open();
  append(0, 25);
  EXPECT_THAT(runs(2), ElementsAre(records(0, 0, 9), records(0, 10, 19)));
  append(1, 4);
  append(0, 8);
  const auto all = runs(3);
  ASSERT_EQ(all.size(), 3U);
  std::int64_t count = 0;
  auto page = workflows_->metadata().runs({.dag = "d", .newest_first = false});
  auto events = workflows_->metadata().asset_events(page->runs.back().asset_events);
  for (const auto& event : *events) count += event.count;
  EXPECT_EQ(count, 10);
}

TEST_F(AssetSourcesTest, more_records_than_runs_may_wait_all_have_theirs) {
  dag("tailrace://topics/orders");
  open();
  append(0, 200);
  const auto all = runs(200);
  ASSERT_EQ(all.size(), 200U);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)], records(0, i, i));
}

TEST_F(AssetSourcesTest, records_of_an_aborted_transaction_and_markers_are_no_events) {
  dag("tailrace://topics/orders");
  open();
  auto partition = *log_->partition("orders", PartitionId(0));
  const auto transaction = [&](std::int64_t id, log::TransactionEnd end) {
    append(0, 2, {.id = id, .epoch = 0, .first_sequence = 0, .transactional = true});
    ASSERT_TRUE(partition->end_transaction({.producer_id = id, .epoch = 0, .end = end}));
  };
  transaction(1, log::TransactionEnd::kAbort);
  transaction(2, log::TransactionEnd::kCommit);
  append(0, 1);
  EXPECT_THAT(runs(3), ElementsAre(records(0, 3, 3), records(0, 4, 4), records(0, 6, 6)));
}

TEST_F(AssetSourcesTest, a_topic_that_comes_later_is_read_from_its_start) {
  dag("tailrace://topics/later");
  open();
  ASSERT_TRUE(log_->create_topic("later"));
  std::vector<log::Record> one(1);
  one[0].value = "x";
  ASSERT_TRUE((*log_->partition("later", PartitionId(0)))->append(one));
  EXPECT_EQ(runs(1).size(), 1U);
}

TEST_F(AssetSourcesTest, what_came_while_no_dag_waited_for_it_is_not_told) {
  dag("tailrace://topics/orders");
  open();
  append(0, 1);
  EXPECT_EQ(runs(1).size(), 1U);
  dag("x-else://thing");
  EXPECT_THAT(workflows_->reload(), IsEmpty());
  append(0, 5);
  dag("tailrace://topics/orders");
  EXPECT_THAT(workflows_->reload(), IsEmpty());
  append(0, 1);
  EXPECT_THAT(runs(2), ElementsAre(records(0, 0, 0), records(0, 6, 6)));
}

TEST_F(AssetSourcesTest, a_file_is_told_when_it_is_written_and_closed_or_moved_there) {
  dag("file://incoming/*.csv");
  std::filesystem::create_directories(folder_ / "incoming");
  std::ofstream(folder_ / "incoming" / "old.csv") << "old";
  open();
  const auto write = [&](const std::string& name) {
    std::ofstream(folder_ / "incoming" / name) << "some";
  };
  write("a.csv");
  write("a.txt");
  EXPECT_EQ(runs(1).size(), 1U);
  write("b.part");
  std::filesystem::rename(folder_ / "incoming" / "b.part", folder_ / "incoming" / "b.csv");
  const auto two = runs(2);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_THAT(two[0], HasSubstr("incoming/a.csv"));
  EXPECT_THAT(two[1], HasSubstr("incoming/b.csv"));
  workflows_.reset();
  write("c.csv");
  open();
  EXPECT_THAT(runs(3).back(), HasSubstr("c.csv"));
  write("a.csv");
  EXPECT_EQ(runs(4).size(), 4U);
}

TEST_F(AssetSourcesTest, a_file_that_is_being_written_when_the_workflows_start_waits_for_its_end) {
  dag("file://incoming/*.csv");
  open();
  std::filesystem::create_directories(folder_ / "incoming");
  std::ofstream(folder_ / "incoming" / "first.csv") << "x";
  EXPECT_EQ(runs(1).size(), 1U);
  workflows_.reset();
  std::ofstream half(folder_ / "incoming" / "half.csv");
  half << "1," << std::flush;
  open();
  std::ofstream(folder_ / "incoming" / "other.csv") << "x";
  EXPECT_THAT(runs(2).back(), HasSubstr("other.csv"));
  half << "2\n";
  half.close();
  const auto three = runs(3);
  EXPECT_THAT(three.back(), HasSubstr("half.csv"));
  EXPECT_THAT(three.back(), HasSubstr("\"size\": 4"));
}

TEST_F(AssetSourcesTest, a_commit_that_changes_rows_is_told_and_one_that_does_not_is_not) {
  dag("tailrace://tables/gold");
  const auto log = folder_ / "lake" / "gold" / "_delta_log";
  const auto commit = [&](int version, const std::string& actions) {
    const std::string name = std::string(19, '0') + std::to_string(version) + ".json";
    std::ofstream(folder_ / name) << actions << "\n";
    std::filesystem::create_hard_link(folder_ / name, log / name);
  };
  const std::string add = R"({"add":{"path":"a","dataChange":true,"stats":"{\"numRecords\":3}"}})";
  open();
  std::filesystem::create_directories(log);
  commit(0, R"({"protocol":{"minReaderVersion":1}})");
  commit(1, add);
  EXPECT_THAT(runs(1), ElementsAre(R"({"table": "gold", "version": 1, "rows_written": 3})"));
  commit(2, R"({"add":{"path":"b","dataChange":false}})");
  workflows_.reset();
  commit(3, R"({"remove":{"path":"a","dataChange":true}})");
  open();
  commit(4, add);
  EXPECT_THAT(runs(3), ElementsAre(HasSubstr("\"version\": 1"), HasSubstr("\"version\": 3"),
                                   HasSubstr("\"version\": 4")));
}

TEST_F(AssetSourcesTest, an_asset_that_names_nothing_of_ours_is_refused_with_what_there_is) {
  dag("tailrace://topic/orders");
  const auto opened =
      Workflows::open({.folder = folder_.string(), .data = (folder_ / "data").string()}, project_,
                      rt::system_clock());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().what, HasSubstr("d.yml:1"));
  EXPECT_THAT(opened.error().what, HasSubstr("tailrace://topics/TOPIC"));
}

TEST(AssetSource, uris_name_topics_tables_and_files) {
  const auto source = [](const std::string& uri) {
    return *asset_source(uri, "/project", {"10.0.0.1:9092"});
  };
  EXPECT_EQ(source("kafka://10.0.0.1:9092/orders")->name, "orders");
  EXPECT_FALSE(source("kafka://elsewhere:9092/orders"));
  EXPECT_FALSE(source("s3://bucket/key"));
  EXPECT_EQ(source("file://in/a*.csv")->folder, "/project/in");
  EXPECT_EQ(source("file:///in/a*.csv")->folder, "/in");
  EXPECT_EQ(source("file:///a.csv")->folder, "/");
  EXPECT_FALSE(asset_source("file:///in/*/a.csv", "/project", {}));
  EXPECT_TRUE(matches_pattern("a*b*.csv", "axxbyy.csv"));
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_FALSE(matches_pattern("a*.csv", "a.csv.part"));
  EXPECT_FALSE(matches_pattern("*.csv", "csv"));
}

}  // namespace
}  // namespace tailrace::workflows
