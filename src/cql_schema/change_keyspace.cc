// CREATE and ALTER KEYSPACE: replication is checked, kept and shown; on one node it means nothing.
#include <algorithm>

#include "cql_schema/draft.h"
#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::ErrorCode;
using cql_types::Outcome;

constexpr std::string_view kPackage = "org.apache.cassandra.locator.";
const std::string kFactor = "replication_factor";

bool is_strategy(const Options& replication, std::string_view name) {
  return replication.at("class") == std::string(kPackage) + std::string(name);
}

// "3", or "3/1" of transient replicas, which are off. An error's text where Java throws one.
std::expected<int, std::string> replicas(const std::string& text) {
  const auto slash = text.find('/');
  const auto number = [](const std::string& digits) -> std::expected<int, std::string> {
    if (const auto value = java_int(digits)) return *value;
    return std::unexpected(fmt::format("For input string: \"{}\"", digits));
  };
  ASSIGN(const int all, number(text.substr(0, slash)));
  if (slash != std::string::npos) {
    const auto rest = text.substr(slash + 1);
    if (rest.empty() || rest.find('/') != std::string::npos)
      return std::unexpected("Replication factor format is <replicas> or <replicas>/<transient>");
    ASSIGN(const int transient, number(rest));
    if (transient != 0) return std::unexpected("Transient replication is not enabled on this node");
  }
  if (all < 0)
    return std::unexpected(fmt::format("Replication factor must be non-negative, found {}", all));
  return all;
}

Outcome<std::string> strategy_class(const std::string& name) {
  const auto whole = name.find('.') == std::string::npos ? std::string(kPackage) + name : name;
  const auto short_name = whole.starts_with(kPackage) ? whole.substr(kPackage.size()) : whole;
  if (short_name == "OldNetworkTopologyStrategy")
    return misconfigured(
        "The support for the OldNetworkTopologyStrategy has been removed in C* version 4.0. The "
        "keyspace strategy should be switch to NetworkTopologyStrategy");
  const bool known = short_name == "SimpleStrategy" || short_name == "NetworkTopologyStrategy" ||
                     short_name == "LocalStrategy" || short_name == "EverywhereStrategy";
  if (!whole.starts_with(kPackage) || !known || short_name == "EverywhereStrategy")
    return misconfigured("Unable to find replication strategy class '{}'", whole);
  return whole;
}

// NetworkTopologyStrategy says replication_factor of every data center that is not named.
Outcome<void> spread_factor(Options& options, const Options& before, const std::string& here) {
  const auto previous = before.find(kFactor);
  if (options.empty()) options[kFactor] = previous == before.end() ? "1" : previous->second;
  const auto factor = options.extract(kFactor);
  if (!factor.empty()) {
    for (const auto& [name, value] : before)
      if (name != kFactor && name != "class") options.try_emplace(name, value);
    const auto all = replicas(factor.mapped());
    // Cassandra drops what this step throws: the option is not spread, and missed later.
    if (!all) return {};
    options.try_emplace(here, std::to_string(*all));
  }
  std::erase_if(options, [](const auto& one) { return one.second == "0"; });
  return {};
}

Outcome<Options> made_replication(const Options& given, const Options& before,
                                  const std::string& here) {
  Options options = given;
  const auto name = options.extract("class");
  ASSIGN(const auto whole, strategy_class(name.mapped()));
  if (whole.ends_with(".SimpleStrategy")) {
    const auto previous = before.find(kFactor);
    options.try_emplace(kFactor, previous == before.end() ? "1" : previous->second);
  } else if (whole.ends_with(".NetworkTopologyStrategy")) {
    TRY(spread_factor(options, before, here));
  }
  options["class"] = whole;
  return options;
}

std::string too_many(int factor, const std::string& keyspace, const std::string& where) {
  return fmt::format(
      "Your replication factor {} for keyspace {} is higher than the number of nodes {}{}", factor,
      keyspace, 1, where);
}

Outcome<void> check_simple(const Options& options, const std::string& keyspace,
                           std::vector<std::string>& warnings) {
  const auto factor = replicas(options.at(kFactor));
  if (!factor) return misconfigured("{}", factor.error());
  for (const auto& key : java_copy_order(keys_of(options), options.size()))
    if (key != kFactor && key != "class")
      return misconfigured(
          "Unrecognized strategy option {{{}}} passed to SimpleStrategy for keyspace {}", key,
          keyspace);
  if (*factor > 1 && !is_system_keyspace(keyspace))
    warnings.push_back(too_many(*factor, keyspace, ""));
  return {};
}

