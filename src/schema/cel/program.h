// A CEL expression, checked against the columns it is about, and evaluated row by row.
//
// It is a tree that is walked, and not an expression of the engine: a record's rule is asked where
// records are read and written, below the engine, and CEL's errors, its lists and maps of anything,
// and its comparison across numbers have no equals there.
//
// Order of calls: compile once, evaluate for each row. One thread at a time.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columns/types.h"
#include "schema/cel/functions.h"
#include "schema/cel/syntax.h"

namespace tailrace::schema::cel {

/// A name an expression may use.
struct Variable {
  std::string name;
  Type type = {};  ///< null: anything
};

struct Binding {
  std::string_view name;
  const Value* value;
};

/// What evaluating may cost: parts visited, each time.
inline constexpr std::int64_t kMaxSteps = 1'000'000;

class Program {
 public:
  /// kInvalidArgument with "line:column: what": not CEL, a name or field that is not there, types
  /// that an operator never takes, a result that is not true or false where `condition` asks for
  /// it.
  static Result<Program> compile(std::string_view text, const std::vector<Variable>& variables,
                                 bool condition);

  /// kInvalidArgument with the place: CEL's runtime errors. kResourceExhausted beyond kMaxSteps.
  Result<Value> evaluate(std::span<const Binding> bindings);

 private:
  Program() = default;
  std::string text_;
  NodePtr root_;
  Patterns patterns_;
};

}  // namespace tailrace::schema::cel
