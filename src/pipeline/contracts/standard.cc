#include "pipeline/contracts/standard.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <regex>
#include <set>
#include <span>

namespace tailrace::pipeline {
namespace {

struct Shape;

/// What may stand behind a key.
enum class Value {
  kText,
  kInteger,  ///< a whole number, also one written 3.0
  kCount,    ///< a whole number, 0 or more
  kNumber,
  kPositive,  ///< a number above 0
  kFlag,
  kId,      ///< letters, digits, _ and -
  kWord,    ///< one of Key::words
  kScalar,  ///< anything but a list or mapping
  kAny,
  kMapping,  ///< any
  kBlock,    ///< a text or a mapping
  kValues,   ///< a list of anything
  kTexts,    ///< a list of texts
  kOne,      ///< a mapping of Key::shape
  kMany,     ///< a list of such
  kTeam,     ///< a team, or a list of its members as before 3.1
  kReference,
  kPair,  ///< two numbers
};

struct Key {
  std::string_view name;
  Value value;
  const Shape& (*shape)() = nullptr;
  std::span<const std::string_view> words = {};
  bool needed = false;
};

class Checker;

struct Shape {
  std::string_view what;  ///< for messages: "a server"
  std::vector<Key> keys;
  /// Keys that depend on others.
  void (Checker::*more)(const YAML::Node& node, std::vector<Key>& keys) = nullptr;
  bool open = false;  ///< other keys are as good
};

constexpr std::array<std::string_view, 9> kLogicalTypes = {
    "string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean"};
constexpr std::array<std::string_view, 7> kDimensions = {
    "accuracy", "completeness", "conformity", "consistency",
    "coverage", "timeliness",   "uniqueness"};
constexpr std::array<std::string_view, 4> kRuleTypes = {"text", "library", "sql", "custom"};
constexpr std::array<std::string_view, 5> kMetrics = {
    "nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"};
constexpr std::array<std::string_view, 4> kVersions = {"v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0"};
constexpr std::array<std::string_view, 1> kKinds = {"DataContract"};
constexpr std::array<std::string_view, 1> kRelations = {"foreignKey"};
constexpr std::array<std::string_view, 1> kObjectTypes = {"object"};
constexpr std::array<std::string_view, 10> kIntegerFormats = {"i8", "i16", "i32", "i64", "i128",
                                                              "u8", "u16", "u32", "u64", "u128"};
constexpr std::array<std::string_view, 2> kNumberFormats = {"f32", "f64"};

/// The keys of each kind of server: `*` is needed, `#` a whole number.
struct ServerKind {
  std::string_view type, keys;
};
constexpr ServerKind kServers[] = {
    {"api", "location*"},
    {"athena", "stagingDir* schema* catalog regionName"},
    {"azure", "location* format* delimiter"},
    {"bigquery", "project* dataset*"},
    {"clickhouse", "host* port#* database*"},
    {"databricks", "host catalog* schema*"},
    {"denodo", "host* port#* database"},
    {"dremio", "host* port#* schema"},
    {"duckdb", "database* schema"},
    {"glue", "account* database* location format"},
    {"cloudsql", "host* port#* database* schema*"},
    {"db2", "host* port#* database* schema"},
    {"hive", "host* port# database*"},
    {"impala", "host* port# database*"},
    {"informix", "host* port# database*"},
    {"kafka", "host* format"},
    {"kinesis", "region format"},
    {"local", "path* format*"},
    {"mysql", "host* port#* database*"},
    {"oracle", "host* port#* serviceName*"},
    {"postgresql", "host* port#* database* schema*"},
    {"postgres", "host* port#* database* schema*"},
    {"presto", "host* catalog schema"},
    {"pubsub", "project*"},
    {"redshift", "host database* schema* region account"},
    {"s3", "location* endpointUrl format delimiter"},
    {"sftp", "location* format delimiter"},
    {"snowflake", "host port# account* database* schema* warehouse"},
    {"sqlserver", "host* port# database* schema*"},
    {"synapse", "host* port#* database*"},
    {"trino", "host* port#* catalog* schema*"},
    {"vertica", "host* port#* database* schema*"},
    {"zen", "host* port# database*"},
    {"custom",
     "account catalog database dataset delimiter endpointUrl format host location path port# "
     "project region regionName schema serviceName stagingDir warehouse stream"},
};

/// Of type `library` and `sql`: exactly one of them.
const std::vector<Key>& operators() {
  static const std::vector<Key> keys = {{"mustBe", Value::kAny},
                                        {"mustNotBe", Value::kAny},
                                        {"mustBeGreaterThan", Value::kNumber},
                                        {"mustBeGreaterOrEqualTo", Value::kNumber},
                                        {"mustBeLessThan", Value::kNumber},
                                        {"mustBeLessOrEqualTo", Value::kNumber},
                                        {"mustBeBetween", Value::kPair},
                                        {"mustNotBeBetween", Value::kPair}};
  return keys;
}

std::string scalar_of(const YAML::Node& node, const char* key) {
  if (!node.IsMap() || !node[key] || !node[key].IsScalar()) return "";
  return node[key].Scalar();
}

std::string one_of(std::span<const std::string_view> words) {
  std::string all;
  for (const std::string_view word : words)
    if (!word.empty()) (all += all.empty() ? "" : ", ") += word;
  return all;
}

std::string meant(std::string_view word, const std::vector<std::string_view>& known,
                  std::string_view label) {
  const std::string near = yaml::nearest(word, known);
  if (!near.empty()) return "; did you mean `" + near + "`?";
  return "; " + std::string(label) + ": " + one_of(known);
}

/// Walks the file along the shapes and writes down what does not fit.
class Checker {
 public:
  explicit Checker(const yaml::File& file) : file_(file) {}

