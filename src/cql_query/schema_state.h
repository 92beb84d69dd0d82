// The schema's one present state: kept in the store, changed by DDL, joined with the tables that
// others keep, told to listeners.
//
// Threads: any. Changes come one after the other; each waits until it is on disk before it is told.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cql_protocol/messages.h"
#include "cql_query/foreign_table.h"
#include "cql_schema/change.h"
#include "cql_schema/schema.h"
#include "cql_store/store.h"
#include "cql_types/failure.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_query {

class SchemaState {
 public:
  SchemaState(cql_store::Store& store, cql_types::TimeuuidSource& timeuuids)
      : store_(store), timeuuids_(timeuuids) {}

  /// What the store keeps.
  Status load();
  /// Whether statements may make views: Cassandra's materialized_views_enabled.
  void set_materialized_views(bool enabled) { materialized_views_ = enabled; }
  /// Called after each change by a statement, before it is told to who made it.
  void after_change(std::function<void(const cql_schema::Change&)> after) {
    after_change_ = std::move(after);
  }

  cql_schema::SchemaPtr schema() const { return schema_.load(); }
  /// Null: the table is not of others.
  std::shared_ptr<const ForeignTable> foreign(const cql_schema::Table& table) const;

  /// Who makes a change: whether he may, and what is kept together with it.
  struct Maker {
    std::function<cql_types::Outcome<void>(const cql_schema::Touched&)> may = {};
    std::function<void(const cql_schema::Change&, cql_store::Mutation&)> keep = {};
  };
  /// DDL; `keyspace` is that of USE.
  cql_types::Outcome<cql_protocol::Answer> change(const cql_syntax::Statement& statement,
                                                  const std::string& keyspace, const Maker& maker);
  Status set_foreign(const std::vector<std::shared_ptr<const ForeignTable>>& tables);

  using Listener = std::function<void(const cql_protocol::SchemaChange&)>;
  std::shared_ptr<void> listen(Listener listener);

 private:
  using Name = std::pair<std::string, std::string>;  // keyspace and table
  using Foreign = std::map<Name, std::shared_ptr<const ForeignTable>>;
  using ForeignTypes = std::map<std::string, std::set<std::string>>;  // names by keyspace

  cql_types::Outcome<cql_schema::Change> changed(const cql_syntax::Statement& statement,
                                                 const std::string& keyspace, const Maker& maker);
  /// Tables, types and keyspaces of others stay as they are.
  cql_types::Outcome<void> check_foreign(const cql_syntax::Statement& statement,
                                         const std::string& keyspace) const;
  /// Puts the tables' types in place of those before; tells of what came and what is different.
  Result<ForeignTypes> set_foreign_types(
      const std::vector<std::shared_ptr<const ForeignTable>>& tables, cql_schema::Schema& next,
      std::vector<cql_protocol::SchemaChange>& changes) const;
  Status keep(const cql_schema::Change& change, const Maker& maker);
  void publish(cql_schema::SchemaPtr schema,
               const std::vector<cql_protocol::SchemaChange>& changes);

  cql_store::Store& store_;
  cql_types::TimeuuidSource& timeuuids_;
  std::mutex changing_;
  ForeignTypes foreign_types_;  // not kept; guarded by changing_
  std::atomic<cql_schema::SchemaPtr> schema_;
  std::atomic<std::shared_ptr<const Foreign>> foreign_ = std::make_shared<const Foreign>();
  std::atomic<bool> materialized_views_ = false;
  std::function<void(const cql_schema::Change&)> after_change_;
  std::mutex listeners_mutex_;
  std::list<Listener> listeners_;
};

}  // namespace tailrace::cql_query
