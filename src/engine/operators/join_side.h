// One side of a join: its rows by (join key, row), and what a step changes of them.
#pragma once

#include "columns/row_codec.h"
#include "engine/grouping.h"
#include "engine/operator.h"

namespace tailrace::engine {

/// The value beside a side's key.
struct JoinHeld {
  Weight weight;   ///< how often the row is there
  Weight matched;  ///< sum of the weights of its matches; kept for the left side of a left join
  std::uint64_t row_at;  ///< where in the key the encoded row begins

  static JoinHeld read(std::string_view bytes) {
    JoinHeld held;
    std::memcpy(&held, bytes.data(), sizeof held);
    return held;
  }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
};

/// A side's change, by row and grouped by join key and by whole row.
struct JoinDelta {
  Delta input;             ///< rows with a key; never null rows
  Delta unmatched;         ///< rows whose key holds a null: they match nothing
  EncodedRows keys, rows;  ///< join keys; join keys followed by encoded rows
  Grouping by_key, by_row;
  std::vector<Weight> sums;  ///< of weights, by by_row's groups
};

/// Rows of a side that have one of a change's keys: those of by_key's group g are begins[g] …
/// begins[g + 1].
struct JoinMatches {
  Batch rows;
  std::vector<std::string> keys;
  std::vector<Weight> weights, matched;
  std::vector<std::uint64_t> row_at;
  std::vector<std::int64_t> begins;
};

class JoinSide {
 public:
  JoinSide(std::vector<ExprPtr> keys, Schema schema, TraceHome home)
      : keys_(std::move(keys)), schema_(std::move(schema)), rows_(std::move(home)) {}

  Result<JoinDelta> encode(const Delta& input, StepContext& context) const;
  /// Adds the change to the state.
  Status apply(const JoinDelta& delta);
  /// Rows of the state now that have a key of the other side's change.
  Result<JoinMatches> matches(const JoinDelta& other) const;
  OrderedTrace& trace() { return rows_; }

 private:
  std::vector<ExprPtr> keys_;
  Schema schema_;
  OrderedTrace rows_;
};

}  // namespace tailrace::engine