  std::vector<std::string> run(const Shape& shape) {
    mapping(file_.root, shape, 1);
    return std::move(faults_);
  }

  void server_keys(const YAML::Node& node, std::vector<Key>& keys);
  void property_keys(const YAML::Node& node, std::vector<Key>& keys);
  void rule_keys(const YAML::Node& node, std::vector<Key>& keys);
  void contract_keys(const YAML::Node& node, std::vector<Key>& keys);
  void relation_keys(const YAML::Node& node, std::vector<Key>& keys);

 private:
  void fault(const YAML::Node& node, const std::string& what) {
    if (faults_.size() < kMaxFaults) faults_.push_back(file_.place(node) + ": " + what);
  }
  /// False when the file is too deep or too large, which is said once.
  bool room_for(const YAML::Node& node, int depth) {
    if (++nodes_ <= kMaxContractNodes && depth <= kMaxContractDepth) return true;
    if (!std::exchange(too_large_, true))
      fault(node, depth > kMaxContractDepth
                      ? "deeper than " + std::to_string(kMaxContractDepth) + " levels"
                      : "more than " + std::to_string(kMaxContractNodes) + " values");
    return false;
  }

  void mapping(const YAML::Node& node, const Shape& shape, int depth);
  void value(const YAML::Node& node, const Key& key, int depth);
  void scalar(const YAML::Node& node, const Key& key);
  void texts(const YAML::Node& node, const Key& key, int depth);
  void reference(const YAML::Node& node, const Key& key, int depth);
  void reference_text(const YAML::Node& node);
  void pair(const YAML::Node& node, const Key& key);
  void expected(const YAML::Node& node, const Key& key, std::string_view what);

