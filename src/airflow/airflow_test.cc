// The API without sockets: what a request means, what is refused, what is hidden. Its answers field
// by field are held against Airflow's own in tests/e2e/test_airflow_api.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "airflow/call.h"
#include "airflow/door.h"
#include "airflow/listing.h"
#include "airflow/logins.h"
#include "airflow/models.h"
#include "airflow/secrets.h"
#include "tasks/testing/no_project.h"

namespace tailrace::airflow {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kDags = R"(
line:
  schedule: none
  start_date: 2026-01-01
  params:
    count: {__type__: airflow.sdk.Param, default: 3, type: integer, maximum: 9}
  tasks:
    first:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: "echo hello"
    second:
      operator: airflow.providers.standard.operators.bash.BashOperator
      bash_command: exit 1
      dependencies: [first]
    third:
      operator: airflow.providers.standard.operators.empty.EmptyOperator
      dependencies: [second]
)";

class ApiTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("tailrace_airflow_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_ / "dags");
    std::ofstream(folder_ / "dags/line.yml") << kDags;
    auto opened = workflows::Workflows::open(
        {.folder = folder_.string(), .data = (folder_ / "data").string()}, project_,
        rt::system_clock());
    ASSERT_TRUE(opened) << opened.error().what;
    workflows_ = std::move(*opened);
    ASSERT_TRUE(workflows_->start());
  }
  void TearDown() override {
    workflows_.reset();
    std::filesystem::remove_all(folder_);
  }

  net::Response ask(const std::string& method, const std::string& path, const Json& body = {},
                    std::multimap<std::string, std::string> query = {}) {
    net::Request request;
    request.method = method;
    request.path = "/api/v2/" + path;
    request.query = std::move(query);
    request.segments = {"api", "v2"};
    for (std::size_t from = 0; from <= path.size();) {
      const std::size_t end = std::min(path.find('/', from), path.size());
      request.segments.push_back(path.substr(from, end - from));
      from = end + 1;
    }
    if (!body.is_null()) {
      request.body = body.dump();
      request.headers["content-type"] = "application/json";
    }
    return answer(*workflows_, request, user_);
  }
  Json json(const net::Response& response) { return Json::parse(response.body); }

  void run(const std::string& id) {
    const auto made =
        ask("POST", "dags/line/dagRuns", {{"logical_date", nullptr}, {"dag_run_id", id}});
    ASSERT_EQ(made.status, 200) << made.body;
    for (int i = 0; i < 3000; ++i) {
      if (!json(ask("GET", "dags/line/dagRuns/" + id))["end_date"].is_null()) return;
      std::this_thread::sleep_for(10ms);
    }
    FAIL() << id << " does not end";
  }

  std::filesystem::path folder_;
  std::string user_;
  tasks::NoProject project_;
  std::unique_ptr<workflows::Workflows> workflows_;
};

TEST_F(ApiTest, who_asked_for_what_is_noted_without_secrets) {
  user_ = "ada";
  ask("POST", "variables", {{"key", "colour"}, {"value", "hush"}});
  ask("PATCH", "variables",
      {{"actions", {{{"action", "create"}, {"entities", {{{"key", "a"}, {"value", "hush"}}}}}}}});
  ask("POST", "connections",
      {{"connection_id", "db"}, {"password", "hush"}, {"extra", R"({"a": "hush"})"}});
  ask("POST", "connections", {{"connection_id", "db"}, {"extra", {{"a", "hush"}}}});
  ask("PATCH", "dags/line", {{"is_paused", true}, {"token", "hush"}});
  ask("POST", "dags/line/clearTaskInstances", {{"dry_run", true}});
  ask("POST", "dags/none/dagRuns", {{"logical_date", nullptr}});  // there is no such DAG
  ask("DELETE", "pools/no/such", {}, {{"logical_date", "2026-01-05T00:00:00Z"}});
  ask("GET", "dags");
  const Json all = json(ask("GET", "eventLogs", {}, {{"order_by", "id"}}));
  std::vector<std::string> told;
  for (const Json& one : all["event_logs"]) {
    EXPECT_EQ(one["owner"], "ada");
    EXPECT_THAT(one["extra"].dump(), testing::Not(HasSubstr("hush")));
    told.push_back(one["event"].get<std::string>() + " " + one["extra"].get<std::string>());
  }
  EXPECT_THAT(
      told,
      testing::ElementsAre(
          R"(post_variable {"key": "colour", "value": "***", "method": "POST"})",
          R"(bulk_variables {"actions": [{"action": "create", "entities": [{"key": "a", "value": )"
          R"("***"}]}], "method": "PATCH"})",
          R"(post_connection {"connection_id": "db", "password": "***", "extra": {"a": "***"}, )"
          R"("method": "POST"})",
          R"(post_connection {"connection_id": "db", "extra": "Encountered non-JSON in `extra` )"
          R"(field", "method": "POST"})",
          R"(patch_dag {"is_paused": true, "token": "***", "method": "PATCH"})",
          R"(delete_pool {"pool_name": "no/such", "method": "DELETE"})"));
  EXPECT_EQ(all["event_logs"][4]["dag_id"], "line");
  EXPECT_EQ(all["event_logs"][5]["logical_date"], "2026-01-05T00:00:00Z");
  EXPECT_EQ(json(ask("GET", "eventLogs", {}, {{"event_prefix_pattern", "post_"}}))["total_entries"],
            3);
  EXPECT_EQ(json(ask("GET", "eventLogs", {}, {{"dag_id_pattern", "LIN"}}))["total_entries"], 1);
}

