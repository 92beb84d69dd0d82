#include "cql_terms/selector_node.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "cql_types/compare.h"

namespace tailrace::cql_terms {

using cql_types::CollectionReader;
using cql_types::invalid;
using cql_types::Kind;
using cql_types::native_type;

Outcome<void> Node::check_group_by() const {
  return invalid(
      "Only column names and monotonic scalar functions are supported in the GROUP BY "
      "clause.");
}

Times Times::of_part(std::size_t i) const {
  if (kind != Kind::kMany) return *this;
  if (i >= cells.size()) return {};
  return {Kind::kOne, {cells[i]}};
}

Times Times::of_range(std::size_t first, std::size_t last) const {
  if (first >= last) return {};
  if (kind != Kind::kMany) return *this;
  Times out{Kind::kMany, {}};
  for (auto i = first; i < std::min(last, cells.size()); ++i) out.cells.push_back(cells[i]);
  return out;
}

std::size_t Parts::fetch(int column, bool cells) {
  const auto at = std::find_if(fetched.begin(), fetched.end(),
                               [&](const Fetched& one) { return one.column == column; });
  if (at == fetched.end()) {
    fetched.push_back({column, cells});
    return fetched.size() - 1;
  }
  at->cells |= cells;
  return static_cast<std::size_t>(at - fetched.begin());
}

int Parts::slot(Slot made) {
  slots.push_back(std::move(made));
  return static_cast<int>(slots.size()) - 1;
}

namespace {

bool all_terminal(const std::vector<NodePtr>& nodes) {
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const NodePtr& node) { return !node || node->is_terminal(); });
}

bool any_aggregates(const std::vector<NodePtr>& nodes) {
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const NodePtr& node) { return node && node->aggregates(); });
}

class ColumnNode : public Node {
 public:
  ColumnNode(const cql_schema::Column& column, std::size_t place, FunctionPtr mask,
             std::vector<Made> arguments)
      : Node(column.name, column.type),
        place_(place),
        mask_(std::move(mask)),
        mask_arguments_(std::move(arguments)) {}

  Outcome<Part> value(Frame& frame) const override {
    const auto& value = frame.row[place_].value;
    if (!mask_) return value;
    std::vector<Part> arguments = {value};
    for (const auto& argument : mask_arguments_)
      arguments.push_back(argument ? Part(*argument) : std::nullopt);
    ASSIGN(auto masked, mask_->scalar(arguments, frame.bindings));
    return frame.keep(std::move(masked));
  }

  Outcome<Times> times(Frame& frame) const override {
    const auto& input = frame.row[place_];
    Times times;
    times.kind = type()->is_multi_cell() ? Times::Kind::kMany : Times::Kind::kOne;
    if (type()->is_multi_cell() && type()->kind == Kind::kUserType) {
      if (!input.value || input.cells.empty()) return times;
      // A field that is null has no cell.
      std::size_t cell = 0;
      cql_types::TupleReader reader(*input.value);
      for (std::size_t i = 0; i < type()->parameters.size(); ++i) {
        Part field;
        const bool is_there = reader.next(field) && field && cell < input.cells.size();
        times.cells.push_back(is_there ? std::optional(input.cells[cell++]) : std::nullopt);
      }
    } else if (type()->is_multi_cell()) {
      times.cells.assign(input.cells.begin(), input.cells.end());
    } else {
      times.cells = {input.cells.empty() ? std::nullopt : std::optional(input.cells[0])};
    }
    return times;
  }
  int column() const override { return mask_ ? -1 : static_cast<int>(place_); }
  Outcome<void> check_group_by() const override { return {}; }

 private:
  std::size_t place_;
  FunctionPtr mask_;
  std::vector<Made> mask_arguments_;
};

class TermNode : public Node {
 public:
  TermNode(std::string name, TypePtr type, int slot)
      : Node(std::move(name), std::move(type)), slot_(static_cast<std::size_t>(slot)) {}
  Outcome<Part> value(Frame& frame) const override {
    const auto& value = frame.constants[slot_];
    return value.kind == Value::Kind::kBytes ? Part(value.bytes) : std::nullopt;
  }
  bool is_terminal() const override { return true; }
  Outcome<void> check_group_by() const override { return {}; }

