// The examples of the HTML standard's §9.2.6, in every way of being cut into pieces.
#include "connect/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tailrace::connect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> all(EventStream& stream, std::string_view text, std::size_t piece) {
  std::vector<std::string> found;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    stream.feed(text.substr(0, piece), [&](StreamEvent event) {
      found.push_back(event.type + "/" + event.last_id + "/" + event.data +
                      (event.problem.empty() ? "" : "!"));
    });
  return found;
}

std::vector<std::string> all(std::string_view text, std::size_t piece = 1) {
  EventStream stream(100);
  return all(stream, text, piece);
}

TEST(EventStream, reads_the_standards_examples) {
  for (std::size_t piece = 1; piece < 90; ++piece) {
    EXPECT_THAT(all("data: YHOO\ndata: +2\ndata: 10\n\n", piece),
                ElementsAre("message//YHOO\n+2\n10"));
    EXPECT_THAT(
        all(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
            "data:  third event\n\n",
            piece),
        ElementsAre("message/1/first event", "message//second event", "message// third event"));
    EXPECT_THAT(all("data\n\ndata\ndata\n\ndata:", piece), ElementsAre("message//", "message//\n"));
    EXPECT_THAT(all("data:test\n\ndata: test\n\n", piece),
                ElementsAre("message//test", "message//test"));
    EXPECT_THAT(all("event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\n"
                    "data: 113411\n\n",
                    piece),
                ElementsAre("add//73857293", "remove//2153", "add//113411"));
  }
}

TEST(EventStream, takes_every_end_of_line_a_bom_and_unknown_fields) {
  for (std::size_t piece = 1; piece < 60; ++piece)
    EXPECT_THAT(all("\xEF\xBB\xBF"
                    "data: a\r\ndata: b\r\n\r\nfoo: x\rdata: c\r\rid: 7\rdata: d\n\r",
                    piece),
                ElementsAre("message//a\nb", "message//c", "message/7/d"))
        << piece;
}

TEST(EventStream, an_id_without_data_counts_and_one_with_a_nul_does_not) {
  EventStream stream(100);
  EXPECT_THAT(all(stream, "id: 5\n\n", 3), ElementsAre());
  EXPECT_EQ(stream.last_id(), "5");
  EXPECT_THAT(all(stream, std::string_view("id: a\0b\ndata: x\n\nid: 6\nda", 25), 4),
              ElementsAre("message/5/x"));
  EXPECT_EQ(stream.last_id(), "5");
  stream.reconnect();
  EXPECT_THAT(all(stream, "data: y\n\n", 2), ElementsAre("message/5/y"));
}

TEST(EventStream, retry_is_a_whole_number_of_milliseconds) {
  EventStream stream(100);
  all(stream, "retry: 1x\nretry: -1\nretry:\n\n", 5);
  EXPECT_EQ(stream.retry_ms(), std::nullopt);
  all(stream, "retry: 2500\n", 5);
  EXPECT_EQ(stream.retry_ms(), 2500);
}

TEST(EventStream, one_that_is_too_large_has_a_problem_and_its_neighbours_none) {
  for (std::size_t piece : {1, 7, 1000}) {
    EventStream stream(10);
    EXPECT_THAT(
        all(stream, "data: a\n\nid: 2\ndata: " + std::string(500, 'x') + "\ndata: y\n\ndata: b\n\n",
            piece),
        ElementsAre("message//a", "message/2/xxxxxxxxxx!", "message/2/b"));
  }
}

}  // namespace
}  // namespace tailrace::connect
