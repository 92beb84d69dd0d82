#include "cql_schema/change.h"

#include <algorithm>
#include <set>

#include "cql_schema/draft.h"
#include "cql_schema/java_order.h"
#include "cql_schema/records.h"
#include "cql_schema/refusal.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::ErrorCode;
using cql_types::Outcome;

using Kind = Touched::Kind;

std::string text_of(const Touched& touched) {
  if (touched.kind == Kind::kKeyspace) return fmt::format("<keyspace {}>", touched.keyspace);
  if (touched.kind == Kind::kAllTables) return fmt::format("<all tables in {}>", touched.keyspace);
  return fmt::format("<table {}.{}>", touched.keyspace, touched.table);
}

// Nobody may change the server's own keyspaces, but for the replication of some.
Outcome<void> check_system(const Touched& touched) {
  if (is_local_keyspace(touched.keyspace))
    return cql_types::failure(ErrorCode::kUnauthorized,
                              touched.keyspace + " keyspace is not user-modifiable.");
  if (!is_replicated_system_keyspace(touched.keyspace)) return {};
  if (touched.permission == "ALTER" && touched.kind == Kind::kKeyspace) return {};
  return cql_types::failure(ErrorCode::kUnauthorized,
                            fmt::format("Cannot {} {}", touched.permission, text_of(touched)));
}

// Whether who makes the statement may, before the statement is looked at.
Outcome<void> authorize(const Touched& touched, const Circumstances& now) {
  if (touched.kind == Kind::kKeyspace || touched.kind == Kind::kAllTables ||
      touched.kind == Kind::kTable) {
    TRY(check_system(touched));
  }
  return now.authorize ? now.authorize(touched) : Outcome<void>();
}

Outcome<void> check_keyspace_name(const std::string& name) {
  if (!is_plain_name(name))
    return invalid(
        "Keyspace name must not be empty and must contain alphanumeric or underscore characters "
        "only (got \"{}\")",
        name);
  if (name.size() > 48)
    return invalid(
        "Keyspace name must not be more than 48 characters long (got {} characters for \"{}\")",
        name.size(), name);
  return {};
}

// The checks before a statement's own, in Cassandra's order.
Outcome<void> check_keyspace(const std::string& keyspace) {
  if (is_local_keyspace(keyspace))
    return invalid("System keyspace '{}' is not user-modifiable", keyspace);
  return check_keyspace_name(keyspace);
}

// Runs one kind of statement after the checks.
class Runner {
 public:
  explicit Runner(Scene& scene) : scene_(scene) {}

  DraftOutcome operator()(const cql_syntax::CreateKeyspace& made) {
    TRY(authorize({Kind::kAllKeyspaces, "CREATE"}, scene_.now));
    TRY(check_keyspace(made.name));
    return create_keyspace(made, scene_);
  }

