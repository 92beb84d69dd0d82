// Which texts of variables and connections are secrets.
#include "metadata/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::metadata {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SecretsTest, names_are_compared_in_lower_case_with_underscores) {
  EXPECT_TRUE(sounds_secret("MY_PASSWORD"));
  EXPECT_TRUE(sounds_secret("x-api-key"));
  EXPECT_TRUE(sounds_secret("Private  Key"));
  EXPECT_FALSE(sounds_secret("colour"));
  EXPECT_FALSE(sounds_secret("pass word"));
}

TEST(SecretsTest, a_variable_is_secret_by_its_name_or_by_those_of_its_members) {
  EXPECT_THAT(secrets_of("db_password", "swordfish"), ElementsAre("swordfish"));
  EXPECT_THAT(secrets_of("colour", "green"), IsEmpty());
  EXPECT_THAT(secrets_of("conf", R"({"user": "u", "password": "swordfish", "port": 5})"),
              ElementsAre("swordfish"));
  EXPECT_THAT(secrets_of("conf", R"({"in": [{"token": ["first", "other"]}]})"),
              ElementsAre("first", "other"));
  EXPECT_THAT(secrets_of("my_secret", R"(["first"])"), ElementsAre(R"(["first"])", "first"));
  EXPECT_THAT(secrets_of("conf", "{not json"), IsEmpty());
}

TEST(SecretsTest, a_connection_has_its_password_its_extra_and_members_of_it) {
  const Connection one{
      .id = "c", .password = "swordfish", .extra = R"({"token": "t0ken", "a": "b"})"};
  EXPECT_THAT(secrets_of(one),
              ElementsAre("swordfish", R"({"token": "t0ken", "a": "b"})", "t0ken"));
}

}  // namespace
}  // namespace tailrace::metadata
