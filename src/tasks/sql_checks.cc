// Checks of common.sql that make their own statements: columns, tables, thresholds, intervals.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "jinja/python.h"
#include "tasks/operators.h"
#include "tasks/sql_operator.h"

namespace tailrace::tasks {
namespace {

using jinja::Comparison;
using jinja::Dict;
using jinja::List;
using jinja::Value;

const Value* part(const Dict& dict, std::string_view name) {
  return dict.find(name);
}

/// A mapping of names to mappings, which the task must have.
Result<Dict> mapping_argument(const Context& context, std::string_view name) {
  const Value* value = given(context, name);
  if (value == nullptr || value->dict() == nullptr || value->dict()->size() == 0)
    return error(Code::kInvalidArgument, fmt::format("{}: must be a mapping", name));
  return *value->dict();
}

/// A statement that the operator made, whose parts may be templates.
Result<std::string> rendered(const Context& context, const std::string& sql) {
  ASSIGN(const Value made, context.render(Value(sql)));
  return made.text();
}

/// `WHERE …` of the whole and of one check.
Result<std::string> where(const Context& context, const Dict& check) {
  ASSIGN(const auto whole, text_argument(context, "partition_clause"));
  const Value* own = part(check, "partition_clause");
  if (own == nullptr) return whole.empty() ? std::string() : "WHERE " + whole;
  return whole.empty() ? "WHERE " + own->text()
                       : fmt::format("WHERE {} AND {}", whole, own->text());
}

std::string zero_rows(const std::string& sql) {
  return "The following query returned zero rows: " + sql;
}

/// What a column's figure may be, and whether it is.
class Bounds {
 public:
  explicit Bounds(const Dict& check) : check_(check) {}

  /// What Airflow refuses when it reads the DAG.
  Status sound() const {
    const bool any = has("greater_than") || has("geq_to") || has("less_than") || has("leq_to");
    if (!any && !has("equal_to"))
      return refused(
          "Please provide one or more of: less_than, leq_to, greater_than, geq_to, or equal_to in "
          "the check's dict.");
    TRY(apart("greater_than", "less_than", Comparison::kGe,
              "greater_than should be strictly less than less_than. Use geq_to or leq_to for "
              "overlapping equality."));
    TRY(apart("greater_than", "leq_to", Comparison::kGe,
              "greater_than must be strictly less than leq_to. Use geq_to with leq_to for "
              "overlapping equality."));
    TRY(apart("geq_to", "less_than", Comparison::kGe,
              "geq_to should be strictly less than less_than. Use leq_to with geq_to for "
              "overlapping equality."));
    TRY(apart("geq_to", "leq_to", Comparison::kGt,
              "geq_to should be less than or equal to leq_to."));
    if (has("greater_than") && has("geq_to"))
      return refused("Only supply one of greater_than or geq_to.");
    if (has("less_than") && has("leq_to"))
      return refused("Only supply one of less_than or leq_to.");
    if (any && has("equal_to"))
      return refused(
          "equal_to cannot be passed with a greater or less than function. To specify 'greater "
          "than or equal to' or 'less than or equal to', use geq_to or leq_to.");
    return {};
  }

  Result<bool> hold(Value found, bool accept_none) const {
    if (found.is_none() && accept_none) found = Value(0);
    bool match = true;
    const auto holds = [&](Comparison op, std::string_view name, int direction) -> Status {
      ASSIGN(const Value bound, widened(name, direction));
      ASSIGN(const bool one, jinja::compare(op, found, bound));
      match = one && match;
      return {};
    };
    if (has("geq_to")) {
      TRY(holds(Comparison::kGe, "geq_to", -1));
    } else if (has("greater_than")) {
      TRY(holds(Comparison::kGt, "greater_than", -1));
    }
    if (has("leq_to")) {
      TRY(holds(Comparison::kLe, "leq_to", 1));
    } else if (has("less_than")) {
      TRY(holds(Comparison::kLt, "less_than", 1));
    }
    if (!has("equal_to")) return match;
    if (tolerance() == nullptr) {
      TRY(holds(Comparison::kEq, "equal_to", 0));
      return match;
    }
    TRY(holds(Comparison::kGe, "equal_to", -1));
    TRY(holds(Comparison::kLe, "equal_to", 1));
    return match;
  }

