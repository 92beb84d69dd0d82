// SparkSubmitOperator: spark-submit in a process of its own, with the arguments in the order in
// which Airflow's hook has them.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "jinja/json.h"
#include "tasks/operators.h"
#include "tasks/task_process.h"

namespace tailrace::tasks {
namespace {

using jinja::Dict;
using jinja::Value;

constexpr std::size_t kTail = 20;  ///< lines of output that a failure quotes

const Value* given(const Dict& dict, std::string_view name) {
  const Value* value = dict.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

/// Where `password` or `secret` begins in a word, in any case.
std::size_t secret_in(std::string_view word) {
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::min(lower.find("password"), lower.find("secret"));
}

/// A line for people: what stands behind a name that sounds secret, after = or a blank, is ******.
std::string masked(std::string_view text) {
  std::string out;
  bool hide = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (end == at) {
      out += text[at++];
      continue;
    }
    const std::size_t secret = secret_in(word);
    const std::size_t equals = secret == word.npos ? word.npos : word.find('=', secret);
    if (hide) {
      out += "******";
    } else if (equals != word.npos) {
      out += std::string(word.substr(0, equals + 1)) + "******";
    } else {
      out += word;
    }
    hide = !hide && secret != word.npos && equals == word.npos;
    at = end;
  }
  return out;
}

std::string masked(const std::vector<std::string>& command) {
  std::string text;
  for (const auto& word : command) text += (text.empty() ? "" : " ") + word;
  return masked(std::string_view(text));
}

struct Spark {
  std::string master = "yarn", deploy_mode, queue, binary, name_space, principal, keytab;
};

class SparkSubmit final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto outcome = submit(context);
    return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
  }

 private:
  static Result<Spark> spark_of(const Context& context) {
    Spark spark;
    ASSIGN(const std::string id, text_argument(context, "conn_id", "spark_default"));
    ASSIGN(spark.deploy_mode, text_argument(context, "deploy_mode"));
    ASSIGN(spark.queue, text_argument(context, "yarn_queue"));
    ASSIGN(spark.binary, text_argument(context, "spark_binary"));
    ASSIGN(spark.principal, text_argument(context, "principal"));
    ASSIGN(spark.keytab, text_argument(context, "keytab"));
    const auto connection = context.connection(id);
    Dict extra;
    if (!connection) {
      context.log.line(fmt::format("Could not load connection string {}, defaulting to yarn", id));
    } else {
      const std::string host = connection->host.value_or(""), type = connection->type.value_or("");
      const bool whole =
          type == "spark" && !host.empty() && (host.find("://") != host.npos || !connection->port);
      spark.master = whole ? host : type + "://" + host;
      if (connection->port) spark.master += ":" + std::to_string(*connection->port);
      if (connection->extra && !connection->extra->empty()) {
        ASSIGN(const Value read, jinja::from_json(*connection->extra));
        if (read.dict() != nullptr) extra = *read.dict();
      }
      if (given(extra, "spark-home") != nullptr)
        return error(Code::kInvalidArgument,
                     "The `spark-home` extra is not allowed any more. Please make sure one of "
                     "['spark-submit', 'spark2-submit', 'spark3-submit'] is available on the PATH, "
                     "and set `spark-binary` if needed.");
    }
    const auto fill = [&](std::string& field, std::string_view name) {
      const Value* value = given(extra, name);
      if (field.empty() && value != nullptr) field = value->text();
    };
    fill(spark.queue, "queue");
    fill(spark.deploy_mode, "deploy-mode");
    fill(spark.binary, "spark-binary");
    fill(spark.name_space, "namespace");
    fill(spark.principal, "principal");
    if (spark.binary.empty()) spark.binary = "spark-submit";
    if (spark.keytab.empty() && given(extra, "keytab") != nullptr)
      return error(Code::kUnimplemented, "a keytab within a connection: name its file in `keytab`");
    return spark;
  }

  /// Names and values of `conf` and of env_vars where Spark takes them as settings.
  static Status add_settings(const Context& context, const Spark& spark,
                             std::map<std::string, std::string>& environment,
                             std::vector<std::string>& command) {
    std::string name_space = spark.name_space;
    const auto add = [&](const std::string& setting) {
      command.insert(command.end(), {"--conf", setting});
    };
    if (const Value* conf = given(context.arguments, "conf"); conf != nullptr && conf->dict()) {
      for (const auto& [name, value] : conf->dict()->items()) {
        add(name.text() + "=" + value.text());
        if (name.text() == "spark.kubernetes.namespace") name_space = value.text();
      }
    }
    const bool kubernetes = spark.master.starts_with("k8s");
    const bool yarn = spark.master.find("yarn") != std::string::npos;
    const Value* variables = given(context.arguments, "env_vars");
    if (variables != nullptr && variables->dict() != nullptr && variables->truth()) {
      if (!kubernetes && !yarn && spark.deploy_mode == "cluster")
        return error(Code::kInvalidArgument,
                     "SparkSubmitHook env_vars is not supported in standalone-cluster mode.");
      for (const auto& [name, value] : variables->dict()->items()) {
        if (yarn) add(fmt::format("spark.yarn.appMasterEnv.{}={}", name.text(), value.text()));
        if (kubernetes)
          add(fmt::format("spark.kubernetes.driverEnv.{}={}", name.text(), value.text()));
        if (!kubernetes) environment[name.text()] = value.text();
      }
    }
    if (kubernetes && !name_space.empty()) add("spark.kubernetes.namespace=" + name_space);
    return {};
  }

