// Markers that are replayed: each ends its producer's transaction where it lies, and nowhere else.
#include <gtest/gtest.h>

#include "groups/groups.h"

namespace tailrace::groups {
namespace {

Record commit(const std::string& group, std::int64_t offset) {
  OffsetCommitValue value;
  value.offset = offset;
  return OffsetEntry{{group, "t", 0}, value};
}

TEST(Markers, end_a_transaction_in_the_groups_they_are_for) {
  Groups groups({}, [] { return std::string("name"); });
  const Producer producer{7, 0};
  groups.replay(commit("a", 1), producer);
  groups.replay(commit("b", 2), producer);
  const auto only = [](const std::string& name) {
    return [name](const std::string& group) { return group == name; };
  };
  groups.replay(AppendMarker{producer, true}, only("b"));
  EXPECT_EQ(groups.offsets().committed().size(), 1u);
  EXPECT_TRUE(groups.offsets().committed().contains({"b", "t", 0}));
  groups.replay(commit("b", 3), producer);
  groups.replay(AppendMarker{producer, false}, only("b"));
  groups.replay(AppendMarker{producer, true}, only("a"));
  EXPECT_EQ(groups.offsets().committed().at({"a", "t", 0}).offset, 1);
  EXPECT_EQ(groups.offsets().committed().at({"b", "t", 0}).offset, 2);
}

}  // namespace
}  // namespace tailrace::groups
