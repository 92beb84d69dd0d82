// From a source through a staging table into a topic: each change once, in whatever moment a run
// ends.
#include "connect/outbox_source.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "connect/fake_source.h"
#include "connect/runner.h"
#include "connect/target.h"
#include "sqlite/database.h"

namespace tailrace::connect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OutboxSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "outbox_XXXXXX";
    folder_ = mkdtemp(name.data());
    open_rooms();
  }
  void TearDown() override {
    log_.reset();
    staging_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open_rooms() {
    log_.reset();
    log_ = *log::Log::open(folder_ + "/log", {});
    log::TopicSettings settings;
    settings.partitions = 2;
    ASSERT_TRUE(log_->ensure_topic("users", settings));
    staging_ = *staging::open_sqlite(folder_ + "/staging.db");
  }

  std::unique_ptr<SourceRunner> landing(const std::map<std::string, std::string>& options) {
    auto source = make_source({.name = "in", .type = "fake", .options = options, .folder = ""});
    EXPECT_TRUE(source) << source.error().what;
    auto target =
        staging_target("in", "users", *staging_->table(spec_, "in"), *log_, rt::system_clock());
    EXPECT_TRUE(target) << target.error().what;
    return *SourceRunner::open({"in", "users", folder_ + "/ingest"}, std::move(*source),
                               std::move(*target));
  }

  std::unique_ptr<SourceRunner> flowing(bool notes = true, bool metadata = false) {
    RunnerConfig config{"staging.users", "users", folder_ + "/ingest"};
    config.note_every_ms = notes ? 0 : 1'000'000;
    return *SourceRunner::open(config,
                               outbox_source({.name = "p",
                                              .table = spec_.name,
                                              .where = "here",
                                              .version = "1",
                                              .metadata = metadata},
                                             *staging_->changes(spec_)),
                               *log_);
  }

  static void drain(SourceRunner& runner) {
    for (int i = 0; i < 1000; ++i) {
      const auto stepped = runner.step();
      ASSERT_TRUE(stepped) << stepped.error().what;
      if (runner.status().idle) return;
    }
    FAIL() << "still not idle";
  }

  /// Key and value ("-" of a tombstone) of a topic's records.
  std::vector<std::pair<std::string, std::string>> records(const std::string& topic) {
    std::vector<std::pair<std::string, std::string>> found;
    for (int p = 0; p < log_->topic(topic)->settings.partitions; ++p) {
      auto partition = *log_->partition(topic, PartitionId(p));
      Offset next = partition->log_start();
      log::ReadBuffer buffer;
      while (next < partition->next_offset()) {
        EXPECT_TRUE(partition->read(next, 1 << 20, buffer));
        auto batches = buffer.batches();
        log::BatchView batch;
        std::string plain;
        while (batches.next(batch)) {
          auto reader = *batch.records(plain);
          log::RecordView record;
          while (reader.next(record))
            found.emplace_back(record.key.value_or(""), record.value.value_or("-"));
          next = batch.next_offset();
        }
      }
    }
    return found;
  }

  std::set<std::string> keys() {
    std::set<std::string> all;
    for (const auto& [key, value] : records("users")) EXPECT_TRUE(all.insert(key).second) << key;
    return all;
  }

  std::string folder_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<staging::Staging> staging_;
  const staging::TableSpec spec_{.name = "users"};
};

