#include "tasks/sql_operator.h"

#include <algorithm>
#include <cstdlib>

namespace tailrace::tasks {

using jinja::List;
using jinja::Value;

const Value* given(const Context& context, std::string_view name) {
  const Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

Value parameters_of(const Context& context) {
  const Value* value = given(context, "parameters");
  return value == nullptr ? Value() : *value;
}

std::optional<double> float_of(const Value& value) {
  if (const auto number = value.number()) return number;
  if (value.string() == nullptr || value.string()->empty()) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(value.string()->c_str(), &end);
  return *end == '\0' ? std::optional(number) : std::nullopt;
}

std::optional<bool> truth_of(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto among = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, lower) != words.end();
  };
  if (among({"y", "yes", "t", "true", "on", "1"})) return true;
  if (among({"n", "no", "f", "false", "off", "0"})) return false;
  return std::nullopt;
}

Outcome SqlOperator::run(Context& context) const {
  auto outcome = try_run(context);
  return outcome ? std::move(*outcome) : Outcome::failed(outcome.error().what);
}

Result<std::unique_ptr<SqlClient>> SqlOperator::client(Context& context, std::string none) {
  ASSIGN(const std::string connection, text_argument(context, "conn_id", std::move(none)));
  ASSIGN(const std::string database, text_argument(context, "database"));
  return SqlClient::open(context, connection, database);
}

Result<List> SqlOperator::all_rows(Context& context, const std::string& sql, std::string none) {
  ASSIGN(auto open, client(context, std::move(none)));
  ASSIGN(auto answer, open->run(sql, parameters_of(context)));
  TRY(open->commit());
  return std::move(answer.rows);
}

Result<Value> SqlOperator::first_row(Context& context, const std::string& sql, std::string none) {
  ASSIGN(const List rows, all_rows(context, sql, std::move(none)));
  return rows.empty() ? Value() : rows.front();
}

Result<Outcome> SqlOperator::failed(const Context& context, std::string why) {
  ASSIGN(const bool retry, bool_argument(context, "retry_on_failure", true));
  return retry ? Outcome::failed(std::move(why)) : Outcome::failed_for_good(std::move(why));
}

}  // namespace tailrace::tasks
