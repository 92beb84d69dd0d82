// Which records of an answer are new, and where the next request goes: conversations as text.
#include "connect/http_position.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tailrace::connect {
namespace {

/// Answers with records {"t": time}; gives the times that were taken.
class Conversation {
 public:
  explicit Conversation(HttpPaging paging) : paging_(std::move(paging)) {
    position = paging_.fresh();
  }

  std::string take(const std::vector<std::string>& times, const std::string& next = "") {
    std::vector<std::string> elements;
    for (const auto& time : times) elements.push_back(fmt::format("{{\"t\":\"{}\"}}", time));
    const std::string body = next.empty() ? "{}" : fmt::format("{{\"next\":\"{}\"}}", next);
    const HttpTaken taken = take_answer(paging_, body, elements, position);
    more = taken.more;
    std::string found;
    for (const std::size_t i : taken.fresh) found += times[i] + " ";
    position = *parse_http_position(encode_http_position(position), {});  // as after a restart
    return found;
  }

  HttpPosition position;
  bool more = false;

 private:
  HttpPaging paging_;
};

HttpPaging paging(bool by_page, bool by_cursor, bool by_since, std::int64_t page_size = 0) {
  HttpPaging made{by_page, by_cursor, by_since, 1, page_size, {}, {}};
  if (by_cursor) made.cursor = *JsonPath::parse("$.next");
  if (by_since) made.since = *JsonPath::parse("$.t");
  return made;
}

TEST(HttpPosition, a_short_page_is_asked_for_again_and_only_what_is_new_is_taken) {
  Conversation api(paging(true, false, false, 3));
  EXPECT_EQ(api.take({"a", "b", "c"}), "a b c ");
  EXPECT_TRUE(api.more);
  EXPECT_EQ(api.position.page, 2);
  EXPECT_EQ(api.take({"d"}), "d ");
  EXPECT_FALSE(api.more);
  EXPECT_EQ(api.take({"d", "e", "f"}), "e f ");
  EXPECT_TRUE(api.more);
  EXPECT_EQ(api.position.page, 3);
  EXPECT_EQ(api.take({}), "");
  EXPECT_FALSE(api.more);
}

TEST(HttpPosition, the_last_page_by_cursor_is_asked_for_again) {
  Conversation api(paging(false, true, false));
  EXPECT_EQ(api.take({"a", "b"}, "two"), "a b ");
  EXPECT_TRUE(api.more);
  EXPECT_EQ(api.take({"c"}), "c ");
  EXPECT_FALSE(api.more);
  EXPECT_EQ(api.take({"c", "d"}, "three"), "d ");
  EXPECT_EQ(api.position.cursor, "three");
}

TEST(HttpPosition, since_may_mean_from_or_after) {
  Conversation api(paging(false, false, true));
  EXPECT_EQ(api.take({"2", "1", "2 "}), "2 1 2  ");
  EXPECT_EQ(api.position.since.value, "2 ");
  EXPECT_EQ(api.take({"2 "}), "");
  EXPECT_EQ(api.take({"2 ", "3"}), "3 ");
  EXPECT_EQ(api.take({"4"}), "4 ");
}

TEST(HttpPosition, numbers_are_compared_as_numbers) {
  SinceMark mark;
  mark.note("9", 1);
  mark.note("10", 2);
  EXPECT_EQ(mark.value, "10");
  EXPECT_TRUE(mark.holds("10", 2));
  EXPECT_FALSE(mark.holds("10", 1));
}

TEST(HttpPosition, a_sweep_of_pages_keeps_its_since_and_the_next_begins_at_the_first_page) {
  Conversation api(paging(true, false, true, 2));
  EXPECT_EQ(api.take({"1", "2"}), "1 2 ");
  EXPECT_EQ(api.position.since.value, "");
  EXPECT_EQ(api.position.page, 2);
  EXPECT_EQ(api.take({"3"}), "3 ");
  EXPECT_EQ(api.position.since.value, "3");
  EXPECT_EQ(api.position.page, 1);
  EXPECT_EQ(api.take({"3", "4"}), "4 ");
}

TEST(HttpPosition, a_damaged_position_is_refused) {
  EXPECT_FALSE(parse_http_position("{\"page\":1}", {}));
  EXPECT_FALSE(parse_http_position("nonsense", {}));
}

}  // namespace
}  // namespace tailrace::connect
