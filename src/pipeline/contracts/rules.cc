#include "pipeline/contracts/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "pipeline/contracts/foreign_key.h"
#include "pipeline/contracts/standard.h"
#include "pipeline/names.h"
#include "schema/json_schema/pattern.h"
#include "sql/sql.h"

namespace tailrace::pipeline {
namespace {

using Action = engine::Expectation::Action;

std::string text_of(const YAML::Node& node, const char* key) {
  if (!node.IsMap() || !node[key] || !node[key].IsScalar()) return "";
  return node[key].Scalar();
}

bool flag_of(const YAML::Node& node, const char* key) {
  return lower(text_of(node, key)) == "true";
}

/// A text as a SQL literal; Spark takes \ as an escape.
std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + "'";
}

/// A value of the contract as a SQL literal; nullopt for what has none.
std::optional<std::string> literal_of(const YAML::Node& node) {
  switch (yaml_kind(node)) {
    case YamlKind::kText:
      return literal(node.Scalar());
    case YamlKind::kInteger:
    case YamlKind::kNumber: {
      std::string text = node.Scalar();
      if (text.starts_with('+')) text.erase(0, 1);
      const bool plain = text.find_first_not_of("-0123456789.eE+") == std::string::npos;
      if (!plain) return std::nullopt;
      return text;
    }
    case YamlKind::kFlag:
      return lower(node.Scalar());
    default:
      return std::nullopt;
  }
}

std::optional<Action> action_named(std::string_view word) {
  if (same_name(word, "warn")) return Action::kWarn;
  if (same_name(word, "drop")) return Action::kDrop;
  if (same_name(word, "fail")) return Action::kFail;
  return std::nullopt;
}

/// As severities are mostly written.
std::optional<Action> action_of_severity(std::string_view severity) {
  for (const auto word : {"critical", "blocker", "fatal"})
    if (same_name(severity, word)) return Action::kFail;
  for (const auto word : {"error", "high", "major"})
    if (same_name(severity, word)) return Action::kDrop;
  for (const auto word : {"warning", "warn", "info", "low", "medium", "minor"})
    if (same_name(severity, word)) return Action::kWarn;
  return std::nullopt;
}

/// The custom property `onViolation`: warn, drop or fail.
std::optional<Action> own_action(const YAML::Node& node) {
  if (!node.IsMap() || !node["customProperties"]) return std::nullopt;
  for (const auto& custom : node["customProperties"])
    if (text_of(custom, "property") == "onViolation") return action_named(text_of(custom, "value"));
  return std::nullopt;
}

/// The custom property `judgeEvery`; "" where it is not said.
std::string own_every(const YAML::Node& node) {
  if (!node.IsMap() || !node["customProperties"]) return "";
  for (const auto& custom : node["customProperties"])
    if (text_of(custom, "property") == "judgeEvery") return text_of(custom, "value");
  return "";
}

/// An expectation's name: letters, digits and _.
std::string rule_name(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 100))
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  if (out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) != 0) out = "rule_" + out;
  return out;
}

/// Where a column is in a row, and what it takes to be there at all.
struct At {
  std::string path;   ///< SQL of the column
  std::string name;   ///< for names of rules
  std::string above;  ///< SQL of the object it is in; "" at the top
  std::optional<Action> action;
  std::vector<std::string> names = {};  ///< from the row to the column
  std::string every = {};               ///< `judgeEvery`
};

