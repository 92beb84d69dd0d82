// WHERE and IF clauses.
#include "cql_syntax/follow.h"
#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {

bool Parser::is_comparison(Kind kind) const {
  switch (kind) {
    case Kind::kEqual:
    case Kind::kNotEqual:
    case Kind::kLess:
    case Kind::kLessEqual:
    case Kind::kMore:
    case Kind::kMoreEqual:
      return true;
    default:
      return false;
  }
}

Operator Parser::comparison() {
  Operator op = Operator::kEqual;
  switch (la()) {
    case Kind::kEqual:
      break;
    case Kind::kNotEqual:
      op = Operator::kNotEqual;
      break;
    case Kind::kLess:
      op = Operator::kLess;
      break;
    case Kind::kLessEqual:
      op = Operator::kLessEqual;
      break;
    case Kind::kMore:
      op = Operator::kMore;
      break;
    case Kind::kMoreEqual:
      op = Operator::kMoreEqual;
      break;
    default:
      no_alternative();
      return op;
  }
  accept(la());
  return op;
}

// What may follow a column's name in WHERE.
bool Parser::follows_column(Kind kind) const {
  return is_comparison(kind) || kind == Kind::kLike || kind == Kind::kIs || kind == Kind::kIn ||
         kind == Kind::kContains || kind == Kind::kOpenSquare;
}

// CONTAINS, or CONTAINS KEY where a value follows: KEY is a name too.
Operator Parser::contains() {
  accept(Kind::kContains);
  if (!is(Kind::kKey) || !begins_term(la(2))) return Operator::kContains;
  accept(Kind::kKey);
  return Operator::kContainsKey;
}

std::vector<Relation> Parser::where() {
  std::vector<Relation> made;
  do {
    if (!is(Kind::kExpr)) {
      relation(made);
      continue;
    }
    Relation index;
    index.kind = Relation::Kind::kIndex;
    index.at = token().at;
    accept(Kind::kExpr);
    index.columns.push_back(name_or_marker("index"));
    match(Kind::kComma);
    index.values.push_back(term());
    match(Kind::kClose);
    made.push_back(std::move(index));
  } while (accept(Kind::kAnd));
  return made;
}

void Parser::relation(std::vector<Relation>& into) {
  if (!enter()) return leave();
  Relation made;
  made.at = token().at;
  if (is_column(la())) {
    column_relation(made);
    into.push_back(std::move(made));
  } else if (is(Kind::kToken)) {
    accept(Kind::kToken);
    made.kind = Relation::Kind::kToken;
    made.columns = tuple_of_names();
    made.op = comparison();
    made.values.push_back(term());
    into.push_back(std::move(made));
  } else if (is(Kind::kOpen)) {
    const bool column = is_column(la(2));
    if (column && (la(3) == Kind::kComma || la(3) == Kind::kClose)) {
      tuple_relation(made);
      into.push_back(std::move(made));
    } else {
      if (column && !follows_column(la(3))) no_alternative(3);
      if (!column && la(2) != Kind::kOpen && la(2) != Kind::kToken) no_alternative(2);
      accept(Kind::kOpen);
      relation(into);
      match(Kind::kClose);
    }
  } else {
    no_alternative();
  }
  leave();
}

void Parser::column_relation(Relation& made) {
  const Kind after = la(2);
  if (!follows_column(after)) return no_alternative(2);
  if (after == Kind::kIn && la(3) != Kind::kOpen && la(3) != Kind::kMark && la(3) != Kind::kColon) {
    return no_alternative(3);
  }
  made.columns.push_back(name(true));
  switch (after) {
    case Kind::kLike:
      accept(Kind::kLike);
      made.op = Operator::kLike;
      made.values.push_back(term());
      break;
    case Kind::kIs:
      match({Kind::kIs, Kind::kNot, Kind::kNull});
      made.op = Operator::kIsNotNull;
      break;
    case Kind::kIn:
      in_values(made);
      break;
    case Kind::kContains:
      made.op = contains();
      made.values.push_back(term());
      break;
    case Kind::kOpenSquare:
      accept(Kind::kOpenSquare);
      made.kind = Relation::Kind::kElement;
      made.element = term();
      match(Kind::kCloseSquare);
      [[fallthrough]];
    default:
      made.op = comparison();
      made.values.push_back(term());
  }
}

