// Every route of the console, its errors, and the error map; one test goes through a socket.
#include "console/console.h"

#include <gmock/gmock.h>

#include "console/arrow_rows.h"
#include "console/assets.h"
#include "console/errors.h"
#include "console/json.h"
#include "console/testing/made_up_log.h"
#include "console/testing/made_up_operations.h"
#include "console/testing/made_up_schemas.h"
#include "net/http_client.h"
#include "net/http_message.h"

namespace tailrace::console {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// A backend of one table that remembers what it was asked.
class Fake : public Backend {
 public:
  Status status() override {
    Hop hop;
    hop.id = "decoded.t";
    hop.kind = HopKind::kDecoded;
    hop.state = HopState::kEmpty;
    hop.count = 7;
    hop.rejected = 2;
    hop.reasons = {{"de\"code", 2}};
    hop.why = "every record is rejected";
    Status out{.project = "p",
               .version = "1",
               .uptime_s = 1,
               .state = "running",
               .ready = ready_,
               .first_empty_hop = "decoded is empty",
               .hops = {hop}};
    return out;
  }
  std::vector<TableInfo> tables() override {
    TableInfo table;
    table.name = "t";
    table.layer = "gold";
    table.rows = 3;
    table.expectations = {{"valid", "a > 0", "drop", 3, 1}};
    return {table};
  }
  Result<Rows> read_table(std::string_view name, const RowRange& range) override {
    if (name != "t") return error(Code::kNotFound, "no table is named " + std::string(name));
    range_ = range;
    return rows();
  }
  Result<Rows> get_row(std::string_view, const std::vector<std::string>& key) override {
    key_ = key;
    return rows();
  }
  Result<Rows> sql(std::string_view query, int) override {
    if (query == "bad") return error(Code::kInvalidArgument, "expected SELECT at 1:1");
    return rows();
  }
  Result<Rows> sql_page(std::string_view next) override {
    if (next != "1:10000") return error(Code::kNotFound, "no longer kept");
    return rows();
  }
  Result<DeadLetterPage> dead_letters(const DeadLetterFilter& filter) override {
    filter_ = filter;
    DeadLetterPage page;
    page.letters = {{.id = "1",
                     .origin = "t-0@5",
                     .table = "t",
                     .reason = "decode",
                     .message = "bad",
                     .bytes = "a\xff",
                     .time_ms = 9}};
    page.total = 1;
    return page;
  }
  Result<std::int64_t> redrive(const RedriveSelection& selection) override {
    selection_ = selection;
    return 4;
  }
  LogView& log_view() override { return log_; }
  SchemaView& schema_view() override { return schemas_; }
  Operations& operations() override { return operations_; }

  static Rows rows() {
    Rows out;
    out.columns = {{"a", "BIGINT", ""}};
    out.rows = {{{std::int64_t{1}}}, {{std::int64_t{1} << 60}}, {{}}};
    out.next = "n";
    return out;
  }

  MadeUpLog log_;
  MadeUpOperations operations_;
  MadeUpSchemas schemas_{MadeUpSchemas::State::kFilled};
  bool ready_ = true;
  RowRange range_;
  std::vector<std::string> key_;
  DeadLetterFilter filter_;
  RedriveSelection selection_;
};

class Api : public testing::Test {
 protected:
  net::Response ask(std::string method, std::string_view target, std::string body = "") {
    auto parsed = *net::parse_target(target);
    net::Request request{.method = std::move(method),
                         .path = parsed.path,
                         .segments = parsed.segments,
                         .query = parsed.query,
                         .headers = {},
                         .body = std::move(body)};
    return answer(backend_, request);
  }
  net::Response get(std::string_view target) { return ask("GET", target); }

