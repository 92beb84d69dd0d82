// Relations to restrictions, and their values.
#include "cql_query/restriction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cql_syntax/statement.h"
#include "cql_types/parts.h"

namespace tailrace::cql_query {
namespace {

using cql_protocol::ColumnSpec;
using cql_protocol::Value;
using cql_schema::Column;
using cql_schema::ColumnKind;
using cql_schema::Table;
using cql_syntax::Expression;
using cql_syntax::Operator;
using cql_syntax::Relation;
using cql_terms::Scope;
using cql_terms::TermPtr;
using cql_types::invalid;
using cql_types::Kind;
using cql_types::Type;
using cql_types::TypePtr;

const Column& column_of(const Table& table, int place) {
  return table.columns[static_cast<std::size_t>(place)];
}

std::string_view operator_text(Operator op) {
  switch (op) {
    case Operator::kEqual:
      return "=";
    case Operator::kNotEqual:
      return "!=";
    case Operator::kLess:
      return "<";
    case Operator::kLessEqual:
      return "<=";
    case Operator::kMore:
      return ">";
    case Operator::kMoreEqual:
      return ">=";
    case Operator::kIn:
      return "IN";
    case Operator::kContains:
      return "CONTAINS";
    case Operator::kContainsKey:
      return "CONTAINS KEY";
    case Operator::kLike:
      return "LIKE";
    case Operator::kIsNotNull:
      return "IS NOT";
  }
  return "";
}

bool is_slice(Operator op) {
  return op == Operator::kLess || op == Operator::kLessEqual || op == Operator::kMore ||
         op == Operator::kMoreEqual;
}

/// Whether a duration is in it, which has no order.
bool references_duration(const Type& type) {
  return type.kind == Kind::kDuration || std::ranges::any_of(type.parameters, [](const TypePtr& p) {
           return references_duration(*p);
         });
}

Outcome<int> existing_column(const Table& table, std::string_view name) {
  const int place = table.find(name);
  if (place >= 0) return place;
  return invalid(fmt::format(
      "Undefined column name {} in table {}.{}", cql_types::quoted_if_needed(name),
      cql_types::quoted_if_needed(table.keyspace), cql_types::quoted_if_needed(table.name)));
}

ColumnSpec spec_of(const Table& table, const Column& column) {
  return {table.keyspace, table.name, column.name, column.type};
}

std::string in_parentheses(const Table& table, const std::vector<int>& columns) {
  std::string text = "(";
  for (const int place : columns) {
    if (text.size() > 1) text += ',';
    text += column_of(table, place).name;
  }
  return text + ")";
}

/// The columns that two restrictions share, as sentences name them.
std::string in_common(const Table& table, const Restriction& a, const Restriction& b) {
  std::vector<std::string> names;
  for (const int place : a.columns)
    if (std::ranges::find(b.columns, place) != b.columns.end())
      names.push_back(column_of(table, place).name);
  std::ranges::sort(names);
  return fmt::format("{}", fmt::join(names, " ,"));
}

/// What stands for a whole column, an element of a collection, a key and a value of a map.
class Receivers {
 public:
  Receivers(const Table& table, const Relation& relation) : table_(table), relation_(relation) {}

  Outcome<std::vector<ColumnSpec>> of(int place) const {
    const Column& column = column_of(table_, place);
    const Type& type = *column.type;
    const bool by_element = relation_.kind == Relation::Kind::kElement;
    const Operator op = relation_.op;
    if (op == Operator::kContainsKey && type.kind != Kind::kMap)
      return invalid(fmt::format("Cannot use CONTAINS KEY on non-map column {}", column.name));
    if (op == Operator::kContains && !cql_types::is_collection(type.kind))
      return invalid(fmt::format("Cannot use CONTAINS on non-collection column {}", column.name));
    if (by_element) TRY(check_element(column));
    if (type.kind == Kind::kUserType && type.is_multi_cell())
      return invalid(
          fmt::format("Non-frozen UDT column '{}' ({}) cannot be restricted by any relation",
                      column.name, cql_types::to_cql(type)));
    if (!cql_types::is_collection(type.kind)) return {{spec_of(table_, column)}};
    const bool contains = op == Operator::kContains || op == Operator::kContainsKey;
    if (type.is_multi_cell() && !contains && !(by_element && op == Operator::kEqual))
      return invalid(
          fmt::format("Collection column '{}' ({}) cannot be restricted by a '{}' relation",
                      column.name, cql_types::to_cql(type), operator_text(op)));
    if (contains) return {{part(column, op == Operator::kContainsKey)}};
    if (by_element) return {{part(column, true), part(column, false)}};
    return {{spec_of(table_, column)}};
  }

