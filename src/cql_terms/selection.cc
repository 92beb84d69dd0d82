// Selections of whole statements, and their evaluation row by row.
#include "cql_terms/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "cql_terms/selectable.h"
#include "cql_types/json.h"

namespace tailrace::cql_terms {

using cql_schema::ColumnKind;
using cql_types::invalid;
using cql_types::Kind;

namespace {

struct Selected {
  Parts parts;
  std::vector<NodePtr> nodes;
  std::vector<std::string> names;  // with aliases, where they are
  bool json = false;
};

class Evaluator : public Evaluation {
 public:
  Evaluator(std::shared_ptr<const Selected> selected, const Bindings& bindings)
      : selected_(std::move(selected)), bindings_(bindings) {
    for (const auto& function : selected_->parts.aggregates)
      accumulators_.push_back(function->accumulator());
  }

  Outcome<void> begin() override {
    if (begun_) return {};
    begun_ = true;
    for (const auto& slot : selected_->parts.slots) {
      ASSIGN(const auto value, value_of(slot));
      if (value.is_null() && !slot.if_null.empty()) return invalid(slot.if_null);
      if (value.is_unset() && !slot.if_unset.empty()) return invalid(slot.if_unset);
      constants_.push_back(value);
    }
    return {};
  }

  Outcome<void> row(std::span<const InputValue> values, std::string& out) override {
    TRY(begin());
    made_.clear();
    if (accumulators_.empty()) return emit(values, out);
    if (!first_) keep(values);
    auto frame = frame_of(values, made_);
    for (std::size_t i = 0; i < accumulators_.size(); ++i) {
      const auto& argument = selected_->parts.aggregated[i];
      Part part = std::string_view();  // a row, as count(*) counts them
      if (argument) {
        ASSIGN(part, argument->value(frame));
      }
      TRY(accumulators_[i]->add(part));
    }
    return {};
  }

  Outcome<void> end_group(std::string& out) override {
    TRY(begin());
    if (accumulators_.empty()) return {};
    made_.clear();
    if (!first_) first_ = std::vector<InputValue>(selected_->parts.fetched.size());
    const auto done = emit(*first_, out);
    first_.reset();
    kept_.clear();
    kept_cells_.clear();
    return done;
  }

 private:
  Frame frame_of(std::span<const InputValue> row, std::list<std::string>& made) {
    return {row, bindings_, made, constants_, accumulators_};
  }

  Outcome<Value> value_of(const Slot& slot) {
    if (slot.term) return slot.term->bind(bindings_);
    auto frame = frame_of({}, folded_);
    ASSIGN(const auto part, slot.node->value(frame));
    return part ? Value::of(*part) : Value{};
  }

  // The first row of a group, which outlives what it was read from.
  void keep(std::span<const InputValue> values) {
    first_.emplace();
    for (const auto& value : values) {
      InputValue kept;
      if (value.value) kept.value = kept_.emplace_back(*value.value);
      if (!value.cells.empty())
        kept.cells = kept_cells_.emplace_back(value.cells.begin(), value.cells.end());
      first_->push_back(kept);
    }
  }

  Outcome<void> emit(std::span<const InputValue> row, std::string& out) {
    auto frame = frame_of(row, made_);
    if (selected_->json) return emit_json(frame, out);
    for (const auto& node : selected_->nodes) {
      ASSIGN(const auto part, node->value(frame));
      cql_types::append_part(out, part);
    }
    return {};
  }

  Outcome<void> emit_json(Frame& frame, std::string& out) {
    std::string json = "{";
    for (std::size_t i = 0; i < selected_->nodes.size(); ++i) {
      if (i > 0) json += ", ";
      cql_types::append_json_string(json, selected_->names[i]);
      json += ": ";
      ASSIGN(const auto part, selected_->nodes[i]->value(frame));
      ASSIGN(const auto text, cql_types::to_json(*selected_->nodes[i]->type(), part));
      json += text;
    }
    json += "}";
    cql_types::append_part(out, json);
    return {};
  }

  std::shared_ptr<const Selected> selected_;
  const Bindings& bindings_;
  std::vector<std::unique_ptr<Accumulator>> accumulators_;
  std::vector<Value> constants_;
  std::list<std::string> folded_;  // values of constants
  std::list<std::string> made_;    // values of this row
  std::optional<std::vector<InputValue>> first_;
  std::list<std::string> kept_;
  std::deque<std::vector<CellTime>> kept_cells_;
  bool begun_ = false;
};

class SelectionOf : public Selection {
 public:
  SelectionOf(Selected selected, const cql_schema::Table& table)
      : selected_(std::make_shared<const Selected>(std::move(selected))) {
    std::vector<ColumnSpec> columns;
    const auto add = [&](std::string name, TypePtr type) {
      columns.push_back({table.keyspace, table.name, std::move(name), std::move(type)});
    };
    plain_ = !selected_->json && selected_->nodes.size() == selected_->parts.fetched.size();
    for (std::size_t i = 0; i < selected_->nodes.size(); ++i) {
      const auto& node = *selected_->nodes[i];
      plain_ = plain_ && node.column() == static_cast<int>(i);
      if (!selected_->json) add(selected_->names[i], node.type());
    }
    if (selected_->json) add("[json]", cql_types::native_type(Kind::kText));
    columns_ = std::make_shared<const std::vector<ColumnSpec>>(std::move(columns));
  }

