// Changes of the schema, kept and told.
#include "cql_query/schema_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "cql_schema/records.h"
#include "cql_schema/types.h"
#include "cql_syntax/statement.h"
#include "cql_types/token.h"
#include "rt/wall_time.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::Answer;
using cql_protocol::SchemaChange;
using cql_schema::Event;
using cql_schema::Keyspace;
using cql_schema::Schema;
using cql_schema::SchemaPtr;
using cql_schema::Table;
using cql_schema::TablePtr;
using cql_types::Failure;
using cql_types::invalid;
using cql_types::Outcome;

constexpr std::string_view kPrefix = "schema/";

SchemaChange told(const Event& event) {
  constexpr std::array<std::string_view, 3> kChanges{"CREATED", "UPDATED", "DROPPED"};
  constexpr std::array<std::string_view, 5> kTargets{"KEYSPACE", "TABLE", "TYPE", "FUNCTION",
                                                     "AGGREGATE"};
  static_assert(static_cast<int>(Event::Change::kDropped) == 2);
  static_assert(static_cast<int>(Event::Target::kAggregate) == 4);
  return {std::string(kChanges[static_cast<std::size_t>(event.change)]),
          std::string(kTargets[static_cast<std::size_t>(event.target)]), event.keyspace, event.name,
          event.argument_types};
}

bool same_columns(const Table& a, const Table& b) {
  return a.partition_columns == b.partition_columns &&
         a.clustering_columns == b.clustering_columns &&
         std::ranges::equal(a.columns, b.columns, [](const auto& x, const auto& y) {
           return x.name == y.name && *x.type == *y.type && x.kind == y.kind &&
                  x.descending == y.descending;
         });
}

/// Numbers of tables that are not the store's only tell them apart.
cql_schema::TableNumber foreign_number(const Table& table) {
  constexpr std::uint32_t kForeign = 1U << 31U;
  const auto token = cql_types::murmur3_token(table.keyspace + '.' + table.name);
  return cql_schema::TableNumber(static_cast<std::uint32_t>(token) | kForeign);
}

/// The table that a statement is about to change, if it names one.
std::optional<cql_syntax::QualifiedName> changed_table(const cql_syntax::Statement& statement) {
  if (const auto* alter = std::get_if<cql_syntax::AlterTable>(&statement.body)) return alter->name;
  if (const auto* index = std::get_if<cql_syntax::CreateIndex>(&statement.body))
    return index->table;
  if (const auto* view = std::get_if<cql_syntax::CreateView>(&statement.body)) return view->from;
  if (const auto* drop = std::get_if<cql_syntax::Drop>(&statement.body))
    if (drop->kind == cql_syntax::Drop::Kind::kTable) return drop->name;
  return std::nullopt;
}

/// A type that a statement is about to change or drop, or a keyspace that it is about to drop.
std::optional<std::string> dropped_keyspace(const cql_syntax::Statement& statement) {
  const auto* drop = std::get_if<cql_syntax::Drop>(&statement.body);
  if (drop == nullptr || drop->kind != cql_syntax::Drop::Kind::kKeyspace) return std::nullopt;
  return drop->name.name;
}
std::optional<cql_syntax::QualifiedName> changed_type(const cql_syntax::Statement& statement) {
  if (const auto* alter = std::get_if<cql_syntax::AlterType>(&statement.body)) return alter->name;
  if (const auto* drop = std::get_if<cql_syntax::Drop>(&statement.body))
    if (drop->kind == cql_syntax::Drop::Kind::kType) return drop->name;
  return std::nullopt;
}

Failure of_the_pipeline(std::string_view what, std::string_view name) {
  return {cql_types::ErrorCode::kInvalid,
          fmt::format("{} is a {} of the pipeline: change its query, or `serving` in tailrace.yml",
                      name, what)};
}

/// Whether something that is kept names a type that is not.
bool uses_any(const Keyspace& keyspace, const std::set<std::string>& types) {
  const auto uses = [&](const cql_types::TypePtr& type) {
    return type && std::ranges::any_of(
                       types, [&](const auto& name) { return cql_schema::uses(*type, name); });
  };
  for (const auto& [name, type] : keyspace.types)
    if (!types.contains(name) && uses(type)) return true;
  for (const auto& [name, table] : keyspace.tables)
    if (!table->foreign && std::ranges::any_of(table->columns, uses, &cql_schema::Column::type))
      return true;
  return std::ranges::any_of(keyspace.functions,
                             [&](const auto& function) {
                               return uses(function.returns) ||
                                      std::ranges::any_of(function.argument_types, uses);
                             }) ||
         std::ranges::any_of(keyspace.aggregates, [&](const auto& aggregate) {
           return uses(aggregate.state_type) || uses(aggregate.returns) ||
                  std::ranges::any_of(aggregate.argument_types, uses);
         });
}

}  // namespace