 private:
  Outcome<void> check_element(const Column& column) const {
    const Type& type = *column.type;
    if (type.kind == Kind::kList)
      return invalid(fmt::format(
          "Indexes on list entries ({}[index] = value) are not currently supported.", column.name));
    if (type.kind != Kind::kMap)
      return invalid(fmt::format("Column {} cannot be used as a map", column.name));
    if (!type.is_multi_cell())
      return invalid(fmt::format(
          "Map-entry equality predicates on frozen map column {} are not supported", column.name));
    if (relation_.op != Operator::kEqual)
      return invalid("Only EQ relations are supported on map entries");
    return {};
  }

  ColumnSpec part(const Column& column, bool key) const {
    const Type& type = *column.type;
    const TypePtr& of = type.kind == Kind::kMap && !key ? type.parameters[1] : type.parameters[0];
    return {table_.keyspace, table_.name, fmt::format("{}({})", key ? "key" : "value", column.name),
            of};
  }

  const Table& table_;
  const Relation& relation_;
};

/// `IN ?`: the marker stands for a list of what the columns receive.
Outcome<void> set_list(Restriction& restriction, const Expression& marker,
                       const ColumnSpec& receiver, const Scope& scope) {
  const bool tuple = receiver.name.starts_with('(');
  const ColumnSpec list{receiver.keyspace, receiver.table,
                        tuple ? "in" + receiver.name : "in(" + receiver.name + ")",
                        cql_types::list_of(receiver.type, false)};
  restriction.kind = Restriction::Kind::kIn;
  restriction.list_marker = marker.marker;
  restriction.element = receiver;
  // Tells the scope what the marker is; its elements are looked at one by one.
  TRY(cql_terms::prepare(marker, list, scope));
  return {};
}

Outcome<RestrictionPtr> single_column(const Relation& relation, const Table& table,
                                      const Scope& scope) {
  auto made = std::make_shared<Restriction>();
  ASSIGN(const int place, existing_column(table, relation.columns.front()));
  made->columns = {place};
  const Column& column = column_of(table, place);
  if (relation.op == Operator::kNotEqual)
    return invalid("Unsupported \"!=\" relation: " + relation_text(relation));
  if (relation.op == Operator::kIsNotNull) {
    made->kind = Restriction::Kind::kNotNull;
    return made;
  }
  if (is_slice(relation.op) && references_duration(*column.type)) {
    const Kind kind = column.type->kind;
    const std::string_view what = cql_types::is_collection(kind)
                                      ? "collections containing durations"
                                  : kind == Kind::kTuple    ? "tuples containing durations"
                                  : kind == Kind::kUserType ? "UDTs containing durations"
                                                            : "duration columns";
    return invalid(fmt::format("Slice restrictions are not supported on {}", what));
  }
  if (relation.op == Operator::kLike && relation.kind == Relation::Kind::kElement)
    return invalid("LIKE can't be used with collections.");
  ASSIGN(const auto receivers, Receivers(table, relation).of(place));
  if (relation.kind == Relation::Kind::kElement) {
    made->kind = Restriction::Kind::kContains;
    ASSIGN(auto key, cql_terms::prepare(*relation.element, receivers[0], scope));
    ASSIGN(auto value, cql_terms::prepare(relation.values.front(), receivers[1], scope));
    made->entries.emplace_back(std::move(key), std::move(value));
    return made;
  }
  if (relation.op == Operator::kIn && relation.marker_for_all) {
    TRY(set_list(*made, relation.values.front(), receivers[0], scope));
    return made;
  }
  std::vector<TermPtr> terms;
  for (const auto& value : relation.values) {
    ASSIGN(auto term, cql_terms::prepare(value, receivers[0], scope));
    terms.push_back(std::move(term));
  }
  switch (relation.op) {
    case Operator::kContains:
    case Operator::kContainsKey:
      made->kind = Restriction::Kind::kContains;
      (relation.op == Operator::kContains ? made->contained : made->keys) = std::move(terms);
      break;
    case Operator::kLess:
    case Operator::kLessEqual:
    case Operator::kMore:
    case Operator::kMoreEqual: {
      made->kind = Restriction::Kind::kSlice;
      const bool end = relation.op == Operator::kLess || relation.op == Operator::kLessEqual;
      made->bounds[end ? 1 : 0] = Operand{.term = terms.front()};
      made->inclusive[end ? 1 : 0] =
          relation.op == Operator::kLessEqual || relation.op == Operator::kMoreEqual;
      break;
    }
    default:
      made->kind = relation.op == Operator::kLike                      ? Restriction::Kind::kLike
                   : relation.op == Operator::kIn && terms.size() != 1 ? Restriction::Kind::kIn
                                                                       : Restriction::Kind::kEqual;
      for (auto& term : terms) made->values.push_back({.term = std::move(term)});
  }
  return made;
}

Outcome<std::vector<int>> tuple_columns(const Relation& relation, const Table& table) {
  std::vector<int> places;
  int previous = -1;
  for (const auto& name : relation.columns) {
    ASSIGN(const int place, existing_column(table, name));
    const Column& column = column_of(table, place);
    if (column.kind != ColumnKind::kClustering)
      return invalid(
          fmt::format("Multi-column relations can only be applied to clustering columns but "
                      "was applied to: {}",
                      column.name));
    if (std::ranges::find(places, place) != places.end())
      return invalid(fmt::format("Column \"{}\" appeared twice in a relation: {}", column.name,
                                 relation_text(relation)));
    if (previous != -1 && column.position != previous + 1)
      return invalid(
          "Clustering columns must appear in the PRIMARY KEY order in multi-column "
          "relations: " +
          relation_text(relation));
    places.push_back(place);
    previous = column.position;
  }
  return places;
}

class TupleRelation {
 public:
  TupleRelation(const Relation& relation, const Table& table, const Scope& scope)
      : relation_(relation), table_(table), scope_(scope) {}