  static constexpr std::size_t kMaxFaults = 100;
  const yaml::File& file_;
  std::vector<std::string> faults_;
  int nodes_ = 0;
  bool too_large_ = false;
};

const Shape& definition_shape() {
  static const Shape shape{"a definition",
                           {{"id", Value::kId},
                            {"url", Value::kText, nullptr, {}, true},
                            {"type", Value::kText, nullptr, {}, true},
                            {"description", Value::kText}}};
  return shape;
}

const Shape& custom_shape() {
  static const Shape shape{"a custom property",
                           {{"id", Value::kId},
                            {"property", Value::kText, nullptr, {}, true},
                            {"value", Value::kAny, nullptr, {}, true},
                            {"description", Value::kText}}};
  return shape;
}

const Key kCustom{"customProperties", Value::kMany, custom_shape};
const Key kDefinitions{"authoritativeDefinitions", Value::kMany, definition_shape};

const Shape& object_relation_shape() {
  static const Shape shape{"a relationship",
                           {{"type", Value::kWord, nullptr, kRelations},
                            {"from", Value::kReference, nullptr, {}, true},
                            {"to", Value::kReference, nullptr, {}, true},
                            kCustom},
                           &Checker::relation_keys};
  return shape;
}

const Shape& column_relation_shape() {
  static const Shape shape{"a property's relationship",
                           {{"type", Value::kWord, nullptr, kRelations},
                            {"to", Value::kReference, nullptr, {}, true},
                            kCustom},
                           nullptr,
                           true};
  return shape;
}

const Shape& rule_shape() {
  static const Shape shape{"a quality rule",
                           {{"id", Value::kId},
                            kDefinitions,
                            {"businessImpact", Value::kText},
                            kCustom,
                            {"description", Value::kText},
                            {"dimension", Value::kWord, nullptr, kDimensions},
                            {"method", Value::kText},
                            {"name", Value::kText},
                            {"schedule", Value::kText},
                            {"scheduler", Value::kText},
                            {"severity", Value::kText},
                            {"tags", Value::kTexts},
                            {"type", Value::kWord, nullptr, kRuleTypes},
                            {"unit", Value::kText}},
                           &Checker::rule_keys};
  return shape;
}

std::vector<Key> element_keys() {
  return {{"id", Value::kId},
          {"physicalType", Value::kText},
          {"description", Value::kText},
          {"businessName", Value::kText},
          kDefinitions,
          {"tags", Value::kTexts},
          kCustom,
          {"physicalName", Value::kText},
          {"quality", Value::kMany, rule_shape}};
}

std::vector<Key> property_base() {
  std::vector<Key> keys = element_keys();
  keys.insert(keys.end(), {{"primaryKey", Value::kFlag},
                           {"primaryKeyPosition", Value::kInteger},
                           {"logicalType", Value::kWord, nullptr, kLogicalTypes},
                           {"required", Value::kFlag},
                           {"unique", Value::kFlag},
                           {"partitioned", Value::kFlag},
                           {"partitionKeyPosition", Value::kInteger},
                           {"classification", Value::kText},
                           {"encryptedName", Value::kText},
                           {"transformSourceObjects", Value::kTexts},
                           {"transformLogic", Value::kText},
                           {"transformDescription", Value::kText},
                           {"examples", Value::kValues},
                           {"criticalDataElement", Value::kFlag},
                           {"relationships", Value::kMany, column_relation_shape}});
  return keys;
}

const Shape& property_shape() {
  static const Shape shape = [] {
    Shape made{"a property", property_base(), &Checker::property_keys};
    made.keys.push_back({"name", Value::kText, nullptr, {}, true});
    return made;
  }();
  return shape;
}

const Shape& items_shape() {
  static const Shape shape = [] {
    Shape made{"the items of an array", property_base(), &Checker::property_keys};
    made.keys.push_back({"name", Value::kText});
    made.keys.push_back({"properties", Value::kMany, property_shape});
    return made;
  }();
  return shape;
}

const Shape& object_shape() {
  static const Shape shape = [] {
    Shape made{"a schema object", element_keys()};
    made.keys.insert(made.keys.end(), {{"name", Value::kText, nullptr, {}, true},
                                       {"logicalType", Value::kWord, nullptr, kObjectTypes},
                                       {"dataGranularityDescription", Value::kText},
                                       {"properties", Value::kMany, property_shape},
                                       {"relationships", Value::kMany, object_relation_shape}});
    return made;
  }();
  return shape;
}

const Shape& string_options() {
  static const Shape shape{"logicalTypeOptions of a string",
                           {{"minLength", Value::kCount},
                            {"maxLength", Value::kCount},
                            {"pattern", Value::kText},
                            {"format", Value::kText}}};
  return shape;
}

const Shape& date_options() {
  static const Shape shape{"logicalTypeOptions of a date",
                           {{"format", Value::kText},
                            {"exclusiveMaximum", Value::kText},
                            {"maximum", Value::kText},
                            {"exclusiveMinimum", Value::kText},
                            {"minimum", Value::kText}}};
  return shape;
}

const Shape& time_options() {
  static const Shape shape = [] {
    Shape made = date_options();
    made.what = "logicalTypeOptions of a time";
    made.keys.push_back({"timezone", Value::kFlag});
    made.keys.push_back({"defaultTimezone", Value::kText});
    return made;
  }();
  return shape;
}

Shape number_options_with(std::span<const std::string_view> formats) {
  return {"logicalTypeOptions of a number",
          {{"multipleOf", Value::kPositive},
           {"maximum", Value::kNumber},
           {"exclusiveMaximum", Value::kNumber},
           {"minimum", Value::kNumber},
           {"exclusiveMinimum", Value::kNumber},
           {"format", Value::kWord, nullptr, formats}}};
}

const Shape& integer_options() {
  static const Shape shape = number_options_with(kIntegerFormats);
  return shape;
}

const Shape& number_options() {
  static const Shape shape = number_options_with(kNumberFormats);
  return shape;
}

const Shape& object_options() {
  static const Shape shape{"logicalTypeOptions of an object",
                           {{"maxProperties", Value::kCount},
                            {"minProperties", Value::kCount},
                            {"required", Value::kTexts}}};
  return shape;
}

const Shape& array_options() {
  static const Shape shape{
      "logicalTypeOptions of an array",
      {{"maxItems", Value::kCount}, {"minItems", Value::kCount}, {"uniqueItems", Value::kFlag}}};
  return shape;
}

const Shape& role_shape() {
  static const Shape shape{"a role",
                           {{"id", Value::kId},
                            {"role", Value::kText, nullptr, {}, true},
                            {"description", Value::kText},
                            {"access", Value::kText},
                            {"firstLevelApprovers", Value::kText},
                            {"secondLevelApprovers", Value::kText},
                            kCustom}};
  return shape;
}

std::span<const std::string_view> server_types() {
  static const std::vector<std::string_view> types = [] {
    std::vector<std::string_view> all;
    for (const ServerKind& kind : kServers) all.push_back(kind.type);
    return all;
  }();
  return types;
}

const Shape& server_shape() {
  static const Shape shape{"a server",
                           {{"id", Value::kId},
                            {"server", Value::kText, nullptr, {}, true},
                            {"type", Value::kWord, nullptr, server_types(), true},
                            {"description", Value::kText},
                            {"environment", Value::kText},
                            {"roles", Value::kMany, role_shape},
                            kCustom},
                           &Checker::server_keys};
  return shape;
}

const Shape& member_shape() {
  static const Shape shape{"a member of the team",
                           {{"id", Value::kId},
                            {"username", Value::kText, nullptr, {}, true},
                            {"name", Value::kText},
                            {"description", Value::kText},
                            {"role", Value::kText},
                            {"dateIn", Value::kText},
                            {"dateOut", Value::kText},
                            {"replacedByUsername", Value::kText},
                            {"tags", Value::kTexts},
                            kCustom,
                            kDefinitions}};
  return shape;
}

const Shape& team_shape() {
  static const Shape shape{"a team",
                           {{"id", Value::kId},
                            {"name", Value::kText},
                            {"description", Value::kText},
                            {"members", Value::kMany, member_shape},
                            {"tags", Value::kTexts},
                            kCustom,
                            kDefinitions}};
  return shape;
}

const Shape& support_shape() {
  static const Shape shape{"a support channel",
                           {{"id", Value::kId},
                            {"channel", Value::kText, nullptr, {}, true},
                            {"url", Value::kText},
                            {"description", Value::kText},
                            {"tool", Value::kText},
                            {"scope", Value::kText},
                            {"invitationUrl", Value::kText},
                            kCustom}};
  return shape;
}

const Shape& price_shape() {
  static const Shape shape{"a price",
                           {{"id", Value::kId},
                            {"priceAmount", Value::kNumber},
                            {"priceCurrency", Value::kText},
                            {"priceUnit", Value::kText}}};
  return shape;
}

const Shape& level_shape() {
  static const Shape shape{"a service level",
                           {{"id", Value::kId},
                            {"property", Value::kText, nullptr, {}, true},
                            {"value", Value::kScalar, nullptr, {}, true},
                            {"valueExt", Value::kScalar},
                            {"unit", Value::kText},
                            {"element", Value::kText},
                            {"driver", Value::kText},
                            {"description", Value::kText},
                            {"scheduler", Value::kText},
                            {"schedule", Value::kText}}};
  return shape;
}

const Shape& description_shape() {
  static const Shape shape{"a description",
                           {{"usage", Value::kText},
                            {"purpose", Value::kText},
                            {"limitations", Value::kText},
                            kDefinitions,
                            kCustom},
                           nullptr,
                           true};
  return shape;
}

const Shape& contract_shape() {
  static const Shape shape{"a contract",
                           {{"version", Value::kText, nullptr, {}, true},
                            {"kind", Value::kWord, nullptr, kKinds, true},
                            {"apiVersion", Value::kText, nullptr, {}, true},
                            {"id", Value::kText, nullptr, {}, true},
                            {"name", Value::kText},
                            {"tenant", Value::kText},
                            {"tags", Value::kTexts},
                            {"status", Value::kText, nullptr, {}, true},
                            {"servers", Value::kMany, server_shape},
                            {"dataProduct", Value::kText},
                            {"description", Value::kOne, description_shape},
                            {"domain", Value::kText},
                            {"schema", Value::kMany, object_shape},
                            {"support", Value::kMany, support_shape},
                            {"price", Value::kOne, price_shape},
                            {"team", Value::kTeam},
                            {"roles", Value::kMany, role_shape},
                            {"slaDefaultElement", Value::kText},
                            {"slaProperties", Value::kMany, level_shape},
                            kDefinitions,
                            kCustom,
                            {"contractCreatedTs", Value::kText}},
                           &Checker::contract_keys};
  return shape;
}

void Checker::contract_keys(const YAML::Node& node, std::vector<Key>&) {
  const std::string version = scalar_of(node, "apiVersion");
  if (version.empty() || std::ranges::find(kVersions, version) != kVersions.end()) return;
  fault(node["apiVersion"],
        "`apiVersion: " + version + "` is none of: " + one_of(kVersions) +
            (version.starts_with("v2.") ? "; bring the contract to v3.1.0" : ""));
}

void Checker::server_keys(const YAML::Node& node, std::vector<Key>& keys) {
  const std::string type = scalar_of(node, "type");
  const auto kind = std::ranges::find(kServers, type, &ServerKind::type);
  if (kind == std::end(kServers)) return;
  for (std::string_view rest = kind->keys; !rest.empty();) {
    std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    Key key{"", Value::kText};
    for (; word.ends_with('*') || word.ends_with('#'); word.remove_suffix(1)) {
      if (word.back() == '*') key.needed = true;
      if (word.back() == '#') key.value = Value::kInteger;
    }
    key.name = word;
    keys.push_back(key);
  }
}

void Checker::property_keys(const YAML::Node& node, std::vector<Key>& keys) {
  const std::string type = scalar_of(node, "logicalType");
  Key options{"logicalTypeOptions", Value::kMapping};
  const std::pair<std::string_view, const Shape& (*)()> shapes[] = {
      {"string", string_options}, {"date", date_options},       {"timestamp", time_options},
      {"time", time_options},     {"integer", integer_options}, {"number", number_options},
      {"object", object_options}, {"array", array_options}};
  for (const auto& [name, shape] : shapes)
    if (type == name) options = {"logicalTypeOptions", Value::kOne, shape};
  keys.push_back(options);
  if (type.empty() && node.IsMap() && node["logicalTypeOptions"] &&
      node["logicalTypeOptions"].size() > 0)
    fault(node["logicalTypeOptions"], "`logicalTypeOptions` need a `logicalType`");
  if (type == "object" || type.empty())
    keys.push_back({"properties", Value::kMany, property_shape});
  if (type == "array" || type.empty()) keys.push_back({"items", Value::kOne, items_shape});
}

void Checker::rule_keys(const YAML::Node& node, std::vector<Key>& keys) {
  if (!node.IsMap()) return;
  const std::string type = scalar_of(node, "type");
  const bool library = type == "library" || node["metric"] || node["rule"];
  if (library) {
    const bool old = scalar_of(file_.root, "apiVersion").starts_with("v3.0.") && node["rule"];
    keys.push_back({"metric", Value::kWord, nullptr, kMetrics, !old});
    keys.push_back({"rule", Value::kText});
    keys.push_back({"arguments", Value::kMapping});
  }
  if (type == "sql") keys.push_back({"query", Value::kText, nullptr, {}, true});
  if (type == "custom") {
    keys.push_back({"engine", Value::kText, nullptr, {}, true});
    keys.push_back({"implementation", Value::kBlock, nullptr, {}, true});
  }
  if (!library && type != "sql") return;
  int found = 0;
  for (const Key& key : operators()) {
    keys.push_back(key);
    if (node[std::string(key.name)] && ++found == 2)
      fault(node[std::string(key.name)],
            "`" + std::string(key.name) + "` is a second operator; a rule has one");
  }
  if (found == 0)
    fault(node, "the rule says not what its value must be: add one of mustBe, mustBeLessThan, …");
}

void Checker::relation_keys(const YAML::Node& node, std::vector<Key>&) {
  if (!node.IsMap() || !node["from"] || !node["to"]) return;
  if (node["from"].IsSequence() != node["to"].IsSequence())
    fault(node, "`from` and `to` are both one name, or both a list of names");
}

void Checker::mapping(const YAML::Node& node, const Shape& shape, int depth) {
  if (!room_for(node, depth)) return;
  const std::string what(shape.what);
  if (!node.IsMap()) return fault(node, what + " is a mapping");
  std::vector<Key> keys = shape.keys;
  if (shape.more) (this->*shape.more)(node, keys);
  std::vector<std::string_view> names;
  for (const Key& key : keys) names.push_back(key.name);
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) {
      fault(entry.first, "a key is one word");
      continue;
    }
    const std::string name = entry.first.Scalar();
    if (!seen.insert(name).second) {
      fault(entry.first, "`" + name + "` is here twice; leave one of them");
      continue;
    }
    const auto key = std::ranges::find(keys, name, &Key::name);
    if (key == keys.end() && shape.open) continue;
    if (key == keys.end())
      fault(entry.first,
            "unknown key `" + name + "` of " + what + meant(name, names, "known keys"));
    else if (!entry.second.IsNull())
      value(entry.second, *key, depth + 1);
  }
  for (const Key& key : keys) {
    const std::string name(key.name);
    const bool may_be_empty = key.value == Value::kAny || key.value == Value::kScalar;
    if (key.needed && (!node[name] || (node[name].IsNull() && !may_be_empty)))
      fault(node, "`" + name + "` of " + what + " is missing");
  }
}

