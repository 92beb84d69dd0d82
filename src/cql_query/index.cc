// Which relations a secondary index can answer.
#include "cql_query/index.h"

#include <algorithm>

namespace tailrace::cql_query {
namespace {

using cql_schema::Index;
using Target = Index::Target;

/// Storage-attached indexes know ranges too, of what is no text.
bool is_storage_attached(const Index& index) {
  const auto named = index.options.find("class_name");
  if (named == index.options.end()) return false;
  std::string name = named->second.substr(named->second.rfind('.') + 1);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name == "storageattachedindex" || name == "sai";
}

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

}  // namespace tailrace::cql_query
