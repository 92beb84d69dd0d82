#include "doctor/project_writer.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "doctor/rules.h"
#include "rt/file.h"

namespace tailrace::doctor {
namespace {

namespace fs = std::filesystem;

/// A record's members as far as they are used: a tree whose leaves are texts.
struct Shape {
  std::map<std::string, Shape> members;
};

std::string sql_name(const std::string& name) {
  const bool plain =
      !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
      std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  return plain ? name : "`" + name + "`";
}

std::string type_of(const Shape& shape, bool outermost) {
  if (shape.members.empty()) return "STRING";
  std::string out;
  for (const auto& [name, member] : shape.members)
    out += (out.empty() ? "" : ", ") + sql_name(name) + (outermost ? " " : ": ") +
           type_of(member, false);
  return outermost ? out : "STRUCT<" + out + ">";
}

std::string identifier(const std::string& text) {
  std::string out;
  for (const unsigned char c : text)
    out += std::isalnum(c) != 0 ? static_cast<char>(std::tolower(c)) : '_';
  return out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) != 0 ? "t_" + out : out;
}

/// What is taken over.
struct Plan {
  const Script* producer = nullptr;
  Send send;
  std::string table, key;
  std::vector<std::string> notes;
  const DagCall* dag = nullptr;  ///< what runs the producer
};

std::string option_of(const Script& script, const std::string& name) {
  const auto found = script.options.find(name);
  return found == script.options.end() ? "" : found->second.text;
}

/// How others reach the script: it serves HTTP, or Lambda calls it.
enum class Door { kNone, kHttp, kLambda };
Door door_of(const Script& script) {
  if (!script.handlers.empty()) return Door::kLambda;
  for (const auto& [module, line] : script.modules)
    for (const std::string_view server :
         {"flask", "fastapi", "starlette", "django", "sanic", "bottle", "tornado", "http.server"})
      if (module == server || module.starts_with(std::string(server) + ".")) return Door::kHttp;
  return Door::kNone;
}

/// What comes from a request has its members as they are sent.
void take_from_requests(Plan& plan) {
  if (!plan.send.url.empty() || door_of(*plan.producer) == Door::kNone) return;
  for (Field& field : plan.send.fields) {
    if (!field.sql.empty()) continue;
    field.sql = "r." + sql_name(field.name);
    field.paths = {{field.name}};
    plan.notes.push_back("`" + field.name + "` is taken from the member of that name, where " +
                         plan.producer->path + ":" + std::to_string(field.line) +
                         " makes it of a request");
  }
}

/// Of the producer's file, where it fetches: what others call needs none.
const DagCall* dag_of(const Plan& plan) {
  if (plan.send.url.empty()) return nullptr;
  for (const DagCall& dag : plan.producer->dags) {
    const bool plain = std::ranges::all_of(
        dag.id, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
    if (plain && !dag.id.empty()) return &dag;
  }
  return nullptr;
}

Result<Plan> make_plan(const Folder& folder) {
  Plan plan;
  for (const Script& script : folder.scripts)
    for (const Send& send : script.sends)
      if (plan.producer == nullptr || (plan.send.fields.empty() && !send.fields.empty())) {
        plan.producer = &script;
        plan.send = send;
      }
  if (plan.producer == nullptr)
    return error(
        Code::kFailedPrecondition,
        folder.path + ": no script sends anything to a topic, so there is nothing to take over");
  if (plan.send.url.empty() && !plan.producer->urls.empty())
    plan.send.url = plan.producer->urls[0].text;
  for (const Script& reader : folder.scripts) {
    if (!mentions(option_of(reader, "subscribe"), plan.send.topic.text)) continue;
    if (plan.table.empty()) plan.table = option_of(reader, "table");
    if (plan.send.fields.empty())
      for (const Site& field : reader.schema) {
        const std::string name = field.text.substr(0, field.text.find(' '));
        plan.send.fields.push_back({name, field.line, "r." + sql_name(name), {{name}}, ""});
      }
  }
  for (const CqlTable& table : tables_of(folder)) {
    if (plan.table.empty()) plan.table = table.name;
    if (table.name == plan.table && !table.key.empty()) plan.key = table.key[0];
  }
  if (plan.table.empty()) plan.table = identifier(plan.send.topic.text) + "_rows";
  plan.table = identifier(plan.table);
  if (plan.send.fields.empty())
    return error(Code::kFailedPrecondition, folder.path + ": which fields " + plan.producer->path +
                                                " sends could not be followed");
  const bool has_key = std::ranges::any_of(
      plan.send.fields, [&](const Field& field) { return field.name == plan.key; });
  if (!has_key) plan.key = plan.send.fields[0].name;
  take_from_requests(plan);
  plan.dag = dag_of(plan);
  return plan;
}

std::string silver(Plan& plan) {
  Shape shape;
  std::string columns;
  for (const Field& field : plan.send.fields) {
    for (const auto& path : field.paths) {
      Shape* at = &shape;
      for (const std::string& step : path) at = &at->members[step];
    }
    std::string sql = field.sql;
    const std::string place = plan.producer->path + ":" + std::to_string(field.line);
    if (sql.empty()) {
      sql = "CAST(NULL AS STRING)";
      plan.notes.push_back("`" + field.name + "` is NULL: how " + place +
                           " makes it could not be followed");
    } else if (!field.json_trouble.empty()) {
      plan.notes.push_back("`" + field.name + "` comes of the record, where " + place +
                           " makes up a " + field.json_trouble);
    }
    columns +=
        (columns.empty() ? "" : ",\n") + std::string("  ") + sql + " AS " + sql_name(field.name);
  }
  std::string text =
      "-- Silver: the fields as " + plan.producer->path + " makes them, one row for each record.\n";
  text += "CREATE STREAMING TABLE " + plan.table + "_clean (\n  CONSTRAINT has_key EXPECT (" +
          sql_name(plan.key) + " IS NOT NULL) ON VIOLATION DROP ROW\n)\n";
  text += "AS SELECT\n" + columns +
          ",\n  partition AS source_partition,\n  offset AS source_offset,\n  timestamp AS "
          "source_timestamp\n";
  if (shape.members.empty()) return text + "FROM STREAM " + plan.table + "_raw;\n";
  return text + "FROM (\n  SELECT value, partition, offset, timestamp,\n    from_json(value, '" +
         type_of(shape, true) + "') AS r\n  FROM STREAM " + plan.table + "_raw\n);\n";
}

std::string gold(const Plan& plan) {
  std::string columns;
  for (const Field& field : plan.send.fields)
    columns += (columns.empty() ? "" : ", ") + sql_name(field.name);
  return "-- Gold: the last record of each " + plan.key +
         ", which is what the table of the tutorial holds.\nCREATE MATERIALIZED VIEW " +
         plan.table + "\nAS SELECT " + columns +
         "\nFROM (\n  SELECT *, ROW_NUMBER() OVER (PARTITION BY " + sql_name(plan.key) +
         " ORDER BY source_timestamp DESC, source_partition DESC, source_offset DESC) AS nth\n  "
         "FROM " +
         plan.table + "_clean\n)\nWHERE nth = 1;\n";
}

/// A text within double quotes of YAML.
std::string yaml_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ') out += c;
  }
  return out + "\"";
}

