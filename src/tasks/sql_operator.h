// What the operators of common.sql have in common: a connection, statements, how they fail.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tasks/operator.h"
#include "tasks/sql_client.h"

namespace tailrace::tasks {

/// An argument; null where it is absent or None.
const jinja::Value* given(const Context& context, std::string_view name);
/// `parameters`, or None.
jinja::Value parameters_of(const Context& context);
/// A number, or the text of one.
std::optional<double> float_of(const jinja::Value& value);
/// A text that Airflow takes for a truth value, as `yes` and `0`.
std::optional<bool> truth_of(std::string_view text);

/// Each of these operators ends so: an Error is a failure.
class SqlOperator : public Operator {
 public:
  Outcome run(Context& context) const final;

 protected:
  virtual Result<Outcome> try_run(Context& context) const = 0;

  /// Of `conn_id`, or of `none`.
  static Result<std::unique_ptr<SqlClient>> client(Context& context, std::string none = "");
  /// get_records: tuples.
  static Result<jinja::List> all_rows(Context& context, const std::string& sql,
                                      std::string none = "");
  /// get_first: the first row as a tuple; None where there is none.
  static Result<jinja::Value> first_row(Context& context, const std::string& sql,
                                        std::string none = "");
  /// A failure that is tried again, or not, as retry_on_failure says.
  static Result<Outcome> failed(const Context& context, std::string why);
};

}  // namespace tailrace::tasks
