#include "cql_query/view.h"

#include <algorithm>
#include <set>

#include "cql_store/deletions.h"
#include "cql_store/keys.h"
#include "cql_store/mutation.h"
#include "cql_syntax/statement.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {

using cql_schema::Column;
using cql_schema::SchemaPtr;
using cql_schema::Table;
using cql_schema::TablePtr;
using cql_store::Liveness;
using cql_store::Mutation;
using cql_store::Row;
using cql_store::Snapshot;
using cql_types::Part;

View::View(TablePtr base, TablePtr view) : base_(std::move(base)), view_(std::move(view)) {
  for (const Column& column : view_->columns) {
    const int place = base_->find(column.name);
    places_.push_back(place);
    if (std::ssize(places_) <= view_->key_columns() && place >= base_->key_columns()) more_ = place;
  }
}

Outcome<ViewPtr> View::make(const TablePtr& base, const TablePtr& view, const SchemaPtr& schema) {
  auto made = std::shared_ptr<View>(new View(base, view));
  ASSIGN(const auto parsed, cql_syntax::parse("SELECT * FROM t WHERE " + view->view->where_clause));
  const auto& select = std::get<cql_syntax::Select>(parsed.body);
  cql_terms::Scope scope;
  scope.schema = schema;
  scope.keyspace = base->keyspace;
  Restrictions::Intent intent;
  intent.allow_filtering = true;
  intent.for_view = true;
  ASSIGN(made->where_, Restrictions::prepare(select.where, base, scope, intent));
  const Restrictions& where = *made->where_;
  const Bindings none;
  if (!where.is_key_range()) {
    ASSIGN(made->keys_, where.keys(none));
  }
  if (where.is_column_range()) {
    ASSIGN(made->slices_, where.slices(none));
  } else {
    ASSIGN(made->clusterings_, where.clusterings(none));
  }
  ASSIGN(made->conditions_, where.filter(none));
  return made;
}

bool View::selects(SourceRow& row, std::string_view partition, std::string_view clustering) const {
  if (keys_ && std::ranges::find(*keys_, partition, &Key::bytes) == keys_->end()) return false;
  const bool in_clusterings =
      clusterings_
          ? std::ranges::find(*clusterings_, clustering, &Clustering::key) != clusterings_->end()
          : std::ranges::any_of(slices_, [&](const cql_store::Slice& slice) {
              return clustering >= slice.begin && (slice.end.empty() || clustering < slice.end);
            });
  return in_clusterings && std::ranges::all_of(conditions_, [&](const Condition& condition) {
           return satisfies(row, *base_, condition);
         });
}

std::optional<Liveness> View::life_of(const Row& base_row) const {
  if (more_ >= 0) {
    const auto [cell, count] =
        base_row.of(base_->columns[static_cast<std::size_t>(more_)].number.value);
    if (count == 0) return std::nullopt;
    return Liveness{cell->timestamp, cell->ttl, cell->ttl != 0 ? cell->expires : 0};
  }
  std::optional<Liveness> longest;
  const auto offer = [&](const auto& one) {
    const Liveness life{one.timestamp, one.ttl, one.ttl != 0 ? one.expires : 0};
    if (longest && longest->ttl == 0) return;
    if (!longest || life.ttl == 0 || life.expires > longest->expires) longest = life;
  };
  if (base_row.liveness.timestamp != cql_store::kNoTimestamp) offer(base_row.liveness);
  for (const auto& cell : base_row.cells) {
    // What was dropped keeps no row.
    if (std::ranges::any_of(base_->columns, [&](const Column& column) {
          return column.number.value == cell.column;
        }))
      offer(cell);
  }
  return longest;
}

Outcome<std::optional<View::Place>> View::place_of(const Row& base_row) const {
  const auto life = life_of(base_row);
  if (!life) return std::nullopt;
  SourceRow row(*base_, kBeforeAllTime);
  TRY(row.partition(base_row.partition));
  TRY(row.row(&base_row));
  if (!selects(row, base_row.partition, base_row.clustering)) return std::nullopt;
  std::vector<std::string_view> values;
  for (int i = 0; i < view_->key_columns(); ++i) {
    const Part value = row.value(places_[static_cast<std::size_t>(i)]);
    // What is too long for a key cannot be found by it.
    if (!value || value->size() > cql_types::kMaxKey) return std::nullopt;
    values.push_back(*value);
  }
  const auto all = std::span(values);
  const auto partition_columns = static_cast<std::size_t>(view_->partition_columns);
  Place place;
  place.life = *life;
  if (partition_columns == 1) {
    place.key.bytes = values.front();
  } else {
    auto bytes = cql_types::partition_key(all.first(partition_columns));
    if (!bytes) return std::nullopt;
    place.key.bytes = std::move(*bytes);
  }
  if (place.key.bytes.size() > cql_types::kMaxKey) return std::nullopt;
  place.key.token = cql_types::murmur3_token(place.key.bytes);
  ASSIGN(place.clustering, encode_clustering(*view_, all.subspan(partition_columns)));
  return place;
}

