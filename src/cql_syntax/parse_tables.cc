// Properties, and CREATE and ALTER of keyspaces and tables.
#include <set>

#include "cql_syntax/follow.h"
#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {
namespace {

std::string_view function_of(std::string_view operation) {
  if (operation == "+") return "_add";
  if (operation == "-") return "_substract";
  if (operation == "*") return "_multiply";
  return operation == "/" ? "_divide" : "_modulo";
}

// Cassandra's sentences show operators and casts as the calls that its parser makes of them, and
// markers without their names.
Expression with_calls(Expression made) {
  for (Expression& item : made.items) item = with_calls(std::move(item));
  const auto call = [&made](std::string_view name) {
    made.kind = Expression::Kind::kCall;
    made.keyspace = "system";
    made.text = name;
  };
  if (made.kind == Expression::Kind::kNegation)
    call("_negate");
  else if (made.kind == Expression::Kind::kOperation)
    call(function_of(made.text));
  else if (made.kind == Expression::Kind::kCast)
    call("cast_as_" + made.type[0].name);
  else if (made.kind == Expression::Kind::kMarker)
    made.text.clear();
  return made;
}

}  // namespace

std::vector<Property> Parser::properties() {
  std::vector<Property> made;
  do {
    property(made);
  } while (accept(Kind::kAnd));
  return made;
}

void Parser::property(std::vector<Property>& into) {
  Property made;
  made.at = token().at;
  if (is_name(la()) && la(2) == Kind::kEqual) {
    const Kind value = la(3);
    if (value != Kind::kOpenBrace && !is_constant(value) &&
        (!is_name(value) || value == Kind::kIdent || value == Kind::kQuotedName)) {
      return no_alternative(3);
    }
  } else if (is_name(la())) {
    return no_alternative(2);
  }
  made.name = name();
  match(Kind::kEqual);
  if (is(Kind::kOpenBrace)) {
    made.value = map_term();
    check_property_map(made.value);
  } else if (is_constant(la())) {
    made.value = constant();
  } else {
    made.value = node(Expression::Kind::kWord);
    made.value.text = token().text;
    accept(la());
  }
  for (const Property& other : into) {
    if (other.name == made.name) semantic("Multiple definitions for property '" + made.name + "'");
  }
  into.push_back(std::move(made));
}

void Parser::check_property_map(const Expression& map) {
  if (failed()) return;
  const auto literal = [](const Expression& value) {
    return value.kind >= Expression::Kind::kString && value.kind <= Expression::Kind::kHex;
  };
  const auto told = [](const Expression& value) {
    return value.kind == Expression::Kind::kMarker
               ? " (bind variables are not supported in DDL queries)"
               : "";
  };
  std::set<std::string_view> names;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const Expression& key = map.items[i];
    const Expression& value = map.items[i + 1];
    if (!literal(key))
      return semantic("Invalid property name: " + print(with_calls(key)) + told(key));
    if (!literal(value)) {
      return semantic("Invalid property value: " + print(with_calls(value)) +
                      " for property: " + print(key) + told(value));
    }
    if (!names.insert(key.text).second) semantic("Multiple definition for property " + key.text);
  }
}

CreateKeyspace Parser::create_keyspace() {
  CreateKeyspace made;
  match({Kind::kCreate, Kind::kKeyspace});
  made.if_not_exists = if_not_exists();
  made.name = keyspace_name();
  match(Kind::kWith);
  made.properties = properties();
  return made;
}

AlterKeyspace Parser::alter_keyspace() {
  AlterKeyspace made;
  match({Kind::kAlter, Kind::kKeyspace});
  made.if_exists = if_exists();
  made.name = keyspace_name();
  match(Kind::kWith);
  made.properties = properties();
  return made;
}

CreateTable Parser::create_table() {
  CreateTable made;
  match({Kind::kCreate, Kind::kColumnfamily});
  made.if_not_exists = if_not_exists();
  made.name = table_name();
  match(Kind::kOpen);
  table_element(made);
  while (accept(Kind::kComma)) {
    if (is_name(la()) || is(Kind::kPrimary)) table_element(made);
  }
  match(Kind::kClose);
  if (accept(Kind::kWith)) {
    do {
      table_option(made.options, false);
    } while (accept(Kind::kAnd));
  }
  return made;
}

// A column or the primary key.
void Parser::table_element(CreateTable& made) {
  const auto key = [&](PrimaryKey found) {
    if (made.primary_key)
      refuse(Code::kFailedPrecondition, "Multiple PRIMARY KEY specified for table '" +
                                            made.name.name + "' (exactly one required)");
    made.primary_key = std::move(found);
  };
  if (is(Kind::kPrimary)) return key(primary_key());
  Column column;
  column.at = token().at;
  column.name = name();
  column.type = type();
  column.is_static = accept(Kind::kStatic);
  if (is(Kind::kMasked)) column.mask = mask();
  if (accept(Kind::kPrimary)) {
    match(Kind::kKey);
    PrimaryKey found;
    found.partition.push_back(column.name);
    key(std::move(found));
  }
  made.columns.push_back(std::move(column));
}

/// PRIMARY KEY (a, …) or ((a, …), …).
PrimaryKey Parser::primary_key() {
  PrimaryKey made;
  match({Kind::kPrimary, Kind::kKey, Kind::kOpen});
  if (accept(Kind::kOpen)) {
    list([&] { made.partition.push_back(name()); });
    match(Kind::kClose);
  } else {
    made.partition.push_back(name());
  }
  while (accept(Kind::kComma)) made.clustering.push_back(name());
  match(Kind::kClose);
  return made;
}

