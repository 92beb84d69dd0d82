// CREATE INDEX.
#include <algorithm>

#include "cql_schema/draft.h"
#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_schema/storage_attached.h"
#include "cql_schema/types.h"

namespace tailrace::cql_schema {
namespace {

using cql_syntax::CreateIndex;
using cql_types::Kind;
using cql_types::Outcome;
using Target = Index::Target;

constexpr std::string_view kSasi = "org.apache.cassandra.index.sasi.SASIIndex";
constexpr std::string_view kDefaultClass = "legacy_local_table";

// What CREATE [CUSTOM] INDEX … USING … WITH OPTIONS says together.
struct Attributes {
  bool custom = false;
  std::optional<std::string> class_name;
  Options options;
};

Outcome<Attributes> made_attributes(const CreateIndex& statement) {
  Attributes made;
  made.custom = statement.custom;
  made.class_name = statement.class_name.value_or(std::string(kDefaultClass));
  if (!made.custom && lower(*made.class_name) == kDefaultClass)
    made.class_name.reset();
  else
    made.custom = true;
  const Properties given(statement.properties);
  TRY(given.check_names({"options"}));
  if (!made.custom && !given.empty())
    return invalid("Cannot specify options for a non-CUSTOM index");
  ASSIGN(auto options, given.map("options"));
  if (options) made.options = std::move(*options);
  for (const auto* name : {"class_name", "target"})
    if (made.options.contains(name)) return invalid("Cannot specify {} as a CUSTOM option", name);
  if (made.custom && *made.class_name == kSasi)
    return invalid("SASI indexes are disabled. Enable in cassandra.yaml to use.");
  return made;
}

std::string_view target_word(Target target) {
  switch (target) {
    case Target::kKeys:
      return "keys";
    case Target::kEntries:
      return "entries";
    case Target::kFull:
      return "full";
    case Target::kValues:
      return "values";
    case Target::kSimple:
      return "";
  }
  return "";
}

struct TargetOfColumn {
  const Column* column;
  Target target;

