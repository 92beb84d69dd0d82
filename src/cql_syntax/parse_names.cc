// Names: of columns, tables, types, functions, roles.
#include <algorithm>

#include "cql_syntax/follow.h"
#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {
namespace {

std::string small(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return text;
}

// Type names that are kept for later, although they are identifiers.
constexpr std::string_view kReservedTypeNames[] = {"byte",     "complex", "enum",     "date",
                                                   "interval", "macaddr", "bitstring"};

}  // namespace

bool Parser::is_name(Kind kind) const {
  const KeywordClass found = keyword_class(kind);
  return kind == Kind::kIdent || kind == Kind::kQuotedName ||
         (found != KeywordClass::kNone && found != KeywordClass::kReserved);
}

bool Parser::is_function_name(Kind kind) const {
  const KeywordClass found = keyword_class(kind);
  return kind == Kind::kIdent || kind == Kind::kQuotedName || kind == Kind::kToken ||
         kind == Kind::kCount || found == KeywordClass::kBasic || found == KeywordClass::kNative;
}

// The token here as a name, taken.
std::string Parser::name_text() {
  std::string text = is(Kind::kQuotedName) ? token().text : small(token().text);
  accept(la());
  return text;
}

/// A column, a field or an alias; of a column that is read `""` too.
std::string Parser::name(bool or_empty) {
  if (or_empty && accept(Kind::kEmptyQuotedName)) return "";
  if (is_name(la())) return name_text();
  no_alternative();
  return "";
}

std::string Parser::name_or_marker(std::string_view of) {
  if (accept(Kind::kMark)) {
    semantic("Bind variables cannot be used for " + std::string(of) + " names");
    return "";
  }
  return name();
}

std::string Parser::role_name() {
  if (is(Kind::kString)) return match_text(Kind::kString);
  return name_or_marker("role");
}

std::string Parser::user_name(bool identity) {
  if (is(Kind::kString)) return match_text(Kind::kString);
  if (is(Kind::kIdent)) return match_text(Kind::kIdent);
  if (is(Kind::kQuotedName)) {
    std::string text = match_text(Kind::kQuotedName);
    semantic(identity ? "Quoted strings are are not supported for identity"
                      : "Quoted strings are are not supported for user names and USER is "
                        "deprecated, please use ROLE");
    return text;
  }
  no_alternative();
  return "";
}

QualifiedName Parser::qualified(std::string_view of) {
  QualifiedName made;
  made.at = token().at;
  if (is_name(la()) || is(Kind::kMark)) {
    const Kind after = la(2);
    if (!(of == "table" ? may_follow_table(after) : may_follow_index(after))) no_alternative(2);
    stepped_over(2);
    if (after == Kind::kDot) {
      made.keyspace = keyspace_name();
      match(Kind::kDot);
    }
  }
  made.name = name_or_marker(of);
  return made;
}

QualifiedName Parser::function_name() {
  QualifiedName made;
  made.at = token().at;
  const Kind kind = la();
  bool of_keyspace = false;
  if (is_function_name(kind) && kind != Kind::kToken) {
    of_keyspace = la(2) == Kind::kDot;
    if (!may_follow_function_name(la(2))) no_alternative(2);
    stepped_over(2);
  } else {
    of_keyspace = is_name(kind) || kind == Kind::kMark;
  }
  if (of_keyspace) {
    made.keyspace = keyspace_name();
    match(Kind::kDot);
  }
  made.name = simple_function_name();
  return made;
}

std::string Parser::simple_function_name() {
  if (is_function_name(la())) return name_text();
  no_alternative();
  return "";
}

QualifiedName Parser::type_name() {
  QualifiedName made;
  made.at = token().at;
  const KeywordClass found = keyword_class(la());
  const bool must_be_keyspace =
      found == KeywordClass::kNative || (found == KeywordClass::kExtra && !is(Kind::kKey));
  if (must_be_keyspace || (is_name(la()) && la(2) == Kind::kDot)) {
    made.keyspace = name();
    match(Kind::kDot);
  }
  made.name = non_type_name();
  return made;
}

std::string Parser::non_type_name() {
  const Kind kind = la();
  if (kind == Kind::kIdent) {
    const std::string written = token().text;
    if (std::ranges::find(kReservedTypeNames, written) != std::end(kReservedTypeNames)) {
      semantic("Invalid (reserved) user type name " + written);
    }
    return name_text();
  }
  if (kind == Kind::kQuotedName || kind == Kind::kKey ||
      keyword_class(kind) == KeywordClass::kBasic)
    return name_text();
  no_alternative();
  return "";
}

bool Parser::if_exists() {
  if (!accept(Kind::kIf)) return false;
  return match(Kind::kExists);
}

bool Parser::if_not_exists() {
  if (!accept(Kind::kIf)) return false;
  return match({Kind::kNot, Kind::kExists});
}

}  // namespace tailrace::cql_syntax
