// The folders of tests/doctor: every fault that is planted is named with its line, and nothing
// else; their clean twins have none. A line's faults stand in it after `FAULT`; FAULT-2 is of the
// line two lines before.
#include "doctor/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "doctor/project_writer.h"
#include "doctor/python_tree.h"

namespace tailrace::doctor {
namespace {

namespace fs = std::filesystem;

using Faults = std::multiset<std::string>;

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

void add_planted(const fs::path& folder, const fs::path& file, Faults& out) {
  std::ifstream in(file);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    auto at = line.find("FAULT");
    if (at == std::string::npos) continue;
    at += 5;
    const int back = line[at] == '-' ? std::stoi(line.substr(at + 1)) : 0;
    std::stringstream names(line.substr(line.find(' ', at)));
    for (std::string name; std::getline(names, name, ',');) {
      name.erase(0, name.find_first_not_of(' '));
      out.insert(fs::relative(file, folder).generic_string() + ":" + std::to_string(number - back) +
                 ": " + name);
    }
  }
}

Faults planted(const fs::path& folder) {
  Faults out;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) add_planted(folder, entry.path(), out);
  return out;
}

Faults found(const fs::path& folder) {
  const auto read = read_folder(folder.string());
  EXPECT_TRUE(read.has_value()) << read.error().what;
  Faults out;
  for (const Finding& one : find_faults(*read)) {
    out.insert(one.file + ":" + std::to_string(one.line) + ": " + one.fault);
    EXPECT_FALSE(one.what.empty() || one.remedy.empty());
  }
  return out;
}

std::vector<std::string> folders() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator("tests/doctor"))
    if (entry.is_directory()) out.push_back(entry.path().filename().string());
  std::ranges::sort(out);
  return out;
}

TEST(Doctor, every_planted_fault_is_named_with_its_line_and_nothing_else_is) {
  for (const std::string& name : folders()) {
    const fs::path folder = fs::path("tests/doctor") / name / "faulty";
    const Faults want = planted(folder);
    EXPECT_GE(want.size(), 8u) << name;
    EXPECT_THAT(found(folder), testing::UnorderedElementsAreArray(want)) << name;
  }
}

TEST(Doctor, a_clean_folder_has_no_finding) {
  ASSERT_GE(folders().size(), 5u);
  for (const std::string& name : folders())
    EXPECT_THAT(found(fs::path("tests/doctor") / name / "clean"), testing::IsEmpty()) << name;
}

TEST(Doctor, every_fault_that_it_knows_is_planted_somewhere) {
  std::set<std::string> names;
  for (const std::string& folder : folders())
    for (const std::string& one : planted(fs::path("tests/doctor") / folder / "faulty"))
      names.insert(one.substr(one.rfind(' ') + 1));
  for (const auto& [name, about] : faults())
    EXPECT_TRUE(names.contains(name)) << name << ": " << about;
}

TEST(Doctor, its_own_compose_files_have_no_fault) {
  const auto read = read_folder("deploy");
  ASSERT_TRUE(read.has_value()) << read.error().what;
  EXPECT_EQ(read->compose.size(), 2u);
  for (const Finding& one : find_faults(*read))
    ADD_FAILURE() << one.file << ":" << one.line << ": " << one.fault << ": " << one.what;
}

TEST(Doctor, a_folder_without_anything_to_look_at_is_an_error) {
  EXPECT_EQ(read_folder("src/doctor/no_such_folder").error().code, Code::kNotFound);
  EXPECT_EQ(read_folder("cmake").error().code, Code::kInvalidArgument);
}

/// What is cut off or turned around anywhere is read to its end all the same.
TEST(Doctor, every_broken_script_is_taken) {
  const std::string text = text_of("tests/doctor/users/faulty/dags/kafka_stream.py");
  for (std::size_t cut = 0; cut < text.size(); cut += 7) {
    read_script("a.py", text.substr(0, cut), {});
    read_script("a.py", text.substr(cut), {});
  }
  for (const std::string one :
       {"(", "-", "a+", "a.", "a(", "[a][", "(a+", "a.b(", "f'{", "{a:", "lambda:", "@", "not "}) {
    std::string many;
    while (many.size() < 300'000) many += one;
    read_script("a.py", many, {});
    read_script("a.py", "x = " + many, {});
  }
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "if x:\n";
  read_script("a.py", deep, {});
  read_script("a.py", "def f(x):\n    return f(f(x))\nf(f(f(1)))\n", {});
}

TEST(Doctor, a_decorated_function_is_a_dag_of_its_name) {
  const auto dags = read_script("flows.py", R"(from airflow import sdk
from airflow.sdk import dag
@dag(schedule="@daily", tags=["a"])
def daily():
    pass
@dag
def plain(): pass
@sdk.dag("named", schedule="@hourly")
def hourly(): pass
@other(schedule="@daily")
def nothing(): pass
DAG()
def no_decorator(): pass
)",
                                {})
                        .dags;
  std::vector<std::string> found;
  for (const DagCall& one : dags)
    found.push_back(one.id + " " + one.schedule + " " + std::to_string(one.line));
  EXPECT_THAT(found, testing::ElementsAre("daily @daily 3", "plain  6", "named @hourly 8"));
}

