// The circuit: operators in an order where inputs come before their users; a node that several
// others name runs once.
//
// A step runs every operator once; then, when the watermark moved, operators close what it passed
// and those after them run on that alone. State: prefix 0x00 holds the layout's version; prefix
// 0x01 the operators' traces (operator.h).
#include "engine/circuit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/deadline.h"
#include "engine/expectations.h"
#include "engine/operators/operators.h"
#include "engine/rows.h"

namespace tailrace::engine {
namespace {

constexpr std::string_view kLayout = "3";

struct Node {
  const Plan* plan;
  OperatorPtr op;  ///< null for a source
  std::vector<std::size_t> inputs;
};

class PlanCircuit final : public Circuit {
 public:
  PlanCircuit(FlowPlan plan, kv::Store& store, std::string prefix, CircuitOptions options)
      : plan_(std::move(plan)),
        store_(store),
        prefix_(std::move(prefix)),
        options_(std::move(options)) {}

  Status build() {
    if (options_.kept) first_rows_kept_ = first_rows_kept(*plan_.root, options_.kept->key);
    if (first_rows_kept_) left_.kept = &*options_.kept;
    ASSIGN(const auto found, store_.get(layout_key()));
    if (found && *found != layout()) {
      return error(
          Code::kFailedPrecondition,
          fmt::format("the flow's state has layout {}, this program writes {}: recompute the flow",
                      *found, layout()));
    }
    fresh_ = !found.has_value();
    TraceHomes homes(store_, prefix_ + '\x01', fresh_);
    ASSIGN(root_, add(plan_.root, homes));
    for (const Node& node : nodes_) {
      if (!node.op) continue;
      for (Trace* trace : node.op->traces()) traces_.push_back(trace);
    }
    for (WatermarkOperator* follower : followers_) TRY(follower->restore());
    watermark_us_ = seen_us();
    return {};
  }

  Result<StepOutput> step(const std::vector<Delta>& inputs, std::int64_t now_us) override {
    StepOutput output;
    StepContext context{now_us, watermark_us_, &output.rejects};
    std::vector<Delta> out;
    ASSIGN(out.emplace_back(), run(inputs, context, false));
    const auto seen = seen_us();
    if (seen && (!watermark_us_ || *seen > *watermark_us_)) {
      watermark_us_ = context.watermark_us = seen;
      ASSIGN(out.emplace_back(), run({}, context, true));
    }
    ASSIGN(out.emplace_back(), taken_back());
    ASSIGN(Delta all, concat(out, plan_.root->schema));
    ASSIGN(output.delta, consolidate(std::move(all)));
    output.notes = std::exchange(left_.notes, {});
    TRY(hold_to(plan_.expectations, now_us, output));
    return output;
  }

  Status save() override {
    kv::BulkWriter writer(store_);
    if (fresh_) writer.put(layout_key(), layout());
    fresh_ = false;
    for (Trace* trace : traces_) trace->save(writer);
    TRY(writer.finish());
    if (state_bytes() <= options_.state_cache_bytes) return {};
    for (Trace* trace : traces_) trace->evict();
    return {};
  }

  std::optional<std::int64_t> watermark_us() const override { return watermark_us_; }
  std::size_t state_bytes() const override {
    std::size_t bytes = 0;
    for (const Trace* trace : traces_) bytes += trace->size_bytes();
    return bytes;
  }

 private:
  std::string layout_key() const { return prefix_ + '\0'; }
  std::string layout() const {
    return std::string(kLayout) + (first_rows_kept_ ? " without first rows" : "");
  }

  /// The kept rows that gave way to others in this step.
  Result<Delta> taken_back() {
    if (left_.replaced.empty()) return Delta{};
    Delta gone;
    ASSIGN(gone.rows, options_.kept->find(left_.replaced));
    gone.weights.assign(static_cast<std::size_t>(gone.rows->num_rows()), -1);
    left_.replaced.clear();
    return gone;
  }

