// Roles, users, permissions, identities, DESCRIBE.
#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {

RoleStatement Parser::role_statement(RoleStatement::Kind kind, bool user) {
  RoleStatement made;
  made.kind = kind;
  made.user = user;
  accept(la());
  match(user ? Kind::kUser : Kind::kRole);
  made.if_condition = kind == RoleStatement::Kind::kCreate ? if_not_exists() : if_exists();
  made.name = user ? user_name(false) : role_name();
  if (kind == RoleStatement::Kind::kDrop) return made;
  if (accept(Kind::kWith)) {
    if (user) {
      const bool hashed = accept(Kind::kHashed);
      if (!hashed && !is(Kind::kPassword)) no_alternative();
      match(Kind::kPassword);
      (hashed ? made.hashed_password : made.password) = match_text(Kind::kString);
    } else {
      do {
        role_option(made);
      } while (accept(Kind::kAnd));
    }
  }
  if (user && accept(Kind::kSuperuser))
    made.superuser = true;
  else if (user && accept(Kind::kNosuperuser))
    made.superuser = false;
  if (made.password && made.hashed_password) {
    semantic("Options 'password' and 'hashed password' are mutually exclusive");
  }
  return made;
}

void Parser::role_option(RoleStatement& made) {
  const auto once = [this](bool already, const char* option) {
    if (already) semantic(std::string("Multiple definition for property '") + option + "'");
  };
  const auto boolean = [this] {
    match(Kind::kEqual);
    const std::string text = match_text(Kind::kBooleanLiteral);
    return !text.empty() && (text[0] == 't' || text[0] == 'T');
  };
  switch (la()) {
    case Kind::kPassword:
      match({Kind::kPassword, Kind::kEqual});
      once(made.password.has_value(), "PASSWORD");
      made.password = match_text(Kind::kString);
      break;
    case Kind::kHashed:
      match({Kind::kHashed, Kind::kPassword, Kind::kEqual});
      once(made.hashed_password.has_value(), "HASHED PASSWORD");
      made.hashed_password = match_text(Kind::kString);
      break;
    case Kind::kOptions:
      match({Kind::kOptions, Kind::kEqual});
      once(made.options.has_value(), "OPTIONS");
      made.options = map_term();
      check_property_map(*made.options);
      break;
    case Kind::kSuperuser:
      accept(Kind::kSuperuser);
      once(made.superuser.has_value(), "SUPERUSER");
      made.superuser = boolean();
      break;
    case Kind::kLogin:
      accept(Kind::kLogin);
      once(made.login.has_value(), "LOGIN");
      made.login = boolean();
      break;
    case Kind::kAccess: {
      const bool datacenters = la(2) == Kind::kTo;
      if (!datacenters && la(2) != Kind::kFrom) return no_alternative(2);
      const Kind what = datacenters ? Kind::kDatacenters : Kind::kCidrs;
      if (la(3) != Kind::kAll && la(3) != what) return no_alternative(3);
      match({Kind::kAccess, datacenters ? Kind::kTo : Kind::kFrom});
      const bool all = accept(Kind::kAll);
      match(what);
      if (all)
        (datacenters ? made.all_datacenters : made.all_cidrs) = true;
      else
        (datacenters ? made.datacenters : made.cidrs) = strings_in_braces();
      break;
    }
    default:
      no_alternative();
  }
}

std::vector<std::string> Parser::strings_in_braces() {
  std::vector<std::string> made;
  match(Kind::kOpenBrace);
  list([&] { made.push_back(match_text(Kind::kString)); });
  match(Kind::kCloseBrace);
  return made;
}

bool Parser::is_permission(Kind kind) const {
  switch (kind) {
    case Kind::kCreate:
    case Kind::kAlter:
    case Kind::kDrop:
    case Kind::kSelect:
    case Kind::kModify:
    case Kind::kAuthorize:
    case Kind::kDescribe:
    case Kind::kExecute:
    case Kind::kUnmask:
    case Kind::kSelectMasked:
      return true;
    default:
      return false;
  }
}

std::string Parser::permission() {
  if (!is_permission(la())) {
    mismatched_set();
    return "";
  }
  std::string text = token().text;
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  accept(la());
  accept(Kind::kPermission);
  return text;
}

/// ALL [PERMISSIONS], which is no permission in the list, or permissions.
std::vector<std::string> Parser::permissions() {
  std::vector<std::string> made;
  if (accept(Kind::kAll)) {
    accept(Kind::kPermissions);
    return made;
  }
  list([&] { made.push_back(permission()); });
  return made;
}

