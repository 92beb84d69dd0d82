// What the parser makes of Spark's pipeline SQL: statements, queries, relations, expressions, each
// with the bytes of the source it came from, so that a generator can rewrite a statement as text.
// Nothing here is resolved.
#pragma once

#include <arrow/scalar.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "columns/types.h"
#include "engine/plan.h"
#include "sql/source.h"

namespace tailrace::sql {

struct Query;
struct Expression;
using QueryPtr = std::shared_ptr<const Query>;
using ExpressionPtr = std::shared_ptr<const Expression>;

/// A name of one or more parts: users, db.users, a.b.c.
struct Name {
  std::vector<std::string> parts;
  Span span;

  bool empty() const { return parts.empty(); }
  std::string text() const;  ///< parts joined by dots
};

struct OrderItem {
  ExpressionPtr expr;
  bool descending = false;
  bool nulls_first = true;  ///< Spark's default: first when ascending, last when descending
};

/// OVER (PARTITION BY … ORDER BY …); frames are not taken yet.
struct WindowSpec {
  std::vector<ExpressionPtr> partition;
  std::vector<OrderItem> order;
};

struct Expression {
  enum class Kind {
    kName,       ///< `parts`: column, table.column, column.field …
    kStar,       ///< `parts`: what is before the star, maybe nothing
    kLiteral,    ///< `literal`
    kCall,       ///< `name`(args): operators and predicates too, by the engine's names
    kCast,       ///< args[0] to `type`
    kCase,       ///< when1, then1, …, [else]; CASE x WHEN y is rewritten to x = y
    kField,      ///< args[0].`name`
    kSubscript,  ///< args[0][args[1]]
    kLambda,     ///< `parts` -> args[0]; only as an argument of a call
  };
  Kind kind = Kind::kLiteral;
  Span span;
  std::vector<std::string> parts;
  std::string name;  ///< lower case for calls, as written for fields
  std::vector<ExpressionPtr> args;
  std::shared_ptr<arrow::Scalar> literal;
  Type type;
  bool try_cast = false;
  bool distinct = false;             ///< count(DISTINCT x)
  ExpressionPtr filter;              ///< FILTER (WHERE …)
  std::shared_ptr<WindowSpec> over;  ///< OVER (…)
  std::vector<std::string> star_except;
  int depth = 1;  ///< levels below, bounded by the parser
};

/// WATERMARK column | expression AS alias DELAY OF INTERVAL …
struct WatermarkClause {
  ExpressionPtr expr;
  std::string alias;  ///< empty for a plain column
  std::int64_t delay_us = 0;
  Span span;
};

/// LATERAL VIEW [OUTER] generator(…) table AS column, …
struct LateralView {
  bool outer = false;
  ExpressionPtr call;
  std::string table;
  std::vector<std::string> columns;
  Span span;
};

struct Relation;
using RelationPtr = std::shared_ptr<const Relation>;

struct Relation {
  enum class Kind { kTable, kSubquery, kJoin };
  enum class Join { kInner, kLeft };
  Kind kind = Kind::kTable;
  Span span;
  Name name;               ///< kTable
  bool streaming = false;  ///< STREAM x, STREAM(x)
  QueryPtr query;          ///< kSubquery
  RelationPtr left, right;
  Join join = Join::kInner;
  ExpressionPtr on;
  std::vector<std::string> using_columns;
  std::string alias;
  std::vector<std::string> column_aliases;
  std::optional<WatermarkClause> watermark;
  std::vector<LateralView> lateral_views;
};

struct SelectItem {
  ExpressionPtr expr;
  std::string alias;                 ///< empty: Spark's own name is derived
  std::vector<std::string> aliases;  ///< AS (a, b) of a generator
};

struct Select {
  Span span;
  bool distinct = false;
  std::vector<SelectItem> items;
  RelationPtr from;  ///< null: SELECT without FROM
  ExpressionPtr where;
  std::vector<ExpressionPtr> group_by;
  bool group_by_all = false;
  ExpressionPtr having;
  ExpressionPtr qualify;
};

struct Cte {
  std::string name;
  std::vector<std::string> columns;
  QueryPtr query;
};

/// One SELECT, or a UNION of queries; then ORDER BY and LIMIT over all of it.
struct Query {
  Span span;
  std::vector<Cte> ctes;
  std::shared_ptr<const Select> select;  ///< null for a union
  std::vector<QueryPtr> branches;        ///< two or more for a union
  bool union_distinct = false;
  std::vector<OrderItem> order;
  std::optional<std::int64_t> limit;
};

struct ColumnDefinition {
  std::string name;
  Type type;  ///< null when only the name was given
  bool not_null = false;
  std::optional<std::string> comment;
  Span span;
};

/// CONSTRAINT name EXPECT (condition) [ON VIOLATION DROP ROW | FAIL UPDATE]: Tailrace's, open Spark
/// refuses it.
struct ExpectationClause {
  std::string name;
  ExpressionPtr condition;
  engine::Expectation::Action action = engine::Expectation::Action::kWarn;
  Span condition_span;  ///< between the parentheses
  Span span;            ///< all of it, without commas
  std::string text;     ///< the condition as written
  SourcePtr source;     ///< of the condition, where it is not in the statement's own; else null
};

struct Statement {
  enum class Kind {
    kStreamingTable,
    kMaterializedView,
    kTemporaryView,
    kView,
    kFlow,  ///< CREATE FLOW name AS INSERT INTO target BY NAME query
    kSet,
    kSelect,  ///< from here: only in the shell (parse_query)
    kShowTables,
    kDescribe,  ///< of `name`
    kExplain,   ///< of `query`
  };
  Kind kind = Kind::kSelect;
  SourcePtr source;
  Span span;    ///< without the semicolon
  Name name;    ///< the table, view or flow made
  Name target;  ///< kFlow
  bool if_not_exists = false;
  bool or_refresh = false;
  bool or_replace = false;
  std::vector<ColumnDefinition> columns;
  std::vector<ExpectationClause> expectations;
  /// The parenthesised list of columns and constraints with its parentheses; empty when there is
  /// none.
  Span element_list;
  std::string format;  ///< USING
  std::vector<std::string> partition_by, cluster_by;
  std::optional<std::string> comment;
  std::map<std::string, std::string> properties;
  QueryPtr query;          ///< null: CREATE STREAMING TABLE without AS
  std::string key, value;  ///< kSet
  /// Open Spark's parser takes the statement as it is written (no EXPECT, no OR REFRESH …).
  bool plain_spark = true;
  /// Spans to blank out, in order, for open Spark: "OR REFRESH". Expectations are to be rewritten,
  /// not blanked.
  std::vector<Span> not_plain;

  std::string place() const { return source->place(span.begin); }
  std::string_view text() const { return source->slice(span); }
  std::string_view query_text() const;
};

}  // namespace tailrace::sql
