#include "compose/compose.h"

#include <sys/random.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "compose/ingest_needs.h"
#include "compose/services.h"
#include "compose/settings.h"

namespace tailrace::compose {
namespace {

namespace fs = std::filesystem;

/// What a URL names as its hosts: scheme://[user@]HOST[:PORT][,HOST…][/…].
std::vector<std::string> hosts_of(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return {};
  std::string rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  if (const auto at = rest.rfind('@'); at != std::string::npos) rest = rest.substr(at + 1);
  std::vector<std::string> hosts;
  for (std::size_t from = 0; from <= rest.size();) {
    const auto comma = std::min(rest.find(',', from), rest.size());
    const std::string one = rest.substr(from, comma - from);
    const bool bracket = one.starts_with('[');
    hosts.push_back(bracket ? one.substr(1, one.find(']') - 1) : one.substr(0, one.find(':')));
    from = comma + 1;
  }
  return hosts;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1";
}

/// Where the block `alerts` begins and ends in tailrace.yml; an empty stretch where there is none.
std::pair<std::size_t, std::size_t> alerts_of(const std::string& text) {
  const std::string key = "\nalerts:";
  const auto begin = ("\n" + text).find(key);
  if (begin == std::string::npos) return {text.size(), text.size()};
  for (auto line = text.find('\n', begin); line != std::string::npos;
       line = text.find('\n', line + 1)) {
    const char first = line + 1 < text.size() ? text[line + 1] : ' ';
    if (first != ' ' && first != '#' && first != '\n' && first != '-') return {begin, line + 1};
  }
  return {begin, text.size()};
}

std::string lower_name(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0;
    out += word ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : '_';
  }
  return out;
}

/// 32 hexadecimal digits that nobody guesses.
std::string made_up_password() {
  unsigned char bytes[16];
  std::size_t have = 0;
  while (have < sizeof bytes) {
    const ssize_t got = getrandom(bytes + have, sizeof bytes - have, 0);
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  std::string out;
  for (const unsigned char byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

/// Where each role of the project is to be in the containers.
struct Places {
  std::string log, registry, engine, serving, staging, schedule;
  std::string metadata;  ///< of the schedule, where that is ours
};

/// The database beside Airflow's own.
constexpr std::string_view kStaging = "postgresql://postgres:5432/postgres";

/// The Spark beside us.
constexpr std::string_view kEngine = "spark://spark-master:7077";

/// The Airflow of the containers, who asks it being admin.
constexpr std::string_view kAirflow = "http://airflow:8080";

bool own_airflow(const Options& options) {
  return options.real && options.workflows;
}

bool has_schemas(const pipeline::Project& project) {
  return std::ranges::any_of(project.topics,
                             [](const auto& topic) { return topic.values.has_value(); });
}

Places places_of(const pipeline::Project& project, const Options& options) {
  const pipeline::Roles& roles = project.roles;
  Places at{roles.log,     roles.registry, roles.engine,        roles.serving,
            roles.staging, roles.schedule, project.metadata.url};
  if (!options.real) return at;
  at.log = "kafka://kafka:9092";
  if (options.all || has_schemas(project)) at.registry = "http://registry:8081/apis/ccompat/v7";
  if (options.all) at.engine = kEngine;
  if (options.all || !project.serving.empty())
    at.serving = "cassandra://cassandra:9042/" + lower_name(project.name);
  if (options.all || !project.stages.empty()) at.staging = kStaging;
  if (own_airflow(options)) {
    at.schedule = kAirflow;
    at.metadata = "embedded";
  }
  return at;
}

/// The services beside ours, by the names in services.cc.
std::set<std::string_view> wanted(const Places& at, const Options& options) {
  std::set<std::string_view> names;
  const auto on = [&](const std::string& url, std::string_view service) {
    if (const auto hosts = hosts_of(url); std::ranges::find(hosts, service) != hosts.end())
      names.insert(service);
  };
  on(at.log, "kafka");
  on(at.registry, "registry");
  on(at.serving, "cassandra");
  on(at.staging, "postgres");
  on(at.metadata, "postgres");
  if (names.contains("registry")) names.insert("kafka");
  if (options.real && (options.all || options.workflows))
    names.insert({"airflow", "postgres", "minio"});
  if (at.engine == kEngine) names.insert("spark");
  if (options.real && names.contains("kafka")) names.insert("zookeeper");
  return names;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// Secrets and certificates lie where tailrace.yml looks for them, seen from /project.
std::string mounts_of(const std::vector<std::string>& outside, const std::string& folder) {
  std::string text;
  for (const std::string& path : outside) {
    const fs::path here = fs::path(path).is_absolute() ? fs::path(path) : fs::path(folder) / path;
    const fs::path there = (fs::path("/project") / path).lexically_normal();
    std::string host = here.lexically_normal().string();
    if (!host.starts_with('.') && !host.starts_with('/')) host = "./" + host;
    text += "      - " + host + ":" + there.string() + ":ro\n";
  }
  return text;
}

constexpr std::string_view kWaits = R"(
      kafka: {condition: service_healthy, required: false}
      kafka-zookeeper: {condition: service_healthy, required: false})";

/// What a container of ours is given.
struct Given {
  std::string settings;              ///< tailrace.yml as the container sees it
  bool own_settings = false;         ///< not as the project's folder has it
  std::vector<std::string> outside;  ///< files and folders outside the project's, to be read
  std::vector<std::string> ports;    ///< that sources listen at
  bool airflow_api = false;          ///< the workflows are here
};

/// The variables of the settings: those that must be set, and those of alerts alone: a channel
/// whose variable is not set is off.
struct Variables {
  std::set<std::string> needed, optional;
};

Variables variables_in(const Places& at, const Options& options, const std::string& settings) {
  const auto [begin, end] = alerts_of(settings);
  Variables found{.needed = variables_of(settings.substr(0, begin) + settings.substr(end)),
                  .optional = variables_of(settings.substr(begin, end - begin))};
  std::erase_if(found.optional, [&](const auto& name) { return found.needed.contains(name); });
  // Those of services beside ours are made up.
  if (options.real && at.staging == kStaging) found.needed.erase("POSTGRES_PASSWORD");
  if (own_airflow(options)) found.needed.erase("AIRFLOW_PASSWORD");
  return found;
}

/// That with Spark's programs in it, where Spark keeps the tables.
std::string image_of(const Places& at, const Options& options) {
  return (at.engine == "embedded" ? "tailrace:" : "tailrace-spark:") + options.version;
}

std::string environment_of(const Places& at, const Options& options, const Given& given) {
  const Variables variables = variables_in(at, options, given.settings);
  std::string text;
  if (options.real && at.staging == kStaging)
    text += "      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}\n";
  if (own_airflow(options)) text += "      AIRFLOW_PASSWORD: ${AIRFLOW_PASSWORD:?set it in .env}\n";
  if (given.airflow_api)
    text += "      AIRFLOW_USERS: \"admin: ${AIRFLOW_PASSWORD:?set it in .env}\"\n";
  for (const std::string& name : variables.needed)
    text += "      " + name + ": ${" + name + ":?tailrace.yml asks for it}\n";
  for (const std::string& name : variables.optional)
    text += "      " + name + ": ${" + name + ":-}\n";
  return text.empty() ? text : "    environment:\n" + text;
}

/// Ours: the whole pipeline, or with real systems its connectors, engine and control centre.
std::string tailrace_service(const Places& at, const Options& options,
                             const std::set<std::string_view>& services, const Given& given) {
  const bool log = at.log == "embedded", registry = at.registry == "embedded";
  const bool serving = at.serving == "embedded", spark = at.engine != "embedded";
  const auto door = [](bool here, std::string_view port) {
    return here ? "\"0.0.0.0:" + std::string(port) + "\"" : std::string("\"off\"");
  };
  std::string text = "\n  tailrace:\n    image: " + image_of(at, options) + "\n";
  text += "    hostname: tailrace\n";
  text +=
      "    command: [run, /project, --data, /data, --console, \"0.0.0.0:9021\",\n      --kafka, ";
  text += door(log, "9092") + ", --registry, " + door(registry, "8081") + ", --cql, " +
          door(serving, "9042");
  if (options.hooks) text += ",\n      --hooks, " + door(true, "9080");
  if (given.airflow_api)
    text +=
        ",\n      --airflow, " + door(true, "8080") + ", --airflow-users, \"env:AIRFLOW_USERS\"";
  text += "]\n";
  text += environment_of(at, options, given);
  text += "    ports:\n      - \"127.0.0.1:9021:9021\"   # the page, the API, /metrics\n";
  if (registry && !services.contains("registry")) text += "      - \"127.0.0.1:8081:8081\"\n";
  if (options.hooks)
    text += "      - \"127.0.0.1:9080:9080\"   # webhooks and calls of functions\n";
  if (serving) text += "      - \"127.0.0.1:9042:9042\"   # cqlsh and CQL's drivers\n";
  if (log)
    text +=
        "      - \"127.0.0.1:9092:9092\"   # Kafka's clients on the host know it as tailrace:9092 "
        "(/etc/hosts)\n";
  if (given.airflow_api)
    text += "      - \"127.0.0.1:8080:8080\"   # Airflow's REST API: admin and AIRFLOW_PASSWORD\n";
  for (const std::string& port : given.ports)
    text += "      - \"127.0.0.1:" + port + "\"   # a source listens\n";
  text += "    volumes:\n      - " + options.folder + ":/project:ro\n";
  if (given.own_settings) text += "      - ./tailrace.yml:/project/tailrace.yml:ro\n";
  text += mounts_of(given.outside, options.folder);
  text += "      - tailrace:/data\n";
  std::string waits;
  if (services.contains("zookeeper"))
    waits += kWaits;
  else if (services.contains("kafka"))
    waits += "\n      kafka: {condition: service_healthy}";
  for (const std::string_view name : {"registry", "cassandra", "postgres"})
    if (services.contains(name) &&
        (name != "postgres" || at.staging != "embedded" || at.metadata != "embedded"))
      waits += "\n      " + std::string(name) + ": {condition: service_healthy}";
  if (services.contains("spark")) waits += "\n      spark-worker: {condition: service_healthy}";
  if (!waits.empty()) text += "    depends_on:" + waits + "\n";
  text += R"(    user: "10001:10001"
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    healthcheck:
      test: [CMD, tailrace, health, "http://127.0.0.1:9021"]
      interval: 10s
      timeout: 5s
      retries: 6
      start_period: 10s
    stop_grace_period: 60s
    mem_limit: )";
  // An update of Spark has its driver and its client here.
  if (spark)
    text += services.contains("spark") ? "1088m\n" : "4g\n";
  else
    text += services.empty() ? "1g\n" : "256m\n";
  return text + "    restart: unless-stopped\n";
}

/// Airflow reads the connections of the project's own tailrace.yml by a module that is beside its
/// DAGs, and what they name of the environment is to be in its own.
std::string secrets_backend(const Options& options) {
  std::string text =
      "      AIRFLOW__SECRETS__BACKEND: tailrace_provider.secrets.ProjectSecrets\n"
      "      AIRFLOW__SECRETS__BACKEND_KWARGS: '{\"project\": \"/opt/airflow/project\"}'\n"
      "      PYTHONPATH: /opt/airflow/dags\n";
  for (const std::string& name : variables_of(options.settings))
    text += "      " + name + ": ${" + name + ":-}\n";
  return text;
}

std::string compose_text(const pipeline::Project& project, const Places& at, const Options& options,
                         const Given& given) {
  const auto services = wanted(at, options);
  std::string text = "# " + project.name + " in containers: docker compose up --wait\n";
  text += "# The image: docker build -t " + image_of(at, options) +
          (at.engine == "embedded" ? "" : " --target tailrace-spark") +
          " -f deploy/Dockerfile . in the sources of Tailrace.\n";
  if (options.real)
    text += "# Passwords and profiles are in .env. A service is asked by its name; 6 GB in all.\n";
  text += "name: " + lower_name(project.name) + "\n\nservices:";
  text += tailrace_service(at, options, services, given);
  std::vector<std::string_view> volumes = {"tailrace"};
  for (const Service& service : real_services()) {
    if (!services.contains(service.name)) continue;
    std::string one = replaced(std::string(service.text), "@PROJECT@", options.folder);
    one = replaced(one, "@PACKAGES@", options.packages);
    one = replaced(one, "@SPARK_IMAGE@", image_of(at, options));
    constexpr std::string_view kRequirements = "      _PIP_ADDITIONAL_REQUIREMENTS";
    if (options.secrets)
      one = replaced(one, std::string(kRequirements),
                     secrets_backend(options) + std::string(kRequirements));
    if (!services.contains("zookeeper") && service.name != "zookeeper") {
      // Only one kind of Kafka is there, so that no profile has to choose.
      one = replaced(one, "    profiles: [kraft]\n", "");
      one = replaced(one, "      kafka-zookeeper: {condition: service_healthy, required: false}\n",
                     "");
      one = replaced(one, "kafka: {condition: service_healthy, required: false}",
                     "kafka: {condition: service_healthy}");
    }
    text += one;
    volumes.insert(volumes.end(), service.volumes.begin(), service.volumes.end());
  }
  text += "\nvolumes:\n";
  for (const std::string_view volume : volumes) text += "  " + std::string(volume) + ":\n";
  return text;
}

/// As Compose reads a value: nothing in single quotes is more than it is but a quote.
std::string env_line(const std::string& name, const std::string& value) {
  return name + "='" + replaced(value, "'", "\\'") + "'\n";
}

std::string variable_lines(const Variables& variables,
                           const std::map<std::string, std::string>& environment) {
  std::string text;
  for (const std::string& name : variables.needed) {
    const auto known = environment.find(name);
    text += known == environment.end() ? name + "=\n" : env_line(name, known->second);
  }
  for (const std::string& name : variables.optional)
    if (const auto known = environment.find(name); known != environment.end())
      text += env_line(name, known->second);
  return text;
}

/// What the Spark beside us has to know that the project does not say: whom its workers ask, and
/// what fits into the containers. Spark asks for 450 MB of heap at least, as the collector counts
/// them; the serial one is what Java takes by itself in so small a container, and the compiler for
/// short lives is enough for an update. A table's log is read in few parts: there is one core.
std::map<std::string, std::string> engine_properties(const pipeline::RemoteEngineSpec& said) {
  constexpr const char* kSmall = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1";
  std::map<std::string, std::string> properties = {
      {"spark.databricks.delta.snapshotPartitions", "2"},
      {"spark.driver.bindAddress", "0.0.0.0"},
      {"spark.driver.extraJavaOptions", kSmall},
      {"spark.driver.host", "tailrace"},
      {"spark.driver.memory", "470m"},
      {"spark.executor.extraJavaOptions", kSmall},
      {"spark.executor.memory", "470m"}};
  std::erase_if(properties, [&](const auto& one) { return said.properties.contains(one.first); });
  return properties;
}

/// A role that stays where it is keeps what its settings say beside the place: who asks, its
/// certificates, its properties.
std::string roles_text(const pipeline::Roles& roles, const Places& at, const Options& options,
                       const std::map<std::string, std::string>& written) {
  std::string text = "roles:\n";
  const auto add = [&](const std::string& name, const std::string& was, const std::string& is) {
    const auto own = written.find(name);
    const std::string value = is == was && own != written.end() ? own->second : is;
    text += "  " + name + ": " + value + "\n";
  };
  add("log", roles.log, at.log);
  add("registry", roles.registry, at.registry);
  add("serving", roles.serving, at.serving);
  const auto engine = written.find("engine");
  if (at.engine == kEngine)
    text += "  engine: " +
            with_engine(engine == written.end() ? "" : engine->second, at.engine,
                        engine_properties(roles.remote_engine)) +
            "\n";
  else if (at.engine != "embedded")
    add("engine", roles.engine, at.engine);
  if (roles.lake != "embedded") add("lake", roles.lake, roles.lake);
  if (at.staging == kStaging)
    text += "  staging: {url: \"" + at.staging +
            "\", user: airflow, password: \"${POSTGRES_PASSWORD}\"}\n";
  else if (at.staging != "embedded")
    add("staging", roles.staging, at.staging);
  if (own_airflow(options))
    text += "  schedule: {url: \"" + at.schedule +
            "\", user: admin, password: \"${AIRFLOW_PASSWORD}\"}\n";
  else if (at.schedule != "embedded")
    add("schedule", roles.schedule, at.schedule);
  if (at.metadata != "embedded") add("metadata", at.metadata, at.metadata);
  return text;
}

Status check_reachable(const Places& at) {
  for (const std::string& url :
       {at.log, at.registry, at.engine, at.serving, at.staging, at.schedule, at.metadata})
    for (const std::string& host : hosts_of(url))
      if (is_loopback(host))
        return error(
            Code::kFailedPrecondition,
            "a role is at " + host +
                ", which in a container is that container itself: name a service (kafka, "
                "registry, spark-master, cassandra, postgres) or a host, or let --real choose");
  return {};
}

}  // namespace

std::string with_roles(const std::string& settings, const std::string& roles) {
  std::string out, line;
  bool inside = false, written = false;
  for (std::size_t from = 0; from < settings.size();) {
    const auto end = std::min(settings.find('\n', from), settings.size() - 1) + 1;
    line = settings.substr(from, end - from);
    from = end;
    if (inside && line.find_first_not_of(" \t\r\n") != std::string::npos && line[0] != ' ') {
      inside = false;
      out += "\n";
    }
    if (line.starts_with("roles:")) {
      inside = written = true;
      out += roles;
    }
    if (!inside) out += line;
  }
  return written ? out : out + "\n" + roles;
}

Result<std::vector<File>> compose_files(const pipeline::Project& project, const Options& options) {
  const Places at = places_of(project, options);
  TRY(check_reachable(at));
  ASSIGN(const auto written, written_roles(options.settings));
  ASSIGN(IngestNeeds needs, ingest_needs(project, options.settings));
  Given given{.settings = options.real ? with_roles(needs.settings,
                                                    roles_text(project.roles, at, options, written))
                                       : needs.settings,
              .own_settings = options.real || needs.settings != options.settings,
              .outside = {},
              .ports = std::move(needs.ports),
              .airflow_api = options.workflows && at.schedule == "embedded"};
  ASSIGN(given.outside, files_outside(given.settings));
  given.outside.insert(given.outside.end(), needs.folders.begin(), needs.folders.end());
  std::vector<File> files = {{"compose.yml", compose_text(project, at, options, given)}};
  const auto services = wanted(at, options);
  if (given.own_settings) files.push_back({"tailrace.yml", given.settings});
  if (services.contains("airflow")) {
    for (const File& file : options.loader)
      files.push_back({"airflow/" + file.name, file.text, false});
  }
  std::string secrets;
  if (services.contains("zookeeper"))
    secrets += "# kraft: Kafka 4; zookeeper: Kafka 3.9 with ZooKeeper.\nCOMPOSE_PROFILES=kraft\n";
  if (services.contains("postgres")) secrets += "POSTGRES_PASSWORD=" + made_up_password() + "\n";
  if (services.contains("minio")) secrets += "MINIO_PASSWORD=" + made_up_password() + "\n";
  if (given.airflow_api || services.contains("airflow"))
    secrets += "AIRFLOW_PASSWORD=" + made_up_password() + "\n";
  secrets += variable_lines(variables_in(at, options, given.settings), options.environment);
  if (!secrets.empty()) files.push_back({".env", secrets, true});
  return files;
}

std::set<std::string> variables_of(const std::string& text) {
  std::set<std::string> names;
  for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
    const auto line = text.rfind('\n', at) + 1;
    const auto end = text.find('}', at);
    if (end == std::string::npos) break;
    const auto first = text.find_first_not_of(" \t", line);
    if (text[first] != '#') names.insert(text.substr(at + 2, end - at - 2));
  }
  return names;
}

std::string missing_lines(const std::string& text, const std::string& wanted) {
  std::string missing;
  for (std::size_t from = 0; from < wanted.size();) {
    const auto end = std::min(wanted.find('\n', from), wanted.size() - 1) + 1;
    const std::string line = wanted.substr(from, end - from);
    from = end;
    const std::string name = line.substr(0, line.find('=') + 1);
    if (!name.empty() && !line.starts_with('#') && !("\n" + text).contains("\n" + name))
      missing += line;
  }
  return missing.empty() || text.empty() || text.ends_with('\n') ? missing : "\n" + missing;
}

}  // namespace tailrace::compose