TEST(Doctor, the_project_has_the_topic_the_url_the_fields_and_the_key) {
  const auto folder = read_folder("tests/doctor/users/faulty");
  ASSERT_TRUE(folder.has_value());
  const fs::path target = fs::path(testing::TempDir()) / "doctor_project";
  fs::remove_all(target);
  const auto notes = write_project(*folder, target.string());
  ASSERT_TRUE(notes.has_value()) << notes.error().what;
  EXPECT_THAT(*notes, testing::ElementsAre(testing::HasSubstr("`id` comes of the record"),
                                           testing::HasSubstr("user_automation fetches for 60 s")));
  EXPECT_THAT(text_of(target / "dags/user_automation.yml"),
              testing::AllOf(testing::HasSubstr("schedule: \"@daily\""),
                             testing::HasSubstr("source: users_created")));
  const std::string settings = text_of(target / "tailrace.yml");
  EXPECT_THAT(settings, testing::HasSubstr("url: \"https://randomuser.me/api/\""));
  EXPECT_THAT(settings, testing::HasSubstr("records: \"$.results\""));
  EXPECT_THAT(settings, testing::HasSubstr("paused: true"));
  EXPECT_THAT(settings, testing::HasSubstr("created_users: {key: [id]}"));
  const std::string silver = text_of(target / "transformations/02_silver.sql");
  EXPECT_THAT(silver, testing::HasSubstr("r.name.first AS first_name"));
  EXPECT_THAT(silver, testing::HasSubstr(
                          "concat(r.location.street.number, ' ', r.location.street.name, ', ', "
                          "r.location.city, ', ', r.location.country) AS address"));
  EXPECT_EQ(write_project(*folder, target.string()).error().code, Code::kAlreadyExists);
}

/// What is found in these files: "FILE:LINE: FAULT: WHAT", of one fault.
std::vector<std::string> told(const std::map<std::string, std::string>& files,
                              const std::string& fault) {
  const fs::path at = fs::path(testing::TempDir()) / "doctor_told";
  fs::remove_all(at);
  for (const auto& [name, text] : files) {
    fs::create_directories((at / name).parent_path());
    std::ofstream(at / name) << text;
  }
  const auto folder = read_folder(at.string());
  EXPECT_TRUE(folder.has_value());
  std::vector<std::string> out;
  for (const Finding& one : find_faults(*folder))
    if (one.fault == fault)
      out.push_back(one.file + ":" + std::to_string(one.line) + ": " + one.what);
  return out;
}

TEST(Doctor, a_database_that_only_airflow_uses_is_told_where_the_readme_says_otherwise) {
  const std::string compose =
      "services:\n  db:\n    image: postgres:15\n    volumes: [db:/var/lib/postgresql/data]\n"
      "  webserver:\n    image: apache/airflow:2.6.0\n    mem_limit: 1g\n    environment:\n"
      "      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: postgresql://a:b@db:5432/a\n"
      "    depends_on: {db: {condition: service_healthy}}\n";
  const std::string readme = "# It\n- **PostgreSQL**: stores the fetched data.\n";
  std::map<std::string, std::string> files = {
      {"docker-compose.yml", compose}, {"README.md", readme}, {"dag.py", "import requests\n"}};
  EXPECT_THAT(told(files, "unused-service"),
              testing::ElementsAre(testing::AllOf(
                  testing::HasSubstr("README.md:2: "),
                  testing::HasSubstr("no script writes to db (docker-compose.yml:2)"))));
  files["dag.py"] = "import psycopg2\n";
  EXPECT_THAT(told(files, "unused-service"), testing::IsEmpty());
  files["dag.py"] = "import requests\n";
  files["README.md"] = "PostgreSQL stores Airflow's metadata.\n";
  EXPECT_THAT(told(files, "unused-service"), testing::IsEmpty());
}

constexpr const char* kSession = R"(from pyspark.sql import SparkSession
spark = SparkSession.builder.config("spark.jars.packages", "CONNECTOR,"
    "org.apache.spark:spark-sql-kafka-0-10_2.12:3.5.0").getOrCreate()
)";

std::string session_with(const std::string& connector) {
  std::string text = kSession;
  return text.replace(text.find("CONNECTOR"), 9, connector);
}