  Result<std::size_t> add(const PlanPtr& plan, TraceHomes& homes) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].plan == plan.get()) return i;
    }
    Node node{plan.get(), nullptr, {}};
    for (const PlanPtr& input : plan->inputs) {
      ASSIGN(node.inputs.emplace_back(), add(input, homes));
    }
    homes.begin_operator(static_cast<std::uint16_t>(nodes_.size()));
    ASSIGN(node.op, make_operator(*plan, homes));
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
  }

  Result<OperatorPtr> make_operator(const Plan& plan, TraceHomes& homes) {
    switch (plan.kind) {
      case Plan::Kind::kSource:
        return nullptr;
      case Plan::Kind::kProject:
        return make_project(plan);
      case Plan::Kind::kFilter:
        return make_filter(plan);
      case Plan::Kind::kAggregate:
        return plan.emit_by_group >= 0 ? make_windowed_aggregate(plan, homes)
                                       : make_aggregate(plan, homes);
      case Plan::Kind::kJoin:
        return make_join(plan, homes);
      case Plan::Kind::kUnionAll:
        return make_union_all(plan);
      case Plan::Kind::kDistinct:
        return make_distinct(plan, homes);
      case Plan::Kind::kTopN:
        if (plan.limit != 1 || !insert_only(*plan.inputs[0])) return make_top_n(plan, homes);
        return make_first_of(plan, homes, &plan == first_rows_kept_ ? &left_ : nullptr);
      case Plan::Kind::kExplode:
        return make_explode(plan);
      case Plan::Kind::kWatermark: {
        auto follower = make_watermark(plan, homes);
        followers_.push_back(follower.get());
        return follower;
      }
    }
    return error(Code::kInternal, "a plan node of no known kind");
  }

  /// Runs all operators over the inputs, or, `closing`, over what the new watermark lets out.
  Result<Delta> run(const std::vector<Delta>& inputs, StepContext& context, bool closing) {
    std::vector<Delta> outputs(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = nodes_[i];
      TRY(Deadline::check());
      if (!node.op) {
        if (closing) continue;
        ASSIGN(outputs[i], source(*node.plan, inputs));
        continue;
      }
      std::vector<Delta> changes;
      bool any = !closing;
      for (const std::size_t input : node.inputs) {
        changes.push_back(outputs[input]);
        any |= !outputs[input].empty();
      }
      std::vector<Delta> made(2);
      if (any) {
        ASSIGN(made[0], node.op->step(changes, context));
      }
      if (closing) {
        ASSIGN(made[1], node.op->close(context));
      }
      ASSIGN(outputs[i], concat(made, node.plan->schema));
    }
    return std::move(outputs[root_]);
  }

  Result<Delta> source(const Plan& plan, const std::vector<Delta>& inputs) const {
    CHECK(plan.source >= 0 && plan.source < static_cast<int>(inputs.size()));
    const Delta& delta = inputs[plan.source];
    if (insert_only(plan) && !delta.only_inserts()) {
      return error(Code::kInvalidArgument, fmt::format("[STREAMING_SOURCE] {} is read as a stream, "
                                                       "but a row of it was taken away or changed",
                                                       plan_.inputs[plan.source]));
    }
    return delta;
  }

  /// Where all watermarks are: the least, as in Spark; none while one stream has not begun.
  std::optional<std::int64_t> seen_us() const {
    std::optional<std::int64_t> least;
    for (const WatermarkOperator* follower : followers_) {
      const auto seen = follower->seen_us();
      if (!seen) return std::nullopt;
      least = std::min(least.value_or(*seen), *seen);
    }
    return least;
  }

  FlowPlan plan_;
  kv::Store& store_;
  std::string prefix_;
  CircuitOptions options_;
  std::vector<Node> nodes_;
  const Plan* first_rows_kept_ = nullptr;  ///< the node that leaves its rows to options_.kept
  LeftToTable left_;
  std::size_t root_ = 0;
  std::vector<WatermarkOperator*> followers_;
  std::vector<Trace*> traces_;
  std::optional<std::int64_t> watermark_us_;
  bool fresh_ = true;
};

}  // namespace

Result<std::unique_ptr<Circuit>> Circuit::make(FlowPlan plan, kv::Store& store, std::string prefix,
                                               CircuitOptions options) {
  auto circuit = std::make_unique<PlanCircuit>(std::move(plan), store, std::move(prefix), options);
  TRY(circuit->build());
  return circuit;
}

}  // namespace tailrace::engine