void View::put(const Place& place, const Row& base_row, Mutation& mutation) const {
  mutation.replace_row(view_->number.value, place.key.view(),
                       {place.clustering.key, place.clustering.raw});
  mutation.liveness(place.life);
  for (auto i = static_cast<std::size_t>(view_->key_columns()); i < view_->columns.size(); ++i) {
    if (places_[i] < 0) continue;
    const auto& from = base_->columns[static_cast<std::size_t>(places_[i])];
    const auto [first, count] = base_row.of(from.number.value);
    for (const auto& cell : std::span(first, count))
      mutation.put(view_->columns[i].number.value, cell.path, cell.timestamp, cell.value, cell.ttl,
                   cell.expires);
  }
}

void View::remove(const Place& place, Mutation& mutation) const {
  mutation.replace_row(view_->number.value, place.key.view(),
                       {place.clustering.key, place.clustering.raw});
}

Outcome<std::vector<ViewPtr>> views_of(const TablePtr& base, const SchemaPtr& schema) {
  std::vector<ViewPtr> views;
  const auto* keyspace = schema->keyspace(base->keyspace);
  if (keyspace == nullptr) return views;
  for (const auto& [name, table] : keyspace->tables) {
    if (!table->view || table->view->base_table != base->name) continue;
    ASSIGN(auto view, View::make(base, table, schema));
    views.push_back(std::move(view));
  }
  return views;
}

namespace {

/// Rows of base tables that a mutation touches.
class Touched {
 public:
  Touched(std::span<const ViewPtr> views, const Snapshot& snapshot)
      : views_(views), snapshot_(snapshot) {}

  Status find(Mutation& mutation) {
    for (cql_store::MutationReader changes(mutation); changes.next();) {
      cql_store::KeyParts parts;
      if (!cql_store::split(changes.key(), parts)) continue;
      if (std::ranges::none_of(views_, [&](const ViewPtr& view) {
            return view->base().number.value == parts.table;
          }))
        continue;
      if (parts.kind == cql_store::Kind::kRow) add(parts);
      if (changes.op() == cql_store::Op::kDeletions) TRY(add_deleted(parts, changes.value()));
    }
    return {};
  }

  struct At {
    cql_store::TableNumber table;
    std::int64_t token;
    std::string partition, clustering;

    auto operator<=>(const At&) const = default;
  };
  const std::set<At>& rows() const { return rows_; }

 private:
  void add(const cql_store::KeyParts& parts) {
    At at{parts.table, parts.token, {}, std::string(parts.clustering)};
    cql_store::unescape(parts.partition, at.partition);
    rows_.insert(std::move(at));
  }
  Status add_deleted(const cql_store::KeyParts& parts, std::string_view record) {
    cql_store::Deletions deletions;
    if (!deletions.read(record)) return error(Code::kInternal, "a deletion is damaged");
    std::string partition;
    cql_store::unescape(parts.partition, partition);
    return snapshot_.scan_partition(
        parts.table, {parts.token, partition}, {}, kBeforeAllTime, [&](const Row& row) {
          if (!deletions.of(row.clustering).live())
            rows_.insert({parts.table, parts.token, partition, std::string(row.clustering)});
          return true;
        });
  }

  std::span<const ViewPtr> views_;
  const Snapshot& snapshot_;
  std::set<At> rows_;
};

}  // namespace

Outcome<void> update_views(std::span<const ViewPtr> views, const Snapshot& snapshot,
                           Mutation& mutation) {
  Touched touched(views, snapshot);
  TRY(touched.find(mutation));
  const auto preview = snapshot.with(mutation);
  Mutation more;
  Row before, after;
  Snapshot::Buffer buffer_before, buffer_after;
  for (const auto& at : touched.rows()) {
    const cql_store::PartitionKey key{at.token, at.partition};
    ASSIGN(const bool was,
           snapshot.read(at.table, key, {at.clustering}, kBeforeAllTime, before, buffer_before));
    ASSIGN(const bool is,
           preview->read(at.table, key, {at.clustering}, kBeforeAllTime, after, buffer_after));
    for (const ViewPtr& view : views) {
      if (view->base().number.value != at.table) continue;
      std::optional<View::Place> from, to;
      if (was) {
        ASSIGN(from, view->place_of(before));
      }
      if (is) {
        ASSIGN(to, view->place_of(after));
      }
      if (from && !(to && from->same(*to))) view->remove(*from, more);
      if (to) view->put(*to, after, more);
    }
  }
  mutation.append(std::move(more));
  return {};
}

}  // namespace tailrace::cql_query