void Checker::expected(const YAML::Node& node, const Key& key, std::string_view what) {
  std::string hint;
  if (what == "text" && node.IsScalar()) hint = ": put it in quotes";
  fault(node, "`" + std::string(key.name) + "` is " + std::string(what) + hint);
}

void Checker::value(const YAML::Node& node, const Key& key, int depth) {
  if (!room_for(node, depth)) return;
  switch (key.value) {
    case Value::kAny:
      return;
    case Value::kBlock:
      if (!node.IsMap() && yaml_kind(node) != YamlKind::kText)
        expected(node, key, "a text or a mapping");
      return;
    case Value::kValues:
      if (!node.IsSequence()) expected(node, key, "a list");
      return;
    case Value::kMapping:
      if (!node.IsMap()) expected(node, key, "a mapping");
      return;
    case Value::kOne:
      return mapping(node, key.shape(), depth);
    case Value::kMany:
      if (!node.IsSequence()) return expected(node, key, "a list");
      for (const auto& item : node) mapping(item, key.shape(), depth + 1);
      return;
    case Value::kTeam:
      return value(node,
                   {key.name, node.IsSequence() ? Value::kMany : Value::kOne,
                    node.IsSequence() ? member_shape : team_shape},
                   depth);
    case Value::kTexts:
      return texts(node, key, depth);
    case Value::kReference:
      return reference(node, key, depth);
    case Value::kPair:
      return pair(node, key);
    default:
      return scalar(node, key);
  }
}

