// What becomes of an invocation, with a producer that fails where the test says so.
#include "lambda/handler.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/base64.h"
#include "lambda/json.h"

namespace tailrace::lambda {
namespace {

using Other = nlohmann::json;
using kafka_log::Delivery;
using kafka_log::ProducedRecord;

/// Takes records when it is settled. Values that hold a word of `failing` fail; a batch that holds
/// a value over `largest` is refused whole.
class FakeProducer final : public kafka_log::RecordProducer {
 public:
  void send(const ProducedRecord& record, Delivery& delivery, Time) override {
    ++delivery.open;
    batch_.emplace_back(record, &delivery);
  }
  void settle(Time) override {
    std::set<std::string> refused;  // topics: a batch is of one
    for (const auto& [record, delivery] : batch_)
      if (narrow.contains(record.topic) && record.value.size() > largest)
        refused.insert(record.topic);
    for (auto& [record, delivery] : batch_) {
      const bool unfit = refused.contains(record.topic);
      --delivery->open;
      delivery->unfit = delivery->unfit || unfit;
      if (unfit) {
        delivery->failed = Error{Code::kInvalidArgument, "too large"};
      } else if (failing.contains(record.value)) {
        delivery->failed = Error{Code::kUnavailable, "no leader"};
      } else {
        ++delivery->acknowledged;
        kept.push_back(record);
      }
    }
    batch_.clear();
  }
  std::vector<std::string> values(const std::string& topic) const {
    std::vector<std::string> all;
    for (const auto& record : kept)
      if (record.topic == topic) all.push_back(record.value);
    return all;
  }

  std::set<std::string> failing;
  std::size_t largest = SIZE_MAX;
  std::set<std::string> narrow = {"events"};  ///< topics for which that counts
  std::vector<ProducedRecord> kept;

