// Hashes are those of jBCrypt, which Cassandra uses.
#include "cql_roles/passwords.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace tailrace::cql_roles {
namespace {

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

TEST(Passwords, what_jbcrypt_hashed_is_recognised_and_nothing_else_is) {
  std::ifstream lines("src/cql_roles/testdata/jbcrypt.txt");
  int seen = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string hex, hash;
    words >> hex >> hash;
    const std::string password = from_hex(hex == "-" ? "" : hex);
    EXPECT_TRUE(is_password(password, hash)) << line;
    EXPECT_FALSE(is_password("b" + password, hash)) << line;
    std::string other = hash;
    other.back() = other.back() == 'a' ? 'b' : 'a';
    EXPECT_FALSE(is_password(password, other)) << line;
    ++seen;
  }
  EXPECT_GT(seen, 20);
}

TEST(Passwords, a_password_is_hashed_as_cassandra_does_each_time_with_another_salt) {
  const std::string hash = hash_password("pässword");
  EXPECT_TRUE(hash.starts_with("$2a$10$"));
  EXPECT_EQ(hash.size(), 60U);
  EXPECT_TRUE(is_password("pässword", hash));
  EXPECT_FALSE(is_password("passwort", hash));
  EXPECT_NE(hash_password("pässword"), hash);
}

TEST(Passwords, nobody_gets_in_by_the_beginning_of_a_password_with_a_nul) {
  const std::string hash = hash_password(std::string("a\0b", 3));
  EXPECT_FALSE(is_password("a", hash));
  EXPECT_FALSE(is_password(std::string("a\0b", 3), hash));
}

TEST(Passwords, hashes_that_would_take_long_are_told_from_those_that_are_none) {
  const std::string rest = "$aU1MrMbXHIrikVpjIbOEue5QrzGypgvB9EcD32LT5Ok0zjVt21Cee";
  EXPECT_EQ(form_of_hash("$2a$04" + rest), HashForm::kUsable);
  EXPECT_EQ(form_of_hash("$2a$14" + rest), HashForm::kUsable);
  EXPECT_EQ(form_of_hash("$2a$15" + rest), HashForm::kTooSlow);
  EXPECT_EQ(form_of_hash("$2a$30" + rest), HashForm::kTooSlow);
  for (const char* none : {"$2a$03", "$2a$31", "$2a$99", "$2a$x4", "$2b$04", "$1$04", "", "$2a$"})
    EXPECT_EQ(form_of_hash(none + rest), HashForm::kNone) << none;
  EXPECT_EQ(form_of_hash("$2a$04$short"), HashForm::kNone);
  EXPECT_FALSE(is_password("hidden", "$2a$30" + rest));  // and takes no time
}

}  // namespace
}  // namespace tailrace::cql_roles