  Outcome<RestrictionPtr> prepare() {
    auto made = std::make_shared<Restriction>();
    made->multi = made->tuples = true;
    const Operator op = relation_.op;
    if (op == Operator::kContains || op == Operator::kContainsKey || op == Operator::kLike)
      return invalid(
          fmt::format("{} cannot be used for multi-column relations", operator_text(op)));
    if (op == Operator::kNotEqual)
      return invalid("Unsupported \"!=\" relation: " + relation_text(relation_));
    ASSIGN(made->columns, tuple_columns(relation_, table_));
    columns_ = &made->columns;
    std::vector<TypePtr> types;
    for (const int place : made->columns) types.push_back(column_of(table_, place).type);
    whole_ = {table_.keyspace, table_.name, in_parentheses(table_, made->columns),
              cql_types::tuple_of(std::move(types))};
    if (op == Operator::kIn && relation_.marker_for_all) {
      TRY(set_list(*made, relation_.values.front(), whole_, scope_));
      return made;
    }
    std::vector<Operand> operands;
    for (const auto& value : relation_.values) {
      ASSIGN(auto operand, this->operand(value));
      operands.push_back(std::move(operand));
    }
    if (is_slice(op)) {
      made->kind = Restriction::Kind::kSlice;
      const bool end = op == Operator::kLess || op == Operator::kLessEqual;
      made->bounds[end ? 1 : 0] = std::move(operands.front());
      made->inclusive[end ? 1 : 0] = op == Operator::kLessEqual || op == Operator::kMoreEqual;
      return made;
    }
    made->kind = op == Operator::kIn && operands.size() != 1 ? Restriction::Kind::kIn
                                                             : Restriction::Kind::kEqual;
    made->values = std::move(operands);
    return made;
  }