TEST(Doctor, connectors_are_compared_with_each_other_where_no_spark_is_pinned) {
  const auto mismatches = [](const std::string& connector) {
    return told({{"job.py", session_with(connector)}}, "version-mismatch");
  };
  EXPECT_THAT(mismatches("com.datastax.spark:spark-cassandra-connector_2.12:3.5.1"),
              testing::IsEmpty());
  EXPECT_THAT(
      mismatches("com.datastax.spark:spark-cassandra-connector_2.12:3.4.1"),
      testing::ElementsAre(testing::HasSubstr(
          "spark-sql-kafka-0-10_2.12:3.5.0: made for Spark 3.5, while "
          "com.datastax.spark:spark-cassandra-connector_2.12:3.4.1 is made for Spark 3.4")));
  EXPECT_THAT(mismatches("com.datastax.spark:spark-cassandra-connector_2.13:3.5.1"),
              testing::ElementsAre(testing::HasSubstr("built for Scala 2.12, while")));
}

TEST(Doctor, an_image_that_moves_does_not_go_with_connectors_of_one_spark) {
  const auto mismatches = [](const std::string& image) {
    return told({{"compose.yml", "services:\n  spark:\n    image: " + image + "\n"},
                 {"job.py", session_with("org.postgresql:postgresql:42.7.1")}},
                "version-mismatch");
  };
  for (const char* image : {"apache/spark:latest", "apache/spark", "bitnami/spark:latest"})
    EXPECT_THAT(mismatches(image), testing::ElementsAre(testing::AllOf(
                                       testing::StartsWith("compose.yml:3: "),
                                       testing::HasSubstr("is the newest Spark of the day"),
                                       testing::HasSubstr("is made for Spark 3.5 of Scala 2.12"))));
  EXPECT_THAT(mismatches("apache/spark:3.5.1"), testing::IsEmpty());
}

TEST(Doctor, a_script_that_is_mounted_asks_for_its_service) {
  const auto waits = [](const std::string& more) {
    return told({{"compose.yml",
                  "services:\n  cassandra:\n    image: cassandra:5.0.9\n"
                  "    healthcheck: {test: [CMD, cqlsh]}\n"
                  "  spark:\n    image: apache/spark:3.5.1\n"
                  "    volumes: [\"./jobs:/jobs\"]\n" +
                      more},
                 {"jobs/job.py",
                  "from pyspark.sql import SparkSession\n"
                  "SparkSession.builder.config('spark.cassandra.connection.host', "
                  "'cassandra').getOrCreate()\n"}},
                "not-ready");
  };
  EXPECT_THAT(waits(""),
              testing::ElementsAre(
                  "compose.yml:5: spark (jobs/job.py) asks cassandra but does not wait for it"));
  EXPECT_THAT(waits("    depends_on: {cassandra: {condition: service_healthy}}\n"),
              testing::IsEmpty());
}

std::string project_of(const std::string& script, std::vector<std::string>& notes) {
  const fs::path from = fs::path(testing::TempDir()) / "doctor_pushed";
  const fs::path target = fs::path(testing::TempDir()) / "doctor_pushed_project";
  fs::remove_all(from);
  fs::remove_all(target);
  fs::create_directories(from);
  std::ofstream(from / "app.py") << script;
  const auto folder = read_folder(from.string());
  EXPECT_TRUE(folder.has_value());
  const auto written = write_project(*folder, target.string());
  EXPECT_TRUE(written.has_value()) << written.error().what;
  notes = *written;
  return text_of(target / "tailrace.yml") + text_of(target / "transformations/02_silver.sql");
}

TEST(Doctor, a_script_that_others_call_becomes_a_webhook) {
  std::vector<std::string> notes;
  const std::string made = project_of(R"(from flask import Flask, request
from kafka import KafkaProducer
import json
app = Flask(__name__)
producer = KafkaProducer(bootstrap_servers='kafka:9092')

@app.route('/orders', methods=['POST'])
def take():
    data = request.get_json()
    order = {'id': data['id'], 'total': data['total']}
    producer.send('orders', json.dumps(order).encode())
    return 'ok'
)",
                                      notes);
  EXPECT_THAT(made, testing::HasSubstr("use: webhook"));
  EXPECT_THAT(made, testing::HasSubstr("r.id AS id"));
  EXPECT_THAT(notes, testing::Contains(testing::HasSubstr("/hooks/orders")));
}

TEST(Doctor, a_handler_of_lambda_becomes_a_function) {
  std::vector<std::string> notes;
  const std::string made = project_of(R"(import json
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers='kafka:9092')

def lambda_handler(event, context):
    producer.send('clicks', json.dumps({'user': event['user'], 'page': event['page']}).encode())
)",
                                      notes);
  EXPECT_THAT(made, testing::HasSubstr("functions:\n  clicks: {ingest: clicks}"));
  EXPECT_THAT(notes, testing::Contains(testing::HasSubstr("app.py:5: what calls lambda_handler")));
}

}  // namespace
}  // namespace tailrace::doctor
