// The command line: parses it, calls one command.
#include <malloc.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>

#include "app/commands.h"
#include "app/door_options.h"
#include "app/lambda_command.h"
#include "base/log.h"
#include "base/log_format.h"

namespace tailrace::app {
namespace {

constexpr const char* kAbout =
    "Tailrace: a stream in, gold out. The whole real-time data pipeline in one program.\n\n"
    "  tailrace init my_project          write a small project that runs\n"
    "  tailrace run my_project           run it; the page is at http://127.0.0.1:9021\n"
    "  tailrace status my_project        hop by hop: what came how far, and why not further\n"
    "  tailrace broker --data data       the log alone, for Kafka's clients and tools\n"
    "  tailrace sql my_project -c 'SELECT * FROM system.tables'";

constexpr const char* kDataHelp = "data folder (default: PROJECT/.tailrace)";
constexpr const char* kMetricsHelp =
    "HOST:PORT where GET /metrics answers Prometheus (default: nowhere)";
constexpr const char* kRegistryConfigHelp =
    "a file of the registry's settings: ssl.*, authentication.*";

constexpr const char* kViewsHelp =
    "CQL's clients may CREATE MATERIALIZED VIEW, which is off by default, as Cassandra has it";

/// Of the commands that serve.
void add_log_options(CLI::App* command) {
  const auto set = [](const std::string& format) {
    set_log_format(format == "json" ? LogFormat::kJson : LogFormat::kText);
  };
  command
      ->add_option_function<std::string>(
          "--log-format", set, "diagnostics as text, or as json: an object a line (default: text)")
      ->check(CLI::IsMember({"text", "json"}))
      ->envname("TAILRACE_LOG_FORMAT");
  static const std::map<std::string, LogLevel> kLevels = {{"debug", LogLevel::kDebug},
                                                          {"info", LogLevel::kInfo},
                                                          {"warn", LogLevel::kWarn},
                                                          {"error", LogLevel::kError}};
  const auto limit = [](const std::string& level) { set_log_level(kLevels.at(level)); };
  command
      ->add_option_function<std::string>(
          "--log-level", limit, "diagnostics from debug, info, warn or error on (default: info)")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->envname("TAILRACE_LOG_LEVEL");
}

void add_run(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("run", "run a project until Ctrl-C (or --once)");
  command->footer(
      "Examples:\n"
      "  tailrace run my_project                          page and API at http://127.0.0.1:9021\n"
      "  tailrace run my_project --console 127.0.0.1:0    at a free port, which is printed\n"
      "  tailrace run my_project --kafka 0.0.0.0:9092     Kafka's clients of other machines, too\n"
      "  tailrace run my_project --once                   what is there now, then exit\n"
      "  tailrace run my_project --check                  a test: exit 0 once rows are served\n\n"
      "It prints each hop once: fetched, staged, appended, decoded, rejected, the tables, lake, "
      "served;\n"
      "and, when no row is served after 10 s, which hop is empty and why. Ctrl-C or SIGTERM ends "
      "it\n"
      "with nothing lost; the next start goes on from there.");
  auto options = std::make_shared<RunOptions>();
  auto check = std::make_shared<bool>(false);
  command->add_option("project", options->project, "the project's folder")->required();
  command->add_option("--data", options->data, kDataHelp);
  add_console(command, options->console);
  command
      ->add_option("--kafka", options->kafka,
                   "Kafka's protocol at HOST:PORT; port 0 picks a free one; off")
      ->capture_default_str();
  command
      ->add_option("--registry", options->registry,
                   "Confluent's schema registry API at HOST:PORT; port 0 picks a free one; off")
      ->capture_default_str();
  command
      ->add_option("--cql", options->cql,
                   "served tables for CQL's clients at HOST:PORT; port 0 picks a free one; off")
      ->capture_default_str();
  add_airflow_door(command, options->airflow);
  add_hooks(command, options->hooks);
  add_cql_access(command, options->cql_tls, options->cql_logins);
  command->add_flag("--cql-materialized-views", options->cql_materialized_views, kViewsHelp);
  command->add_option("--registry-config", options->registry_config, kRegistryConfigHelp);
  command->add_flag("--once", options->once, "take what is there now, write the tables, exit");
  command->add_flag("--check", *check,
                    "exit 0 as soon as every served table has rows, 1 after 60 s without");
  add_log_options(command);
  command->callback([=, &code] { code = run_command(*options, *check); });
}

void add_simple(CLI::App& app, int& code) {
  auto text = std::make_shared<std::string>();
  auto* check = app.add_subcommand("check", "parse and analyse a project; write nothing");
  check->add_option("project", *text, "the project's folder")->required();
  check->footer(
      "Example:\n"
      "  tailrace check my_project\n\n"
      "Reads spark-pipeline.yml, tailrace.yml and every SQL file, and binds the SQL: each unknown\n"
      "name, wrong type and missing table is told with file:line:column. Exit 0 when `run` would\n"
      "start, 1 when not, with the first error.");
  check->callback([=, &code] { code = check_command(*text); });
  auto* init = app.add_subcommand("init", "write a small project that runs");
  init->add_option("name", *text, "the folder to make")->required();
  init->footer(
      "Example:\n"
      "  tailrace init my_project && tailrace run my_project\n\n"
      "The project has a generator as its source, a bronze, a silver and a gold table, and "
      "comments\n"
      "that say what to change for data of your own.");
  init->callback([=, &code] { code = init_command(*text); });
  auto* version = app.add_subcommand("version", "print the version");
  version->callback([] { std::cout << "tailrace " TAILRACE_VERSION "\n"; });
  auto* help = app.add_subcommand("help", "print this help, or a command's: tailrace help sql");
  help->add_option("command", *text, "a command's name");
  help->callback([=, &app, &code] {
    const auto asked =
        app.get_subcommands([&](CLI::App* command) { return command->get_name() == *text; });
    if (!text->empty() && asked.empty()) {
      std::cerr << "tailrace: there is no command " << *text << "; see `tailrace help`\n";
      code = 2;
    } else {
      // app.help() would be that of the command that was given, which is this one.
      std::cout << (text->empty() ? app.get_formatter()->make_help(&app, app.get_name(),
                                                                   CLI::AppFormatMode::Normal)
                                  : asked.front()->help(app.get_name()));
    }
  });
}

void add_status(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("status", "hop by hop, and the first empty hop with why");
  auto project = std::make_shared<std::string>(".");
  auto data = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("project", *project, "the project's folder")->capture_default_str();
  command->add_option("--data", *data, kDataHelp);
  command->add_flag("--json", *json, "for scripts: what GET /api/status answers");
  command->footer(
      "Examples:\n"
      "  tailrace status my_project\n"
      "  tailrace status my_project --json | jq -r .first_empty_hop\n\n"
      "Asks the process that runs on the data folder, or reads the folder when none runs; nothing\n"
      "is changed either way. Exit 0 when it could be told, 1 when nothing has run there yet.");
  command->callback([=, &code] { code = status_command(*project, *data, *json); });
}

void add_sql(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("sql", "a shell over every table and system.*, or one query with -c");
  auto options = std::make_shared<SqlOptions>();
  options->project = ".";
  command->add_option("project", options->project, "the project's folder")->capture_default_str();
  command->add_option("--data", options->data, kDataHelp);
  command->add_option("-c,--command", options->query, "run these statements and exit");
  command->add_flag("--json", options->json, "rows as JSON lines");
  command->add_option("--limit", options->limit, "rows of one answer")
      ->check(CLI::Range(1, console::kMaxQueryRows))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  tailrace sql my_project                            a prompt\n"
      "  tailrace sql my_project -c 'SHOW TABLES; DESCRIBE users'\n"
      "  tailrace sql my_project --json -c 'SELECT * FROM users' > users.jsonl\n"
      "  tailrace sql my_project < queries.sql\n\n"
      "Statements: SELECT, SHOW TABLES, DESCRIBE, EXPLAIN SELECT. Besides the project's tables:\n"
      "  system.hops            every hop: records, bytes, lag, rejected, why, last_error\n"
      "  system.tables          every table: layer, kind, records, columns, failed\n"
      "  system.topics          every topic: relation, partitions, format, records, bytes\n"
      "  system.expectations    every expectation: condition, action, passed, failed\n"
      "  system.dead_letters    every rejected record: flow, reason, detail, origin, record\n"
      "  system.alerts          what is pending or fires: rule, state, labels, value, summary\n"
      "  system.alert_messages  what was sent: channel, state, kind, rule, title, said\n\n"
      "Asks the process that runs on the data folder, or reads the folder when none runs; nothing\n"
      "is changed either way. Exit 1 when a statement failed.");
  command->callback([=, &code] { code = sql_command(*options); });
}

void add_redrive(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("redrive", "send dead letters back to their topics");
  auto options = std::make_shared<RedriveOptions>();
  options->project = ".";
  command->add_option("project", options->project, "the project's folder")->capture_default_str();
  command->add_option("--data", options->data, kDataHelp);
  command->add_option("--id", options->ids, "these letters (see system.dead_letters)");
  command->add_option("--table", options->table, "those this table's flow rejected");
  command->add_option("--reason", options->reason, "those with this reason");
  command->add_flag("--all", options->all, "all of them");
  command->footer(
      "Examples:\n"
      "  tailrace sql my_project -c 'SELECT id, reason, detail FROM system.dead_letters'\n"
      "  tailrace redrive my_project --id 17 --id 18\n"
      "  tailrace redrive my_project --table users_clean --reason 'expectation has_id'\n\n"
      "The letters' records are appended to their topics again, each once. Mend the SQL first, or\n"
      "they come back.");
  command->callback([=, &code] { code = redrive_command(*options); });
}

void add_spark(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("spark", "the same project on real Spark: write a plain pipeline, run it");
  auto options = std::make_shared<SparkOptions>();
  command->add_option("project", options->project, "the project's folder")->required();
  command->add_option("--data", options->data, kDataHelp);
  command->add_option("--master", options->master, "local[N] or spark://HOST:PORT")
      ->capture_default_str();
  command->add_option("--out", options->out,
                      "where to write the Spark project (default: DATA/spark)");
  command->add_flag("--write-only", options->write_only, "write it, do not run it");
  command->footer(
      "Examples:\n"
      "  tailrace spark my_project --write-only --out spark_project\n"
      "  tailrace spark my_project --master spark://host:7077\n\n"
      "Needs Spark's `spark-pipelines` on the PATH to run, nothing to write.");
  command->callback([=, &code] { code = spark_command(*options); });
}

void add_airflow(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("airflow", "the same DAG files on real Airflow: write its loader");
  auto options = std::make_shared<AirflowOptions>();
  command->add_option("project", options->project, "the project's folder")->required();
  command->add_option("--data", options->data, kDataHelp);
  command->add_option("--out", options->out, "where to write it (default: DATA/airflow)");
  command->footer(
      "Examples:\n"
      "  tailrace airflow my_project --out airflow\n\n"
      "Writes a folder of DAGs for Airflow 3 with one Python file that loads my_project/dags by\n"
      "dag-factory, and requirements.txt with the providers that they need; says how to start.");
  command->callback([=, &code] { code = airflow_command(*options); });
}

void add_broker(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("broker", "the log alone, for Kafka's clients and tools");
  auto options = std::make_shared<BrokerOptions>();
  command->add_option("--data", options->data, "data folder, made when missing")->required();
  command->add_option("--listen", options->listen,
                      "HOST:PORT; port 0 picks a free one (default: 127.0.0.1:9092)");
  command->add_option("--config", options->config, "a server.properties file");
  command->add_option("--set", options->settings,
                      "a setting by its name in server.properties, after those of --config");
  command->add_option("--metrics", options->metrics, kMetricsHelp);
  command->add_option("--registry", options->registry,
                      "HOST:PORT of a schema registry over the same log (default: nowhere)");
  command->add_option("--registry-config", options->registry_config, kRegistryConfigHelp);
  command->footer(
      "Examples:\n"
      "  tailrace broker --data /var/lib/tailrace\n"
      "  tailrace broker --data data --metrics 127.0.0.1:9308\n"
      "  tailrace broker --data data --set num.partitions=8 --set auto.create.topics.enable=false\n"
      "  kcat -b 127.0.0.1:9092 -L\n\n"
      "Speaks Kafka's protocol: clients and tools connect as to Apache Kafka. A project's data\n"
      "folder is served as well, while no `tailrace run` holds it.\n\n"
      "Listens on loopback, plain, for everybody. TLS, logins (PLAIN, SCRAM), access rules and\n"
      "quotas are set as in Kafka: listeners, ssl.keystore.* (PEM or PKCS#12), sasl.*,\n"
      "authorizer.class.name and super.users in --config; kafka-configs and kafka-acls while it\n"
      "runs. --listen is for one plain listener instead of those.");
  add_log_options(command);
  command->callback([=, &code] { code = broker_command(*options); });
}

void add_registry(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("registry", "the schema registry alone");
  auto options = std::make_shared<RegistryOptions>();
  command->add_option("--data", options->data, "data folder, made when missing")->required();
  command->add_option("--listen", options->listen,
                      "HOST:PORT; port 0 picks a free one (default: 127.0.0.1:8081)");
  command->add_option("--config", options->config, kRegistryConfigHelp);
  command->add_option("--set", options->settings, "NAME=VALUE: one of them, after --config's");
  command->add_option("--metrics", options->metrics, kMetricsHelp);
  command->footer(
      "Examples:\n"
      "  tailrace registry --data /var/lib/tailrace\n"
      "  tailrace registry --data data --set authentication.method=BASIC \\\n"
      "    --set authentication.users.location=users.txt       # lines of USER: PASSWORD\n"
      "  curl -X POST -H 'Content-Type: application/vnd.schemaregistry.v1+json' \\\n"
      "    --data '{\"schema\": \"\\\"string\\\"\"}' \\\n"
      "    http://127.0.0.1:8081/subjects/names-value/versions\n"
      "  curl http://127.0.0.1:8081/subjects\n\n"
      "Speaks the REST API of Confluent's Schema Registry, for Avro, JSON Schema and Protobuf.\n"
      "Schemas are kept in the topic _schemas of the data folder's log, in Confluent's form.\n"
      "TLS (listeners=https://…, ssl.keystore.*: PEM or PKCS#12) and logins\n"
      "(authentication.method=BASIC) are set by Confluent's names in --config.\n"
      "`tailrace run` has one of its own;\n"
      "`tailrace broker --registry HOST:PORT` serves it beside the log.");
  add_log_options(command);
  command->callback([=, &code] { code = registry_command(*options); });
}

void add_serve(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("serve", "tables alone, for CQL's clients (cqlsh, drivers)");
  auto options = std::make_shared<ServeOptions>();
  command->add_option("--data", options->data, "data folder, made when missing")->required();
  command->add_option("--listen", options->listen, "HOST:PORT; port 0 picks a free one")
      ->capture_default_str();
  add_cql_access(command, options->tls, options->logins);
  command->add_flag("--materialized-views", options->materialized_views, kViewsHelp);
  command->add_option("--metrics", options->metrics, kMetricsHelp);
  command->footer(
      "Examples:\n"
      "  tailrace serve --data /var/lib/tailrace\n"
      "  cqlsh 127.0.0.1 9042 -e 'DESCRIBE CLUSTER'\n"
      "  tailrace serve --data data --listen 0.0.0.0:9042 \\\n"
      "    --tls-certificate server.pem --tls-key server.key \\\n"
      "    --auth password --first-password-file secret.txt\n"
      "  cqlsh -u cassandra -p \"$(cat secret.txt)\" --ssl\n\n"
      "Speaks Cassandra's native protocol, versions 3 to 5: drivers, cqlsh and Spark's connector\n"
      "connect as to Apache Cassandra 5.0. A write is on disk before it is answered.");
  add_log_options(command);
  command->callback([=, &code] { code = serve_command(*options); });
}

void add_address(CLI::App* command, BrokerAddress& at) {
  command->add_option("--broker,--bootstrap-server", at.broker,
                      "HOST:PORT (default: of the project that runs, else 127.0.0.1:9092)");
  command->add_option("--command-config", at.config,
                      "a file of a Kafka client's settings: security.protocol, ssl.*, sasl.*");
  command->add_option("--project", at.project, "the project's folder")->capture_default_str();
  command->add_option("--data", at.data, kDataHelp);
}

void add_topics(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("topics", "the topics of a broker, or one topic's partitions");
  auto options = std::make_shared<TopicsOptions>();
  command->add_option("topic", options->topic, "one topic, partition by partition");
  add_address(command, options->at);
  command->add_flag("--json", options->json, "a JSON object a line");
  command->footer(
      "Examples:\n"
      "  tailrace topics\n"
      "  tailrace topics users_created --broker kafka.example.com:9092 --json");
  command->callback([=, &code] { code = topics_command(*options); });
}

void add_groups(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("groups", "consumer groups and how far behind they are");
  auto options = std::make_shared<GroupsOptions>();
  command->add_option("group", options->group, "one group, partition by partition");
  command->add_flag("--members", options->members,
                    "its members and the partitions or tasks that each of them has");
  add_address(command, options->at);
  command->add_flag("--json", options->json, "a JSON object a line");
  command->footer(
      "Examples:\n"
      "  tailrace groups\n"
      "  tailrace groups billing\n"
      "  tailrace groups billing --members\n\n"
      "Groups of every type: classic, consumer, share and streams. Of a share group `committed` "
      "is\n"
      "where it begins; the page shows which records are with whom, and how often they came.");
  command->callback([=, &code] { code = groups_command(*options); });
}

void add_registry(CLI::App* command, std::string& registry) {
  command->add_option("--registry", registry,
                      "http://HOST:PORT of the schema registry (default: of the project, else "
                      "http://127.0.0.1:8081)");
}

/// What every command of `schemas` takes.
CLI::App* add_schemas_action(CLI::App* schemas, const std::string& name, const std::string& about,
                             SchemasOptions::Action action,
                             const std::shared_ptr<SchemasOptions>& options, int& code) {
  auto* command = schemas->add_subcommand(name, about);
  if (action != SchemasOptions::Action::kList)
    command->add_option("subject", options->subject, "the subject")->required();
  add_registry(command, options->registry);
  command->add_option("--project", options->project, "the project's folder")->capture_default_str();
  command->add_option("--data", options->data, kDataHelp);
  command->callback([=, &code] {
    options->action = action;
    code = schemas_command(*options);
  });
  return command;
}

void add_schemas(CLI::App& app, int& code) {
  using Action = SchemasOptions::Action;
  auto* schemas = app.add_subcommand("schemas", "the schemas of a registry: list, show, diff, …");
  schemas->require_subcommand(1);
  auto options = std::make_shared<SchemasOptions>();
  auto* list = add_schemas_action(schemas, "list", "every subject", Action::kList, options, code);
  list->add_flag("--json", options->json, "a JSON object a line");
  auto* show =
      add_schemas_action(schemas, "show", "a version's schema", Action::kShow, options, code);
  show->add_option("version", options->version, "a number or `latest`")->capture_default_str();
  auto* diff =
      add_schemas_action(schemas, "diff", "what a version changed", Action::kDiff, options, code);
  diff->add_option("version", options->version, "a number or `latest`")->capture_default_str();
  diff->add_option("with", options->other, "the version to compare with (default: the one before)");
  for (auto [name, about, action] :
       {std::tuple{"check", "whether a file may be the subject's next version", Action::kCheck},
        {"register", "make a file the subject's next version", Action::kRegister}}) {
    auto* command = add_schemas_action(schemas, name, about, action, options, code);
    command->add_option("file", options->file, "the schema's file")->required();
    command->add_option("--type", options->type,
                        "AVRO, JSON or PROTOBUF (default: by the file's name: .avsc, .json, "
                        ".proto)");
  }
  schemas->footer(
      "Examples:\n"
      "  tailrace schemas list\n"
      "  tailrace schemas show users_created-value 2\n"
      "  tailrace schemas diff users_created-value\n"
      "  tailrace schemas check users_created-value schemas/user.avsc && \\\n"
      "    tailrace schemas register users_created-value schemas/user.avsc\n\n"
      "check says why not, and ends with 1, when the file may not follow the subject's versions.");
}

/// What one of `dags …` takes beside the project.
void add_dags_options(CLI::App* command, DagsOptions& options) {
  using enum DagsOptions::Action;
  const auto action = options.action;
  const auto is = [&](auto... any) { return ((action == any) || ...); };
  if (is(kTest, kRun, kBackfill))
    command->add_option("--conf", options.conf, "the runs' conf, a JSON object");
  if (is(kTest)) command->add_option("--date", options.date, "the logical date: 2026-01-31");
  if (is(kRun)) {
    command->add_option("--logical-date", options.date, "2026-01-31, or with a time");
    command->add_option("--run", options.run, "the run's id, instead of one that is made");
    command->add_flag("--wait", options.wait, "until it has ended; 1 when it failed");
  }
  if (is(kBackfill)) {
    command->add_option("--from", options.from, "the first date")->required();
    command->add_option("--to", options.to, "the last one")->required();
    command->add_option("--reprocess", options.reprocess, "runs that are there: none")
        ->check(CLI::IsMember({"none", "failed", "completed"}));
    command->add_option("--max-active-runs", options.max_active_runs, "at once")
        ->capture_default_str();
    command->add_flag("--backwards", options.backwards, "the last date first");
    command->add_flag("!--detach", options.wait, "do not wait for its end")->default_val(true);
  }
  if (is(kClear)) {
    command->add_option("--run", options.run, "of this run");
    command->add_option("--from", options.from, "of runs from this logical date on");
    command->add_option("--to", options.to, "of runs to this logical date");
    command->add_option("--task", options.task, "tasks whose id it fits, a regular expression");
    command->add_flag("--failed", options.failed, "only what failed");
    command->add_flag("--upstream", options.upstream, "with what comes before");
    command->add_flag("--downstream", options.downstream, "with what comes after");
    command->add_flag("--yes", options.yes, "without a question");
  }
  if (is(kBackfill, kClear))
    command->add_flag("--dry-run", options.dry_run, "say what would be done, and do nothing");
  if (is(kRuns))
    command->add_option("--limit", options.limit, "the last so many")->capture_default_str();
  if (is(kLogs)) {
    command->add_option("task", options.task, "its id")->required();
    command->add_option("--run", options.run, "of this run (default: the last one)");
    command->add_option("--try", options.try_number, "of this try (default: the last one)");
    command->add_option("--map-index", options.map_index, "of this instance of a mapped task");
    command->add_flag("--follow", options.follow, "until the try is over");
  }
  if (!is(kTest)) command->add_flag("--json", options.json, "a JSON object a line");
  if (!is(kTest, kShow)) command->add_option("--data", options.data, kDataHelp);
}

void add_dags(CLI::App& app, int& code) {
  using Action = DagsOptions::Action;
  auto* dags = app.add_subcommand("dags", "workflows: list, run, backfill, clear, logs, test …");
  dags->require_subcommand(1);
  for (auto [name, about, action] :
       {std::tuple{"list", "every DAG with its schedule", Action::kList},
        {"show", "a DAG's tasks in their order", Action::kShow},
        {"test", "run a DAG once, here and now, and print what it does", Action::kTest},
        {"run", "ask for a run", Action::kRun},
        {"runs", "the last runs of a DAG", Action::kRuns},
        {"backfill", "the runs between two dates", Action::kBackfill},
        {"clear", "let tasks run again", Action::kClear},
        {"pause", "start no runs", Action::kPause},
        {"unpause", "start runs again", Action::kUnpause},
        {"logs", "what a task has written", Action::kLogs}}) {
    auto options = std::make_shared<DagsOptions>();
    options->action = action;
    auto* command = dags->add_subcommand(name, about);
    if (action != Action::kList) command->add_option("dag", options->dag, "its id")->required();
    add_dags_options(command, *options);
    command->add_option("--project", options->project, "the project's folder")
        ->capture_default_str();
    command->callback([=, &code] { code = dags_command(*options); });
  }
  dags->footer(
      "Examples:\n"
      "  tailrace dags list\n"
      "  tailrace dags test user_automation --conf '{\"seconds\": 5}'\n"
      "  tailrace dags run user_automation --wait\n"
      "  tailrace dags backfill user_automation --from 2026-01-01 --to 2026-01-31 --dry-run\n"
      "  tailrace dags clear user_automation --run manual__1 --failed --downstream\n"
      "  tailrace dags logs user_automation fetch --follow\n\n"
      "DAGs are dag-factory's YAML in the project's folder dags/; `tailrace run` schedules them.\n"
      "list, show and test read the files; the others ask the program that runs on the project,\n"
      "and log in as TAILRACE_AIRFLOW_USER with TAILRACE_AIRFLOW_PASSWORD where it wants that.\n"
      "test keeps nothing, and ends with 1 when the run failed, as run --wait and backfill do.");
}

void add_alerts(CLI::App& app, int& code) {
  using Action = AlertsOptions::Action;
  auto* alerts =
      app.add_subcommand("alerts", "rules and what fires: list, test, silence, history …");
  alerts->require_subcommand(1);
  for (auto [name, about, action] :
       {std::tuple{"list", "every rule with its alerts, channels and silences", Action::kList},
        {"test", "send a marked test message and say what came back", Action::kTest},
        {"silence", "tell nothing of the alerts that fit, for a while", Action::kSilence},
        {"unsilence", "end a silence", Action::kUnsilence},
        {"history", "what alerts became, the newest first", Action::kHistory}}) {
    auto options = std::make_shared<AlertsOptions>();
    options->action = action;
    auto* command = alerts->add_subcommand(name, about);
    if (action == Action::kTest)
      command->add_option("name", options->name,
                          "a channel, or a rule, whose channels it goes through (default: all)");
    if (action == Action::kHistory) {
      command->add_option("rule", options->name, "of this rule alone");
      command->add_option("--limit", options->limit, "so many")
          ->check(CLI::Range(1, 1000))
          ->capture_default_str();
    }
    if (action == Action::kUnsilence)
      command->add_option("id", options->name, "its id, as `list` shows it")->required();
    if (action == Action::kSilence) {
      command
          ->add_option("matchers", options->matchers,
                       "as in Alertmanager: alertname=\"x\", hop=~\"fetched.*\"")
          ->required();
      command->add_option("--duration", options->duration, "30m, 2h, 7d")->capture_default_str();
      command->add_option("--comment", options->comment, "why");
    }
    command->add_option("--project", options->project, "the project's folder")
        ->capture_default_str();
    command->add_option("--data", options->data, kDataHelp);
    command->add_flag("--json", options->json, "for scripts");
    command->callback([=, &code] { code = alerts_command(*options); });
  }
  alerts->footer(
      "Examples:\n"
      "  tailrace alerts list\n"
      "  tailrace alerts test ops                      through the channel `ops`\n"
      "  tailrace alerts silence 'hop=~\"fetched.*\"' --duration 2h --comment 'API is down'\n"
      "  tailrace alerts history 'users are missing' --limit 20\n\n"
      "Rules and channels are described in tailrace.yml under `alerts` (docs/project.md). All ask\n"
      "the program that runs on the project; test works without one, too, and ends with 1 when a\n"
      "message did not arrive.");
}

void add_produce(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("produce", "send each line of standard input to a topic");
  auto options = std::make_shared<ProduceOptions>();
  command->add_option("topic", options->topic, "the topic")->required();
  command->add_option("-K,--key-separator", options->separator,
                      "what stands between key and value of a line");
  command->add_flag(
      "--json", options->json,
      "say where they are, a JSON object a partition: topic, partition, records, first, "
      "last");
  add_address(command, options->at);
  command->footer(
      "Examples:\n"
      "  tailrace produce users_created < users.jsonl\n"
      "  echo 'k1:{\"n\": 1}' | tailrace produce numbers -K :\n\n"
      "It ends when every line is on the broker's disk, and says how many there were.");
  command->callback([=, &code] { code = produce_command(*options); });
}

void add_consume(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("consume", "print a topic's records");
  auto options = std::make_shared<ConsumeOptions>();
  command->add_option("topic", options->topic, "the topic")->required();
  command->add_option("--from", options->from, "beginning, end or an offset")
      ->capture_default_str();
  command->add_option("--partition", options->partition, "one partition only");
  command->add_option("-n,--limit", options->limit, "so many records at most");
  command->add_flag("-f,--follow", options->follow, "wait for more, until Ctrl-C");
  command->add_flag("--json", options->json,
                    "a JSON object a record: partition, offset, timestamp, key, value");
  command->add_flag("--raw", options->raw, "the bytes as they are, whatever schema they name");
  add_registry(command, options->registry);
  add_address(command, options->at);
  command->footer(
      "Examples:\n"
      "  tailrace consume users_created -n 3\n"
      "  tailrace consume users_created --from end --follow --json | jq .key\n\n"
      "Keys and values in Avro, JSON Schema or Protobuf are shown as JSON by the schema whose id\n"
      "they begin with; --json tells it beside them.\n"
      "It takes part in no group: nothing is committed. Records of aborted transactions are not\n"
      "shown.");
  command->callback([=, &code] { code = consume_command(*options); });
}

void add_containers(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("compose", "files of Docker Compose for a project");
  auto options = std::make_shared<ComposeOptions>();
  command->add_option("project", options->project, "the project's folder")->required();
  command->add_option("--out", options->out, "where to write (default: PROJECT/compose)");
  command->add_flag("--real", options->real,
                    "on Kafka, a registry, Cassandra, Airflow: those that the project needs");
  command->add_flag("--all", options->all, "on all of them, Spark too");
  command->footer(
      "Examples:\n"
      "  tailrace compose my_project && cd my_project/compose && docker compose up --wait\n"
      "  tailrace compose my_project --real --out stack\n\n"
      "Without --real it is one container with one volume; roles that the project itself has at\n"
      "hosts named kafka, registry, cassandra or postgres get those services. .env is kept where\n"
      "it is there: it has the passwords.");
  command->callback([=, &code] { code = compose_command(*options); });
  auto* health = app.add_subcommand("health", "whether a running instance answers: exit 0 or 1");
  auto url = std::make_shared<std::string>("http://127.0.0.1:9021");
  health->add_option("url", *url, "its page's address")->capture_default_str();
  health->footer("Example:\n  tailrace health http://127.0.0.1:9021");
  health->callback([=, &code] { code = health_command(*url); });
}

void add_doctor(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "doctor", "what will break in a folder with a compose file, DAGs and a Spark script");
  auto options = std::make_shared<DoctorOptions>();
  command->add_option("folder", options->folder, "the folder")->capture_default_str();
  command->add_option("--write", options->write,
                      "a folder to make: the Tailrace project that does the same");
  command->add_flag("--json", options->json, "a JSON object a finding");
  command->add_flag("--faults", options->faults, "list the faults that it knows");
  command->footer(
      "Examples:\n"
      "  tailrace doctor ../e2e-data-engineering\n"
      "  tailrace doctor ../e2e-data-engineering --write my_project && tailrace run my_project\n\n"
      "It reads files alone: nothing is started or downloaded. Each finding has its file and "
      "line,\n"
      "why it breaks and what to do. Exit 0 when there is none.");
  command->callback([=, &code] { code = doctor_command(*options); });
}

