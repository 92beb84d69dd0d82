// Random tokens and first messages, judged as Kafka's own validators and its own parser judged them
// (tests/real/kafka_tokens/Tokens.java wrote testdata/tokens.txt).
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "auth/oauth_bearer.h"
#include "auth/web_token.h"
#include "base/base64.h"

namespace tailrace::auth {
namespace {

/// Between the times of the tokens that hold and those that are over.
rt::ManualClock& clock_of_the_tokens() {
  static rt::ManualClock clock(TimestampMs(1'790'000'000'000));
  return clock;
}

std::string plain(const std::string& word) {
  return word == "-" ? "" : decode_base64(word).value_or("?");
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> all;
  std::istringstream words(text);
  for (std::string one; std::getline(words, one, by);) all.push_back(one);
  return all;
}

std::string text_of(const CheckedToken& token) {
  if (!token) return "no";
  std::string scopes;
  for (const auto& scope : token->scopes) {
    scopes += (scopes.empty() ? "" : ",") + (scope.empty() ? "-" : encode_base64(scope));
  }
  return "yes " + std::to_string(token->expires_ms) + " " + encode_base64(token->subject) + " " +
         (scopes.empty() ? "-" : scopes);
}

class Tokens : public testing::Test {
 protected:
  /// The rest of the lines that begin so.
  template <typename Each>
  static int each_of(const std::string& kind, Each each) {
    std::ifstream file("src/auth/testdata/tokens.txt");
    EXPECT_TRUE(file);
    int number = 0;
    int found = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      const auto space = line.find(' ');
      if (line.substr(0, space) != kind) continue;
      ++found;
      SCOPED_TRACE(number);
      each(line.substr(space + 1));
    }
    return found;
  }

  static JsonWebKeys keys() {
    JsonWebKeys keys;
    each_of("keys", [&](const std::string& json) { keys = JsonWebKeys::parse(json).value(); });
    return keys;
  }
};

TEST_F(Tokens, signed_ones_are_judged_as_kafka_judges_them) {
  const auto known = keys();
  std::ifstream file("src/auth/testdata/tokens.txt");
  TokenRules rules;
  int good = 0;
  int bad = 0;
  for (std::string line; std::getline(file, line);) {
    const auto words = split(line, ' ');
    if (words[0] == "rules") {
      rules = {.audiences = split(words[1] == "-" ? "" : words[1], ','),
               .issuer = std::nullopt,
               .scope_claim = words[3],
               .subject_claim = words[4]};
      if (words[2] != "-") rules.issuer = words[2];
    }
    if (words[0] != "signed") continue;
    const auto token = check_token(words[1], known, rules, clock_of_the_tokens());
    EXPECT_EQ(text_of(token), line.substr(line.find(' ', 8) + 1))
        << line << "\n"
        << (token ? "" : token.error().why);
    ++(token ? good : bad);
  }
  EXPECT_GT(good, 60);
  EXPECT_GT(bad, 300);
}

TEST_F(Tokens, unsecured_ones_are_judged_as_kafka_judges_them) {
  const int all = each_of("unsecured", [](const std::string& line) {
    const auto words = split(line, ' ');
    UnsecuredRules rules;
    rules.required_scopes = split(plain(words[0]), ' ');
    const auto token = check_unsecured_token(words[1], rules, clock_of_the_tokens());
    if (words[2] == "yes") {
      EXPECT_EQ(text_of(token), line.substr(line.find(" yes ") + 1));
    } else {
      ASSERT_FALSE(token) << line;
      // Where Kafka's validator itself fails there is no status.
      if (words[3] == "-") return;
      EXPECT_EQ(token.error().status, plain(words[3]));
      EXPECT_EQ(token.error().scope, plain(words[4]));
    }
  });
  EXPECT_GT(all, 500);
}

TEST_F(Tokens, first_messages_are_read_as_kafka_reads_them) {
  const int all = each_of("message", [](const std::string& line) {
    const auto words = split(line, ' ');
    const auto message = parse_bearer_message(plain(words[0]));
    ASSERT_EQ(message.has_value(), words[1] == "yes") << plain(words[0]);
    if (!message) return;
    EXPECT_EQ(message->authorize_as, plain(words[2]));
    EXPECT_EQ(message->token, plain(words[3]));
    EXPECT_EQ(parse_bearer_message(bearer_message(*message))->extensions, message->extensions);
  });
  EXPECT_GT(all, 500);
}

/// RFC 7515, appendix A.3 (ES256) and A.2 (RS256): what its example keys signed.
TEST(JsonWebKeys, verify_the_examples_of_their_standard) {
  const auto keys = JsonWebKeys::parse(R"({"keys":[
    {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
     "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}]})");
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 1U);
  const auto* algorithm = find_token_algorithm("ES256");
  const auto* key = keys->find(*algorithm, nullptr);
  ASSERT_NE(key, nullptr);
  const std::string text =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
      "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const auto signature = decode_base64(
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6+Xx+F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3+Kg6NU1Q");
  EXPECT_TRUE(key->verifies(*algorithm, text, *signature));
  EXPECT_FALSE(key->verifies(*algorithm, text + "A", *signature));
}

TEST(JsonWebKeys, are_refused_where_they_are_no_set) {
  for (const auto* text :
       {"", "[]", "{}", R"({"keys":5})", R"({"keys":[],"keys":[]})", "{\"keys\":["}) {
    EXPECT_FALSE(JsonWebKeys::parse(text)) << text;
  }
  EXPECT_EQ(JsonWebKeys::parse(R"({"keys":[5,{},{"kty":"RSA","n":"","e":"AQAB"}]})")->size(), 0U);
}

}  // namespace
}  // namespace tailrace::auth
