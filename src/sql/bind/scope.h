// Names in reach of an expression, and the relation they are columns of.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "sql/ast.h"

namespace tailrace::sql {

struct ScopeColumn {
  std::vector<std::string> qualifier;  ///< alias, or the table's name parts
  std::string name;
  engine::ExprPtr expr;  ///< over the relation's rows
  bool hidden = false;   ///< not in *; found with its qualifier only (the right side of USING)
};

/// A bound relation: its plan and its names.
struct Bound {
  engine::PlanPtr plan;
  std::vector<ScopeColumn> columns;
};

/// Names that are found when the scope has none: earlier aliases of the select list, `window` of
/// GROUP BY.
struct Alias {
  std::string name;
  engine::ExprPtr expr;
};

struct Scope {
  const std::vector<ScopeColumn>* columns = nullptr;
  std::vector<Alias> aliases;
  std::vector<Alias> variables =
      {};  ///< of the lambdas around; found before columns, innermost last
};

struct Found {
  engine::ExprPtr expr;
  std::size_t used = 0;  ///< parts of the name that were used; the rest are struct fields
  bool ambiguous = false;
};

/// Spark's order: qualified names first, then a column with fields behind it, then the aliases.
Found find_name(const Scope& scope, const std::vector<std::string>& parts);

/// The columns of `t.*`; empty when no relation has that name.
std::vector<const ScopeColumn*> star_columns(const Scope& scope,
                                             const std::vector<std::string>& qualifier);

/// ` Did you mean one of the following? [`a`, `b`]` of the five nearest names, or nothing when
/// there is none.
std::string suggestion(const std::string& wanted, std::vector<std::string> names);
std::vector<std::string> scope_names(const Scope& scope);

}  // namespace tailrace::sql
