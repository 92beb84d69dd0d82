// How far names are from each other.
#include "base/edit_distance.h"

#include <gtest/gtest.h>

namespace tailrace {
namespace {

TEST(EditDistance, counts_what_is_put_in_taken_out_and_exchanged) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("saturday", "sunday"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
}

}  // namespace
}  // namespace tailrace
