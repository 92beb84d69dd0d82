// Operators of common.sql: statements, checks, a branch, a sensor.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tasks/branch.h"
#include "tasks/operators.h"
#include "tasks/python_call.h"
#include "tasks/sql_operator.h"

namespace tailrace::tasks {
namespace {

using jinja::List;
using jinja::Value;
using nlohmann::json;

class Execute final : public SqlOperator {
  Result<Outcome> try_run(Context& context) const override {
    const Value* sql = given(context, "sql");
    if (sql == nullptr) return error(Code::kInvalidArgument, "sql: is missing");
    context.log.line("Executing: " + sql->text());
    const Value* split = given(context, "split_statements");
    ASSIGN(const bool last, bool_argument(context, "return_last", true));
    ASSIGN(const bool autocommit, bool_argument(context, "autocommit", false));
    std::vector<std::string> statements;
    if (sql->string() != nullptr && split != nullptr && split->truth()) {
      statements = split_statements(*sql->string());
    } else if (sql->string() != nullptr) {
      if (sql->string()->find_first_not_of(" \t\r\n") != std::string::npos)
        statements.push_back(*sql->string());
    } else if (const List* list = sql->list() != nullptr    ? sql->list()
                                  : sql->tuple() != nullptr ? &sql->tuple()->items
                                                            : nullptr) {
      for (const auto& one : *list) statements.push_back(one.text());
    }
    if (statements.empty()) return error(Code::kInvalidArgument, "List of SQL statements is empty");
    ASSIGN(auto open, client(context));
    if (autocommit) TRY(open->autocommit());
    List results;
    for (const auto& statement : statements) {
      ASSIGN(auto answer, open->run(statement, parameters_of(context)));
      results.push_back(answer.has_rows ? Value(std::move(answer.rows)) : Value());
    }
    TRY(open->commit());
    const bool single = sql->string() != nullptr && (last || (split != nullptr && !split->truth()));
    const Value* handler = context.arguments.find(std::string_view("handler"));
    if (!context.task.do_xcom_push || (handler != nullptr && handler->is_none()))
      return Outcome::success();
    Value output = single ? results.back() : Value(std::move(results));
    ASSIGN(const bool shows, bool_argument(context, "show_return_value_in_logs", false));
    if (shows) context.log.line("Operator output is: " + output.text());
    return Outcome::success(std::move(output));
  }
};

class Check final : public SqlOperator {
  Result<Outcome> try_run(Context& context) const override {
    ASSIGN(const auto sql, text_argument(context, "sql"));
    context.log.line("Executing SQL check: " + sql);
    ASSIGN(const Value row, first_row(context, sql));
    context.log.line("Record: " + row.text());
    if (!row.truth()) return failed(context, "The following query returned zero rows: " + sql);
    if (!std::ranges::all_of(row.tuple()->items, [](const Value& one) { return one.truth(); }))
      return failed(context,
                    fmt::format("Test failed.\nQuery:\n{}\nResults:\n{}", sql, row.text()));
    context.log.line("Success.");
    return Outcome::success();
  }
};

class ValueCheck final : public SqlOperator {
  Result<Outcome> try_run(Context& context) const override {
    ASSIGN(const auto sql, text_argument(context, "sql"));
    const Value* wanted = given(context, "pass_value");
    if (wanted == nullptr) return error(Code::kInvalidArgument, "pass_value: is missing");
    context.log.line("Executing SQL check: " + sql);
    ASSIGN(const Value row, first_row(context, sql));
    if (!row.truth()) return failed(context, "The following query returned zero rows: " + sql);
    const Value pass(wanted->text());
    const auto number = float_of(pass);
    const Value* tolerance = given(context, "tolerance");
    const double margin = tolerance == nullptr ? NAN : float_of(*tolerance).value_or(NAN);
    const std::string why = fmt::format(
        "Test failed.\nPass value:{}\nTolerance:{}\nQuery:\n{}\nResults:\n{}",
        number ? Value(*number).text() : pass.text(),
        std::isnan(margin) ? "None" : fmt::format("{:.1f}%", margin * 100), sql, row.text());
    for (const auto& cell : row.tuple()->items) {
      if (!number) {
        if (cell.text() != pass.text()) return failed(context, why);
        continue;
      }
      const auto found = float_of(cell);
      if (!found) return Outcome::failed("Converting a result to float failed.\n" + why);
      const double most = std::isnan(margin) ? 0 : std::abs(*number) * margin;
      if (*found < *number - most || *found > *number + most) return failed(context, why);
    }
    return Outcome::success();
  }
};

class Branch final : public SqlOperator {
  Result<Outcome> try_run(Context& context) const override {
    ASSIGN(const auto sql, text_argument(context, "sql"));
    ASSIGN(const Value row, first_row(context, sql, "default_conn_id"));
    if (row.is_none())
      return error(
          Code::kAborted,
          "No rows returned from sql query. Operator expected True or False return value.");
    const Value& cell = row.tuple()->items.front();
    context.log.line(
        fmt::format("Query returns {}, type '<class '{}'>'", cell.text(), cell.type_name()));
    const auto unexpected = [&] {
      return error(Code::kAborted,
                   fmt::format("Unexpected query return result '{}' type '<class '{}'>'",
                               cell.text(), cell.type_name()));
    };
    bool yes = false;
    if (const auto* text = cell.string()) {
      const auto said = truth_of(*text);
      if (!said) return unexpected();
      yes = *said;
    } else if (cell.index()) {
      yes = *cell.index() != 0;
    } else {
      return unexpected();
    }
    const Value* chosen =
        given(context, yes ? "follow_task_ids_if_true" : "follow_task_ids_if_false");
    Outcome outcome = branch_to(context, chosen == nullptr ? Value() : *chosen);
    outcome.returned = Value();
    return outcome;
  }
};

class SqlWaits final : public Operator {
 public:
  Outcome run(Context& context) const override {
    return poke(context, [&] { return look(context); });
  }

