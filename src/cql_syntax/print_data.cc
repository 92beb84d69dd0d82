// Statements on rows as text.
#include "cql_syntax/printer.h"

namespace tailrace::cql_syntax {

void Printer::write(const Statement& statement) {
  std::visit([this](const auto& made) { write(made); }, statement.body);
}

void Printer::write(const Select& made) {
  text_ += "SELECT ";
  condition(made.json, "JSON ");
  condition(made.distinct, "DISTINCT ");
  selectors(made.selectors);
  text_ += " FROM ";
  qualified(made.from);
  where(made.where, " WHERE ");
  if (!made.group_by.empty()) text_ += " GROUP BY ";
  terms(made.group_by);
  if (!made.order_by.empty()) text_ += " ORDER BY ";
  join(made.order_by, ", ", [this](const Ordering& one) {
    name(one.column);
    if (one.ann_of) {
      text_ += " ANN OF ";
      write(*one.ann_of);
    }
    text_ += one.descending ? " DESC" : " ASC";
  });
  if (made.per_partition_limit) {
    text_ += " PER PARTITION LIMIT ";
    write(*made.per_partition_limit);
  }
  if (made.limit) {
    text_ += " LIMIT ";
    write(*made.limit);
  }
  condition(made.allow_filtering, " ALLOW FILTERING");
}

void Printer::options(const Using& options) {
  if (options.empty()) return;
  text_ += " USING ";
  join(options, " AND ", [this](const Option& one) {
    text_ += one.kind == Option::Kind::kTtl ? "TTL " : "TIMESTAMP ";
    write(one.value);
  });
}

void Printer::write(const Insert& made) {
  text_ += "INSERT INTO ";
  qualified(made.into);
  if (made.json) {
    text_ += " JSON ";
    write(*made.json);
    condition(made.default_unset, " DEFAULT UNSET");
  } else {
    text_ += " (";
    names(made.columns);
    text_ += ") VALUES (";
    terms(made.values);
    text_ += ')';
  }
  condition(made.if_not_exists, " IF NOT EXISTS");
  options(made.options);
}

void Printer::conditions(bool if_exists, const std::vector<Relation>& relations) {
  condition(if_exists, " IF EXISTS");
  where(relations, " IF ");
}

void Printer::write(const Assignment& made) {
  name(made.column);
  switch (made.kind) {
    case Assignment::Kind::kSet:
      text_ += " = ";
      break;
    case Assignment::Kind::kAdd:
      text_ += " += ";
      break;
    case Assignment::Kind::kSubtract:
      text_ += " -= ";
      break;
    case Assignment::Kind::kPrepend:
      text_ += " = ";
      break;
    case Assignment::Kind::kElement:
      text_ += '[';
      write(*made.key);
      text_ += "] = ";
      break;
    case Assignment::Kind::kField:
      text_ += '.';
      name(made.field);
      text_ += " = ";
      break;
  }
  write(made.value);
  if (made.kind != Assignment::Kind::kPrepend) return;
  text_ += " + ";
  name(made.column);
}

void Printer::write(const Update& made) {
  text_ += "UPDATE ";
  qualified(made.table);
  options(made.options);
  text_ += " SET ";
  join(made.assignments, ", ", [this](const Assignment& one) { write(one); });
  where(made.where, " WHERE ");
  conditions(made.if_exists, made.conditions);
}

void Printer::write(const Delete& made) {
  text_ += "DELETE ";
  join(made.deletions, ", ", [this](const Deletion& one) {
    name(one.column);
    if (one.element) {
      text_ += '[';
      write(*one.element);
      text_ += ']';
    }
    if (one.field.empty()) return;
    text_ += '.';
    name(one.field);
  });
  text_ += made.deletions.empty() ? "FROM " : " FROM ";
  qualified(made.from);
  options(made.options);
  where(made.where, " WHERE ");
  conditions(made.if_exists, made.conditions);
}

void Printer::write(const Batch& made) {
  text_ += "BEGIN ";
  condition(made.kind == Batch::Kind::kUnlogged, "UNLOGGED ");
  condition(made.kind == Batch::Kind::kCounter, "COUNTER ");
  text_ += "BATCH";
  options(made.options);
  for (const auto& statement : made.statements) {
    text_ += ' ';
    std::visit([this](const auto& one) { write(one); }, statement);
    text_ += ';';
  }
  text_ += " APPLY BATCH";
}

void Printer::write(const Truncate& made) {
  text_ += "TRUNCATE TABLE ";
  qualified(made.table);
}

void Printer::write(const Use& made) {
  text_ += "USE ";
  name(made.keyspace);
}

}  // namespace tailrace::cql_syntax
