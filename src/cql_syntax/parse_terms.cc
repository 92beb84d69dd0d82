// Types and terms.
#include <algorithm>
#include <charconv>

#include "cql_syntax/follow.h"
#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {

using Node = Expression::Kind;

Expression Parser::node(Node kind) {
  Expression made;
  made.kind = kind;
  made.at = token().at;
  return made;
}

Type Parser::native_type() {
  Type made;
  made.at = token().at;
  if (is_native(la()))
    made.name = name_text();
  else
    no_alternative();
  return made;
}

// Between < and >: from `least` to `most` types.
Type Parser::type_in(Type::Kind kind, std::size_t least, std::size_t most) {
  Type made;
  made.kind = kind;
  made.at = token().at;
  accept(la());
  match(Kind::kLess);
  made.items.push_back(type());
  while (!failed() && made.items.size() < most && (made.items.size() < least || is(Kind::kComma))) {
    match(Kind::kComma);
    made.items.push_back(type());
  }
  return made;
}

void Parser::check_frozen(const Type& made) {
  if (failed() || made.kind != Type::Kind::kFrozen) return;
  const Type& inner = made.items[0];
  if (inner.kind != Type::Kind::kNative && inner.kind != Type::Kind::kCustom) return;
  semantic("frozen<> is only allowed on collections, tuples, and user-defined types (got " +
           print(inner) + ")");
}

Type Parser::type() {
  Type made;
  made.at = token().at;
  if (!enter()) {
    leave();
    return made;
  }
  constexpr std::size_t kAny = static_cast<std::size_t>(-1);
  const Kind kind = la();
  const bool user =
      la(2) == Kind::kDot || (la(2) != Kind::kLess && keyword_class(kind) == KeywordClass::kBasic);
  const bool word =
      is_native(kind) || (keyword_class(kind) == KeywordClass::kBasic && la(2) != Kind::kLess);
  if (word && !may_follow_type(la(2))) {
    no_alternative(2);
  } else if (is_native(kind) && la(2) != Kind::kDot) {
    made = native_type();
  } else if (!user && kind == Kind::kMap) {
    made = type_in(Type::Kind::kMap, 2, 2);
    match(Kind::kMore);
  } else if (!user && (kind == Kind::kList || kind == Kind::kFrozen)) {
    made = type_in(kind == Kind::kList ? Type::Kind::kList : Type::Kind::kFrozen, 1, 1);
    match(Kind::kMore);
    check_frozen(made);
  } else if (kind == Kind::kSet) {
    made = type_in(Type::Kind::kSet, 1, 1);
    match(Kind::kMore);
  } else if (!user && kind == Kind::kTuple) {
    made = type_in(Type::Kind::kTuple, 1, kAny);
    match(Kind::kMore);
  } else if (!user && kind == Kind::kVector) {
    made = type_in(Type::Kind::kVector, 1, 1);
    match(Kind::kComma);
    const std::string size = match_text(Kind::kInteger);
    const auto [end, wrong] =
        std::from_chars(size.data(), size.data() + size.size(), made.dimension);
    if (wrong != std::errc() && !failed())
      semantic("a vector's dimension must be a 32-bit integer: " + size);
    match(Kind::kMore);
  } else if (kind == Kind::kString) {
    made.kind = Type::Kind::kCustom;
    made.name = match_text(Kind::kString);
  } else if (is_name(kind)) {
    made.kind = Type::Kind::kUser;
    QualifiedName named = type_name();
    made.keyspace = std::move(named.keyspace);
    made.name = std::move(named.name);
  } else {
    no_alternative();
  }
  leave();
  return made;
}

/// ( [type, …] )
std::vector<Type> Parser::type_list() {
  std::vector<Type> types;
  match(Kind::kOpen);
  if (!is(Kind::kClose)) list([&] { types.push_back(type()); });
  match(Kind::kClose);
  return types;
}

bool Parser::is_constant(Kind kind) const {
  switch (kind) {
    case Kind::kString:
    case Kind::kInteger:
    case Kind::kFloatLiteral:
    case Kind::kBooleanLiteral:
    case Kind::kDurationLiteral:
    case Kind::kUuidLiteral:
    case Kind::kHex:
    case Kind::kPositiveNan:
    case Kind::kNegativeNan:
    case Kind::kPositiveInfinity:
    case Kind::kNegativeInfinity:
      return true;
    default:
      return false;
  }
}

