// A SELECT while its clauses are bound.
#pragma once

#include "sql/bind/binder.h"

namespace tailrace::sql {

struct Binder::Selecting {
  const Select& select;
  const Query& query;
  engine::PlanPtr plan;
  Bound from;
  Scope scope;
  Calls calls;
  Exprs groups;
  std::vector<Item> items;
  engine::ExprPtr having, qualify;
  std::vector<engine::Plan::Order> order;  ///< over the same rows as the items
};

}  // namespace tailrace::sql
