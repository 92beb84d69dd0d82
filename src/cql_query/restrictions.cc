// WHERE as a whole: which restrictions there are on which columns, and what they come to.
#include "cql_query/restrictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/bytes.h"
#include "cql_query/clustering.h"
#include "cql_query/index.h"
#include "cql_query/restriction.h"
#include "cql_types/compare.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::ColumnSpec;
using cql_protocol::Value;
using cql_schema::Column;
using cql_schema::ColumnKind;
using cql_schema::Table;
using cql_schema::TablePtr;
using cql_syntax::Operator;
using cql_syntax::Relation;
using cql_terms::Scope;
using cql_terms::TermPtr;
using cql_types::invalid;

constexpr std::string_view kNeedsFiltering =
    "Cannot execute this query as it might involve data filtering and thus may have unpredictable "
    "performance. If you want to execute this query despite the performance unpredictability, use "
    "ALLOW "
    "FILTERING";

/// On the token of the partition key.
struct TokenRestriction {
  TermPtr equal;
  std::array<TermPtr, 2> bounds;
  std::array<bool, 2> inclusive{};
};

/// Restrictions by place of their columns; one on several columns stands at each of them.
class Set {
 public:
  Outcome<void> add(const Table& table, RestrictionPtr restriction) {
    // What is merged is said of the columns of both.
    std::vector<RestrictionPtr> there;
    for (const int place : restriction->columns) {
      const auto found = by_column_.find(place);
      if (found != by_column_.end() && std::ranges::find(there, found->second) == there.end())
        there.push_back(found->second);
    }
    const auto columns = restriction->columns;
    for (const auto& existing : there) {
      ASSIGN(auto both, merged(table, existing, restriction));
      for (const int place : columns) by_column_[place] = both;
    }
    if (there.empty())
      for (const int place : columns) by_column_[place] = restriction;
    return {};
  }

  bool empty() const { return by_column_.empty(); }
  int size() const { return static_cast<int>(by_column_.size()); }
  const std::map<int, RestrictionPtr>& by_column() const { return by_column_; }
  const Restriction* of(int place) const {
    const auto found = by_column_.find(place);
    return found == by_column_.end() ? nullptr : found->second.get();
  }
  const Restriction* last() const { return empty() ? nullptr : by_column_.rbegin()->second.get(); }
  int after(int place) const { return by_column_.upper_bound(place)->first; }

  /// Each once, by column.
  std::vector<const Restriction*> distinct() const {
    std::vector<const Restriction*> all;
    for (const auto& [place, restriction] : by_column_)
      if (all.empty() || all.back() != restriction.get()) all.push_back(restriction.get());
    return all;
  }
  bool any(Restriction::Kind kind) const {
    return std::ranges::any_of(by_column_, [&](const auto& r) { return r.second->kind == kind; });
  }
  bool only_equalities() const {
    return std::ranges::all_of(by_column_, [](const auto& r) {
      return r.second->kind == Restriction::Kind::kEqual ||
             r.second->kind == Restriction::Kind::kIn;
    });
  }
  const cql_schema::Index* index(const Table& table) const {
    for (const auto& [place, restriction] : by_column_)
      if (const auto* found = supporting_index(table, *restriction)) return found;
    return nullptr;
  }

 private:
  std::map<int, RestrictionPtr> by_column_;
};

std::string names_of(const Table& table, const std::vector<int>& places) {
  std::vector<std::string> names;
  for (const int place : places)
    names.push_back(
        cql_types::quoted_if_needed(table.columns[static_cast<std::size_t>(place)].name));
  return fmt::format("{}", fmt::join(names, ", "));
}

class Prepared final : public Restrictions {
 public:
  Prepared(TablePtr table, const Intent& intent) : table_(std::move(table)), intent_(intent) {}

  Outcome<void> add(const Relation& relation, const Scope& scope);
  Outcome<void> check();

