// What SELECT and GROUP BY choose.
#include "cql_syntax/follow.h"
#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {

using Node = Expression::Kind;

/// `*`, or selectors.
void Parser::selectors(std::vector<Selector>& into) {
  if (accept(Kind::kStar)) return;
  list([&] { into.push_back(selector()); });
}

Selector Parser::selector() {
  Selector made;
  made.expression = selection();
  if (accept(Kind::kAs)) made.alias = name();
  return made;
}

Expression Parser::selection() {
  return operations(&Parser::selection_product,
                    [this] { return is(Kind::kPlus) || is(Kind::kMinus); });
}

Expression Parser::selection_product() {
  return operations(&Parser::selection_group, [this] { return at_factor(); });
}

// Modifiers that turn out wrong leave the receiver alone; what follows it is then the error.
Expression Parser::selection_group() {
  Expression made = node(Node::kNegation);
  if (!enter()) {
    leave();
    return made;
  }
  if (is(Kind::kMinus)) {
    accept(Kind::kMinus);
    made.items.push_back(selection_group());
  } else {
    if (begins_term(la())) stepped_over(2);
    made = modified(selection_plain());
  }
  leave();
  return made;
}

Expression Parser::modified(Expression receiver) {
  if (!is(Kind::kDot) && !is(Kind::kOpenSquare)) return receiver;
  Expression made;
  if (attempt([&] { made = modifiers(receiver); })) return made;
  return receiver;
}

Expression Parser::modifiers(Expression receiver) {
  std::size_t links = 0;
  while (is(Kind::kDot) || is(Kind::kOpenSquare)) {
    if (chain_too_long(++links)) break;
    if (accept(Kind::kDot)) {
      Expression made = node(Node::kField);
      made.text = name();
      made.items.push_back(std::move(receiver));
      receiver = std::move(made);
    } else {
      receiver = subscript(std::move(receiver));
    }
  }
  if (!may_follow_modifiers(la())) no_alternative();
  return receiver;
}

Expression Parser::subscript(Expression receiver) {
  Expression made = node(Node::kElement);
  made.items.push_back(std::move(receiver));
  match(Kind::kOpenSquare);
  if (begins_term(la()))
    made.items.push_back(term());
  else if (!is(Kind::kRange))
    no_alternative();
  if (is(Kind::kRange)) {
    made.kind = Node::kSlice;
    if (made.items.size() == 1) made.items.emplace_back();
    accept(Kind::kRange);
    if (made.items[1].kind == Node::kNothing || begins_term(la()))
      made.items.push_back(term());
    else
      made.items.emplace_back();
  }
  match(Kind::kCloseSquare);
  return made;
}

Expression Parser::selection_plain() {
  if (begins_term(la())) stepped_over(is(Kind::kOpen) ? 2 : 1);
  switch (la()) {
    case Kind::kOpen:
      return selection_parenthesised();
    case Kind::kOpenBrace:
      return selection_braced();
    case Kind::kOpenSquare: {
      Expression made = node(Node::kList);
      accept(Kind::kOpenSquare);
      if (begins_term(la())) list([&] { made.items.push_back(selection()); });
      match(Kind::kCloseSquare);
      return made;
    }
    default:
      return selection_simple();
  }
}

Expression Parser::selection_parenthesised() {
  Expression made = node(Node::kTypeHint);
  if (attempt([&] {
        match(Kind::kOpen);
        made.type.push_back(type());
        match(Kind::kClose);
        if (!enter()) return;
        made.items.push_back(selection_plain());
        leave();
      })) {
    return made;
  }
  made = node(Node::kTuple);
  match(Kind::kOpen);
  list([&] { made.items.push_back(selection()); });
  match(Kind::kClose);
  return made;
}

