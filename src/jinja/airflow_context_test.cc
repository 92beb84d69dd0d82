// The names of a task's templates against those of Airflow's worker (tests/jinja), and XComs' JSON.
#include "jinja/airflow_context.h"

#include <gtest/gtest.h>

#include "jinja/testing/recorded.h"
#include "jinja/times.h"

namespace tailrace::jinja {
namespace {

using testing::recorded;
using testing::text_at;

constexpr std::int64_t kHour = 3'600'000'000, kDay = 24 * kHour;
constexpr std::int64_t kFirst = 1767225600'000000;  // 2026-01-01 UTC

Value from(const char* json) {
  return from_json(json).value_or(Value());
}

Result<std::optional<List>> xcom(const XComQuery& query) {
  if (query.run != "scheduled__2026-01-01T00:00:00+00:00" || query.dag != "shop")
    return std::nullopt;
  List values;
  const std::string what = query.task + "/" + query.key;
  if (what == "extract/return_value") values = {from(R"({"rows": 5, "files": ["a", "b"]})")};
  if (what == "extract/path") values = {"/tmp/x"};
  if (what == "other/return_value") values = {"o"};
  if (what == "mapped/return_value") values = {10, 20, 30};
  if (values.empty()) return std::nullopt;
  if (!query.map_index) return values;
  const auto at = static_cast<std::size_t>(*query.map_index);
  if (*query.map_index < 0 || at >= values.size()) return std::nullopt;
  return List{values[at]};
}

Result<std::optional<std::string>> variable(const std::string& key) {
  if (key == "greeting") return "hello";
  if (key == "settings") return R"({"size": 3, "names": ["a", "b"]})";
  return std::nullopt;
}

Result<std::optional<Connection>> connection(const std::string& id) {
  Connection made{.id = id, .type = "http", .host = "https://example.com"};
  if (id == "plain") return made;
  if (id != "warehouse") return std::nullopt;
  made.type = "postgres", made.host = "db.example.com", made.schema = "main", made.login = "me";
  made.password = "p@ss/w", made.port = 5432, made.extra = R"({"sslmode": "require"})";
  return made;
}

/// The task that tests/real/jinja_side.py makes on Airflow.
AirflowContext context() {
  AirflowContext made;
  made.dag_id = "shop", made.task_id = "load", made.hostname = "host", made.max_tries = 2;
  made.start_date = kFirst + 25 * kHour;
  made.run.run_id = "scheduled__2026-01-01T00:00:00+00:00";
  made.run.run_type = "scheduled";
  made.run.logical_date = made.run.interval_start = kFirst;
  made.run.interval_end = kFirst + kDay;
  made.run.run_after = kFirst + kDay;
  made.run.start_date = kFirst + 25 * kHour;
  made.run.conf = from(R"({"tables": ["a", "b"], "day": "2025-12-31"})");
  made.params =
      from(R"({"table": "orders", "limit": 10, "tables": ["a", "b"], "day": "2025-12-31"})");
  made.previous_success = [] {
    return AirflowContext::Previous{kFirst - kDay, kFirst, kFirst + kHour, kFirst + 2 * kHour};
  };
  made.variable = variable;
  made.connection = connection;
  made.xcom = xcom;
  return made;
}

Scope scope(AirflowContext made = context()) {
  return airflow_scope(std::make_shared<const AirflowContext>(std::move(made)));
}

Template::Options options() {
  Template::Options made;
  made.random = [] { return 0.25; };
  made.clock = [] { return kFirst; };
  return made;
}

TEST(AirflowContext, its_names_give_what_they_give_on_airflow) {
  const auto lines = recorded("tests/jinja/airflow_expected.jsonl");
  ASSERT_GE(lines.size(), 80U);
  for (const Value& line : lines) EXPECT_EQ(testing::difference(line, scope(), options()).told, "");
}

TEST(AirflowContext, a_run_without_a_logical_date_has_none_of_the_names_made_of_it) {
  AirflowContext manual = context();
  manual.run.logical_date.reset();
  for (const char* name :
       {"logical_date", "ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz",
        "data_interval_start", "data_interval_end", "prev_data_interval_start_success"})
    EXPECT_TRUE(scope(manual)(name).is_undefined()) << name;
  EXPECT_EQ(scope(manual)("task_instance_key_str").text(),
            "shop__load__scheduled__2026-01-01T00:00:00+00:00");
  EXPECT_FALSE(scope(manual)("prev_start_date_success").is_undefined());
}

TEST(AirflowContext, fields_are_rendered_through_lists_and_dicts_and_keep_their_other_values) {
  const Value field =
      from(R"({"a": ["{{ ds }}", 5, null], "{{ ds }}": {"b": "{{ params.limit }}"}})");
  const auto made = render_field(field, scope(), options(), false);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(made->repr(), "{'a': ['2026-01-01', 5, None], '{{ ds }}': {'b': '10'}}");
  const auto native = render_field(field, scope(), options(), true);
  ASSERT_TRUE(native) << native.error().what;
  EXPECT_EQ(native->repr(), "{'a': ['2026-01-01', 5, None], '{{ ds }}': {'b': 10}}");
}

TEST(AirflowContext, a_connection_is_shown_without_its_password) {
  const auto parsed = Template::parse("{{ conn.warehouse }}");
  const auto made = parsed->render(scope(), options());
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(made->find("p@ss"), std::string::npos) << *made;
}

// --- XComs ---------------------------------------------------------------------------------------

List kept_values() {
  const auto zone = [](const char* name) { return *calendar::Zone::find(name); };
  constexpr std::int64_t kAt = 1767319445'123456;
  const auto moment = [&](calendar::Zone where) { return Value(calendar::Moment{kAt, where}); };
  DateTime plain = DateTime::at(1767323045'000000, calendar::Zone::utc(), false);
  plain.zone.reset();
  DateTime date = plain;
  date.kind = DateTime::Kind::kDate;
  date.local = {2026, 1, 2};
  Dict numbers, nested;
  numbers.set("a", 1);
  numbers.set(2, "b");
  nested.set("at", List{moment(zone("Europe/Berlin"))});
  return {Value(),
          true,
          1,
          -1.5,
          "é",
          List{1, List{2}},
          numbers,
          Tuple{{1, "x", Tuple{{2}}}},
          moment(zone("Europe/Berlin")),
          moment(calendar::Zone::utc()),
          moment(calendar::Zone::fixed(19800)),
          plain.value(),
          TimeDelta{86'400'000'005},
          date.value(),
          nested};
}

TEST(Json, values_are_kept_as_airflow_keeps_xcoms_and_come_back) {
  const List values = kept_values();
  const auto lines = testing::lines_of("tests/jinja/serde.jsonl");
  ASSERT_EQ(lines.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto made = to_json(values[i]);
    ASSERT_TRUE(made) << made.error().what;
    EXPECT_EQ(*made, lines[i]);
    const auto back = from_json(*made);
    ASSERT_TRUE(back) << back.error().what;
    const std::string wanted =
        i == 6 ? "{'a': 1, '2': 'b'}" : values[i].repr();  // keys become texts
    EXPECT_EQ(back->repr(), wanted);
  }
}

TEST(Json, what_is_no_json_names_the_place) {
  for (const char* bad : {"{", "[1,]", "{\"a\":}", "tru", "1 2", "\"a", "[\"\\x\"]", "01", ""}) {
    const auto made = from_json(bad);
    ASSERT_FALSE(made) << bad;
    EXPECT_NE(made.error().what.find("line 1 column"), std::string::npos) << made.error().what;
  }
}

}  // namespace
}  // namespace tailrace::jinja