 private:
  Outcome<Operand> operand(const Expression& value) {
    Operand made;
    if (value.kind != Expression::Kind::kTuple) {
      made.tuple = true;
      ASSIGN(made.term, cql_terms::prepare(value, whole_, scope_));
      return made;
    }
    if (value.items.size() != columns_->size())
      return invalid(fmt::format("Expected {} elements in value tuple, but got {}: {}",
                                 columns_->size(), value.items.size(), cql_syntax::print(value)));
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      ASSIGN(auto part,
             cql_terms::prepare(value.items[i], spec_of(table_, column_of(table_, (*columns_)[i])),
                                scope_));
      made.parts.push_back(std::move(part));
    }
    return made;
  }

  const Relation& relation_;
  const Table& table_;
  const Scope& scope_;
  const std::vector<int>* columns_ = nullptr;
  ColumnSpec whole_;
};

/// A restriction on one column as one on a tuple of one.
RestrictionPtr as_multi(const RestrictionPtr& restriction) {
  auto made = std::make_shared<Restriction>(*restriction);
  made->multi = true;
  return made;
}

Outcome<RestrictionPtr> merged_slices(const Table& table, const Restriction& a,
                                      const Restriction& b) {
  const std::string names = a.multi ? in_common(table, a, b) : column_of(table, a.first()).name;
  if (!b.is_slice())
    return invalid(fmt::format(
        "Column \"{}\" cannot be restricted by both an equality and an inequality relation",
        names));
  if (a.multi && a.first() != b.first())
    return invalid(fmt::format(
        "Column \"{}\" cannot be restricted by two inequalities not starting with the same column",
        column_of(table, std::max(a.first(), b.first())).name));
  for (const std::size_t side : {0U, 1U})
    if (a.bounds[side] && b.bounds[side])
      return invalid(fmt::format("More than one restriction was found for the {} bound on {}",
                                 side == 0 ? "start" : "end", names));
  auto made = std::make_shared<Restriction>(a);
  if (b.columns.size() > a.columns.size()) made->columns = b.columns;
  for (const std::size_t side : {0U, 1U}) {
    if (!b.bounds[side]) continue;
    made->bounds[side] = b.bounds[side];
    made->inclusive[side] = b.inclusive[side];
  }
  return made;
}

}  // namespace

std::string relation_text(const Relation& relation) {
  std::string text;
  const auto values = [&](const std::vector<Expression>& all) {
    std::string list;
    for (const auto& value : all) list += (list.empty() ? "" : ", ") + cql_syntax::print(value);
    return "(" + list + ")";
  };
  std::string columns;
  for (const auto& column : relation.columns)
    columns += (columns.empty() ? "" : ", ") + cql_types::quoted_if_needed(column);
  switch (relation.kind) {
    case Relation::Kind::kToken:
      text = "token(" + columns + ")";
      break;
    case Relation::Kind::kTuple:
      text = "(" + columns + ")";
      break;
    case Relation::Kind::kElement:
      text = columns + "[" + cql_syntax::print(*relation.element) + "]";
      break;
    default:
      text = columns;
  }
  text += ' ';
  text += operator_text(relation.op);
  text += ' ';
  if (relation.op == Operator::kIsNotNull) return text + "NULL";
  if (relation.op == Operator::kIn)
    return text + (relation.marker_for_all ? "?" : values(relation.values));
  return text + cql_syntax::print(relation.values.front());
}

Outcome<RestrictionPtr> restriction_of(const Relation& relation, const cql_schema::TablePtr& table,
                                       const Scope& scope) {
  if (relation.kind == Relation::Kind::kTuple)
    return TupleRelation(relation, *table, scope).prepare();
  return single_column(relation, *table, scope);
}