/// A number of the contract; nullopt for what is none that we read.
std::optional<double> number_of(const YAML::Node& node) {
  const YamlKind kind = yaml_kind(node);
  if (kind != YamlKind::kInteger && kind != YamlKind::kNumber) return std::nullopt;
  std::string_view text = node.Scalar();
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The rule's operator; nullopt where it compares with what is no number.
std::optional<Limit> limit_of(const YAML::Node& rule) {
  using Op = Limit::Op;
  constexpr std::pair<const char*, Op> kOperators[] = {
      {"mustBe", Op::kIs},
      {"mustNotBe", Op::kIsNot},
      {"mustBeGreaterThan", Op::kGreater},
      {"mustBeGreaterOrEqualTo", Op::kGreaterOrEqual},
      {"mustBeLessThan", Op::kLess},
      {"mustBeLessOrEqualTo", Op::kLessOrEqual},
      {"mustBeBetween", Op::kBetween},
      {"mustNotBeBetween", Op::kNotBetween}};
  for (const auto& [name, op] : kOperators) {
    const YAML::Node node = rule[name];
    if (!node) continue;
    if (!node.IsSequence()) {
      const auto number = number_of(node);
      if (!number) return std::nullopt;
      return Limit{.op = op, .low = *number, .text = fmt::format("{}: {}", name, node.Scalar())};
    }
    if (node.size() != 2) return std::nullopt;
    const auto first = number_of(node[0]), second = number_of(node[1]);
    if (!first || !second) return std::nullopt;
    return Limit{.op = op,
                 .low = std::min(*first, *second),
                 .high = std::max(*first, *second),
                 .text = fmt::format("{}: {} and {}", name, node[0].Scalar(), node[1].Scalar())};
  }
  return std::nullopt;
}

bool is_percent(const YAML::Node& rule) {
  const std::string unit = lower(text_of(rule, "unit"));
  return unit == "percent" || unit == "percentage" || unit == "%";
}

/// No row at all may be counted: fewer than one row is none, fewer than one percent is not.
bool allows_none(const YAML::Node& rule, const Limit& limit) {
  using Op = Limit::Op;
  if (limit.op == Op::kLess) return !is_percent(rule) && limit.low <= 1;
  return (limit.op == Op::kIs || limit.op == Op::kLessOrEqual) && limit.low == 0;
}

/// Some rows may be counted, up to a limit.
bool allows_some(const Limit& limit) {
  using Op = Limit::Op;
  return limit.op == Op::kLess || limit.op == Op::kLessOrEqual || limit.op == Op::kBetween;
}

/// "90s"; nullopt for what is no time.
std::optional<std::chrono::milliseconds> time_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || number <= 0 || number > 1'000'000) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  for (const auto& [name, ms] : kUnits)
    if (unit == name) return std::chrono::milliseconds(number * ms);
  return std::nullopt;
}

class Maker {
 public:
  explicit Maker(const RulesOf& of) : of_(of) {
    const auto whole = own_action(of.contract), object = own_action(of.object);
    action_ = object ? object : whole;
    every_ = own_every(of.object).empty() ? own_every(of.contract) : own_every(of.object);
  }

  Maker& make() {
    for (const auto& property : of_.object["properties"])
      column(property, {of_.row + quoted_column(data_name(property)),
                        data_name(property),
                        "",
                        action_,
                        {data_name(property)},
                        every_});
    keys();
    relationships(of_.object, {"", "", "", action_, {}, every_});
    quality(of_.object, {"", "", "", action_, {}, every_});
    return *this;
  }

  std::vector<ContractRule> rules() { return std::move(rules_); }
  std::vector<Measure> measures() { return std::move(measures_); }

 private:
  void column(const YAML::Node& node, At at) {
    if (const auto own = own_action(node)) at.action = own;
    if (const std::string own = own_every(node); !own.empty()) at.every = own;
    const bool key = flag_of(node, "primaryKey");
    if (flag_of(node, "required") || key)
      add(node, at, key ? "key" : "required",
          at.above.empty() ? at.path + " IS NOT NULL"
                           : fmt::format("{} IS NULL OR {} IS NOT NULL", at.above, at.path));
    if (flag_of(node, "unique")) unique(node["unique"], at.name + "_unique", {at.names}, at);
    if (const YAML::Node options = node["logicalTypeOptions"]; options && options.IsMap())
      type_options(node, options, at);
    relationships(node, at);
    quality(node, at);
    for (const auto& field : node["properties"])
      column(field,
             {at.path + "." + quoted_column(data_name(field)), at.name + "_" + data_name(field),
              at.path, at.action, below(at, field), at.every});
    if (node["items"]) items(node["items"], at);
  }