std::string pushed(Plan& plan, const std::string& topic) {
  const std::string name = identifier(plan.send.topic.text);
  std::string text =
      "ingest:\n  - name: " + name + "\n    topic: " + topic +
      "\n    use: webhook\n    webhook: {}   # on an address that others reach: {token: "
      "\"${HOOK_TOKEN}\"}\n\n";
  plan.notes.push_back(plan.producer->path +
                       " is called by others: POST http://127.0.0.1:9080/hooks/" + name +
                       "; give it a `token` or a `signature` before others reach it");
  if (door_of(*plan.producer) != Door::kLambda) return text;
  const auto& [handler, line] = *plan.producer->handlers.begin();
  plan.notes.push_back(
      plan.producer->path + ":" + std::to_string(line) + ": what calls " + handler +
      " calls the function " + name +
      " with --endpoint-url "
      "http://127.0.0.1:9080; on AWS itself `tailrace lambda package` is the function");
  return text + "functions:\n  " + name + ": {ingest: " + name + "}\n\n";
}

std::string settings(Plan& plan) {
  const std::string topic = yaml_text(plan.send.topic.text),
                    relation = identifier(plan.send.topic.text) + "_topic";
  std::string text =
      "# Written by `tailrace doctor`. docs/project.md describes every key.\nroles:\n  log: "
      "embedded\n  serving: embedded\n\ntopics:\n  " +
      topic + ":\n    format: json\n    relation: " + relation + "\n\n";
  if (plan.send.url.empty() && door_of(*plan.producer) != Door::kNone) {
    text += pushed(plan, topic);
  } else if (plan.send.url.empty()) {
    plan.notes.push_back("no URL is fetched by " + plan.producer->path +
                         ": send records to the topic " + plan.send.topic.text +
                         " by Kafka's protocol");
  } else {
    text += "ingest:\n  - name: " + identifier(plan.send.topic.text) + "\n    topic: " + topic +
            (plan.dag ? "\n    paused: true   # it emits while the workflow runs it" : "") +
            "\n    use: http\n    http:\n      url: " + yaml_text(plan.send.url) +
            "\n      every: 10s\n";
    if (!plan.send.records.empty()) text += "      records: " + yaml_text(plan.send.records) + "\n";
    text += "\n";
  }
  text += "serving:\n  " + plan.table + ": {key: [" + sql_name(plan.key) + "]}\n";
  return text;
}

