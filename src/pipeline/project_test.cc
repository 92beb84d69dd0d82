// Project folders: what is read, and the message for each fault.
#include "pipeline/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "pipeline/graph.h"

namespace tailrace::pipeline {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class ProjectTest : public testing::Test {
 protected:
  ProjectTest() {
    std::string pattern = testing::TempDir() + "projectXXXXXX";
    folder_ = mkdtemp(pattern.data());
    write("spark-pipeline.yml",
          "name: p\nstorage: file:///tmp/p\nlibraries:\n  - glob: {include: transformations/**}\n");
  }
  ~ProjectTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string load_error() {
    auto project = load_project(folder_);
    return project ? "" : project.error().what;
  }

  std::string folder_;
};

TEST_F(ProjectTest, reads_topics_ingest_and_serving) {
  write("tailrace.yml",
        R"(topics: {events: {partitions: 3, format: json, retention: 2d, max_message_bytes: 5MB}}
ingest: [{name: g, topic: events, use: fake, fake: {rate: 5, shape: {a: 1}}, http: {url: x}}]
serving: {out: {table: t, key: [a, b]}}
checkpoint: {every: 250ms}
)");
  auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  EXPECT_EQ(project->topics[0].partitions, 3);
  EXPECT_EQ(project->topics[0].settings.at("retention.ms"), "172800000");
  EXPECT_EQ(project->topics[0].settings.at("max.message.bytes"), "5000000");
  EXPECT_EQ(project->ingest[0].options,
            (std::map<std::string, std::string>{{"rate", "5"}, {"shape.a", "1"}}));
  EXPECT_EQ(project->serving[0].key, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(project->limits.checkpoint_ms, 250);
}

TEST_F(ProjectTest, a_list_within_the_key_is_the_partition_key) {
  write("tailrace.yml",
        "serving: {a: {key: id}, b: {key: [x, y]}, k.c: {key: [[x, y], z]},\n"
        "d: {key: [[x], z]}}\n");
  auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  EXPECT_EQ(project->serving[0].partition_columns, 1);
  EXPECT_EQ(project->serving[1].partition_columns, 1);
  EXPECT_EQ(project->serving[2].name, "k.c");
  EXPECT_EQ(project->serving[2].key, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(project->serving[2].partition_columns, 2);
  EXPECT_EQ(project->serving[3].key, (std::vector<std::string>{"x", "z"}));
  write("tailrace.yml", "serving:\n  a: {key: [[], z]}\n");
  EXPECT_THAT(load_error(), HasSubstr("tailrace.yml:2:13: the partition key is empty"));
}

TEST_F(ProjectTest, an_unknown_key_names_place_and_nearest) {
  write("tailrace.yml", "topics:\n  events: {partitons: 3}\n");
  EXPECT_THAT(load_error(),
              HasSubstr("tailrace.yml:2:12: unknown key `partitons`; did you mean `partitions`?"));
}

TEST_F(ProjectTest, a_role_behind_a_url_is_not_supported_yet) {
  write("tailrace.yml", "roles: {lake: 's3://bucket/lake'}\n");
  EXPECT_THAT(load_error(), HasSubstr("not supported yet: `lake` behind a URL"));
}

TEST_F(ProjectTest, an_engine_behind_a_url_is_a_spark_with_its_settings) {
  setenv("PROJECT_TEST_TOKEN", "sesame", 1);
  write("tailrace.yml",
        "roles: {engine: {url: 'spark://h:7077', every: 30s, jars: jars,\n"
        "  properties: {spark.executor.memory: 1g, spark.x: '${PROJECT_TEST_TOKEN}'}}}\n");
  const auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  EXPECT_EQ(project->roles.engine, "spark://h:7077");
  const RemoteEngineSpec& engine = project->roles.remote_engine;
  EXPECT_EQ(engine.every_ms, 30'000);
  EXPECT_EQ(engine.jars, "jars");
  EXPECT_EQ(engine.properties.at("spark.executor.memory"), "1g");
  EXPECT_EQ(engine.properties.at("spark.x"), "sesame");
  EXPECT_EQ(engine.secrets, std::vector<std::string>{"sesame"});
  write("tailrace.yml", "roles: {engine: 'yarn'}\n");
  EXPECT_THAT(load_error(), HasSubstr("tailrace.yml:1:17: `engine` is embedded or Spark's master"));
  write("tailrace.yml", "roles: {engine: {url: embedded, every: 5s}}\n");
  EXPECT_THAT(load_error(), HasSubstr("`every` is of an engine that is a Spark"));
  write("tailrace.yml", "roles: {engine: {url: 'local[2]', master: x}}\n");
  EXPECT_THAT(load_error(), HasSubstr("unknown key `master`"));
}

TEST_F(ProjectTest, serving_behind_a_url_has_a_login_and_certificates) {
  setenv("PROJECT_TEST_TOKEN", "sesame", 1);
  write("tailrace.yml",
        "roles: {serving: {url: 'cassandra://a,b/k', user: me, password: '${PROJECT_TEST_TOKEN}',\n"
        "  ca_file: ca.pem}}\n");
  auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  EXPECT_EQ(project->roles.serving, "cassandra://a,b/k");
  EXPECT_EQ(project->roles.remote_serving.user, "me");
  EXPECT_EQ(project->roles.remote_serving.password, "sesame");
  EXPECT_TRUE(project->roles.remote_serving.tls);
  for (const auto& [text, what] : std::map<std::string, std::string>{
           {"{user: me, password: it}", "tailrace.yml:1:18: `url` is missing"},
           {"{url: 'cassandra://a/k', tls: perhaps}", "is none of: true, false"},
           {"{url: 'cassandra://a/k', tls: false, ca_file: ca.pem}", "but there are certificates"},
           {"{url: embedded, user: me, password: it}", "`user` is of a cassandra:// serving"},
           {"{url: 'cassandra://a/k', key_file: k}", "`certificate_file` and `key_file` go"}}) {
    write("tailrace.yml", "roles: {serving: " + text + "}\n");
    EXPECT_THAT(load_error(), HasSubstr(what)) << text;
  }
}

TEST_F(ProjectTest, reads_stages_and_those_that_only_a_source_names) {
  setenv("PROJECT_TEST_TOKEN", "sesame", 1);
  write("tailrace.yml", R"(roles:
  staging: {url: 'postgresql://h/d', user: me, password: '${PROJECT_TEST_TOKEN}'}
topics: {t: {}, u: {}}
ingest:
  - {name: a, topic: t, use: fake, key: $.login.uuid, stage: people}
  - {name: b, topic: u, use: fake, stage: plain}
staging:
  people:
    columns: {id: {type: uuid, path: '$.login.uuid'}, age: bigint}
    key: id
    mode: insert
    envelope: debezium
  plain: {metadata: true}
)");
  const auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  EXPECT_EQ(project->roles.staging, "postgresql://h/d");
  EXPECT_EQ(project->roles.remote_staging.password, "sesame");
  EXPECT_EQ(project->ingest[0].stage, "people");
  ASSERT_EQ(project->stages.size(), 2U);
  const StageSpec& people = *find_stage(*project, "people");
  EXPECT_EQ(people.topic, "t");
  EXPECT_TRUE(people.debezium);
  EXPECT_EQ(people.table.mode, staging::TableSpec::Mode::kInsert);
  EXPECT_EQ(people.table.columns[0].pointer, "/login/uuid");
  EXPECT_EQ(people.table.columns[1].type, staging::Type::kBigint);
  EXPECT_EQ(people.table.key, std::vector<std::string>{"id"});
  const StageSpec& plain = *find_stage(*project, "plain");
  EXPECT_EQ(plain.topic, "u");
  EXPECT_TRUE(plain.metadata && plain.table.before);
  EXPECT_FALSE(plain.table.record_keys);
}

TEST_F(ProjectTest, reads_where_workflows_keep_their_metadata) {
  setenv("PROJECT_TEST_TOKEN", "sesame", 1);
  write("tailrace.yml",
        "roles: {metadata: {url: 'postgresql://h/d', password: '${PROJECT_TEST_TOKEN}'}}\n");
  const auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  EXPECT_EQ(project->metadata.url, "postgresql://h/d");
  EXPECT_EQ(project->metadata.password, "sesame");
  EXPECT_EQ(project->metadata.schema, "tailrace_" + project->name);
  for (const auto& [text, what] : std::map<std::string, std::string>{
           {"{metadata: 'mysql://h/d'}", "`metadata` is embedded or postgresql://"},
           {"{metadata: {user: me}}", "`url` is missing"},
           {"{metadata: {url: embedded, schema: s}}", "`schema` is of a postgresql:// metadata"},
           {"{metadata: {url: 'postgresql://h/d', schema: pg_s}}", "not pg_ first"},
           {"{metadata: 'postgresql://h/d', schedule: 'http://h:8080'}", "that one is an Airflow"},
       }) {
    write("tailrace.yml", "roles: " + text + "\n");
    const auto refused = load_project(folder_);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().what, testing::HasSubstr(what));
  }
}

TEST_F(ProjectTest, reads_which_airflow_runs_the_dags_and_who_asks_there) {
  setenv("PROJECT_TEST_TOKEN", "sesame", 1);
  write("tailrace.yml",
        "roles: {schedule: {url: 'http://h:8080', user: me, password: '${PROJECT_TEST_TOKEN}'}}\n");
  const auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  EXPECT_EQ(project->roles.schedule, "http://h:8080");
  EXPECT_EQ(project->roles.remote_schedule.user, "me");
  EXPECT_EQ(project->roles.remote_schedule.password, "sesame");
  for (const auto& [text, what] : std::map<std::string, std::string>{
           {"{user: me, password: it}", "`url` is missing"},
           {"{url: 'http://h:8080', user: me}", "`user` and `password` go together"},
           {"{url: 'http://h', user: a, password: b, token: c}", "`token` is instead of"},
           {"{url: embedded, token: c}", "`token` is of a schedule that is an Airflow"},
           {"'airflow:8080'", "the address of the Airflow"}}) {
    write("tailrace.yml", "roles: {schedule: " + text + "}\n");
    EXPECT_THAT(load_error(), HasSubstr(what)) << text;
  }
}

TEST_F(ProjectTest, a_wrong_stage_is_named_with_its_place_and_the_nearest_word) {
  const std::string head =
      "topics: {t: {}, u: {}}\ningest: [{name: a, topic: t, use: fake, stage: people}]\n";
  for (const auto& [text, what] : std::map<std::string, std::string>{
           {"staging: {people: {slot: s}}", "`slot` is of a postgresql:// staging"},
           {"staging: {people: {slot: A-1}}", "up to 63 small letters, digits and _"},
           {"staging: {peple: {}}",
            "`stage: people` is not among `staging`; did you mean `peple`?"},
           {"staging: {people: {}, orders: {}}", "tailrace.yml:3:23: no source lands in `orders`"},
           {"staging: {people: {columns: {a: bigin}}}", "did you mean `bigint`?"},
           {"staging: {people: {columns: {a: {path: $.a}}}}", "column `a` has no `type`"},
           {"staging: {people: {columns: {a: {type: text, path: '$.a['}}}}", "JSON path"},
           {"staging: {people: {columns: {a: text, A: text}}}", "capitals alone"},
           {"staging: {people: {columns: {a-b: text}}}", "`a-b` is no column's name"},
           {"staging: {people: {columns: {id: text}, key: [idd]}}", "did you mean `id`?"},
           {"staging: {people: {columns: {id: json}, key: id}}", "`id` is JSON"},
           {"staging: {people: {mode: upser}}", "did you mean `upsert`?"},
           {"staging: {people: {envelop: flat}}", "envelope"},
           {"staging: {people: {envelope: avro}}", "none of: flat, debezium"},
           {"staging: {people: {envelope: debezium, metadata: true}}",
            "tailrace.yml:3:50: `metadata` is of the flat envelope"},
           {"staging: {people: {metadata: maybe}}", "`metadata: maybe` is none of: true, false"},
           {"roles: {staging: mysql://h/d}", "`staging` is embedded or postgresql://"},
           {"roles: {staging: {url: embedded, user: me}}",
            "`user` is of a postgresql:// staging"}}) {
    write("tailrace.yml", head + text + "\n");
    EXPECT_THAT(load_error(), HasSubstr(what)) << text;
  }
  write("tailrace.yml",
        "topics: {t: {}, u: {}}\ningest: [{name: a, topic: t, use: fake, stage: people}, "
        "{name: b, topic: u, use: fake, stage: people}]\n");
  EXPECT_THAT(load_error(), HasSubstr("both name the same topic"));
}

TEST_F(ProjectTest, a_missing_variable_of_the_environment_is_named) {
  write("tailrace.yml",
        "topics: {t: {}}\ningest: [{name: a, topic: t, use: http, http: {url: "
        "'${NO_SUCH_VARIABLE}'}}]\n");
  EXPECT_THAT(load_error(), HasSubstr("NO_SUCH_VARIABLE"));
}

TEST_F(ProjectTest, secrets_come_from_the_environment_or_a_file_and_are_known_as_such) {
  setenv("PROJECT_TEST_TOKEN", "sesame", 1);
  write("token.txt", "from-a-file\n");
  write("tailrace.yml",
        "topics: {t: {}}\ningest: [{name: a, topic: t, use: http, http: {url: "
        "'http://h/${PROJECT_TEST_TOKEN}', headers: {Key: 'file:token.txt'}}}]\n");
  auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  EXPECT_EQ(project->ingest[0].options.at("url"), "http://h/sesame");
  EXPECT_EQ(project->ingest[0].options.at("headers.Key"), "from-a-file");
  EXPECT_THAT(project->ingest[0].secrets, UnorderedElementsAre("sesame", "from-a-file"));
}

TEST_F(ProjectTest, the_spec_gives_sparks_errors) {
  write("spark-pipeline.yml", "name: p\n");
  EXPECT_THAT(load_error(), HasSubstr("PIPELINE_SPEC_MISSING_REQUIRED_FIELD"));
  write("spark-pipeline.yml", "name: p\nstorage: here\n");
  EXPECT_THAT(load_error(), HasSubstr("PIPELINE_STORAGE_ROOT_INVALID"));
  write("spark-pipeline.yml", "name: p\nstorage: file:///x\nmore: 1\n");
  EXPECT_THAT(load_error(), HasSubstr("PIPELINE_SPEC_UNEXPECTED_FIELD"));
  write("spark-pipeline.yml", "name: p\nstorage: file:///x\nconfiguration: {a: 2}\n");
  EXPECT_THAT(load_error(), HasSubstr("PIPELINE_SPEC_DICT_VALUE_NOT_STRING"));
  write("spark-pipeline.yml",
        "name: p\nstorage: file:///x\nlibraries: [{glob: {include: '*.sql'}}]\n");
  EXPECT_THAT(load_error(), HasSubstr("PIPELINE_SPEC_INVALID_GLOB_PATTERN"));
  write("spark-pipeline.yaml", "name: p\n");
  EXPECT_THAT(load_error(), HasSubstr("MULTIPLE_PIPELINE_SPEC_FILES_FOUND"));
}

TEST_F(ProjectTest, the_graph_is_in_the_order_of_what_is_read) {
  write("tailrace.yml", "topics: {events: {format: json}}\n");
  write("transformations/a_gold.sql",
        "CREATE MATERIALIZED VIEW g AS SELECT count(*) AS n FROM s;\n");
  write("transformations/b_silver.sql",
        "CREATE STREAMING TABLE s AS SELECT value FROM STREAM b;\n");
  write("transformations/c_bronze.sql",
        "CREATE STREAMING TABLE b AS SELECT value FROM STREAM events;\n");
  auto project = load_project(folder_);
  ASSERT_TRUE(project) << project.error().what;
  auto graph = make_graph(*project);
  ASSERT_TRUE(graph) << graph.error().what;
  std::vector<std::string> order;
  for (const Flow& flow : graph->flows) order.push_back(flow.name);
  EXPECT_EQ(order, (std::vector<std::string>{"b", "s", "g"}));
  EXPECT_EQ(graph->tables[0].layer, Layer::kBronze);
  EXPECT_EQ(graph->tables[2].layer, Layer::kGold);
}

TEST_F(ProjectTest, a_cycle_and_a_double_name_are_refused_with_their_places) {
  write("transformations/x.sql",
        "CREATE MATERIALIZED VIEW a AS SELECT * FROM b;\nCREATE MATERIALIZED VIEW b AS SELECT * "
        "FROM a;\n");
  auto graph = make_graph(*load_project(folder_));
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().what, HasSubstr("a cycle of tables: `a` reads `b` reads `a`"));
  write("transformations/x.sql",
        "CREATE MATERIALIZED VIEW a AS SELECT 1 AS x;\nCREATE MATERIALIZED VIEW A AS SELECT 2 AS "
        "x;\n");
  graph = make_graph(*load_project(folder_));
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().what, HasSubstr("x.sql:2:1"));
}

}  // namespace
}  // namespace tailrace::pipeline