/// IN (…) or IN marker, of one column.
void Parser::in_values(Relation& made) {
  match(Kind::kIn);
  made.op = Operator::kIn;
  if (is(Kind::kMark) || is(Kind::kColon)) {
    made.marker_for_all = true;
    made.values.push_back(marker());
  } else if (is(Kind::kOpen)) {
    in_list(made);
  } else {
    no_alternative();
  }
}

void Parser::in_list(Relation& made) {
  match(Kind::kOpen);
  if (begins_term(la())) list([&] { made.values.push_back(term()); });
  match(Kind::kClose);
}

std::vector<std::string> Parser::tuple_of_names() {
  std::vector<std::string> names;
  match(Kind::kOpen);
  list([&] { names.push_back(name(true)); });
  match(Kind::kClose);
  return names;
}

void Parser::tuple_relation(Relation& made) {
  made.kind = Relation::Kind::kTuple;
  made.columns = tuple_of_names();
  if (accept(Kind::kIn)) {
    made.op = Operator::kIn;
    if (is(Kind::kMark) || is(Kind::kColon)) {
      made.marker_for_all = true;
      made.values.push_back(marker());
      return;
    }
    if (!is(Kind::kOpen)) return no_alternative();
    const Kind first = la(2);
    if (first != Kind::kClose && first != Kind::kOpen && first != Kind::kMark &&
        first != Kind::kColon) {
      return no_alternative(2);
    }
    accept(Kind::kOpen);
    if (first == Kind::kOpen)
      list([&] { made.values.push_back(tuple_term()); });
    else if (first != Kind::kClose)
      list([&] { made.values.push_back(marker()); });
    match(Kind::kClose);
    return;
  }
  if (!is_comparison(la())) return no_alternative();
  const Kind value = la(2);
  if (value != Kind::kOpen && value != Kind::kMark && value != Kind::kColon)
    return no_alternative(2);
  made.op = comparison();
  made.values.push_back(value == Kind::kOpen ? tuple_term() : marker());
}

Relation Parser::condition() {
  Relation made;
  made.at = token().at;
  made.columns.push_back(name(true));
  if (is(Kind::kContains)) {
    made.op = contains();
    made.values.push_back(term());
    return made;
  }
  if (accept(Kind::kOpenSquare)) {
    made.kind = Relation::Kind::kElement;
    made.element = term();
    match(Kind::kCloseSquare);
  } else if (accept(Kind::kDot)) {
    made.kind = Relation::Kind::kField;
    made.field = name();
  }
  if (is(Kind::kIn)) {
    in_values(made);
  } else {
    made.op = comparison();
    made.values.push_back(term());
  }
  return made;
}

/// After WHERE of an UPDATE or a DELETE: [IF EXISTS | IF condition AND …].
std::vector<Relation> Parser::conditions(bool& if_exists) {
  std::vector<Relation> made;
  if (!accept(Kind::kIf)) return made;
  if (is(Kind::kExists)) {
    const Kind after = la(2);
    const bool condition_on_exists = is_comparison(after) || after == Kind::kIn ||
                                     after == Kind::kContains || after == Kind::kOpenSquare ||
                                     after == Kind::kDot;
    if (!condition_on_exists) {
      if (!may_follow_conditions(after)) no_alternative(2);
      if_exists = accept(Kind::kExists);
      return made;
    }
  }
  do {
    made.push_back(condition());
  } while (accept(Kind::kAnd));
  return made;
}

}  // namespace tailrace::cql_syntax