Expression Parser::constant() {
  Expression made = node(Node::kFloat);
  made.text = token().text;
  switch (la()) {
    case Kind::kString:
      made.kind = Node::kString;
      break;
    case Kind::kInteger:
      made.kind = Node::kInteger;
      break;
    case Kind::kFloatLiteral:
      break;
    case Kind::kBooleanLiteral:
      made.kind = Node::kBoolean;
      break;
    case Kind::kDurationLiteral:
      made.kind = Node::kDuration;
      break;
    case Kind::kUuidLiteral:
      made.kind = Node::kUuid;
      break;
    case Kind::kHex:
      made.kind = Node::kHex;
      break;
    case Kind::kPositiveNan:
    case Kind::kNegativeNan:
      made.text = "NaN";
      break;
    case Kind::kPositiveInfinity:
      made.text = "Infinity";
      break;
    case Kind::kNegativeInfinity:
      made.text = "-Infinity";
      break;
    default:
      no_alternative();
      return made;
  }
  accept(la());
  return made;
}

/// `?` or `:name`.
Expression Parser::marker() {
  Expression made = node(Node::kMarker);
  if (accept(Kind::kColon))
    made.text = name();
  else if (!accept(Kind::kMark))
    no_alternative();
  if (failed()) return made;
  made.marker = static_cast<int>(markers_.size());
  markers_.push_back(made.text);
  return made;
}

Expression Parser::int_value() {
  if (!is(Kind::kInteger)) return marker();
  Expression made = node(Node::kInteger);
  made.text = match_text(Kind::kInteger);
  return made;
}

// After a value `+ name` adds a column in UPDATE … SET c = value + c; `+ name(` and `+ name.` go on
// with the term.
bool Parser::plus_is_of_term() {
  const Kind next = la(2);
  if (next == Kind::kEmptyQuotedName) return false;
  if (next == Kind::kCast && la(3) == Kind::kOpen) return true;
  if (!is_name(next)) return true;
  return la(3) == Kind::kOpen || la(3) == Kind::kDot;
}

bool Parser::chain_too_long(std::size_t links) {
  if (links <= limits_.depth) return false;
  refuse(Code::kResourceExhausted,
         "more than " + std::to_string(limits_.depth) +
             " operators in a row; put parts of them in a statement of their own");
  return true;
}

Expression Parser::term() {
  Expression left = operations(&Parser::term_product, [this] {
    return (is(Kind::kPlus) && plus_is_of_term()) || is(Kind::kMinus);
  });
  if (!may_follow_term(la())) no_alternative();
  return left;
}

Expression Parser::term_product() {
  return operations(&Parser::term_group, [this] { return at_factor(); });
}

Expression Parser::term_group() {
  if (!is(Kind::kMinus)) return simple_term();
  Expression made = node(Node::kNegation);
  accept(Kind::kMinus);
  made.items.push_back(simple_term());
  return made;
}

Expression Parser::simple_term() {
  Expression made = node(Node::kNull);
  if (!enter()) {
    leave();
    return made;
  }
  const Kind kind = la();
  if (is_constant(kind)) {
    made = constant();
  } else if (kind == Kind::kColon || (kind == Kind::kMark && la(2) != Kind::kDot)) {
    made = marker();
  } else if (kind == Kind::kNull) {
    accept(Kind::kNull);
  } else if (kind == Kind::kOpenSquare) {
    made = list_term();
  } else if (kind == Kind::kOpenBrace) {
    made = braced_term();
  } else if (kind == Kind::kOpen) {
    made = parenthesised_term();
  } else if (kind == Kind::kCast && la(2) != Kind::kDot) {
    made = cast_term();
  } else if (is_function_name(kind) || is_name(kind) || kind == Kind::kMark) {
    made = call_term();
  } else {
    no_alternative();
  }
  leave();
  return made;
}

Expression Parser::cast_term() {
  Expression made = node(Node::kCast);
  accept(Kind::kCast);
  match(Kind::kOpen);
  made.items.push_back(simple_term());
  match(Kind::kAs);
  made.type.push_back(native_type());
  match(Kind::kClose);
  return made;
}

