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
  Type inner = made.items[0];
  if (inner.kind != Type::Kind::kNative && inner.kind != Type::Kind::kCustom) return;
  if (inner.kind == Type::Kind::kCustom && inner.name.find('.') == std::string::npos)
    inner.name = "org.apache.cassandra.db.marshal." + inner.name;
  semantic("frozen<> is only allowed on collections, tuples, and user-defined types (got " +
           print(inner) + ")");
}

// A word before `<` is a type made of others; a native type's name before a dot is a keyspace's.
Type Parser::type() {
  Type made;
  made.at = token().at;
  if (!enter()) {
    leave();
    return made;
  }
  constexpr std::size_t kAny = static_cast<std::size_t>(-1);
  const Kind kind = la();
  const bool made_of_others = kind == Kind::kMap || kind == Kind::kList || kind == Kind::kFrozen ||
                              kind == Kind::kTuple || kind == Kind::kVector;
  bool user = is_name(kind) && !is_native(kind) && !made_of_others;
  if (is_native(kind) || made_of_others) {
    const Kind after = la(2);
    if (!may_follow_type(after) && !(made_of_others && after == Kind::kLess)) no_alternative(2);
    user = after == Kind::kDot || (made_of_others && after != Kind::kLess);
    stepped_over(2);
  }
  if (user) {
    made.kind = Type::Kind::kUser;
    QualifiedName named = type_name();
    made.keyspace = std::move(named.keyspace);
    made.name = std::move(named.name);
  } else if (is_native(kind)) {
    made = native_type();
  } else if (kind == Kind::kMap) {
    made = type_in(Type::Kind::kMap, 2, 2);
    match(Kind::kMore);
  } else if (kind == Kind::kList || kind == Kind::kFrozen) {
    made = type_in(kind == Kind::kList ? Type::Kind::kList : Type::Kind::kFrozen, 1, 1);
    match(Kind::kMore);
    check_frozen(made);
  } else if (kind == Kind::kSet) {
    made = type_in(Type::Kind::kSet, 1, 1);
    match(Kind::kMore);
  } else if (kind == Kind::kTuple) {
    made = type_in(Type::Kind::kTuple, 1, kAny);
    match(Kind::kMore);
  } else if (kind == Kind::kVector) {
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
  } else {
    no_alternative();
  }
  leave();
  return made;
}

bool Parser::begins_type(Kind kind) const {
  return is_name(kind) || kind == Kind::kSet || kind == Kind::kString;
}

