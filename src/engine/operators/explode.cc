// Unnesting is linear: Δ(explode(A)) = explode(ΔA): each element of a row's array becomes a row of
// the row's weight.
#include "columns/column_view.h"
#include "engine/evaluation.h"
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

class Explode final : public Operator {
 public:
  explicit Explode(const Plan& plan)
      : schema_(plan.schema),
        exprs_(plan.exprs),
        outer_(plan.outer),
        with_position_(plan.with_position) {}

  Result<Delta> step(std::span<const Delta> inputs, StepContext& context) override {
    if (inputs[0].empty()) return Delta{};
    ASSIGN(const Evaluated in, evaluate_all(exprs_, inputs[0], context));
    ASSIGN(const ColumnView lists, view_column(*in.values[0]->data()));
    Elements elements = find_elements(lists, in.input.size());
    if (elements.rows.empty()) return Delta{};
    ASSIGN(Delta out, take(in.input, elements.rows));
    std::vector<Array> columns = out.rows->columns();
    if (with_position_) {
      ASSIGN(Array positions, from_arrow(elements.positions.Finish()));
      columns.push_back(std::move(positions));
    }
    TRY(append_elements(*in.values[0], elements, columns));
    const std::int64_t rows = out.size();
    out.rows = batch_of(schema_, std::move(columns), rows);
    return out;
  }

 private:
  struct Elements {
    std::vector<std::int64_t> rows;  ///< input row
    arrow::Int64Builder places;      ///< place in the array of elements; null for an outer row
    arrow::Int32Builder positions;
  };

  Elements find_elements(const ColumnView& lists, std::int64_t rows) const {
    Elements out;
    for (std::int64_t row = 0; row < rows; ++row) {
      const bool null = lists.is_null(row);
      const std::int64_t begin = null ? 0 : lists.list_begin(row);
      const std::int64_t end = null ? 0 : lists.list_end(row);
      for (std::int64_t at = begin; at < end; ++at) {
        out.rows.push_back(row);
        (void)out.places.Append(at);
        (void)out.positions.Append(static_cast<std::int32_t>(at - begin));
      }
      if (begin == end && outer_) {
        out.rows.push_back(row);
        (void)out.places.AppendNull();
        (void)out.positions.AppendNull();
      }
    }
    return out;
  }

  /// An array gives one column, a map two: key and value.
  static Status append_elements(const arrow::Array& lists, Elements& elements,
                                std::vector<Array>& columns) {
    const Array values = static_cast<const arrow::ListArray&>(lists).values();
    ASSIGN(const Array places, from_arrow(elements.places.Finish()));
    if (lists.type_id() != arrow::Type::MAP) return append_taken(values, *places, columns);
    const auto& entries = static_cast<const arrow::StructArray&>(*values);
    TRY(append_taken(entries.field(0), *places, columns));
    return append_taken(entries.field(1), *places, columns);
  }
  static Status append_taken(const Array& values, const arrow::Array& places,
                             std::vector<Array>& columns) {
    ASSIGN(Array taken, take_nullable(values, places));
    columns.push_back(std::move(taken));
    return {};
  }

  Schema schema_;
  std::vector<ExprPtr> exprs_;
  bool outer_, with_position_;
};

}  // namespace

OperatorPtr make_explode(const Plan& plan) {
  return std::make_unique<Explode>(plan);
}

}  // namespace tailrace::engine
