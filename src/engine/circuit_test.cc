// Watermarks, late rows, expectations and refusals of a whole circuit.
#include "engine/circuit.h"

#include "engine/testing/plans.h"

namespace tailrace::engine {
namespace {

using namespace testing;

constexpr std::int64_t kSecond = 1'000'000;

Schema event_schema() {
  return arrow::schema({arrow::field("t", timestamp_type()), arrow::field("v", arrow::int64())});
}

/// Sum of v by event time t (each second a group of its own), at most five seconds late.
FlowPlan sums_by_time() {
  const Schema in = event_schema();
  auto watermark = node(Plan::Kind::kWatermark, in, {source(in, 0, true)});
  watermark->column = 0;
  watermark->delay_us = 5 * kSecond;
  auto sums = node(Plan::Kind::kAggregate, in, {watermark});
  sums->exprs = {column(in, 0)};
  sums->aggregates = {
      {AggregateCall::Kind::kSum, column(in, 1), false, nullptr, arrow::int64(), ""},
      {AggregateCall::Kind::kMax, column(in, 1), false, nullptr, arrow::int64(), ""}};
  sums->schema = arrow::schema({in->field(0), in->field(1), in->field(1)});
  sums->emit_by_group = 0;
  return {sums, {"events"}, {}};
}

Row event(std::int64_t second, std::int64_t value) {
  return {second * kSecond, value};
}
Row sum(std::int64_t second, std::int64_t value, std::int64_t max) {
  return {second * kSecond, value, max};
}
Delta events(std::vector<Row> rows) {
  return delta_of(event_schema(), rows);
}

TEST(Circuit, a_group_comes_out_once_when_the_watermark_passes_it) {
  TestStore store;
  DrivenCircuit circuit(sums_by_time(), *store, "w/");
  circuit.step({events({event(1, 10), event(1, 5), event(3, 1)})});
  EXPECT_TRUE(circuit.result().empty());
  EXPECT_EQ(circuit.circuit().watermark_us(), -2 * kSecond);
  circuit.save();
  circuit.restore();
  circuit.step({events({event(1, 7), event(6, 2)})});
  EXPECT_EQ(circuit.result(), (Relation{{sum(1, 22, 10), 1}}));
  EXPECT_EQ(circuit.circuit().watermark_us(), 1 * kSecond);
  circuit.save();
  circuit.restore();
  circuit.step({events({event(20, 1)})});
  EXPECT_EQ(circuit.result(),
            (Relation{{sum(1, 22, 10), 1}, {sum(3, 1, 1), 1}, {sum(6, 2, 2), 1}}));
}

TEST(Circuit, a_late_row_is_rejected_by_the_watermark_of_earlier_steps) {
  TestStore store;
  DrivenCircuit circuit(sums_by_time(), *store, "w/");
  // In the step that moves the watermark an old row is not late yet.
  EXPECT_TRUE(circuit.step({events({event(20, 1), event(2, 4)})}).rejects.empty());
  EXPECT_EQ(circuit.result(), (Relation{{sum(2, 4, 4), 1}}));
  const StepOutput late = circuit.step({events({event(2, 5), event(16, 1)})});
  ASSERT_EQ(late.rejects.size(), 1u);
  EXPECT_EQ(late.rejects[0].kind, Reject::Kind::kLate);
  EXPECT_THAT(late.rejects[0].reason, ::testing::HasSubstr("00:00:15"));
  EXPECT_THAT(late.rejects[0].reason, ::testing::HasSubstr("00:00:02"));
  EXPECT_EQ(circuit.result(), (Relation{{sum(2, 4, 4), 1}}));
}

/// The input itself, held to "flag" (column 1 is true).
FlowPlan held(Expectation::Action action) {
  const Schema in =
      arrow::schema({arrow::field("v", arrow::int64()), arrow::field("flag", arrow::boolean())});
  return {source(in, 0, false), {"rows"}, {{"flagged", column(in, 1), "flag", action}}};
}
Row flagged(std::int64_t v, std::int64_t flag) {
  return {v, flag};
}

TEST(Circuit, a_broken_expectation_drops_the_row_and_its_retraction_in_silence) {
  TestStore store;
  const FlowPlan plan = held(Expectation::Action::kDrop);
  DrivenCircuit circuit(plan, *store, "e/");
  const Row unknown = {std::int64_t{3}, Value{}};
  const std::vector<Row> rows = {flagged(1, 1), flagged(2, 0), unknown};
  const StepOutput added = circuit.step({delta_of(plan.root->schema, rows)});
  ASSERT_EQ(added.rejects.size(), 2u);
  EXPECT_EQ(added.rejects[0].reason, "expectation flagged (flag)");
  EXPECT_EQ(added.expectations[0].passed, 1);
  EXPECT_EQ(added.expectations[0].failed, 2);
  const StepOutput gone = circuit.step({delta_of(plan.root->schema, rows, {-1, -1, -1})});
  EXPECT_TRUE(gone.rejects.empty());
  EXPECT_EQ(gone.expectations[0].failed, 0);
  EXPECT_TRUE(circuit.result().empty());
}

TEST(Circuit, an_expectation_warns_or_fails_as_told) {
  TestStore store;
  const FlowPlan warns = held(Expectation::Action::kWarn);
  DrivenCircuit circuit(warns, *store, "warn/");
  const Delta delta = delta_of(warns.root->schema, {flagged(7, 0)});
  const StepOutput output = circuit.step({delta});
  EXPECT_EQ(output.expectations[0].failed, 1);
  EXPECT_EQ(output.delta.size(), 1);
  auto fails = *Circuit::make(held(Expectation::Action::kFail), *store, "fail/");
  const auto broken = fails->step({delta}, 0);
  ASSERT_TRUE(broken);
  ASSERT_TRUE(broken->broken);
  const Reject& row = broken->rejects[*broken->broken];
  EXPECT_EQ(row.expectations, "flagged");
  EXPECT_EQ(row.reason, "expectation flagged (flag)");
  EXPECT_THAT(row.row->ToString(), ::testing::HasSubstr("7"));
  EXPECT_TRUE(broken->delta.empty());
  EXPECT_EQ(broken->expectations[0].failed, 1);
}

TEST(Circuit, a_stream_that_retracts_is_refused) {
  TestStore store;
  const Schema in = event_schema();
  auto circuit = *Circuit::make({source(in, 0, true), {"events"}, {}}, *store, "s/");
  const auto output = circuit->step({delta_of(in, {event(1, 1)}, {-1})}, 0);
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error().what, ::testing::HasSubstr("events"));
}

}  // namespace
}  // namespace tailrace::engine