void add_lambda(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("lambda", "events of AWS's services, as a Lambda function");
  command->require_subcommand(1);
  auto run = std::make_shared<LambdaOptions>();
  run->action = LambdaOptions::Action::kRun;
  auto* running = command->add_subcommand("run", "be the function: what Lambda starts");
  running->add_option("project", run->project,
                      "a folder with a tailrace.yml that has a `lambda:` part (default: "
                      "$LAMBDA_TASK_ROOT)");
  running->footer(
      "Serves invocations of AWS_LAMBDA_RUNTIME_API until it ends; a program called `bootstrap`\n"
      "does the same without a word. Settings: TAILRACE_KAFKA=HOST:PORT, TAILRACE_TOPIC=events,\n"
      "and those of docs/lambda.md. In AWS's emulator, on your own machine:\n"
      "  TAILRACE_KAFKA=127.0.0.1:9092 TAILRACE_TOPIC=events aws-lambda-rie tailrace lambda run\n"
      "  curl -d '{\"a\": 1}' http://127.0.0.1:8080/2015-03-31/functions/function/invocations");
  running->callback([=, &code] { code = lambda_command(*run); });
  auto options = std::make_shared<LambdaOptions>();
  auto* package = command->add_subcommand("package", "write the zip that Lambda takes");
  package->add_option("project", options->project,
                      "the project's folder; without one the function is told by its environment");
  package->add_option("-o,--out", options->out, "the zip")->capture_default_str();
  package->add_option("--arch", options->architecture, "of the function")
      ->check(CLI::IsMember({"x86_64", "arm64"}))
      ->capture_default_str();
  package->add_option("--binary", options->binary,
                      "a function built elsewhere (build/src/lambda/bootstrap there)");
  package->add_flag("--template", options->print_template,
                    "print an AWS SAM template with its sources instead");
  package->add_flag("--json", options->json, "one JSON object about the zip");
  package->footer(
      "Examples:\n"
      "  tailrace lambda package my_project\n"
      "  tailrace lambda package my_project --template > template.yaml && sam deploy --guided\n\n"
      "The zip holds a program of its own, without any library, the `lambda:` part of the\n"
      "project's tailrace.yml and the files that it names. Events of S3, SQS, Kinesis, DynamoDB,\n"
      "SNS, EventBridge, API Gateway, load balancers and Kafka, and any other JSON, become\n"
      "records of a Kafka topic; docs/lambda.md says how.");
  package->callback([=, &code] { code = lambda_command(*options); });
}

