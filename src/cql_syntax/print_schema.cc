// Statements on the schema as text.
#include "cql_syntax/printer.h"

namespace tailrace::cql_syntax {

void Printer::property(const Property& made) {
  name(made.name);
  text_ += " = ";
  write(made.value);
}

void Printer::properties(const std::vector<Property>& list) {
  if (list.empty()) return;
  text_ += " WITH ";
  join(list, " AND ", [this](const Property& one) { property(one); });
}

void Printer::write(const CreateKeyspace& made) {
  text_ += "CREATE KEYSPACE ";
  condition(made.if_not_exists, "IF NOT EXISTS ");
  name(made.name);
  properties(made.properties);
}

void Printer::write(const AlterKeyspace& made) {
  text_ += "ALTER KEYSPACE ";
  condition(made.if_exists, "IF EXISTS ");
  name(made.name);
  properties(made.properties);
}

void Printer::mask(const Mask& mask) {
  text_ += " MASKED WITH ";
  if (!mask.function) {
    text_ += "DEFAULT";
    return;
  }
  function(*mask.function);
  text_ += '(';
  terms(mask.arguments);
  text_ += ')';
}

void Printer::column(const Column& column) {
  name(column.name);
  text_ += ' ';
  write(column.type);
  condition(column.is_static, " STATIC");
  if (column.mask) mask(*column.mask);
}

void Printer::primary_key(const PrimaryKey& key) {
  text_ += "PRIMARY KEY (";
  const bool composite = key.partition.size() != 1;
  condition(composite, "(");
  names(key.partition);
  condition(composite, ")");
  condition(!key.clustering.empty(), ", ");
  names(key.clustering);
  text_ += ')';
}

void Printer::table_options(const TableOptions& options) {
  std::string_view word = " WITH ";
  const auto next = [&] {
    text_ += word;
    word = " AND ";
  };
  if (options.compact_storage) {
    next();
    text_ += "COMPACT STORAGE";
  }
  if (!options.clustering_order.empty()) {
    next();
    text_ += "CLUSTERING ORDER BY (";
    join(options.clustering_order, ", ", [this](const ClusteringOrder& one) {
      name(one.column);
      text_ += one.descending ? " DESC" : " ASC";
    });
    text_ += ')';
  }
  for (const Property& one : options.properties) {
    next();
    property(one);
  }
}

void Printer::write(const CreateTable& made) {
  text_ += "CREATE TABLE ";
  condition(made.if_not_exists, "IF NOT EXISTS ");
  qualified(made.name);
  text_ += " (";
  join(made.columns, ", ", [this](const Column& one) { column(one); });
  if (made.primary_key) {
    condition(!made.columns.empty(), ", ");
    primary_key(*made.primary_key);
  }
  text_ += ')';
  table_options(made.options);
}

void Printer::renames(const std::vector<std::pair<std::string, std::string>>& renamed) {
  join(renamed, " AND ", [this](const auto& one) {
    name(one.first);
    text_ += " TO ";
    name(one.second);
  });
}

void Printer::write(const AlterTable& made) {
  using What = AlterTable::Kind;
  text_ += "ALTER TABLE ";
  condition(made.if_exists, "IF EXISTS ");
  qualified(made.name);
  const auto column_names = [&] {
    condition(made.columns.size() > 1, "(");
    join(made.columns, ", ", [this](const Column& one) { name(one.name); });
    condition(made.columns.size() > 1, ")");
  };
  switch (made.kind) {
    case What::kAlterType:
    case What::kMask:
    case What::kDropMask:
      text_ += " ALTER ";
      break;
    case What::kAdd:
      text_ += " ADD ";
      break;
    case What::kDrop:
      text_ += " DROP ";
      break;
    case What::kRename:
      text_ += " RENAME ";
      break;
    case What::kDropCompactStorage:
      text_ += " DROP COMPACT STORAGE";
      break;
    case What::kOptions:
      break;
  }
  condition(made.if_column_exists, "IF EXISTS ");
  condition(made.if_column_not_exists, "IF NOT EXISTS ");
  if (made.kind == What::kAdd) {
    condition(made.columns.size() > 1, "(");
    join(made.columns, ", ", [this](const Column& one) { column(one); });
    condition(made.columns.size() > 1, ")");
  } else {
    column_names();
  }
  if (made.kind == What::kAlterType) {
    text_ += " TYPE ";
    write(made.columns[0].type);
  }
  if (made.kind == What::kMask) mask(*made.columns[0].mask);
  condition(made.kind == What::kDropMask, " DROP MASKED");
  renames(made.renamed);
  if (made.timestamp) text_ += " USING TIMESTAMP " + *made.timestamp;
  properties(made.properties);
}

void Printer::fields(const std::vector<Field>& fields) {
  join(fields, ", ", [this](const Field& one) {
    name(one.name);
    text_ += ' ';
    write(one.type);
  });
}

void Printer::write(const CreateType& made) {
  text_ += "CREATE TYPE ";
  condition(made.if_not_exists, "IF NOT EXISTS ");
  if (made.name.keyspace) {
    name(*made.name.keyspace);
    text_ += '.';
  }
  type_name(made.name.name);
  text_ += " (";
  fields(made.fields);
  text_ += ')';
}

void Printer::write(const AlterType& made) {
  text_ += "ALTER TYPE ";
  condition(made.if_exists, "IF EXISTS ");
  if (made.name.keyspace) {
    name(*made.name.keyspace);
    text_ += '.';
  }
  type_name(made.name.name);
  switch (made.kind) {
    case AlterType::Kind::kRename:
      text_ += " RENAME ";
      condition(made.if_field, "IF EXISTS ");
      return renames(made.renamed);
    case AlterType::Kind::kAlter:
      text_ += " ALTER ";
      break;
    case AlterType::Kind::kAdd:
      text_ += " ADD ";
      break;
  }
  condition(made.if_field, "IF NOT EXISTS ");
  name(made.field.name);
  text_ += made.kind == AlterType::Kind::kAlter ? " TYPE " : " ";
  write(made.field.type);
}

void Printer::write(const CreateIndex& made) {
  static constexpr std::string_view kWords[] = {"", "values(", "keys(", "entries(", "full("};
  text_ += made.custom ? "CREATE CUSTOM INDEX " : "CREATE INDEX ";
  condition(made.if_not_exists, "IF NOT EXISTS ");
  if (!made.name.empty()) {
    name(made.name);
    text_ += ' ';
  }
  text_ += "ON ";
  qualified(made.table);
  text_ += " (";
  join(made.targets, ", ", [this](const IndexTarget& one) {
    text_ += kWords[static_cast<std::size_t>(one.kind)];
    name(one.column);
    condition(one.kind != IndexTarget::Kind::kSimple, ")");
  });
  text_ += ')';
  if (made.class_name) {
    text_ += " USING ";
    string(*made.class_name);
  }
  properties(made.properties);
}

void Printer::write(const CreateView& made) {
  text_ += "CREATE MATERIALIZED VIEW ";
  condition(made.if_not_exists, "IF NOT EXISTS ");
  qualified(made.name);
  text_ += " AS SELECT ";
  selectors(made.selectors);
  text_ += " FROM ";
  qualified(made.from);
  where(made.where, " WHERE ");
  text_ += ' ';
  primary_key(made.primary_key);
  table_options(made.options);
}

void Printer::write(const AlterView& made) {
  text_ += "ALTER MATERIALIZED VIEW ";
  condition(made.if_exists, "IF EXISTS ");
  qualified(made.name);
  properties(made.properties);
}

void Printer::write(const CreateTrigger& made) {
  text_ += "CREATE TRIGGER ";
  condition(made.if_not_exists, "IF NOT EXISTS ");
  name(made.name);
  text_ += " ON ";
  qualified(made.table);
  text_ += " USING ";
  string(made.class_name);
}

void Printer::write(const DropTrigger& made) {
  text_ += "DROP TRIGGER ";
  condition(made.if_exists, "IF EXISTS ");
  name(made.name);
  text_ += " ON ";
  qualified(made.table);
}

void Printer::write(const CreateFunction& made) {
  text_ += made.or_replace ? "CREATE OR REPLACE FUNCTION " : "CREATE FUNCTION ";
  condition(made.if_not_exists, "IF NOT EXISTS ");
  function(made.name);
  text_ += '(';
  fields(made.arguments);
  text_ += made.called_on_null_input ? ") CALLED" : ") RETURNS NULL";
  text_ += " ON NULL INPUT RETURNS ";
  write(made.returns);
  text_ += " LANGUAGE " + made.language + " AS ";
  string(made.body);
}

void Printer::write(const CreateAggregate& made) {
  text_ += made.or_replace ? "CREATE OR REPLACE AGGREGATE " : "CREATE AGGREGATE ";
  condition(made.if_not_exists, "IF NOT EXISTS ");
  function(made.name);
  text_ += '(';
  types(made.arguments);
  text_ += ") SFUNC ";
  function(std::nullopt, made.state_function);
  text_ += " STYPE ";
  write(made.state_type);
  if (made.final_function) {
    text_ += " FINALFUNC ";
    function(std::nullopt, *made.final_function);
  }
  if (made.initial) {
    text_ += " INITCOND ";
    write(*made.initial);
  }
}

void Printer::write(const Drop& made) {
  static constexpr std::string_view kWords[] = {
      "KEYSPACE ", "TABLE ", "TYPE ", "INDEX ", "MATERIALIZED VIEW ", "FUNCTION ", "AGGREGATE "};
  text_ += "DROP ";
  text_ += kWords[static_cast<std::size_t>(made.kind)];
  condition(made.if_exists, "IF EXISTS ");
  if (made.kind == Drop::Kind::kFunction || made.kind == Drop::Kind::kAggregate) {
    function(made.name);
  } else if (made.kind == Drop::Kind::kType) {
    if (made.name.keyspace) {
      name(*made.name.keyspace);
      text_ += '.';
    }
    type_name(made.name.name);
  } else {
    qualified(made.name);
  }
  if (!made.arguments) return;
  text_ += '(';
  types(*made.arguments);
  text_ += ')';
}

}  // namespace tailrace::cql_syntax
