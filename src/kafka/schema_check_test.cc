// Records checked against a registry: what is asked, what is remembered, and what a batch with a
// fault is told.
#include "kafka/schema_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <semaphore>

#include "log/batch_builder.h"

namespace tailrace::kafka {
namespace {

using Ask = SchemaCheck::Ask;
using Outcome = SchemaCheck::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// The ids of orders-value and of others-value; a record says its id in its first byte.
struct Ids : SchemaIds {
  std::optional<std::int32_t> id_of(std::string_view data) const override {
    if (data.empty() || data[0] < '0' || data[0] > '9') return std::nullopt;
    return data[0] - '0';
  }
  std::string_view header_name(bool key) const override { return key ? "key-id" : "value-id"; }
  Result<std::optional<std::int32_t>> id_in_header(std::string_view header, bool,
                                                   bool ask) override {
    if (header == "none") return error(Code::kNotFound, "no such schema");
    if (header == "guid" && !ask) return std::nullopt;
    if (header == "guid" && silent) return error(Code::kUnavailable, "nobody answers");
    return header == "guid" ? 1 : id_of(header);
  }
  Result<SchemaVerdict> judge(std::int32_t id, const SubjectRule& rule) override {
    asked.push_back(id);
    if (silent) return error(Code::kUnavailable, "nobody answers");
    if (id > 5) return SchemaVerdict::kUnknown;
    return (id == 1 || id == 2) == (rule.subject() == "orders-value")
               ? SchemaVerdict::kFits
               : SchemaVerdict::kOfAnotherSubject;
  }
  std::vector<int> asked;
  bool silent = false;
};

log::TopicSettings checked(const char* part = "value") {
  log::TopicSettings settings;
  settings.extra["confluent." + std::string(part) + ".schema.validation"] = "true";
  return settings;
}

std::string batch(const std::vector<std::optional<std::string>>& values,
                  log::Compression compression = log::Compression::kNone) {
  log::RecordBatchBuilder builder(compression);
  for (const auto& value : values) {
    log::Record record;
    record.key = "1";
    if (value) record.value = *value;
    record.timestamp = TimestampMs(1);
    builder.add(record);
  }
  return std::string(builder.finish({}).value());
}

struct SchemaCheckTest : testing::Test {
  SchemaCheckTest() { check.set("orders", checked()); }

  Outcome look(const std::string& bytes, Ask ask = Ask::kHere) {
    unfit = {};
    return check.check(bytes, check.rules("orders"), ask, unfit);
  }

