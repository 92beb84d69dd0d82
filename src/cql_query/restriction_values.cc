// What restrictions come to with values bound: keys, tokens, clusterings, slices, conditions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/bytes.h"
#include "cql_query/clustering.h"
#include "cql_query/prepared_restrictions.h"
#include "cql_types/compare.h"
#include "cql_types/token.h"

namespace tailrace::cql_query {

using cql_protocol::Value;
using cql_schema::Column;
using cql_schema::Table;
using cql_syntax::Operator;
using cql_terms::TermPtr;
using cql_types::invalid;

namespace {

Outcome<void> no_nulls(const Table& table, const Restriction& restriction,
                       const Elements& elements) {
  const auto name_of = [&](int column) -> const std::string& {
    return table.columns[static_cast<std::size_t>(column)].name;
  };
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto& name = name_of(restriction.columns[i]);
    if (elements[i].is_unset()) return invalid("Invalid unset value for column " + name);
    if (!elements[i].is_null()) continue;
    if (!restriction.multi) return invalid("Invalid null value in condition for column " + name);
    if (restriction.kind == Restriction::Kind::kEqual)
      return invalid("Invalid null value for column " + name);
    std::vector<std::string> names;
    for (const int column : restriction.columns) names.push_back(name_of(column));
    return invalid(
        fmt::format("Invalid null value in condition for columns: [{}]", fmt::join(names, ", ")));
  }
  return {};
}

}  // namespace

Outcome<std::vector<std::vector<std::string>>> PreparedRestrictions::product(
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

namespace {

std::string key_too_long(std::size_t size) {
  return fmt::format("Key length of {} is longer than maximum of {}", size, cql_types::kMaxKey);
}

/// No row has clustering columns that are longer together than cql_types::kMaxKey.
std::size_t size_of(const std::vector<std::string>& values) {
  std::size_t size = 0;
  for (const auto& value : values) size += value.size();
  return size;
}

Outcome<Key> key_of(std::span<const std::string_view> values) {
  Key key;
  if (values.size() == 1) {
    key.bytes = values.front();
  } else {
    ASSIGN(key.bytes, cql_types::partition_key(values));
  }
  if (key.bytes.empty()) return invalid("Key may not be empty");
  if (key.bytes.size() > cql_types::kMaxKey) return invalid(key_too_long(key.bytes.size()));
  key.token = cql_types::murmur3_token(key.bytes);
  return key;
}

}  // namespace

Outcome<std::vector<Key>> PreparedRestrictions::keys(const Bindings& bindings) const {
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

Outcome<TokenRange> PreparedRestrictions::tokens(const Bindings& bindings) const {
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

Outcome<std::vector<Clustering>> PreparedRestrictions::clusterings(const Bindings& bindings) const {
  ASSIGN(const auto all, product(clustering_.distinct(), bindings));
  std::vector<Clustering> made;
  std::vector<std::string_view> views;
  for (const auto& values : all) {
    views.assign(values.begin(), values.end());
    // Only rows of COMPACT STORAGE tables may leave columns out, and not all of them.
    const bool all_given = views.size() == static_cast<std::size_t>(table_->clustering_columns);
    if (!all_given && (!table_->compact || views.empty())) return made;
    if (const auto size = size_of(values); size > cql_types::kMaxKey) {
      if (intent_.kind == StatementKind::kSelect) continue;
      return invalid(key_too_long(size));
    }
    ASSIGN(auto clustering, encode_clustering(*table_, views));
    made.push_back(std::move(clustering));
  }
  std::ranges::sort(made, {}, &Clustering::key);
  const auto same = std::ranges::unique(made, {}, &Clustering::key);
  made.erase(same.begin(), same.end());
  return made;
}

Outcome<Slices> PreparedRestrictions::slices_after(std::string_view prefix,
                                                   const Restriction& restriction,
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
      if (elements[i].is_null() && restriction.multi)
        return invalid("Invalid null value in condition for column " + columns[i]->name);
      bound.values.emplace_back();
      if (elements[i].is_null()) continue;
      bound.values.back() = std::string(elements[i].bytes.substr(0, cql_types::kMaxKey));
      if (elements[i].bytes.size() > cql_types::kMaxKey) {
        // No key is as long: all that begin alike come before it.
        bound.inclusive = !bound.lower;
        break;
      }
    }
    ASSIGN(const auto left, slices_of_bound(prefix, columns, bound));
    slices = intersection(slices, left);
  }
  return slices;
}

Outcome<Slices> PreparedRestrictions::slices(const Bindings& bindings) const {
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
    if (size_of(values) > cql_types::kMaxKey) continue;
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

Outcome<void> PreparedRestrictions::add_conditions(const Restriction& restriction,
                                                   const Bindings& bindings,
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
      if (key.is_null()) return invalid("Unsupported null map key for column " + name);
      if (key.is_unset()) return invalid("Unsupported unset map key for column " + name);
      made.element = std::string(key.bytes);
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

Outcome<std::vector<Condition>> PreparedRestrictions::filter(const Bindings& bindings) const {
  std::vector<Condition> all;
  if (partition_needs_filtering() || (key_range_ && !partition_.empty()))
    for (const Restriction* restriction : partition_.distinct())
      TRY(add_conditions(*restriction, bindings, all));
  int position = 0;
  for (const Restriction* restriction : clustering_.distinct()) {
    if (is_filter(*restriction, position)) {
      TRY(add_conditions(*restriction, bindings, all));
    } else if (!restriction->is_slice()) {
      position = restriction->columns.back() - table_->partition_columns + 1;
    }
  }
  for (const Restriction* restriction : other_.distinct())
    TRY(add_conditions(*restriction, bindings, all));
  return all;
}

Outcome<std::vector<Condition>> PreparedRestrictions::indexed(const Bindings& bindings) const {
  std::vector<Condition> all;
  for (const RestrictionSet* set : {&partition_, &clustering_, &other_}) {
    for (const Restriction* restriction : set->distinct()) {
      const bool asked = supporting_index(*table_, *restriction) != nullptr &&
                         !(restriction->multi && restriction->is_slice());
      if (asked) TRY(add_conditions(*restriction, bindings, all));
    }
  }
  return all;
}

}  // namespace tailrace::cql_query
