// Selectors made ready: a tree of nodes that gives a value for each row, or for each group.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cql_terms/function.h"
#include "cql_terms/prepared.h"
#include "cql_terms/selection.h"

namespace tailrace::cql_terms {

/// What nodes see while they are evaluated.
struct Frame {
  std::span<const InputValue> row;  // by Selection::fetched
  const Bindings& bindings;
  std::list<std::string>& made;  // values made for this row
  std::span<const Value> constants;
  std::span<const std::unique_ptr<Accumulator>> accumulators;

  Part keep(Made value) {
    if (!value) return std::nullopt;
    return made.emplace_back(std::move(*value));
  }
};

/// When the cells of what is selected were written: of none, of one, or of each part.
struct Times {
  enum class Kind : std::uint8_t { kNone, kOne, kMany };
  Kind kind = Kind::kNone;
  std::vector<std::optional<CellTime>> cells = {};

  Times of_part(std::size_t i) const;
  Times of_range(std::size_t first, std::size_t last) const;
};

class Node {
 public:
  Node(std::string name, TypePtr type) : name_(std::move(name)), type_(std::move(type)) {}
  virtual ~Node() = default;

  virtual Outcome<Part> value(Frame& frame) const = 0;
  virtual Outcome<Times> times(Frame&) const { return Times{}; }
  /// The same for all rows: of constants alone.
  virtual bool is_terminal() const { return false; }
  /// Whether an aggregate is in it.
  virtual bool aggregates() const { return false; }
  /// Its place among the fetched columns, of a column as it is.
  virtual int column() const { return -1; }
  /// Whether GROUP BY may have it: columns and monotonic functions.
  virtual Outcome<void> check_group_by() const;

  const std::string& name() const { return name_; }
  const TypePtr& type() const { return type_; }

 private:
  std::string name_;
  TypePtr type_;
};
using NodePtr = std::shared_ptr<const Node>;

/// A value known before the first row: of a term, or of a node of constants.
struct Slot {
  PreparedPtr term;  // or else
  NodePtr node;
  std::string if_null, if_unset;  // sentences; empty: it may be
};

/// What building a selection gathers.
struct Parts {
  std::vector<Fetched> fetched;
  std::vector<Slot> slots;
  std::vector<NodePtr> aggregated;      // what each aggregate adds; null: rows
  std::vector<FunctionPtr> aggregates;  // in the same order

  std::size_t fetch(int column, bool cells);
  int slot(Slot made);
};

NodePtr column_node(const cql_schema::Column& column, std::size_t place, FunctionPtr mask,
                    std::vector<Made> mask_arguments);
NodePtr term_node(std::string name, TypePtr type, int slot);
/// A function's call: folded into a slot where its arguments are constants.
Outcome<NodePtr> call_node(const FunctionPtr& function, std::vector<NodePtr> arguments,
                           Parts& parts);
/// A list, set, map (keys and values in turn), vector, tuple or user type of nodes; null: a field
/// that is not given.
NodePtr composite_node(std::string name, TypePtr type, std::vector<NodePtr> items);
NodePtr field_node(std::string name, NodePtr selected, std::size_t field);
NodePtr element_node(std::string name, NodePtr selected, int key);
/// -1: no bound.
NodePtr slice_node(std::string name, NodePtr selected, int from, int to);
/// writetime, maxwritetime, ttl.
NodePtr times_node(const std::string& function, NodePtr selected);
/// The same node under another name and type.
NodePtr renamed_node(std::string name, TypePtr type, NodePtr node);

}  // namespace tailrace::cql_terms