Status SchemaState::load() {
  ASSIGN(const auto kept, store_.kept(kPrefix));
  std::vector<cql_schema::Record> records;
  for (const auto& [name, bytes] : kept) records.push_back({name.substr(kPrefix.size()), bytes});
  ASSIGN(auto schema, cql_schema::load(records));
  publish(std::move(schema), {});
  return {};
}

std::shared_ptr<const ForeignTable> SchemaState::foreign(const Table& table) const {
  const auto all = foreign_.load();
  const auto found = all->find({table.keyspace, table.name});
  return found == all->end() ? nullptr : found->second;
}

void SchemaState::publish(SchemaPtr schema, const std::vector<SchemaChange>& changes) {
  for (const auto& [name, keyspace] : schema->keyspaces)
    for (const auto& [table_name, table] : keyspace->tables)
      if (!table->virtual_table && !table->foreign) {
        store_.set_grace(table->number.value, table->options.gc_grace_seconds);
        for (const auto& index : table->indexes) store_.set_grace(index.number.value, 0);
      }
  schema_ = std::move(schema);
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& change : changes)
    for (const auto& listener : listeners_) listener(change);
}

Outcome<cql_schema::Change> SchemaState::changed(const cql_syntax::Statement& statement,
                                                 const std::string& keyspace, const Maker& maker) {
  cql_schema::Circumstances circumstances;
  circumstances.keyspace = keyspace;
  circumstances.now_us = rt::wall_microseconds();
  circumstances.new_id = [this] { return timeuuids_.next(rt::wall_microseconds() / 1000); };
  circumstances.materialized_views = materialized_views_;
  circumstances.authorize = maker.may;
  return cql_schema::apply(schema(), statement, circumstances);
}

Status SchemaState::keep(const cql_schema::Change& change, const Maker& maker) {
  cql_store::Mutation mutation;
  if (maker.keep) maker.keep(change, mutation);
  for (const auto& record : change.records)
    mutation.keep(std::string(kPrefix) + record.name, record.bytes);
  for (const auto table : change.dropped) mutation.drop_all(table.value);
  std::atomic<bool> finished = false;
  Status kept;
  store_.commit(std::move(mutation), [&](Status status) {
    kept = std::move(status);
    finished = true;
    finished.notify_one();
  });
  finished.wait(false);
  return kept;
}

Outcome<void> SchemaState::check_foreign(const cql_syntax::Statement& statement,
                                         const std::string& keyspace) const {
  if (const auto name = changed_table(statement)) {
    const auto table = schema()->table(name->keyspace.value_or(keyspace), name->name);
    if (table && table->foreign)
      return std::unexpected(of_the_pipeline("table", table->keyspace + '.' + table->name));
  }
  if (const auto name = changed_type(statement)) {
    const auto own = foreign_types_.find(name->keyspace.value_or(keyspace));
    if (own != foreign_types_.end() && own->second.contains(name->name))
      return std::unexpected(of_the_pipeline("type", own->first + '.' + name->name));
  }
  if (const auto name = dropped_keyspace(statement))
    for (const auto& [table, unused] : *foreign_.load())
      if (table.first == *name) return std::unexpected(of_the_pipeline("keyspace", *name));
  return {};
}

Outcome<Answer> SchemaState::change(const cql_syntax::Statement& statement,
                                    const std::string& keyspace, const Maker& maker) {
  const std::lock_guard lock(changing_);
  TRY(check_foreign(statement, keyspace));
  ASSIGN(auto change, changed(statement, keyspace, maker));
  for (const auto& [name, types] : foreign_types_) {
    const Keyspace* own = change.schema->keyspace(name);
    if (own != nullptr && uses_any(*own, types))
      return invalid(
          fmt::format("a type of keyspace {} that the pipeline makes cannot be used in "
                      "what is kept here: it goes when the pipeline's table does",
                      name));
  }
  Answer answer;
  answer.warnings = std::move(change.warnings);
  if (!change.event) return answer;
  TRY(keep(change, maker));
  const SchemaChange event = told(*change.event);
  publish(change.schema, {event});
  if (after_change_) after_change_(change);
  answer.result = event;
  return answer;
}

