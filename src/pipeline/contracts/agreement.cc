#include "pipeline/contracts/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "engine/expr.h"
#include "pipeline/contracts/measures.h"
#include "pipeline/names.h"
#include "yaml/file.h"

namespace tailrace::pipeline {
namespace {

using Level = Finding::Level;

std::string meant(std::string_view word, const std::vector<std::string>& names) {
  const std::string near = yaml::nearest(word, {names.begin(), names.end()});
  if (!near.empty()) return "; did you mean `" + near + "`?";
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "; there are: " : ", ") + name;
  return all;
}

bool is_text(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING;
}

bool is_whole(const arrow::DataType& type) {
  const bool decimal = type.id() == arrow::Type::DECIMAL128;
  return arrow::is_integer(type.id()) ||
         (decimal && static_cast<const arrow::Decimal128Type&>(type).scale() == 0);
}

bool is_number(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         type.id() == arrow::Type::DECIMAL128;
}

/// Whether a column of the type can hold what the contract's logical type says.
bool holds(const std::string& logical, const arrow::DataType& type) {
  using Id = arrow::Type;
  if (logical == "string") return is_text(type) || type.id() == Id::BINARY;
  if (logical == "date") return type.id() == Id::DATE32;
  if (logical == "timestamp") return type.id() == Id::TIMESTAMP;
  if (logical == "time") return is_text(type) || arrow::is_integer(type.id());
  if (logical == "number") return is_number(type);
  if (logical == "integer") return is_whole(type);
  if (logical == "object") return type.id() == Id::STRUCT || type.id() == Id::MAP;
  if (logical == "array") return type.id() == Id::LIST;
  if (logical == "boolean") return type.id() == Id::BOOL;
  return true;
}

/// A physical type as Spark's, where it is one; VARCHAR(n) is STRING.
Type spark_type(const std::string& physical) {
  std::string text = lower(physical);
  if (text.starts_with("varchar") || text.starts_with("char") || text == "text") text = "string";
  if (text == "long") text = "bigint";
  const auto parsed = engine::parse_ddl_type(text);
  return parsed ? *parsed : nullptr;
}

class Comparer {
 public:
  Comparer(const Project& project, const Graph& graph) : project_(project), graph_(graph) {}

  std::vector<Finding> run() {
    for (const Contract& contract : project_.contracts) {
      for (const ContractObject& object : contract.objects) compare(object);
      for (const ServiceLevel& level : contract.levels) service_level(contract, level);
    }
    measures();
    return std::move(findings_);
  }

 private:
  void add(Level level, const std::string& place, const std::string& what) {
    findings_.push_back({level, place + ": " + what});
  }

  /// Of all rows together.
  void measures() {
    if (project_.contracts.empty()) return;
    const auto measures = load_measures(project_);
    if (!measures) return findings_.push_back({Level::kError, measures.error().what});
    for (Finding& finding : measure_findings(graph_, *measures))
      findings_.push_back(std::move(finding));
  }

  void compare(const ContractObject& object) {
    if (object.is_topic)
      compare_topic(object);
    else
      compare_table(object);
    for (const ContractRule& rule : object.rules)
      if (!rule.kept.empty())
        add(Level::kKept, rule.place,
            fmt::format("{} {}: {}", rule.condition.empty() ? "kept, not evaluated:" : "in part:",
                        rule.name, rule.kept));
  }

  void compare_topic(const ContractObject& object) {
    const auto topic = std::ranges::find(graph_.topics, object.target, &TopicRelation::topic);
    if (topic == graph_.topics.end()) {
      std::vector<std::string> names;
      for (const TopicRelation& one : graph_.topics) names.push_back(one.topic);
      return add(
          Level::kError, object.place,
          fmt::format("there is no topic `{}`{}", object.target, meant(object.target, names)));
    }
    if (!topic->type)
      return add(Level::kWarning, object.place,
                 fmt::format("the columns of topic {} are not compared and its rules not "
                             "evaluated: its format has no schema; a contract of the table made "
                             "from it is",
                             object.target));
    columns(object.columns, topic->type->value()->fields(), "topic " + object.target, object.rules);
    for (const ContractColumn& column : object.columns)
      if (column.unique)
        add(Level::kKept, column.place,
            fmt::format("kept, not evaluated: records of {} may come twice", object.target));
  }