  static std::vector<std::string> below(const At& at, const YAML::Node& field) {
    std::vector<std::string> names = at.names;
    names.push_back(data_name(field));
    return names;
  }

  /// A primary key is of one row, all its columns together.
  void keys() {
    std::vector<std::pair<int, std::vector<std::string>>> columns;
    YAML::Node first;
    bool is_unique = false;
    for (const auto& property : of_.object["properties"]) {
      if (!flag_of(property, "primaryKey")) continue;
      if (columns.empty()) first.reset(property);
      is_unique = is_unique || flag_of(property, "unique");
      columns.emplace_back(std::atoi(text_of(property, "primaryKeyPosition").c_str()),
                           std::vector{data_name(property)});
    }
    if (columns.empty() || (columns.size() == 1 && is_unique) || !of_.row.empty()) return;
    std::ranges::stable_sort(columns, {}, [](const auto& column) { return column.first; });
    std::vector<std::vector<std::string>> paths;
    for (auto& [position, path] : columns) paths.push_back(std::move(path));
    unique(first, "primary_key_unique", std::move(paths), {"", "", "", action_, {}, every_});
  }

  void relationships(const YAML::Node& node, const At& at) {
    for (const auto& one : node["relationships"]) {
      const std::string name = (at.name.empty() ? "" : at.name + "_") + "reference";
      auto query = foreign_key_query({.contract = of_.contract,
                                      .object = of_.object,
                                      .relation = of_.relation,
                                      .column = at.path},
                                     one);
      if (!of_.row.empty()) {
        keep(one, name, std::string(kOfTables));
      } else if (!query) {
        keep(one, name, query.error().what);
      } else {
        Measure made{.name = name, .kind = Measure::Kind::kQuery};
        made.columns = {at.names};
        made.sql = std::move(*query);
        made.limit = {.op = Limit::Op::kIs, .low = 0, .text = "mustBe: 0"};
        measure(one, std::move(made), at);
      }
    }
  }

  /// No value of these columns may occur twice.
  void unique(const YAML::Node& node, std::string name,
              std::vector<std::vector<std::string>> columns, const At& at) {
    if (!of_.row.empty()) return keep(node, std::move(name), std::string(kOfTables));
    Measure made{.name = std::move(name), .kind = Measure::Kind::kDuplicates};
    made.columns = std::move(columns);
    made.limit = {.op = Limit::Op::kIs, .low = 0, .text = "mustBe: 0"};
    measure(node, std::move(made), at);
  }

  /// Rules of a list's elements.
  void items(const YAML::Node& node, const At& at) {
    for (const char* key : {"required", "unique", "logicalTypeOptions", "quality"})
      if (node[key] && !(node[key].IsScalar() && !flag_of(node, key)))
        keep(node[key], at.name + "_items_" + key, "rules of a list's items are not evaluated");
  }

  void type_options(const YAML::Node& node, const YAML::Node& options, const At& at) {
    const std::string type = text_of(node, "logicalType");
    for (const auto& option : options) {
      const std::string name = option.first.Scalar();
      const YAML::Node& value = option.second;
      if (value.IsNull()) continue;
      const std::string condition =
          option_condition(type, name, value, at, text_of(node, "physicalType"));
      if (condition == kNothing) continue;
      if (condition.empty())
        keep(value, at.name + "_" + name, fmt::format("`{}` of a {} is not evaluated", name, type));
      else
        add(value, at, name, fmt::format("{} IS NULL OR {}", at.path, condition));
    }
  }

