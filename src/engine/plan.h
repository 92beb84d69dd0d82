// A flow's query as a tree of relational operators: what sql/ makes and Circuit::make (circuit.h)
// turns into incremental operators. Each node says its output schema; expressions name the columns
// of their input by number.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "columns/row_codec.h"
#include "engine/expr.h"

namespace tailrace::engine {

struct Plan;
using PlanPtr = std::shared_ptr<const Plan>;

struct AggregateCall {
  enum class Kind {
    kCountStar,
    kCount,
    kSum,
    kAvg,
    kMin,
    kMax,
    kStddev,
    kVariance,
    kFirst,
    kLast,
    kCollectList,
    kCollectSet,
    kApproxCountDistinct
  };
  Kind kind;
  ExprPtr arg;  ///< null for kCountStar
  bool distinct = false;
  ExprPtr filter;  ///< FILTER (WHERE …), may be null
  Type type;
  std::string place;
};

/// A condition every row of a flow's output is held to.
struct Expectation {
  enum class Action { kWarn, kDrop, kFail };
  std::string name;
  ExprPtr condition;
  std::string text;  ///< as written, for reasons
  Action action = Action::kWarn;
};

struct Plan {
  enum class Kind {
    kSource,   ///< input relation `source` (index into the flow's inputs); `streaming` when read as
               ///< STREAM
    kProject,  ///< `exprs`
    kFilter,   ///< rows for which exprs[0] is true
    kAggregate,  ///< group by `exprs`, then `aggregates`; output: groups, then aggregates
    kJoin,  ///< inputs[0] ⋈ inputs[1] on left_keys = right_keys and `residual` over both sides'
            ///< columns
    kUnionAll,  ///< inputs of one schema
    kDistinct,  ///< each row once
    kTopN,  ///< first `limit` rows (all when absent) of each partition in `order`; with_rank adds
            ///< row_number INT
    kExplode,    ///< exprs[0] is an array or map: input columns then element, or key and value;
                 ///< `outer` keeps rows of empty arrays; with_position adds INT before it
    kWatermark,  ///< column `column` follows event time, at most `delay_us` late
  };
  Kind kind;
  Schema schema;
  std::vector<PlanPtr> inputs;

  int source = -1;
  bool streaming = false;
  bool append_only = false;  ///< kSource: it never retracts, however it is read
  std::vector<ExprPtr> exprs;
  std::vector<AggregateCall> aggregates;

  enum class JoinType { kInner, kLeft };
  JoinType join = JoinType::kInner;
  std::vector<ExprPtr> left_keys, right_keys;
  ExprPtr residual;

  std::vector<ExprPtr> partition;
  struct Order {
    ExprPtr expr;
    bool descending = false;
    bool nulls_first = true;
  };
  std::vector<Order> order;
  std::optional<std::int64_t> limit;
  bool with_rank = false;
  bool outer = false;
  bool with_position = false;
  int column = -1;
  std::int64_t delay_us = 0;
  /// kAggregate over a watermarked stream into a streaming table: a group comes out once, when its
  /// window's end (or its watermarked column) has passed; index of that group expression, else -1.
  /// Late rows go to the reject port.
  int emit_by_group = -1;
};

/// One flow: a query with the expectations of its table.
struct FlowPlan {
  PlanPtr root;
  std::vector<std::string> inputs;  ///< relation names, by Plan::source
  std::vector<Expectation> expectations;
};

}  // namespace tailrace::engine