 private:
  bool has(std::string_view name) const { return part(check_, name) != nullptr; }
  const Value* tolerance() const {
    const Value* value = part(check_, "tolerance");
    return value == nullptr || value->is_none() ? nullptr : value;
  }
  static std::unexpected<Error> refused(std::string why) {
    return error(Code::kInvalidArgument, std::move(why));
  }
  Status apart(std::string_view low, std::string_view high, Comparison wrong,
               const char* why) const {
    if (!has(low) || !has(high)) return {};
    ASSIGN(const bool is_wrong, jinja::compare(wrong, *part(check_, low), *part(check_, high)));
    if (is_wrong) return refused(why);
    return {};
  }
  /// A bound, so much further out as the tolerance says, also where it is negative.
  Result<Value> widened(std::string_view name, int direction) const {
    const Value& bound = *part(check_, name);
    const Value* part_of = tolerance();
    if (part_of == nullptr || direction == 0) return bound;
    ASSIGN(const bool negative, jinja::compare(Comparison::kLt, bound, Value(0)));
    Value size = bound;
    if (negative) {
      ASSIGN(size, jinja::negate(bound));
    }
    ASSIGN(const Value margin, jinja::operate(jinja::Operator::kMul, size, *part_of));
    return jinja::operate(direction < 0 ? jinja::Operator::kSub : jinja::Operator::kAdd, bound,
                          margin);
  }

  const Dict& check_;
};

/// The SQL of a column's check; empty: there is no such check.
std::string figure_of(std::string_view check, const std::string& column) {
  if (check == "null_check")
    return fmt::format("SUM(CASE WHEN {} IS NULL THEN 1 ELSE 0 END)", column);
  if (check == "distinct_check") return fmt::format("COUNT(DISTINCT({}))", column);
  if (check == "unique_check") return fmt::format("COUNT({0}) - COUNT(DISTINCT({0}))", column);
  if (check == "min") return fmt::format("MIN({})", column);
  if (check == "max") return fmt::format("MAX({})", column);
  return {};
}

class ColumnCheck final : public SqlOperator {
  static Result<std::string> statement(const Context& context, const Dict& columns) {
    ASSIGN(const auto table, text_argument(context, "table"));
    std::string checks;
    for (const auto& [column, of_column] : columns.items()) {
      if (of_column.dict() == nullptr)
        return error(Code::kInvalidArgument,
                     fmt::format("column_mapping: {} must be a mapping of checks", column.text()));
      for (const auto& [check, values] : of_column.dict()->items()) {
        const std::string figure = figure_of(check.text(), column.text());
        if (figure.empty())
          return error(Code::kInvalidArgument,
                       fmt::format("Invalid column check: {}.", check.text()));
        if (values.dict() == nullptr)
          return error(Code::kInvalidArgument,
                       fmt::format("column_mapping: {} of {} must be a mapping", check.text(),
                                   column.text()));
        TRY(Bounds(*values.dict()).sound());
        ASSIGN(const auto clause, where(context, *values.dict()));
        if (!checks.empty()) checks += "UNION ALL";
        checks += fmt::format(
            "\n        SELECT '{0}' AS col_name, '{1}' AS check_type, {0}_{1} AS check_result\n"
            "        FROM (SELECT {2} AS {0}_{1} FROM {3} {4}) AS sq\n    ",
            column.text(), check.text(), figure, table, clause);
      }
    }
    return rendered(context, fmt::format("SELECT col_name, check_type, check_result FROM ({}) AS "
                                         "check_columns",
                                         checks));
  }

  Result<Outcome> try_run(Context& context) const override {
    ASSIGN(const Dict columns, mapping_argument(context, "column_mapping"));
    ASSIGN(const bool accept_none, bool_argument(context, "accept_none", true));
    ASSIGN(const auto sql, statement(context, columns));
    ASSIGN(const List rows, all_rows(context, sql));
    if (rows.empty()) return failed(context, zero_rows(sql));
    context.log.line("Record: " + Value(rows).text());
    std::string wrong;
    for (const auto& [column, of_column] : columns.items()) {
      for (const auto& [check, values] : of_column.dict()->items()) {
        const auto row = std::ranges::find_if(rows, [&](const Value& one) {
          return one.tuple()->items[0] == column && one.tuple()->items[1] == check;
        });
        if (row == rows.end()) continue;
        const Value& found = row->tuple()->items[2];
        ASSIGN(const bool holds, Bounds(*values.dict()).hold(found, accept_none));
        if (holds) continue;
        Dict told = *values.dict();
        told.set(Value("result"), found);
        told.set(Value("success"), Value(false));
        wrong += fmt::format("Column: {}\n\tCheck: {},\n\tCheck Values: {}\n", column.text(),
                             check.text(), Value(std::move(told)).text());
      }
    }
    if (!wrong.empty())
      return failed(context,
                    fmt::format("Test failed.\nResults:\n{}\nThe following tests have failed:\n{}",
                                Value(rows).text(), wrong));
    context.log.line("All tests have passed");
    return Outcome::success();
  }
};

class TableCheck final : public SqlOperator {
  static Result<std::string> statement(const Context& context, const Dict& checks) {
    ASSIGN(const auto table, text_argument(context, "table"));
    std::string all;
    for (const auto& [name, values] : checks.items()) {
      const Value* holds = values.dict() ? part(*values.dict(), "check_statement") : nullptr;
      if (holds == nullptr)
        return error(Code::kInvalidArgument,
                     fmt::format("checks: {} has no check_statement", name.text()));
      ASSIGN(const auto clause, where(context, *values.dict()));
      if (!all.empty()) all += "UNION ALL";
      all += fmt::format(
          "\n    SELECT '{0}' AS check_name, MIN({0}) AS check_result\n"
          "    FROM (SELECT CASE WHEN {1} THEN 1 ELSE 0 END AS {0}\n"
          "          FROM {2} {3}) AS sq\n    ",
          name.text(), holds->text(), table, clause);
    }
    return rendered(context,
                    fmt::format("SELECT check_name, check_result FROM ({}) AS check_table", all));
  }

