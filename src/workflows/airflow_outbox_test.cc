// What is to be told to an Airflow: in batches as declared, with the cursors, over a reopened file.
#include "workflows/airflow_outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace tailrace::workflows {
namespace {

using testing::ElementsAre;

class AirflowOutboxTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "outbox_XXXXXX";
    folder_ = mkdtemp(name.data());
    open();
  }
  void TearDown() override {
    outbox_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    outbox_.reset();
    outbox_ = *AirflowOutbox::open(folder_ + "/airflow/events.db");
  }

  Offset take(std::int32_t partition, std::int64_t first, std::int64_t count,
              std::int64_t now_ms = 0) {
    const auto came = outbox_->records(source_, partition, {{Offset(first), count}},
                                       Offset(first + count), together_, now_ms);
    EXPECT_TRUE(came) << came.error().what;
    return *came;
  }
  std::vector<WaitingEvent> due(std::int64_t now_ms = 0) {
    return *outbox_->due([&](const std::string&) { return together_; }, now_ms);
  }
  /// partition:offset-last_offset of each part of each event that is due.
  std::vector<std::string> told(std::int64_t now_ms = 0) {
    std::vector<std::string> all;
    for (const WaitingEvent& one : due(now_ms)) {
      std::string text;
      const auto parts = one.extra.contains("parts") ? one.extra["parts"]
                                                     : nlohmann::ordered_json::array({one.extra});
      for (const auto& part : parts)
        text += (text.empty() ? "" : " ") + part["partition"].dump() + ":" + part["offset"].dump() +
                "-" + part["last_offset"].dump();
      all.push_back(text);
    }
    return all;
  }

  std::string folder_;
  std::unique_ptr<AirflowOutbox> outbox_;
  ToldTogether together_;
  const AssetSource source_{
      .kind = AssetSource::Kind::kTopic, .uri = "tailrace://topics/t", .name = "t", .folder = {}};
};

TEST_F(AirflowOutboxTest, each_record_is_an_event_where_nothing_is_declared) {
  EXPECT_EQ(take(0, 5, 3), Offset(8));
  EXPECT_THAT(told(), ElementsAre("0:5-5", "0:6-6", "0:7-7"));
}

TEST_F(AirflowOutboxTest, a_batch_takes_records_of_all_partitions_and_outlasts_a_restart) {
  together_.events = 10;
  take(0, 0, 4);
  open();
  take(1, 0, 3);
  take(0, 4, 2);
  EXPECT_THAT(told(), ElementsAre());
  take(1, 3, 4);
  EXPECT_THAT(told(), ElementsAre("0:0-5 1:0-3"));
  EXPECT_EQ(due()[0].extra["records"], 10);
  take(0, 6, 7);
  EXPECT_THAT(told(), ElementsAre("0:0-5 1:0-3", "1:4-6 0:6-12"));
}

TEST_F(AirflowOutboxTest, a_batch_is_told_when_its_time_is_over) {
  together_ = {.events = 10, .within_ms = 500};
  take(0, 0, 3, 1000);
  take(0, 3, 1, 1400);
  EXPECT_THAT(told(1499), ElementsAre());
  EXPECT_THAT(told(1500), ElementsAre("0:0-3"));
}

TEST_F(AirflowOutboxTest, with_much_waiting_the_log_keeps_the_rest) {
  std::int64_t next = 0, before = -1;
  while (next != before) {
    before = next;
    next = take(0, next, 5000 - next).value;
  }
  EXPECT_EQ(next, 1000);
  for (const WaitingEvent& one : due()) ASSERT_TRUE(outbox_->told(one.id));
  EXPECT_GT(take(0, next, 5000 - next), Offset(next));
}

TEST_F(AirflowOutboxTest, an_event_and_its_cursor_are_there_together_and_its_name_stays) {
  take(3, 0, 2);
  const auto first = due();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_FALSE(first[0].asked_ms);
  ASSERT_TRUE(outbox_->asked(first[0].id, 77));
  ASSERT_TRUE(outbox_->asked(first[0].id, 99));
  open();
  const auto again = due();
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].extra, first[0].extra);
  EXPECT_NE(again[0].extra["tailrace_event"], again[1].extra["tailrace_event"]);
  EXPECT_EQ(again[0].asked_ms, 77);
  const auto cursors = *outbox_->cursors();
  ASSERT_EQ(cursors.size(), 1U);
  EXPECT_EQ(cursors[0].part, "3");
  EXPECT_EQ(cursors[0].value, "2");
  ASSERT_TRUE(outbox_->told(again[0].id));
  EXPECT_EQ(due().size(), 1U);
}

TEST_F(AirflowOutboxTest, files_are_events_and_cursors_go_when_nobody_listens) {
  const AssetSource file{
      .kind = AssetSource::Kind::kFile, .uri = "file:///a/*", .name = "*", .folder = "/a"};
  const metadata::Cursor seen{file.uri, "/a/b", "1"};
  ASSERT_TRUE(outbox_->happened(file, nlohmann::ordered_json{{"path", "/a/b"}}, {&seen, 1}, {}, 0));
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].extra["path"], "/a/b");
  const metadata::Cursor gone{file.uri, "/a/b", std::nullopt};
  ASSERT_TRUE(outbox_->keep({&gone, 1}));
  EXPECT_TRUE(outbox_->cursors()->empty());
}

}  // namespace
}  // namespace tailrace::workflows