Outcome<void> check_topology(const Options& options, const std::string& keyspace,
                             const std::string& here, std::vector<std::string>& warnings) {
  const auto keys = java_copy_order(keys_of(options), options.size());
  for (const auto& key : keys) {
    if (key == "class") continue;
    if (lower(key) == kFactor)
      return misconfigured(
          "replication_factor should not appear as an option at construction time for "
          "NetworkTopologyStrategy");
    const auto factor = replicas(options.at(key));
    if (!factor) return misconfigured("{}", factor.error());
  }
  if (options.size() == 1)
    return misconfigured("Configuration for at least one datacenter must be present");
  for (const auto& key : keys)
    if (key != "class" && key != here)
      return misconfigured(
          "Unrecognized strategy option {{{}}} passed to NetworkTopologyStrategy for keyspace {}",
          key, keyspace);
  const int factor = *replicas(options.at(here));
  if (factor > 1 && !is_system_keyspace(keyspace))
    warnings.push_back(too_many(factor, keyspace, " for datacenter " + here));
  return {};
}

Outcome<void> check_replication(const Options& options, const std::string& keyspace,
                                const std::string& here, std::vector<std::string>& warnings) {
  if (is_strategy(options, "LocalStrategy"))
    return invalid(
        "Unable to use given strategy class: LocalStrategy is reserved for internal use.");
  if (is_strategy(options, "SimpleStrategy")) return check_simple(options, keyspace, warnings);
  return check_topology(options, keyspace, here, warnings);
}

Outcome<std::optional<Options>> checked_attributes(const Properties& given) {
  TRY(given.check_names({"durable_writes", "replication"}));
  ASSIGN(auto replication, given.map("replication"));
  if (replication && !replication->empty() && !replication->contains("class"))
    return misconfigured("Missing replication strategy class");
  return replication;
}

// How many replicas there are, of a kept replication.
int replica_count(const Options& options) {
  int sum = 0;
  for (const auto& [name, value] : options)
    if (name != "class") sum += replicas(value).value_or(0);
  return sum;
}

}  // namespace

DraftOutcome create_keyspace(const cql_syntax::CreateKeyspace& statement, Scene& scene) {
  const Properties given(statement.properties);
  ASSIGN(const auto replication, checked_attributes(given));
  if (!given.has("replication")) return invalid("Missing mandatory option 'replication'");
  if (scene.schema.keyspace(statement.name)) {
    if (statement.if_not_exists) return Draft{};
    cql_types::Failure failed(ErrorCode::kAlreadyExists,
                              fmt::format("Cannot add existing keyspace \"{}\"", statement.name));
    failed.keyspace = statement.name;
    return std::unexpected(std::move(failed));
  }
  Keyspace made;
  made.name = statement.name;
  TRY(given.read("durable_writes", made.durable_writes));
  if (replication->empty())
    return crashed(
        "java.lang.NullPointerException: Cannot invoke \"String.contains(java.lang.CharSequence)\" "
        "because \"cls\" is null");
  ASSIGN(made.replication, made_replication(*replication, {}, scene.now.data_center));
  std::vector<std::string> warnings;
  TRY(check_replication(made.replication, made.name, scene.now.data_center, warnings));
  auto draft = updated(made, Event::Change::kCreated, Event::Target::kKeyspace, "");
  draft.warnings = std::move(warnings);
  return draft;
}

DraftOutcome alter_keyspace(const cql_syntax::AlterKeyspace& statement, Scene& scene) {
  const Properties given(statement.properties);
  ASSIGN(const auto replication, checked_attributes(given));
  const auto* before = scene.schema.keyspace(statement.name);
  if (!before) {
    if (statement.if_exists) return Draft{};
    return invalid("Keyspace '{}' doesn't exist", statement.name);
  }
  auto draft = updated(*before, Event::Change::kUpdated, Event::Target::kKeyspace, "");
  TRY(given.read("durable_writes", draft.keyspace->durable_writes));
  auto& options = draft.keyspace->replication;
  if (replication && !replication->empty()) {
    ASSIGN(options, made_replication(*replication, before->replication, scene.now.data_center));
  }
  TRY(check_replication(options, statement.name, scene.now.data_center, draft.warnings));
  if (replica_count(before->replication) < replica_count(options))
    draft.warnings.emplace_back(
        "When increasing replication factor you need to run a full (-full) repair to distribute "
        "the data.");
  return draft;
}

}  // namespace tailrace::cql_schema
