// Keeps indexes and views whole beside the writes: fills new ones from what is there, removes
// entries that lead nowhere, takes away what dropped ones had.
//
// A record kept by name says that an index or a view is whole:
//
//   built/<number, 10 digits> := empty
//
// Without it the filling starts again: after a crash, and in a folder of a version that kept none.
//
// Order of calls: load(), then changed() after each change of the schema, once no write is on its
// way that has not seen it. Small tables are filled within the call, others by a thread of its own.
// Threads: any; changed() by one at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cql_query/select.h"
#include "cql_schema/change.h"
#include "cql_store/store.h"

namespace tailrace::cql_query {

class IndexUpkeep final : public Indexes {
 public:
  using GetSchema = std::function<cql_schema::SchemaPtr()>;
  IndexUpkeep(cql_store::Store& store, GetSchema schema)
      : store_(store), schema_(std::move(schema)) {}
  ~IndexUpkeep() override;

  /// What the schema has is filled, where it is not whole.
  Status load();
  void changed(const cql_schema::Change& change);

  bool is_built(cql_schema::TableNumber index) const override;
  void forget(const cql_schema::TablePtr& table, std::vector<StaleEntry> entries,
              std::int64_t now_seconds) override;

 private:
  using Number = cql_schema::TableNumber;
  /// An index, or a view, to be filled.
  struct Filling {
    std::string keyspace, table;  // the index's, or the view itself
    Number number;
    bool is_view = false;
    std::optional<cql_store::Range::After> after = {};  // what is done
  };

  void start(std::vector<Filling> fillings);
  /// The next rows. True: it is whole, or gone.
  Result<bool> fill_some(Filling& filling);
  Result<bool> fill_index(const cql_schema::Table& table, const cql_schema::Index& index,
                          Filling& filling);
  Result<bool> fill_view(const cql_schema::TablePtr& view, const cql_schema::SchemaPtr& schema,
                         Filling& filling);
  Status write(cql_store::Mutation mutation);
  /// Waits for what is decided.
  Status decide(cql_store::Store::Decide decide);
  void catch_up();
  Status finish(const Filling& filling);
  void run();

  cql_store::Store& store_;
  const GetSchema schema_;
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<Number> built_;
  std::deque<Filling> waiting_;
  std::optional<Number> in_hand_;
  std::thread thread_;
};

}  // namespace tailrace::cql_query