  Result<Outcome> try_run(Context& context) const override {
    ASSIGN(const Dict checks, mapping_argument(context, "checks"));
    ASSIGN(const bool accept_none, bool_argument(context, "accept_none", false));
    ASSIGN(const auto sql, statement(context, checks));
    ASSIGN(const List rows, all_rows(context, sql));
    if (rows.empty() && accept_none) return Outcome::success();
    if (rows.empty()) return failed(context, zero_rows(sql));
    context.log.line("Record:\n" + Value(rows).text());
    std::string wrong;
    for (const auto& row : rows) {
      const Value& name = row.tuple()->items[0];
      const std::string result = row.tuple()->items[1].text();
      const auto holds = truth_of(result);
      if (!holds) {
        std::string lower = result;
        std::ranges::transform(lower, lower.begin(),
                               [](unsigned char c) { return std::tolower(c); });
        return error(Code::kAborted, fmt::format("'{}' is not a boolean-like string value", lower));
      }
      const Value* values = checks.find(name);
      if (*holds || values == nullptr) continue;
      Dict told = *values->dict();
      told.set(Value("result"), Value(result));
      told.set(Value("success"), Value(false));
      wrong += fmt::format("{}\tCheck: {},\n\tCheck Values: {}\n", wrong.empty() ? "" : ", ",
                           name.text(), Value(std::move(told)).text());
    }
    if (!wrong.empty())
      return failed(
          context,
          fmt::format(
              "Test failed.\nQuery:\n{}\nResults:\n{}\nThe following tests have failed:\n{}", sql,
              Value(rows).text(), wrong));
    context.log.line("All tests have passed");
    return Outcome::success();
  }
};

class ThresholdCheck final : public SqlOperator {
  /// A number, or what a statement gives.
  static Result<Value> bound(Context& context, std::string_view name) {
    const Value* value = given(context, name);
    if (value == nullptr) return error(Code::kInvalidArgument, fmt::format("{}: is missing", name));
    if (const auto number = float_of(*value)) return Value(*number);
    ASSIGN(const Value row, first_row(context, value->text()));
    if (!row.truth()) return error(Code::kAborted, "'NoneType' object is not subscriptable");
    return row.tuple()->items.front();
  }

  Result<Outcome> try_run(Context& context) const override {
    ASSIGN(const auto sql, text_argument(context, "sql"));
    ASSIGN(const Value row, first_row(context, sql));
    if (!row.truth()) return failed(context, zero_rows(sql));
    const Value found = row.tuple()->items.front();
    ASSIGN(const Value least, bound(context, "min_threshold"));
    ASSIGN(const Value most, bound(context, "max_threshold"));
    ASSIGN(const bool above, jinja::compare(Comparison::kLe, least, found));
    bool within = above;
    if (above) {
      ASSIGN(within, jinja::compare(Comparison::kLe, found, most));
    }
    context.log.line(
        fmt::format("Log from {}:\nresult: {}\ntask_id: {}\nmin_threshold: {}\nmax_threshold: {}\n"
                    "within_threshold: {}",
                    context.id.run.dag, found.text(), context.id.task, least.text(), most.text(),
                    within ? "True" : "False"));
    if (!within) {
      const auto number = found.index() ? std::nullopt : found.number();
      const Value shown = number ? Value(jinja::round_half_even(*number, 2)) : found;
      return failed(
          context, fmt::format("Threshold Check: \"{0}\" failed.\nDAG: {1}\nTask_id: {0}\n"
                               "Check description: None\nSQL: {2}\nResult: {3} is not within "
                               "thresholds {4} and {5}",
                               context.id.task, context.id.run.dag, sql, shown.text(), least.text(),
                               most.text()));
    }
    context.log.line(fmt::format("Test {} Successful.", context.id.task));
    return Outcome::success();
  }
};

class IntervalCheck final : public SqlOperator {
  /// max(now, then) / min(now, then), or abs(now - then) / then.
  static Result<Value> ratio_of(bool is_relative, const Value& now, const Value& then) {
    ASSIGN(const bool less, jinja::compare(Comparison::kLt, now, then));
    const Value& low = less ? now : then;
    const Value& high = less ? then : now;
    if (!is_relative) return jinja::operate(jinja::Operator::kDiv, high, low);
    ASSIGN(const Value difference, jinja::operate(jinja::Operator::kSub, high, low));
    return jinja::operate(jinja::Operator::kDiv, difference, then);
  }

