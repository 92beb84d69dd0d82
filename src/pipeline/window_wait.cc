#include "pipeline/window_wait.h"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace tailrace::pipeline {
namespace {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;

std::string time_text(std::int64_t us) {
  const date::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(us)};
  return date::format("%F %T", date::floor<std::chrono::milliseconds>(time));
}

const Expr* window_call(const ExprPtr& expr) {
  if (!expr) return nullptr;
  if (expr->kind == Expr::Kind::kCall && expr->name == "window") return expr.get();
  for (const ExprPtr& arg : expr->args)
    if (const Expr* found = window_call(arg)) return found;
  return nullptr;
}

/// What the plan says of closing groups, from its whole tree.
struct Closing {
  bool waits = false;
  std::int64_t delay_us = 0;
  const Expr* window = nullptr;
};

void look(const Plan& plan, Closing& closing) {
  if (plan.kind == Plan::Kind::kAggregate && plan.emit_by_group >= 0) closing.waits = true;
  if (plan.kind == Plan::Kind::kWatermark)
    closing.delay_us = std::max(closing.delay_us, plan.delay_us);
  for (const ExprPtr& expr : plan.exprs)
    if (!closing.window) closing.window = window_call(expr);
  for (const engine::PlanPtr& input : plan.inputs) look(*input, closing);
}

/// The end of the window that holds `time_us`, by the window function itself.
std::optional<std::int64_t> window_end(const Expr& window, std::int64_t time_us) {
  Expr call = window;
  auto column = std::make_shared<Expr>();
  column->kind = Expr::Kind::kColumn;
  column->type = timestamp_type();
  column->column = 0;
  call.args[0] = column;
  arrow::TimestampBuilder builder(timestamp_type(), arrow::default_memory_pool());
  Array times;
  if (!builder.Append(time_us).ok() || !builder.Finish(&times).ok()) return std::nullopt;
  const Schema schema = arrow::schema({arrow::field("time", timestamp_type())});
  engine::EvalContext context;
  const auto made = evaluate(call, *arrow::RecordBatch::Make(schema, 1, {times}), context);
  if (!made || !context.errors.empty() || (*made)->IsNull(0)) return std::nullopt;
  const auto& ends = *static_cast<const arrow::StructArray&>(**made).field(1);
  return static_cast<const arrow::TimestampArray&>(ends).Value(0);
}

}  // namespace

std::string waits_for(const engine::FlowPlan& plan, std::optional<std::int64_t> watermark_us) {
  Closing closing;
  look(*plan.root, closing);
  if (!closing.waits) return {};
  if (!watermark_us) return "no window has closed: no row with an event time has come yet";
  const std::int64_t newest_us = *watermark_us + closing.delay_us;
  std::int64_t end_us = newest_us;
  if (closing.window) end_us = window_end(*closing.window, newest_us).value_or(newest_us);
  return fmt::format(
      "no window has closed: the watermark is at {}, it must pass {}; a row of {} or later does it",
      time_text(*watermark_us), time_text(end_us), time_text(end_us + closing.delay_us));
}

}  // namespace tailrace::pipeline