  bool is_key_range() const override { return key_range_; }
  bool uses_index() const override { return uses_index_; }
  bool key_has_in() const override { return !on_token() && partition_.any(Restriction::Kind::kIn); }
  bool clustering_has_in() const override { return clustering_.any(Restriction::Kind::kIn); }
  bool has_partition_key() const override { return !partition_.empty() || token_; }
  bool has_clustering() const override { return !clustering_.empty(); }
  bool has_non_key() const override { return !other_.empty(); }
  bool all_clustering_equal() const override {
    return clustering_.size() == table_->clustering_columns &&
           std::ranges::all_of(clustering_.by_column(), [](const auto& r) {
             return r.second->kind == Restriction::Kind::kEqual;
           });
  }
  bool is_column_range() const override {
    return clustering_.size() < table_->clustering_columns || !clustering_.only_equalities();
  }
  bool is_equal(int column) const override {
    const Restriction* r = set_of(column).of(column);
    return r != nullptr && r->kind == Restriction::Kind::kEqual;
  }
  bool is_restricted(int column) const override {
    return not_null_.contains(column) || set_of(column).of(column) != nullptr;
  }
  bool has_slice_on_clustering() const override {
    return clustering_.any(Restriction::Kind::kSlice);
  }

  Outcome<std::vector<Key>> keys(const Bindings& bindings) const override;
  Outcome<TokenRange> tokens(const Bindings& bindings) const override;
  Outcome<std::vector<Clustering>> clusterings(const Bindings& bindings) const override;
  Outcome<Slices> slices(const Bindings& bindings) const override;
  Outcome<std::vector<Condition>> filter(const Bindings& bindings) const override;

 private:
  Outcome<void> add_token(const Relation& relation, const Scope& scope);
  Outcome<void> add_clustering(const RestrictionPtr& restriction);
  Outcome<void> check_partition(bool index);
  Outcome<void> check_clustering(bool index);
  Outcome<void> check_filtering() const;

  const Set& set_of(int place) const {
    if (place < table_->partition_columns) return partition_;
    return place < table_->key_columns() ? clustering_ : other_;
  }
  bool must_allow_filtering() const { return !table_->virtual_table; }
  bool partition_missing() const {
    return !(token_ && partition_.empty()) && partition_.size() < table_->partition_columns;
  }
  bool partition_needs_filtering() const {
    if (partition_.empty()) return false;
    return partition_.size() < table_->partition_columns ||
           partition_.any(Restriction::Kind::kSlice) ||
           partition_.any(Restriction::Kind::kContains);
  }
  /// The token alone says what is read.
  bool on_token() const {
    return token_ && (partition_needs_filtering() || partition_.size() < table_->partition_columns);
  }
  /// Of a clustering restriction: it follows a column that is not restricted, or is no bound.
  bool is_filter(const Restriction& restriction, int position) const {
    return restriction.kind == Restriction::Kind::kContains ||
           restriction.kind == Restriction::Kind::kLike ||
           position != restriction.first() - table_->partition_columns;
  }
  bool clustering_needs_filtering() const;

  Outcome<std::vector<std::vector<std::string>>> product(
      const std::vector<const Restriction*>& restrictions, const Bindings& bindings) const;
  Outcome<void> add_conditions(const Restriction& restriction, const Bindings& bindings,
                               std::vector<Condition>& all) const;
  Outcome<Slices> slices_after(std::string_view prefix, const Restriction& restriction,
                               const Bindings& bindings) const;

  TablePtr table_;
  Intent intent_;
  Set partition_, clustering_, other_;
  std::optional<TokenRestriction> token_;
  std::set<int> not_null_;
  bool key_range_ = false, uses_index_ = false;
};

// Relations, one by one.

