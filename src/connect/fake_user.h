// One record in the shape of randomuser.me: record n of a seed is always the same text, found
// without those before it.
#pragma once

#include <cstdint>
#include <string>

namespace tailrace::connect {

struct FakeFaults {
  double duplicates = 0;  ///< shares of records that repeat an earlier one,
  double bad_json = 0;    ///< that are cut off,
  double null_ids = 0;    ///< whose login.uuid is null,
  double late = 0;        ///< whose timestamp is an hour old
};

class FakeUsers {
 public:
  FakeUsers(std::uint64_t seed, FakeFaults faults) : seed_(seed), faults_(faults) {}

  struct Made {
    std::size_t uuid_at = 0;  ///< in `out`; 36 bytes; 0 when the id is null
    bool late = false;
  };

  /// Appends record `number` to `out`.
  Made append(std::int64_t number, std::string& out) const;

 private:
  std::uint64_t seed_;
  FakeFaults faults_;
};

}  // namespace tailrace::connect