  /// "" for what is kept, kNothing for what asks nothing.
  std::string option_condition(const std::string& type, const std::string& name,
                               const YAML::Node& value, const At& at,
                               const std::string& physical_type) {
    const std::string text = value.IsScalar() ? value.Scalar() : "";
    const std::string& c = at.path;
    if (name == "minLength") return fmt::format("length({}) >= {}", c, text);
    if (name == "maxLength") return fmt::format("length({}) <= {}", c, text);
    if (name == "pattern") return pattern_condition(c, text);
    if (name == "minItems") return fmt::format("size({}) >= {}", c, text);
    if (name == "maxItems") return fmt::format("size({}) <= {}", c, text);
    if (name == "multipleOf")
      return yaml_kind(value) == YamlKind::kInteger ? fmt::format("{} % {} = 0", c, text) : "";
    if (name == "format") return format_condition(type, text, c);
    if (name == "required" && type == "object") return fields_condition(value, c);
    if (name == "uniqueItems")
      return lower(text) == "true" ? fmt::format("size(array_distinct({0})) = size({0})", c)
                                   : std::string(kNothing);
    constexpr std::pair<std::string_view, std::string_view> kBounds[] = {
        {"minimum", ">="}, {"exclusiveMinimum", ">"}, {"maximum", "<="}, {"exclusiveMaximum", "<"}};
    for (const auto& [bound, op] : kBounds)
      if (name == bound) return bound_condition(type, std::string(op), value, c, physical_type);
    return "";
  }

  static std::string bound_condition(const std::string& type, const std::string& op,
                                     const YAML::Node& value, const std::string& column,
                                     const std::string& physical_type) {
    if (type == "integer" || type == "number") {
      const auto number = literal_of(value);
      return number ? fmt::format("{} {} {}", column, op, *number) : "";
    }
    if (type != "date" && type != "timestamp") return "";
    const std::string sql = type == "date" ? "DATE" : "TIMESTAMP";
    const bool is_text =
        lower(physical_type).starts_with("string") || lower(physical_type).starts_with("varchar");
    const std::string read = is_text ? fmt::format("TRY_CAST({} AS {})", column, sql) : column;
    return fmt::format("{} {} {} {}", read, op, sql, literal(value.Scalar()));
  }

  static std::string pattern_condition(const std::string& column, const std::string& pattern) {
    return fmt::format("{} RLIKE {}", column, literal(pattern));
  }

  static std::string fields_condition(const YAML::Node& names, const std::string& column) {
    std::string all;
    for (const auto& name : names)
      all += fmt::format("{}{}.{} IS NOT NULL", all.empty() ? "" : " AND ", column,
                         quoted_column(name.Scalar()));
    return all.empty() ? std::string(kNothing) : "(" + all + ")";
  }

