// Bodies to records, format by format.
#include "hooks/body.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace tailrace::hooks {
namespace {

using connect::WebhookOptions;
using testing::HasSubstr;

/// "KEY=VALUE" of each record; parts are set apart by "|", then what was bad or refused.
std::string read(const WebhookOptions& hook, const std::string& type, const std::string& body,
                 std::map<std::string, std::string> headers = {}) {
  net::Request request;
  request.headers = std::move(headers);
  if (!type.empty()) request.headers["content-type"] = type;
  request.body = body;
  const Body got = read_body(hook, "orders", request);
  std::string out;
  for (const Part& part : got.parts) {
    if (!out.empty()) out += " | ";
    if (!part.id.empty()) out += fmt::format("<{}> ", part.id);
    for (const auto& item : part.items)
      out += fmt::format("{}={};", item.key.value_or("-"), item.value);
    for (const auto& reject : part.rejects)
      out += fmt::format(" {} {} '{}'", reject.origin, reject.reason, reject.bytes);
  }
  if (got.refused != 0) out += fmt::format("{}: {}", got.refused, got.why);
  return out;
}

WebhookOptions with_key(const char* path) {
  WebhookOptions hook;
  hook.key = *connect::JsonPath::parse(path);
  return hook;
}

TEST(Body, json_is_a_record_as_it_was_sent) {
  EXPECT_EQ(read({}, "application/json; charset=utf-8", " {\"b\": 1.0,\n\"a\":2} \n"),
            "-={\"b\": 1.0,\n\"a\":2};");
  EXPECT_EQ(read(with_key("$.a.b"), "application/json", R"({"a":{"b":"x"}})"),
            R"(x={"a":{"b":"x"}};)");
  EXPECT_EQ(read({}, "application/vnd.api+json", "[1,2]"), "-=[1,2];");
}

TEST(Body, split_makes_a_record_of_each_element) {
  WebhookOptions hook = with_key("$.id");
  hook.split = *connect::JsonPath::parse("$.items");
  EXPECT_EQ(read(hook, "application/json", R"({"items": [ {"id":1}, {"id": 2.50} ]})"),
            R"(1={"id":1};2.5={"id": 2.50};)");
  EXPECT_THAT(read(hook, "application/json", R"({"others": []})"), HasSubstr("400: "));
}

TEST(Body, what_is_not_json_is_refused_with_its_place) {
  EXPECT_THAT(read({}, "application/json", "{\"a\": 1,\n \"b\": }"),
              HasSubstr("400: the body is not JSON: line 2, column 7: "));
  EXPECT_EQ(read({}, "application/json", ""), "400: the body is empty");
}

TEST(Body, good_lines_are_taken_and_bad_ones_are_dead_letters) {
  EXPECT_EQ(read(with_key("$.n"), "application/x-ndjson", "{\"n\":1}\r\n\n{\"n\":\n{\"n\":3}"),
            "1={\"n\":1};3={\"n\":3}; orders:line 3 bad JSON '{\"n\":'");
  EXPECT_THAT(read({}, "application/x-ndjson", "a\nb"), HasSubstr("400: no line is JSON; line 1"));
}

TEST(Body, a_form_is_an_object_and_its_payload_is_json) {
  EXPECT_EQ(read({}, "application/x-www-form-urlencoded", "b=1+2&a=%22&b=%C3%A9&c"),
            "-={\"b\":[\"1 2\",\"é\"],\"a\":\"\\\"\",\"c\":\"\"};");
  EXPECT_EQ(read(with_key("$.payload.type"), "application/x-www-form-urlencoded",
                 "payload=%7B%22type%22%3A%22block_actions%22%7D"),
            R"(block_actions={"payload":{"type":"block_actions"}};)");
  EXPECT_THAT(read({}, "application/x-www-form-urlencoded", "a=%zz"), HasSubstr("400: field 1"));
}

TEST(Body, json_that_says_it_is_something_else_is_taken) {
  // curl -d '…', and AWS's SNS.
  EXPECT_EQ(read({}, "application/x-www-form-urlencoded", R"({"a":"b=c"})"), R"(-={"a":"b=c"};)");
  EXPECT_EQ(read({}, "text/plain; charset=UTF-8", R"({"Type":"Notification"})"),
            R"(-={"Type":"Notification"};)");
  EXPECT_THAT(read({}, "text/plain", "hello"), HasSubstr("415: the Content-Type `text/plain`"));
  EXPECT_THAT(read({}, "multipart/form-data; boundary=x", "--x"), HasSubstr("415"));
  EXPECT_THAT(read({}, "", "hello"), HasSubstr("415: the Content-Type is missing"));
  WebhookOptions raw;
  raw.format = WebhookOptions::Format::kRaw;
  EXPECT_EQ(read(raw, "text/plain", "hello"), "-=hello;");
}

TEST(Body, nesting_that_would_overflow_a_stack_is_refused) {
  const std::string deep(200'000, '[');
  EXPECT_THAT(read({}, "application/json", deep), HasSubstr("400"));
  const std::string closed = "{\"data\":" + deep + std::string(200'000, ']') + "}";
  EXPECT_THAT(read({}, "application/cloudevents+json", closed), HasSubstr("400"));
  EXPECT_THAT(read({}, "application/cloudevents-batch+json", "[" + closed + "]"), HasSubstr("400"));
}

// The examples of the JSON format's and the HTTP binding's specifications, 1.0.2.
TEST(CloudEvents, a_structured_event_is_kept_as_it_came) {
  const std::string event =
      R"({"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","id":"C234-1234-1234",)"
      R"("time":"2018-04-05T17:31:00Z","comexampleextension1":"value","datacontenttype":"application/json",)"
      R"("partitionkey":"p1","data":{"appinfoA":"abc","appinfoB":123,"appinfoC":true}})";
  EXPECT_EQ(read({}, "application/cloudevents+json; charset=utf-8", event),
            "</mycontext\nC234-1234-1234> p1=" + event + ";");
  WebhookOptions data = with_key("$.appinfoB");
  data.event_data = true;
  EXPECT_EQ(read(data, "application/cloudevents+json", event),
            "</mycontext\nC234-1234-1234> "
            R"(123={"appinfoA":"abc","appinfoB":123,"appinfoC":true};)");
}

TEST(CloudEvents, headers_and_body_of_the_binary_mode_become_an_envelope) {
  const std::map<std::string, std::string> headers = {{"ce-specversion", "1.0"},
                                                      {"ce-type", "com.example.someevent"},
                                                      {"ce-id", "1234"},
                                                      {"ce-source", "/mycontext/sub%20context"},
                                                      {"ce-subject", "Euro%20%E2%82%AC"}};
  EXPECT_EQ(read({}, "application/json; charset=utf-8", R"({"n": 1.50})", headers),
            "</mycontext/sub context\n1234> -="
            R"({"specversion":"1.0","id":"1234","source":"/mycontext/sub context",)"
            R"("type":"com.example.someevent","subject":"Euro €",)"
            R"("datacontenttype":"application/json; charset=utf-8","data":{"n": 1.50}};)");
  EXPECT_THAT(read({}, "text/plain", "hi", headers), HasSubstr(R"("data":"hi"})"));
  EXPECT_THAT(read({}, "image/png", "\x89PNG", headers), HasSubstr(R"("data_base64":"iVBORw=="})"));
  WebhookOptions data;
  data.event_data = true;
  EXPECT_THAT(read(data, "image/png", "\x89PNG", headers), HasSubstr("-=\x89PNG;"));
}

TEST(CloudEvents, each_of_a_batch_is_a_part_with_its_own_id) {
  EXPECT_EQ(
      read({}, "application/cloudevents-batch+json",
           R"([ {"specversion":"1.0","type":"t","source":"/s","id":"1","data":1},)"
           R"({"specversion":"1.0","type":"t","source":"/s","id":"2"}])"),
      "</s\n1> "
      "-={\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"1\",\"data\":1};"
      " | </s\n2> -={\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"2\"};");
  EXPECT_EQ(read({}, "application/cloudevents-batch+json", "[]"), "");
}

TEST(CloudEvents, what_lacks_an_attribute_is_refused) {
  const auto refused = [](const std::string& event) {
    return read({}, "application/cloudevents+json", event);
  };
  EXPECT_THAT(refused(R"({"specversion":"1.0","type":"t","source":"/s"})"), HasSubstr("no `id`"));
  EXPECT_THAT(refused(R"({"specversion":"0.3","type":"t","source":"/s","id":"1"})"),
              HasSubstr("specversion `0.3`"));
  EXPECT_THAT(refused(R"([1])"), HasSubstr("a CloudEvent is a JSON object"));
  EXPECT_THAT(read({}, "application/cloudevents-batch+json",
                   R"([{"specversion":"1.0","type":"t","source":"/s","id":"1"},{}])"),
              HasSubstr("event 2 of the batch: "));
}

}  // namespace
}  // namespace tailrace::hooks