 private:
  std::vector<std::pair<ProducedRecord, Delivery*>> batch_;
};

class Function : public testing::Test {
 protected:
  Function() { settings.topic = "events"; }
  Answer call(const std::string& body) {
    const auto fetch = [this](const S3Object&, Deadline, const TakeLine& take) -> Status {
      LineCutter cutter(take);
      TRY(cutter.add(object));
      return cutter.finish();
    };
    Handler handler(settings, producer, fetch, [] { return std::int64_t{1'000}; });
    return handler.handle({.request_id = "r", .deadline_ms = 61'000, .body = body}, told);
  }
  static std::string message(const std::string& id, const std::string& body,
                             const std::string& group = "") {
    return R"({"messageId":")" + id + R"(","body":")" + body +
           R"(","eventSource":"aws:sqs","attributes":{)" +
           (group.empty() ? "" : R"("MessageGroupId":")" + group + "\"") + "}}";
  }
  static std::string records(const std::vector<std::string>& all) {
    std::string out = R"({"Records":[)";
    for (const auto& one : all) out += (out.ends_with('[') ? "" : ",") + one;
    return out + "]}";
  }
  static std::vector<std::string> failures(const Answer& answer) {
    EXPECT_EQ(answer.error_type, "") << answer.body;
    std::vector<std::string> all;
    const Other body = Other::parse(answer.body);
    for (const auto& one : body.at("batchItemFailures")) all.push_back(one.at("itemIdentifier"));
    return all;
  }

  Settings settings;
  FakeProducer producer;
  std::string object, told;
};

using Names = std::vector<std::string>;

TEST_F(Function, a_queue_gets_back_what_was_not_acknowledged_and_nothing_else) {
  producer.failing = {"b"};
  const Answer answer = call(records({message("1", "a"), message("2", "b"), message("3", "c")}));
  EXPECT_EQ(failures(answer), Names{"2"});
  EXPECT_EQ(producer.values("events"), (Names{"a", "c"}));
  EXPECT_NE(told.find("1 failed: no leader"), std::string::npos) << told;
}

TEST_F(Function, a_queue_of_which_all_failed_fails_the_invocation) {
  producer.failing = {"a", "b"};
  const Answer answer = call(records({message("1", "a"), message("2", "b")}));
  EXPECT_EQ(answer.error_type, "Tailrace.NotDelivered");
  const Other body = Other::parse(answer.body);
  EXPECT_EQ(body.at("errorType"), "Tailrace.NotDelivered");
  EXPECT_EQ(body.at("errorMessage"), "2 of 2 items were not delivered: no leader");
}

TEST_F(Function, one_failure_fails_all_where_parts_are_not_answered) {
  settings.partial = false;
  producer.failing = {"b"};
  EXPECT_NE(call(records({message("1", "a"), message("2", "b")})).error_type, "");
}

TEST_F(Function, what_follows_a_failure_in_its_fifo_group_comes_again_too) {
  producer.failing = {"b"};
  const Answer answer = call(records({message("1", "a", "g"), message("2", "b", "g"),
                                      message("3", "c", "h"), message("4", "d", "g")}));
  EXPECT_EQ(failures(answer), (Names{"2", "4"}));
}

TEST_F(Function, a_stream_goes_on_from_its_first_failure) {
  const auto record = [](const std::string& number, const std::string& data) {
    return R"({"eventSource":"aws:kinesis","kinesis":{"partitionKey":"p","sequenceNumber":")" +
           number + R"(","data":")" + encode_base64(data) + "\"}}";
  };
  producer.failing = {"b", "c"};
  const std::string event =
      records({record("1", "a"), record("2", "b"), record("3", "c"), record("4", "d")});
  EXPECT_EQ(failures(call(event)), Names{"2"});
  producer.failing.clear();
  EXPECT_EQ(failures(call(event)), Names{});
}

TEST_F(Function, a_malformed_item_is_rejected_with_its_reason_and_its_neighbours_arrive) {
  const Answer answer = call(records(
      {message("1", "a"), R"({"messageId":"2","eventSource":"aws:sqs"})", message("3", "c")}));
  EXPECT_EQ(failures(answer), Names{});
  EXPECT_EQ(producer.values("events"), (Names{"a", "c"}));
  const auto rejected = producer.values("__rejected");
  ASSERT_EQ(rejected.size(), 1U);
  const Other reject = Other::parse(rejected[0]);
  EXPECT_EQ(reject.at("reason"), "malformed");
  EXPECT_EQ(reject.at("detail"), "an SQS message without a body");
  EXPECT_EQ(reject.at("topic"), "events");
  EXPECT_EQ(reject.at("origin"), "2");
  EXPECT_EQ(reject.at("time_ms"), 1'000);
  EXPECT_EQ(decode_base64(reject.at("bytes").get<std::string>()),
            R"({"messageId":"2","eventSource":"aws:sqs"})");
}

TEST_F(Function, a_reject_that_is_not_kept_counts_as_failed) {
  settings.rejected = "";
  EXPECT_EQ(
      failures(call(records({message("1", "a"), R"({"messageId":"2","eventSource":"aws:sqs"})"}))),
      Names{"2"});
}

TEST_F(Function, a_record_that_is_too_large_is_rejected_alone) {
  producer.largest = 400;
  const std::string event =
      records({message("1", "a"), message("2", std::string(500, 'x')), message("3", "c")});
  EXPECT_EQ(failures(call(event)), Names{});
  EXPECT_EQ(producer.values("events"), (Names{"a", "c"}));
  const Other reject = Other::parse(producer.values("__rejected").at(0));
  EXPECT_EQ(reject.at("reason"), "oversized");
  EXPECT_EQ(decode_base64(reject.at("bytes").get<std::string>()), std::string(500, 'x'));
  producer.narrow = {"events", "__rejected"};
  EXPECT_EQ(failures(call(event)), Names{"2"}) << "its reject is not kept";
}

TEST_F(Function, what_is_not_json_is_rejected_where_json_is_asked_for) {
  settings.json_only = true;
  EXPECT_EQ(failures(call(records({message("1", "7"), message("2", "{")}))), Names{});
  EXPECT_EQ(producer.values("events"), Names{"7"});
  EXPECT_EQ(Other::parse(producer.values("__rejected").at(0)).at("reason"), "bad_json");
}

TEST_F(Function, a_request_is_told_what_became_of_it) {
  const auto post = [](const std::string& body) {
    return R"({"version":"2.0","rawPath":"/e","headers":{},"requestContext":)"
           R"({"http":{"method":"POST"},)"
           R"("requestId":"q"},"body":")" +
           body + "\"}";
  };
  const auto status = [&](const std::string& event) {
    const Answer answer = call(event);
    EXPECT_EQ(answer.error_type, "");
    return Other::parse(answer.body).at("statusCode").get<int>();
  };
  EXPECT_EQ(status(post("hello")), 200);
  EXPECT_EQ(producer.values("events"), Names{"hello"});
  EXPECT_EQ(status(post("")), 400);
  EXPECT_EQ(producer.values("__rejected"), Names{});
  producer.failing = {"bad"};
  EXPECT_EQ(status(post("bad")), 503);
  producer.largest = 10;
  EXPECT_EQ(status(post("longer than ten")), 400);
}

TEST_F(Function, an_objects_lines_are_records_and_fail_as_one) {
  settings.s3_lines = true;
  settings.key_path = {"id"};
  settings.own_key = false;
  object = "{\"id\":\"x\"}\r\n\n{\"id\":2}\nlast";
  const std::string event = records(
      {R"({"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},)"
       R"("object":{"key":"k","sequencer":"1"}}})"});
  EXPECT_EQ(call(event).body, R"({"records":3,"rejected":0})");
  EXPECT_EQ(producer.values("events"), (Names{R"({"id":"x"})", R"({"id":2})", "last"}));
  EXPECT_EQ(producer.kept[0].key, "x");
  EXPECT_EQ(producer.kept[1].key, "2");
  EXPECT_FALSE(producer.kept[2].key);
  EXPECT_EQ(producer.kept[1].headers[1], (std::pair<std::string, std::string>("ce_id", "b/k@1:2")));
  producer.failing = {"last"};
  EXPECT_EQ(call(event).error_type, "Tailrace.NotDelivered");
}

TEST_F(Function, a_removed_object_has_no_lines) {
  settings.s3_lines = true;
  object = "never read";
  EXPECT_EQ(call(records({R"({"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete","s3":)"
                          R"({"bucket":{"name":"b"},"object":{"key":"k"}}})"}))
                .body,
            R"({"records":0,"rejected":0})");
}

TEST_F(Function, the_envelope_holds_the_payload_as_json_text_or_base64) {
  settings.whole_event = true;
  call(records({message("1", R"({\"a\": 1.10})"), message("2", "text")}));
  const auto values = producer.values("events");
  EXPECT_NE(values.at(0).find(R"("payload":{"a": 1.10})"), std::string::npos) << values[0];
  EXPECT_EQ(Other::parse(values.at(1)).at("payload"), "text");
  EXPECT_EQ(Other::parse(values.at(1)).at("id"), "2");
  EXPECT_EQ(Other::parse(values.at(1)).at("metadata").at("messageId"), "2");
  EXPECT_FALSE(Other::parse(values.at(1)).at("metadata").contains("body"));
  call(R"({"Records":[{"eventSource":"aws:kinesis","kinesis":{"data":"/w=="}}]})");
  EXPECT_EQ(Other::parse(producer.values("events").at(2)).at("payload_base64"), "/w==");
}

TEST_F(Function, a_topic_may_be_named_by_what_an_item_is) {
  settings.topic = "aws-{source}-{name}";
  call(R"({"id":"1","detail-type":"Order placed","source":"my.shop","detail":{}})");
  EXPECT_EQ(producer.kept.at(0).topic, "aws-eventbridge-my.shop");
  settings.topic = "{type}";
  call(R"({"id":"1","detail-type":"Order placed!","source":"my.shop","detail":{}})");
  EXPECT_EQ(producer.kept.at(1).topic, "Order_placed_");
}

TEST(Unpacker, gzip_of_several_members_is_read_and_cut_short_is_damaged) {
  const auto two = decode_base64(  // printf a\n | gzip; printf b\n | gzip
      "H4sIAAAAAAAAA0vkAgAHoerdAgAAAB+LCAAAAAAAAANL4gIAxPLH9gIAAAA=");
  const auto read = [](std::string_view bytes) -> Result<std::string> {
    Unpacker unpacker;
    std::string out;
    const auto give = [&](std::string_view text) -> Status {
      out += text;
      return {};
    };
    for (const char c : bytes) TRY(unpacker.add({&c, 1}, give));
    TRY(unpacker.finish(give));
    return out;
  };
  ASSERT_TRUE(two);
  EXPECT_EQ(read("abcdefg").value(), "abcdefg");
  EXPECT_EQ(read("a").value(), "a");
  const auto whole = read(*two);
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_EQ(*whole, "a\nb\n");
  const auto cut = read(std::string_view(*two).substr(0, two->size() - 3));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::kDataLoss);
}

}  // namespace
}  // namespace tailrace::lambda
