// Bound expressions: what the SQL binder makes and the engine evaluates a batch at a time.
//
// Every node knows its type. A failure of one row (overflow, a bad cast: Spark's ANSI mode) is a
// RowError, not the end of the batch: the value becomes null, the row is named, and the operator
// above sends that row to the dead letters.
#pragma once

#include <arrow/scalar.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "columns/types.h"

namespace tailrace::engine {

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

struct Expr {
  enum class Kind {
    kColumn,   ///< input column `column`
    kLiteral,  ///< `literal`
    kCall,  ///< function `name` (lower case) over `args`. Operators are functions too: and or not =
            ///< <=> <> < <= >
            ///< >= + - * / % div negative positive || in like ilike rlike isnull isnotnull; a[b] is
            ///< "[]"
    kCast,  ///< args[0] to `type`; `try_cast` gives null where CAST gives a RowError
    kCase,  ///< args: when1, then1, when2, then2, …, [else]
    kField,  ///< struct field number `column` of args[0]
  };
  Kind kind;
  Type type;
  int column = -1;
  std::shared_ptr<arrow::Scalar> literal;
  std::string name;
  std::vector<ExprPtr> args;
  bool try_cast = false;
  std::string place;  ///< file:line:column, for messages
};

/// A row of the batch whose value could not be made.
struct RowError {
  std::int64_t row;
  std::string what;  ///< Spark's error class and sentence, with the place
};

struct EvalContext {
  std::vector<RowError> errors;
  std::int64_t now_us = 0;  ///< current_timestamp() of this step
};

/// The expression over every row of `rows`. An Error means the whole batch cannot be evaluated.
Result<Array> evaluate(const Expr& expr, const arrow::RecordBatch& rows, EvalContext& context);

/// Which types a scalar function takes and gives; the binder asks, then casts the arguments as
/// told.
struct BoundFunction {
  std::vector<Type> args;  ///< one for each argument, after implicit casts
  Type result;
};

/// Constant arguments are given (null otherwise), since from_json's type and date formats depend on
/// them. kNotFound: no such function; kInvalidArgument: wrong number or types, in Spark's words.
Result<BoundFunction> bind_function(const std::string& name, std::span<const Type> args,
                                    std::span<const std::shared_ptr<arrow::Scalar>> constants);

/// Least common type of CASE's branches, UNION's columns, COALESCE, IN: Spark's ANSI coercion.
/// kInvalidArgument: [DATATYPE_MISMATCH.DATA_DIFF_TYPES].
Result<Type> common_type(std::span<const Type> types);

/// Whether CAST(from AS to) exists.
bool may_cast(const arrow::DataType& from, const arrow::DataType& to);

/// A scalar function of the catalogue. The example is run as a test.
struct FunctionInfo {
  std::string name;
  std::string usage;
  std::string doc;
  std::string example;  ///< SQL expression
  std::string result;   ///< its value as text
};
std::span<const FunctionInfo> function_catalogue();

/// Parses a DDL schema as from_json takes it: "name STRING, dob STRUCT<date: STRING, age: INT>".
Result<Type> parse_ddl_type(std::string_view ddl);

}  // namespace tailrace::engine