Expression Parser::call_term() {
  Expression made = node(Node::kCall);
  const Kind kind = la();
  const bool qualified = la(2) == Kind::kDot;
  if (!qualified && !is_function_name(kind)) {
    no_alternative(2);
    return made;
  }
  if (!qualified && la(2) != Kind::kOpen) {
    no_alternative(2);
    return made;
  }
  QualifiedName called = function_name();
  made.keyspace = std::move(called.keyspace);
  made.text = std::move(called.name);
  match(Kind::kOpen);
  if (!is(Kind::kClose)) list([&] { made.items.push_back(term()); });
  match(Kind::kClose);
  return made;
}

Expression Parser::list_term() {
  Expression made = node(Node::kList);
  match(Kind::kOpenSquare);
  if (!is(Kind::kCloseSquare)) list([&] { made.items.push_back(term()); });
  match(Kind::kCloseSquare);
  return made;
}

Expression Parser::braced_term() {
  Expression made = node(Node::kSet);
  if (is_name(la(2)) && la(3) == Kind::kColon) {
    accept(Kind::kOpenBrace);
    made.kind = Node::kUserType;
    list([&] {
      made.fields.push_back(name());
      match(Kind::kColon);
      made.items.push_back(term());
    });
    match(Kind::kCloseBrace);
    return made;
  }
  accept(Kind::kOpenBrace);
  if (accept(Kind::kCloseBrace)) return made;
  made.items.push_back(term());
  if (is(Kind::kColon)) {
    made.kind = Node::kMap;
    accept(Kind::kColon);
    made.items.push_back(term());
    while (accept(Kind::kComma)) {
      made.items.push_back(term());
      match(Kind::kColon);
      made.items.push_back(term());
    }
  } else {
    while (accept(Kind::kComma)) made.items.push_back(term());
  }
  match(Kind::kCloseBrace);
  return made;
}

/// { key: value, … } where only a map may stand.
Expression Parser::map_term() {
  Expression made = node(Node::kMap);
  match(Kind::kOpenBrace);
  if (!is(Kind::kCloseBrace)) {
    list([&] {
      made.items.push_back(term());
      match(Kind::kColon);
      made.items.push_back(term());
    });
  }
  match(Kind::kCloseBrace);
  return made;
}

Expression Parser::tuple_term() {
  Expression made = node(Node::kTuple);
  match(Kind::kOpen);
  list([&] { made.items.push_back(term()); });
  match(Kind::kClose);
  return made;
}

bool Parser::begins_simple_term(std::size_t k) {
  const Kind kind = la(k);
  if (is_constant(kind)) return true;
  switch (kind) {
    case Kind::kOpen:
    case Kind::kOpenSquare:
    case Kind::kOpenBrace:
    case Kind::kNull:
    case Kind::kMark:
      return true;
    case Kind::kColon:  // a marker, or the colon of a map
      return is_name(la(k + 1)) && la(k + 2) != Kind::kOpen && la(k + 2) != Kind::kDot;
    default:
      return (is_name(kind) || is_function_name(kind)) &&
             (la(k + 1) == Kind::kOpen || la(k + 1) == Kind::kDot);
  }
}

// (type) term, or a tuple. A type's name is followed by `)`, a call by `(`; a string may be both a
// type and a value.
Expression Parser::parenthesised_term() {
  const Kind inner = la(2);
  bool hint = false;
  if (inner == Kind::kString) {
    hint = la(3) == Kind::kClose && begins_simple_term(4);
  } else if (inner == Kind::kSet) {
    hint = true;
  } else if (is_name(inner) && inner != Kind::kCast) {
    hint = la(3) == Kind::kClose || la(3) == Kind::kLess ||
           (la(3) == Kind::kDot && la(5) == Kind::kClose);
  }
  if (!hint) return tuple_term();
  Expression made = node(Node::kTypeHint);
  accept(Kind::kOpen);
  made.type.push_back(type());
  match(Kind::kClose);
  made.items.push_back(simple_term());
  return made;
}

}  // namespace tailrace::cql_syntax
