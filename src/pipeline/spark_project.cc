#include "pipeline/spark_project.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "pipeline/contracts/agreement.h"
#include "pipeline/names.h"
#include "pipeline/spark_statement.h"
#include "sql/sql.h"

namespace tailrace::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTopicsHead = R"py(# The topics' relations, written by `tailrace spark`.
from pathlib import Path

from pyspark import pipelines as dp

TOPICS = Path(__file__).resolve().parent.parent / "topics"
SCHEMA = "key STRING, value {}, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"
# try_parse_json takes text after the document's end; inside brackets, and as a field, it cannot follow. It replaces
# what is not UTF-8.
IS_JSON = (
    "(value IS NULL OR is_valid_utf8(value) AND try_parse_json(concat('[', value, ']')) IS NOT NULL"
    " AND try_parse_json(concat('{\"\":', value, '}')) IS NOT NULL)"
)


def records(topic, value="STRING"):
    # `spark` is given by spark-pipelines
    return spark.readStream.schema(SCHEMA.format(value)).parquet(str(TOPICS / topic))
)py";

std::string python_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + "\"";
}

/// The Python functions of one topic; `number` makes their names unlike all others.
std::string topic_functions(const TopicSpec& topic, const TopicTypePtr& type,
                            const std::vector<sql::ExpectationClause>& rules, std::size_t number) {
  const std::string value = type ? ", " + python_string(spark_name(*type->value())) : "";
  const std::string records = "records(" + python_string(topic.name) + value + ")";
  const bool json = topic.format == "json";
  std::string kept = json ? ".where(IS_JSON)" : "";
  if (const std::string held = kept_rows(rules, topic.name); held != "true")
    kept += ".where(" + python_string(held) + ")";
  std::string out =
      fmt::format("\n\n@dp.temporary_view(name={})\ndef topic_{}():\n    return {}{}\n",
                  python_string(topic.relation), number, records, kept);
  if (const std::string dropped = dropped_rows(rules); !dropped.empty())
    out += fmt::format(
        "\n\n@dp.table(name={})\ndef quarantine_{}():\n    return {}.where({}).selectExpr(\"*\", "
        "{})\n",
        python_string(topic.relation + "__quarantine"), number, records, python_string(dropped),
        python_string(reason_column(rules)));
  if (json)
    out += fmt::format(
        "\n\n@dp.table(name={})\ndef rejected_{}():\n    return {}.where(\"NOT \" + IS_JSON)\n",
        python_string(topic.relation + "__rejected"), number, records);
  return out;
}

Result<std::string> topics_module(const Project& project, const TopicTypes& types) {
  std::string out(kTopicsHead);
  for (std::size_t i = 0; i < project.topics.size(); ++i) {
    const TopicSpec& topic = project.topics[i];
    const auto type = types.find(topic.name);
    ASSIGN(const auto rules, topic_rules(project, topic.name));
    out += topic_functions(topic, type == types.end() ? nullptr : type->second, rules, i);
  }
  return out;
}

std::string spec_text(const Project& project, const std::string& folder) {
  auto configuration = project.configuration;
  configuration.emplace("spark.sql.session.timeZone", "UTC");
  configuration.emplace("spark.sql.variant.allowDuplicateKeys", "true");
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "name" << YAML::Value << YAML::DoubleQuoted << project.name;
  out << YAML::Key << "storage" << YAML::Value << YAML::DoubleQuoted
      << "file://" + folder + "/storage";
  if (!project.database.empty())
    out << YAML::Key << "database" << YAML::Value << YAML::DoubleQuoted << project.database;
  out << YAML::Key << "configuration" << YAML::Value << YAML::BeginMap;
  for (const auto& [name, value] : configuration)
    out << YAML::Key << name << YAML::Value << YAML::DoubleQuoted << value;
  out << YAML::EndMap << YAML::Key << "libraries" << YAML::Value << YAML::BeginSeq << YAML::BeginMap
      << YAML::Key << "glob" << YAML::Value << YAML::BeginMap << YAML::Key << "include"
      << YAML::Value << "transformations/**" << YAML::EndMap << YAML::EndMap << YAML::EndSeq
      << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

/// Where a SQL file goes: its place below the project's folder, always below transformations/.
std::string written_path(const Project& project, const SqlFile& file,
                         const std::set<std::string>& taken) {
  fs::path relative = fs::path(file.path).lexically_normal().lexically_relative(
      fs::path(project.folder).lexically_normal());
  if (relative.empty() || *relative.begin() == "..") relative = fs::path(file.path).filename();
  if (*relative.begin() != "transformations") relative = "transformations" / relative;
  fs::path path = relative;
  for (int copy = 2; taken.contains(path.string()); ++copy)
    path = relative.parent_path() / fmt::format("{}_{}.sql", relative.stem().string(), copy);
  return path.string();
}

using Targets = std::map<std::string, const sql::Statement*>;

Result<std::string> rewrite_file(const SqlFile& file, const std::vector<sql::Statement>& statements,
                                 const Targets& targets) {
  std::string out;
  std::size_t done = 0;
  for (const sql::Statement& statement : statements) {
    out += file.text.substr(done, statement.span.begin - done);
    const auto target = targets.find(lower(statement.target.text()));
    const bool flow = statement.kind == sql::Statement::Kind::kFlow && target != targets.end();
    ASSIGN(const std::string text, spark_statement(statement, flow ? target->second : nullptr));
    out += text;
    done = statement.span.end;
  }
  return out + file.text.substr(done);
}

}  // namespace

Result<std::vector<WrittenFile>> spark_project(const Project& project, const std::string& folder,
                                               const TopicTypes& types) {
  std::vector<std::vector<sql::Statement>> parsed;
  for (const SqlFile& file : project.sql_files) {
    ASSIGN(auto statements, sql::parse_pipeline(file.text, file.path));
    TRY(add_contract_rules(project, statements));
    parsed.push_back(std::move(statements));
  }
  Targets targets;
  for (const auto& statements : parsed)
    for (const sql::Statement& statement : statements)
      if (!statement.expectations.empty()) targets[lower(statement.name.text())] = &statement;

  std::vector<WrittenFile> files;
  std::set<std::string> taken;
  files.push_back({"spark-pipeline.yml", spec_text(project, folder)});
  ASSIGN(std::string topics, topics_module(project, types));
  files.push_back({"transformations/tailrace_topics.py", std::move(topics)});
  for (std::size_t i = 0; i < parsed.size(); ++i) {
    ASSIGN(auto text, rewrite_file(project.sql_files[i], parsed[i], targets));
    files.push_back({written_path(project, project.sql_files[i], taken), std::move(text)});
    taken.insert(files.back().path);
  }
  return files;
}

Status write_spark_project(const std::vector<WrittenFile>& files, const std::string& folder) {
  for (const WrittenFile& file : files) {
    const fs::path path = fs::path(folder) / file.path;
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << file.text;
    out.close();
    if (!out) return error(Code::kUnavailable, "cannot write " + path.string());
  }
  return {};
}

}  // namespace tailrace::pipeline
