// What of a source's settings is blanked, and what must still be read.
#include "connect/secrets.h"

#include <gtest/gtest.h>

namespace tailrace::connect {
namespace {

TEST(Secrets, values_from_outside_are_blanked_wherever_they_stand) {
  const Secrets secrets({"tok/en+1"}, "http://h/tok/en+1");
  EXPECT_EQ(secrets.shown_url("http://h/tok/en+1?x=tok%2Fen%2B1"), "http://h/***?x=***");
  EXPECT_EQ(secrets.shown_text("timed out: http://h/tok/en+1", "http://h/tok/en+1"),
            "timed out: http://h/***");
}

TEST(Secrets, user_password_and_token_like_queries_are_blanked) {
  const Secrets secrets({}, "http://u:p@h/a?api_key=1&n=2");
  EXPECT_EQ(secrets.shown_url("http://u:p@h/a?api_key=1&n=2"), "http://h/a?api_key=***&n=2");
}

TEST(Secrets, the_host_stays_even_when_the_whole_url_came_from_outside) {
  const std::string url = "http://u:p@host:81/secret/path?n=1";
  const Secrets secrets({url}, url);
  EXPECT_EQ(secrets.shown_url(url), "http://host:81***");
  const Secrets host({"host:81"}, url);
  EXPECT_EQ(host.shown_text("connection refused by host:81", url), "connection refused by host:81");
}

TEST(Secrets, short_values_are_no_secrets) {
  EXPECT_EQ(Secrets({"50"}, "http://h/?n=50").shown_url("http://h/?n=50"), "http://h/?n=50");
}

}  // namespace
}  // namespace tailrace::connect
