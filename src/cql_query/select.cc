// SELECT's rules: what may be selected, grouped and ordered; then the reading is select_rows.h's.
#include "cql_query/select.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "cql_query/select_rows.h"
#include "cql_types/type.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::ColumnSpec;
using cql_protocol::Value;
using cql_schema::Column;
using cql_schema::ColumnKind;
using cql_schema::Table;
using cql_schema::TablePtr;
using cql_syntax::Expression;
using cql_terms::Scope;
using cql_terms::TermPtr;
using cql_types::invalid;

std::string full_name(const Table& table) {
  return cql_types::quoted_if_needed(table.keyspace) + "." +
         cql_types::quoted_if_needed(table.name);
}

/// Every column that an expression names.
void collect_columns(const Expression& expression, std::vector<std::string>& names) {
  if (expression.kind == Expression::Kind::kColumn) names.push_back(expression.text);
  for (const auto& item : expression.items) collect_columns(item, names);
}

/// Static columns are selected, and nothing but them and the partition key.
bool selects_only_static(const cql_syntax::Select& statement, const Table& table) {
  if (!table.has_static() || statement.selectors.empty()) return false;
  std::vector<std::string> names;
  for (const auto& selector : statement.selectors) collect_columns(selector.expression, names);
  bool any = false;
  for (const auto& name : names) {
    const int place = table.find(name);
    if (place < 0) continue;
    const ColumnKind kind = table.columns[static_cast<std::size_t>(place)].kind;
    if (kind != ColumnKind::kPartitionKey && kind != ColumnKind::kStatic) return false;
    any |= kind == ColumnKind::kStatic;
  }
  return any;
}

class Prepared final : public Select {
 public:
  explicit Prepared(TablePtr table) { plan_.table = std::move(table); }

  Outcome<void> prepare(const cql_syntax::Select& statement, const Scope& scope) {
    const Table& table = *plan_.table;
    ASSIGN(const auto orderings, ordering_columns(statement, scope));
    Restrictions::Intent intent;
    intent.only_static = selects_only_static(statement, table);
    intent.allow_filtering = statement.allow_filtering || plan_.nearest;
    ASSIGN(plan_.restrictions, Restrictions::prepare(statement.where, plan_.table, scope, intent));
    const Restrictions& restrictions = *plan_.restrictions;
    if (plan_.nearest) TRY(check_nearest());
    ASSIGN(plan_.selection, cql_terms::select(statement, table, scope));
    plan_.distinct = statement.distinct;
    if (statement.distinct) {
      if (statement.per_partition_limit)
        return invalid("PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries");
      if (restrictions.has_clustering() || restricts_regular() || plan_.nearest)
        return invalid(
            "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or "
            "static "
            "columns.");
      TRY(cql_terms::check_distinct(*plan_.selection, table, restrictions.is_key_range()));
    }
    TRY(prepare_groups(statement, scope));
    if (plan_.groups == SelectPlan::Groups::kOne && statement.per_partition_limit)
      return invalid("PER PARTITION LIMIT is not allowed with aggregate queries.");
    TRY(prepare_order(orderings));
    ASSIGN(limit_, prepare_limit(statement.limit, "[limit]", scope));
    ASSIGN(per_partition_limit_,
           prepare_limit(statement.per_partition_limit, "[per_partition_limit]", scope));
    plan_.static_alone =
        table.has_static() && !restrictions.has_clustering() && !restricts_regular();
    return {};
  }

  const TablePtr& table() const override { return plan_.table; }
  const std::shared_ptr<const std::vector<ColumnSpec>>& columns() const override {
    return plan_.selection->columns();
  }
  bool is_quick() const override {
    return !plan_.restrictions->is_key_range() && !plan_.restrictions->has_non_key() &&
           (!plan_.restrictions->is_column_range() || plan_.groups == SelectPlan::Groups::kNone);
  }

  bool sorts() const override { return !plan_.order.empty(); }

  Outcome<cql_protocol::Answer> run(const Source& source, const Bindings& bindings,
                                    std::int64_t now_seconds, const Page& page) const override {
    Limits limits;
    ASSIGN(limits.rows, bind_limit(limit_, bindings));
    ASSIGN(limits.per_partition, bind_limit(per_partition_limit_, bindings));
    if (page.size && *page.size > 0) limits.page = *page.size;
    std::vector<std::string> warnings;
    if (plan_.nearest) TRY(limit_nearest(limits, warnings));
    if (limits.page && !plan_.order.empty())
      return invalid(
          "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you "
          "must "
          "either remove the ORDER BY or the IN and sort client side, or disable paging for this "
          "query");
    ASSIGN(auto answer, select_rows(plan_, source, bindings, now_seconds, limits,
                                    plan_.nearest ? std::nullopt : page.state));
    answer.warnings = std::move(warnings);
    if (plan_.groups != SelectPlan::Groups::kNone) {
      if (!plan_.restrictions->has_partition_key())
        answer.warnings.emplace_back("Aggregation query used without partition key");
      else if (plan_.restrictions->key_has_in())
        answer.warnings.emplace_back(
            "Aggregation query used on multiple partition keys (IN restriction)");
    }
    return answer;
  }