void Parser::table_option(TableOptions& made, bool view) {
  if (is(Kind::kCompact) && la(2) == Kind::kStorage) {
    match({Kind::kCompact, Kind::kStorage});
    made.compact_storage = true;
    if (view) semantic("COMPACT STORAGE tables are not allowed starting with version 4.0");
    return;
  }
  if (is(Kind::kClustering) && la(2) == Kind::kOrder) {
    match({Kind::kClustering, Kind::kOrder, Kind::kBy, Kind::kOpen});
    list([&] { made.clustering_order.push_back(clustering_order()); });
    match(Kind::kClose);
    return;
  }
  property(made.properties);
}

ClusteringOrder Parser::clustering_order() {
  ClusteringOrder made;
  made.column = name();
  made.descending = accept(Kind::kDesc);
  if (!made.descending && !accept(Kind::kAsc)) no_alternative();
  return made;
}

Mask Parser::mask() {
  Mask made;
  if (la(2) != Kind::kWith) no_alternative(2);
  const Kind function = la(3);
  if (function == Kind::kDefault) {
    const Kind after = la(4);
    if (after != Kind::kOpen && after != Kind::kDot) {
      if (!may_follow_mask(after)) no_alternative(4);
      match({Kind::kMasked, Kind::kWith, Kind::kDefault});
      return made;
    }
  } else if (!is_name(function) && function != Kind::kToken && function != Kind::kMark) {
    no_alternative(3);
  }
  match({Kind::kMasked, Kind::kWith});
  made.function = function_name();
  if (!is(Kind::kOpen)) no_alternative();
  if (la(2) != Kind::kClose && !begins_term(la(2))) no_alternative(2);
  match(Kind::kOpen);
  if (!is(Kind::kClose)) list([&] { made.arguments.push_back(term()); });
  match(Kind::kClose);
  return made;
}

AlterTable Parser::alter_table() {
  AlterTable made;
  match({Kind::kAlter, Kind::kColumnfamily});
  made.if_exists = if_exists();
  made.name = table_name();
  switch (la()) {
    case Kind::kAlter:
      alter_column(made);
      break;
    case Kind::kAdd:
      add_columns(made);
      break;
    case Kind::kDrop:
      drop_columns(made);
      break;
    case Kind::kRename:
      made.kind = AlterTable::Kind::kRename;
      accept(Kind::kRename);
      made.if_column_exists = if_exists();
      made.renamed = renames();
      break;
    case Kind::kWith:
      accept(Kind::kWith);
      made.properties = properties();
      break;
    default:
      no_alternative();
  }
  return made;
}

void Parser::alter_column(AlterTable& made) {
  if (is_column(la(2))) {
    const Kind after = la(3);
    if (after != Kind::kType && after != Kind::kMasked && after != Kind::kDrop)
      return no_alternative(3);
  } else if (la(2) != Kind::kIf) {
    return no_alternative(2);
  }
  accept(Kind::kAlter);
  Column& column = made.columns.emplace_back();
  made.if_column_exists = if_exists();
  column.name = name(true);
  if (!made.if_column_exists && accept(Kind::kType)) {
    made.kind = AlterTable::Kind::kAlterType;
    column.type = type();
  } else if (is(Kind::kMasked)) {
    made.kind = AlterTable::Kind::kMask;
    column.mask = mask();
  } else if (accept(Kind::kDrop)) {
    made.kind = AlterTable::Kind::kDropMask;
    match(Kind::kMasked);
  } else {
    no_alternative();
  }
}

void Parser::add_columns(AlterTable& made) {
  made.kind = AlterTable::Kind::kAdd;
  accept(Kind::kAdd);
  made.if_column_not_exists = if_not_exists();
  const auto column = [&] {
    Column& added = made.columns.emplace_back();
    added.name = name();
    added.type = type();
    added.is_static = accept(Kind::kStatic);
    if (is(Kind::kMasked)) added.mask = mask();
  };
  if (!accept(Kind::kOpen)) return column();
  list(column);
  match(Kind::kClose);
}

void Parser::drop_columns(AlterTable& made) {
  if (!is_name(la(2)) && la(2) != Kind::kOpen && la(2) != Kind::kIf) return no_alternative(2);
  if (la(2) == Kind::kCompact && la(3) != Kind::kUsing && la(3) != Kind::kSemicolon &&
      la(3) != Kind::kEnd) {
    if (la(3) != Kind::kStorage) return no_alternative(3);
    match({Kind::kDrop, Kind::kCompact, Kind::kStorage});
    made.kind = AlterTable::Kind::kDropCompactStorage;
    return;
  }
  made.kind = AlterTable::Kind::kDrop;
  accept(Kind::kDrop);
  made.if_column_exists = if_exists();
  const auto column = [&] { made.columns.emplace_back().name = name(); };
  if (accept(Kind::kOpen)) {
    list(column);
    match(Kind::kClose);
  } else {
    column();
  }
  if (accept(Kind::kUsing)) {
    match(Kind::kTimestamp);
    made.timestamp = match_text(Kind::kInteger);
  }
}

/// a TO b AND …
std::vector<std::pair<std::string, std::string>> Parser::renames() {
  std::vector<std::pair<std::string, std::string>> made;
  do {
    std::string from = name();
    match(Kind::kTo);
    made.emplace_back(std::move(from), name());
  } while (accept(Kind::kAnd));
  return made;
}

}  // namespace tailrace::cql_syntax