 private:
  std::size_t slot_;
};

class CallNode : public Node {
 public:
  CallNode(std::string name, FunctionPtr function, std::vector<NodePtr> arguments)
      : Node(std::move(name), function->result),
        function_(std::move(function)),
        arguments_(std::move(arguments)) {}

  Outcome<Part> value(Frame& frame) const override {
    std::vector<Part> values;
    values.reserve(arguments_.size());
    for (const auto& argument : arguments_) {
      ASSIGN(values.emplace_back(), argument->value(frame));
    }
    ASSIGN(auto made, function_->scalar(values, frame.bindings));
    return frame.keep(std::move(made));
  }
  bool aggregates() const override { return any_aggregates(arguments_); }

  Outcome<void> check_group_by() const override {
    std::vector<bool> constants;
    for (const auto& argument : arguments_) constants.push_back(argument->is_terminal());
    bool monotonic = function_->monotonic;
    for (std::size_t i = 0; i < constants.size(); ++i) monotonic &= constants[i] == (i > 0);
    if (!monotonic)
      return invalid(
          fmt::format("Only monotonic functions are supported in the GROUP BY clause. Got: {} ",
                      function_->signature(constants)));
    return arguments_[0]->check_group_by();
  }

 private:
  FunctionPtr function_;
  std::vector<NodePtr> arguments_;
};

class AggregateNode : public Node {
 public:
  AggregateNode(std::string name, TypePtr type, std::size_t place)
      : Node(std::move(name), std::move(type)), place_(place) {}
  Outcome<Part> value(Frame& frame) const override {
    ASSIGN(auto made, frame.accumulators[place_]->take());
    return frame.keep(std::move(made));
  }
  bool aggregates() const override { return true; }

 private:
  std::size_t place_;
};

class CompositeNode : public Node {
 public:
  CompositeNode(std::string name, TypePtr type, std::vector<NodePtr> items)
      : Node(std::move(name), std::move(type)), items_(std::move(items)) {}

  Outcome<Part> value(Frame& frame) const override {
    std::vector<Part> parts;
    parts.reserve(items_.size());
    for (const auto& item : items_) {
      parts.emplace_back();
      if (!item) continue;
      ASSIGN(parts.back(), item->value(frame));
      if (!parts.back() && type()->kind == Kind::kVector)
        return invalid("null is not supported inside vectors");
    }
    return frame.keep(pack(*type(), parts));
  }
  bool is_terminal() const override { return all_terminal(items_); }
  bool aggregates() const override { return any_aggregates(items_); }

 private:
  std::vector<NodePtr> items_;
};

// A part of one other node.
class PartNode : public Node {
 public:
  PartNode(std::string name, TypePtr type, NodePtr selected)
      : Node(std::move(name), std::move(type)), selected_(std::move(selected)) {}
  bool is_terminal() const override { return selected_->is_terminal(); }
  bool aggregates() const override { return selected_->aggregates(); }

 protected:
  const Node& selected() const { return *selected_; }

 private:
  NodePtr selected_;
};

class FieldNode : public PartNode {
 public:
  FieldNode(std::string name, NodePtr selected, std::size_t field)
      : PartNode(std::move(name), selected->type()->parameters[field], selected), field_(field) {}

  Outcome<Part> value(Frame& frame) const override {
    ASSIGN(const auto whole, selected().value(frame));
    if (!whole) return std::nullopt;
    cql_types::TupleReader reader(*whole);
    Part part;
    for (std::size_t i = 0; i <= field_; ++i)
      if (!reader.next(part)) return std::nullopt;
    return part;
  }
  Outcome<Times> times(Frame& frame) const override {
    ASSIGN(const auto part, value(frame));
    if (!part) return Times{};
    ASSIGN(const auto all, selected().times(frame));
    return all.of_part(field_);
  }

 private:
  std::size_t field_;
};

// Elements of a set, entries of a map: where they lie in its bytes.
struct Entry {
  Part key, value;
  std::size_t begin = 0, end = 0;
};

