// ProduceToTopicOperator, ConsumeFromTopicOperator, AwaitMessageSensor: a Kafka of a connection,
// and functions of the author's over its messages.
#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "jinja/json.h"
#include "kafka_log/plain_client.h"
#include "tasks/operators.h"
#include "tasks/python_call.h"

namespace tailrace::tasks {
namespace {

using jinja::List;
using jinja::Value;
using kafka_log::PlainConsumer;
using kafka_log::PlainMessage;
using kafka_log::PlainProducer;
using kafka_log::PlainSettings;
using nlohmann::json;

const Value* given(const Context& context, std::string_view name) {
  const Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

/// The connection's extra: librdkafka's settings. What is no plain value there (callbacks) is left.
Result<PlainSettings> settings_of(Context& context) {
  ASSIGN(const std::string id, text_argument(context, "kafka_config_id", "kafka_default"));
  ASSIGN(const auto connection, context.connection(id));
  PlainSettings settings;
  if (connection.extra && !connection.extra->empty()) {
    ASSIGN(const Value extra, jinja::from_json(*connection.extra));
    if (extra.dict() != nullptr) {
      for (const auto& [name, value] : extra.dict()->items()) {
        const std::string& word = name.text();
        if (value.dict() != nullptr || value.list() != nullptr || word.ends_with("_cb")) continue;
        settings[word] =
            value.boolean() != nullptr ? (*value.boolean() ? "true" : "false") : value.text();
        if (word.find("password") != word.npos || word.find("secret") != word.npos)
          context.log.mask(value.text());
      }
    }
  }
  if (settings["bootstrap.servers"].empty())
    return error(Code::kInvalidArgument,
                 fmt::format("connection {}: its extra has no bootstrap.servers", id));
  return settings;
}

Result<std::vector<std::string>> topics_of(const Context& context) {
  const Value* value = given(context, "topics");
  std::vector<std::string> topics;
  if (value == nullptr) return error(Code::kInvalidArgument, "topics: is missing");
  if (value->string() != nullptr) return std::vector{*value->string()};
  const List* list = value->list() != nullptr    ? value->list()
                     : value->tuple() != nullptr ? &value->tuple()->items
                                                 : nullptr;
  if (list == nullptr) return error(Code::kInvalidArgument, "topics: must be a list of names");
  for (const auto& one : *list) topics.push_back(one.text());
  return topics;
}

json bytes_json(const std::optional<std::string>& bytes) {
  return bytes ? json(encode_base64(*bytes)) : json();
}

json message_json(const PlainMessage& message) {
  json headers = json::array();
  for (const auto& [name, value] : message.headers) headers.push_back({name, bytes_json(value)});
  return {{"__classname__", "tailrace.kafka_message"},
          {"__version__", 1},
          {"__data__",
           {{"topic", message.topic},
            {"partition", message.partition},
            {"offset", message.offset},
            {"timestamp", {message.timestamp_type, message.timestamp_ms}},
            {"key", bytes_json(message.key)},
            {"value", bytes_json(message.value)},
            {"headers", std::move(headers)}}}};
}

/// A job with the arguments that functions get before and beside the messages.
Result<json> job_of(const Context& context, std::string_view function, std::string_view prefix) {
  json job = python_job(context);
  ASSIGN(const bool is_given, take_function(context, function, job));
  if (!is_given) return json();
  const std::string word(prefix);
  if (const Value* args = given(context, word + "_args")) {
    json list = value_json(*args);
    job["args"] = list.is_object() && list.contains("__data__") ? list["__data__"] : list;
  }
  if (const Value* kwargs = given(context, word + "_kwargs")) job["kwargs"] = value_json(*kwargs);
  job["context_free"] = true;
  return job;
}

/// The function over messages: one by one (a list of what it returned), or over all at once.
Result<Called> call(Context& context, json job, const std::vector<PlainMessage>& messages,
                    bool each) {
  json told = json::array();
  for (const auto& one : messages) told.push_back(message_json(one));
  job[each ? "each" : "batch"] = std::move(told);
  return call_python(context, std::move(job));
}

class Produce final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto outcome = produce(context);
    return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
  }