void Checker::scalar(const YAML::Node& node, const Key& key) {
  const YamlKind kind = yaml_kind(node);
  const bool number = kind == YamlKind::kInteger || kind == YamlKind::kNumber;
  const auto whole = [&] {
    const std::string& text = node.Scalar();
    const auto dot = text.find('.');
    return kind == YamlKind::kInteger ||
           (kind == YamlKind::kNumber && dot != std::string::npos && dot + 1 < text.size() &&
            text.find_first_not_of('0', dot + 1) == std::string::npos);
  };
  switch (key.value) {
    case Value::kText:
    case Value::kId:
    case Value::kWord:
      if (kind != YamlKind::kText) return expected(node, key, "text");
      break;
    case Value::kFlag:
      if (kind != YamlKind::kFlag) expected(node, key, "true or false");
      return;
    case Value::kInteger:
    case Value::kCount:
      if (!whole()) return expected(node, key, "a whole number");
      if (key.value == Value::kCount && node.Scalar().starts_with('-') &&
          node.Scalar().find_first_of("123456789") != std::string::npos)
        expected(node, key, "0 or more");
      return;
    case Value::kNumber:
    case Value::kPositive:
      if (!number) return expected(node, key, "a number");
      if (key.value == Value::kPositive &&
          (node.Scalar().starts_with('-') ||
           node.Scalar().find_first_of("123456789") == std::string::npos))
        expected(node, key, "above 0");
      return;
    default:
      if (!node.IsScalar()) expected(node, key, "one value");
      return;
  }
  const std::string& text = node.Scalar();
  if (key.value == Value::kId && !std::ranges::all_of(text, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '-';
      }))
    expected(node, key, "made of letters, digits, _ and -");
  if (key.value == Value::kWord && std::ranges::find(key.words, text) == key.words.end())
    fault(node, "`" + std::string(key.name) + ": " + text + "` is not in the standard" +
                    meant(text, {key.words.begin(), key.words.end()}, "there are"));
}

