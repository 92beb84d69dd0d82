// Ours against Airflow's scheduler: the corpus of DAG files, and random DAGs, as recorded.
#include "sched/testing/replay.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "dags/read.h"
#include "sched/trigger_rule.h"

namespace tailrace::sched {
namespace {

using namespace sched::testing;  // NOLINT: the test's own words

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

jinja::Value parse(const std::string& json) {
  auto value = jinja::from_json(json);
  EXPECT_TRUE(value) << (value ? "" : value.error().what);
  return value ? *value : jinja::Value();
}

std::vector<std::filesystem::path> recordings() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator("tests/dags/expected")) {
    found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

class Corpus : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Corpus, starts_the_same_tasks_in_the_same_order_and_ends_in_the_same_states) {
  jinja::Value recording = parse(contents(GetParam()));
  auto folder = std::filesystem::absolute("tests/dags").string();
  dags::Surroundings surroundings{
      .folder = folder,
      .environment = [&](const std::string& variable) -> std::optional<std::string> {
        if (variable == "DAGS_DIR") return folder;
        const char* value = std::getenv(variable.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      },
      .now = micros(at(recording, "now"))};
  auto reading =
      dags::read(folder + "/" + text(recording, "file"), dags::airflow_operators(), surroundings);
  ASSERT_TRUE(reading) << reading.error().what;
  for (const dags::Finding& finding : reading->findings) {
    EXPECT_FALSE(finding.fatal) << finding.text();
  }
  replay(reading->dags, recording, *at(recording, "runs").list());
}

INSTANTIATE_TEST_SUITE_P(Files, Corpus, ::testing::ValuesIn(recordings()),
                         [](const auto& param) { return param.param.stem().string(); });

// --- random DAGs ---------------------------------------------------------------------------------

std::string qualified(const jinja::Value& dag, const std::string& id) {
  for (const jinja::Value& task : *at(dag, "tasks").list()) {
    if (text(task, "id") == id && !text(task, "group").empty())
      return text(task, "group") + "." + id;
  }
  return id;
}

std::optional<dags::Expansion> expansion(const jinja::Value& dag, const jinja::Value& over,
                                         dags::Expansion::Kind kind) {
  if (over.is_none()) return std::nullopt;
  dags::Expansion made{.kind = kind, .arguments = {}};
  if (const std::string* source = over.string()) {
    std::shared_ptr<const jinja::Object> argument =
        std::make_shared<dags::XComArg>(qualified(dag, *source), "return_value");
    made.arguments.emplace_back("x", jinja::Value(argument));
  } else {
    made.arguments.emplace_back("x", jinja::List(static_cast<std::size_t>(*over.integer())));
  }
  return made;
}

dags::TriggerRule rule(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(dags::TriggerRule::kAlways); ++i) {
    auto candidate = static_cast<dags::TriggerRule>(i);
    if (sched::name(candidate) == name) return candidate;
  }
  ADD_FAILURE() << name;
  return dags::TriggerRule::kAllSuccess;
}

/// The DAG that tests/real/airflow_random.py describes.
std::shared_ptr<const dags::Dag> dag_of(const jinja::Value& description) {
  std::vector<dags::Task> tasks;
  for (const jinja::Value& one : *at(description, "tasks").list()) {
    std::vector<std::string> upstream;
    for (const std::string& id : texts(at(one, "up"))) {
      upstream.push_back(qualified(description, id));
    }
    dags::Task made = task(qualified(description, text(one, "id")), upstream);
    if (text(one, "kind") == "empty") {
      made.operator_path = "airflow.providers.standard.operators.empty.EmptyOperator";
    }
    made.group = text(one, "group");
    made.trigger_rule = rule(text(one, "rule"));
    made.retries = static_cast<int>(integer(one, "retries"));
    made.retry_delay = kSecond;
    made.priority_weight = integer(one, "weight");
    std::string weight_rule = text(one, "weight_rule");
    made.weight_rule = weight_rule == "absolute"   ? dags::WeightRule::kAbsolute
                       : weight_rule == "upstream" ? dags::WeightRule::kUpstream
                                                   : dags::WeightRule::kDownstream;
    made.is_setup = boolean(one, "setup");
    made.is_teardown = boolean(one, "teardown");
    made.on_failure_fail_dagrun = boolean(one, "fail_run");
    made.expansion = expansion(description, at(one, "expand"), dags::Expansion::Kind::kZip);
    tasks.push_back(std::move(made));
  }
  return make_dag(text(description, "id"), std::move(tasks), [&](dags::Dag& dag) {
    dag.max_active_tasks = static_cast<int>(integer(description, "max_active_tasks"));
    dag.fail_fast = boolean(description, "fail_fast");
    for (const jinja::Value& group : *at(description, "groups").list()) {
      dags::Group& made = dag.groups.emplace_back();
      made.id = text(group, "id");
      made.expansion = expansion(description, at(group, "expand"), dags::Expansion::Kind::kProduct);
    }
  });
}

TEST(RandomDags, do_what_airflow_does) {
  const char* other = std::getenv("TAILRACE_RANDOM_DAGS");
  std::ifstream file(other != nullptr ? other : "src/sched/testdata/random_dags.jsonl");
  ASSERT_TRUE(file) << "run in the project's folder";
  int played = 0;
  std::string line;
  while (std::getline(file, line)) {
    jinja::Value recording = parse(line);
    SCOPED_TRACE(text(at(recording, "dag"), "id"));
    replay({dag_of(at(recording, "dag"))}, recording, {at(recording, "run")});
    ++played;
  }
  EXPECT_GE(played, 100);
}

}  // namespace
}  // namespace tailrace::sched
