// Tailrace's own operators, by the paths of python/tailrace_provider: there they ask a running
// Tailrace over HTTP, here they do the same by calls.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "tasks/operators.h"

namespace tailrace::tasks {
namespace {

using jinja::Value;

const Value* given(const Context& context, std::string_view name) {
  const Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

/// A number, or a text of one: decimals and templates are texts. As Python's float() reads it.
Result<double> number_of(const Value& value) {
  if (const auto number = value.number()) return *number;
  if (const std::string* text = value.string()) {
    const auto first = text->find_first_not_of(" \t\n"), last = text->find_last_not_of(" \t\n");
    const char* from = text->data() + (first == std::string::npos ? text->size() : first);
    const char* end = text->data() + (last == std::string::npos ? text->size() : last + 1);
    if (from != end && *from == '+') ++from;
    double number = 0;
    const auto [rest, failed] = std::from_chars(from, end, number);
    if (from != end && rest == end && failed == std::errc()) return number;
  }
  return error(Code::kInvalidArgument, value.repr() + " is no number");
}

class Ingest final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto records = emit(context);
    if (!records) return Outcome::failed(records.error().what);
    return Outcome::success(Value(*records));
  }

 private:
  static Result<std::int64_t> emit(Context& context) {
    ASSIGN(const std::string source, text_argument(context, "source"));
    std::optional<std::chrono::microseconds> most;
    if (given(context, "run_for") != nullptr) {
      ASSIGN(most, time_argument(context, "run_for", {}));
      if (most->count() <= 0 || *most > std::chrono::days(1))
        return error(Code::kInvalidArgument, "seconds must be a number over 0, at most 86400");
    }
    ASSIGN(const std::int64_t records, context.project.ingest(source, most, context.stop));
    if (context.stop.stop_requested()) return error(Code::kCancelled, "stopped");
    context.log.line(fmt::format("{}: {} records", source, records));
    return records;
  }
};

class Refresh final : public Operator {
 public:
  Outcome run(Context& context) const override {
    const auto done = context.project.refresh(context.stop);
    return done ? Outcome::success() : Outcome::failed(done.error().what);
  }
};

/// What a query must give.
class Expect final : public Operator {
 public:
  Outcome run(Context& context) const override {
    auto first = first_row(context);
    return first ? Outcome::success(std::move(*first)) : Outcome::failed(first.error().what);
  }

 private:
  static Result<Value> first_row(Context& context) {
    ASSIGN(const std::string sql, text_argument(context, "sql"));
    ASSIGN(const jinja::List rows, context.project.query(sql));
    ASSIGN(const std::string why, wrong(context, rows));
    if (!why.empty()) return error(Code::kAborted, why);
    return rows.empty() ? Value() : rows.front();
  }

  /// Why it is not what must be; empty when it is.
  static Result<std::string> wrong(const Context& context, const jinja::List& rows) {
    ASSIGN(const bool empty, bool_argument(context, "empty", false));
    if (empty) {
      if (rows.empty()) return "";
      return fmt::format("{} rows where none should be; the first is {}", rows.size(),
                         rows.front().repr());
    }
    if (rows.empty()) return "the query gave no row";
    const auto& values = rows.front().dict()->items();
    const Value *equals = given(context, "equals"), *least = given(context, "at_least"),
                *most = given(context, "at_most");
    if (equals == nullptr && least == nullptr && most == nullptr) {
      for (const auto& [name, value] : values) {
        if (!value.truth()) return fmt::format("{} is {}, not true", name.text(), value.repr());
      }
      return "";
    }
    const auto& [name, value] = values.front();
    const std::string is = fmt::format("{} is {}, ", name.text(), value.repr());
    if (equals != nullptr && !(value == *equals) && value.text() != equals->text())
      return is + "not " + equals->repr();
    if (least != nullptr) {
      ASSIGN(const double number, number_of(value));
      ASSIGN(const double bound, number_of(*least));
      if (!(number >= bound)) return is + "under " + least->repr();
    }
    if (most != nullptr) {
      ASSIGN(const double number, number_of(value));
      ASSIGN(const double bound, number_of(*most));
      if (!(number <= bound)) return is + "over " + most->repr();
    }
    return "";
  }
};

/// Waits until a table has so many rows.
class Table final : public Operator {
 public:
  Outcome run(Context& context) const override {
    return poke(context, [&] { return look(context); });
  }

 private:
  static Result<std::optional<Value>> look(Context& context) {
    ASSIGN(const std::string table, text_argument(context, "table"));
    ASSIGN(const std::string where, text_argument(context, "where"));
    std::int64_t least = 1;
    if (const Value* wanted = given(context, "at_least")) {
      ASSIGN(const double number, number_of(*wanted));
      least = static_cast<std::int64_t>(number);
    }
    const std::string sql =
        "SELECT count(*) AS n FROM " + table + (where.empty() ? "" : " WHERE " + where);
    ASSIGN(const jinja::List rows, context.project.query(sql));
    const Value* count = rows.empty() ? nullptr : rows.front().dict()->find("n");
    if (count == nullptr || count->integer() == nullptr)
      return error(Code::kInternal, "count(*) gave no number");
    context.log.line(fmt::format("{} has {} rows of at least {}", table, *count->integer(), least));
    if (*count->integer() < least) return std::nullopt;
    return *count;
  }
};

}  // namespace

void add_tailrace(OperatorTable& table) {
  const std::string package = "tailrace_provider.";
  table[package + "operators.ingest.IngestOperator"] = std::make_unique<Ingest>();
  table[package + "operators.refresh.RefreshOperator"] = std::make_unique<Refresh>();
  table[package + "operators.expect.ExpectOperator"] = std::make_unique<Expect>();
  table[package + "sensors.table.TableSensor"] = std::make_unique<Table>();
}

}  // namespace tailrace::tasks