 private:
  static Result<Outcome> produce(Context& context) {
    ASSIGN(const std::string topic, text_argument(context, "topic"));
    ASSIGN(json job, job_of(context, "producer_function", "producer_function"));
    if (topic.empty() || job.is_null())
      return error(Code::kInvalidArgument,
                   fmt::format("topic and producer_function must be provided. Got topic={} and "
                               "producer_function={}",
                               topic, job.is_null() ? "None" : "one"));
    job["result"] = "records";
    ASSIGN(const PlainSettings settings, settings_of(context));
    ASSIGN(auto producer, PlainProducer::open(settings));
    ASSIGN(auto called, call_python(context, std::move(job)));
    if (!called.outcome.how_is_success()) return std::move(called.outcome);
    const auto part = [](const json& one) {
      return one.is_string() ? decode_base64(one.get<std::string>()) : std::nullopt;
    };
    for (const auto& one : called.value)
      TRY(producer->produce(topic, part(one.at(0)), part(one.at(1))));
    TRY(producer->flush(context.stop));
    context.log.line(fmt::format("{}: {} records", topic, called.value.size()));
    return Outcome::success();
  }
};

class Consume final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto outcome = consume(context);
    return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
  }

 private:
  struct Plan {
    json job;
    bool each = true;
    bool collects = false;
    std::string cadence;
    std::int64_t left = -1;  ///< messages; -1: to the end
    std::int64_t batch = 1000;
    std::chrono::milliseconds wait{60'000};
  };

  static Result<Plan> plan_of(const Context& context) {
    Plan plan;
    ASSIGN(plan.cadence, text_argument(context, "commit_cadence", "end_of_operator"));
    if (plan.cadence != "never" && plan.cadence != "end_of_batch" &&
        plan.cadence != "end_of_operator")
      return error(
          Code::kInvalidArgument,
          "commit_cadence must be one of {'never', 'end_of_batch', 'end_of_operator'}. Got " +
              plan.cadence);
    ASSIGN(plan.job, job_of(context, "apply_function", "apply_function"));
    ASSIGN(json batch, job_of(context, "apply_function_batch", "apply_function"));
    if (!plan.job.is_null() && !batch.is_null())
      return error(Code::kInvalidArgument,
                   "One of apply_function or apply_function_batch must be supplied, not both.");
    if (plan.job.is_null()) {
      plan.job = std::move(batch);
      plan.each = false;
    }
    ASSIGN(plan.collects, bool_argument(context, "return_apply_function_results", false));
    plan.collects = plan.collects && plan.each;
    ASSIGN(const double most, number_argument(context, "max_messages", -1));
    ASSIGN(const double size, number_argument(context, "max_batch_size", 1000));
    ASSIGN(const double wait, number_argument(context, "poll_timeout", 60));
    plan.batch = std::clamp<std::int64_t>(static_cast<std::int64_t>(size), 1, 1'000'000);
    plan.left = most < 0 ? -1 : std::max(static_cast<std::int64_t>(most), plan.batch);
    plan.wait = std::chrono::milliseconds(static_cast<std::int64_t>(wait * 1000));
    return plan;
  }

  static Result<Outcome> consume(Context& context) {
    ASSIGN(Plan plan, plan_of(context));
    ASSIGN(const PlainSettings settings, settings_of(context));
    ASSIGN(const auto topics, topics_of(context));
    ASSIGN(auto consumer, PlainConsumer::subscribe(settings, topics));
    List results;
    while (plan.left != 0) {
      const std::int64_t most = plan.left < 0 ? plan.batch : std::min(plan.batch, plan.left);
      ASSIGN(const auto messages,
             consumer->consume(static_cast<std::size_t>(most), plan.wait, context.stop));
      if (context.stop.stop_requested()) return error(Code::kCancelled, "stopped");
      if (messages.empty()) {
        context.log.line("Reached end of log. Exiting.");
        break;
      }
      if (plan.left > 0)
        plan.left -= std::min<std::int64_t>(plan.left, static_cast<std::int64_t>(messages.size()));
      if (!plan.job.is_null()) {
        json job = plan.job;
        job["keep"] = plan.collects;
        ASSIGN(auto called, call(context, std::move(job), messages, plan.each));
        if (!called.outcome.how_is_success()) return std::move(called.outcome);
        if (plan.collects) TRY(collect(called.value, results));
      }
      if (plan.cadence == "end_of_batch") TRY(commit(context, plan, *consumer));
    }
    if (plan.cadence != "never") TRY(commit(context, plan, *consumer));
    return plan.collects ? Outcome::success(Value(std::move(results))) : Outcome::success();
  }

  static Status collect(const json& values, List& results) {
    for (const auto& one : values) {
      if (one.is_null()) continue;
      ASSIGN(auto value, jinja::from_json(one.dump()));
      results.push_back(std::move(value));
    }
    return {};
  }

  static Status commit(Context& context, const Plan& plan, PlainConsumer& consumer) {
    context.log.line("committing offset at " + plan.cadence);
    return consumer.commit();
  }
};

