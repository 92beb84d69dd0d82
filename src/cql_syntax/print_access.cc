// Statements on roles and permissions, and DESCRIBE, as text.
#include "cql_syntax/printer.h"

namespace tailrace::cql_syntax {

void Printer::write(const RoleStatement& made) {
  using What = RoleStatement::Kind;
  text_ += made.kind == What::kCreate ? "CREATE " : made.kind == What::kAlter ? "ALTER " : "DROP ";
  text_ += made.user ? "USER " : "ROLE ";
  condition(made.if_condition, made.kind == What::kCreate ? "IF NOT EXISTS " : "IF EXISTS ");
  role(made.name);
  if (!made.user) return role_options(made);
  if (made.password || made.hashed_password) {
    text_ += made.password ? " WITH PASSWORD " : " WITH HASHED PASSWORD ";
    string(made.password ? *made.password : *made.hashed_password);
  }
  if (made.superuser) text_ += *made.superuser ? " SUPERUSER" : " NOSUPERUSER";
}

void Printer::role_options(const RoleStatement& made) {
  std::string_view word = " WITH ";
  const auto next = [&](std::string_view option) {
    text_ += word;
    text_ += option;
    word = " AND ";
  };
  const auto braced = [this](const std::vector<std::string>& list) {
    text_ += '{';
    join(list, ", ", [this](const std::string& one) { string(one); });
    text_ += '}';
  };
  if (made.password) {
    next("PASSWORD = ");
    string(*made.password);
  }
  if (made.hashed_password) {
    next("HASHED PASSWORD = ");
    string(*made.hashed_password);
  }
  if (made.superuser) next(*made.superuser ? "SUPERUSER = true" : "SUPERUSER = false");
  if (made.login) next(*made.login ? "LOGIN = true" : "LOGIN = false");
  if (made.options) {
    next("OPTIONS = ");
    write(*made.options);
  }
  if (made.all_datacenters) next("ACCESS TO ALL DATACENTERS");
  if (!made.datacenters.empty()) {
    next("ACCESS TO DATACENTERS ");
    braced(made.datacenters);
  }
  if (made.all_cidrs) next("ACCESS FROM ALL CIDRS");
  if (!made.cidrs.empty()) {
    next("ACCESS FROM CIDRS ");
    braced(made.cidrs);
  }
}

void Printer::permissions(const std::vector<std::string>& list) {
  if (list.empty()) text_ += "ALL PERMISSIONS";
  join(list, ", ", [this](const std::string& one) { text_ += one; });
}

void Printer::resource(const Resource& resource) {
  using In = Resource::Kind;
  switch (resource.kind) {
    case In::kAllKeyspaces:
      text_ += "ALL KEYSPACES";
      break;
    case In::kKeyspace:
      text_ += "KEYSPACE ";
      name(resource.name.name);
      break;
    case In::kTable:
      text_ += "TABLE ";
      qualified(resource.name);
      break;
    case In::kTables:
      text_ += "ALL TABLES IN KEYSPACE ";
      name(*resource.name.keyspace);
      break;
    case In::kAllRoles:
      text_ += "ALL ROLES";
      break;
    case In::kRole:
      text_ += "ROLE ";
      role(resource.name.name);
      break;
    case In::kAllFunctions:
      text_ += "ALL FUNCTIONS";
      break;
    case In::kKeyspaceFunctions:
      text_ += "ALL FUNCTIONS IN KEYSPACE ";
      name(*resource.name.keyspace);
      break;
    case In::kFunction:
      text_ += "FUNCTION ";
      function(resource.name);
      text_ += '(';
      types(resource.arguments);
      text_ += ')';
      break;
    case In::kAllBeans:
      text_ += "ALL MBEANS";
      break;
    case In::kBean:
    case In::kBeans:
      text_ += resource.kind == In::kBean ? "MBEAN " : "MBEANS ";
      string(resource.name.name);
      break;
  }
}

void Printer::write(const PermissionStatement& made) {
  text_ += made.revoke ? "REVOKE " : "GRANT ";
  permissions(made.permissions);
  text_ += " ON ";
  resource(made.resource);
  text_ += made.revoke ? " FROM " : " TO ";
  role(made.role);
}

void Printer::write(const RoleGrant& made) {
  text_ += made.revoke ? "REVOKE " : "GRANT ";
  role(made.role);
  text_ += made.revoke ? " FROM " : " TO ";
  role(made.other);
}

void Printer::write(const ListStatement& made) {
  text_ += "LIST ";
  switch (made.kind) {
    case ListStatement::Kind::kUsers:
      text_ += "USERS";
      return;
    case ListStatement::Kind::kRoles:
      text_ += "ROLES";
      break;
    case ListStatement::Kind::kPermissions:
      permissions(made.permissions);
      break;
  }
  if (made.resource) {
    text_ += " ON ";
    resource(*made.resource);
  }
  if (made.of) {
    text_ += " OF ";
    role(*made.of);
  }
  condition(!made.recursive, " NORECURSIVE");
}

void Printer::write(const IdentityStatement& made) {
  text_ += made.drop ? "DROP IDENTITY " : "ADD IDENTITY ";
  condition(made.if_condition, made.drop ? "IF EXISTS " : "IF NOT EXISTS ");
  string(made.identity);
  if (made.drop) return;
  text_ += " TO ROLE ";
  string(made.role);
}

void Printer::write(const Describe& made) {
  using What = Describe::Kind;
  static constexpr std::string_view kWords[] = {
      "CLUSTER",   "SCHEMA",   "FULL SCHEMA", "KEYSPACES",         "KEYSPACE", "ONLY KEYSPACE",
      "TABLES",    "TABLE",    "INDEX",       "MATERIALIZED VIEW", "TYPES",    "TYPE",
      "FUNCTIONS", "FUNCTION", "AGGREGATES",  "AGGREGATE",         ""};
  text_ += "DESCRIBE ";
  text_ += kWords[static_cast<std::size_t>(made.kind)];
  if (!made.name.name.empty()) {
    condition(made.kind != What::kAny, " ");
    if (made.kind == What::kType) {
      if (made.name.keyspace) {
        name(*made.name.keyspace);
        text_ += '.';
      }
      type_name(made.name.name);
    } else if (made.kind == What::kFunction || made.kind == What::kAggregate) {
      function(made.name);
    } else if (made.kind == What::kAny && keyword(made.name.name) != Kind::kIdent) {
      if (made.name.keyspace) {
        name(*made.name.keyspace);
        text_ += '.';
      }
      text_ += '"' + made.name.name + '"';
    } else {
      qualified(made.name);
    }
  }
  condition(made.with_internals, " WITH INTERNALS");
}

}  // namespace tailrace::cql_syntax