 private:
  struct Ordered {
    int place = 0;
    bool descending = false;
  };

  bool restricts_regular() const {
    for (std::size_t i = 0; i < plan_.table->columns.size(); ++i)
      if (plan_.table->columns[i].kind == ColumnKind::kRegular &&
          plan_.restrictions->is_restricted(static_cast<int>(i)))
        return true;
    return false;
  }

  Outcome<std::vector<Ordered>> ordering_columns(const cql_syntax::Select& statement,
                                                 const Scope& scope) {
    std::vector<Ordered> all;
    for (const auto& ordering : statement.order_by) {
      const int place = plan_.table->find(ordering.column);
      if (place < 0)
        return invalid(fmt::format("Undefined column name {} in table {}",
                                   cql_types::quoted_if_needed(ordering.column),
                                   full_name(*plan_.table)));
      if (ordering.ann_of) {
        const auto& column = plan_.table->columns[static_cast<std::size_t>(place)];
        if (plan_.nearest) return invalid("Cannot specify more than one ANN ordering");
        plan_.nearest.emplace().column = place;
        ASSIGN(plan_.nearest->vector,
               cql_terms::prepare(
                   *ordering.ann_of,
                   {plan_.table->keyspace, plan_.table->name, column.name, column.type}, scope));
        if (statement.order_by.size() > 1)
          return invalid("ANN ordering does not support any other ordering");
        if (ordering.descending) return invalid("Descending ANN ordering is not supported");
        continue;
      }
      // A column given twice counts where it stood first, as it was given last.
      const auto same = std::ranges::find(all, place, &Ordered::place);
      if (same != all.end()) {
        same->descending = ordering.descending;
      } else {
        all.push_back({place, ordering.descending});
      }
    }
    return all;
  }