  static std::string format_condition(const std::string& type, const std::string& format,
                                      const std::string& column) {
    constexpr std::pair<std::string_view, std::string_view> kRanges[] = {
        {"i8", "-128 AND 127"},
        {"i16", "-32768 AND 32767"},
        {"i32", "-2147483648 AND 2147483647"},
        {"u8", "0 AND 255"},
        {"u16", "0 AND 65535"},
        {"u32", "0 AND 4294967295"},
        {"u64", "0 AND 18446744073709551615"}};
    if (type == "integer")
      for (const auto& [name, range] : kRanges)
        if (format == name) return fmt::format("{} BETWEEN {}", column, range);
    if (type == "integer" && format == "u128") return column + " >= 0";
    if (type == "integer" || type == "number") return std::string(kNothing);  // as wide as it is
    constexpr std::pair<std::string_view, std::string_view> kShapes[] = {
        {"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
        {"email", "^[^@\\s]+@[^@\\s]+$"},
        {"ipv4", "^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([.]|$)){4}$"}};
    if (type == "string")
      for (const auto& [name, shape] : kShapes)
        if (format == name) return pattern_condition(column, std::string(shape));
    return "";
  }

  // Quality rules.
  void quality(const YAML::Node& node, const At& at) {
    for (const auto& rule : node["quality"]) one(rule, at);
  }

  void one(const YAML::Node& rule, const At& at) {
    const std::string type = text_of(rule, "type"), metric = text_of(rule, "metric");
    std::string name = text_of(rule, "id");
    if (name.empty()) name = text_of(rule, "name");
    if (name.empty())
      name = (at.name.empty() ? "" : at.name + "_") + (!metric.empty() ? metric
                                                       : !type.empty() ? type
                                                                       : "quality");
    if (type == "custom")
      return keep(rule, name, fmt::format("it is for {}", text_of(rule, "engine")));
    if (type == "text" || (type.empty() && metric.empty() && !rule["rule"]))
      return keep(rule, name, "it is a text for people");
    if (metric.empty() && type != "sql")
      return keep(rule, name, "`rule` is v3.0's: name a `metric`");
    const bool is_topic = !of_.row.empty();
    const std::string query = type == "sql" ? own_query(rule, at) : "";
    const std::string bad = type == "sql" ? counted(query) : metric_condition(rule, metric, at);
    const auto limit = limit_of(rule);
    if (!limit) return keep(rule, name, "what it compares with is no number");
    const bool none = !bad.empty() && allows_none(rule, *limit);
    if (!none && !is_topic) return measured(rule, std::move(name), metric, query, bad, *limit, at);
    if (bad.empty() || (!none && !allows_some(*limit)))
      return keep(rule, name, std::string(kOfTables));
    ContractRule made{.name = name, .condition = bad, .place = of_.file.place(rule)};
    made.action = rule_action(rule, at, made.kept);
    if (!none) {
      made.action = Action::kWarn;
      made.kept = fmt::format(
          "such records are counted; the limit `{}` of all is judged of tables "
          "alone",
          limit->text);
    }
    push(std::move(made));
  }

  /// A rule of all rows together.
  void measured(const YAML::Node& rule, std::string name, const std::string& metric,
                const std::string& query, const std::string& good, const Limit& limit,
                const At& at) {
    Measure made{.name = std::move(name), .kind = Measure::Kind::kQuery};
    made.limit = limit;
    made.percent = is_percent(rule) && query.empty();
    made.columns = {at.names};
    const auto refuse = [&](std::string why) { keep(rule, made.name, std::move(why)); };
    if (!query.empty()) {
      made.sql = query;
    } else if (metric == "rowCount") {
      made.kind = Measure::Kind::kRows;
      if (!at.path.empty()) return refuse("rowCount is of an object, not of one of its properties");
      if (made.percent) return refuse("rowCount has no percent: it is what percents are of");
    } else if (metric == "duplicateValues") {
      made.kind = Measure::Kind::kDuplicates;
      if (at.path.empty()) {
        const std::string missing = named_columns(rule["arguments"], made.columns);
        if (!missing.empty()) return refuse(missing);
      }
    } else {
      made.kind = Measure::Kind::kBadRows;
      made.sql = good;
      if (at.path.empty()) return refuse(metric + " is of a property, not of the whole object");
      if (good.empty()) return refuse(metric + " needs `arguments` that it can compare with");
    }
    measure(rule, std::move(made), at);
  }

  /// The columns that `properties` of a rule's arguments name; else why there are none.
  std::string named_columns(const YAML::Node& arguments,
                            std::vector<std::vector<std::string>>& columns) const {
    const std::string how = "duplicateValues of an object needs arguments: {properties: [NAME]}";
    if (!arguments || !arguments.IsMap()) return how;
    const YAML::Node names = arguments["properties"];
    if (!names || !names.IsSequence() || names.size() == 0) return how;
    columns.clear();
    for (const auto& name : names) {
      if (!name.IsScalar()) return how;
      std::string column;
      for (const auto& property : of_.object["properties"])
        if (same_name(text_of(property, "name"), name.Scalar())) column = data_name(property);
      if (column.empty()) return fmt::format("the object has no property `{}`", name.Scalar());
      columns.push_back({std::move(column)});
    }
    return "";
  }

  /// When it is judged, and its name among the object's.
  void measure(const YAML::Node& rule, Measure made, const At& at) {
    made.place = of_.file.place(rule);
    std::string every = at.every;
    if (rule.IsMap()) {
      made.severity = text_of(rule, "severity");
      made.description = text_of(rule, "description");
      if (const std::string own = own_every(rule); !own.empty()) every = own;
      schedule(rule, made);
    }
    if (!every.empty() && !made.schedule) {
      made.every = time_of(every);
      if (!made.every)
        made.fault = fmt::format("judgeEvery `{}` is no time: write 30s, 5m, 1h or 1d", every);
    }
    made.name = free_name(made.name);
    measures_.push_back(std::move(made));
  }

  static void schedule(const YAML::Node& rule, Measure& made) {
    const std::string when = text_of(rule, "schedule"), scheduler = text_of(rule, "scheduler");
    // Another's scheduler asks for itself.
    if (when.empty() || (!scheduler.empty() && !same_name(scheduler, "cron"))) return;
    if (auto cron = calendar::Cron::parse(when)) {
      made.schedule = std::move(*cron);
      made.every = std::nullopt;
    } else {
      made.fault = fmt::format("schedule `{}`: {}", when, cron.error().what);
    }
  }

  Action rule_action(const YAML::Node& rule, const At& at, std::string& kept) const {
    if (const auto own = own_action(rule)) return *own;
    const std::string severity = text_of(rule, "severity");
    if (const auto action = action_of_severity(severity)) return *action;
    if (!severity.empty())
      kept = fmt::format("severity `{}` is not known, so rows that break it are counted", severity);
    return at.action.value_or(Action::kWarn);
  }

  /// The condition of good rows; "" when it is not one of single rows.
  std::string metric_condition(const YAML::Node& rule, const std::string& metric,
                               const At& at) const {
    if (at.path.empty()) return "";  // of the whole object
    const YAML::Node arguments = rule["arguments"];
    if (metric == "nullValues") return at.path + " IS NOT NULL";
    if (metric == "missingValues")
      return missing_condition(arguments ? arguments["missingValues"] : YAML::Node(), at);
    if (metric == "invalidValues") return valid_condition(arguments, at);
    return "";
  }

  static std::string missing_condition(const YAML::Node& missing, const At& at) {
    if (!missing || missing.IsNull()) return at.path + " IS NOT NULL";
    if (!missing.IsSequence()) return "";
    bool nulls = false;
    std::string list;
    for (const auto& value : missing) {
      nulls = nulls || value.IsNull();
      if (value.IsNull()) continue;
      const auto one = literal_of(value);
      if (!one) return "";
      list += (list.empty() ? "" : ", ") + *one;
    }
    if (list.empty()) return nulls ? at.path + " IS NOT NULL" : "";
    return nulls ? fmt::format("{0} IS NOT NULL AND {0} NOT IN ({1})", at.path, list)
                 : fmt::format("{0} IS NULL OR {0} NOT IN ({1})", at.path, list);
  }

  static std::string valid_condition(const YAML::Node& arguments, const At& at) {
    if (!arguments || !arguments.IsMap()) return "";
    std::string all;
    const auto add = [&](const std::string& one) { all += (all.empty() ? "" : " AND ") + one; };
    if (const YAML::Node valid = arguments["validValues"]) {
      std::string list;
      for (const auto& value : valid) {
        if (value.IsNull()) continue;
        const auto one = literal_of(value);
        if (!one) return "";
        list += (list.empty() ? "" : ", ") + *one;
      }
      if (list.empty()) return "";
      add(fmt::format("{} IN ({})", at.path, list));
    }
    if (const YAML::Node pattern = arguments["pattern"]; pattern && pattern.IsScalar())
      add(pattern_condition(at.path, pattern.Scalar()));
    return all.empty() ? "" : fmt::format("{} IS NULL OR ({})", at.path, all);
  }

  /// The rule's query with the names of its marks put in.
  std::string own_query(const YAML::Node& rule, const At& at) const {
    std::string query = text_of(rule, "query");
    const auto put = [&](std::string_view mark, const std::string& text) {
      for (auto found = query.find(mark); found != std::string::npos;
           found = query.find(mark, found + text.size()))
        query.replace(found, mark.size(), text);
    };
    for (const std::string_view mark : {"${object}", "{object}", "${table}", "{table}"})
      put(mark, quoted_column(of_.relation));
    for (const std::string_view mark : {"${property}", "{property}", "${column}", "{column}"})
      put(mark, at.path);
    return query;
  }

  std::string counted(const std::string& query) const {
    const std::string bad = counted_rows(query, of_.relation);
    return bad.empty() ? "" : fmt::format("NOT coalesce(({}), false)", bad);
  }

  void add(const YAML::Node& node, const At& at, std::string_view what, std::string condition) {
    push({.name = at.name + "_" + std::string(what),
          .condition = std::move(condition),
          .action = at.action.value_or(Action::kDrop),
          .place = of_.file.place(node)});
  }

  void keep(const YAML::Node& node, std::string name, std::string why) {
    push({.name = std::move(name), .kept = std::move(why), .place = of_.file.place(node)});
  }

  /// Names are words, and no two are alike. A record without a value has nothing to be held to.
  void push(ContractRule rule) {
    if (!of_.row.empty() && !rule.condition.empty())
      rule.condition = fmt::format("`value` IS NULL OR ({})", rule.condition);
    rule.name = free_name(rule.name);
    rules_.push_back(std::move(rule));
  }

  std::string free_name(std::string_view text) {
    const std::string name = rule_name(text);
    std::string free = name;
    for (int copy = 2; !names_.insert(lower(free)).second; ++copy)
      free = fmt::format("{}_{}", name, copy);
    return free;
  }

  static constexpr std::string_view kNothing = "nothing";
  static constexpr std::string_view kOfTables =
      "it is of all records together: ask it of the table that reads the topic";

  const RulesOf& of_;
  std::optional<Action> action_;  ///< of all of the object
  std::string every_;
  std::vector<ContractRule> rules_;
  std::vector<Measure> measures_;
  std::set<std::string> names_;
};

}  // namespace