  std::string text() const {
    const auto name = cql_types::quoted_if_needed(column->name);
    if (target == Target::kSimple) return name;
    return fmt::format("{}({})", target_word(target), name);
  }
};

Outcome<TargetOfColumn> prepared(const cql_syntax::IndexTarget& given, const Table& table) {
  const int at = table.find(given.column);
  if (at < 0)
    return invalid("Undefined column name {} in table {}",
                   cql_types::quoted_if_needed(given.column), table.text());
  TargetOfColumn made{&table.columns[static_cast<std::size_t>(at)],
                      static_cast<Target>(given.kind)};
  if (made.target == Target::kSimple && cql_types::is_collection(made.column->type->kind))
    made.target = Target::kValues;
  return made;
}

Outcome<void> check_durations(const cql_types::Type& type) {
  if (!uses_duration(type)) return {};
  if (cql_types::is_collection(type.kind))
    return invalid("Secondary indexes are not supported on collections containing durations");
  if (type.kind == Kind::kTuple)
    return invalid("Secondary indexes are not supported on tuples containing durations");
  if (type.kind == Kind::kUserType)
    return invalid("Secondary indexes are not supported on UDTs containing durations");
  return invalid("Secondary indexes are not supported on duration columns");
}

Outcome<void> check_target(const TargetOfColumn& one, const Table& table, bool custom) {
  const auto& column = *one.column;
  const auto& type = *column.type;
  if (custom && !is_plain_name(column.name))
    return invalid("Column '{}' contains non-alphanumeric-underscore characters", column.name);
  if (custom && column.name.size() > 48)
    return invalid("Column '{}' is longer than the permissible name length of 48 characters",
                   column.name);
  TRY(check_durations(type));
  if (table.compact && column.position >= 0)
    return invalid(
        "Secondary indexes are not supported on PRIMARY KEY columns in COMPACT STORAGE tables");
  if (table.compact && table.clustering_columns > 0)
    return invalid(
        "Secondary indexes are not supported on compact value column of COMPACT STORAGE tables");
  if (column.kind == ColumnKind::kPartitionKey && table.partition_columns == 1)
    return invalid("Cannot create secondary index on the only partition key column {}",
                   column.name);
  const bool collection = cql_types::is_collection(type.kind);
  const auto word = target_word(one.target);
  if (collection && type.frozen && one.target != Target::kFull)
    return invalid(
        "Cannot create {}() index on frozen column {}. Frozen collections are immutable and must "
        "be fully indexed by using the 'full({})' modifier",
        word, column.name, cql_types::quoted_if_needed(column.name));
  if (!(collection && type.frozen) && one.target == Target::kFull)
    return invalid("full() indexes can only be created on frozen collections");
  if (!collection && one.target != Target::kSimple)
    return invalid(
        "Cannot create {}() index on {}. Non-collection columns only support simple indexes", word,
        column.name);
  const bool of_map = one.target == Target::kKeys || one.target == Target::kEntries;
  if (of_map && (type.kind != Kind::kMap || type.frozen))
    return invalid("Cannot create index on {} of column {} with non-map type", word, column.name);
  if (type.kind == Kind::kUserType && !type.frozen)
    return invalid("Cannot create index on non-frozen UDT column {}", column.name);
  return {};
}

bool has_index(const Keyspace& keyspace, const std::string& name) {
  for (const auto& [table_name, table] : keyspace.tables)
    if (std::any_of(table->indexes.begin(), table->indexes.end(),
                    [&](const Index& one) { return one.name == name; }))
      return true;
  return false;
}

// table_column_idx without what names may not hold, and with a number where that is taken.
std::string free_name(const Keyspace& keyspace, const std::string& table,
                      const std::vector<TargetOfColumn>& targets) {
  auto base = targets.size() == 1 ? table + "_" + targets[0].column->name + "_idx" : table + "_idx";
  std::erase_if(base, [](char c) { return !is_plain_name({&c, 1}); });
  if (!has_index(keyspace, base)) return base;
  for (int i = 1;; ++i)
    if (auto name = base + "_" + std::to_string(i); !has_index(keyspace, name)) return name;
}

Outcome<std::vector<TargetOfColumn>> all_targets(const CreateIndex& statement, const Table& table,
                                                 bool custom) {
  std::vector<TargetOfColumn> targets;
  for (const auto& given : statement.targets) {
    ASSIGN(auto one, prepared(given, table));
    targets.push_back(one);
  }
  if (targets.empty() && !custom)
    return invalid("Only CUSTOM indexes can be created without specifying a target column");
  if (targets.size() > 1) {
    if (!custom) return invalid("Only CUSTOM indexes support multiple columns");
    for (std::size_t i = 0; i < targets.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (targets[i].column == targets[j].column)
          return invalid("Duplicate column '{}' in index target list", targets[i].column->name);
  }
  for (const auto& one : targets) TRY(check_target(one, table, custom));
  return targets;
}

}  // namespace

Outcome<void> check_index(const Index& index, const Table& table,
                          std::vector<std::string>& warnings) {
  if (!is_plain_name(index.name)) return misconfigured("Illegal index name {}", index.name);
  if (index.kind != "CUSTOM") return {};
  const auto& name = index.options.at("class_name");
  if (!is_storage_attached(name))
    return misconfigured("Unable to find custom indexer class '{}'", name);
  return check_storage_attached(index, table, warnings);
}

DraftOutcome create_index(const CreateIndex& statement, const std::string& keyspace_name,
                          Scene& scene) {
  ASSIGN(const auto attributes, made_attributes(statement));
  const auto* keyspace = scene.schema.keyspace(keyspace_name);
  if (!keyspace) return invalid("Keyspace '{}' doesn't exist", keyspace_name);
  const auto table = scene.schema.table(keyspace_name, statement.table.name);
  if (!table) return invalid("Table '{}' doesn't exist", statement.table.name);
  if (!statement.name.empty() && has_index(*keyspace, statement.name)) {
    if (statement.if_not_exists) return Draft{};
    return invalid("Index '{}' already exists", statement.name);
  }
  if (table->counter) return invalid("Secondary indexes on counter tables aren't supported");
  if (table->view) return invalid("Secondary indexes on materialized views aren't supported");
  ASSIGN(const auto targets, all_targets(statement, *table, attributes.custom));

  Index index;
  index.name = statement.name.empty() ? free_name(*keyspace, table->name, targets) : statement.name;
  index.kind = attributes.custom ? "CUSTOM" : "COMPOSITES";
  if (attributes.custom) {
    index.options = attributes.options;
    index.options["class_name"] = *attributes.class_name;
  }
  auto& text = index.options["target"];
  for (const auto& one : targets) text += (text.empty() ? "" : ", ") + one.text();
  if (!targets.empty()) {
    index.column = targets[0].column->name;
    index.target = targets[0].target;
  }
  for (const auto& other : table->indexes)
    if (other.kind == index.kind && other.options == index.options) {
      if (statement.if_not_exists) return Draft{};
      return invalid("Index {} is a duplicate of existing index {}", index.name, other.name);
    }
  auto draft = updated(*keyspace, Event::Change::kUpdated, Event::Target::kTable, table->name);
  index.number = scene.take_number();
  auto made = std::make_shared<Table>(*table);
  const auto at = std::find_if(made->indexes.begin(), made->indexes.end(),
                               [&](const Index& one) { return one.name > index.name; });
  made->indexes.insert(at, std::move(index));
  TRY(check_table(*made, draft.warnings));
  draft.keyspace->tables[table->name] = std::move(made);
  return draft;
}

}  // namespace tailrace::cql_schema
