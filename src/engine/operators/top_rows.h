// The rows of partitions in their order, of which only the first few are ever asked for.
//
// Of each partition the first rows are held in order ("near"), up to a bound; the rows from the
// bound on are set aside unsorted (cold_rows.h), or dropped when rows only come. When retractions
// leave fewer near rows than the limit, those set aside are read again, and more are then held near
// the more there are, so that each is read again O(1) times a retraction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/cold_rows.h"
#include "engine/grouping.h"
#include "engine/operator.h"
#include "engine/operators/ordering.h"

namespace tailrace::engine {

/// A row among the first of its partition: `count` times, from `rank` on. The row begins at
/// `row_at` of the key.
struct Place {
  std::string key;
  std::uint64_t row_at;
  std::int64_t rank;
  Weight count;
};

class TopRows {
 public:
  /// `limit`: rows asked for of each partition.
  TopRows(std::int64_t limit, bool rows_only_come, TraceHomes& homes);

  struct Change {
    std::vector<Place> before, after;
  };
  /// Takes in a step's rows: the first rows of each partition it touched, before and after.
  Result<std::vector<Change>> apply(const Ordered& in);
  std::vector<Trace*> traces() { return {&near_, &parts_, &cold_}; }

 private:
  /// What is known of a partition, kept in parts_.
  struct Part {
    ColdRows::Blocks cold;
    std::int64_t near = 0;     ///< keys held near
    std::int64_t reserve = 0;  ///< of them beyond the limit, as far as there are so many
    bool bounded = false;
    std::string bound;  ///< keys from here on are set aside
  };
  /// A partition's keys of a step: [begin, end) of step_.
  struct Run {
    std::size_t group, begin, end;
    Part part;
  };
  struct StepRow {
    std::string_view key;
    std::uint64_t row_at;
    std::size_t group;
    Weight weight;
  };

  Status sum_up(const Ordered& in);
  Result<std::vector<Run>> open_runs();
  /// Lowers the bound where the step alone brings more rows than are held near.
  Status lower_bound(Run& run);
  Status load_near(const std::vector<Run>& runs);
  void put(Run& run);
  /// Holds as many rows near as it should.
  Status settle(Run& run);
  Status trim(Run& run, std::int64_t kept);
  Status refill(Run& run);
  void set_near(Part& part, std::string_view key, std::uint64_t row_at, Weight weight);
  void set_aside(Run& run, std::string_view key, Weight weight);
  Result<std::vector<Place>> first_places(std::string_view partition) const;
  std::int64_t near_limit(const Part& part) const;
  std::string_view partition_of(const Run& run) const { return groups_.keys()[run.group]; }
  static Part read_part(const PointTrace::Slot& slot);
  void write_part(const Run& run);

  std::int64_t limit_;
  bool rows_only_come_;
  OrderedTrace near_;
  PointTrace parts_;
  ColdRows cold_;
  Grouping groups_, keys_;
  EncodedRows step_keys_;
  std::vector<PointTrace::Slot*> slots_;
  std::vector<StepRow> step_;
};

}  // namespace tailrace::engine
