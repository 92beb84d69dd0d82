// Spark's names of unaliased select items (toPrettySQL).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sql/bind/binder.h"
#include "sql/parser.h"

namespace tailrace::sql {
namespace {

std::string literal_name(const arrow::Scalar& value) {
  if (!value.is_valid) return "NULL";
  switch (value.type->id()) {
    case arrow::Type::NA:
      return "NULL";
    case arrow::Type::DOUBLE:
    case arrow::Type::FLOAT: {
      const double number = value.type->id() == arrow::Type::DOUBLE
                                ? static_cast<const arrow::DoubleScalar&>(value).value
                                : static_cast<const arrow::FloatScalar&>(value).value;
      std::string text = fmt::format("{}", number);
      if (text.find_first_of(".en") == std::string::npos) text += ".0";
      return text;
    }
    case arrow::Type::BINARY: {
      std::string text = "X'";
      for (const char c : static_cast<const arrow::BinaryScalar&>(value).view())
        text += fmt::format("{:02X}", static_cast<unsigned char>(c));
      return text + "'";
    }
    case arrow::Type::DURATION: {
      const auto us = static_cast<const arrow::DurationScalar&>(value).value;
      const auto seconds = us / 1'000'000;
      return fmt::format("INTERVAL '{} {:02}:{:02}:{:02}' DAY TO SECOND", seconds / 86400,
                         seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    }
    default:
      return value.ToString();
  }
}

class Namer {
 public:
  explicit Namer(const Scope& scope) : scope_(scope) {}

  std::string of(const Expression& node) const {
    switch (node.kind) {
      case Expression::Kind::kName:
        return dotted(node);
      case Expression::Kind::kStar:
        return "*";
      case Expression::Kind::kLiteral:
        return literal_name(*node.literal);
      case Expression::Kind::kField:
        return of(*node.args[0]) + "." + node.name;
      case Expression::Kind::kSubscript:
        return of(*node.args[0]) + "[" + of(*node.args[1]) + "]";
      case Expression::Kind::kCast:
        return cast(node);
      case Expression::Kind::kCase:
        return case_when(node);
      case Expression::Kind::kCall:
        return call(node);
      case Expression::Kind::kLambda:
        return lambda(node);
    }
    return {};
  }

 private:
  std::string lambda(const Expression& node) const {
    Scope inner = scope_;
    for (const auto& name : node.parts) inner.variables.push_back({name, nullptr});
    std::string text = "lambdafunction(" + Namer(inner).of(*node.args[0]);
    for (std::size_t i = 0; i < node.parts.size(); ++i) text += ", namedlambdavariable()";
    return text + ")";
  }

  bool is_variable(const std::string& name) const {
    return std::ranges::any_of(scope_.variables,
                               [&](const Alias& one) { return same_name(one.name, name); });
  }

  // The qualifier is left out: t.a.b is a.b.
  std::string dotted(const Expression& node) const {
    if (is_variable(node.parts[0])) {
      std::string text = "namedlambdavariable()";
      for (std::size_t i = 1; i < node.parts.size(); ++i) text += "." + node.parts[i];
      return text;
    }
    const Found found = find_name(scope_, node.parts);
    std::string text;
    for (std::size_t i = found.used > 0 ? found.used - 1 : 0; i < node.parts.size(); ++i) {
      text += (text.empty() ? "" : ".") + node.parts[i];
    }
    return text;
  }

  std::string cast(const Expression& node) const {
    const bool typed_literal = node.args[0]->kind == Expression::Kind::kLiteral &&
                               node.args[0]->span.begin > node.span.begin &&
                               node.args[0]->span.end == node.span.end;
    if (typed_literal)
      return spark_name(*node.type) + " '" + literal_name(*node.args[0]->literal) + "'";
    return std::string(node.try_cast ? "TRY_CAST(" : "CAST(") + of(*node.args[0]) + " AS " +
           spark_name(*node.type) + ")";
  }

  std::string case_when(const Expression& node) const {
    std::string text = "CASE";
    std::size_t i = 0;
    for (; i + 1 < node.args.size(); i += 2)
      text += " WHEN " + of(*node.args[i]) + " THEN " + of(*node.args[i + 1]);
    if (i < node.args.size()) text += " ELSE " + of(*node.args[i]);
    return text + " END";
  }

  std::string list(const Expression& node, std::size_t from = 0) const {
    std::string text;
    for (std::size_t i = from; i < node.args.size(); ++i)
      text += (i > from ? ", " : "") + of(*node.args[i]);
    return text;
  }

  std::string call(const Expression& node) const {
    static constexpr std::array<std::string_view, 16> kInfix = {
        "or", "and", "=", "<=>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "&", "|", "^"};
    const auto& args = node.args;
    if (args.size() == 2 && std::find(kInfix.begin(), kInfix.end(), node.name) != kInfix.end()) {
      std::string op = node.name == "or" ? "OR" : node.name == "and" ? "AND" : node.name;
      return "(" + of(*args[0]) + " " + op + " " + of(*args[1]) + ")";
    }
    if (node.name == "div") return "(" + of(*args[0]) + " div " + of(*args[1]) + ")";
    if (node.name == "not") return "(NOT " + of(*args[0]) + ")";
    if (node.name == "negative" && args.size() == 1) return "(- " + of(*args[0]) + ")";
    if (node.name == "isnull") return "(" + of(*args[0]) + " IS NULL)";
    if (node.name == "isnotnull") return "(" + of(*args[0]) + " IS NOT NULL)";
    if (node.name == "in") return "(" + of(*args[0]) + " IN (" + list(node, 1) + "))";
    if (node.name == "like" && args.size() == 2) return of(*args[0]) + " LIKE " + of(*args[1]);
    if (node.name == "rlike") return "RLIKE(" + list(node) + ")";
    if (node.name == "if") return "(IF(" + list(node) + "))";
    if (node.name == "window") return "window";
    if (node.name == "extract" && args.size() == 2)
      return "extract(" + of(*args[0]) + " FROM " + of(*args[1]) + ")";
    if (node.name == "<<" || node.name == ">>" || node.name == ">>>")
      return "(" + of(*args[0]) + " " + node.name + " " + of(*args[1]) + ")";
    if (node.name == "~") return "~" + of(*args[0]);
    if (node.name == "from_json" || node.name == "current_timestamp" ||
        node.name == "current_date") {
      return node.name + "(" + (args.empty() ? "" : of(*args[0])) + ")";
    }
    const bool star = args.size() == 1 && args[0]->kind == Expression::Kind::kStar;
    std::string text =
        node.name + "(" + (node.distinct ? "DISTINCT " : "") + (star ? "1" : list(node)) + ")";
    if (node.filter) text += " FILTER (WHERE " + of(*node.filter) + ")";
    if (node.over) text += " OVER (" + over(*node.over) + ")";
    return text;
  }

  std::string over(const WindowSpec& spec) const {
    std::string text;
    for (const auto& expr : spec.partition)
      text += (text.empty() ? "PARTITION BY " : ", ") + of(*expr);
    for (std::size_t i = 0; i < spec.order.size(); ++i) {
      text += i > 0 ? ", " : text.empty() ? "ORDER BY " : " ORDER BY ";
      text += of(*spec.order[i].expr) + (spec.order[i].descending ? " DESC" : " ASC") +
              (spec.order[i].nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
    return text + " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  }

  const Scope& scope_;
};

}  // namespace

std::string output_name(const Expression& node, const Scope& scope) {
  if (node.kind == Expression::Kind::kName) return node.parts.back();
  if (node.kind == Expression::Kind::kField) return node.name;
  const bool named = node.kind == Expression::Kind::kCast &&
                     node.args[0]->kind != Expression::Kind::kLiteral &&
                     node.args[0]->kind != Expression::Kind::kCall &&
                     node.args[0]->kind != Expression::Kind::kCase &&
                     node.args[0]->kind != Expression::Kind::kSubscript;
  if (named)
    return output_name(*node.args[0], scope);  // a cast of a column keeps the column's name
  return Namer(scope).of(node);
}

}  // namespace tailrace::sql