  const std::vector<Fetched>& fetched() const override { return selected_->parts.fetched; }
  const std::shared_ptr<const std::vector<ColumnSpec>>& columns() const override {
    return columns_;
  }
  bool has_aggregates() const override { return !selected_->parts.aggregates.empty(); }
  bool plain() const override { return plain_; }
  std::unique_ptr<Evaluation> evaluate(const Bindings& bindings) const override {
    return std::make_unique<Evaluator>(selected_, bindings);
  }

 private:
  std::shared_ptr<const Selected> selected_;
  std::shared_ptr<const std::vector<ColumnSpec>> columns_;
  bool plain_ = false;
};

// Names with capitals stay in quotes in JSON, so that INSERT … JSON reads them back.
std::string json_column(const std::string& name) {
  const bool capitals =
      std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return capitals ? "\"" + name + "\"" : name;
}

Outcome<void> add_all_columns(const cql_schema::Table& table, const Scope& scope,
                              Selected& selected) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& column = table.columns[i];
    ASSIGN(auto mask, mask_of(column, table, scope));
    const auto place = selected.parts.fetch(static_cast<int>(i), false);
    selected.nodes.push_back(
        column_node(column, place, std::move(mask.first), std::move(mask.second)));
    selected.names.push_back(column.name);
  }
  return {};
}

}  // namespace

Outcome<std::shared_ptr<const Selection>> select(const cql_syntax::Select& statement,
                                                 const cql_schema::Table& table,
                                                 const Scope& scope) {
  Selected selected;
  selected.json = statement.json;
  if (statement.selectors.empty()) TRY(add_all_columns(table, scope, selected));
  for (const auto& selector : statement.selectors) {
    ASSIGN(const auto written, Selectable::of(selector.expression, table, scope));
    ASSIGN(auto node, written.build(nullptr, selected.parts));
    selected.names.push_back(selector.alias.empty() ? node->name() : selector.alias);
    selected.nodes.push_back(std::move(node));
  }
  if (selected.json)
    for (auto& name : selected.names) name = json_column(name);
  return std::make_shared<const SelectionOf>(std::move(selected), table);
}

Outcome<void> check_distinct(const Selection& selection, const cql_schema::Table& table,
                             bool key_range) {
  const auto& fetched = selection.fetched();
  for (const auto& one : fetched) {
    const auto& column = table.columns[static_cast<std::size_t>(one.column)];
    if (column.kind != ColumnKind::kPartitionKey && column.kind != ColumnKind::kStatic)
      return invalid(
          fmt::format("SELECT DISTINCT queries must only request partition key columns and/or "
                      "static columns (not {})",
                      column.name));
  }
  for (int i = 0; key_range && i < table.partition_columns; ++i)
    if (std::none_of(fetched.begin(), fetched.end(),
                     [&](const Fetched& one) { return one.column == i; }))
      return invalid(fmt::format(
          "SELECT DISTINCT queries must request all the partition key columns (missing {})",
          table.partition_column(i).name));
  return {};
}

Outcome<std::shared_ptr<const Selection>> group_by(const cql_syntax::Expression& expression,
                                                   const cql_schema::Table& table,
                                                   const Scope& scope) {
  Scope unmasked = scope;
  unmasked.unmask = true;
  ASSIGN(const auto written, Selectable::of(expression, table, unmasked));
  Selected selected;
  const auto& function = written.function();
  if (!function && written.column() < 0)
    return invalid(
        "Only column names and monotonic scalar functions are supported in the GROUP BY "
        "clause.");
  if (function && function->is_aggregate())
    return invalid(
        "Aggregate functions are not supported within the GROUP BY clause, got: system." +
        function->name);
  ASSIGN(auto node, written.build(nullptr, selected.parts));
  const auto& fetched = selected.parts.fetched;
  if (fetched.empty())
    return invalid("GROUP BY functions must have one clustering column name as parameter");
  const auto column_of = [&](const Fetched& one) -> const cql_schema::Column& {
    return table.columns[static_cast<std::size_t>(one.column)];
  };
  if (fetched.size() > 1) {
    std::vector<std::string> names;
    for (const auto& one : fetched)
      names.push_back(cql_types::quoted_if_needed(column_of(one).name));
    return invalid(
        fmt::format("GROUP BY functions accept only one clustering column as parameter, got: {}",
                    fmt::join(names, ",")));
  }
  const auto& column = column_of(fetched[0]);
  if (function && column.kind != ColumnKind::kClustering)
    return invalid("Group by functions are only supported on clustering columns, got " +
                   column.name);
  if (column.kind != ColumnKind::kClustering && column.kind != ColumnKind::kPartitionKey)
    return invalid("Group by is currently only supported on the columns of the PRIMARY KEY, got " +
                   column.name);
  TRY(node->check_group_by());
  selected.names.push_back(node->name());
  selected.nodes.push_back(std::move(node));
  return std::make_shared<const SelectionOf>(std::move(selected), table);
}

}  // namespace tailrace::cql_terms
