#include "cql_syntax/follow.h"

namespace tailrace::cql_syntax {

bool may_follow_term(Kind kind) {
  switch (kind) {
    case Kind::kEnd:
    case Kind::kSemicolon:
    case Kind::kComma:
    case Kind::kClose:
    case Kind::kCloseSquare:
    case Kind::kCloseBrace:
    case Kind::kColon:
    case Kind::kRange:
    case Kind::kPlus:
    case Kind::kMinus:
    case Kind::kAnd:
    case Kind::kIf:
    case Kind::kOrder:
    case Kind::kGroup:
    case Kind::kPer:
    case Kind::kLimit:
    case Kind::kAllow:
    case Kind::kWhere:
    case Kind::kPrimary:
    case Kind::kAsc:
    case Kind::kDesc:
    case Kind::kInsert:
    case Kind::kUpdate:
    case Kind::kDelete:
    case Kind::kApply:
      return true;
    default:
      return false;
  }
}

bool may_follow_simple_term(Kind kind) {
  return may_follow_term(kind) || kind == Kind::kStar || kind == Kind::kSlash ||
         kind == Kind::kPercent || kind == Kind::kAs;
}

bool may_follow_selection(Kind kind) {
  switch (kind) {
    case Kind::kEnd:
    case Kind::kSemicolon:
    case Kind::kComma:
    case Kind::kClose:
    case Kind::kCloseSquare:
    case Kind::kCloseBrace:
    case Kind::kColon:
    case Kind::kPlus:
    case Kind::kMinus:
    case Kind::kStar:
    case Kind::kSlash:
    case Kind::kPercent:
    case Kind::kDot:
    case Kind::kOpenSquare:
    case Kind::kAs:
    case Kind::kFrom:
    case Kind::kOrder:
    case Kind::kPer:
    case Kind::kLimit:
    case Kind::kAllow:
      return true;
    default:
      return false;
  }
}

// Without `;`, which only GROUP BY would have there: Cassandra refuses `GROUP BY a[1];`.
bool may_follow_modifiers(Kind kind) {
  return may_follow_selection(kind) && kind != Kind::kSemicolon && kind != Kind::kDot &&
         kind != Kind::kOpenSquare;
}

bool may_follow_index(Kind kind) {
  return kind == Kind::kDot || kind == Kind::kEnd || kind == Kind::kSemicolon;
}

bool may_follow_table(Kind kind) {
  switch (kind) {
    case Kind::kEnd:
    case Kind::kSemicolon:
    case Kind::kOpen:
    case Kind::kDot:
    case Kind::kWhere:
    case Kind::kGroup:
    case Kind::kOrder:
    case Kind::kPer:
    case Kind::kLimit:
    case Kind::kAllow:
    case Kind::kJson:
    case Kind::kUsing:
    case Kind::kSet:
    case Kind::kWith:
    case Kind::kFrom:
    case Kind::kTo:
    case Kind::kOf:
    case Kind::kNorecursive:
    case Kind::kAs:
    case Kind::kAlter:
    case Kind::kAdd:
    case Kind::kDrop:
    case Kind::kRename:
    case Kind::kPrimary:
      return true;
    default:
      return false;
  }
}

bool may_follow_type(Kind kind) {
  switch (kind) {
    case Kind::kEnd:
    case Kind::kSemicolon:
    case Kind::kComma:
    case Kind::kClose:
    case Kind::kMore:
    case Kind::kDot:
    case Kind::kStatic:
    case Kind::kMasked:
    case Kind::kPrimary:
    case Kind::kFinalfunc:
    case Kind::kInitcond:
    case Kind::kLanguage:
      return true;
    default:
      return false;
  }
}

bool may_follow_mask(Kind kind) {
  return kind == Kind::kEnd || kind == Kind::kSemicolon || kind == Kind::kClose ||
         kind == Kind::kComma || kind == Kind::kPrimary;
}

bool may_follow_conditions(Kind kind) {
  return kind == Kind::kEnd || kind == Kind::kSemicolon || kind == Kind::kInsert ||
         kind == Kind::kUpdate || kind == Kind::kDelete || kind == Kind::kApply;
}

bool may_follow_function_name(Kind kind) {
  return kind == Kind::kOpen || kind == Kind::kDot || kind == Kind::kEnd ||
         kind == Kind::kSemicolon || kind == Kind::kWith;
}

}  // namespace tailrace::cql_syntax