Outcome<void> Prepared::add_token(const Relation& relation, const Scope& scope) {
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

Outcome<void> Prepared::add(const Relation& relation, const Scope& scope) {
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

Outcome<void> Prepared::add_clustering(const RestrictionPtr& restriction) {
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

bool Prepared::clustering_needs_filtering() const {
  int position = 0;
  for (const Restriction* restriction : clustering_.distinct()) {
    if (is_filter(*restriction, position)) return true;
    if (!restriction->is_slice())
      position = restriction->columns.back() - table_->partition_columns + 1;
  }
  return clustering_.any(Restriction::Kind::kContains);
}

Outcome<void> Prepared::check_partition(bool index) {
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

Outcome<void> Prepared::check_clustering(bool index) {
  const bool slices_allowed =
      intent_.kind == StatementKind::kSelect || intent_.kind == StatementKind::kDelete;
  if (!slices_allowed) {
    if (clustering_.any(Restriction::Kind::kSlice))
      return invalid(fmt::format(
          "Slice restrictions are not supported on the clustering columns in {} statements",
          kind_name(intent_.kind)));
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

Outcome<void> Prepared::check() {
  const bool select = intent_.kind == StatementKind::kSelect;
  const bool clustering_index = select && clustering_.index(*table_) != nullptr;
  const bool index = select && (clustering_index || partition_.index(*table_) != nullptr ||
                                other_.index(*table_) != nullptr);
  TRY(check_partition(index));
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
  if (!other_.empty()) {
    if (!select) {
      std::vector<int> places;
      for (const auto& [place, restriction] : other_.by_column()) places.push_back(place);
      return invalid(fmt::format("Non PRIMARY KEY columns found in where clause: {} ",
                                 names_of(*table_, places)));
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

/// An index answers one relation; more of them are filtering.
Outcome<void> Prepared::check_filtering() const {
  if (intent_.allow_filtering || intent_.kind != StatementKind::kSelect ||
      !must_allow_filtering() || intent_.for_view || !(key_range_ || uses_index_))
    return {};
  int filtered = 0;
  for (const Set* set : {&partition_, &clustering_, &other_}) {
    if (set == &partition_ && !uses_index_ && !partition_needs_filtering()) continue;
    if (set == &clustering_ && !uses_index_ && !clustering_needs_filtering()) continue;
    for (const Restriction* restriction : set->distinct()) {
      const bool supported = supporting_index(*table_, *restriction) != nullptr;
      const auto parts =
          restriction->contained.size() + restriction->keys.size() + restriction->entries.size();
      if (!supported || parts > 1) return invalid(std::string(kNeedsFiltering));
      ++filtered;
    }
  }
  if (filtered > 1 || (filtered == 0 && !clustering_.empty()))
    return invalid(std::string(kNeedsFiltering));
  return {};
}

// Values.

Outcome<void> no_nulls(const Table& table, const Restriction& restriction,
                       const Elements& elements) {
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto& name = table.columns[static_cast<std::size_t>(restriction.columns[i])].name;
    if (elements[i].is_null())
      return invalid((restriction.multi && restriction.kind == Restriction::Kind::kEqual
                          ? "Invalid null value for column "
                          : "Invalid null value in condition for column ") +
                     name);
    if (elements[i].is_unset()) return invalid("Invalid unset value for column " + name);
  }
  return {};
}

Outcome<std::vector<std::vector<std::string>>> Prepared::product(
    const std::vector<const Restriction*>& restrictions, const Bindings& bindings) const {
  std::vector<std::vector<std::string>> all(1);
  for (const Restriction* restriction : restrictions) {
    ASSIGN(const auto values, bind_values(*table_, *restriction, bindings));
    std::vector<std::vector<std::string>> longer;
    for (const auto& elements : values) TRY(no_nulls(*table_, *restriction, elements));
    for (const auto& prefix : all) {
      for (const auto& elements : values) {
        longer.push_back(prefix);
        for (const Value& element : elements) longer.back().emplace_back(element.bytes);
      }
    }
    all = std::move(longer);
  }
  return all;
}

Outcome<Key> key_of(std::span<const std::string_view> values) {
  Key key;
  if (values.size() == 1) {
    key.bytes = values.front();
  } else {
    ASSIGN(key.bytes, cql_types::partition_key(values));
  }
  if (key.bytes.empty()) return invalid("Key may not be empty");
  if (key.bytes.size() > cql_types::kMaxKey)
    return invalid(fmt::format("Key length of {} is longer than maximum of {}", key.bytes.size(),
                               cql_types::kMaxKey));
  key.token = cql_types::murmur3_token(key.bytes);
  return key;
}

Outcome<std::vector<Key>> Prepared::keys(const Bindings& bindings) const {
  ASSIGN(auto all, product(partition_.distinct(), bindings));
  if (all.size() > 1) {
    const auto less = [&](const std::vector<std::string>& a, const std::vector<std::string>& b) {
      for (std::size_t i = 0; i < a.size(); ++i) {
        const auto order =
            cql_types::compare(*table_->partition_column(static_cast<int>(i)).type, a[i], b[i]);
        if (order != 0) return order < 0;
      }
      return false;
    };
    std::ranges::sort(all, less);
    const auto same = std::ranges::unique(
        all, [&](const auto& a, const auto& b) { return !less(a, b) && !less(b, a); });
    all.erase(same.begin(), same.end());
  }
  std::vector<Key> keys;
  std::vector<std::string_view> views;
  for (const auto& values : all) {
    views.assign(values.begin(), values.end());
    ASSIGN(auto key, key_of(views));
    keys.push_back(std::move(key));
  }
  if (token_) {
    ASSIGN(const auto range, tokens(bindings));
    std::erase_if(keys, [&](const Key& key) {
      return range.empty || key.token < range.first || key.token > range.last;
    });
  }
  return keys;
}

Outcome<TokenRange> Prepared::tokens(const Bindings& bindings) const {
  TokenRange range;
  if (!token_) return range;
  constexpr std::int64_t kSmallest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  const auto bound = [&](const TermPtr& term) -> Outcome<std::int64_t> {
    ASSIGN(const Value value, term->bind(bindings));
    if (value.kind != Value::Kind::kBytes || value.bytes.size() != 8)
      return invalid("Invalid null token value");
    return load_be<std::int64_t>(value.bytes.data());
  };
  std::int64_t start = kSmallest, end = kSmallest;  // the smallest: no bound
  std::array<bool, 2> inclusive = token_->inclusive;
  if (token_->equal) {
    ASSIGN(start, bound(token_->equal));
    end = start;
    inclusive = {true, true};
  } else {
    if (token_->bounds[0]) {
      ASSIGN(start, bound(token_->bounds[0]));
    }
    if (token_->bounds[1]) {
      ASSIGN(end, bound(token_->bounds[1]));
    }
  }
  if (start != kSmallest && end != kSmallest &&
      (start > end || (start == end && !(inclusive[0] && inclusive[1])))) {
    range.empty = true;
    return range;
  }
  if (start != kSmallest && !inclusive[0]) {
    range.empty = start == kLargest;
    range.first = range.empty ? start : start + 1;
  } else {
    range.first = start;
  }
  if (end != kSmallest) range.last = inclusive[1] ? end : end - 1;
  return range;
}

Outcome<std::vector<Clustering>> Prepared::clusterings(const Bindings& bindings) const {
  ASSIGN(const auto all, product(clustering_.distinct(), bindings));
  std::vector<Clustering> made;
  std::vector<std::string_view> views;
  for (const auto& values : all) {
    views.assign(values.begin(), values.end());
    if (views.size() < static_cast<std::size_t>(table_->clustering_columns)) return made;
    ASSIGN(auto clustering, encode_clustering(*table_, views));
    made.push_back(std::move(clustering));
  }
  std::ranges::sort(made, {}, &Clustering::key);
  const auto same = std::ranges::unique(made, {}, &Clustering::key);
  made.erase(same.begin(), same.end());
  return made;
}

Outcome<Slices> Prepared::slices_after(std::string_view prefix, const Restriction& restriction,
                                       const Bindings& bindings) const {
  std::vector<const Column*> columns;
  for (const int place : restriction.columns)
    columns.push_back(&table_->columns[static_cast<std::size_t>(place)]);
  Slices slices{slice_of_prefix(prefix)};
  for (const std::size_t side : {0U, 1U}) {
    if (!restriction.bounds[side]) continue;
    ASSIGN(const auto elements,
           bind_operand(*table_, restriction, *restriction.bounds[side], bindings));
    BoundValues bound{{}, restriction.inclusive[side], side == 0};
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (elements[i].is_unset())
        return invalid("Invalid unset value for column " + columns[i]->name);
      if (elements[i].is_null())
        return invalid("Invalid null value in condition for column " + columns[i]->name);
      bound.values.emplace_back(elements[i].bytes);
    }
    ASSIGN(const auto left, slices_of_bound(prefix, columns, bound));
    slices = intersection(slices, left);
  }
  return slices;
}

Outcome<Slices> Prepared::slices(const Bindings& bindings) const {
  std::vector<const Restriction*> equal;
  const Restriction* slice = nullptr;
  int position = 0;
  for (const Restriction* restriction : clustering_.distinct()) {
    if (is_filter(*restriction, position)) break;
    if (restriction->is_slice()) {
      slice = restriction;
      break;
    }
    equal.push_back(restriction);
    position = restriction->columns.back() - table_->partition_columns + 1;
  }
  ASSIGN(const auto prefixes, product(equal, bindings));
  Slices all;
  for (const auto& values : prefixes) {
    std::string prefix;
    for (std::size_t i = 0; i < values.size(); ++i)
      TRY(append_clustering_key(prefix, table_->clustering_column(static_cast<int>(i)), values[i]));
    if (slice == nullptr) {
      all.push_back(slice_of_prefix(prefix));
      continue;
    }
    ASSIGN(auto some, slices_after(prefix, *slice, bindings));
    std::ranges::move(some, std::back_inserter(all));
  }
  return normalised(std::move(all));
}

Outcome<void> Prepared::add_conditions(const Restriction& restriction, const Bindings& bindings,
                                       std::vector<Condition>& all) const {
  const int place = restriction.first();
  const auto& name = table_->columns[static_cast<std::size_t>(place)].name;
  const auto checked = [&](const Value& value) -> Outcome<std::string> {
    if (value.is_null()) return invalid("Unsupported null value for column " + name);
    if (value.is_unset()) return invalid("Unsupported unset value for column " + name);
    return std::string(value.bytes);
  };
  const auto add = [&](Operator op, const TermPtr& term, const TermPtr& element) -> Outcome<void> {
    ASSIGN(const Value value, term->bind(bindings));
    Condition made{place, op, {}, {}, {}};
    ASSIGN(made.value, checked(value));
    if (element) {
      ASSIGN(const Value key, element->bind(bindings));
      ASSIGN(made.element, checked(key));
    }
    all.push_back(std::move(made));
    return {};
  };
  if (restriction.kind == Restriction::Kind::kContains) {
    for (const auto& term : restriction.contained) TRY(add(Operator::kContains, term, nullptr));
    for (const auto& term : restriction.keys) TRY(add(Operator::kContainsKey, term, nullptr));
    for (const auto& [key, value] : restriction.entries) TRY(add(Operator::kEqual, value, key));
    return {};
  }
  if (restriction.is_slice()) {
    if (restriction.multi)
      return invalid("Multi-column slice restrictions cannot be used for filtering.");
    for (const std::size_t side : {0U, 1U}) {
      if (!restriction.bounds[side]) continue;
      const bool with = restriction.inclusive[side];
      const Operator op = side == 0 ? (with ? Operator::kMoreEqual : Operator::kMore)
                                    : (with ? Operator::kLessEqual : Operator::kLess);
      TRY(add(op, restriction.bounds[side]->term, nullptr));
    }
    return {};
  }
  if (restriction.multi && restriction.kind == Restriction::Kind::kIn &&
      restriction.columns.size() > 1)
    return invalid("Multicolumn IN filters are not supported");
  ASSIGN(const auto values, bind_values(*table_, restriction, bindings));
  if (restriction.kind == Restriction::Kind::kIn) {
    Condition made{place, Operator::kIn, {}, {}, {}};
    for (const auto& elements : values)
      if (!elements.front().is_null()) made.values.emplace_back(elements.front().bytes);
    all.push_back(std::move(made));
    return {};
  }
  for (std::size_t i = 0; i < restriction.columns.size(); ++i) {
    Condition made{restriction.columns[i], Operator::kEqual, {}, {}, {}};
    ASSIGN(made.value, checked(values.front()[i]));
    all.push_back(std::move(made));
  }
  return {};
}

Outcome<std::vector<Condition>> Prepared::filter(const Bindings& bindings) const {
  std::vector<Condition> all;
  if (partition_needs_filtering() || (key_range_ && !partition_.empty()))
    for (const Restriction* restriction : partition_.distinct())
      TRY(add_conditions(*restriction, bindings, all));
  int position = 0;
  bool sliced = false;
  for (const Restriction* restriction : clustering_.distinct()) {
    if (sliced || is_filter(*restriction, position)) {
      TRY(add_conditions(*restriction, bindings, all));
      continue;
    }
    sliced = restriction->is_slice();
    if (!sliced) position = restriction->columns.back() - table_->partition_columns + 1;
  }
  for (const Restriction* restriction : other_.distinct())
    TRY(add_conditions(*restriction, bindings, all));
  return all;
}

}  // namespace

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
  auto made = std::make_shared<Prepared>(table, intent);
  for (const auto& relation : relations) TRY(made->add(relation, scope));
  TRY(made->check());
  return made;
}

}  // namespace tailrace::cql_query
