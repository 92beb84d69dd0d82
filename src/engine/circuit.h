// A flow's circuit: incremental operators (DBSP, Budiu et al., VLDB 2023) from a FlowPlan. Feed
// deltas, get a delta.
//
// make → restore state lazily from the Store → step … step → save → step …
// One thread at a time. After any sequence of steps the sum of the outputs equals the query over
// the sum of the inputs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/kept_result.h"
#include "engine/plan.h"
#include "kv/store.h"

namespace tailrace::engine {

/// A row that did not make it, with the reason; it goes to the dead letters.
struct Reject {
  enum class Kind { kError, kExpectation, kLate };
  Kind kind;
  std::string reason;  ///< error sentence, or what was broken
  Batch row;  ///< one row in `row`'s own schema: the output row, or the input row of the failing
              ///< operator
  std::string expectations = {};  ///< names of the broken ones, joined by ", "
};

struct ExpectationCount {
  std::int64_t passed = 0;
  std::int64_t failed = 0;
};

struct StepOutput {
  Delta delta;  ///< consolidated change to the flow's table
  std::vector<Reject> rejects;
  /// Of `rejects`, the first row that broke an expectation with action kFail: `delta` is empty, and
  /// the circuit must be thrown away.
  std::optional<std::size_t> broken = {};
  std::vector<ExpectationCount> expectations;  ///< by FlowPlan::expectations, of this step
  /// With CircuitOptions::kept: what goes with the rows of these keys, also of rows that are there
  /// already and not in `delta`. The bytes live until the circuit's next call.
  std::vector<KeptNote> notes;
};

struct CircuitOptions {
  std::size_t state_cache_bytes =
      64 << 20;  ///< over all traces; above it clean entries are dropped after a save
  /// State made with one cannot be used without it, nor the other way round.
  std::optional<KeptResult> kept = std::nullopt;
};

class Circuit {
 public:
  /// State lives in `store` under `prefix`, which nobody else writes.
  static Result<std::unique_ptr<Circuit>> make(FlowPlan plan, kv::Store& store, std::string prefix,
                                               CircuitOptions options = {});
  virtual ~Circuit() = default;

  /// inputs[i] is the change to relation FlowPlan::inputs[i]; an absent (null rows) delta is no
  /// change. After an error the circuit must be thrown away.
  virtual Result<StepOutput> step(const std::vector<Delta>& inputs, std::int64_t now_us) = 0;

  /// Writes every change of state since the last save.
  virtual Status save() = 0;

  /// The current watermark in microseconds, if the flow has one.
  virtual std::optional<std::int64_t> watermark_us() const = 0;
  virtual std::size_t state_bytes() const = 0;
};

}  // namespace tailrace::engine