  Fake backend_;
};

TEST_F(Api, status_lists_the_hops_and_names_the_first_empty_one) {
  auto body = get("/api/status").body;
  EXPECT_THAT(body, AllOf(HasSubstr(R"("first_empty_hop":"decoded is empty")"),
                          HasSubstr(R"("kind":"decoded")"), HasSubstr(R"("state":"empty")"),
                          HasSubstr(R"("why":"every record is rejected")")));
}

TEST_F(Api, events_push_the_status_once_until_it_changes) {
  auto response = get("/api/events");
  EXPECT_EQ(response.content_type, "text/event-stream");
  ASSERT_TRUE(response.stream);
  EXPECT_THAT(*response.stream->next(), StartsWith("event: status\ndata: {"));
  EXPECT_EQ(response.stream->next(), "");
  backend_.ready_ = false;
  EXPECT_THAT(*response.stream->next(), HasSubstr(R"("ready":false)"));
}

TEST_F(Api, tables_tell_columns_and_expectations) {
  EXPECT_THAT(get("/api/tables").body,
              AllOf(HasSubstr(R"("name":"t")"), HasSubstr(R"("failed":1)")));
}

TEST_F(Api, rows_are_read_by_range_a_page_at_a_time) {
  auto response = get("/api/tables/t?limit=5&after=x&from=a&from=b%2Fc&to=d");
  EXPECT_THAT(response.body,
              HasSubstr(R"("rows":[[1],["1152921504606846976"],[null]],"next":"n")"));
  EXPECT_EQ(backend_.range_.limit, 5);
  EXPECT_EQ(backend_.range_.after, "x");
  EXPECT_THAT(backend_.range_.from, ElementsAre("a", "b/c"));
  EXPECT_THAT(backend_.range_.to, ElementsAre("d"));
  EXPECT_EQ(get("/api/tables/t?prefix=a&prefix=b").status, 200);
  EXPECT_THAT(backend_.range_.from, ElementsAre("a", "b"));
  EXPECT_EQ(backend_.range_.to, backend_.range_.from);
  for (auto bad : {"0", "1001", "x", "5x", "-1", "99999999999999"}) {
    EXPECT_EQ(get(std::string("/api/tables/t?limit=") + bad).status, 400) << bad;
  }
  EXPECT_EQ(get("/api/tables/nothing").status, 404);
}

TEST_F(Api, a_misspelt_or_doubled_parameter_is_named) {
  for (auto bad : {"limt=5", "limit=5&limit=6", "prefix=a&from=b"}) {
    EXPECT_EQ(get(std::string("/api/tables/t?") + bad).status, 400) << bad;
  }
  EXPECT_THAT(get("/api/dead-letters?tabel=t").body, HasSubstr("unknown parameter: tabel"));
  EXPECT_EQ(get("/api/tables/t/key?limit=1").status, 400);
}

TEST_F(Api, a_row_is_read_by_a_key_of_several_columns_that_may_hold_slashes) {
  EXPECT_EQ(get("/api/tables/t/a%2Fb/2").status, 200);
  EXPECT_THAT(backend_.key_, ElementsAre("a/b", "2"));
}

TEST_F(Api, sql_answers_rows_or_the_place_of_the_error) {
  EXPECT_EQ(ask("POST", "/api/sql", R"({"query":"SELECT 1"})").status, 200);
  auto bad = ask("POST", "/api/sql", R"({"query":"bad"})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body,
            R"({"error":{"code":"INVALID_ARGUMENT","message":"expected SELECT at 1:1"}})");
  for (auto body :
       {"", "{", "[]", "{}", R"({"query":5})", R"({"query":" ; "})",
        R"({"query":"SELECT 1","limit":0})", R"({"query":"SELECT 1","limit":1.5})",
        R"({"query":"SELECT 1","rows":5})", R"({"next":""})", R"({"next":"1:10000","limit":5})"}) {
    EXPECT_EQ(ask("POST", "/api/sql", body).status, 400) << body;
  }
}

TEST_F(Api, a_long_answer_goes_on_at_its_next) {
  EXPECT_EQ(ask("POST", "/api/sql", R"({"next":"1:10000"})").status, 200);
  EXPECT_EQ(ask("POST", "/api/sql", R"({"next":"2:10000"})").status, 404);
}

TEST_F(Api, dead_letters_are_filtered_and_bytes_survive_as_hex) {
  auto body = get("/api/dead-letters?table=t&reason=late&limit=3").body;
  EXPECT_THAT(body, AllOf(HasSubstr(R"("hex":"61ff")"), HasSubstr(R"("total":1)")));
  EXPECT_EQ(backend_.filter_.reason, "late");
  EXPECT_EQ(backend_.filter_.limit, 3);
}

TEST_F(Api, redrive_takes_what_is_named_and_never_everything_by_accident) {
  EXPECT_EQ(ask("POST", "/api/redrive", R"({"ids":["1","2"]})").body, R"({"redriven":4})");
  EXPECT_THAT(backend_.selection_.ids, ElementsAre("1", "2"));
  EXPECT_EQ(ask("POST", "/api/redrive", R"({"all":true})").status, 200);
  for (auto body : {"", "{}", R"({"ids":[]})", R"({"ids":[1]})", R"({"all":false})",
                    R"({"ids":"1"})", R"({"all":"yes"})", R"({"al":true})"}) {
    EXPECT_EQ(ask("POST", "/api/redrive", body).status, 400) << body;
  }
}

TEST_F(Api, metrics_are_prometheus_text_with_escaped_labels) {
  auto body = get("/metrics").body;
  EXPECT_THAT(body,
              HasSubstr("# TYPE tailrace_hop_records_total counter\n"
                        "tailrace_hop_records_total{hop=\"decoded.t\",kind=\"decoded\"} 7\n"));
  EXPECT_THAT(body, HasSubstr("reason=\"de\\\"code\"} 2\n"));
  EXPECT_THAT(body, HasSubstr("tailrace_expectation_failed_total{table=\"t\",layer=\"gold\","
                              "expectation=\"valid\",action=\"drop\"} 1\n"));
  EXPECT_THAT(body, HasSubstr("tailrace_hop_empty{hop=\"decoded.t\",kind=\"decoded\"} 1\n"));
  EXPECT_THAT(body, HasSubstr("\nprocess_resident_memory_bytes "));
  EXPECT_THAT(body, HasSubstr("kafka_log_log_size{topic=\"t\",partition=\"0\"} 5\n"));
}

TEST_F(Api, topics_are_listed_and_one_is_shown_with_its_partitions) {
  EXPECT_THAT(get("/api/topics").body,
              AllOf(HasSubstr(R"("name":"__consumer_offsets","internal":true)"),
                    HasSubstr(R"("name":"users_created","internal":false,"partitions":4)")));
  EXPECT_THAT(get("/api/topics/users_created").body,
              AllOf(HasSubstr(R"("partitions":[{"id":0,"start":10,)"),
                    HasSubstr(R"({"name":"retention.ms","value":"3600000"})"),
                    HasSubstr(R"("readers":[{"group":"analytics","state":"Stable","lag":)")));
  EXPECT_EQ(get("/api/topics/nothing").status, 404);
  EXPECT_EQ(get("/api/topics/users_created?x=1").status, 400);
  EXPECT_EQ(get("/api/topics/users_created/other").status, 404);
}

TEST_F(Api, records_are_text_where_they_can_be_read_and_hex_where_not) {
  const auto body = get("/api/topics/users_created/records?partition=2&offset=11&limit=5").body;
  EXPECT_EQ(backend_.log_.last_query().partition, 2);
  EXPECT_THAT(body,
              HasSubstr(R"("key":{"text":"user-11","hex":"","is_text":true,"size_bytes":7})"));
  EXPECT_THAT(body, HasSubstr(R"("value":{"text":"","hex":"000001ff3c7363726970743e",)"));
  EXPECT_THAT(body, HasSubstr(R"({"offset":15,"time_ms":1795236300015,"key":)"));
  EXPECT_THAT(body, HasSubstr(R"("headers":[{"key":"trace","value":{"text":"4bf92f3577b34da6")"));
  EXPECT_THAT(body, HasSubstr(R"({"key":"empty"}]})"));
}

TEST_F(Api, the_newest_records_are_asked_for_without_offset_and_limits_are_checked) {
  EXPECT_EQ(get("/api/topics/users_created/records").status, 200);
  EXPECT_EQ(backend_.log_.last_query().offset, std::nullopt);
  EXPECT_EQ(backend_.log_.last_query().limit, 20);
  EXPECT_EQ(get("/api/topics/users_created/records?offset=5").status, 416);
  for (const char* wrong : {"limit=0", "limit=101", "limit=x", "partition=-1", "offset=-1",
                            "partition=4294967296", "ofset=3", "offset=1&offset=2"})
    EXPECT_EQ(get(std::string("/api/topics/users_created/records?") + wrong).status, 400) << wrong;
}

TEST_F(Api, groups_are_listed_and_one_is_shown_with_members_offsets_and_the_lag_that_was) {
  EXPECT_THAT(
      get("/api/groups").body,
      AllOf(HasSubstr(R"({"name":"billing","type":"consumer","state":"Empty","members":0,)"),
            HasSubstr(R"("name":"night shift/é")"), HasSubstr(R"("unseen":"")")));
  EXPECT_THAT(get("/api/groups/analytics").body,
              AllOf(HasSubstr(R"("assignor":"range")"),
                    HasSubstr(R"("host":"/10.0.0.8","assigned":["users_created-1"],)"),
                    HasSubstr(R"("partition":2,"committed":-1,"end":400,"lag":-1)"),
                    HasSubstr(R"("lag_history":[{"time_ms":1795236300000,"lag":0})")));
  EXPECT_EQ(get("/api/groups/night%20shift%2F%C3%A9").status, 404);
}

TEST(Text, is_what_a_reader_can_read) {
  for (std::string_view text : {"", "a\n\tb\r", "é€😀", "\xf4\x8f\xbf\xbf", "cut short: \xe2\x82"})
    EXPECT_TRUE(is_text(text)) << text;
  for (std::string_view bytes :
       {std::string_view("\0", 1), std::string_view("\x1b[0m"), std::string_view("\xff"),
        std::string_view("\xc0\x80"), std::string_view("\xed\xa0\x80"),
        std::string_view("\xf4\x90\x80\x80"), std::string_view("\xe2(\xa1"),
        std::string_view("\x80"), std::string_view("\xe0\x80\x80")})
    EXPECT_FALSE(is_text(bytes)) << bytes;
}

TEST_F(Api, health_is_always_ok_and_readiness_follows_the_pipeline) {
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  backend_.ready_ = false;
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(Api, unknown_addresses_and_methods_are_told_apart) {
  EXPECT_EQ(get("/api/nothing").status, 404);
  EXPECT_EQ(get("/api/tables/").status, 404);
  EXPECT_EQ(get("/missing.js").status, 404);
  EXPECT_EQ(get("/api/sql").status, 405);
  EXPECT_EQ(ask("POST", "/api/status").status, 405);
  EXPECT_EQ(ask("DELETE", "/api/tables/t").status, 405);
  EXPECT_EQ(ask("POST", "/").status, 405);
}

TEST_F(Api, subjects_are_told_with_their_topics_and_found_by_name_topic_and_page) {
  EXPECT_THAT(get("/api/schemas").body,
              AllOf(HasSubstr(R"("total":2)"), HasSubstr(R"("context":".eu")"),
                    HasSubstr(R"("uses":[{"topic":"users_created","part":"value"}])")));
  EXPECT_THAT(get("/api/schemas?search=orders").body, HasSubstr(R"("total":1)"));
  EXPECT_THAT(get("/api/schemas?topic=users_created&limit=7&after=x").body,
              HasSubstr(R"("total":1)"));
  EXPECT_EQ(backend_.schemas_.last_query().limit, 7);
  EXPECT_EQ(backend_.schemas_.last_query().after, "x");
  EXPECT_EQ(get("/api/schemas?limit=101").status, 400);
  EXPECT_EQ(get("/api/schemas?serach=x").status, 400);
  EXPECT_EQ(ask("POST", "/api/schemas").status, 405);
}

TEST_F(Api, a_version_is_a_number_or_the_latest_of_a_subject_of_any_name) {
  EXPECT_THAT(get("/api/schemas/users_created-value").body, HasSubstr(R"("versions":[1,2])"));
  EXPECT_THAT(get("/api/schemas/users_created-value/latest").body, HasSubstr(R"("version":2)"));
  const auto odd = get("/api/schemas/%3A.eu%3Aorders%2Fnew-value/1");
  EXPECT_THAT(odd.body, AllOf(HasSubstr(R"("type":"PROTOBUF")"),
                              HasSubstr(R"("references":[{"name":"user.proto")")));
  EXPECT_EQ(get("/api/schemas/nothing").status, 404);
  EXPECT_EQ(get("/api/schemas/users_created-value/9").status, 404);
  for (const char* version : {"0", "-1", "1x", "99999999999"})
    EXPECT_EQ(get(std::string("/api/schemas/users_created-value/") + version).status, 400);
}

TEST_F(Api, a_schema_is_checked_without_being_registered_and_registered_only_by_its_own_address) {
  const std::string fits = R"({"type":"AVRO","text":"\"int\"","references":[
      {"name":"a.B","subject":"b","version":-1}]})";
  EXPECT_EQ(ask("POST", "/api/schemas/users_created-value/check", fits).body,
            R"({"compatible":true,"messages":[]})");
  EXPECT_EQ(backend_.schemas_.last_proposal().references.at(0).version, -1);
  EXPECT_THAT(ask("POST", "/api/schemas/s/check", R"({"type":"JSON","text":"vip"})").body,
              AllOf(HasSubstr(R"("compatible":false)"), HasSubstr("/fields/2")));
  EXPECT_THAT(get("/api/schemas/users_created-value").body, HasSubstr(R"("versions":[1,2])"));
  EXPECT_EQ(get("/api/schemas/users_created-value/check").status, 405);
  EXPECT_EQ(get("/api/schemas/users_created-value/register").status, 405);
  EXPECT_THAT(ask("POST", "/api/schemas/users_created-value/register", fits).body,
              HasSubstr(R"("version":3)"));
  EXPECT_THAT(get("/api/schemas/users_created-value").body, HasSubstr(R"("versions":[1,2,3])"));
}

