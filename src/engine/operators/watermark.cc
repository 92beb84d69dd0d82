// A watermark changes no row: Δ(A) = ΔA. State: the greatest event time ever added.
#include <algorithm>

#include "columns/column_view.h"
#include "engine/operators/operators.h"

namespace tailrace::engine {
namespace {

class Watermark final : public WatermarkOperator {
 public:
  Watermark(const Plan& plan, TraceHomes& homes)
      : column_(plan.column), delay_us_(plan.delay_us), trace_(homes.next()) {}

  Status restore() override {
    constexpr std::string_view kKey = "max";
    const std::uint64_t hash = PointTrace::hash_of(kKey);
    std::vector<PointTrace::Slot*> slots;
    TRY(trace_.open({&kKey, 1}, {&hash, 1}, slots));
    if (!slots[0]->present) return {};
    std::int64_t max_us;
    std::memcpy(&max_us, slots[0]->value().data(), sizeof max_us);
    max_us_ = max_us;
    return {};
  }

  Result<Delta> step(std::span<const Delta> inputs, StepContext&) override {
    if (inputs[0].empty()) return Delta{};
    ASSIGN(const ColumnView times, view_column(*inputs[0].rows->column_data(column_)));
    std::optional<std::int64_t> max = max_us_;
    for (std::int64_t row = 0; row < inputs[0].size(); ++row) {
      if (times.is_null(row) || inputs[0].weight(row) <= 0) continue;
      std::int64_t time;
      std::memcpy(&time, times.fixed(row, sizeof time), sizeof time);
      if (!max || time > *max) max = time;
    }
    if (max != max_us_) TRY(remember(*max));
    max_us_ = max;
    return inputs[0];
  }

  std::optional<std::int64_t> seen_us() const override {
    if (!max_us_) return std::nullopt;
    return *max_us_ - delay_us_;
  }
  std::vector<Trace*> traces() override { return {&trace_}; }

 private:
  Status remember(std::int64_t max_us) {
    constexpr std::string_view kKey = "max";
    const std::uint64_t hash = PointTrace::hash_of(kKey);
    std::vector<PointTrace::Slot*> slots;
    TRY(trace_.open({&kKey, 1}, {&hash, 1}, slots));
    trace_.put(*slots[0], {reinterpret_cast<const char*>(&max_us), sizeof max_us});
    return {};
  }

  int column_;
  std::int64_t delay_us_;
  PointTrace trace_;
  std::optional<std::int64_t> max_us_;
};

}  // namespace

std::unique_ptr<WatermarkOperator> make_watermark(const Plan& plan, TraceHomes& homes) {
  return std::make_unique<Watermark>(plan, homes);
}

}  // namespace tailrace::engine
