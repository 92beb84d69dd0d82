// Compose files: which services a project gets, that they can reach each other, what they may take.
#include "compose/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <set>

namespace tailrace::compose {
namespace {

using testing::HasSubstr;
using testing::Not;

pipeline::Project example() {
  pipeline::Project project;
  project.name = "Random-Users";
  project.serving.push_back({"created_users", "users", {"id"}, ""});
  return project;
}

Options options(bool real, bool all = false) {
  Options out;
  out.real = real;
  out.all = all;
  out.folder = "../project";
  out.version = "0.1.0";
  out.settings =
      "roles:\n  log: embedded\n\n  # a comment\n  serving: embedded\ntopics:\n  t: {}\n";
  return out;
}

std::string text_of(const std::vector<File>& files, const std::string& name) {
  for (const File& file : files)
    if (file.name == name) return file.text;
  return "";
}

std::set<std::string> services_of(const std::vector<File>& files) {
  std::set<std::string> out;
  for (const auto& entry : YAML::Load(text_of(files, "compose.yml"))["services"])
    out.insert(entry.first.as<std::string>());
  return out;
}

TEST(Compose, an_embedded_project_is_one_service_with_one_volume) {
  const auto files = compose_files(example(), options(false));
  ASSERT_TRUE(files.has_value());
  ASSERT_EQ(files->size(), 1u);
  EXPECT_THAT(services_of(*files), testing::ElementsAre("tailrace"));
  const YAML::Node root = YAML::Load(files->front().text);
  EXPECT_EQ(root["volumes"].size(), 1u);
  EXPECT_EQ(root["name"].as<std::string>(), "random_users");
  EXPECT_TRUE(root["services"]["tailrace"]["read_only"].as<bool>());
}

TEST(Compose, a_role_at_a_named_host_brings_its_service_and_waits_for_it) {
  pipeline::Project project = example();
  project.roles.log = "kafka://kafka:9092";
  project.roles.serving = "cassandra://10.0.0.7:9042/k";
  const auto files = compose_files(project, options(false));
  ASSERT_TRUE(files.has_value());
  EXPECT_THAT(services_of(*files), testing::ElementsAre("kafka", "tailrace"));
  const YAML::Node root = YAML::Load(files->front().text);
  EXPECT_EQ(root["services"]["tailrace"]["depends_on"]["kafka"]["condition"].as<std::string>(),
            "service_healthy");
  EXPECT_FALSE(root["services"]["kafka"]["profiles"]);
}

TEST(Compose, a_role_at_localhost_is_refused) {
  for (const char* url :
       {"kafka://localhost:9092", "kafka://a:1,127.0.0.1:9092", "kafka://[::1]:9092"}) {
    pipeline::Project project = example();
    project.roles.log = url;
    const auto files = compose_files(project, options(false));
    ASSERT_FALSE(files.has_value()) << url;
    EXPECT_EQ(files.error().code, Code::kFailedPrecondition);
  }
}

TEST(Compose, the_real_systems_are_those_that_the_project_needs) {
  EXPECT_THAT(
      services_of(*compose_files(example(), options(true))),
      testing::ElementsAre("cassandra", "kafka", "kafka-zookeeper", "tailrace", "zookeeper"));
  Options with_dags = options(true);
  with_dags.workflows = true;
  EXPECT_THAT(services_of(*compose_files(example(), with_dags)),
              testing::IsSupersetOf({"airflow", "postgres", "minio"}));
  pipeline::Project schemas = example();
  schemas.serving.clear();
  pipeline::TopicSpec topic;
  topic.values = pipeline::ValueSpec{};
  schemas.topics.push_back(topic);
  EXPECT_THAT(
      services_of(*compose_files(schemas, options(true))),
      testing::ElementsAre("kafka", "kafka-zookeeper", "registry", "tailrace", "zookeeper"));
  EXPECT_EQ(services_of(*compose_files(example(), options(true, true))).size(), 11u);
}

YAML::Node engine_of(const pipeline::Project& project, const Options& asked) {
  return YAML::Load(text_of(*compose_files(project, asked), "tailrace.yml"))["roles"]["engine"];
}

TEST(Compose, a_spark_beside_us_is_told_what_the_project_says_and_who_is_to_be_asked) {
  EXPECT_FALSE(engine_of(example(), options(true)));
  EXPECT_EQ(engine_of(example(), options(true, true))["url"].as<std::string>(),
            "spark://spark-master:7077");
  pipeline::Project project = example();
  project.roles.engine = "spark://elsewhere:7077";
  project.roles.remote_engine.properties = {{"spark.executor.memory", "2g"}};
  Options asked = options(true, true);
  asked.settings =
      "roles:\n  engine: {url: \"spark://elsewhere:7077\", every: 5s, jars: ../jars, properties: "
      "{spark.executor.memory: 2g}}\n";
  const YAML::Node engine = engine_of(project, asked);
  EXPECT_EQ(engine["url"].as<std::string>(), "spark://spark-master:7077");
  EXPECT_EQ(engine["every"].as<std::string>(), "5s");
  EXPECT_EQ(engine["jars"].as<std::string>(), "../jars");
  EXPECT_EQ(engine["properties"]["spark.executor.memory"].as<std::string>(), "2g");
  EXPECT_EQ(engine["properties"]["spark.driver.host"].as<std::string>(), "tailrace");
  asked.all = false;
  EXPECT_EQ(engine_of(project, asked)["url"].as<std::string>(), "spark://elsewhere:7077");
  EXPECT_FALSE(engine_of(project, asked)["properties"]["spark.driver.host"]);
}

TEST(Compose, an_engine_at_a_spark_has_an_image_with_spark_in_it) {
  pipeline::Project project = example();
  project.roles.engine = "spark://spark-master:7077";
  const auto files = compose_files(project, options(false));
  ASSERT_TRUE(files.has_value()) << files.error().what;
  EXPECT_THAT(services_of(*files),
              testing::ElementsAre("spark-master", "spark-worker", "tailrace"));
  const YAML::Node ours = YAML::Load(text_of(*files, "compose.yml"))["services"]["tailrace"];
  EXPECT_EQ(ours["image"].as<std::string>(), "tailrace-spark:0.1.0");
  EXPECT_TRUE(ours["depends_on"]["spark-worker"]);
}

TEST(Compose, who_is_waited_for_is_there_and_has_a_health_check) {
  const auto files = compose_files(example(), options(true, true));
  const YAML::Node services = YAML::Load(text_of(*files, "compose.yml"))["services"];
  int waits = 0;
  for (const auto& entry : services)
    for (const auto& wait : entry.second["depends_on"]) {
      const YAML::Node target = services[wait.first.as<std::string>()];
      ASSERT_TRUE(target) << wait.first;
      EXPECT_TRUE(target["healthcheck"]) << wait.first;
      EXPECT_EQ(wait.second["condition"].as<std::string>(), "service_healthy");
      ++waits;
    }
  EXPECT_GE(waits, 10);
}

TEST(Compose, either_profile_is_within_six_gigabytes) {
  const auto files = compose_files(example(), options(true, true));
  for (const std::string profile : {"kraft", "zookeeper"}) {
    int megabytes = 0;
    for (const auto& entry : YAML::Load(text_of(*files, "compose.yml"))["services"]) {
      const YAML::Node service = entry.second;
      if (service["profiles"] && service["profiles"][0].as<std::string>() != profile) continue;
      const std::string limit = service["mem_limit"].as<std::string>();
      ASSERT_TRUE(limit.ends_with("m")) << limit;
      megabytes += std::stoi(limit);
    }
    EXPECT_LE(megabytes, 6144) << profile;
    EXPECT_GT(megabytes, 4096);
  }
}

TEST(Compose, no_service_asks_another_by_localhost) {
  const auto files = compose_files(example(), options(true, true));
  for (const auto& entry : YAML::Load(text_of(*files, "compose.yml"))["services"])
    for (const auto& setting : entry.second["environment"]) {
      const std::string key = setting.first.as<std::string>(),
                        value = setting.second.as<std::string>();
      if (key == "KAFKA_ADVERTISED_LISTENERS") continue;  // one of them is for the host
      EXPECT_THAT(value, Not(HasSubstr("localhost"))) << key;
      EXPECT_THAT(value, Not(HasSubstr("127.0.0.1"))) << key;
    }
}

TEST(Compose, roles_are_replaced_and_all_else_stays) {
  EXPECT_EQ(with_roles(options(true).settings, "roles:\n  log: x\n"),
            "roles:\n  log: x\n\ntopics:\n  t: {}\n");
  EXPECT_EQ(with_roles("topics: {}\n", "roles:\n  log: x\n"), "topics: {}\n\nroles:\n  log: x\n");
  EXPECT_EQ(with_roles("", "roles: {}\n"), "\nroles: {}\n");
  const auto files = compose_files(example(), options(true));
  EXPECT_THAT(text_of(*files, "tailrace.yml"), HasSubstr("log: kafka://kafka:9092"));
  EXPECT_THAT(text_of(*files, "tailrace.yml"),
              HasSubstr("serving: cassandra://cassandra:9042/random_users"));
}

TEST(Compose, passwords_are_made_up_anew_and_stand_in_no_other_file) {
  const auto one = compose_files(example(), options(true, true));
  const auto other = compose_files(example(), options(true, true));
  const std::string secrets = text_of(*one, ".env");
  EXPECT_NE(secrets, text_of(*other, ".env"));
  for (const char* name : {"POSTGRES_PASSWORD=", "MINIO_PASSWORD="}) {
    const auto at = secrets.find(name);
    ASSERT_NE(at, std::string::npos);
    const std::string password = secrets.substr(secrets.find('=', at) + 1, 32);
    EXPECT_EQ(password.find('\n'), std::string::npos);
    for (const File& file : *one) {
      EXPECT_EQ(file.secret, file.name == ".env");
      if (!file.secret) {
        EXPECT_THAT(file.text, Not(HasSubstr(password)));
      }
    }
  }
}

TEST(Compose, what_the_settings_ask_of_the_environment_is_handed_on) {
  Options asked = options(false);
  asked.settings = "ingest:\n  - url: ${API_URL}\n# ${NOT_THIS}\n";
  const auto files = compose_files(example(), asked);
  EXPECT_THAT(files->front().text, HasSubstr("API_URL: ${API_URL:?"));
  EXPECT_THAT(files->front().text, Not(HasSubstr("NOT_THIS")));
}

TEST(Compose, with_real_systems_all_that_the_settings_still_name_is_handed_on) {
  Options asked = options(true);
  asked.settings =
      "roles:\n  log: {url: kafka://k:9092, properties: {sasl.password: \"${OLD_PASSWORD}\"}}\n"
      "ingest:\n  - url: ${API_URL}\n"
      "alerts:\n  channels:\n    ops: {slack: {webhook: \"${HOOK}\"}}\n";
  const auto files = compose_files(example(), asked);
  ASSERT_TRUE(files.has_value());
  const YAML::Node ours =
      YAML::Load(text_of(*files, "compose.yml"))["services"]["tailrace"]["environment"];
  EXPECT_THAT(ours["API_URL"].as<std::string>(), HasSubstr("${API_URL:?"));
  EXPECT_EQ(ours["HOOK"].as<std::string>(), "${HOOK:-}");
  // The role that it belonged to is a container of ours now.
  EXPECT_FALSE(ours["OLD_PASSWORD"]);
}

TEST(Compose, the_database_of_workflows_stays_unless_airflow_runs_them) {
  pipeline::Project project = example();
  project.metadata.url = "postgresql://postgres:5432/postgres";
  Options asked = options(true);
  asked.settings =
      "roles:\n  metadata:\n    url: postgresql://postgres:5432/postgres\n"
      "    password: ${DATABASE_PASSWORD}\ntopics: {t: {}}\n";
  asked.workflows = false;
  const auto files = compose_files(project, asked);
  ASSERT_TRUE(files.has_value()) << files.error().what;
  const YAML::Node roles = YAML::Load(text_of(*files, "tailrace.yml"))["roles"];
  EXPECT_EQ(roles["metadata"]["url"].as<std::string>(), project.metadata.url);
  EXPECT_EQ(roles["metadata"]["password"].as<std::string>(), "${DATABASE_PASSWORD}");
  const YAML::Node services = YAML::Load(text_of(*files, "compose.yml"))["services"];
  EXPECT_TRUE(services["postgres"]);
  EXPECT_TRUE(services["tailrace"]["depends_on"]["postgres"]);
  EXPECT_TRUE(services["tailrace"]["environment"]["DATABASE_PASSWORD"]);
  asked.workflows = true;
  const auto airflow = compose_files(project, asked);
  EXPECT_FALSE(YAML::Load(text_of(*airflow, "tailrace.yml"))["roles"]["metadata"]);
  project.metadata.url = "postgresql://localhost/x";
  asked.real = asked.workflows = false;
  EXPECT_FALSE(compose_files(project, asked));
}

TEST(Compose, a_role_that_stays_keeps_who_asks_there_and_how) {
  pipeline::Project project = example();
  project.roles.schedule = "http://airflow.example:8080";
  project.roles.registry = "https://registry.example";
  Options asked = options(true);
  asked.settings =
      "roles:\n  schedule:\n    url: http://airflow.example:8080\n    user: me\n"
      "    password: ${AIRFLOW_LOGIN}\n"
      "  registry: {url: \"https://registry.example\", token: \"${REGISTRY_TOKEN}\"}\n";
  asked.workflows = false;
  const auto files = compose_files(project, asked);
  ASSERT_TRUE(files.has_value()) << files.error().what;
  const YAML::Node roles = YAML::Load(text_of(*files, "tailrace.yml"))["roles"];
  EXPECT_EQ(roles["schedule"]["url"].as<std::string>(), project.roles.schedule);
  EXPECT_EQ(roles["schedule"]["user"].as<std::string>(), "me");
  EXPECT_EQ(roles["schedule"]["password"].as<std::string>(), "${AIRFLOW_LOGIN}");
  EXPECT_EQ(roles["registry"]["token"].as<std::string>(), "${REGISTRY_TOKEN}");
  EXPECT_TRUE(YAML::Load(
      text_of(*files, "compose.yml"))["services"]["tailrace"]["environment"]["AIRFLOW_LOGIN"]);
  // Its own Airflow takes the place of the project's, and knows nobody of that one.
  asked.workflows = true;
  const auto own = compose_files(project, asked);
  ASSERT_TRUE(own.has_value()) << own.error().what;
  const YAML::Node its = YAML::Load(text_of(*own, "tailrace.yml"))["roles"]["schedule"];
  EXPECT_EQ(its["url"].as<std::string>(), "http://airflow:8080");
  EXPECT_EQ(its["user"].as<std::string>(), "admin");
  project.roles.schedule = "http://localhost:8080";
  asked.workflows = false;
  EXPECT_FALSE(compose_files(project, asked));
}

TEST(Compose, an_engine_at_a_spark_keeps_what_is_said_of_it_and_has_its_jars) {
  pipeline::Project project = example();
  project.roles.engine = "spark://spark.example:7077";
  Options asked = options(true);
  asked.settings =
      "roles:\n  engine: {url: \"spark://spark.example:7077\", every: 5s, jars: ../jars, "
      "properties: "
      "{spark.executor.memory: 2g}}\n";
  const auto files = compose_files(project, asked);
  ASSERT_TRUE(files.has_value()) << files.error().what;
  const YAML::Node engine = YAML::Load(text_of(*files, "tailrace.yml"))["roles"]["engine"];
  EXPECT_EQ(engine["url"].as<std::string>(), project.roles.engine);
  EXPECT_EQ(engine["every"].as<std::string>(), "5s");
  EXPECT_EQ(engine["properties"]["spark.executor.memory"].as<std::string>(), "2g");
  const YAML::Node ours = YAML::Load(text_of(*files, "compose.yml"))["services"]["tailrace"];
  EXPECT_THAT(ours["volumes"].as<std::vector<std::string>>(),
              testing::Contains("../jars:/jars:ro"));
  project.roles.engine = "spark://localhost:7077";
  EXPECT_FALSE(compose_files(project, asked).has_value());
}

TEST(Compose, secrets_outside_the_folder_are_mounted_where_they_are_looked_for) {
  Options asked = options(false);
  asked.folder = "../shop";
  asked.settings =
      "ingest:\n  - webhook: {secret: 'file:../secrets/hook', token: file:inside.txt}\n"
      "  - http: {ca_file: /etc/ca.pem, headers: {Key: 'file:/run/secrets/key'}}\n"
      "  - syslog: {tls: {certificate: ../tls/cert.pem, key: inside.key}}\n"
      "  - files: {path: 'file:///not/a/secret'}\n";
  for (const bool real : {false, true}) {
    asked.real = real;
    const auto files = compose_files(example(), asked);
    ASSERT_TRUE(files.has_value()) << files.error().what;
    const auto mounts =
        YAML::Load(text_of(*files, "compose.yml"))["services"]["tailrace"]["volumes"]
            .as<std::vector<std::string>>();
    EXPECT_THAT(mounts,
                testing::IsSupersetOf(
                    {"../secrets/hook:/secrets/hook:ro", "/etc/ca.pem:/etc/ca.pem:ro",
                     "../tls/cert.pem:/tls/cert.pem:ro", "/run/secrets/key:/run/secrets/key:ro"}));
    for (const std::string& mount : mounts) {
      EXPECT_THAT(mount, Not(HasSubstr("inside.txt")));
      EXPECT_THAT(mount, Not(HasSubstr("/not/")));
    }
  }
}

TEST(Compose, what_others_push_to_has_a_port_on_the_hosts_loopback) {
  Options asked = options(false);
  EXPECT_THAT(compose_files(example(), asked)->front().text, Not(HasSubstr("9080")));
  asked.hooks = true;
  for (const bool real : {false, true}) {
    asked.real = real;
    const auto files = compose_files(example(), asked);
    ASSERT_TRUE(files.has_value());
    const YAML::Node ours = YAML::Load(text_of(*files, "compose.yml"))["services"]["tailrace"];
    EXPECT_THAT(ours["command"].as<std::vector<std::string>>(),
                testing::IsSupersetOf({"--hooks", "0.0.0.0:9080"}));
    EXPECT_THAT(ours["ports"].as<std::vector<std::string>>(),
                testing::Contains("127.0.0.1:9080:9080"));
  }
}

TEST(Compose, a_variable_of_alerts_alone_may_be_missing_and_turns_its_channel_off) {
  Options asked = options(false);
  asked.settings =
      "alerts:\n  channels:\n    ops: {slack: {webhook: \"${HOOK}\"}}\n# more\n"
      "ingest:\n  - url: ${API_URL}\n";
  const auto files = compose_files(example(), asked);
  EXPECT_THAT(files->front().text, HasSubstr("HOOK: ${HOOK:-}"));
  EXPECT_THAT(files->front().text, HasSubstr("API_URL: ${API_URL:?"));
}

pipeline::Project with_source(const std::string& type, std::map<std::string, std::string> options) {
  pipeline::Project project = example();
  project.ingest.push_back(
      {.name = "in", .topic = "t", .type = type, .options = std::move(options), .place = "here"});
  return project;
}

YAML::Node our_service(const std::vector<File>& files) {
  return YAML::Load(text_of(files, "compose.yml"))["services"]["tailrace"];
}

TEST(Compose, what_sources_listen_at_is_published_and_reached_from_outside_the_container) {
  Options asked = options(false);
  asked.settings =
      "# größer\ningest:\n  - name: in\n    use: syslog\n"
      "    syslog: {listen: 127.0.0.1:5514, host: x}\n";
  const auto files = compose_files(with_source("syslog", {{"listen", "127.0.0.1:5514"}}), asked);
  ASSERT_TRUE(files.has_value()) << files.error().what;
  const YAML::Node ours = our_service(*files);
  EXPECT_THAT(ours["ports"].as<std::vector<std::string>>(),
              testing::IsSupersetOf({"127.0.0.1:5514:5514", "127.0.0.1:5514:5514/udp"}));
  EXPECT_THAT(ours["volumes"].as<std::vector<std::string>>(),
              testing::Contains("./tailrace.yml:/project/tailrace.yml:ro"));
  EXPECT_EQ(text_of(*files, "tailrace.yml"),
            "# größer\ningest:\n  - name: in\n    use: syslog\n"
            "    syslog: {listen: \"0.0.0.0:5514\", host: x}\n");
}

TEST(Compose, a_source_that_listens_everywhere_leaves_the_settings_alone) {
  Options asked = options(false);
  asked.settings = "ingest:\n  - {name: in, use: tcp, tcp: {listen: '0.0.0.0:7000'}}\n";
  const auto files = compose_files(with_source("tcp", {{"listen", "0.0.0.0:7000"}}), asked);
  ASSERT_TRUE(files.has_value());
  EXPECT_THAT(our_service(*files)["ports"].as<std::vector<std::string>>(),
              testing::IsSupersetOf({"127.0.0.1:7000:7000"}));
  EXPECT_EQ(text_of(*files, "tailrace.yml"), "");
  const auto udp = compose_files(with_source("udp", {{"listen", "0.0.0.0:7000"}}), asked);
  EXPECT_THAT(our_service(*udp)["ports"].as<std::vector<std::string>>(),
              testing::Contains("127.0.0.1:7000:7000/udp"));
  const auto free = compose_files(with_source("udp", {{"listen", "127.0.0.1:0"}}), asked);
  ASSERT_FALSE(free.has_value());
  EXPECT_EQ(free.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(free.error().what, HasSubstr("here: `listen` of in"));
}

TEST(Compose, folders_that_sources_read_are_mounted_where_they_are_looked_for) {
  const auto mounts = [](const std::string& path) {
    const auto files = compose_files(with_source("files", {{"path", path}}), options(false));
    return our_service(*files)["volumes"].as<std::vector<std::string>>();
  };
  EXPECT_THAT(mounts("/srv/drop/*.json"), testing::Contains("/srv/drop:/srv/drop:ro"));
  EXPECT_THAT(mounts("../drop/day=*/**"), testing::Contains("../drop:/drop:ro"));
  EXPECT_THAT(mounts("/srv/one.csv"), testing::Contains("/srv/one.csv:/srv/one.csv:ro"));
  EXPECT_EQ(mounts("input/*.json").size(), 2u);
}

TEST(Compose, workflows_that_run_here_have_airflows_api_with_a_password) {
  Options asked = options(false);
  asked.workflows = true;
  const auto files = compose_files(example(), asked);
  ASSERT_TRUE(files.has_value());
  const YAML::Node ours = our_service(*files);
  EXPECT_THAT(ours["ports"].as<std::vector<std::string>>(),
              testing::Contains("127.0.0.1:8080:8080"));
  EXPECT_THAT(ours["command"].as<std::vector<std::string>>(),
              testing::IsSupersetOf({"--airflow", "0.0.0.0:8080", "env:AIRFLOW_USERS"}));
  EXPECT_THAT(ours["environment"]["AIRFLOW_USERS"].as<std::string>(),
              HasSubstr("admin: ${AIRFLOW_PASSWORD:?"));
  EXPECT_THAT(text_of(*files, ".env"), testing::ContainsRegex("AIRFLOW_PASSWORD=[0-9a-f]{32}\n"));
  asked.real = true;  // Airflow itself has that port
  const auto real = compose_files(example(), asked);
  EXPECT_FALSE(our_service(*real)["environment"]["AIRFLOW_USERS"]);
}

TEST(Compose, airflow_lets_us_in_by_the_password_that_is_made_up_for_it) {
  Options asked = options(true);
  asked.workflows = true;
  const auto files = compose_files(example(), asked);
  ASSERT_TRUE(files.has_value()) << files.error().what;
  const YAML::Node role = YAML::Load(text_of(*files, "tailrace.yml"))["roles"]["schedule"];
  EXPECT_EQ(role["url"].as<std::string>(), "http://airflow:8080");
  EXPECT_EQ(role["user"].as<std::string>(), "admin");
  EXPECT_EQ(role["password"].as<std::string>(), "${AIRFLOW_PASSWORD}");
  const YAML::Node services = YAML::Load(text_of(*files, "compose.yml"))["services"];
  for (const char* name : {"tailrace", "airflow"})
    EXPECT_THAT(services[name]["environment"]["AIRFLOW_PASSWORD"].as<std::string>(),
                HasSubstr("${AIRFLOW_PASSWORD:?"))
        << name;
  EXPECT_THAT(text_of(*files, ".env"), testing::ContainsRegex("AIRFLOW_PASSWORD=[0-9a-f]{32}\n"));
}

TEST(Compose, the_variables_of_the_settings_are_in_the_file_that_compose_reads) {
  Options asked = options(false);
  asked.settings =
      "ingest:\n  - {url: \"${API_URL}\", key: \"${KEY}\"}\n"
      "alerts:\n  channels: {a: {slack: {webhook: \"${HOOK}\"}}, b: {slack: {webhook: "
      "\"${OFF}\"}}}\n";
  asked.environment = {{"KEY", "it's $HOME"}, {"HOOK", "https://x"}, {"OTHER", "y"}};
  const auto files = compose_files(example(), asked);
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(text_of(*files, ".env"), "API_URL=\nKEY='it\\'s $HOME'\nHOOK='https://x'\n");
}

TEST(Compose, a_file_of_variables_gets_what_it_lacks_and_keeps_what_it_has) {
  EXPECT_EQ(missing_lines("A=1\n# B=2\nC=", "# more\nA=9\nB='x'\nC=3\n"), "\nB='x'\n");
  EXPECT_EQ(missing_lines("A=1\n", "A=2\n"), "");
  EXPECT_EQ(missing_lines("", "A=2\nB=3\n"), "A=2\nB=3\n");
}

}  // namespace
}  // namespace tailrace::compose
