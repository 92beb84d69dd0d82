// Restrictions as relations add up to them: by column, with the checks of them all, and their
// values.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cql_query/clustering.h"
#include "cql_query/index.h"
#include "cql_query/restriction.h"
#include "cql_query/restrictions.h"

namespace tailrace::cql_query {

/// On the token of the partition key.
struct TokenRestriction {
  cql_terms::TermPtr equal;
  std::array<cql_terms::TermPtr, 2> bounds;
  std::array<bool, 2> inclusive{};
};

/// Restrictions by place of their columns; one on several columns stands at each of them.
class RestrictionSet {
 public:
  Outcome<void> add(const cql_schema::Table& table, RestrictionPtr restriction) {
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
  const cql_schema::Index* index(const cql_schema::Table& table) const {
    for (const auto& [place, restriction] : by_column_)
      if (const auto* found = supporting_index(table, *restriction)) return found;
    return nullptr;
  }

 private:
  std::map<int, RestrictionPtr> by_column_;
};

class PreparedRestrictions final : public Restrictions {
 public:
  PreparedRestrictions(cql_schema::TablePtr table, const Intent& intent)
      : table_(std::move(table)), intent_(intent) {}

  Outcome<void> add(const cql_syntax::Relation& relation, const cql_terms::Scope& scope);
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
  Outcome<std::vector<Condition>> indexed(const Bindings& bindings) const override;

 private:
  Outcome<void> add_token(const cql_syntax::Relation& relation, const cql_terms::Scope& scope);
  Outcome<void> add_clustering(const RestrictionPtr& restriction);
  Outcome<void> check_partition(bool index);
  Outcome<void> check_clustering(bool index);
  Outcome<void> check_filtering() const;

  const RestrictionSet& set_of(int place) const {
    if (place < table_->partition_columns) return partition_;
    return place < table_->key_columns() ? clustering_ : other_;
  }
  /// Tables of the virtual keyspaces are small enough to be filtered unasked.
  bool must_allow_filtering() const {
    return table_->keyspace != "system_views" && table_->keyspace != "system_virtual_schema";
  }
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

  cql_schema::TablePtr table_;
  Intent intent_;
  RestrictionSet partition_, clustering_, other_;
  std::optional<TokenRestriction> token_;
  std::set<int> not_null_;
  bool key_range_ = false, uses_index_ = false;
  /// What an index, or filtering, is asked beside columns that are no part of the key.
  bool filters_partition_ = false, filters_clustering_ = false;
};

}  // namespace tailrace::cql_query
