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
  if (!is(Kind::kAll) && !is_permission(la())) no_alternative();
  if (accept(Kind::kAll)) {
    accept(Kind::kPermissions);
    return made;
  }
  list([&] { made.push_back(permission()); });
  return made;
}

bool Parser::may_follow_resource(Kind kind) const {
  return kind == Kind::kEnd || kind == Kind::kSemicolon || kind == Kind::kTo ||
         kind == Kind::kFrom || kind == Kind::kOf || kind == Kind::kNorecursive;
}

// ALL, ROLE, FUNCTION, MBEAN and MBEANS are names of tables too, where nothing of theirs follows.
Resource Parser::resource() {
  using In = Resource::Kind;
  Resource made;
  const Kind kind = la();
  const bool is_table = kind != Kind::kAll && kind != Kind::kRole && kind != Kind::kFunction &&
                        kind != Kind::kMbean && kind != Kind::kMbeans;
  if (is_table || la(2) == Kind::kDot || may_follow_resource(la(2))) {
    data_resource(made);
    return made;
  }
  const Kind after = la(2);
  const auto take = [&](In what, bool belongs) {
    if (!belongs) no_alternative(2);
    made.kind = what;
  };
  if (kind == Kind::kRole) {
    take(In::kRole, is_name(after) || after == Kind::kMark || after == Kind::kString);
    accept(Kind::kRole);
    made.name.name = role_name();
  } else if (kind == Kind::kFunction) {
    take(In::kFunction, is_name(after) || after == Kind::kMark || after == Kind::kToken);
    function_resource(made);
  } else if (kind != Kind::kAll) {
    take(kind == Kind::kMbean ? In::kBean : In::kBeans, after == Kind::kString);
    accept(kind);
    made.name.name = match_text(Kind::kString);
  } else if (after == Kind::kFunctions) {
    take(In::kAllFunctions, true);
    function_resource(made);
  } else if (after == Kind::kRoles || after == Kind::kMbeans) {
    take(after == Kind::kRoles ? In::kAllRoles : In::kAllBeans, true);
    match({Kind::kAll, after});
  } else {
    take(In::kAllKeyspaces, after == Kind::kKeyspaces || after == Kind::kTables);
    data_resource(made);
  }
  return made;
}

// ALL KEYSPACES, ALL TABLES IN KEYSPACE k, KEYSPACE k, [TABLE] t.
void Parser::data_resource(Resource& made) {
  using In = Resource::Kind;
  if (is(Kind::kAll) && la(2) == Kind::kKeyspaces) {
    made.kind = In::kAllKeyspaces;
    match({Kind::kAll, Kind::kKeyspaces});
  } else if (is(Kind::kAll) && la(2) == Kind::kTables) {
    made.kind = In::kTables;
    match({Kind::kAll, Kind::kTables, Kind::kIn, Kind::kKeyspace});
    made.name.keyspace = keyspace_name();
  } else if (accept(Kind::kKeyspace)) {
    made.kind = In::kKeyspace;
    made.name.name = keyspace_name();
  } else {
    accept(Kind::kColumnfamily);
    made.name = table_name();
  }
}

// ALL FUNCTIONS [IN KEYSPACE k], FUNCTION f(types).
void Parser::function_resource(Resource& made) {
  if (accept(Kind::kFunction)) {
    made.name = function_name();
    made.arguments = type_list();
    return;
  }
  const bool in_keyspace = la(3) == Kind::kIn;
  if (!in_keyspace && !may_follow_resource(la(3))) no_alternative(3);
  match({Kind::kAll, Kind::kFunctions});
  if (!in_keyspace) return;
  made.kind = Resource::Kind::kKeyspaceFunctions;
  match({Kind::kIn, Kind::kKeyspace});
  made.name.keyspace = keyspace_name();
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
  if (is(Kind::kUsers)) {
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
  Describe made;
  accept(la());
  described(made);
  if (accept(Kind::kWith)) made.with_internals = match(Kind::kInternals);
  return made;
}

void Parser::described(Describe& made) {
  using What = Describe::Kind;
  const Kind kind = la();
  const auto form = [&](What what, std::initializer_list<Kind> words) {
    made.kind = what;
    match(words);
  };
  const auto all_of = [&](What what) {
    stepped_over(2);
    form(what, {kind});
  };
  const auto form_with_keyspace = [&](What what, std::initializer_list<Kind> words) {
    form(what, words);
    if (is_name(la()) || is(Kind::kMark)) made.name.name = keyspace_name();
  };
  const auto form_with_table = [&](What what, std::initializer_list<Kind> words) {
    form(what, words);
    made.name = table_name();
  };
  const auto function_follows = [this] {
    return is_name(la(2)) || la(2) == Kind::kToken || la(2) == Kind::kMark;
  };
  const auto form_with_function = [&](What what) {
    form(what, {kind});
    made.name = function_name();
  };
  switch (kind) {
    case Kind::kCluster:
      return all_of(What::kCluster);
    case Kind::kKeyspaces:
      return all_of(What::kKeyspaces);
    case Kind::kTables:
      return all_of(What::kTables);
    case Kind::kTypes:
      return all_of(What::kTypes);
    case Kind::kFunctions:
      return all_of(What::kFunctions);
    case Kind::kAggregates:
      return all_of(What::kAggregates);
    case Kind::kSchema:
      return form(What::kSchema, {kind});
    case Kind::kFull:
      return form(What::kFullSchema, {kind, Kind::kSchema});
    case Kind::kKeyspace:
      return form_with_keyspace(What::kKeyspace, {kind});
    case Kind::kColumnfamily:
      return form_with_table(What::kTable, {kind});
    case Kind::kIndex:
      return form_with_table(What::kIndex, {kind});
    case Kind::kMaterialized:
      return form_with_table(What::kView, {kind, Kind::kView});
    case Kind::kOnly:
      if (la(2) == Kind::kKeyspace)
        return form_with_keyspace(What::kOnlyKeyspace, {kind, Kind::kKeyspace});
      break;
    case Kind::kType:
      if (!is_name(la(2))) break;
      form(What::kType, {kind});
      made.name = type_name();
      return;
    case Kind::kFunction:
      if (function_follows()) return form_with_function(What::kFunction);
      break;
    case Kind::kAggregate:
      if (function_follows()) return form_with_function(What::kAggregate);
      break;
    default:
      break;
  }
  described_by_name(made);
}

void Parser::described_by_name(Describe& made) {
  if (is_name(la())) {
    const Kind after = la(2);
    if (after != Kind::kDot && after != Kind::kWith && after != Kind::kSemicolon &&
        after != Kind::kEnd) {
      no_alternative(2);
    }
    stepped_over(2);
    if (after == Kind::kDot) {
      made.name.keyspace = name();
      match(Kind::kDot);
    }
  }
  made.name.name = name();
}

}  // namespace tailrace::cql_syntax
