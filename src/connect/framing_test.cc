// Messages of a stream, however it is cut into pieces.
#include "connect/framing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tailrace::connect {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

/// "!message" is one with a problem.
std::vector<std::string> all(Framing& framing, std::string_view bytes, std::size_t piece) {
  std::vector<std::string> found;
  const auto take = [&](std::string_view message, std::string_view problem) {
    found.push_back((problem.empty() ? "" : "!") + std::string(message));
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    framing.feed(bytes.substr(0, piece), take);
  framing.end(take);
  return found;
}

TEST(LineFraming, gives_lines_whatever_the_pieces) {
  for (std::size_t piece = 1; piece < 40; ++piece)
    EXPECT_THAT(all(*line_framing(100), "one\r\ntwo\n\n  \nthree {}\n\rfour", piece),
                ElementsAre("one", "two", "three {}", "\rfour"))
        << piece;
}

TEST(LineFraming, a_line_that_is_too_long_is_cut_and_its_neighbours_stay) {
  const std::string text = "12345\n123456789\n12345678\r\nlast\n" + std::string(99, 'x');
  for (std::size_t piece = 1; piece < 140; ++piece)
    EXPECT_THAT(all(*line_framing(8), text, piece),
                ElementsAre("12345", "!12345678", "12345678", "last", "!xxxxxxxx"))
        << piece;
}

// RFC 6587 §3.4.1, §3.4.2; RFC 5425 §4.3.
TEST(SyslogFraming, tells_counted_messages_and_lines_apart) {
  const std::string text =
      std::string("5 <1>ab<2>line\n7 <3>a\nb,12 <4>count\nand<5>by nul\0<6>x\r\n", 54) + "\n4 <7>z";
  for (std::size_t piece = 1; piece < 64; ++piece)
    EXPECT_THAT(
        all(*syslog_framing(100), text, piece),
        ElementsAre("<1>ab", "<2>line", "<3>a\nb,", "<4>count\nand", "<5>by nul", "<6>x", "<7>z"))
        << piece;
}

TEST(SyslogFraming, a_wrong_length_costs_its_own_message_alone) {
  // The last one's end is missing.
  for (std::size_t piece = 1; piece < 64; ++piece) {
    EXPECT_THAT(all(*syslog_framing(10), "20 <1>aaaaaaaaaaaaaaaaa<2>x\n3 <3>99 <4>", piece),
                ElementsAre("!<1>aaaaaaa", "<2>x", "<3>", "!<4>"))
        << piece;
    EXPECT_THAT(all(*syslog_framing(20), "3x of garbage\n<2>x\n1234567890 y\n77", piece),
                ElementsAre("3x of garbage", "<2>x", "1234567890 y", "!77"))
        << piece;
  }
}

TEST(SyslogFraming, a_great_length_takes_no_memory) {
  const auto framing = syslog_framing(1000);
  std::vector<std::string> found;
  const auto take = [&](std::string_view message, std::string_view problem) {
    found.emplace_back(problem);
    EXPECT_EQ(message, "<1>");
  };
  framing->feed("999999999 <1>", take);
  EXPECT_TRUE(found.empty());
  framing->end(take);
  EXPECT_THAT(found, ElementsAre(StartsWith("the connection ended 999999996 bytes before")));
}

}  // namespace
}  // namespace tailrace::connect