/// ( [type, …] )
std::vector<Type> Parser::type_list() {
  std::vector<Type> types;
  match(Kind::kOpen);
  if (begins_type(la())) list([&] { types.push_back(type()); });
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

// A term that does not begin with a name.
bool Parser::begins_unnamed_term(Kind kind) const {
  switch (kind) {
    case Kind::kOpen:
    case Kind::kOpenSquare:
    case Kind::kOpenBrace:
    case Kind::kMinus:
    case Kind::kColon:
    case Kind::kMark:
    case Kind::kNull:
    case Kind::kToken:
      return true;
    default:
      return is_constant(kind);
  }
}

// Whether an operator goes on with the sum: it does not where `+ name` adds a column in
// UPDATE … SET c = value + c; `+ name(` and `+ name.` are of the term.
bool Parser::term_goes_on() {
  if (is(Kind::kPlus)) return plus_is_of_term();
  const bool minus = is(Kind::kMinus);
  if (!minus && !may_follow_term(la()))
    no_alternative();
  else
    stepped_over(1);
  return minus;
}

bool Parser::plus_is_of_term() {
  const Kind next = la(2);
  if (next == Kind::kEmptyQuotedName || begins_unnamed_term(next)) {
    stepped_over(2);
    return next != Kind::kEmptyQuotedName;
  }
  if (!is_name(next)) {
    no_alternative(2);
    return false;
  }
  const Kind after = la(3);
  const bool goes_on = after == Kind::kDot || (after == Kind::kOpen && may_be_called(next));
  if (!goes_on && after != Kind::kComma && after != Kind::kWhere)
    no_alternative(3);
  else
    stepped_over(3);
  return goes_on;
}

bool Parser::chain_too_long(std::size_t links) {
  if (links <= limits_.depth) return false;
  refuse(Code::kResourceExhausted,
         "more than " + std::to_string(limits_.depth) +
             " operators in a row; put parts of them in a statement of their own");
  return true;
}

Expression Parser::term() {
  return operations(&Parser::term_product, [this] { return term_goes_on(); });
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

Parser::Simple Parser::chosen(Simple what, std::size_t words) {
  stepped_over(words);
  return what;
}

Parser::Simple Parser::undecided(std::size_t k) {
  no_alternative(k);
  return Simple::kNone;
}

Parser::Simple Parser::simple_term_ahead() {
  const Kind kind = la();
  switch (kind) {
    case Kind::kOpen:
      return parenthesised_ahead();
    case Kind::kMark:
      if (la(2) == Kind::kDot) return chosen(Simple::kCall, 2);
      return may_follow_simple_term(la(2)) ? chosen(Simple::kValue, 2) : undecided(2);
    case Kind::kCast:
      if (la(2) == Kind::kDot) return chosen(Simple::kCall, 2);
      return la(2) == Kind::kOpen ? chosen(Simple::kCast, 2) : undecided(2);
    case Kind::kMinus:
      return undecided(1);
    default:
      if (is_name(kind) || kind == Kind::kToken) return chosen(Simple::kCall, 1);
      return begins_unnamed_term(kind) ? chosen(Simple::kValue, 1) : undecided(1);
  }
}

// (type) value, or a tuple. A type's name is followed by `)` or `<`, a call's by `(`.
Parser::Simple Parser::parenthesised_ahead() {
  const Kind inner = la(2);
  if (inner == Kind::kSet) return chosen(Simple::kTypeHint, 2);
  if (inner == Kind::kString) return string_in_parentheses_ahead();
  if (begins_unnamed_term(inner)) return chosen(Simple::kValue, 2);
  if (!is_name(inner)) return undecided(2);
  const Kind after = la(3);
  const bool names_type = keyword_class(inner) != KeywordClass::kExtra || inner == Kind::kKey;
  const bool made_of_others = inner == Kind::kMap || inner == Kind::kList ||
                              inner == Kind::kFrozen || inner == Kind::kTuple ||
                              inner == Kind::kVector;
  if (after == Kind::kDot) return qualified_ahead();
  if (after == Kind::kOpen && may_be_called(inner)) return chosen(Simple::kValue, 3);
  if (after == Kind::kClose && names_type) return chosen(Simple::kTypeHint, 3);
  if (after == Kind::kLess && made_of_others) return chosen(Simple::kTypeHint, 3);
  return undecided(3);
}

// After `(keyspace.`
Parser::Simple Parser::qualified_ahead() {
  const Kind name = la(4);
  if (name == Kind::kKey) return chosen(Simple::kTypeHint, 4);
  if (is_native(name) || name == Kind::kCount || name == Kind::kToken)
    return chosen(Simple::kValue, 4);
  if (!is_function_name(name)) return undecided(4);
  if (la(5) == Kind::kOpen) return chosen(Simple::kValue, 5);
  return la(5) == Kind::kClose ? chosen(Simple::kTypeHint, 5) : undecided(5);
}

// After `('…'`, which may be a type and a value.
Parser::Simple Parser::string_in_parentheses_ahead() {
  const Kind inside = la(3);
  if (inside != Kind::kClose) {
    const bool value = inside == Kind::kPlus || inside == Kind::kMinus || inside == Kind::kComma ||
                       inside == Kind::kStar || inside == Kind::kSlash || inside == Kind::kPercent;
    return value ? chosen(Simple::kValue, 3) : undecided(3);
  }
  // A word that goes on with the statement may also be the name of a function.
  const auto word = [this](bool of_statement) {
    if (of_statement) return chosen(Simple::kValue, 5);
    const bool called = la(5) == Kind::kOpen || la(5) == Kind::kDot;
    return called ? chosen(Simple::kTypeHint, 5) : undecided(5);
  };
  const Kind after = la(4);
  switch (after) {
    case Kind::kPer:
      return word(la(5) == Kind::kPartition);
    case Kind::kGroup:
      return word(la(5) == Kind::kBy);
    case Kind::kAs:
      return word(is_native(la(5)));
    case Kind::kColon:
      return colon_after_string_ahead();
    default:
      if (may_follow_simple_term(after)) return chosen(Simple::kValue, 4);
      return begins_term(after) ? chosen(Simple::kTypeHint, 4) : undecided(4);
  }
}

// After `('…') :`, the colon of a map or of a marker.
Parser::Simple Parser::colon_after_string_ahead() {
  const Kind next = la(5);
  if (begins_unnamed_term(next)) return chosen(Simple::kValue, 5);
  if (!is_name(next)) return undecided(5);
  if (la(6) == Kind::kDot || (la(6) == Kind::kOpen && may_be_called(next)))
    return chosen(Simple::kValue, 6);
  return may_follow_simple_term(la(6)) ? chosen(Simple::kTypeHint, 6) : undecided(6);
}

Expression Parser::simple_term() {
  Expression made = node(Node::kNull);
  if (!enter()) {
    leave();
    return made;
  }
  switch (simple_term_ahead()) {
    case Simple::kValue:
      made = value_term();
      break;
    case Simple::kCall:
      made = call_term();
      break;
    case Simple::kTypeHint:
      made = hinted_term();
      break;
    case Simple::kCast:
      made = cast_term();
      break;
    case Simple::kNone:
      break;
  }
  leave();
  return made;
}

Expression Parser::value_term() {
  switch (la()) {
    case Kind::kColon:
    case Kind::kMark:
      return marker();
    case Kind::kOpen:
      return tuple_term();
    case Kind::kOpenSquare:
      return list_term();
    case Kind::kOpenBrace:
      return braced_term();
    case Kind::kNull: {
      Expression made = node(Node::kNull);
      accept(Kind::kNull);
      return made;
    }
    default:
      return constant();
  }
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
  std::size_t open = 2;
  if (!is(Kind::kToken) && la(2) == Kind::kDot) {
    if (!is_function_name(la(3))) no_alternative(3);
    open = 4;
  } else if (!is_function_name(la())) {
    no_alternative(2);
  }
  if (la(open) != Kind::kOpen) no_alternative(open);
  if (la(open + 1) != Kind::kClose && !begins_term(la(open + 1))) no_alternative(open + 1);
  stepped_over(open + 1);
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
  if (begins_term(la())) list([&] { made.items.push_back(term()); });
  match(Kind::kCloseSquare);
  return made;
}

// { } and { value, … } are sets, { key: value, … } with terms as keys is a map, with names a value
// of a user type.
Expression Parser::braced_term() {
  Expression made = node(Node::kSet);
  const Kind inner = la(2);
  if (is_name(inner)) {
    const bool field = la(3) == Kind::kColon;
    if (!field && la(3) != Kind::kDot && !(la(3) == Kind::kOpen && may_be_called(inner)))
      no_alternative(3);
    stepped_over(3);
    if (field) return user_type_term();
  } else if (inner == Kind::kCloseBrace || begins_unnamed_term(inner)) {
    stepped_over(2);
  } else {
    no_alternative(2);
  }
  match(Kind::kOpenBrace);
  if (accept(Kind::kCloseBrace)) return made;
  made.items.push_back(term());
  if (accept(Kind::kColon)) {
    made.kind = Node::kMap;
    made.items.push_back(term());
    while (accept(Kind::kComma)) {
      made.items.push_back(term());
      match(Kind::kColon);
      made.items.push_back(term());
    }
  } else {
    if (!is(Kind::kComma) && !is(Kind::kCloseBrace)) no_alternative();
    while (accept(Kind::kComma)) made.items.push_back(term());
  }
  match(Kind::kCloseBrace);
  return made;
}

Expression Parser::user_type_term() {
  Expression made = node(Node::kUserType);
  match(Kind::kOpenBrace);
  list([&] {
    made.fields.push_back(name());
    match(Kind::kColon);
    made.items.push_back(term());
  });
  match(Kind::kCloseBrace);
  return made;
}

/// { key: value, … } where only a map may stand.
Expression Parser::map_term() {
  Expression made = node(Node::kMap);
  match(Kind::kOpenBrace);
  if (begins_term(la())) {
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

/// (type) value
Expression Parser::hinted_term() {
  Expression made = node(Node::kTypeHint);
  match(Kind::kOpen);
  made.type.push_back(type());
  match(Kind::kClose);
  made.items.push_back(simple_term());
  return made;
}

}  // namespace tailrace::cql_syntax