 private:
  static Result<std::optional<Value>> look(Context& context) {
    ASSIGN(const auto sql, text_argument(context, "sql"));
    ASSIGN(const auto connection, text_argument(context, "conn_id"));
    context.log.line(fmt::format(
        "Poking: {} (with parameters {})", sql,
        given(context, "parameters") != nullptr ? parameters_of(context).text() : "None"));
    ASSIGN(auto open, SqlClient::open(context, connection, ""));
    ASSIGN(const auto answer, open->run(sql, parameters_of(context)));
    TRY(open->commit());
    if (answer.rows.empty()) {
      ASSIGN(const bool fails, bool_argument(context, "fail_on_empty", false));
      if (fails)
        return error(Code::kAborted, "No rows returned, raising as per fail_on_empty flag");
      return std::nullopt;
    }
    const Value& cell = answer.rows.front().tuple()->items.front();
    ASSIGN(const auto failure, asked(context, "failure_check", cell));
    if (failure.value_or(false))
      return error(
          Code::kAborted,
          fmt::format("Failure criteria met. self.failure({}) returned True", cell.text()));
    ASSIGN(const auto success, asked(context, "success_check", cell));
    if (!success.value_or(cell.truth())) return std::nullopt;
    return Value();
  }

  /// What a function of the author's says of the cell; none: there is no function.
  static Result<std::optional<bool>> asked(Context& context, std::string_view name,
                                           const Value& cell) {
    json job = python_job(context);
    ASSIGN(const bool is_given, take_function(context, name, job));
    if (!is_given) return std::optional<bool>();
    job["args"].push_back(value_json(cell));
    job["keep"] = false;
    job["context_free"] = true;
    ASSIGN(const auto called, call_python(context, std::move(job)));
    if (!called.outcome.how_is_success()) return error(Code::kAborted, called.outcome.why);
    return std::optional(called.truth);
  }
};

}  // namespace

void add_sql(OperatorTable& table) {
  const std::string common = "airflow.providers.common.sql.";
  table[common + "operators.sql.SQLExecuteQueryOperator"] = std::make_unique<Execute>();
  table[common + "operators.sql.SQLCheckOperator"] = std::make_unique<Check>();
  table[common + "operators.sql.SQLValueCheckOperator"] = std::make_unique<ValueCheck>();
  table[common + "operators.sql.BranchSQLOperator"] = std::make_unique<Branch>();
  table[common + "sensors.sql.SqlSensor"] = std::make_unique<SqlWaits>();
}

}  // namespace tailrace::tasks