void Checker::texts(const YAML::Node& node, const Key& key, int depth) {
  if (!node.IsSequence()) return expected(node, key, "a list");
  for (const auto& item : node)
    if (room_for(item, depth + 1) && yaml_kind(item) != YamlKind::kText)
      expected(item, key, "a list of texts");
}

void Checker::reference_text(const YAML::Node& node) {
  static const std::regex kShort("[A-Za-z_][A-Za-z0-9_]*\\.[A-Za-z_][A-Za-z0-9_]*");
  static const std::regex kFull(
      "(?:(?:https?://)?[A-Za-z0-9._/-]+\\.yaml#)?/?[A-Za-z_][A-Za-z0-9_]*/[A-Za-z0-9_-]+"
      "(?:/[A-Za-z_][A-Za-z0-9_]*/[A-Za-z0-9_-]+)*");
  constexpr std::size_t kLongest = 500;  // std::regex recurses
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  if (text.size() > kLongest || (!std::regex_match(text, kShort) && !std::regex_match(text, kFull)))
    fault(node, "a reference is written object.property, or [FILE.yaml#]/schema/ID/properties/ID");
}

void Checker::reference(const YAML::Node& node, const Key& key, int depth) {
  if (node.IsScalar()) return reference_text(node);
  if (!node.IsSequence() || node.size() == 0) return expected(node, key, "a reference, or a list");
  for (const auto& item : node)
    if (room_for(item, depth + 1)) reference_text(item);
}

