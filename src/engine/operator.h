// The incremental operators' common face. The circuit calls step() of each in order, inputs before
// users; then, when the watermark moved, close() and step() with what closing gave; then, at a
// checkpoint, saves their traces.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/circuit.h"
#include "engine/trace.h"

namespace tailrace::engine {

/// What a step knows beside its inputs.
struct StepContext {
  std::int64_t now_us = 0;
  std::optional<std::int64_t> watermark_us;  ///< of earlier steps
  std::vector<Reject>* rejects = nullptr;
};

/// Deltas are Z-sets, not consolidated. A virtual call a batch, never a row.
class Operator {
 public:
  virtual ~Operator() = default;
  /// The change of the output for these changes of the inputs; an input may be empty (null rows).
  virtual Result<Delta> step(std::span<const Delta> inputs, StepContext& context) = 0;
  /// The watermark is now context.watermark_us: what comes out for that alone.
  virtual Result<Delta> close(StepContext&) { return Delta{}; }
  virtual std::vector<Trace*> traces() { return {}; }
};

/// Gives an operator homes for its traces, numbered in the order they are asked for: prefix,
/// operator (2 bytes, big endian), trace (1 byte), then the trace's own keys.
class TraceHomes {
 public:
  TraceHomes(kv::Store& store, std::string prefix, bool fresh)
      : store_(store), prefix_(std::move(prefix)), fresh_(fresh) {}
  void begin_operator(std::uint16_t number) {
    operator_ = number;
    next_ = 0;
  }
  TraceHome next() {
    std::string prefix = prefix_;
    prefix += static_cast<char>(operator_ >> 8);
    prefix += static_cast<char>(operator_ & 0xFF);
    prefix += static_cast<char>(next_++);
    return {&store_, std::move(prefix), fresh_};
  }

 private:
  kv::Store& store_;
  std::string prefix_;
  bool fresh_;
  std::uint16_t operator_ = 0;
  std::uint8_t next_ = 0;
};

}  // namespace tailrace::engine