/// Looks at the messages behind the group's offsets, one by one, until the function says something
/// of one. It is no member of the group: between two looks it holds nothing but the offsets.
class Await final : public Operator {
 public:
  Outcome run(Context& context) const override {
    Outcome other;
    // Airflow's is poll_interval here; what a sensor has by default is a minute.
    if (given(context, "poke_interval") == nullptr) {
      const Value* interval = given(context, "poll_interval");
      context.arguments.set(Value("poke_interval"), interval != nullptr ? *interval : Value(5));
    }
    Outcome looked = poke(context, [&] { return look(context, other); });
    return other.how_is_success() ? looked : other;
  }
  bool always_defers() const override { return true; }

 private:
  static Result<std::optional<Value>> look(Context& context, Outcome& other) {
    ASSIGN(PlainSettings settings, settings_of(context));
    ASSIGN(const auto topics, topics_of(context));
    for (const auto& topic : topics) {
      if (topic.starts_with('^'))
        return error(Code::kUnimplemented, topic + ": topics are named one by one here");
    }
    ASSIGN(const bool commits, bool_argument(context, "commit_offset", true));
    const auto reset = settings.find("auto.offset.reset");
    const bool latest =
        reset == settings.end() || reset->second == "latest" || reset->second == "largest";
    if (!commits && latest)
      return error(Code::kFailedPrecondition,
                   "commit_offset: false needs auto.offset.reset: earliest in the connection: else "
                   "what comes between two looks would be missed");
    ASSIGN(const json job, job_of(context, "apply_function", "apply_function"));
    ASSIGN(const double wait, number_argument(context, "poll_timeout", 1));
    settings["enable.auto.commit"] = "false";
    ASSIGN(auto consumer, PlainConsumer::assign(settings, topics, commits));
    const std::chrono::milliseconds patience(static_cast<std::int64_t>(wait * 1000));
    while (!context.stop.stop_requested()) {
      ASSIGN(const auto messages, consumer->consume(1, patience, context.stop));
      if (messages.empty()) return std::nullopt;
      ASSIGN(const Value event, event_of(context, job, messages, other));
      if (!other.how_is_success()) return Value();
      if (commits) TRY(consumer->commit(messages.front()));
      if (!event.truth()) continue;
      ASSIGN(const std::string key, text_argument(context, "xcom_push_key"));
      if (!key.empty()) TRY(context.metadata.put_xcom(context.id, key, event));
      return event;
    }
    return std::nullopt;
  }

  static Result<Value> event_of(Context& context, const json& job,
                                const std::vector<PlainMessage>& messages, Outcome& other) {
    if (job.is_null()) return messages.front().value ? Value(*messages.front().value) : Value();
    ASSIGN(auto called, call(context, job, messages, true));
    if (called.outcome.how == Outcome::How::kFailed)
      return error(Code::kAborted, called.outcome.why);
    if (!called.outcome.how_is_success()) {
      other = std::move(called.outcome);
      return Value();
    }
    return jinja::from_json(called.value.at(0).dump());
  }
};

}  // namespace

void add_kafka(OperatorTable& table) {
  const std::string kafka = "airflow.providers.apache.kafka.";
  table[kafka + "operators.produce.ProduceToTopicOperator"] = std::make_unique<Produce>();
  table[kafka + "operators.consume.ConsumeFromTopicOperator"] = std::make_unique<Consume>();
  table[kafka + "sensors.kafka.AwaitMessageSensor"] = std::make_unique<Await>();
}

}  // namespace tailrace::tasks