TEST_F(Api, what_is_no_proposal_is_refused) {
  for (const char* body :
       {"", "[]", R"({"type":"AVRO"})", R"({"type":"AVRO","text":" "})",
        R"({"type":"THRIFT","text":"x"})", R"({"type":"AVRO","text":"x","extra":1})",
        R"({"type":"AVRO","text":"x","references":{}})",
        R"({"type":"AVRO","text":"x","references":[{"name":"a","subject":"b"}]})",
        R"({"type":"AVRO","text":"x","references":[{"name":"a","subject":"b","version":1.5}]})",
        R"({"type":"AVRO","text":"x","references":[{"name":"a","subject":"b","version":3e9}]})"})
    EXPECT_EQ(ask("POST", "/api/schemas/s/check", body).status, 400) << body;
}

TEST_F(Api, bytes_of_a_schema_are_told_decoded_or_with_the_reason) {
  const auto body = get("/api/topics/users_created/records?offset=14&limit=1").body;
  EXPECT_THAT(body, AllOf(HasSubstr(R"("why":"Schema 99 not found")"),
                          HasSubstr(R"("json":"{\"id\":\"Zo\",\"age\":7}")"),
                          HasSubstr(R"("hex":"0000000002045a6f0e")")));
}

TEST_F(Api, the_page_is_embedded_with_its_policy_and_hashed_files_kept_for_ever) {
  auto index = get("/");
  EXPECT_EQ(index.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(index.headers, testing::Contains(testing::Key("Content-Security-Policy")));
  EXPECT_THAT(index.headers, testing::Contains(testing::Pair("Cache-Control", "no-cache")));
  for (const auto& asset : assets()) {
    if (!asset.path.starts_with("/assets/")) continue;
    auto file = get(asset.path);
    EXPECT_EQ(file.status, 200) << asset.path;
    EXPECT_THAT(file.headers,
                testing::Contains(testing::Pair("Cache-Control", HasSubstr("immutable"))));
  }
}

TEST(Errors, no_code_is_without_an_http_status) {
  for (int code = 0; code <= static_cast<int>(Code::kCancelled); ++code) {
    int status = http_status(static_cast<Code>(code));
    EXPECT_TRUE(status >= 400 && status < 600) << code;
    EXPECT_FALSE(code_name(static_cast<Code>(code)).empty());
  }
}

TEST(ArrowRows, cells_nest_and_nulls_stay_null) {
  auto structs =
      arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())});
  auto schema = arrow::schema({arrow::field("s", structs), arrow::field("d", arrow::float64())});
  auto ints = *arrow::MakeArrayFromScalar(arrow::Int32Scalar(5), 2);
  auto texts = *arrow::MakeArrayOfNull(arrow::utf8(), 2);
  auto nested = *arrow::StructArray::Make({ints, texts}, structs->fields());
  auto doubles = *arrow::MakeArrayFromScalar(arrow::DoubleScalar(1.5), 2);
  Rows rows;
  append_rows(arrow::RecordBatch::Make(schema, 2, {nested, doubles}), rows);
  EXPECT_EQ(rows.rows.size(), 2u);
  EXPECT_THAT(rows_json(rows), HasSubstr(R"([{"a":5,"b":null},1.5])"));
}

TEST(Console, serves_over_a_socket_and_refuses_in_json) {
  Fake backend;
  ConsoleConfig config;
  config.port = 0;
  auto console = Console::start(config, backend);
  ASSERT_TRUE(console) << console.error().what;
  net::HttpClient client;
  EXPECT_EQ(client.get((*console)->url() + "/api/status")->status, 200);
  net::HttpOptions foreign;
  foreign.headers = {{"Host", "evil.example"}};
  auto refused = client.get((*console)->url() + "/api/status", foreign);
  EXPECT_EQ(refused->status, 421);
  EXPECT_THAT(refused->body, StartsWith(R"({"error":{"code":"HTTP_421")"));
}

}  // namespace
}  // namespace tailrace::console