TEST_F(ApiTest, what_this_program_does_is_three_jobs) {
  const Json all = json(ask("GET", "jobs"));
  EXPECT_EQ(all["total_entries"], 3);
  EXPECT_EQ(all["jobs"][0]["job_type"], "SchedulerJob");
  EXPECT_EQ(all["jobs"][0]["state"], "running");
  const auto count = [&](const char* name, const char* value) {
    return json(ask("GET", "jobs", {}, {{name, value}}))["jobs"].size();
  };
  EXPECT_EQ(count("job_type", "TriggererJob"), 1U);
  EXPECT_EQ(count("job_state", "failed"), 0U);
  EXPECT_EQ(count("is_alive", "false"), 0U);
  EXPECT_EQ(count("start_date_gt", "2200-01-01T00:00:00Z"), 0U);
  EXPECT_EQ(ask("GET", "jobs", {}, {{"order_by", "nonsense"}}).status, 400);
}

TEST_F(ApiTest, a_run_that_is_asked_for_runs_and_its_tasks_and_log_are_shown) {
  run("one");
  EXPECT_EQ(json(ask("GET", "dags/line/dagRuns/one"))["state"], "failed");
  const Json tasks = json(ask("GET", "dags/line/dagRuns/one/taskInstances"))["task_instances"];
  std::vector<std::string> states;
  for (const Json& task : tasks)
    states.push_back(task["task_id"].get<std::string>() + " " + task["state"].get<std::string>());
  EXPECT_THAT(states,
              testing::ElementsAre("first success", "second failed", "third upstream_failed"));
  const Json log = json(ask("GET", "dags/line/dagRuns/one/taskInstances/first/logs/1"));
  EXPECT_THAT(log["content"].dump(), HasSubstr(R"("event":"hello")"));
  EXPECT_TRUE(log["continuation_token"].is_null());
}