  DraftOutcome operator()(const cql_syntax::AlterKeyspace& made) {
    TRY(authorize({Kind::kKeyspace, "ALTER", made.name}, scene_.now));
    TRY(check_keyspace(made.name));
    return alter_keyspace(made, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateTable& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    if (!made.primary_key)
      return invalid("No PRIMARY KEY specifed for table '{}' (exactly one required)",
                     written(made.name));
    TRY(authorize(all_tables("CREATE", keyspace), scene_.now));
    TRY(check_keyspace(keyspace));
    return create_table(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::AlterTable& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(authorize(table("ALTER", keyspace, made.name.name), scene_.now));
    TRY(check_keyspace(keyspace));
    return alter_table(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateType& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(authorize(all_tables("CREATE", keyspace), scene_.now));
    TRY(check_keyspace(keyspace));
    return create_type(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::AlterType& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(authorize(all_tables("ALTER", keyspace), scene_.now));
    TRY(check_keyspace(keyspace));
    return alter_type(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateIndex& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.table, scene_.now));
    TRY(authorize(table("ALTER", keyspace, made.table.name), scene_.now));
    TRY(check_keyspace(keyspace));
    return create_index(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateView& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    if (made.from.keyspace && *made.from.keyspace != keyspace)
      return invalid("Cannot create a materialized view on a table in a different keyspace");
    TRY(authorize(table("ALTER", keyspace, made.from.name), scene_.now));
    TRY(check_keyspace(keyspace));
    return create_view(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::AlterView& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(authorize_view(keyspace, made.name.name));
    TRY(check_keyspace(keyspace));
    return alter_view(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateTrigger& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.table, scene_.now));
    TRY(authorize({Kind::kTriggers, "CREATE", keyspace}, scene_.now));
    TRY(check_keyspace(keyspace));
    return create_trigger(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::DropTrigger& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.table, scene_.now));
    TRY(authorize({Kind::kTriggers, "DROP", keyspace}, scene_.now));
    TRY(check_keyspace(keyspace));
    return drop_trigger(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateFunction& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(authorize({Kind::kFunctions, "CREATE", keyspace}, scene_.now));
    TRY(check_keyspace(keyspace));
    return create_function(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateAggregate& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(authorize({Kind::kFunctions, "CREATE", keyspace}, scene_.now));
    TRY(check_keyspace(keyspace));
    return create_aggregate(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::Drop& made) {
    std::string keyspace = made.name.name;
    if (made.kind != cql_syntax::Drop::Kind::kKeyspace) {
      ASSIGN(keyspace, keyspace_of(made.name, scene_.now));
    }
    TRY(authorize_drop(made, keyspace));
    TRY(check_keyspace(keyspace));
    return drop(made, keyspace, scene_);
  }

  template <typename Other>
  DraftOutcome operator()(const Other&) {
    return crashed("the statement does not change the schema");
  }

 private:
  static std::string written(const cql_syntax::QualifiedName& name) {
    return name.keyspace ? *name.keyspace + "." + name.name : name.name;
  }
  static Touched table(std::string_view permission, const std::string& keyspace,
                       const std::string& name) {
    return {Kind::kTable, permission, keyspace, name};
  }
  static Touched all_tables(std::string_view permission, const std::string& keyspace) {
    return {Kind::kAllTables, permission, keyspace};
  }

  // Who may alter a view's table may alter and drop the view.
  Outcome<void> authorize_view(const std::string& keyspace, const std::string& name) const {
    const auto found = scene_.schema.table(keyspace, name);
    if (!found || !found->view) return {};
    return authorize(table("ALTER", keyspace, found->view->base_table), scene_.now);
  }

  // And who may alter a table, its indexes.
  Outcome<void> authorize_index(const std::string& keyspace, const std::string& name) const {
    const Keyspace* found = scene_.schema.keyspace(keyspace);
    if (found == nullptr) return {};
    for (const auto& [table_name, indexed] : found->tables)
      for (const auto& index : indexed->indexes)
        if (index.name == name) return authorize(table("ALTER", keyspace, table_name), scene_.now);
    return {};
  }

  Outcome<void> authorize_drop(const cql_syntax::Drop& made, const std::string& keyspace) const {
    using Dropped = cql_syntax::Drop::Kind;
    switch (made.kind) {
      case Dropped::kKeyspace:
        return authorize({Kind::kKeyspace, "DROP", keyspace}, scene_.now);
      case Dropped::kTable:
        return authorize(table("DROP", keyspace, made.name.name), scene_.now);
      case Dropped::kType:
        return authorize(all_tables("DROP", keyspace), scene_.now);
      case Dropped::kIndex:
        return authorize_index(keyspace, made.name.name);
      case Dropped::kView:
        return authorize_view(keyspace, made.name.name);
      case Dropped::kFunction:  // nobody makes any here
      case Dropped::kAggregate:
        return {};
    }
    return {};
  }

  Scene& scene_;
};

std::set<TableNumber> numbers(const Keyspace* keyspace) {
  std::set<TableNumber> made;
  if (!keyspace) return made;
  for (const auto& [name, table] : keyspace->tables) {
    if (table->virtual_table) continue;
    made.insert(table->number);
    for (const auto& index : table->indexes) made.insert(index.number);
  }
  return made;
}

// Cassandra tells dropped columns in an order that each change of the table makes anew.
void order_dropped(const Keyspace& before, Keyspace& after) {
  for (auto& [name, table] : after.tables) {
    const auto old = before.tables.find(name);
    if (old == before.tables.end() || old->second == table || table->dropped.empty()) continue;
    std::vector<std::string> names;
    for (const auto& one : old->second->dropped) names.push_back(one.column.name);
    for (const auto& one : table->dropped)
      if (std::find(names.begin(), names.end(), one.column.name) == names.end())
        names.push_back(one.column.name);
    auto made = std::make_shared<Table>(*table);
    made->dropped.clear();
    for (const auto& dropped : java_buffer_order(names, old->second->dropped.size()))
      for (const auto& one : table->dropped)
        if (one.column.name == dropped) made->dropped.push_back(one);
    table = std::move(made);
  }
}

// A table whose views are others than before is another table: statements prepared for it write its
// views' rows.
void renew_bases(const Keyspace* before, Keyspace& after) {
  std::set<std::string> bases;
  const auto differ = [&](const Keyspace& in, const Keyspace* other) {
    for (const auto& [name, table] : in.tables) {
      if (!table->view) continue;
      const auto same = other == nullptr ? TablePtr() : [&] {
        const auto found = other->tables.find(name);
        return found == other->tables.end() ? TablePtr() : found->second;
      }();
      if (!same || same->number != table->number) bases.insert(table->view->base_table);
    }
  };
  differ(after, before);
  if (before != nullptr) differ(*before, &after);
  for (const auto& name : bases)
    if (const auto base = after.tables.find(name); base != after.tables.end())
      base->second = std::make_shared<Table>(*base->second);
}

// What is to be erased and what filled, from the numbers before and after.
void tell_numbers(const Keyspace* before, const Keyspace* after, Change& change) {
  const auto had = numbers(before);
  const auto has = numbers(after);
  std::set_difference(had.begin(), had.end(), has.begin(), has.end(),
                      std::back_inserter(change.dropped));
  if (!after) return;
  for (const auto& [name, table] : after->tables) {
    bool fills = table->view && !had.contains(table->number);
    for (const auto& index : table->indexes) {
      if (table->virtual_table || had.contains(index.number)) continue;
      change.new_indexes.push_back(index.number);
      fills = true;
    }
    if (fills) change.filled.push_back(table);
  }
}

}  // namespace

bool is_schema_statement(const cql_syntax::Statement& statement) {
  return std::visit(
      []<typename Body>(const Body&) {
        using namespace cql_syntax;
        return std::is_same_v<Body, CreateKeyspace> || std::is_same_v<Body, AlterKeyspace> ||
               std::is_same_v<Body, CreateTable> || std::is_same_v<Body, AlterTable> ||
               std::is_same_v<Body, CreateType> || std::is_same_v<Body, AlterType> ||
               std::is_same_v<Body, CreateIndex> || std::is_same_v<Body, CreateView> ||
               std::is_same_v<Body, AlterView> || std::is_same_v<Body, CreateTrigger> ||
               std::is_same_v<Body, DropTrigger> || std::is_same_v<Body, CreateFunction> ||
               std::is_same_v<Body, CreateAggregate> || std::is_same_v<Body, Drop>;
      },
      statement.body);
}

Outcome<Change> apply(const SchemaPtr& schema, const cql_syntax::Statement& statement,
                      const Circumstances& circumstances) {
  Scene scene{*schema, circumstances, schema->next_table};
  ASSIGN(auto draft, std::visit(Runner(scene), statement.body));
  Change change;
  change.schema = schema;
  change.warnings = std::move(draft.warnings);
  if (!draft.keyspace && !draft.gone) return change;

  auto after = std::make_shared<Schema>(*schema);
  after->next_table = scene.next_table;
  const auto name = draft.event.keyspace;
  const auto* before = schema->keyspace(name);
  if (before && draft.keyspace) order_dropped(*before, *draft.keyspace);
  if (draft.keyspace) renew_bases(before, *draft.keyspace);
  if (draft.gone)
    after->keyspaces.erase(name);
  else
    after->keyspaces[name] = draft.keyspace;
  change.records = records_between(*schema, *after, name);
  // A statement that leaves all as it was is told as one that does nothing.
  if (change.records.empty()) return change;
  after->version = contents_version(*after);
  tell_numbers(before, after->keyspace(name), change);
  change.schema = std::move(after);
  change.event = std::move(draft.event);
  return change;
}

}  // namespace tailrace::cql_schema
