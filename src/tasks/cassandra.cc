// CassandraRecordSensor and CassandraTableSensor: what a Cassandra of a connection has, or the
// project's own served tables.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cql_client/cluster.h"
#include "tasks/operators.h"

namespace tailrace::tasks {
namespace {

using jinja::Value;
using Looked = Result<std::optional<Value>>;

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

/// A literal of CQL, as the driver writes a parameter.
std::string literal(const Value& value) {
  if (value.is_none()) return "NULL";
  if (const bool* truth = value.boolean()) return *truth ? "true" : "false";
  if (value.number()) return value.text();
  std::string out = "'";
  for (const char c : value.text()) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

struct Place {
  std::unique_ptr<cql_client::Cluster> cluster;
  std::string keyspace, table;
};

/// The connection's cluster, and the table's name with the connection's keyspace where it has none.
Result<Place> place_of(Context& context) {
  ASSIGN(const std::string id, text_argument(context, "cassandra_conn_id", "cassandra_default"));
  ASSIGN(const auto connection, context.connection(id));
  cql_client::ClientConfig config;
  const std::string hosts = connection.host.value_or("127.0.0.1");
  for (std::size_t at = 0; at <= hosts.size();) {
    const std::size_t end = std::min(hosts.find(',', at), hosts.size());
    if (end > at)
      config.hosts.push_back({.host = hosts.substr(at, end - at),
                              .port = static_cast<std::uint16_t>(connection.port.value_or(9042))});
    at = end + 1;
  }
  config.user = connection.login.value_or("");
  config.password = connection.password.value_or("");
  Place place;
  ASSIGN(place.table, text_argument(context, "table"));
  place.keyspace = connection.schema.value_or("");
  if (const auto dot = place.table.find('.'); dot != std::string::npos) {
    place.keyspace = place.table.substr(0, dot);
    place.table.erase(0, dot + 1);
  }
  for (const auto* word : {&place.keyspace, &place.table}) {
    if (!is_word(*word)) return error(Code::kInvalidArgument, "Invalid input: " + *word);
  }
  ASSIGN(place.cluster, cql_client::Cluster::open(std::move(config)));
  return place;
}

Looked record(Context& context) {
  const Value* keys = context.arguments.find(std::string_view("keys"));
  if (keys == nullptr || keys->dict() == nullptr)
    return error(Code::kInvalidArgument, "keys: must be a mapping of columns to values");
  context.log.line("Sensor check existence of record: " + keys->text());
  ASSIGN(const Place place, place_of(context));
  std::string condition;
  for (const auto& [name, value] : keys->dict()->items())
    condition += (condition.empty() ? "" : " AND ") + name.text() + " = " + literal(value);
  const auto answer = place.cluster->ask(
      fmt::format("SELECT * FROM {}.{} WHERE {}", place.keyspace, place.table, condition), {},
      std::chrono::seconds(30), context.stop);
  // As in Airflow: what cannot be asked is not there yet.
  if (answer.failure) context.log.line(answer.failure->message);
  if (answer.failure || answer.rows.empty()) return std::nullopt;
  return Value();
}

Looked table(Context& context) {
  ASSIGN(const Place place, place_of(context));
  context.log.line(
      fmt::format("Sensor check existence of table: {}.{}", place.keyspace, place.table));
  const auto answer = place.cluster->ask(
      "SELECT table_name FROM system_schema.tables WHERE keyspace_name = " +
          literal(Value(place.keyspace)) + " AND table_name = " + literal(Value(place.table)),
      {}, std::chrono::seconds(30), context.stop);
  if (answer.failure) return error(Code::kUnavailable, answer.failure->message);
  if (answer.rows.empty()) return std::nullopt;
  return Value();
}

class Sensor final : public Operator {
 public:
  using Look = Looked (*)(Context&);
  explicit Sensor(Look look) : look_(look) {}
  Outcome run(Context& context) const override {
    return poke(context, [&] { return look_(context); });
  }

 private:
  Look look_;
};

}  // namespace

void add_cassandra(OperatorTable& table_of_operators) {
  const std::string sensors = "airflow.providers.apache.cassandra.sensors.";
  table_of_operators[sensors + "record.CassandraRecordSensor"] = std::make_unique<Sensor>(record);
  table_of_operators[sensors + "table.CassandraTableSensor"] = std::make_unique<Sensor>(table);
}

}  // namespace tailrace::tasks
