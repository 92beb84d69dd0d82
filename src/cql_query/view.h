// A materialised view: its rows are what a SELECT over its base table would give, kept in the same
// mutation as the base's rows.
//
// A base row has at most one row in a view, and that follows from the base row alone. So a write
// runs in Store::decide, where no other write comes between: each base row that it touches is read
// as it is and as it will be; the view's row of the one is removed, that of the other put in its
// place as a whole, whatever timestamps are there.
//
//   its key      := the view's columns of the base row; none where one is null or WHERE excludes it
//   its cells    := the base's, with their timestamps and times to live
//   its liveness := that of the cell that the key has beside the base's key; in a view of the
//   base's
//                   key alone the longest life of all that the base row has, selected or not
//
// A view's row without a liveness is not there (Cassandra's "strict liveness", for all views):
// cells may outlive what made their row.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cql_query/clustering.h"
#include "cql_query/modification.h"
#include "cql_query/restrictions.h"
#include "cql_query/source_row.h"
#include "cql_schema/schema.h"
#include "cql_store/store.h"

namespace tailrace::cql_query {

class View {
 public:
  /// kInvalid: its WHERE cannot be read any more.
  static Outcome<std::shared_ptr<const View>> make(const cql_schema::TablePtr& base,
                                                   const cql_schema::TablePtr& view,
                                                   const cql_schema::SchemaPtr& schema);

  const cql_schema::Table& base() const { return *base_; }
  const cql_schema::TablePtr& table() const { return view_; }

  struct Place {
    Key key;
    Clustering clustering;
    cql_store::Liveness life;

    bool same(const Place& other) const {
      return key.bytes == other.key.bytes && clustering.key == other.clustering.key;
    }
  };
  /// Where the row of a base row is; nullopt: it has none.
  Outcome<std::optional<Place>> place_of(const cql_store::Row& base_row) const;
  /// Puts the row there.
  void put(const Place& place, const cql_store::Row& base_row, cql_store::Mutation& mutation) const;
  void remove(const Place& place, cql_store::Mutation& mutation) const;

 private:
  View(cql_schema::TablePtr base, cql_schema::TablePtr view);

  bool selects(SourceRow& row, std::string_view partition, std::string_view clustering) const;
  std::optional<cql_store::Liveness> life_of(const cql_store::Row& base_row) const;

  cql_schema::TablePtr base_, view_;
  std::vector<int> places_;  // in the base's columns, of each of the view's
  int more_ = -1;            // the column of the key that is not of the base's key
  RestrictionsPtr where_;
  std::optional<std::vector<Key>> keys_;
  std::optional<std::vector<Clustering>> clusterings_;
  Slices slices_;
  std::vector<Condition> conditions_;
};
/// The views of a table, made ready.
Outcome<std::vector<ViewPtr>> views_of(const cql_schema::TablePtr& base,
                                       const cql_schema::SchemaPtr& schema);

/// Adds what `mutation`, which is about to be applied to `snapshot`, changes of the views.
Outcome<void> update_views(std::span<const ViewPtr> views, const cql_store::Snapshot& snapshot,
                           cql_store::Mutation& mutation);

/// At which second all that was written lives.
constexpr std::int64_t kBeforeAllTime = std::numeric_limits<std::int64_t>::min();

}  // namespace tailrace::cql_query
