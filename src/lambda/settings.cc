#include "lambda/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "lambda/json.h"
#include "yaml/file.h"

namespace tailrace::lambda {
namespace {

constexpr std::string_view kPrefix = "TAILRACE_KAFKA_";
constexpr std::string_view kScheme = "kafka://";
constexpr int kMostMarginMs = 60'000;

/// What was said, by the names of the file; `kafka` is separate since its parts are librdkafka's.
struct Said {
  std::map<std::string, std::string> words;   ///< name to value
  std::map<std::string, std::string> places;  ///< name to where it was said
  std::map<std::string, std::string> properties;
};

constexpr std::pair<std::string_view, std::string_view> kWords[] = {
    {"kafka", "TAILRACE_KAFKA"},       {"topic", "TAILRACE_TOPIC"},
    {"key", "TAILRACE_KEY"},           {"envelope", "TAILRACE_ENVELOPE"},
    {"format", "TAILRACE_FORMAT"},     {"s3", "TAILRACE_S3"},
    {"rejected", "TAILRACE_REJECTED"}, {"partial", "TAILRACE_PARTIAL"},
    {"margin", "TAILRACE_MARGIN_MS"},
};

Status read_file(const std::string& path, Said& said) {
  ASSIGN(const auto file, yaml::File::load(path));
  ASSIGN(const auto parts, file.entries(file.root, "tailrace.yml", "lambda: {…}"));
  for (const auto& part : parts) {
    if (part.key != "lambda") continue;
    std::vector<std::string_view> known = {"properties", "files"};
    for (const auto& [name, variable] : kWords) known.push_back(name);
    TRY(file.only_keys(part.value, known));
    ASSIGN(const auto settings, file.entries(part.value, "lambda", "lambda: {topic: events}"));
    for (const auto& one : settings) {
      if (one.key == "files") continue;  // of the package
      if (one.key == "properties") {
        ASSIGN(const auto properties,
               file.entries(one.value, "properties", "properties: {security.protocol: SSL}"));
        for (const auto& property : properties) {
          ASSIGN(said.properties[property.key], file.text(property.value, property.key));
        }
        continue;
      }
      ASSIGN(said.words[one.key], file.text(one.value, one.key));
      said.places[one.key] = file.place(one.key_node);
    }
  }
  return {};
}

/// TAILRACE_KAFKA_SASL_USERNAME is sasl.username.
std::string property_of(std::string_view variable) {
  std::string name(variable.substr(kPrefix.size()));
  for (char& c : name) {
    if (c == '_') c = '.';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

Status read_environment(const Environment& environment, Said& said) {
  for (const auto& [name, variable] : kWords) {
    const auto found = environment.find(std::string(variable));
    if (found == environment.end() || found->second.empty()) continue;
    said.words[std::string(name)] = found->second;
    said.places[std::string(name)] = variable;
  }
  constexpr std::string_view kAll = "TAILRACE_KAFKA_PROPERTIES";
  if (const auto found = environment.find(std::string(kAll)); found != environment.end()) {
    const auto json = Json::parse(found->second);
    if (!json || !json->is_object())
      return error(Code::kInvalidArgument,
                   fmt::format("{} is no JSON object of librdkafka's settings, like "
                               "{{\"security.protocol\": \"SASL_SSL\"}}",
                               kAll));
    for (const auto& [name, value] : json->members()) said.properties[name] = value.text();
  }
  for (const auto& [variable, value] : environment)
    if (variable.starts_with(kPrefix) && variable != kAll)
      said.properties[property_of(variable)] = value;
  return {};
}

class Reader {
 public:
  explicit Reader(const Said& said) : said_(said) {}

  std::optional<std::string> word(const std::string& name) const {
    const auto found = said_.words.find(name);
    return found == said_.words.end() ? std::nullopt : std::optional(found->second);
  }
  std::unexpected<Error> fail(const std::string& name, const std::string& what) const {
    return error(Code::kInvalidArgument, said_.places.at(name) + ": " + what);
  }
  /// True for `yes`, false for `no` and where nothing was said.
  Status choose(const std::string& name, bool& to, std::string_view no,
                std::string_view yes) const {
    const auto value = word(name);
    if (!value) return {};
    if (*value != no && *value != yes)
      return fail(name, fmt::format("'{}' is neither {} nor {}", *value, no, yes));
    to = *value == yes;
    return {};
  }

 private:
  const Said& said_;
};

Status take_key(const Reader& reader, Settings& settings) {
  const auto key = reader.word("key");
  if (!key || *key == "auto") return {};
  settings.own_key = false;
  if (*key == "none") return {};
  auto path = parse_path(*key);
  if (!path) return reader.fail("key", path.error().what + ", or auto, or none");
  settings.key_path = *std::move(path);
  return {};
}

Status take_topic(const Reader& reader, Settings& settings) {
  const auto topic = reader.word("topic");
  if (!topic)
    return error(Code::kInvalidArgument,
                 "no topic: set TAILRACE_TOPIC, or write `lambda: {topic: …}` in tailrace.yml");
  std::string rest = *topic;
  for (const std::string_view part : {"{source}", "{name}", "{type}"})
    for (auto at = rest.find(part); at != rest.npos; at = rest.find(part))
      rest.erase(at, part.size());
  if (rest.find_first_of("{}") != rest.npos)
    return reader.fail("topic", "a topic has {source}, {name} and {type} for an item's, no other");
  constexpr std::size_t kLongest = 249;
  const std::string named = topic_name(*topic, "", "", "");
  if (topic->size() > kLongest || named != rest)
    return reader.fail("topic", "a topic is up to 249 letters, digits, '.', '_' and '-'");
  settings.topic = *topic;
  return {};
}

Status take_margin(const Reader& reader, Settings& settings) {
  const auto text = reader.word("margin");
  if (!text) return {};
  const auto [end, failed] =
      std::from_chars(text->data(), text->data() + text->size(), settings.margin_ms);
  if (failed != std::errc() || end != text->data() + text->size() || settings.margin_ms < 0 ||
      settings.margin_ms > kMostMarginMs)
    return reader.fail("margin", "milliseconds, 0 to 60000");
  return {};
}

/// What suits a function, where nothing else was said: a frozen process finds its connections dead,
/// and an invocation has seconds.
constexpr std::pair<std::string_view, std::string_view> kDefaults[] = {
    {"client.id", "tailrace-lambda"},    {"linger.ms", "0"},
    {"message.max.bytes", "16000000"},   {"queue.buffering.max.kbytes", "16384"},
    {"socket.keepalive.enable", "true"}, {"connections.max.idle.ms", "240000"},
    {"request.timeout.ms", "10000"},     {"socket.timeout.ms", "10000"},
    {"reconnect.backoff.ms", "20"},      {"reconnect.backoff.max.ms", "1000"},
    {"compression.type", "lz4"},
};

Status take_kafka(const Reader& reader, const Said& said, Settings& settings) {
  for (const auto& [name, value] : kDefaults) settings.kafka[std::string(name)] = value;
  for (const auto& [name, value] : said.properties) settings.kafka[name] = value;
  auto brokers = reader.word("kafka").value_or("");
  if (brokers.starts_with(kScheme)) brokers.erase(0, kScheme.size());
  if (brokers.ends_with('/')) brokers.pop_back();
  if (!brokers.empty()) settings.kafka["bootstrap.servers"] = brokers;
  if (settings.kafka["bootstrap.servers"].empty())
    return error(Code::kInvalidArgument,
                 "no Kafka: set TAILRACE_KAFKA=HOST:PORT, or write `lambda: {kafka: "
                 "kafka://HOST:PORT}` in tailrace.yml");
  if (brokers.find_first_of("/@ ") != brokers.npos)
    return reader.fail("kafka",
                       "write kafka://HOST:PORT,HOST:PORT; users go into `properties`, as "
                       "sasl.username and sasl.password");
  for (const std::string_view ours : {"acks", "request.required.acks", "enable.idempotence"})
    if (said.properties.contains(std::string(ours)))
      return error(
          Code::kInvalidArgument,
          fmt::format("{} is not to be set: an item is answered when all replicas have it", ours));
  settings.kafka["acks"] = "all";
  settings.kafka["enable.idempotence"] = "true";
  return {};
}

}  // namespace

Result<std::vector<std::string>> check_settings(const std::string& file) {
  Said said;
  TRY(read_file(file, said));
  std::vector<std::string> missing;
  Environment filled;
  const auto need = [&](const char* word, const char* variable, const char* any) {
    if (said.words.contains(word)) return;
    missing.emplace_back(variable);
    filled[variable] = any;
  };
  if (!said.properties.contains("bootstrap.servers")) need("kafka", "TAILRACE_KAFKA", "any:9092");
  need("topic", "TAILRACE_TOPIC", "any");
  TRY(read_settings(file, filled));
  return missing;
}

Environment process_environment() {
  Environment all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view one = *at;
    const std::size_t equals = one.find('=');
    if (equals != one.npos) all.emplace(one.substr(0, equals), one.substr(equals + 1));
  }
  return all;
}

Result<Settings> read_settings(const std::string& file, const Environment& environment) {
  Said said;
  if (!file.empty()) TRY(read_file(file, said));
  TRY(read_environment(environment, said));
  const Reader reader(said);
  Settings settings;
  TRY(take_kafka(reader, said, settings));
  TRY(take_topic(reader, settings));
  TRY(take_key(reader, settings));
  TRY(reader.choose("envelope", settings.whole_event, "record", "event"));
  TRY(reader.choose("format", settings.json_only, "any", "json"));
  TRY(reader.choose("s3", settings.s3_lines, "notification", "lines"));
  TRY(reader.choose("partial", settings.partial, "false", "true"));
  TRY(take_margin(reader, settings));
  if (const auto rejected = reader.word("rejected")) {
    settings.rejected = *rejected == "off" ? "" : *rejected;
    if (topic_name(settings.rejected, "", "", "") != settings.rejected)
      return reader.fail("rejected", "a topic's name, or off");
  }
  return settings;
}

Result<bool> has_settings(const std::string& file) {
  ASSIGN(const auto read, yaml::File::load(file));
  ASSIGN(const auto parts, read.entries(read.root, "tailrace.yml", "lambda: {…}"));
  return std::ranges::any_of(parts, [](const auto& part) { return part.key == "lambda"; });
}

std::string topic_name(std::string_view pattern, std::string_view source, std::string_view name,
                       std::string_view type) {
  std::string out(pattern);
  const auto put = [&out](std::string_view part, std::string_view text) {
    for (auto at = out.find(part); at != out.npos; at = out.find(part, at + text.size()))
      out.replace(at, part.size(), text);
  };
  put("{source}", source);
  put("{name}", name);
  put("{type}", type);
  for (char& c : out) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!fine) c = '_';
  }
  constexpr std::size_t kLongest = 249;
  if (out.size() > kLongest) out.resize(kLongest);
  return out;
}

}  // namespace tailrace::lambda