  /// What else is asked of the rows must be indexed, or part of the key.
  Outcome<void> check_nearest() {
    const Table& table = *plan_.table;
    const auto indexed = [&](const Column& column) {
      return std::ranges::find(table.indexes, column.name, &cql_schema::Index::column);
    };
    const auto& column = table.columns[static_cast<std::size_t>(plan_.nearest->column)];
    if (column.type->kind != cql_types::Kind::kVector ||
        column.type->parameters[0]->kind != cql_types::Kind::kFloat)
      return invalid("ANN ordering is only supported on float vector indexes");
    const auto index = indexed(column);
    if (index == table.indexes.end())
      return invalid("ANN ordering by vector requires the column to be indexed");
    plan_.nearest->similarity = similarity_of(*index);
    if (plan_.restrictions->key_has_in())
      return invalid(
          "Select on indexed columns and with IN clause for the PRIMARY KEY are not supported");
    const bool in_partitions = !plan_.restrictions->is_key_range();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Column& other = table.columns[i];
      if (!plan_.restrictions->is_restricted(static_cast<int>(i)) ||
          indexed(other) != table.indexes.end())
        continue;
      const bool in_key =
          other.kind == ColumnKind::kPartitionKey || other.kind == ColumnKind::kClustering;
      if (!in_key || !in_partitions)
        return invalid("ANN ordering by vector requires all restricted column(s) to be indexed");
    }
    return {};
  }

  /// Such a query is answered at once.
  Outcome<void> limit_nearest(Limits& limits, std::vector<std::string>& warnings) const {
    if (plan_.groups != SelectPlan::Groups::kNone)
      return invalid("Top-K queries can not be run with aggregation");
    if (limits.rows == std::numeric_limits<std::int32_t>::max())
      return invalid(
          "Top-K queries must have a limit specified and the limit must be less than the query "
          "page "
          "size");
    if (limits.per_partition != std::numeric_limits<std::int32_t>::max())
      return invalid("Top-K queries do not support per-partition limits");
    if (limits.page && *limits.page < limits.rows)
      warnings.push_back(fmt::format(
          "Top-K queries do not support paging and the page size is set to {0}, which is less than "
          "LIMIT {1}. The page size has been set to {1} to match the LIMIT.",
          *limits.page, limits.rows));
    limits.page.reset();
    return {};
  }

  Outcome<void> prepare_groups(const cql_syntax::Select& statement, const Scope& scope) {
    using Groups = SelectPlan::Groups;
    const Table& table = *plan_.table;
    if (statement.group_by.empty()) {
      if (plan_.selection->has_aggregates()) plan_.groups = Groups::kOne;
      return {};
    }
    plan_.groups = Groups::kKeys;
    constexpr std::string_view kOrder =
        "Group by currently only support groups of columns following their declared order in the "
        "PRIMARY "
        "KEY";
    int next = 0;
    for (const auto& expression : statement.group_by) {
      ASSIGN(auto group, cql_terms::group_by(expression, table, scope));
      const int place = group->fetched().front().column;
      const bool function = !group->plain();
      if (!function && place >= table.key_columns())
        return invalid(fmt::format(
            "Group by is currently only supported on the columns of the PRIMARY KEY, got {}",
            table.columns[static_cast<std::size_t>(place)].name));
      if (!function && plan_.group_function)
        return invalid("Functions are only supported on the last element of the GROUP BY clause");
      if (function) plan_.group_function = std::move(group);
      for (;; ++next) {
        if (next >= table.key_columns()) return invalid(std::string(kOrder));
        if (next == place) break;
        if (!plan_.restrictions->is_equal(next)) return invalid(std::string(kOrder));
      }
      ++next;
    }
    if (next < table.partition_columns)
      return invalid("Group by is not supported on only a part of the partition key");
    plan_.group_columns = next - table.partition_columns;
    if (plan_.group_columns > 0 && statement.distinct)
      return invalid("Grouping on clustering columns is not allowed for SELECT DISTINCT queries");
    return {};
  }

  Outcome<void> prepare_order(const std::vector<Ordered>& orderings) {
    if (orderings.empty()) return {};
    const Table& table = *plan_.table;
    const Restrictions& restrictions = *plan_.restrictions;
    if (restrictions.uses_index())
      return invalid("ORDER BY with 2ndary indexes is not supported, except for ANN queries.");
    if (restrictions.is_key_range())
      return invalid(
          "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.");
    int position = 0;
    std::optional<bool> backwards;
    bool mixed = false;
    for (const Ordered& ordered : orderings) {
      const Column& column = table.columns[static_cast<std::size_t>(ordered.place)];
      if (column.kind != ColumnKind::kClustering)
        return invalid(fmt::format(
            "Order by is currently only supported on the clustered columns of the PRIMARY "
            "KEY, got {}",
            column.name));
      for (; position != column.position; ++position)
        if (position >= table.clustering_columns ||
            !restrictions.is_equal(table.partition_columns + position))
          return invalid(
              "Order by currently only supports the ordering of columns following their declared "
              "order in "
              "the PRIMARY KEY");
      ++position;
      const bool reversed = ordered.descending != column.descending;
      if (!backwards) backwards = reversed;
      mixed |= *backwards != reversed;
    }
    if (mixed) return invalid("Unsupported order by relation");
    plan_.backwards = *backwards;
    if (restrictions.key_has_in())
      for (const Ordered& ordered : orderings) plan_.order.push_back(ordered.place);
    return {};
  }

  Outcome<TermPtr> prepare_limit(const std::optional<Expression>& limit, std::string name,
                                 const Scope& scope) const {
    if (!limit) return nullptr;
    return cql_terms::prepare(*limit,
                              {plan_.table->keyspace, plan_.table->name, std::move(name),
                               cql_types::native_type(cql_types::Kind::kInt)},
                              scope);
  }

  static Outcome<std::int32_t> bind_limit(const TermPtr& limit, const Bindings& bindings) {
    constexpr std::int32_t kNone = std::numeric_limits<std::int32_t>::max();
    if (!limit) return kNone;
    ASSIGN(const Value value, limit->bind(bindings));
    if (value.is_unset()) return kNone;
    if (value.is_null()) return invalid("Invalid null value of limit");
    if (value.bytes.size() != 4) return invalid("Invalid limit value");
    const auto bound = load_be<std::int32_t>(value.bytes.data());
    if (bound <= 0) return invalid("LIMIT must be strictly positive");
    return bound;
  }

  SelectPlan plan_;
  TermPtr limit_, per_partition_limit_;
};

}  // namespace

Outcome<SelectPtr> Select::prepare(const cql_syntax::Select& statement, const TablePtr& table,
                                   const Scope& scope) {
  auto made = std::make_shared<Prepared>(table);
  TRY(made->prepare(statement, scope));
  return made;
}

}  // namespace tailrace::cql_query
