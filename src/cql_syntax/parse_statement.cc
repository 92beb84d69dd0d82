// Which statement it is, by its first words.
#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {

void Parser::statement(Statement& made) {
  switch (la()) {
    case Kind::kSelect:
      made.body = select();
      break;
    case Kind::kInsert:
      made.body = insert();
      break;
    case Kind::kUpdate:
      made.body = update();
      break;
    case Kind::kDelete:
      made.body = remove();
      break;
    case Kind::kBegin:
      made.body = batch();
      break;
    case Kind::kUse:
      accept(Kind::kUse);
      made.body = Use{keyspace_name()};
      break;
    case Kind::kTruncate: {
      accept(Kind::kTruncate);
      accept(Kind::kColumnfamily);
      made.body = Truncate{table_name()};
      break;
    }
    case Kind::kCreate:
      create_statement(made);
      break;
    case Kind::kAlter:
      alter_statement(made);
      break;
    case Kind::kDrop:
      drop_statement(made);
      break;
    case Kind::kGrant:
    case Kind::kRevoke:
      grant_or_revoke(made);
      break;
    case Kind::kList:
      if (!is_permission(la(2)) && la(2) != Kind::kAll && la(2) != Kind::kRoles &&
          la(2) != Kind::kUsers) {
        no_alternative(2);
      }
      made.body = list_statement();
      break;
    case Kind::kAdd:
      made.body = identity_statement(false);
      break;
    case Kind::kDescribe:
    case Kind::kDesc:
      made.body = describe();
      break;
    default:
      no_alternative();
  }
}

void Parser::create_statement(Statement& made) {
  switch (la(2)) {
    case Kind::kKeyspace:
      made.body = create_keyspace();
      break;
    case Kind::kColumnfamily:
      made.body = create_table();
      break;
    case Kind::kCustom:
    case Kind::kIndex:
      made.body = create_index();
      break;
    case Kind::kMaterialized:
      made.body = create_view();
      break;
    case Kind::kType:
      made.body = create_type();
      break;
    case Kind::kTrigger:
      made.body = create_trigger();
      break;
    case Kind::kFunction:
      made.body = create_function();
      break;
    case Kind::kAggregate:
      made.body = create_aggregate();
      break;
    case Kind::kRole:
      made.body = role_statement(RoleStatement::Kind::kCreate, false);
      break;
    case Kind::kUser:
      made.body = role_statement(RoleStatement::Kind::kCreate, true);
      break;
    case Kind::kOr:
      if (la(3) != Kind::kReplace)
        no_alternative(3);
      else if (la(4) == Kind::kFunction)
        made.body = create_function();
      else if (la(4) == Kind::kAggregate)
        made.body = create_aggregate();
      else
        no_alternative(4);
      break;
    default:
      no_alternative(2);
  }
}

void Parser::alter_statement(Statement& made) {
  switch (la(2)) {
    case Kind::kKeyspace:
      made.body = alter_keyspace();
      break;
    case Kind::kColumnfamily:
      made.body = alter_table();
      break;
    case Kind::kMaterialized:
      made.body = alter_view();
      break;
    case Kind::kType:
      made.body = alter_type();
      break;
    case Kind::kRole:
      made.body = role_statement(RoleStatement::Kind::kAlter, false);
      break;
    case Kind::kUser:
      made.body = role_statement(RoleStatement::Kind::kAlter, true);
      break;
    default:
      no_alternative(2);
  }
}

void Parser::drop_statement(Statement& made) {
  switch (la(2)) {
    case Kind::kKeyspace:
      made.body = drop(Drop::Kind::kKeyspace);
      break;
    case Kind::kColumnfamily:
      made.body = drop(Drop::Kind::kTable);
      break;
    case Kind::kType:
      made.body = drop(Drop::Kind::kType);
      break;
    case Kind::kIndex:
      made.body = drop(Drop::Kind::kIndex);
      break;
    case Kind::kMaterialized:
      made.body = drop(Drop::Kind::kView);
      break;
    case Kind::kFunction:
      made.body = drop(Drop::Kind::kFunction);
      break;
    case Kind::kAggregate:
      made.body = drop(Drop::Kind::kAggregate);
      break;
    case Kind::kTrigger:
      made.body = drop_trigger();
      break;
    case Kind::kRole:
      made.body = role_statement(RoleStatement::Kind::kDrop, false);
      break;
    case Kind::kUser:
      made.body = role_statement(RoleStatement::Kind::kDrop, true);
      break;
    case Kind::kIdentity:
      made.body = identity_statement(true);
      break;
    default:
      no_alternative(2);
  }
}

// Permissions, or a role. ALL, UNMASK and SELECT_MASKED may be a role's name.
void Parser::grant_or_revoke(Statement& made) {
  const bool revoke = is(Kind::kRevoke);
  const Kind first = la(2);
  bool role = first == Kind::kString || first == Kind::kMark || is_name(first);
  if (first == Kind::kAll || first == Kind::kUnmask || first == Kind::kSelectMasked) {
    const Kind after = la(3);
    role = after == (revoke ? Kind::kFrom : Kind::kTo);
    const bool permission =
        after == Kind::kOn ||
        (first == Kind::kAll ? after == Kind::kPermissions
                             : after == Kind::kComma || after == Kind::kPermission);
    if (!role && !permission) no_alternative(3);
  } else if (!role && !is_permission(first)) {
    no_alternative(2);
  }
  if (role)
    made.body = role_grant(revoke);
  else
    made.body = permission_statement(revoke);
}

}  // namespace tailrace::cql_syntax