std::string quoted_column(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

std::string data_name(const YAML::Node& node) {
  const std::string physical = text_of(node, "physicalName");
  return physical.empty() ? text_of(node, "name") : physical;
}

std::string counted_rows(const std::string& query, std::string_view relation) {
  const auto parsed = sql::parse_query(query);
  if (!parsed || parsed->kind != sql::Statement::Kind::kSelect || !parsed->query) return "";
  const sql::Query& whole = *parsed->query;
  if (!whole.ctes.empty() || !whole.select || whole.limit) return "";
  const sql::Select& select = *whole.select;
  const bool plain = !select.distinct && select.items.size() == 1 && select.group_by.empty() &&
                     !select.group_by_all && !select.having && !select.qualify && select.where;
  if (!plain || !select.from || select.from->kind != sql::Relation::Kind::kTable ||
      !same_name(select.from->name.parts.back(), relation) || select.from->streaming ||
      !select.from->lateral_views.empty() || !select.from->alias.empty() || !whole.order.empty())
    return "";
  const sql::Expression& count = *select.items[0].expr;
  const bool counts = count.kind == sql::Expression::Kind::kCall && count.name == "count" &&
                      !count.distinct && !count.filter && !count.over && count.args.size() == 1 &&
                      (count.args[0]->kind == sql::Expression::Kind::kStar ||
                       count.args[0]->kind == sql::Expression::Kind::kLiteral);
  if (!counts) return "";
  // All that follows FROM table WHERE: parentheses are not part of an expression's span.
  std::string_view rest = parsed->source->slice({select.from->span.end, parsed->span.end});
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" \t\r\n")));
  constexpr std::string_view kWhere = "where";
  if (rest.size() < kWhere.size() || !same_name(rest.substr(0, kWhere.size()), kWhere)) return "";
  return std::string(rest.substr(kWhere.size()));
}

std::vector<ContractRule> make_rules(const RulesOf& of) {
  return Maker(of).make().rules();
}

std::vector<Measure> make_measures(const RulesOf& of) {
  return Maker(of).make().measures();
}

}  // namespace tailrace::pipeline