/// How long the workflow lets the source fetch: what a script's loop waits for is not followed.
constexpr int kRunSeconds = 60;

/// The DAG that fetches, and waits until what came is in the tables.
std::string dag_text(Plan& plan) {
  const DagCall& dag = *plan.dag;
  const std::string place = plan.producer->path + ":" + std::to_string(dag.line);
  plan.notes.push_back("the workflow " + dag.id + " fetches for " + std::to_string(kRunSeconds) +
                       " s: `run_for` in its file, where " + place + " does otherwise");
  if (dag.schedule.empty())
    plan.notes.push_back("the workflow " + dag.id + " runs when it is asked to: " + place +
                         " has no schedule, or one that could not be followed");
  const std::string schedule = dag.schedule.empty() ? "null" : yaml_text(dag.schedule);
  return "# What " + place +
         " does: fetch, and see the rows through to the tables.\n# Now: tailrace "
         "dags run " +
         dag.id + " --wait\n" + dag.id + ":\n  schedule: " + schedule +
         "\n  start_date: 2026-01-01\n  catchup: false\n  max_active_runs: 1\n  tasks:\n"
         "    fetch:\n      operator: tailrace_provider.operators.ingest.IngestOperator\n"
         "      source: " +
         identifier(plan.send.topic.text) + "\n      run_for: " + std::to_string(kRunSeconds) +
         "\n    refresh:\n      operator: "
         "tailrace_provider.operators.refresh.RefreshOperator\n      dependencies: [fetch]\n";
}

}  // namespace

Result<std::vector<std::string>> write_project(const Folder& folder, const std::string& target) {
  if (fs::exists(target)) return error(Code::kAlreadyExists, target + " is there already");
  ASSIGN(Plan plan, make_plan(folder));
  std::error_code failed;
  fs::create_directories(fs::path(target) / "transformations", failed);
  if (failed) return error(Code::kUnavailable, target + ": " + failed.message());
  const std::string relation = identifier(plan.send.topic.text) + "_topic";
  std::map<std::string, std::string> files = {
      {"spark-pipeline.yml",
       "# Spark's own pipeline spec.\nname: " +
           identifier(fs::path(target).lexically_normal().filename().string()) +
           "\nstorage: file:///tmp/tailrace/storage\nlibraries:\n  - glob:\n      include: "
           "transformations/**\n"},
      {"tailrace.yml", settings(plan)},
      {"transformations/01_bronze.sql",
       "-- Bronze: every record of the topic, as it came.\nCREATE STREAMING TABLE " + plan.table +
           "_raw\nAS SELECT key, value, topic, partition, offset, timestamp\nFROM STREAM " +
           relation + ";\n"},
      {"transformations/02_silver.sql", silver(plan)},
      {"transformations/03_gold.sql", gold(plan)},
  };
  if (plan.dag != nullptr) {
    fs::create_directories(fs::path(target) / "dags", failed);
    if (failed) return error(Code::kUnavailable, target + ": " + failed.message());
    files["dags/" + plan.dag->id + ".yml"] = dag_text(plan);
  }
  for (const auto& [name, text] : files)
    TRY(rt::write_atomically(rt::posix_files(), (fs::path(target) / name).string(), text));
  return plan.notes;
}

}  // namespace tailrace::doctor
