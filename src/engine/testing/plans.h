// Plans written by hand, rows as plain values, and a circuit driven several ways: for the engine's
// tests.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/check.h"
#include "engine/circuit.h"

namespace tailrace::engine::testing {

/// A value as a test sees it: null, whole number (times too), real, or text (lists and structs
/// too).
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;
using Row = std::vector<Value>;
/// A Z-set of rows.
using Relation = std::map<Row, Weight>;

inline Value value_of(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return {};
  using namespace arrow;
  switch (scalar.type->id()) {
    case arrow::Type::BOOL:
      return std::int64_t{static_cast<const BooleanScalar&>(scalar).value};
    case arrow::Type::INT32:
      return std::int64_t{static_cast<const Int32Scalar&>(scalar).value};
    case arrow::Type::INT64:
      return static_cast<const Int64Scalar&>(scalar).value;
    case arrow::Type::TIMESTAMP:
      return static_cast<const TimestampScalar&>(scalar).value;
    case arrow::Type::DOUBLE:
      return static_cast<const DoubleScalar&>(scalar).value;
    case arrow::Type::STRING:
      return std::string(static_cast<const StringScalar&>(scalar).view());
    case arrow::Type::LIST: {
      std::string text;
      const auto& list = *static_cast<const ListScalar&>(scalar).value;
      for (std::int64_t i = 0; i < list.length(); ++i) {
        text += list.GetScalar(i).ValueOrDie()->ToString() + ",";
      }
      return text;
    }
    default:
      return scalar.ToString();
  }
}

inline void add_to(Relation& relation, const Delta& delta) {
  for (std::int64_t row = 0; row < delta.size(); ++row) {
    Row values;
    for (const Array& column : delta.rows->columns()) {
      values.push_back(value_of(*column->GetScalar(row).ValueOrDie()));
    }
    const auto at = relation.emplace(std::move(values), 0).first;
    at->second += delta.weight(row);
    if (at->second == 0) relation.erase(at);
  }
}

inline Array array_of(const Type& type, const std::vector<Row>& rows, std::size_t column) {
  auto builder = arrow::MakeBuilder(type).ValueOrDie();
  for (const Row& row : rows) {
    const Value& value = row[column];
    if (value.index() == 0) {
      CHECK(builder->AppendNull().ok());
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      CHECK(static_cast<arrow::StringBuilder&>(*builder).Append(*text).ok());
    } else if (const auto* real = std::get_if<double>(&value)) {
      CHECK(static_cast<arrow::DoubleBuilder&>(*builder).Append(*real).ok());
    } else {
      const auto scalar =
          arrow::Int64Scalar(std::get<std::int64_t>(value)).CastTo(type).ValueOrDie();
      CHECK(builder->AppendScalar(*scalar).ok());
    }
  }
  return builder->Finish().ValueOrDie();
}

inline Delta delta_of(const Schema& schema, const std::vector<Row>& rows,
                      std::vector<Weight> weights = {}) {
  if (rows.empty()) return {};
  std::vector<Array> columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    columns.push_back(array_of(schema->field(i)->type(), rows, i));
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  return {arrow::RecordBatch::Make(schema, count, std::move(columns)), std::move(weights)};
}

inline ExprPtr column(const Schema& schema, int index) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kColumn;
  expr->type = schema->field(index)->type();
  expr->column = index;
  return expr;
}

inline ExprPtr call(std::string name, std::vector<ExprPtr> args, Type type) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kCall;
  expr->type = std::move(type);
  expr->name = std::move(name);
  expr->args = std::move(args);
  return expr;
}

inline std::shared_ptr<Plan> node(Plan::Kind kind, Schema schema,
                                  std::vector<PlanPtr> inputs = {}) {
  auto plan = std::make_shared<Plan>();
  plan->kind = kind;
  plan->schema = std::move(schema);
  plan->inputs = std::move(inputs);
  return plan;
}

inline PlanPtr source(Schema schema, int index, bool streaming) {
  auto plan = node(Plan::Kind::kSource, std::move(schema));
  plan->source = index;
  plan->streaming = streaming;
  return plan;
}

/// A store in a folder of its own, gone with the test.
class TestStore {
 public:
  TestStore() {
    std::string name = std::filesystem::temp_directory_path() / "tailrace-engine-XXXXXX";
    CHECK(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    auto opened = kv::Store::open(folder_ + "/kv");
    CHECK(opened.has_value());
    store_ = std::move(*opened);
  }
  ~TestStore() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  kv::Store& operator*() { return *store_; }

 private:
  std::string folder_;
  std::unique_ptr<kv::Store> store_;
};

/// A circuit that can be saved, and made anew from what it saved.
class DrivenCircuit {
 public:
  DrivenCircuit(FlowPlan plan, kv::Store& store, std::string prefix, CircuitOptions options = {})
      : plan_(std::move(plan)), store_(store), prefix_(std::move(prefix)), options_(options) {
    restore();
  }
  void restore() {
    circuit_.reset();
    auto made = Circuit::make(plan_, store_, prefix_, options_);
    if (!made) ADD_FAILURE() << made.error().what;
    circuit_ = std::move(*made);
  }
  void save() { ASSERT_TRUE(circuit_->save()); }
  StepOutput step(const std::vector<Delta>& inputs) {
    auto output = circuit_->step(inputs, 0);
    if (!output) {
      ADD_FAILURE() << output.error().what;
      return {};
    }
    add_to(result_, output->delta);
    return std::move(*output);
  }
  const Relation& result() const { return result_; }
  Circuit& circuit() { return *circuit_; }

 private:
  FlowPlan plan_;
  kv::Store& store_;
  std::string prefix_;
  CircuitOptions options_;
  std::unique_ptr<Circuit> circuit_;
  Relation result_;
};

}  // namespace tailrace::engine::testing
