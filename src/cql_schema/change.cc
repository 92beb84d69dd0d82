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

// What a statement changes, as Cassandra checks permissions on it before all else.
struct Resource {
  std::string_view permission;
  std::string keyspace;
  std::string text;  // <table ks.t>; empty: the keyspace itself
};

// Nobody may change the server's own keyspaces, but for the replication of some.
Outcome<void> check_system(const Resource& resource) {
  if (is_local_keyspace(resource.keyspace))
    return cql_types::failure(ErrorCode::kUnauthorized,
                              resource.keyspace + " keyspace is not user-modifiable.");
  if (!is_replicated_system_keyspace(resource.keyspace)) return {};
  if (resource.permission == "ALTER" && resource.text.empty()) return {};
  const auto text = resource.text.empty() ? "<keyspace " + resource.keyspace + ">" : resource.text;
  return cql_types::failure(ErrorCode::kUnauthorized,
                            fmt::format("Cannot {} {}", resource.permission, text));
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
Outcome<void> check_before(const std::optional<Resource>& resource, const std::string& keyspace) {
  if (resource) TRY(check_system(*resource));
  if (is_local_keyspace(keyspace) && !is_virtual_keyspace(keyspace))
    return invalid("System keyspace '{}' is not user-modifiable", keyspace);
  if (is_virtual_keyspace(keyspace))
    return invalid("System keyspace '{}' is not user-modifiable", keyspace);
  return check_keyspace_name(keyspace);
}

// Runs one kind of statement after the checks.
class Runner {
 public:
  explicit Runner(Scene& scene) : scene_(scene) {}

  DraftOutcome operator()(const cql_syntax::CreateKeyspace& made) {
    TRY(check_before(std::nullopt, made.name));
    return create_keyspace(made, scene_);
  }

  DraftOutcome operator()(const cql_syntax::AlterKeyspace& made) {
    TRY(check_before(Resource{"ALTER", made.name, ""}, made.name));
    return alter_keyspace(made, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateTable& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    if (!made.primary_key)
      return invalid("No PRIMARY KEY specifed for table '{}' (exactly one required)",
                     written(made.name));
    TRY(check_before(all_tables("CREATE", keyspace), keyspace));
    return create_table(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::AlterTable& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(check_before(table("ALTER", keyspace, made.name.name), keyspace));
    return alter_table(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateType& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(check_before(all_tables("CREATE", keyspace), keyspace));
    return create_type(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::AlterType& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(check_before(all_tables("ALTER", keyspace), keyspace));
    return alter_type(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateIndex& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.table, scene_.now));
    TRY(check_before(table("ALTER", keyspace, made.table.name), keyspace));
    return create_index(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateView& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    if (made.from.keyspace && *made.from.keyspace != keyspace)
      return invalid("Cannot create a materialized view on a table in a different keyspace");
    TRY(check_before(table("ALTER", keyspace, made.from.name), keyspace));
    return create_view(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::AlterView& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(check_before(std::nullopt, keyspace));
    return alter_view(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateTrigger& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.table, scene_.now));
    TRY(check_before(std::nullopt, keyspace));
    return create_trigger(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::DropTrigger& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.table, scene_.now));
    TRY(check_before(std::nullopt, keyspace));
    return drop_trigger(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateFunction& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(check_before(std::nullopt, keyspace));
    return create_function(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::CreateAggregate& made) {
    ASSIGN(const auto keyspace, keyspace_of(made.name, scene_.now));
    TRY(check_before(std::nullopt, keyspace));
    return create_aggregate(made, keyspace, scene_);
  }

  DraftOutcome operator()(const cql_syntax::Drop& made) {
    using Kind = cql_syntax::Drop::Kind;
    std::optional<Resource> resource;
    std::string keyspace = made.name.name;
    if (made.kind != Kind::kKeyspace) {
      ASSIGN(keyspace, keyspace_of(made.name, scene_.now));
    }
    if (made.kind == Kind::kKeyspace) resource = Resource{"DROP", keyspace, ""};
    if (made.kind == Kind::kTable) resource = table("DROP", keyspace, made.name.name);
    if (made.kind == Kind::kType) resource = all_tables("DROP", keyspace);
    TRY(check_before(resource, keyspace));
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
  static Resource table(std::string_view permission, const std::string& keyspace,
                        const std::string& name) {
    return {permission, keyspace, fmt::format("<table {}.{}>", keyspace, name)};
  }
  static Resource all_tables(std::string_view permission, const std::string& keyspace) {
    return {permission, keyspace, fmt::format("<all tables in {}>", keyspace)};
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