Outcome<RestrictionPtr> merged(const Table& table, const RestrictionPtr& first,
                               const RestrictionPtr& second) {
  using enum Restriction::Kind;
  RestrictionPtr a = first, b = second;
  if (b->multi && !a->multi && a->kind != kContains && a->kind != kLike) a = as_multi(a);
  if (a->multi && !b->multi && b->kind != kContains && b->kind != kLike) b = as_multi(b);
  const std::string names = a->multi ? in_common(table, *a, *b) : column_of(table, a->first()).name;
  const auto refused = [&](std::string_view why) {
    return invalid(names + " cannot be restricted by " + std::string(why));
  };
  switch (a->kind) {
    case kEqual:
      return refused("more than one relation if it includes an Equal");
    case kIn:
      return refused("more than one relation if it includes a IN");
    case kLike:
      return refused("more than one relation if it includes a LIKE");
    case kNotNull:
      return refused(a->multi ? "a relation if it includes an IS NOT NULL clause"
                              : "a relation if it includes an IS NOT NULL");
    case kSlice:
      return merged_slices(table, *a, *b);
    case kContains:
      break;
  }
  if (b->kind != kContains)
    return invalid(
        fmt::format("Collection column {} can only be restricted by CONTAINS, CONTAINS KEY, "
                    "or map-entry equality",
                    names));
  auto made = std::make_shared<Restriction>(*a);
  made->contained.insert(made->contained.end(), b->contained.begin(), b->contained.end());
  made->keys.insert(made->keys.end(), b->keys.begin(), b->keys.end());
  made->entries.insert(made->entries.end(), b->entries.begin(), b->entries.end());
  return made;
}

namespace {

/// The fields of a tuple's bytes; those that are missing are null.
Outcome<Elements> fields_of(const Value& tuple, std::size_t count) {
  Elements elements(count);
  if (tuple.kind != Value::Kind::kBytes) return elements;
  cql_types::TupleReader reader(tuple.bytes);
  cql_types::Part part;
  for (auto& element : elements) {
    if (!reader.next(part)) break;
    if (part) element = Value::of(*part);
  }
  return elements;
}

}  // namespace

Outcome<Elements> bind_operand(const Table& table, const Restriction& restriction,
                               const Operand& operand, const Bindings& bindings) {
  if (operand.term) {
    ASSIGN(const Value value, operand.term->bind(bindings));
    if (!operand.tuple) return Elements{value};
    const std::string names = in_parentheses(table, restriction.columns);
    if (value.is_unset()) return invalid(fmt::format("Invalid unset value for tuple {}", names));
    return fields_of(value, restriction.columns.size());
  }
  Elements elements;
  for (std::size_t i = 0; i < operand.parts.size(); ++i) {
    ASSIGN(const Value value, operand.parts[i]->bind(bindings));
    if (value.is_unset())
      return invalid(fmt::format("Invalid unset value for tuple field number {}", i));
    elements.push_back(value);
  }
  return elements;
}

namespace {

/// Whether no bytes are a value of the type, and not the lack of one.
bool may_be_empty(const cql_types::Type& type) {
  using cql_types::Kind;
  constexpr std::array kKinds = {Kind::kAscii, Kind::kText, Kind::kBlob, Kind::kTuple,
                                 Kind::kUserType};
  return std::ranges::find(kKinds, type.kind) != kKinds.end();
}

}  // namespace

Outcome<std::vector<Elements>> bind_values(const Table& table, const Restriction& restriction,
                                           const Bindings& bindings) {
  std::vector<Elements> all;
  if (restriction.list_marker < 0) {
    for (const auto& operand : restriction.values) {
      ASSIGN(auto elements, bind_operand(table, restriction, operand, bindings));
      all.push_back(std::move(elements));
    }
    return all;
  }
  const Value& list = bindings.values[static_cast<std::size_t>(restriction.list_marker)];
  const std::string& name = column_of(table, restriction.first()).name;
  if (list.is_null())
    return invalid(restriction.tuples ? "Invalid null value for IN restriction"
                                      : "Invalid null value for column " + name);
  if (list.is_unset()) return invalid("Invalid unset value for column " + name);
  cql_types::CollectionReader reader(list.bytes, 1);
  cql_types::Part part;
  while (reader.next(part)) {
    // Drivers write a null in a list as no bytes, which of most types is no value.
    const bool nothing = !part || (part->empty() && !may_be_empty(*restriction.element.type));
    const Value value = nothing ? Value{} : Value::of(*part);
    TRY(cql_terms::check(restriction.element, value));
    if (!restriction.tuples) {
      all.push_back({value});
      continue;
    }
    ASSIGN(auto elements, fields_of(value, restriction.columns.size()));
    all.push_back(std::move(elements));
  }
  if (reader.failed()) return invalid("Not enough bytes to read a list");
  return all;
}

}  // namespace tailrace::cql_query