  void compare_table(const ContractObject& object) {
    const int index = graph_.table_index(object.target);
    if (index < 0) {
      std::vector<std::string> names;
      for (const Table& one : graph_.tables) names.push_back(one.name);
      for (const TopicRelation& one : graph_.topics) names.push_back(one.topic);
      return add(Level::kError, object.place,
                 fmt::format("there is no topic or table `{}`{}", object.target,
                             meant(object.target, names)));
    }
    const Table& table = graph_.tables[static_cast<std::size_t>(index)];
    columns(object.columns, table.schema->fields(), "table " + table.name, object.rules);
    keys(object, table);
  }

  void columns(const std::vector<ContractColumn>& wanted, const std::vector<Field>& there,
               const std::string& where, const std::vector<ContractRule>& rules) {
    std::vector<std::string> names;
    for (const Field& field : there) names.push_back(field->name());
    for (const ContractColumn& column : wanted) {
      const auto found = std::ranges::find_if(
          there, [&](const Field& field) { return same_name(field->name(), column.name); });
      if (found == there.end()) {
        add(Level::kError, column.place,
            fmt::format("{} has no column `{}`{}", where, column.name, meant(column.name, names)));
        continue;
      }
      one_column(column, **found, fmt::format("`{}` of {}", column.name, where), rules);
    }
  }

  void one_column(const ContractColumn& column, const arrow::Field& field, const std::string& what,
                  const std::vector<ContractRule>& rules) {
    type_of(column, *field.type(), what, rules);
    const auto guards = [&](const ContractRule& rule) {
      return rule.place == column.place && rule.action != engine::Expectation::Action::kWarn &&
             !rule.condition.empty();
    };
    if (column.required && field.nullable() && std::ranges::none_of(rules, guards))
      add(Level::kWarning, column.place,
          what + " is required, and may be null: nulls are counted, not kept out");
  }

  void type_of(const ContractColumn& column, const arrow::DataType& type, const std::string& what,
               const std::vector<ContractRule>& rules) {
    const Type physical = column.physical_type.empty() ? nullptr : spark_type(column.physical_type);
    if (physical && physical->id() == type.id() && type.id() == arrow::Type::STRUCT) {
      // Its fields are compared one by one.
    } else if (physical && !physical->Equals(type)) {
      return add(Level::kError, column.place,
                 fmt::format("{} is {}, the contract says {}", what, spark_name(type),
                             column.physical_type));
    }
    if (!physical && !column.physical_type.empty())
      add(Level::kKept, column.place,
          fmt::format("kept, not compared: {} is no type that Spark knows", column.physical_type));
    if (!physical && !column.logical_type.empty() && !holds(column.logical_type, type))
      return add(Level::kError, column.place,
                 fmt::format("{} is {}, the contract says {}", what, spark_name(type),
                             column.logical_type));
    if (!column.fields.empty() && type.id() == arrow::Type::STRUCT)
      columns(column.fields, type.fields(), what, rules);
    if (!column.items.empty() && type.id() == arrow::Type::LIST)
      type_of(column.items[0], *static_cast<const arrow::ListType&>(type).value_type(),
              "an item of " + what, rules);
  }

  /// The primary key and the keys that the table is served by name the same columns.
  void keys(const ContractObject& object, const Table& table) {
    std::set<std::string> wanted;
    std::string shown;
    const ContractColumn* first = nullptr;
    for (const ContractColumn& column : object.columns) {
      if (column.key_position == 0) continue;
      if (!first) first = &column;
      wanted.insert(lower(column.name));
      shown += (shown.empty() ? "" : ", ") + column.name;
    }
    if (!first) return;
    for (const ServingSpec& serving : project_.serving) {
      if (!same_name(serving.table, table.name)) continue;
      std::set<std::string> served;
      for (const std::string& column : serving.key) served.insert(lower(column));
      if (served != wanted)
        add(Level::kError, first->place,
            fmt::format("the primary key of {} is ({}), but {} is served by the key ({}), {}",
                        object.name, shown, serving.name, fmt::join(serving.key, ", "),
                        serving.place));
    }
  }