  Ids ids;
  SchemaCheck check{&ids};
  UnfitBatch unfit;
};

TEST_F(SchemaCheckTest, only_topics_that_say_so_are_checked) {
  EXPECT_TRUE(check.any());
  EXPECT_THAT(check.rules("others"), IsEmpty());
  ASSERT_EQ(check.rules("orders").size(), 1);
  EXPECT_EQ(check.rules("orders")[0].subject(), "orders-value");
  check.set("others", checked("key"));
  EXPECT_EQ(check.rules("others")[0].subject(), "others-key");
  check.set("others", {});
  check.forget("orders");
  EXPECT_FALSE(check.any());
}

TEST_F(SchemaCheckTest, an_id_that_fits_is_asked_for_once) {
  EXPECT_EQ(look(batch({"1a", "1b", "2c", std::nullopt}), Ask::kNotNow), Outcome::kMustAsk);
  EXPECT_THAT(ids.asked, IsEmpty());
  EXPECT_EQ(look(batch({"1a", "1b", "2c", std::nullopt})), Outcome::kFit);
  EXPECT_THAT(ids.asked, ElementsAre(1, 2));
  EXPECT_EQ(look(batch({"2a", "1b"}, log::Compression::kGzip), Ask::kNotNow), Outcome::kFit);
  EXPECT_THAT(ids.asked, ElementsAre(1, 2));
  check.forget("orders");
  check.set("orders", checked());
  EXPECT_EQ(look(batch({"1a"}), Ask::kNotNow), Outcome::kMustAsk);
}

TEST_F(SchemaCheckTest, a_header_that_names_the_schema_counts_before_the_values_first_byte) {
  const auto with = [](const char* header) {
    log::RecordBatchBuilder builder;
    const log::Header one{"value-id", header};
    builder.add({"k", "9x", TimestampMs(1), {&one, 1}});
    return std::string(builder.finish({}).value());
  };
  EXPECT_EQ(look(with("guid"), Ask::kNotNow), Outcome::kMustAsk);
  EXPECT_EQ(look(with("guid")), Outcome::kFit);
  EXPECT_EQ(look(with("2")), Outcome::kFit);
  EXPECT_EQ(look(with("3")), Outcome::kUnfit);
  EXPECT_EQ(look(with("none")), Outcome::kUnfit);
  EXPECT_THAT(unfit.message, HasSubstr("header value-id of record 0 of the batch: no such schema"));
  ids.silent = true;
  EXPECT_EQ(look(with("guid")), Outcome::kUnfit);
  EXPECT_EQ(unfit.code, ErrorCode::kNotEnoughReplicas);
}

TEST_F(SchemaCheckTest, every_fault_of_a_batch_is_told_with_its_place) {
  EXPECT_EQ(look(batch({"1a", "x", "3b", "1c", "9d"})), Outcome::kUnfit);
  EXPECT_EQ(unfit.code, ErrorCode::kInvalidRecord);
  EXPECT_THAT(unfit.records, ElementsAre(Pair(1, HasSubstr("does not begin with a schema's id")),
                                         Pair(2, HasSubstr("schema id 3 of the value is not one")),
                                         Pair(4, HasSubstr("schema id 9 of the value is not in"))));
  EXPECT_EQ(unfit.message, unfit.records[0].second);
  EXPECT_EQ(look(batch({"3b"}), Ask::kNotNow), Outcome::kMustAsk)
      << "what does not fit now may fit once it is registered";
}

TEST_F(SchemaCheckTest, a_batch_of_faults_is_looked_at_to_the_hundredth) {
  EXPECT_EQ(look(batch(std::vector<std::optional<std::string>>(1000, "x"))), Outcome::kUnfit);
  EXPECT_EQ(unfit.records.size(), 100);
}

TEST_F(SchemaCheckTest, a_silent_registry_is_no_fault_of_the_record_and_is_not_asked_for_each) {
  ids.silent = true;
  EXPECT_EQ(look(batch({"1a", "2b"})), Outcome::kUnfit);
  EXPECT_EQ(unfit.code, ErrorCode::kNotEnoughReplicas);
  EXPECT_THAT(unfit.message, HasSubstr("nobody answers"));
  EXPECT_THAT(unfit.records, IsEmpty());
  EXPECT_EQ(look(batch({"2a"})), Outcome::kUnfit);
  EXPECT_THAT(ids.asked, ElementsAre(1));
}

TEST_F(SchemaCheckTest, a_damaged_batch_is_left_to_who_reads_it) {
  std::string damaged = batch({"x"});
  damaged.back() ^= 1;
  EXPECT_EQ(look(damaged), Outcome::kFit);
  EXPECT_EQ(look("short"), Outcome::kFit);
}

TEST(SchemaCheckWithout, a_registry_nothing_is_switched_on_or_taken) {
  SchemaCheck check(nullptr);
  EXPECT_FALSE(check.may_set("confluent.value.schema.validation", "false"));
  EXPECT_FALSE(check.may_set("retention.ms", "1"));
  EXPECT_EQ(check.may_set("confluent.value.schema.validation", "true")->code,
            ErrorCode::kInvalidConfig);
  check.set("orders", checked());
  UnfitBatch unfit;
  EXPECT_EQ(check.check(batch({"1"}), check.rules("orders"), Ask::kHere, unfit), Outcome::kUnfit);
  EXPECT_EQ(unfit.code, ErrorCode::kNotEnoughReplicas);
}

TEST_F(SchemaCheckTest, work_of_one_connection_waits_in_its_order) {
  const int one = 0, other = 0;
  std::binary_semaphore go(0), done(0);
  std::vector<int> order;
  check.later(&one, [&] {
    go.acquire();
    order.push_back(1);
  });
  check.later(&one, [&] {
    order.push_back(2);
    done.release();
  });
  EXPECT_TRUE(check.waits(&one));
  EXPECT_FALSE(check.waits(&other));
  go.release();
  done.acquire();
  EXPECT_THAT(order, ElementsAre(1, 2));
  check.stop();
  EXPECT_FALSE(check.waits(&one));
}

}  // namespace
}  // namespace tailrace::kafka