void add_sources(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("sources", "where records can come from, and every option");
  auto type = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("type", *type, "a type: its options (default: the types)");
  command->add_flag("--json", *json, "a JSON object a type");
  command->footer(
      "Examples:\n"
      "  tailrace sources                 fake, http, files, … a line each\n"
      "  tailrace sources http            its options, their defaults and what they do\n"
      "  tailrace sources --json | jq -r '.type + \": \" + (.options | map(.name) | join(\" "
      "\"))'\n\n"
      "The type stands after `use:` of an entry of `ingest` in tailrace.yml, its options in a "
      "block\n"
      "of the type's name beside it. An option that a type does not have is refused by `check`.");
  command->callback([=, &code] { code = sources_command(*type, *json); });
}

int run_main(int argc, char** argv) {
  CLI::App app{kAbout, "tailrace"};
  app.require_subcommand(1);
  int code = 0;
  add_run(app, code);
  add_simple(app, code);
  add_status(app, code);
  add_sql(app, code);
  add_redrive(app, code);
  add_spark(app, code);
  add_airflow(app, code);
  add_broker(app, code);
  add_registry(app, code);
  add_serve(app, code);
  add_topics(app, code);
  add_groups(app, code);
  add_schemas(app, code);
  add_dags(app, code);
  add_alerts(app, code);
  add_containers(app, code);
  add_doctor(app, code);
  add_lambda(app, code);
  add_sources(app, code);
  add_produce(app, code);
  add_consume(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    std::cerr << "tailrace: " << e.what() << "\n";
    return 1;
  }
  return code;
}

}  // namespace

}  // namespace tailrace::app

namespace {

/// Steps use the same large buffers again and again: freed memory stays with the process (the
/// pipeline gives it back when it idles) instead of being mapped and cleared anew each time.
void keep_freed_memory() {
  constexpr int kBytes = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kBytes);
  mallopt(M_TRIM_THRESHOLD, kBytes);
  mallopt(M_ARENA_MAX, 1);
  setenv("ARROW_DEFAULT_MEMORY_POOL", "system", 0);
}

/// Two files a partition and one a connection: as many as the system lets a process have.
void allow_many_files() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1 && std::string_view(argv[0]).ends_with("bootstrap"))
    return tailrace::app::lambda_command(
        {.action = tailrace::app::LambdaOptions::Action::kRun, .project = {}, .binary = {}});
  allow_many_files();
  keep_freed_memory();
  return tailrace::app::run_main(argc, argv);
}