TEST_F(OutboxSourceTest, every_row_flows_once_though_nothing_was_noted_when_the_run_ended) {
  drain(*landing({{"limit", "5000"}, {"key", "$.login.uuid"}}));
  drain(*flowing(false));
  const auto first = records("users");
  EXPECT_EQ(keys().size(), 5000U);
  open_rooms();
  drain(*flowing());
  EXPECT_EQ(records("users"), first);
  EXPECT_EQ(*(*staging_->changes(spec_))->newest(), 5000);
  std::int64_t left = 0;
  const auto count = [&](const staging::Change&) { ++left; };
  ASSERT_TRUE((*staging_->changes(spec_))->read(0, 10'000, 1 << 30, count));
  EXPECT_EQ(left, 0);
}

TEST_F(OutboxSourceTest, landing_goes_on_from_the_position_that_its_rows_were_kept_with) {
  for (int run = 1; run <= 3; ++run) {
    auto runner = landing({{"limit", std::to_string(run * 3000)}, {"key", "$.login.uuid"}});
    // A part of it, and the end without a word.
    ASSERT_TRUE(runner->step());
  }
  drain(*landing({{"limit", "9000"}, {"key", "$.login.uuid"}}));
  drain(*flowing());
  EXPECT_EQ(keys().size(), 9000U);
}

TEST_F(OutboxSourceTest, what_cannot_land_is_rejected_once_whenever_the_run_ends) {
  const std::map<std::string, std::string> options = {
      {"limit", "4000"}, {"key", "$.login.uuid"}, {"faults.bad_json", "0.02"}};
  // The rejects of the first chunk are kept with its rows, and not sent yet.
  ASSERT_TRUE(landing(options)->step());
  open_rooms();
  drain(*landing(options));
  open_rooms();
  auto again = landing(options);
  ASSERT_TRUE(again->note());
  std::set<std::string> origins;
  for (const auto& [key, value] : records(std::string(kRejectedTopic))) {
    const auto json = nlohmann::json::parse(value);
    EXPECT_EQ(json["reason"], "staging");
    EXPECT_EQ(json["topic"], "users");
    EXPECT_TRUE(origins.insert(json["origin"].get<std::string>()).second);
  }
  drain(*flowing());
  EXPECT_GT(origins.size(), 20U);
  EXPECT_EQ(origins.size() + keys().size(), 4000U);
}

TEST_F(OutboxSourceTest, a_deleted_row_is_a_tombstone_under_its_key) {
  auto table = *staging_->table(spec_, "w");
  const staging::Record record{"k", R"({"a":1})"};
  ASSERT_TRUE(table->write({&record, 1}, [](auto) { return "1"; }, {}));
  auto stranger = *sqlite::Database::open(folder_ + "/staging.db");
  ASSERT_TRUE(stranger->execute("DELETE FROM users"));
  drain(*flowing());
  EXPECT_THAT(records("users"),
              ElementsAre(testing::Pair("k", R"({"a":1})"), testing::Pair("k", "-")));
}

TEST_F(OutboxSourceTest, with_metadata_a_message_says_what_the_change_was_and_where_it_was) {
  staging::TableSpec spec = spec_;
  spec.before = true;
  auto table = *staging_->table(spec, "w");
  const auto put = [&](std::string_view value) {
    const staging::Record record{"k", value};
    ASSERT_TRUE(table->write({&record, 1}, [](auto) { return "1"; }, {}));
  };
  put(R"({"a":1})");
  put(R"({"a":2})");
  auto stranger = *sqlite::Database::open(folder_ + "/staging.db");
  ASSERT_TRUE(stranger->execute("DELETE FROM users"));
  drain(*flowing(true, true));
  const auto found = records("users");
  ASSERT_EQ(found.size(), 3U);
  const std::tuple<int, const char*, const char*> wanted[] = {
      {1, "false", "c"}, {2, "false", "u"}, {2, "true", "d"}};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& [a, deleted, op] = wanted[i];
    EXPECT_EQ(found[i].first, "k");
    auto value = nlohmann::ordered_json::parse(found[i].second);
    EXPECT_GT(value["__source_ts_ms"].get<std::int64_t>(), 1'700'000'000'000);
    value.erase("__source_ts_ms");
    EXPECT_EQ(value.dump(),
              fmt::format(R"({{"a":{},"__deleted":"{}","__op":"{}","__table":"users",)"
                          R"("__schema":"main","__lsn":{},"__txId":null}})",
                          a, deleted, op, i + 1));
  }
}

TEST_F(OutboxSourceTest, a_row_without_columns_has_metadata_alone) {
  staging::TableSpec spec = spec_;
  spec.before = true;
  auto table = *staging_->table(spec, "w");
  const staging::Record record{"k", "{}"};
  ASSERT_TRUE(table->write({&record, 1}, [](auto) { return "1"; }, {}));
  drain(*flowing(true, true));
  const auto found = records("users");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].second, testing::StartsWith(R"({"__deleted":"false","__op":"c",)"));
}

TEST_F(OutboxSourceTest,
       another_database_under_the_same_noted_position_is_read_from_its_beginning) {
  drain(*landing({{"limit", "100"}, {"key", "$.login.uuid"}}));
  drain(*flowing());
  staging_.reset();
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(folder_ + "/staging.db" + suffix);
  open_rooms();
  drain(*landing({{"limit", "150"}, {"seed", "2"}, {"key", "$.login.uuid"}}));
  drain(*flowing());
  EXPECT_EQ(keys().size(), 250U);
}

}  // namespace
}  // namespace tailrace::connect
