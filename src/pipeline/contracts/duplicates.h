// How many values occur more than once, exactly as GROUP BY … HAVING count(*) > 1 counts them, in
// bounded memory: values are read as often as it takes.
//
//   DuplicateCount count(bytes); do { for each value: count.add(value); } while (count.again());
//   count.found()
//
// A value is kept as 127 bits of its hash, each once, with a bit that says it came again. Where
// they do not fit, a pass keeps those whose hash is below a bound, which falls as memory fills, and
// the next pass begins there. Two of a billion values have one hash with a chance of 1 : 10^20.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tailrace::pipeline {

class DuplicateCount {
 public:
  /// At least a kilobyte.
  explicit DuplicateCount(std::size_t memory_bytes);

  /// In each pass every value, in any order.
  void add(std::string_view value);
  /// Ends the pass. Whether another one is needed.
  bool again();
  /// Values that occurred more than once, of all passes.
  std::int64_t found() const { return found_; }

 private:
  struct Seen {
    std::uint64_t high = 0;
    std::uint64_t low = 0;  ///< its last bit: more than once
  };
  /// Each value once.
  void join();
  /// Room for more: values joined, and the bound lowered while that is not enough.
  void make_room();

  std::size_t capacity_;
  std::vector<Seen> seen_;
  std::uint64_t from_ = 0, last_ = UINT64_MAX;  ///< the pass keeps hashes from … last
  std::int64_t found_ = 0;
};

}  // namespace tailrace::pipeline