Result<SchemaState::ForeignTypes> SchemaState::set_foreign_types(
    const std::vector<std::shared_ptr<const ForeignTable>>& tables, Schema& next,
    std::vector<SchemaChange>& changes) const {
  std::map<Name, cql_schema::TypePtr> before;
  for (const auto& [name, types] : foreign_types_) {
    auto without = std::make_shared<Keyspace>(*next.keyspace(name));
    for (const auto& type : types)
      if (auto node = without->types.extract(type)) before[{name, type}] = node.mapped();
    next.keyspaces[name] = std::move(without);
  }
  ForeignTypes made;
  for (const auto& table : tables)
    for (const auto& type : table->types()) {
      auto keyspace = std::make_shared<Keyspace>(*next.keyspace(type->keyspace));
      if (!keyspace->types.try_emplace(type->name, type).second)
        return error(Code::kAlreadyExists,
                     fmt::format("type {}.{} was made by a CQL client: drop it, or give the column "
                                 "of the serving table another name",
                                 type->keyspace, type->name));
      next.keyspaces[type->keyspace] = std::move(keyspace);
      made[type->keyspace].insert(type->name);
      const auto old = before.find({type->keyspace, type->name});
      if (old != before.end() && *old->second == *type) continue;
      changes.push_back(
          {old == before.end() ? "CREATED" : "UPDATED", "TYPE", type->keyspace, type->name, {}});
    }
  return made;
}

Status SchemaState::set_foreign(const std::vector<std::shared_ptr<const ForeignTable>>& tables) {
  const std::lock_guard lock(changing_);
  std::vector<SchemaChange> changes;
  std::set<std::string> keyspaces;
  for (const auto& table : tables) keyspaces.insert(table->definition().keyspace);
  for (const auto& name : keyspaces) {
    if (schema()->keyspace(name) != nullptr) continue;
    ASSIGN(const auto statement,
           cql_syntax::parse(fmt::format("CREATE KEYSPACE {} WITH replication = {{'class': "
                                         "'SimpleStrategy', 'replication_factor': 1}}",
                                         cql_syntax::print_name(name))));
    auto change = changed(statement, "", {});
    if (!change) return error(Code::kInternal, change.error().message);
    TRY(keep(*change, {}));
    schema_ = change->schema;
    changes.push_back(told(*change->event));
  }
  auto next = std::make_shared<Schema>(*schema());
  auto all = std::make_shared<Foreign>();
  ASSIGN(auto types, set_foreign_types(tables, *next, changes));
  std::map<Name, TablePtr> before;
  for (auto& [name, keyspace] : next->keyspaces) {
    auto without = std::make_shared<Keyspace>(*keyspace);
    std::erase_if(without->tables, [&](const auto& entry) {
      if (entry.second->foreign) before[{name, entry.first}] = entry.second;
      return entry.second->foreign;
    });
    keyspace = std::move(without);
  }
  for (const auto& table : tables) {
    const Table& definition = table->definition();
    const Name name{definition.keyspace, definition.name};
    auto keyspace = std::make_shared<Keyspace>(*next->keyspaces.find(name.first)->second);
    if (keyspace->tables.contains(name.second))
      return error(Code::kAlreadyExists,
                   fmt::format("{}.{} was made by a CQL client: drop it, or give the serving table "
                               "another name",
                               name.first, name.second));
    const auto old = before.find(name);
    TablePtr made;
    if (old != before.end() && same_columns(*old->second, definition)) {
      made = old->second;
    } else {
      auto numbered = std::make_shared<Table>(definition);
      numbered->number = foreign_number(definition);
      made = std::move(numbered);
      changes.push_back(
          {old == before.end() ? "CREATED" : "UPDATED", "TABLE", name.first, name.second, {}});
    }
    before.erase(name);
    keyspace->tables[name.second] = std::move(made);
    next->keyspaces[name.first] = std::move(keyspace);
    (*all)[name] = table;
  }
  for (const auto& [name, table] : before)
    changes.push_back({"DROPPED", "TABLE", name.first, name.second, {}});
  for (const auto& [keyspace, names] : foreign_types_)
    for (const auto& name : names)
      if (next->type(keyspace, name) == nullptr)
        changes.push_back({"DROPPED", "TYPE", keyspace, name, {}});
  foreign_types_ = std::move(types);
  next->version = cql_schema::contents_version(*next);
  foreign_ = std::shared_ptr<const Foreign>(std::move(all));
  publish(std::move(next), changes);
  return {};
}

std::shared_ptr<void> SchemaState::listen(Listener listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.push_front(std::move(listener));
  const auto at = listeners_.begin();
  return {nullptr, [this, at](void* /*none*/) {
            const std::lock_guard inner(listeners_mutex_);
            listeners_.erase(at);
          }};
}

}  // namespace tailrace::cql_query