TEST_F(ApiTest, a_conf_that_does_not_fit_the_params_makes_no_run) {
  const auto refused =
      ask("POST", "dags/line/dagRuns", {{"logical_date", nullptr}, {"conf", {{"count", 12}}}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("Invalid input for param count"));
  EXPECT_EQ(json(ask("GET", "dags/line/dagRuns"))["total_entries"], 0);
}

TEST_F(ApiTest, a_dry_run_of_a_clear_changes_nothing_and_the_clear_what_it_said) {
  run("one");
  Json body = {{"dag_run_id", "one"}, {"dry_run", true}, {"only_failed", true}};
  const Json said = json(ask("POST", "dags/line/clearTaskInstances", body));
  EXPECT_EQ(said["total_entries"], 2);
  EXPECT_EQ(json(ask("GET", "dags/line/dagRuns/one"))["state"], "failed");
  body["dry_run"] = false;
  EXPECT_EQ(json(ask("POST", "dags/line/clearTaskInstances", body))["total_entries"], 2);
  for (int i = 0; i < 3000; ++i) {
    const Json second = json(ask("GET", "dags/line/dagRuns/one/taskInstances/second"));
    if (second["try_number"] == 2 && second["state"] == "failed") break;
    ASSERT_LT(i, 2999) << second;
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(json(ask("GET", "dags/line/dagRuns/one/taskInstances/first"))["try_number"], 1);
}

TEST_F(ApiTest, a_password_is_in_no_answer_and_stars_that_come_back_do_not_replace_it) {
  const Json connection = {{"connection_id", "db"},
                           {"conn_type", "postgres"},
                           {"password", "hidden word"},
                           {"extra", R"({"api_key": "hidden too", "mode": "x"})"}};
  const auto made = ask("POST", "connections", connection);
  EXPECT_EQ(made.status, 201);
  Json shown = json(ask("GET", "connections/db"));
  EXPECT_THAT(made.body + shown.dump(), testing::Not(HasSubstr("hidden")));
  EXPECT_THAT(shown["extra"].get<std::string>(), HasSubstr(R"("mode": "x")"));
  shown["host"] = "elsewhere";
  EXPECT_EQ(ask("PATCH", "connections/db", shown).status, 200);
  const auto kept = workflows_->metadata().connections();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->front().password, "hidden word");
  EXPECT_EQ(kept->front().host, "elsewhere");
  EXPECT_THAT(*kept->front().extra, HasSubstr("hidden too"));
}

TEST_F(ApiTest, every_fault_of_a_body_is_told_at_once_as_fastapi_does) {
  const auto refused = ask("POST", "pools", {{"slots", "many"}, {"colour", "red"}});
  EXPECT_EQ(refused.status, 422);
  std::vector<std::string> types;
  const Json faults = json(refused)["detail"];
  for (const Json& fault : faults)
    types.push_back(fault["type"].get<std::string>() + " " +
                    fault["loc"].back().get<std::string>());
  EXPECT_THAT(types, testing::UnorderedElementsAre("missing name", "int_parsing slots",
                                                   "extra_forbidden colour"));
}

TEST_F(ApiTest, what_is_not_there_is_404_and_the_wrong_method_405) {
  EXPECT_EQ(ask("GET", "dags/none").status, 404);
  EXPECT_EQ(ask("GET", "elsewhere").status, 404);
  EXPECT_EQ(ask("DELETE", "version").status, 405);
  EXPECT_EQ(ask("GET", "dags/line/dagRuns", {}, {{"limit", "-1"}}).status, 422);
}

TEST(Json, durations_and_times_are_written_as_pydantic_does) {
  constexpr calendar::Micros kSecond = 1'000'000;
  EXPECT_EQ(iso_duration(5400 * kSecond), "PT1H30M");
  EXPECT_EQ(iso_duration(86'400 * kSecond + kSecond / 2), "P1DT0.5S");
  EXPECT_EQ(iso_duration(0), "PT0S");
  EXPECT_EQ(time_json(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(time_json(1'500'000), "1970-01-01T00:00:01.500000Z");
  EXPECT_EQ(delta_json(-kSecond)["days"], -1);
}

TEST(Patterns, are_ilike_with_bars_between_several) {
  EXPECT_TRUE(matches_pattern("Orders_Daily", "daily"));
  EXPECT_TRUE(matches_pattern("orders", "x | rd"));
  EXPECT_TRUE(matches_pattern("orders", "o%s"));
  EXPECT_TRUE(matches_pattern("anything", "~"));
  EXPECT_FALSE(matches_pattern("orders", "customers"));
}

TEST(Secrets, are_hidden_by_the_names_of_their_keys_at_any_depth) {
  EXPECT_EQ(redacted({{"a", {{"my_token", "x"}, {"b", 1}}}}).dump(),
            R"({"a":{"my_token":"***","b":1}})");
  EXPECT_EQ(redacted_text("plain", "db_password"), "***");
  EXPECT_EQ(redacted_text("plain", "colour"), "plain");
}

TEST(Lists, rows_without_a_value_come_first_and_times_are_compared_as_times) {
  std::vector<Json> rows = {
      {{"at", "2026-01-01T00:00:00.500000Z"}}, {{"at", "2026-01-01T00:00:00Z"}}, {{"at", nullptr}}};
  ASSERT_TRUE(sort(rows, {"at"}, {.allowed = {"at"}}));
  EXPECT_TRUE(rows[0]["at"].is_null());
  EXPECT_EQ(rows[1]["at"], "2026-01-01T00:00:00Z");
  EXPECT_FALSE(sort(rows, {"nonsense"}, {.allowed = {"at"}}));
}

TEST(Lists, of_equal_rows_the_primary_key_decides_in_the_direction_of_the_first_name) {
  const std::vector<Json> rows = {
      {{"id", 1}, {"at", 5}}, {{"id", 2}, {"at", 5}}, {{"id", 3}, {"at", 4}}};
  const auto ids = [&](const std::vector<std::string>& order, const Sorting& sorting) {
    auto sorted = rows;
    EXPECT_TRUE(sort(sorted, order, sorting));
    std::vector<int> found;
    for (const Json& row : sorted) found.push_back(row["id"]);
    return found;
  };
  EXPECT_THAT(ids({"at"}, {.allowed = {"at"}}), testing::ElementsAre(3, 1, 2));
  EXPECT_THAT(ids({"-at"}, {.allowed = {"at"}}), testing::ElementsAre(2, 1, 3));
  EXPECT_THAT(ids({"-at"}, {.allowed = {"at"}, .by_primary_key = false}),
              testing::ElementsAre(1, 2, 3));
}

TEST(Logins, a_token_is_its_owners_and_one_that_was_changed_nobodys) {
  const Logins logins(std::make_shared<const auth::Passwords>(
      auth::FileUsers{{"ada", {.password = "word", .roles = {}}}}));
  net::Request request;
  request.method = "POST";
  request.path = "/auth/token";
  request.body = R"({"username": "ada", "password": "word"})";
  const auto given = logins.answer(request);
  ASSERT_TRUE(given);
  ASSERT_EQ(given->status, 201);
  std::string token = Json::parse(given->body)["access_token"];
  net::Request other;
  other.method = "GET";
  other.path = "/api/v2/dags";
  other.headers["authorization"] = "Bearer " + token;
  EXPECT_FALSE(logins.answer(other));
  EXPECT_EQ(logins.user_of(other), "ada");
  token[0] = token[0] == '6' ? '7' : '6';
  other.headers["authorization"] = "Bearer " + token;
  ASSERT_TRUE(logins.answer(other));
  EXPECT_EQ(logins.answer(other)->status, 403);
}

}  // namespace
}  // namespace tailrace::airflow