Expression Parser::selection_braced() {
  Expression made = node(Node::kSet);
  if (la(2) != Kind::kCloseBrace && !begins_term(la(2))) no_alternative(2);
  match(Kind::kOpenBrace);
  if (accept(Kind::kCloseBrace)) return made;
  made.items.push_back(selection());
  if (accept(Kind::kColon)) {
    made.kind = Node::kMap;
    made.items.push_back(selection());
    while (accept(Kind::kComma)) {
      made.items.push_back(selection());
      match(Kind::kColon);
      made.items.push_back(selection());
    }
  } else {
    if (!is(Kind::kComma) && !is(Kind::kCloseBrace)) no_alternative();
    while (accept(Kind::kComma)) made.items.push_back(selection());
  }
  match(Kind::kCloseBrace);
  return made;
}

// Whether a name or a marker is of a call. `a.b(` is a call of keyspace a's function b; `a.b` is a
// field.
bool Parser::selection_is_call() {
  const Kind kind = la();
  const Kind after = la(2);
  std::size_t words = 2;
  bool call = false;
  if (after == Kind::kOpen) {
    call = is_name(kind) && kind != Kind::kJson && kind != Kind::kKey && kind != Kind::kDistinct;
    if (!call) no_alternative(2);
  } else if (after != Kind::kDot) {
    if (!may_follow_selection(after)) no_alternative(2);
  } else if (is_function_name(la(3)) && la(3) != Kind::kToken) {
    words = 4;
    call = la(4) == Kind::kOpen;
    if (!call && !may_follow_selection(la(4))) no_alternative(4);
  } else {
    words = 3;
    call = la(3) == Kind::kToken;
    if (!call && !is_name(la(3))) no_alternative(3);
  }
  stepped_over(words);
  return call;
}

// A column, a constant, a marker or a call.
Expression Parser::selection_simple() {
  const Kind kind = la();
  if (is_constant(kind)) return constant();
  if (kind == Kind::kColon) return marker();
  if (kind == Kind::kNull) {
    Expression made = node(Node::kNull);
    accept(Kind::kNull);
    return made;
  }
  if (kind == Kind::kToken) return selection_function();
  if (is_name(kind) || kind == Kind::kMark) {
    if (selection_is_call()) return selection_function();
    if (kind == Kind::kMark) return marker();
  }
  Expression made = node(Node::kColumn);
  made.text = name();
  return made;
}

Expression Parser::selection_function() {
  Expression made = node(Node::kCall);
  const Kind kind = la();
  const bool has_own_form = kind == Kind::kCount || kind == Kind::kTtl ||
                            kind == Kind::kWritetime || kind == Kind::kMaxwritetime ||
                            kind == Kind::kCast;
  if (has_own_form && la(2) == Kind::kOpen) {
    if (kind != Kind::kCount) {
      stepped_over(2);
      return selection_of_form(kind);
    }
    if (la(3) == Kind::kStar) {
      stepped_over(3);
      made.kind = Node::kCountRows;
      match({Kind::kCount, Kind::kOpen, Kind::kStar, Kind::kClose});
      return made;
    }
    if (la(3) != Kind::kClose && !begins_term(la(3))) no_alternative(3);
    stepped_over(3);
  } else {
    stepped_over(has_own_form ? 2 : 1);
  }
  QualifiedName called = function_name();
  made.keyspace = std::move(called.keyspace);
  made.text = std::move(called.name);
  match(Kind::kOpen);
  if (begins_term(la())) list([&] { made.items.push_back(selection()); });
  match(Kind::kClose);
  return made;
}

/// WRITETIME(column), TTL(column) and such; CAST(selection AS type).
Expression Parser::selection_of_form(Kind function) {
  Expression made = node(Node::kCast);
  if (function == Kind::kCast) {
    match({Kind::kCast, Kind::kOpen});
    made.items.push_back(selection());
    match(Kind::kAs);
    made.type.push_back(native_type());
  } else {
    made.kind = Node::kWritetime;
    made.text = name_text();
    match(Kind::kOpen);
    Expression column = node(Node::kColumn);
    column.text = name();
    made.items.push_back(modifiers(std::move(column)));
  }
  match(Kind::kClose);
  return made;
}

}  // namespace tailrace::cql_syntax
