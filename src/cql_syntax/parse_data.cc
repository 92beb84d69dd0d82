// SELECT, INSERT, UPDATE, DELETE, BATCH.
#include <span>

#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {

// JSON and DISTINCT are names too: they are words of the statement only where selectors follow
// them.
Select Parser::select() {
  Select made;
  match(Kind::kSelect);
  made.json = is(Kind::kJson) && attempt([&] {
                accept(Kind::kJson);
                select_clause(made);
              });
  if (!made.json) select_clause(made);
  match(Kind::kFrom);
  made.from = table_name();
  if (accept(Kind::kWhere)) made.where = where();
  if (accept(Kind::kGroup)) {
    match(Kind::kBy);
    list([&] { made.group_by.push_back(selection()); });
  }
  if (accept(Kind::kOrder)) {
    match(Kind::kBy);
    list([&] { made.order_by.push_back(ordering()); });
  }
  if (accept(Kind::kPer)) {
    match({Kind::kPartition, Kind::kLimit});
    made.per_partition_limit = int_value();
  }
  if (accept(Kind::kLimit)) made.limit = int_value();
  if (accept(Kind::kAllow)) made.allow_filtering = match(Kind::kFiltering);
  return made;
}

void Parser::select_clause(Select& made) {
  made.selectors.clear();
  made.distinct = is(Kind::kDistinct) && attempt([&] {
                    accept(Kind::kDistinct);
                    selectors(made.selectors);
                  });
  if (made.distinct) return;
  made.selectors.clear();
  selectors(made.selectors);
}

Ordering Parser::ordering() {
  Ordering made;
  made.column = name(true);
  if (accept(Kind::kAnn)) {
    match(Kind::kOf);
    made.ann_of = term();
  }
  if (!accept(Kind::kAsc)) made.descending = accept(Kind::kDesc);
  return made;
}

Using Parser::using_clause() {
  Using made;
  if (!accept(Kind::kUsing)) return made;
  do {
    using_objective(made);
  } while (accept(Kind::kAnd));
  return made;
}

void Parser::using_objective(Using& made) {
  Option& option = made.emplace_back();
  if (accept(Kind::kTtl))
    option.kind = Option::Kind::kTtl;
  else if (!accept(Kind::kTimestamp))
    return no_alternative();
  option.value = int_value();
}

Insert Parser::insert() {
  Insert made;
  match({Kind::kInsert, Kind::kInto});
  made.into = table_name();
  if (accept(Kind::kJson)) {
    if (is(Kind::kString))
      made.json = constant();
    else
      made.json = marker();
    if (accept(Kind::kDefault)) {
      made.default_unset = accept(Kind::kUnset);
      if (!made.default_unset && !accept(Kind::kNull)) no_alternative();
    }
  } else if (is(Kind::kOpen)) {
    made.columns = tuple_of_names();
    match({Kind::kValues, Kind::kOpen});
    list([&] { made.values.push_back(term()); });
    match(Kind::kClose);
  } else {
    no_alternative();
  }
  made.if_not_exists = if_not_exists();
  made.options = using_clause();
  return made;
}

Update Parser::update() {
  Update made;
  match(Kind::kUpdate);
  made.table = table_name();
  made.options = using_clause();
  match(Kind::kSet);
  list([&] {
    made.assignments.push_back(assignment());
    check_compatible(made.assignments);
  });
  match(Kind::kWhere);
  made.where = where();
  made.conditions = conditions(made.if_exists);
  return made;
}

// A column that is set whole is set once, and is changed in no other way.
void Parser::check_compatible(const std::vector<Assignment>& made) {
  const Assignment& last = made.back();
  for (const Assignment& other : std::span(made).first(made.size() - 1)) {
    if (other.column != last.column) continue;
    const bool same_field = other.kind == Assignment::Kind::kField &&
                            last.kind == Assignment::Kind::kField && other.field == last.field;
    if (same_field || other.kind == Assignment::Kind::kSet || last.kind == Assignment::Kind::kSet) {
      return semantic("Multiple incompatible setting of column " + last.column);
    }
  }
}

