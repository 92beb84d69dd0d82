// Which relations a secondary index can answer.
#include "cql_query/index.h"

#include <algorithm>

#include "cql_query/index_entries.h"

namespace tailrace::cql_query {
namespace {

using cql_schema::Index;
using Target = Index::Target;

/// Ranges of these a storage-attached index knows: of what is no text.
bool orders(const cql_types::Type& type) {
  using enum cql_types::Kind;
  return type.kind != kAscii && type.kind != kText && type.kind != kBoolean && type.kind != kUuid &&
         type.kind != kTimeuuid && cql_types::is_native(type.kind);
}

bool supports(const Index& index, const cql_schema::Column& column, const Restriction& r) {
  if (index.column != column.name) return false;
  if (index.kind == "CUSTOM" && !is_storage_attached(index)) return false;
  const bool plain = index.target == Target::kSimple || index.target == Target::kFull ||
                     (index.target == Target::kValues && !column.type->is_multi_cell());
  switch (r.kind) {
    case Restriction::Kind::kEqual:
      return plain;
    case Restriction::Kind::kSlice:
      return plain && is_storage_attached(index) && orders(*column.type);
    case Restriction::Kind::kContains:
      return (index.target == Target::kValues && !r.contained.empty()) ||
             (index.target == Target::kKeys && !r.keys.empty()) ||
             (index.target == Target::kEntries && !r.entries.empty());
    default:
      return false;
  }
}

}  // namespace

namespace {

bool answers(const cql_schema::Table& table, const Index& index, const Restriction& restriction) {
  return std::ranges::any_of(restriction.columns, [&](int place) {
    return supports(index, table.columns[static_cast<std::size_t>(place)], restriction);
  });
}

}  // namespace

const Index* supporting_index(const cql_schema::Table& table, const Restriction& restriction) {
  for (const int place : restriction.columns) {
    const auto& column = table.columns[static_cast<std::size_t>(place)];
    for (const auto& index : table.indexes)
      if (supports(index, column, restriction)) return &index;
  }
  return nullptr;
}

bool indexes_answer(const cql_schema::Table& table,
                    const std::vector<const Restriction*>& restrictions) {
  const auto all_by = [&](const auto& usable) {
    return std::ranges::all_of(restrictions, [&](const Restriction* restriction) {
      const auto parts =
          restriction->contained.size() + restriction->keys.size() + restriction->entries.size();
      return std::ranges::any_of(table.indexes, [&](const Index& index) {
        return usable(index) && answers(table, index, *restriction) &&
               (parts <= 1 || is_storage_attached(index));
      });
    });
  };
  if (all_by([](const Index& index) { return is_storage_attached(index); })) return true;
  return std::ranges::any_of(table.indexes, [&](const Index& one) {
    return all_by([&](const Index& index) { return &index == &one; });
  });
}

namespace {

using cql_syntax::Operator;

bool is_bound(Operator op) {
  return op == Operator::kMore || op == Operator::kMoreEqual || op == Operator::kLess ||
         op == Operator::kLessEqual;
}

bool answers(const Index& index, const cql_schema::Column& column, const Condition& condition) {
  const auto& type = *column.type;
  if (condition.element) return index.target == Target::kEntries;
  if (condition.op == Operator::kContainsKey) return index.target == Target::kKeys;
  if (condition.op == Operator::kContains)
    return index.target == Target::kValues && type.is_multi_cell();
  const bool whole =
      !type.is_multi_cell() && index.target != Target::kKeys && index.target != Target::kEntries;
  if (condition.op == Operator::kEqual) return whole;
  return whole && is_bound(condition.op) && is_storage_attached(index) && orders(type);
}

/// One bound more; the narrower of two.
void narrow(Lookup& lookup, Operator op, std::string value) {
  const bool lower = op == Operator::kMore || op == Operator::kMoreEqual;
  const bool with = op == Operator::kMoreEqual || op == Operator::kLessEqual;
  auto& bound = lower ? lookup.from : lookup.to;
  bool& with_bound = lower ? lookup.with_from : lookup.with_to;
  if (bound && (lower ? value < *bound : value > *bound)) return;
  with_bound = with && !(bound && value == *bound && !with_bound);
  bound = std::move(value);
}

}  // namespace

std::vector<Lookup> lookups(const cql_schema::Table& table, std::span<const Condition> conditions) {
  std::vector<Lookup> all;
  for (const Condition& condition : conditions) {
    const auto& column = table.columns[static_cast<std::size_t>(condition.column)];
    const auto index = std::ranges::find_if(table.indexes, [&](const Index& one) {
      return one.column == column.name && is_kept(one) && answers(one, column, condition);
    });
    if (index == table.indexes.end()) continue;
    auto value = asked_value(*index, column, condition.element, condition.value);
    if (!value) continue;  // no entry has it
    if (!is_bound(condition.op)) {
      all.push_back({.index = &*index, .column = &column, .value = std::move(*value)});
      continue;
    }
    auto same = std::ranges::find_if(
        all, [&](const Lookup& one) { return one.index == &*index && !one.value; });
    if (same == all.end()) {
      all.push_back({.index = &*index, .column = &column});
      same = all.end() - 1;
    }
    narrow(*same, condition.op, std::move(*value));
  }
  return all;
}

}  // namespace tailrace::cql_query