  static Result<std::vector<std::string>> command_of(
      const Context& context, const Spark& spark, std::map<std::string, std::string>& environment) {
    std::vector<std::string> command = {spark.binary, "--master", spark.master};
    TRY(add_settings(context, spark, environment, command));
    const auto add = [&](const std::string& flag, std::string_view argument) {
      const Value* value = given(context.arguments, argument);
      if (value != nullptr && value->truth()) command.insert(command.end(), {flag, value->text()});
    };
    const auto put = [&](const std::string& flag, const std::string& value) {
      if (!value.empty()) command.insert(command.end(), {flag, value});
    };
    add("--properties-file", "properties_file");
    add("--files", "files");
    add("--py-files", "py_files");
    add("--archives", "archives");
    add("--driver-class-path", "driver_class_path");
    add("--jars", "jars");
    add("--packages", "packages");
    add("--exclude-packages", "exclude_packages");
    add("--repositories", "repositories");
    add("--num-executors", "num_executors");
    add("--total-executor-cores", "total_executor_cores");
    add("--executor-cores", "executor_cores");
    add("--executor-memory", "executor_memory");
    add("--driver-memory", "driver_memory");
    put("--keytab", spark.keytab);
    put("--principal", spark.principal);
    ASSIGN(const bool ccache, bool_argument(context, "use_krb5ccache", false));
    if (ccache) {
      const char* cache = std::getenv("KRB5CCNAME");
      if (cache == nullptr)
        return error(Code::kFailedPrecondition,
                     "KRB5CCNAME environment variable required to use ticket ccache is missing.");
      environment["KRB5CCNAME"] = cache;
      put("--conf", "spark.kerberos.renewal.credentials=ccache");
    }
    add("--proxy-user", "proxy_user");
    ASSIGN(const std::string name, text_argument(context, "name", "arrow-spark"));
    put("--name", name);
    add("--class", "java_class");
    ASSIGN(const bool verbose, bool_argument(context, "verbose", false));
    if (verbose) command.emplace_back("--verbose");
    put("--queue", spark.queue);
    put("--deploy-mode", spark.deploy_mode);
    ASSIGN(const std::string application, text_argument(context, "application"));
    command.push_back(application);
    const Value* rest = given(context.arguments, "application_args");
    if (rest != nullptr && rest->list() != nullptr) {
      for (const auto& one : *rest->list()) command.push_back(one.text());
    }
    return command;
  }

  static Result<Outcome> submit(Context& context) {
    ASSIGN(const Spark spark, spark_of(context));
    if (spark.deploy_mode == "cluster" && spark.master.starts_with("spark://"))
      return error(
          Code::kUnimplemented,
          "deploy_mode cluster on a standalone master: the driver's status is not followed "
          "here; take client, or run this DAG on Airflow");
    ASSIGN(Command command, task_command(context, {}, task_environment(context)));
    for (const char* name : {"SPARK_HOME", "SPARK_CONF_DIR", "HADOOP_HOME", "HADOOP_CONF_DIR",
                             "YARN_CONF_DIR", "PYSPARK_PYTHON"}) {
      if (const char* value = std::getenv(name)) command.environment.try_emplace(name, value);
    }
    ASSIGN(command.arguments, command_of(context, spark, command.environment));
    context.log.line("Spark-Submit cmd: " + masked(command.arguments));
    std::deque<std::string> tail;
    ASSIGN(const Ended ended, run_process(
                                  command,
                                  [&](std::string_view line) {
                                    tail.push_back(masked(line));
                                    context.log.line(tail.back());
                                    if (tail.size() > kTail) tail.pop_front();
                                  },
                                  context.stop, context.process_started));
    if (auto why = why_ended(context, ended)) return Outcome::failed(std::move(*why));
    if (ended.code == 0) return Outcome::success();
    std::string why = fmt::format("Cannot execute: {}. Error code is: {}.",
                                  masked(command.arguments), ended.code);
    if (!tail.empty()) why += "\nLast spark-submit output:";
    for (const auto& line : tail) why += "\n" + line;
    return Outcome::failed(std::move(why));
  }
};

}  // namespace

void add_spark(OperatorTable& table) {
  table["airflow.providers.apache.spark.operators.spark_submit.SparkSubmitOperator"] =
      std::make_unique<SparkSubmit>();
}

}  // namespace tailrace::tasks
