// The state of one aggregate call over the groups of a step: open the groups, read the results, add
// the change, read the results again; the operator gives out the difference.
#pragma once

#include <memory>
#include <span>

#include "engine/grouping.h"
#include "engine/operator.h"
#include "engine/plan.h"

namespace tailrace::engine {

/// The change of one call's argument: a row's group, its weight after FILTER (0 when out), its
/// value.
struct CallChange {
  const EncodedRows& keys;  ///< of its group, by row
  const Grouping& groups;
  Array values;  ///< null for COUNT(*)
  std::vector<Weight> weights;
};

/// The states of all linear calls of a step: a row of cells a group, in one piece.
struct CellMatrix {
  std::vector<char> bytes;
  std::size_t stride = 0;

  char* at(std::size_t group, std::size_t offset) { return bytes.data() + group * stride + offset; }
  const char* at(std::size_t group, std::size_t offset) const {
    return bytes.data() + group * stride + offset;
  }
  std::size_t groups() const { return stride == 0 ? 0 : bytes.size() / stride; }
};

/// An aggregate that is a sum over rows, so a change adds to fixed cells: COUNT, SUM, AVG, STDDEV,
/// VARIANCE.
class LinearAggregate {
 public:
  virtual ~LinearAggregate() = default;
  virtual std::size_t cell_size() const = 0;  ///< a multiple of 8; a cell of zeros is the empty sum
  virtual Status add(const CallChange& change, CellMatrix& cells, std::size_t offset) const = 0;
  /// One value a group; overflow gives null and names the group in `errors`.
  virtual Result<Array> results(const CellMatrix& cells, std::size_t offset,
                                std::vector<RowError>& errors) const = 0;
};

/// An aggregate with a trace of its own: MIN, MAX, FIRST, LAST, COLLECT_LIST, COLLECT_SET.
class KeyedAggregate {
 public:
  virtual ~KeyedAggregate() = default;
  /// The results of groups now; called for the groups of a change before it is added.
  virtual Result<Array> results(std::span<const std::string_view> groups,
                                std::span<const std::uint64_t> hashes) = 0;
  virtual Status add(const CallChange& change) = 0;
  /// Drops all state of these groups.
  virtual Status forget(std::span<const std::string_view> groups,
                        std::span<const std::uint64_t> hashes) = 0;
  virtual Trace& trace() = 0;
};

/// kUnimplemented, naming the call's place, for a type the aggregate does not take.
Result<std::unique_ptr<LinearAggregate>> make_linear(const AggregateCall& call);
bool is_linear(AggregateCall::Kind kind);

/// Smallest or greatest, first or last of an input that only grows: one value a group.
std::unique_ptr<KeyedAggregate> make_extreme(const AggregateCall& call, TraceHome home);
/// The same, and lists and sets, of an input that may retract: every value with its count.
std::unique_ptr<KeyedAggregate> make_ordered(const AggregateCall& call, TraceHome home);

}  // namespace tailrace::engine