  // Service levels.
  void service_level(const Contract& contract, const ServiceLevel& level) {
    const bool retention =
        same_name(level.property, "retention") || same_name(level.property, "re");
    if (!retention) return;
    const auto promised = duration_ms(level);
    if (!promised)
      return add(Level::kError, level.place,
                 fmt::format("retention `{} {}` is not understood; write value: 7 and unit: d",
                             level.value, level.unit));
    for (const ContractObject& object : contract.objects) {
      if (!names_object(level, object)) continue;
      if (object.is_topic)
        topic_retention(level, object, *promised);
      else
        add(Level::kKept, level.place,
            fmt::format("kept: rows of table {} are never removed for their age", object.target));
    }
  }

  static bool names_object(const ServiceLevel& level, const ContractObject& object) {
    if (level.element.empty()) return true;
    for (std::string_view rest = level.element; !rest.empty();) {
      std::string_view one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      while (one.starts_with(' ')) one.remove_prefix(1);
      one = one.substr(0, one.find('.'));
      while (one.ends_with(' ')) one.remove_suffix(1);
      if (same_name(one, object.name) || same_name(one, object.target)) return true;
    }
    return false;
  }

  void topic_retention(const ServiceLevel& level, const ContractObject& object, double promised) {
    const auto topic = std::ranges::find(project_.topics, object.target, &TopicSpec::name);
    if (topic == project_.topics.end()) return;
    const auto setting = topic->settings.find("retention.ms");
    const double kept = setting == topic->settings.end()
                            ? kDefaultRetentionMs
                            : std::strtod(setting->second.c_str(), nullptr);
    if (kept != promised)
      add(Level::kError, level.place,
          fmt::format("the contract says retention {} {}, topic {} keeps its records {}; write "
                      "`retention.ms: {:.0f}` at {}",
                      level.value, level.unit, topic->name, days(kept), promised, topic->place));
    if (topic->settings.contains("retention.bytes") &&
        !topic->settings.at("retention.bytes").starts_with('-'))
      add(Level::kWarning, level.place,
          fmt::format("topic {} also has a retention_size, which may remove records before {} {}",
                      topic->name, level.value, level.unit));
  }

  static std::string days(double ms) {
    if (ms < 0) return "for ever";
    return ms >= kDay ? fmt::format("for {:g} days", ms / kDay)
                      : fmt::format("for {:g} s", ms / 1e3);
  }

  /// A promise's length; nullopt when its number or unit says nothing.
  static std::optional<double> duration_ms(const ServiceLevel& level) {
    double number = 0;
    const char* end = level.value.data() + level.value.size();
    const auto [rest, code] = std::from_chars(level.value.data(), end, number);
    if (code != std::errc() || rest != end || number < 0 || !std::isfinite(number))
      return std::nullopt;
    constexpr std::pair<std::string_view, double> kUnits[] = {{"ms", 1},
                                                              {"s", 1e3},
                                                              {"second", 1e3},
                                                              {"seconds", 1e3},
                                                              {"m", 60e3},
                                                              {"min", 60e3},
                                                              {"minute", 60e3},
                                                              {"minutes", 60e3},
                                                              {"h", 3600e3},
                                                              {"hr", 3600e3},
                                                              {"hour", 3600e3},
                                                              {"hours", 3600e3},
                                                              {"d", kDay},
                                                              {"day", kDay},
                                                              {"days", kDay},
                                                              {"w", 7 * kDay},
                                                              {"week", 7 * kDay},
                                                              {"weeks", 7 * kDay},
                                                              {"y", 365 * kDay},
                                                              {"yr", 365 * kDay},
                                                              {"year", 365 * kDay},
                                                              {"years", 365 * kDay}};
    for (const auto& [unit, ms] : kUnits)
      if (same_name(level.unit, unit)) return std::round(number * ms);
    return std::nullopt;
  }

