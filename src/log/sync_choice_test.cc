// What is cheaper is chosen, and who had to wait for others is not tried again at once.
#include "log/sync_choice.h"

#include <gtest/gtest.h>

namespace tailrace::log {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(SyncChoice, many_files_go_together_and_one_goes_alone) {
  SyncChoice choice;
  EXPECT_FALSE(choice.together(1, seconds(0)));
  EXPECT_TRUE(choice.together(8, seconds(0)));
}

TEST(SyncChoice, who_had_to_wait_for_others_goes_alone_for_a_while) {
  SyncChoice choice;
  choice.took(true, 8, seconds(1), seconds(10));
  EXPECT_FALSE(choice.together(8, seconds(14)));
  EXPECT_TRUE(choice.together(8, seconds(15)));
}

TEST(SyncChoice, what_is_cheaper_is_learnt) {
  SyncChoice choice;
  for (int i = 0; i < 100; ++i) choice.took(false, 4, microseconds(40), seconds(0));
  EXPECT_FALSE(choice.together(4, seconds(0)));
  for (int i = 0; i < 100; ++i) choice.took(false, 4, microseconds(4000), seconds(0));
  EXPECT_TRUE(choice.together(4, seconds(0)));
  for (int i = 0; i < 100; ++i) choice.took(true, 4, microseconds(5000), seconds(0));
  EXPECT_FALSE(choice.together(4, seconds(0)));
}

}  // namespace
}  // namespace tailrace::log
