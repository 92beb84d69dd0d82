// CREATE, ALTER and DROP of types, indexes, views, triggers, functions and aggregates.
#include "cql_syntax/parser.h"

namespace tailrace::cql_syntax {

CreateType Parser::create_type() {
  CreateType made;
  match({Kind::kCreate, Kind::kType});
  made.if_not_exists = if_not_exists();
  made.name = type_name();
  const auto field = [&] {
    Field& added = made.fields.emplace_back();
    added.name = name();
    added.type = type();
  };
  match(Kind::kOpen);
  field();
  while (accept(Kind::kComma)) {
    if (is_name(la())) field();
  }
  match(Kind::kClose);
  return made;
}

AlterType Parser::alter_type() {
  AlterType made;
  match({Kind::kAlter, Kind::kType});
  made.if_exists = if_exists();
  made.name = type_name();
  if (accept(Kind::kAlter)) {
    made.kind = AlterType::Kind::kAlter;
    made.field.name = name();
    match(Kind::kType);
    made.field.type = type();
  } else if (accept(Kind::kAdd)) {
    made.if_field = if_not_exists();
    made.field.name = name();
    made.field.type = type();
  } else if (accept(Kind::kRename)) {
    made.kind = AlterType::Kind::kRename;
    made.if_field = if_exists();
    made.renamed = renames();
  } else {
    no_alternative();
  }
  return made;
}

CreateIndex Parser::create_index() {
  CreateIndex made;
  match(Kind::kCreate);
  made.custom = accept(Kind::kCustom);
  match(Kind::kIndex);
  made.if_not_exists = if_not_exists();
  if (is_name(la()) || is(Kind::kMark)) made.name = name_or_marker("index");
  match(Kind::kOn);
  made.table = table_name();
  match(Kind::kOpen);
  if (is_column(la()) || is(Kind::kFull) || is(Kind::kEntries))
    list([&] { made.targets.push_back(index_target()); });
  match(Kind::kClose);
  if (accept(Kind::kUsing)) made.class_name = match_text(Kind::kString);
  if (accept(Kind::kWith)) made.properties = properties();
  return made;
}

// VALUES and KEYS are names too.
IndexTarget Parser::index_target() {
  IndexTarget made;
  const bool may_be_either = is(Kind::kValues) || is(Kind::kKeys);
  if (may_be_either && la(2) != Kind::kOpen && la(2) != Kind::kComma && la(2) != Kind::kClose)
    no_alternative(2);
  if (is(Kind::kFull) || is(Kind::kEntries) || (may_be_either && la(2) == Kind::kOpen)) {
    switch (la()) {
      case Kind::kFull:
        made.kind = IndexTarget::Kind::kFull;
        break;
      case Kind::kEntries:
        made.kind = IndexTarget::Kind::kEntries;
        break;
      case Kind::kKeys:
        made.kind = IndexTarget::Kind::kKeys;
        break;
      default:
        made.kind = IndexTarget::Kind::kValues;
    }
    accept(la());
    match(Kind::kOpen);
    made.column = name(true);
    match(Kind::kClose);
    return made;
  }
  made.column = name(true);
  return made;
}

CreateView Parser::create_view() {
  CreateView made;
  match({Kind::kCreate, Kind::kMaterialized, Kind::kView});
  made.if_not_exists = if_not_exists();
  made.name = table_name();
  match({Kind::kAs, Kind::kSelect});
  selectors(made.selectors);
  match(Kind::kFrom);
  made.from = table_name();
  if (accept(Kind::kWhere)) made.where = where();
  made.primary_key = primary_key();
  if (accept(Kind::kWith)) {
    do {
      table_option(made.options, true);
    } while (accept(Kind::kAnd));
  }
  return made;
}

AlterView Parser::alter_view() {
  AlterView made;
  match({Kind::kAlter, Kind::kMaterialized, Kind::kView});
  made.if_exists = if_exists();
  made.name = table_name();
  match(Kind::kWith);
  made.properties = properties();
  return made;
}

CreateTrigger Parser::create_trigger() {
  CreateTrigger made;
  match({Kind::kCreate, Kind::kTrigger});
  made.if_not_exists = if_not_exists();
  made.name = name();
  match(Kind::kOn);
  made.table = table_name();
  match(Kind::kUsing);
  made.class_name = match_text(Kind::kString);
  return made;
}

DropTrigger Parser::drop_trigger() {
  DropTrigger made;
  match({Kind::kDrop, Kind::kTrigger});
  made.if_exists = if_exists();
  made.name = name();
  match(Kind::kOn);
  made.table = table_name();
  return made;
}

CreateFunction Parser::create_function() {
  CreateFunction made;
  match(Kind::kCreate);
  if (accept(Kind::kOr)) made.or_replace = match(Kind::kReplace);
  match(Kind::kFunction);
  made.if_not_exists = if_not_exists();
  made.name = function_name();
  match(Kind::kOpen);
  if (is_name(la())) {
    list([&] {
      Field& argument = made.arguments.emplace_back();
      argument.name = name();
      argument.type = type();
    });
  }
  match(Kind::kClose);
  if (accept(Kind::kReturns))
    match(Kind::kNull);
  else if (!(made.called_on_null_input = accept(Kind::kCalled)))
    no_alternative();
  match({Kind::kOn, Kind::kNull, Kind::kInput, Kind::kReturns});
  made.returns = type();
  match(Kind::kLanguage);
  if (is(Kind::kIdent))
    made.language = name_text();
  else
    match(Kind::kIdent);
  match(Kind::kAs);
  made.body = match_text(Kind::kString);
  return made;
}

CreateAggregate Parser::create_aggregate() {
  CreateAggregate made;
  match(Kind::kCreate);
  if (accept(Kind::kOr)) made.or_replace = match(Kind::kReplace);
  match(Kind::kAggregate);
  made.if_not_exists = if_not_exists();
  made.name = function_name();
  made.arguments = type_list();
  match(Kind::kSfunc);
  made.state_function = simple_function_name();
  match(Kind::kStype);
  made.state_type = type();
  if (accept(Kind::kFinalfunc)) made.final_function = simple_function_name();
  if (accept(Kind::kInitcond)) made.initial = term();
  return made;
}

Drop Parser::drop(Drop::Kind kind) {
  Drop made;
  made.kind = kind;
  match(Kind::kDrop);
  accept(la());
  if (kind == Drop::Kind::kView) match(Kind::kView);
  made.if_exists = if_exists();
  switch (kind) {
    case Drop::Kind::kKeyspace:
      made.name.at = token().at;
      made.name.name = keyspace_name();
      break;
    case Drop::Kind::kTable:
    case Drop::Kind::kView:
      made.name = table_name();
      break;
    case Drop::Kind::kType:
      made.name = type_name();
      break;
    case Drop::Kind::kIndex:
      made.name = qualified("index");
      break;
    case Drop::Kind::kFunction:
    case Drop::Kind::kAggregate:
      made.name = function_name();
      if (is(Kind::kOpen)) made.arguments = type_list();
      break;
  }
  return made;
}

}  // namespace tailrace::cql_syntax
