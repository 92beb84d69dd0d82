// WHERE as a whole: which restrictions there are on which columns, and whether they may stand
// together.
#include "cql_query/restrictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cql_query/prepared_restrictions.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::ColumnSpec;
using cql_schema::Table;
using cql_schema::TablePtr;
using cql_syntax::Operator;
using cql_syntax::Relation;
using cql_terms::Scope;
using cql_types::invalid;

constexpr std::string_view kNeedsFiltering =
    "Cannot execute this query as it might involve data filtering and thus may have unpredictable "
    "performance. If you want to execute this query despite the performance unpredictability, use "
    "ALLOW "
    "FILTERING";

std::string names_of(const Table& table, const std::vector<int>& places) {
  std::vector<std::string> names;
  for (const int place : places)
    names.push_back(
        cql_types::quoted_if_needed(table.columns[static_cast<std::size_t>(place)].name));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

// Relations, one by one.

Outcome<void> PreparedRestrictions::add_token(const Relation& relation, const Scope& scope) {
  const Table& table = *table_;
  if (relation.op == Operator::kIn || relation.op == Operator::kContains ||
      relation.op == Operator::kContainsKey || relation.op == Operator::kIsNotNull ||
      relation.op == Operator::kLike) {
    const std::string_view name = relation.op == Operator::kIn            ? "IN"
                                  : relation.op == Operator::kContains    ? "CONTAINS"
                                  : relation.op == Operator::kContainsKey ? "CONTAINS KEY"
                                  : relation.op == Operator::kLike        ? "LIKE"
                                                                          : "IS NOT";
    return invalid(fmt::format("{} cannot be used with the token function", name));
  }
  if (relation.op == Operator::kNotEqual)
    return invalid("Unsupported \"!=\" relation: " + relation_text(relation));
  std::vector<int> places, partition;
  for (const auto& name : relation.columns) {
    const int place = table.find(name);
    if (place < 0)
      return invalid(fmt::format(
          "Undefined column name {} in table {}.{}", cql_types::quoted_if_needed(name),
          cql_types::quoted_if_needed(table.keyspace), cql_types::quoted_if_needed(table.name)));
    places.push_back(place);
  }
  for (int i = 0; i < table.partition_columns; ++i) partition.push_back(i);
  if (places != partition) {
    std::set<int> given(places.begin(), places.end());
    if (!std::ranges::includes(given, partition))
      return invalid(
          "The token() function must be applied to all partition key components or none of them");
    if (given.size() != places.size())
      return invalid("The token() function contains duplicate partition key components");
    if (given.size() != partition.size())
      return invalid("The token() function must contains only partition key components");
    return invalid("The token function arguments must be in the partition key order: " +
                   names_of(table, partition));
  }
  const ColumnSpec receiver{table.keyspace, table.name, "partition key token",
                            cql_types::native_type(cql_types::Kind::kBigint)};
  ASSIGN(auto term, cql_terms::prepare(relation.values.front(), receiver, scope));
  const std::string columns = names_of(table, partition);
  const bool equal = relation.op == Operator::kEqual;
  if (token_ && token_->equal)
    return invalid(columns +
                   " cannot be restricted by more than one relation if it includes an Equal");
  if (token_ && equal)
    return invalid(fmt::format(
        "Columns \"{}\" cannot be restricted by both an equality and an inequality relation",
        columns));
  if (!token_) token_.emplace();
  if (equal) {
    token_->equal = std::move(term);
    return {};
  }
  const std::size_t side =
      relation.op == Operator::kLess || relation.op == Operator::kLessEqual ? 1 : 0;
  if (token_->bounds[side])
    return invalid(fmt::format("More than one restriction was found for the {} bound on {}",
                               side == 0 ? "start" : "end", columns));
  token_->bounds[side] = std::move(term);
  token_->inclusive[side] =
      relation.op == Operator::kLessEqual || relation.op == Operator::kMoreEqual;
  return {};
}

Outcome<void> PreparedRestrictions::add(const Relation& relation, const Scope& scope) {
  if ((relation.op == Operator::kContains || relation.op == Operator::kContainsKey) &&
      intent_.kind != StatementKind::kSelect && intent_.kind != StatementKind::kInsert)
    return invalid(fmt::format("Cannot use {} with {}", kind_name(intent_.kind),
                               relation.op == Operator::kContains ? "CONTAINS" : "CONTAINS KEY"));
  if (relation.op == Operator::kIsNotNull && !intent_.for_view)
    return invalid("Unsupported restriction: " + relation_text(relation));
  if (relation.kind == Relation::Kind::kToken) return add_token(relation, scope);
  ASSIGN(auto restriction, restriction_of(relation, table_, scope));
  if (relation.op == Operator::kIsNotNull) {
    not_null_.insert(restriction->columns.begin(), restriction->columns.end());
    return {};
  }
  if (relation.op == Operator::kLike)
    return invalid(fmt::format(
        "LIKE restriction is only supported on properly indexed columns. {} is not valid.",
        relation_text(relation)));
  const int first = restriction->first();
  if (first < table_->partition_columns) return partition_.add(*table_, std::move(restriction));
  if (first < table_->key_columns()) return add_clustering(restriction);
  return other_.add(*table_, std::move(restriction));
}

Outcome<void> PreparedRestrictions::add_clustering(const RestrictionPtr& restriction) {
  const bool was_empty = clustering_.empty();
  const Restriction before = was_empty ? Restriction{} : *clustering_.last();
  TRY(clustering_.add(*table_, restriction));
  const bool by_index =
      intent_.kind == StatementKind::kSelect && supporting_index(*table_, *restriction) != nullptr;
  if (was_empty || intent_.allow_filtering || by_index) return {};
  const auto name = [&](int place) {
    return table_->columns[static_cast<std::size_t>(place)].name;
  };
  if (before.is_slice() && restriction->first() > before.first())
    return invalid(fmt::format(
        "Clustering column \"{}\" cannot be restricted (preceding column \"{}\" is restricted "
        "by a non-EQ relation)",
        name(restriction->first()), name(before.first())));
  if (restriction->first() < before.first() && restriction->is_slice())
    return invalid(fmt::format(
        "PRIMARY KEY column \"{}\" cannot be restricted (preceding column \"{}\" is restricted "
        "by a non-EQ relation)",
        name(clustering_.after(restriction->first())), name(restriction->first())));
  return {};
}

// All of them together.

bool PreparedRestrictions::clustering_needs_filtering() const {
  int position = 0;
  for (const Restriction* restriction : clustering_.distinct()) {
    if (is_filter(*restriction, position)) return true;
    if (!restriction->is_slice())
      position = restriction->columns.back() - table_->partition_columns + 1;
  }
  return clustering_.any(Restriction::Kind::kContains);
}

Outcome<void> PreparedRestrictions::check_partition(bool index) {
  if (intent_.kind != StatementKind::kSelect) {
    if (token_)
      return invalid(
          fmt::format("The token function cannot be used in WHERE clauses for {} statements",
                      kind_name(intent_.kind)));
    if (partition_missing()) {
      std::vector<int> missing;
      for (int i = 0; i < table_->partition_columns; ++i)
        if (partition_.of(i) == nullptr) missing.push_back(i);
      return invalid("Some partition key parts are missing: " + names_of(*table_, missing));
    }
    if (partition_.any(Restriction::Kind::kSlice))
      return invalid(fmt::format(
          "Only EQ and IN relation are supported on the partition key (unless you use the "
          "token() function) for {} statements",
          kind_name(intent_.kind)));
    return {};
  }
  if (on_token()) key_range_ = true;
  if (partition_.empty() && partition_missing()) {
    key_range_ = true;
    uses_index_ = index;
  }
  if (partition_needs_filtering()) {
    if (!intent_.allow_filtering && !intent_.for_view && !index && must_allow_filtering())
      return invalid(std::string(kNeedsFiltering));
    key_range_ = true;
    uses_index_ = index;
  }
  return {};
}

Outcome<void> PreparedRestrictions::check_clustering(bool index) {
  const bool slices_allowed =
      intent_.kind == StatementKind::kSelect || intent_.kind == StatementKind::kDelete;
  if (!slices_allowed && clustering_.any(Restriction::Kind::kSlice))
    return invalid(fmt::format(
        "Slice restrictions are not supported on the clustering columns in {} statements",
        kind_name(intent_.kind)));
  // A row of a COMPACT STORAGE table may leave the last clustering columns out.
  if (!slices_allowed && (!table_->compact || clustering_.empty())) {
    if (!intent_.only_static && clustering_.size() != table_->clustering_columns) {
      std::vector<int> missing;
      for (int i = table_->partition_columns; i < table_->key_columns(); ++i)
        if (clustering_.of(i) == nullptr) missing.push_back(i);
      return invalid("Some clustering keys are missing: " + names_of(*table_, missing));
    }
    return {};
  }
  if (clustering_.any(Restriction::Kind::kContains) && !index && !intent_.allow_filtering)
    return invalid(
        "Clustering columns can only be restricted with CONTAINS with a secondary index or "
        "filtering");
  if (clustering_.empty() || !clustering_needs_filtering()) return {};
  if (index || intent_.for_view) {
    uses_index_ = true;
  } else if (!intent_.allow_filtering) {
    int expected = table_->partition_columns;
    for (const auto& [place, restriction] : clustering_.by_column()) {
      if (place != expected)
        return invalid(
            fmt::format("PRIMARY KEY column \"{}\" cannot be restricted as preceding column \"{}\" "
                        "is not restricted",
                        table_->columns[static_cast<std::size_t>(place)].name,
                        table_->columns[static_cast<std::size_t>(expected)].name));
      ++expected;
    }
  }
  return {};
}

Outcome<void> PreparedRestrictions::check() {
  const bool select = intent_.kind == StatementKind::kSelect;
  const bool clustering_index = select && clustering_.index(*table_) != nullptr;
  const bool index = select && (clustering_index || partition_.index(*table_) != nullptr ||
                                other_.index(*table_) != nullptr);
  TRY(check_partition(index));
  filters_partition_ = uses_index_ || partition_needs_filtering();
  if (intent_.only_static && !clustering_.empty()) {
    if (intent_.kind == StatementKind::kDelete || intent_.kind == StatementKind::kUpdate)
      return invalid(fmt::format(
          "Invalid restrictions on clustering columns since the {} statement modifies only "
          "static columns",
          kind_name(intent_.kind)));
    if (select)
      return invalid("Cannot restrict clustering columns when selecting only static columns");
  }
  TRY(check_clustering(index));
  if (key_range_ && clustering_index) uses_index_ = true;
  filters_clustering_ = uses_index_ || clustering_needs_filtering();
  if (!other_.empty()) {
    if (!select) {
      std::vector<int> places;
      for (const auto& [place, restriction] : other_.by_column()) places.push_back(place);
      return invalid(fmt::format("Non PRIMARY KEY columns found in where clause: {} ",
                                 names_of(*table_, places)));
    }
    for (const auto& [place, restriction] : other_.by_column()) {
      const auto& column = table_->columns[static_cast<std::size_t>(place)];
      const bool indexed = std::ranges::find(table_->indexes, column.name,
                                             &cql_schema::Index::column) != table_->indexes.end();
      if (indexed && column.type->kind == cql_types::Kind::kVector)
        return invalid("Vector indexes only support ANN queries");
    }
    if (index) {
      uses_index_ = true;
    } else if (!intent_.allow_filtering && must_allow_filtering()) {
      return invalid(std::string(kNeedsFiltering));
    }
  }
  if (uses_index_ && key_has_in())
    return invalid(
        "Select on indexed columns and with IN clause for the PRIMARY KEY are not supported");
  return check_filtering();
}

/// One index must answer all that is asked, or storage-attached ones together.
Outcome<void> PreparedRestrictions::check_filtering() const {
  if (intent_.allow_filtering || intent_.kind != StatementKind::kSelect ||
      !must_allow_filtering() || intent_.for_view || !(key_range_ || uses_index_))
    return {};
  std::vector<const Restriction*> asked;
  for (const RestrictionSet* set : {&partition_, &clustering_, &other_}) {
    if ((set == &partition_ && !filters_partition_) ||
        (set == &clustering_ && !filters_clustering_))
      continue;
    std::ranges::copy(set->distinct(), std::back_inserter(asked));
  }
  const bool refused = asked.empty() ? !clustering_.empty() : !indexes_answer(*table_, asked);
  if (refused) return invalid(std::string(kNeedsFiltering));
  return {};
}

std::string_view kind_name(StatementKind kind) {
  switch (kind) {
    case StatementKind::kInsert:
      return "INSERT";
    case StatementKind::kUpdate:
      return "UPDATE";
    case StatementKind::kDelete:
      return "DELETE";
    case StatementKind::kSelect:
      return "SELECT";
  }
  return "";
}

Outcome<RestrictionsPtr> Restrictions::prepare(const std::vector<Relation>& relations,
                                               const TablePtr& table, const Scope& scope,
                                               const Intent& intent) {
  auto made = std::make_shared<PreparedRestrictions>(table, intent);
  for (const auto& relation : relations) TRY(made->add(relation, scope));
  TRY(made->check());
  return made;
}

}  // namespace tailrace::cql_query