std::vector<Entry> entries_of(const Type& type, std::string_view bytes) {
  const bool is_map = type.kind == Kind::kMap;
  std::vector<Entry> entries;
  CollectionReader reader(bytes, is_map ? 2 : 1);
  Part part;
  auto begin = bytes.size() - reader.rest().size();
  while (reader.next(part)) {
    Entry entry{part, part, begin, 0};
    if (is_map && !reader.next(entry.value)) break;
    begin = bytes.size() - reader.rest().size();
    entry.end = begin;
    entries.push_back(entry);
  }
  return entries;
}

class ElementNode : public PartNode {
 public:
  ElementNode(std::string name, TypePtr type, const NodePtr& selected, int key)
      : PartNode(std::move(name), std::move(type), selected), key_(static_cast<std::size_t>(key)) {}

  Outcome<Part> value(Frame& frame) const override {
    ASSIGN(const auto found, find(frame));
    return found ? found->second.value : std::nullopt;
  }
  Outcome<Times> times(Frame& frame) const override {
    ASSIGN(const auto found, find(frame));
    if (!found) return Times{};
    ASSIGN(const auto all, selected().times(frame));
    return all.of_part(found->first);
  }

 private:
  Outcome<std::optional<std::pair<std::size_t, Entry>>> find(Frame& frame) const {
    ASSIGN(const auto whole, selected().value(frame));
    if (!whole) return std::nullopt;
    const Type& type = *selected().type();
    const auto entries = entries_of(type, *whole);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto key = entries[i].key.value_or("");
      const auto order = cql_types::compare(type.element(), key, frame.constants[key_].bytes);
      if (order == 0) return std::pair(i, entries[i]);
      if (order > 0) break;
    }
    return std::nullopt;
  }

  std::size_t key_;
};

class SliceNode : public PartNode {
 public:
  SliceNode(std::string name, const NodePtr& selected, int from, int to)
      : PartNode(std::move(name), selected->type(), selected), from_(from), to_(to) {}

  Outcome<Part> value(Frame& frame) const override {
    ASSIGN(const auto whole, selected().value(frame));
    if (!whole || (!bound(frame, from_) && !bound(frame, to_))) return whole;
    const auto entries = entries_of(*type(), *whole);
    const auto [first, last] = range(frame, entries);
    if (first >= last) return type()->frozen ? frame.keep(std::string(4, '\0')) : std::nullopt;
    std::string out;
    cql_types::append_count(out, static_cast<std::int32_t>(last - first));
    out += whole->substr(entries[first].begin, entries[last - 1].end - entries[first].begin);
    return frame.keep(std::move(out));
  }
  Outcome<Times> times(Frame& frame) const override {
    ASSIGN(const auto whole, selected().value(frame));
    if (!whole) return Times{};
    ASSIGN(const auto all, selected().times(frame));
    if (!bound(frame, from_) && !bound(frame, to_)) return all;
    const auto [first, last] = range(frame, entries_of(*type(), *whole));
    return all.of_range(first, last);
  }

 private:
  Part bound(const Frame& frame, int slot) const {
    if (slot < 0) return std::nullopt;
    const auto& value = frame.constants[static_cast<std::size_t>(slot)];
    return value.is_unset() ? std::nullopt : Part(value.bytes);
  }

  std::pair<std::size_t, std::size_t> range(const Frame& frame,
                                            const std::vector<Entry>& entries) const {
    const auto from = bound(frame, from_), to = bound(frame, to_);
    const auto compared = [&](const Entry& entry, std::string_view key) {
      return cql_types::compare(type()->element(), entry.key.value_or(""), key);
    };
    std::size_t first = 0, last = entries.size();
    while (from && first < entries.size() && compared(entries[first], *from) < 0) ++first;
    while (to && last > first && compared(entries[last - 1], *to) > 0) --last;
    return {first, last};
  }

  int from_, to_;
};

class TimesNode : public Node {
 public:
  TimesNode(const std::string& function, TypePtr type, NodePtr selected)
      : Node(function + "(" + selected->name() + ")", std::move(type)),
        ttl_(function == "ttl"),
        max_(function == "maxwritetime"),
        selected_(std::move(selected)) {}