Resource Parser::resource() {
  using In = Resource::Kind;
  Resource made;
  const bool name_follows = is_name(la(2)) || la(2) == Kind::kString || la(2) == Kind::kMark;
  if (is(Kind::kAll) && la(2) != Kind::kDot && la(2) != Kind::kTo && la(2) != Kind::kFrom) {
    const Kind what = la(2);
    switch (what) {
      case Kind::kKeyspaces:
        made.kind = In::kAllKeyspaces;
        break;
      case Kind::kTables:
        made.kind = In::kTables;
        break;
      case Kind::kRoles:
        made.kind = In::kAllRoles;
        break;
      case Kind::kFunctions:
        made.kind = la(3) == Kind::kIn ? In::kKeyspaceFunctions : In::kAllFunctions;
        break;
      case Kind::kMbeans:
        made.kind = In::kAllBeans;
        break;
      default:
        no_alternative(2);
        return made;
    }
    match({Kind::kAll, what});
    if (made.kind == In::kTables || made.kind == In::kKeyspaceFunctions) {
      match({Kind::kIn, Kind::kKeyspace});
      made.name.keyspace = keyspace_name();
    }
  } else if (accept(Kind::kKeyspace)) {
    made.kind = In::kKeyspace;
    made.name.name = keyspace_name();
  } else if (is(Kind::kRole) && name_follows) {
    made.kind = In::kRole;
    accept(Kind::kRole);
    made.name.name = role_name();
  } else if (is(Kind::kFunction) && (is_function_name(la(2)) || name_follows)) {
    made.kind = In::kFunction;
    accept(Kind::kFunction);
    made.name = function_name();
    made.arguments = type_list();
  } else if ((is(Kind::kMbean) || is(Kind::kMbeans)) && la(2) == Kind::kString) {
    made.kind = is(Kind::kMbean) ? In::kBean : In::kBeans;
    accept(la());
    made.name.name = match_text(Kind::kString);
  } else {
    accept(Kind::kColumnfamily);
    made.name = table_name();
  }
  return made;
}

PermissionStatement Parser::permission_statement(bool revoke) {
  PermissionStatement made;
  made.revoke = revoke;
  accept(la());
  made.permissions = permissions();
  match(Kind::kOn);
  made.resource = resource();
  match(revoke ? Kind::kFrom : Kind::kTo);
  made.role = role_name();
  return made;
}

RoleGrant Parser::role_grant(bool revoke) {
  RoleGrant made;
  made.revoke = revoke;
  accept(la());
  made.role = role_name();
  match(revoke ? Kind::kFrom : Kind::kTo);
  made.other = role_name();
  return made;
}

ListStatement Parser::list_statement() {
  ListStatement made;
  match(Kind::kList);
  if (is(Kind::kUsers) && la(2) != Kind::kOn) {
    accept(Kind::kUsers);
    made.kind = ListStatement::Kind::kUsers;
    return made;
  }
  if (!accept(Kind::kRoles)) {
    made.kind = ListStatement::Kind::kPermissions;
    made.permissions = permissions();
    if (accept(Kind::kOn)) made.resource = resource();
  }
  if (accept(Kind::kOf)) made.of = role_name();
  made.recursive = !accept(Kind::kNorecursive);
  return made;
}

IdentityStatement Parser::identity_statement(bool drop) {
  IdentityStatement made;
  made.drop = drop;
  accept(la());
  match(Kind::kIdentity);
  made.if_condition = drop ? if_exists() : if_not_exists();
  made.identity = user_name(true);
  if (drop) return made;
  match({Kind::kTo, Kind::kRole});
  made.role = user_name(true);
  return made;
}

// Most words here are names too: `DESCRIBE types` and `DESCRIBE type t` are forms, `DESCRIBE type`
// is a thing of that name.
Describe Parser::describe() {
  using What = Describe::Kind;
  Describe made;
  accept(la());
  const Kind kind = la();
  const auto form = [&](What what, std::initializer_list<Kind> words) {
    made.kind = what;
    match(words);
  };
  const bool thing = la(2) != Kind::kEnd && la(2) != Kind::kSemicolon && la(2) != Kind::kWith &&
                     la(2) != Kind::kDot;
  if (kind == Kind::kCluster) {
    form(What::kCluster, {kind});
  } else if (kind == Kind::kSchema) {
    form(What::kSchema, {kind});
  } else if (kind == Kind::kFull) {
    form(What::kFullSchema, {kind, Kind::kSchema});
  } else if (kind == Kind::kKeyspaces) {
    form(What::kKeyspaces, {kind});
  } else if (kind == Kind::kKeyspace || (kind == Kind::kOnly && thing)) {
    if (kind == Kind::kOnly)
      form(What::kOnlyKeyspace, {kind, Kind::kKeyspace});
    else
      form(What::kKeyspace, {kind});
    if (is_name(la()) || is(Kind::kMark)) made.name.name = keyspace_name();
  } else if (kind == Kind::kTables) {
    form(What::kTables, {kind});
  } else if (kind == Kind::kColumnfamily) {
    form(What::kTable, {kind});
    made.name = table_name();
  } else if (kind == Kind::kIndex) {
    form(What::kIndex, {kind});
    made.name = table_name();
  } else if (kind == Kind::kMaterialized) {
    form(What::kView, {kind, Kind::kView});
    made.name = table_name();
  } else if (kind == Kind::kTypes) {
    form(What::kTypes, {kind});
  } else if (kind == Kind::kType && thing) {
    form(What::kType, {kind});
    made.name = type_name();
  } else if (kind == Kind::kFunctions) {
    form(What::kFunctions, {kind});
  } else if (kind == Kind::kFunction && thing) {
    form(What::kFunction, {kind});
    made.name = function_name();
  } else if (kind == Kind::kAggregates) {
    form(What::kAggregates, {kind});
  } else if (kind == Kind::kAggregate && thing) {
    form(What::kAggregate, {kind});
    made.name = function_name();
  } else if (is_name(kind)) {
    if (la(2) == Kind::kDot) {
      made.name.keyspace = name();
      match(Kind::kDot);
    }
    made.name.name = name();
  } else {
    no_alternative();
  }
  if (accept(Kind::kWith)) made.with_internals = match(Kind::kInternals);
  return made;
}

}  // namespace tailrace::cql_syntax
