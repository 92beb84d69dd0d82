// Passwords of a file, and of users whose SCRAM credentials are kept.
#include "auth/passwords.h"

#include <gtest/gtest.h>

#include "auth/digest.h"

namespace tailrace::auth {
namespace {

ScramUsers::Key key(const char* user) {
  return {user, ScramMechanism::kSha256};
}

ScramCredential credential(std::string_view password) {
  const std::string salt = random_bytes(16);
  const auto salted = salted_password(ScramMechanism::kSha256, password, salt, kLeastIterations);
  return credential_of(ScramMechanism::kSha256, salted, salt, kLeastIterations);
}

TEST(Passwords, users_of_a_file_have_passwords_and_roles) {
  auto users = parse_users("# who may\n\nalice: secret,admin, reader\r\nbob=x\n");
  ASSERT_TRUE(users);
  const Passwords passwords(std::move(*users));
  EXPECT_TRUE(passwords.is_right("alice", "secret"));
  EXPECT_TRUE(passwords.is_right("bob", "x"));
  EXPECT_FALSE(passwords.is_right("alice", "Secret"));
  EXPECT_FALSE(passwords.is_right("alice", ""));
  EXPECT_FALSE(passwords.is_right("carol", ""));
  EXPECT_FALSE(passwords.is_right("carol", " "));
  EXPECT_TRUE(passwords.has_role("alice", {"other", "reader"}));
  EXPECT_FALSE(passwords.has_role("bob", {"reader"}));
}

TEST(Passwords, a_line_that_is_no_user_is_named_without_what_is_in_it) {
  for (const char* bad : {"alice: a\nmallory", "alice: a\nmallory:", "alice: a\nmallory: MD5:90ab",
                          "alice: a\nalice: mallory"}) {
    const auto users = parse_users(bad);
    ASSERT_FALSE(users) << bad;
    EXPECT_TRUE(users.error().what.starts_with("line 2: ")) << users.error().what;
    EXPECT_EQ(users.error().what.find("mallory"), std::string::npos);
    EXPECT_EQ(users.error().what.find("90ab"), std::string::npos);
  }
}

TEST(Passwords, scram_users_log_in_and_a_changed_password_counts_at_once) {
  const std::string folder = testing::TempDir() + "passwords_test";
  ScramUsers users(folder);
  ASSERT_TRUE(users.open());
  ASSERT_TRUE(users.change({{key("alice"), credential("one")}}));
  const Passwords passwords(users);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(passwords.is_right("alice", "one"));
    EXPECT_FALSE(passwords.is_right("alice", "two"));
    EXPECT_FALSE(passwords.is_right("bob", "one"));
  }
  ASSERT_TRUE(users.change({{key("alice"), credential("two")}}));
  EXPECT_FALSE(passwords.is_right("alice", "one"));
  EXPECT_TRUE(passwords.is_right("alice", "two"));
  ASSERT_TRUE(users.change({{key("alice"), std::nullopt}}));
  EXPECT_FALSE(passwords.is_right("alice", "two"));
}

}  // namespace
}  // namespace tailrace::auth