Assignment Parser::assignment() {
  Assignment made;
  made.at = token().at;
  made.column = name(true);
  if (accept(Kind::kEqual)) {
    assigned_value(made);
  } else if (is(Kind::kPlusEqual) || is(Kind::kMinusEqual)) {
    made.kind = is(Kind::kPlusEqual) ? Assignment::Kind::kAdd : Assignment::Kind::kSubtract;
    accept(la());
    made.value = term();
  } else if (accept(Kind::kOpenSquare)) {
    made.kind = Assignment::Kind::kElement;
    made.key = term();
    match({Kind::kCloseSquare, Kind::kEqual});
    made.value = term();
  } else if (accept(Kind::kDot)) {
    made.kind = Assignment::Kind::kField;
    made.field = name();
    match(Kind::kEqual);
    made.value = term();
  } else {
    no_alternative();
  }
  return made;
}

// After `column =`: value, value + column, column ± value; `column -3` is cut as a name and a
// number.
void Parser::assigned_value(Assignment& made) {
  const Kind first = la();
  const Kind after = is_column(first) ? la(2) : Kind::kAbsent;
  if (after == Kind::kPlus || after == Kind::kMinus || after == Kind::kInteger)
    return changed_by(made);
  const bool call =
      is_name(first) && (after == Kind::kDot || (after == Kind::kOpen && may_be_called(first)));
  if (!call && !begins_unnamed_term(first)) no_alternative(is_column(first) ? 2 : 1);
  made.value = term();
  if (!accept(Kind::kPlus)) return;
  made.kind = Assignment::Kind::kPrepend;
  if (name(true) != made.column)
    semantic("Only expressions of the form X = <value> + X are supported.");
}

void Parser::changed_by(Assignment& made) {
  const std::string other = name(true);
  const bool number = is(Kind::kInteger);
  const std::string sign = number ? (token().text[0] == '-' ? "- " : "+ ") : token().text;
  made.kind = is(Kind::kMinus) ? Assignment::Kind::kSubtract : Assignment::Kind::kAdd;
  if (!number) accept(la());
  // Of a number the columns are compared before it is read.
  const auto compare = [&] {
    if (other != made.column)
      semantic("Only expressions of the form X = X " + sign + "<value> are supported.");
  };
  if (number) compare();
  made.value = number ? constant() : term();
  if (!number) compare();
}

Delete Parser::remove() {
  Delete made;
  match(Kind::kDelete);
  if (is_column(la())) list([&] { made.deletions.push_back(deletion()); });
  match(Kind::kFrom);
  made.from = table_name();
  if (accept(Kind::kUsing)) {
    match(Kind::kTimestamp);
    made.options.push_back({Option::Kind::kTimestamp, int_value()});
  }
  match(Kind::kWhere);
  made.where = where();
  made.conditions = conditions(made.if_exists);
  return made;
}

Deletion Parser::deletion() {
  Deletion made;
  if (is_column(la())) {
    const Kind after = la(2);
    if (after != Kind::kComma && after != Kind::kFrom && after != Kind::kOpenSquare &&
        after != Kind::kDot) {
      no_alternative(2);
    }
  }
  made.column = name(true);
  if (accept(Kind::kOpenSquare)) {
    made.element = term();
    match(Kind::kCloseSquare);
  } else if (accept(Kind::kDot)) {
    made.field = name();
  }
  return made;
}

Batch Parser::batch() {
  Batch made;
  match(Kind::kBegin);
  if (accept(Kind::kUnlogged))
    made.kind = Batch::Kind::kUnlogged;
  else if (accept(Kind::kCounter))
    made.kind = Batch::Kind::kCounter;
  match(Kind::kBatch);
  made.options = using_clause();
  while (is(Kind::kInsert) || is(Kind::kUpdate) || is(Kind::kDelete)) {
    if (is(Kind::kInsert))
      made.statements.emplace_back(insert());
    else if (is(Kind::kUpdate))
      made.statements.emplace_back(update());
    else
      made.statements.emplace_back(remove());
    accept(Kind::kSemicolon);
  }
  match({Kind::kApply, Kind::kBatch});
  return made;
}

}  // namespace tailrace::cql_syntax
