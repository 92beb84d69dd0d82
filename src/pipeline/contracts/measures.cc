#include "pipeline/contracts/measures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "pipeline/contracts/rules.h"
#include "pipeline/names.h"
#include "pipeline/query.h"

namespace tailrace::pipeline {
namespace {

using Level = Finding::Level;

std::string columns_text(const Measure& measure) {
  std::string text;
  for (const auto& path : measure.columns)
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", fmt::join(path, "."));
  return text;
}

/// "5m", as the contract writes it.
std::string time_text(std::chrono::milliseconds time) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {
      {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}};
  for (const auto& [ms, unit] : kUnits)
    if (time.count() % ms == 0) return fmt::format("{}{}", time.count() / ms, unit);
  return fmt::format("{}ms", time.count());
}

/// The type at a path into a schema; null where there is none.
Type type_at(const Schema& schema, const std::vector<std::string>& path) {
  Type type = arrow::struct_(schema->fields());
  for (const std::string& name : path) {
    Type next;
    for (const Field& field : type->fields())
      if (type->id() == arrow::Type::STRUCT && same_name(field->name(), name)) next = field->type();
    if (!next) return nullptr;
    type = next;
  }
  return type;
}

bool has_map(const arrow::DataType& type) {
  return type.id() == arrow::Type::MAP ||
         std::ranges::any_of(type.fields(), [](const Field& f) { return has_map(*f->type()); });
}

bool is_number(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         type.id() == arrow::Type::DECIMAL128 || type.id() == arrow::Type::NA;
}

/// Why it cannot be taken of the table, and how bad that is; nullopt when it can.
std::optional<Finding> obstacle(const Measure& measure, const Table& table,
                                const std::vector<QueryRelation>& relations) {
  const auto found = [&](Level level, const std::string& what) {
    return Finding{level, fmt::format("{}: {}{}: {}", measure.place,
                                      level == Level::kKept ? "kept, not evaluated: " : "rule ",
                                      measure.name, what)};
  };
  if (!measure.fault.empty()) return found(Level::kError, measure.fault);
  if (measure.kind == Measure::Kind::kDuplicates) {
    for (const auto& path : measure.columns) {
      const Type type = type_at(table.schema, path);
      // That the column is not there is told by the columns' comparison.
      if (!type) return Finding{Level::kKept, ""};
      if (has_map(*type))
        return found(Level::kKept, fmt::format("{} has a MAP, whose values are not compared",
                                               fmt::join(path, ".")));
    }
  }
  if (measure.kind == Measure::Kind::kBadRows) {
    if (auto columns = check_query(bad_rows_query(measure), measure.place, relations); !columns)
      return found(Level::kError, columns.error().what);
  }
  if (measure.kind == Measure::Kind::kQuery) {
    const auto columns = check_query(measure.sql, measure.name, relations);
    if (!columns) return found(Level::kKept, columns.error().what);
    if (!*columns) return found(Level::kKept, "it reads a table of `system`");
    if ((**columns)->num_fields() == 0 || !is_number(*(**columns)->field(0)->type()))
      return found(Level::kKept, "the first column of its query is no number");
  }
  return std::nullopt;
}

}  // namespace

bool Limit::holds(double value) const {
  switch (op) {
    case Op::kIs:
      return value == low;
    case Op::kIsNot:
      return value != low;
    case Op::kGreater:
      return value > low;
    case Op::kGreaterOrEqual:
      return value >= low;
    case Op::kLess:
      return value < low;
    case Op::kLessOrEqual:
      return value <= low;
    case Op::kBetween:
      return low <= value && value <= high;
    case Op::kNotBetween:
      return value < low || value > high;
  }
  return false;
}

std::string Measure::what() const {
  const std::string of = percent ? "percent of rows" : "rows";
  switch (kind) {
    case Kind::kRows:
      return "rows";
    case Kind::kDuplicates:
      return fmt::format("values of {} that occur more than once{}", columns_text(*this),
                         percent ? ", in percent of rows" : "");
    case Kind::kBadRows:
      return fmt::format("{} that break {}", of, sql);
    case Kind::kQuery:
      return sql;
  }
  return "";
}

std::string bad_rows_query(const Measure& measure) {
  return fmt::format(
      "SELECT count(*) AS `rows`, coalesce(sum(CASE WHEN ({}) THEN 0 ELSE 1 END), "
      "0) AS `bad` FROM {}",
      measure.sql, quoted_column(measure.table));
}

std::vector<Finding> measure_findings(const Graph& graph, const std::vector<Measure>& measures,
                                      std::vector<Measure>* taken) {
  std::vector<QueryRelation> relations;
  for (const Table& table : graph.tables) relations.push_back({table.name, table.schema, {}});
  std::vector<Finding> findings;
  for (const Measure& measure : measures) {
    const int index = graph.table_index(measure.table);
    if (index < 0) continue;
    const Table& table = graph.tables[static_cast<std::size_t>(index)];
    if (auto finding = obstacle(measure, table, relations)) {
      if (!finding->what.empty()) findings.push_back(std::move(*finding));
    } else if (taken != nullptr) {
      taken->push_back(measure);
    }
  }
  return findings;
}

Result<std::vector<Measure>> taken_measures(const Project& project, const Graph& graph) {
  ASSIGN(const auto measures, load_measures(project));
  std::vector<Measure> taken;
  (void)measure_findings(graph, measures, &taken);
  return taken;
}

std::string measure_line(const Measure& measure) {
  std::string when;
  if (measure.schedule) when = "; at " + measure.schedule->expression() + " UTC";
  if (measure.every && *measure.every != Measure::kJudgedEvery)
    when = "; every " + time_text(*measure.every);
  return fmt::format("{} of {}: {}, {}{}", measure.name, measure.table, measure.what(),
                     measure.limit.text, when);
}

}  // namespace tailrace::pipeline