  Result<Outcome> try_run(Context& context) const override {
    ASSIGN(const auto table, text_argument(context, "table"));
    ASSIGN(const Dict thresholds, mapping_argument(context, "metrics_thresholds"));
    ASSIGN(const auto date, text_argument(context, "date_filter_column", "ds"));
    ASSIGN(const double days, number_argument(context, "days_back", -7));
    ASSIGN(const auto formula, text_argument(context, "ratio_formula", "max_over_min"));
    ASSIGN(const bool ignore_zero, bool_argument(context, "ignore_zero", true));
    if (formula != "max_over_min" && formula != "relative_diff")
      return Outcome::failed_for_good(fmt::format(
          "Invalid diff_method: {}. Supported diff methods are: max_over_min, relative_diff",
          formula));
    std::vector<std::string> metrics;
    for (const auto& [name, threshold] : thresholds.items()) metrics.push_back(name.text());
    std::ranges::sort(metrics);
    const std::string head =
        fmt::format("SELECT {} FROM {} WHERE {}=", fmt::join(metrics, ", "), table, date);
    ASSIGN(const auto now_sql, rendered(context, head + "'{{ ds }}'"));
    ASSIGN(const auto then_sql,
           rendered(context, fmt::format("{}'{{{{ macros.ds_add(ds, {}) }}}}'", head,
                                         -std::llround(std::abs(days)))));
    context.log.line("Using ratio formula: " + formula);
    context.log.line("Executing SQL check: " + then_sql);
    ASSIGN(const Value then, first_row(context, then_sql));
    context.log.line("Executing SQL check: " + now_sql);
    ASSIGN(const Value now, first_row(context, now_sql));
    if (!then.truth()) return failed(context, zero_rows(then_sql));
    if (!now.truth()) return failed(context, zero_rows(now_sql));
    std::string wrong;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const Value &current = now.tuple()->items.at(i), &past = then.tuple()->items.at(i);
      const Value& threshold = *thresholds.find(std::string_view(metrics[i]));
      Value ratio;
      bool success = ignore_zero;
      if (current != Value(0) && past != Value(0)) {
        ASSIGN(ratio, ratio_of(formula == "relative_diff", current, past));
        ASSIGN(success, jinja::compare(Comparison::kLt, ratio, threshold));
      }
      context.log.line(fmt::format(
          "Current metric for {0}: {1}\nPast metric for {0}: {2}\nRatio for {0}: {3}\nThreshold: "
          "{4}\n",
          metrics[i], current.text(), past.text(), ratio.text(), threshold.text()));
      if (success) continue;
      Dict told;
      told.set("metric", Value(metrics[i]));
      told.set("current_metric", current);
      told.set("past_metric", past);
      told.set("threshold", threshold);
      told.set("ignore_zero", Value(ignore_zero));
      told.set("ratio", ratio);
      told.set("success", Value(false));
      wrong += fmt::format("{}{}: {}", wrong.empty() ? "" : "; ", metrics[i],
                           Value(std::move(told)).text());
    }
    if (!wrong.empty()) return failed(context, "The following tests have failed:\n " + wrong);
    context.log.line("All tests have passed");
    return Outcome::success();
  }
};

}  // namespace

void add_sql_checks(OperatorTable& table) {
  const std::string operators = "airflow.providers.common.sql.operators.sql.";
  table[operators + "SQLColumnCheckOperator"] = std::make_unique<ColumnCheck>();
  table[operators + "SQLTableCheckOperator"] = std::make_unique<TableCheck>();
  table[operators + "SQLThresholdCheckOperator"] = std::make_unique<ThresholdCheck>();
  table[operators + "SQLIntervalCheckOperator"] = std::make_unique<IntervalCheck>();
}

}  // namespace tailrace::tasks