void Checker::pair(const YAML::Node& node, const Key& key) {
  bool fits = node.IsSequence() && node.size() == 2;
  for (std::size_t i = 0; fits && i < 2; ++i) {
    const YamlKind kind = yaml_kind(node[i]);
    fits = kind == YamlKind::kInteger || kind == YamlKind::kNumber;
  }
  const auto number = [&](std::size_t i) { return std::strtod(node[i].Scalar().c_str(), nullptr); };
  if (!fits || number(0) == number(1)) expected(node, key, "a list of two different numbers");
}

bool is_integer(const std::string& text) {
  static const std::regex kInteger("[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}");
  return text.size() < 500 && std::regex_match(text, kInteger);
}

bool is_number(const std::string& text) {
  static const std::regex kNumber(
      "[-+]?(\\.[0-9]{1,300}|[0-9]{1,300}(\\.[0-9]{0,300})?)([eE][-+]?[0-9]{1,9})?|"
      "[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)");
  return text.size() < 500 && std::regex_match(text, kNumber);
}

}  // namespace

YamlKind yaml_kind(const YAML::Node& node) {
  if (!node || node.IsNull()) return YamlKind::kNone;
  if (node.IsMap()) return YamlKind::kMapping;
  if (node.IsSequence()) return YamlKind::kList;
  if (node.Tag() != "?") return YamlKind::kText;
  const std::string& text = node.Scalar();
  constexpr std::array<std::string_view, 6> kFlags = {"true",  "True",  "TRUE",
                                                      "false", "False", "FALSE"};
  if (std::ranges::find(kFlags, text) != kFlags.end()) return YamlKind::kFlag;
  if (is_integer(text)) return YamlKind::kInteger;
  return is_number(text) ? YamlKind::kNumber : YamlKind::kText;
}

std::vector<std::string> standard_faults(const yaml::File& file) {
  return Checker(file).run(contract_shape());
}

}  // namespace tailrace::pipeline