  static constexpr double kDay = 86'400'000;
  static constexpr double kDefaultRetentionMs = 7 * kDay;  // log::TopicSettings

  const Project& project_;
  const Graph& graph_;
  std::vector<Finding> findings_;
};

Status add_rules(const std::vector<const ContractRule*>& rules, const std::string& where,
                 std::vector<sql::ExpectationClause>& clauses) {
  for (const ContractRule* rule : rules) {
    if (rule->condition.empty()) continue;
    for (const sql::ExpectationClause& other : clauses)
      if (same_name(other.name, rule->name))
        return error(Code::kInvalidArgument,
                     fmt::format("{}: `{}` is already an expectation of {}; give the rule an id of "
                                 "its own",
                                 rule->place, rule->name, where));
    ASSIGN(auto clause, sql::make_expectation(rule->name, rule->condition, rule->action,
                                              rule->place + ": rule " + rule->name));
    clauses.push_back(std::move(clause));
  }
  return {};
}

}  // namespace

std::vector<Finding> contract_findings(const Project& project, const Graph& graph) {
  return Comparer(project, graph).run();
}

Status check_contracts(const Project& project, const Graph& graph) {
  std::string all;
  for (const Finding& finding : contract_findings(project, graph))
    if (finding.level == Level::kError) all += (all.empty() ? "" : "\n") + finding.what;
  if (all.empty()) return {};
  return error(Code::kInvalidArgument, all);
}

Status add_contract_rules(const Project& project, std::vector<sql::Statement>& statements) {
  using Kind = sql::Statement::Kind;
  for (sql::Statement& statement : statements)
    if (statement.kind == Kind::kStreamingTable || statement.kind == Kind::kMaterializedView)
      TRY(add_rules(contract_rules(project, false, statement.name.parts.back()),
                    "table " + statement.name.text(), statement.expectations));
  return {};
}

Result<std::vector<sql::ExpectationClause>> topic_rules(const Project& project,
                                                        const std::string& topic) {
  std::vector<sql::ExpectationClause> made;
  TRY(add_rules(contract_rules(project, true, topic), "topic " + topic, made));
  return made;
}

Result<std::vector<engine::Expectation>> topic_expectations(const Project& project,
                                                            const TopicRelation& topic) {
  std::vector<engine::Expectation> made;
  ASSIGN(const auto rules, topic_rules(project, topic.topic));
  for (const sql::ExpectationClause& rule : rules) {
    ASSIGN(auto condition, sql::bind_expression(rule.text, topic.schema(), rule.source->file));
    if (condition->type->id() != arrow::Type::BOOL)
      return error(Code::kInvalidArgument,
                   rule.source->file + ": the condition is not true or false");
    made.push_back({rule.name, std::move(condition), rule.text, rule.action});
  }
  return made;
}

std::string level_text(const ServiceLevel& level) {
  std::string text = level.property + " " + level.value;
  if (!level.unit.empty()) text += " " + level.unit;
  if (!level.element.empty()) text += " of " + level.element;
  return text;
}

std::string contract_line(const Contract& contract) {
  std::string line = fmt::format("contract {} ({}", contract.title(), contract.status);
  if (!contract.owner.empty()) line += ", owner " + contract.owner;
  line += "):";
  for (const ContractObject& object : contract.objects) {
    const auto evaluated = std::ranges::count_if(
        object.rules, [](const ContractRule& rule) { return !rule.condition.empty(); });
    line += fmt::format("{} {} {}, {} rules", &object == contract.objects.data() ? "" : ";",
                        object.is_topic ? "topic" : "table", object.target, evaluated);
  }
  return line;
}

}  // namespace tailrace::pipeline