  Outcome<Part> value(Frame& frame) const override {
    ASSIGN(const auto times, selected_->times(frame));
    if (times.kind == Times::Kind::kNone || times.cells.empty()) return std::nullopt;
    if (max_) {
      std::optional<CellTime> latest;
      for (const auto& cell : times.cells)
        if (cell && (!latest || cell->timestamp > latest->timestamp)) latest = cell;
      return frame.keep(bytes_of(latest));
    }
    if (times.kind == Times::Kind::kOne) return frame.keep(bytes_of(times.cells[0]));
    std::string list;
    cql_types::append_count(list, static_cast<std::int32_t>(times.cells.size()));
    for (const auto& cell : times.cells) {
      const auto one = bytes_of(cell);
      cql_types::append_part(list, one ? Part(*one) : std::nullopt);
    }
    return frame.keep(std::move(list));
  }

 private:
  Made bytes_of(const std::optional<CellTime>& cell) const {
    if (!cell || (ttl_ && cell->ttl_left == 0)) return std::nullopt;
    std::string out;
    if (ttl_)
      append_be(out, cell->ttl_left);
    else
      append_be(out, cell->timestamp);
    return out;
  }

  bool ttl_, max_;
  NodePtr selected_;
};

class RenamedNode : public PartNode {
 public:
  using PartNode::PartNode;
  Outcome<Part> value(Frame& frame) const override { return selected().value(frame); }
  Outcome<Times> times(Frame& frame) const override { return selected().times(frame); }
  Outcome<void> check_group_by() const override { return selected().check_group_by(); }
};

}  // namespace

NodePtr column_node(const cql_schema::Column& column, std::size_t place, FunctionPtr mask,
                    std::vector<Made> mask_arguments) {
  return std::make_shared<ColumnNode>(column, place, std::move(mask), std::move(mask_arguments));
}

NodePtr term_node(std::string name, TypePtr type, int slot) {
  return std::make_shared<TermNode>(std::move(name), std::move(type), slot);
}

Outcome<NodePtr> call_node(const FunctionPtr& function, std::vector<NodePtr> arguments,
                           Parts& parts) {
  std::vector<std::string> names;
  for (const auto& argument : arguments) names.push_back(argument->name());
  auto name = function->column_name(names);
  if (function->is_aggregate()) {
    if (any_aggregates(arguments))
      return invalid("aggregate functions cannot be used as arguments of aggregate functions");
    parts.aggregates.push_back(function);
    parts.aggregated.push_back(arguments.empty() ? nullptr : arguments[0]);
    return std::make_shared<AggregateNode>(std::move(name), function->result,
                                           parts.aggregates.size() - 1);
  }
  const bool folded = function->pure && !arguments.empty() && all_terminal(arguments);
  auto call = std::make_shared<CallNode>(name, function, std::move(arguments));
  if (!folded) return call;
  return term_node(std::move(name), function->result, parts.slot({nullptr, call, "", ""}));
}

NodePtr composite_node(std::string name, TypePtr type, std::vector<NodePtr> items) {
  return std::make_shared<CompositeNode>(std::move(name), std::move(type), std::move(items));
}

NodePtr field_node(std::string name, NodePtr selected, std::size_t field) {
  return std::make_shared<FieldNode>(std::move(name), std::move(selected), field);
}

NodePtr element_node(std::string name, NodePtr selected, int key) {
  const Type& type = *selected->type();
  return std::make_shared<ElementNode>(
      std::move(name), type.kind == Kind::kMap ? type.parameters[1] : type.parameters[0], selected,
      key);
}

NodePtr slice_node(std::string name, NodePtr selected, int from, int to) {
  return std::make_shared<SliceNode>(std::move(name), selected, from, to);
}

NodePtr times_node(const std::string& function, NodePtr selected) {
  auto type = native_type(function == "ttl" ? Kind::kInt : Kind::kBigint);
  if (selected->type()->is_multi_cell() && function != "maxwritetime")
    type = cql_types::list_of(type, true);
  return std::make_shared<TimesNode>(function, std::move(type), std::move(selected));
}

NodePtr renamed_node(std::string name, TypePtr type, NodePtr node) {
  return std::make_shared<RenamedNode>(std::move(name), std::move(type), std::move(node));
}

}  // namespace tailrace::cql_terms
