// Damaged messages of a login, in any order: none crashes, and none lets anybody in who does not
// know the secret. TAILRACE_FUZZ_SECONDS goes on for longer, TAILRACE_FUZZ_SEED begins elsewhere.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "auth/digest.h"
#include "auth/oauth_bearer.h"
#include "kafka/sasl.h"

namespace tailrace::kafka {
namespace {

using auth::ScramMechanism;

/// Tokens by the keys of auth's test data, which hold until 2100.
class RecordedTokens final : public auth::TokenChecker {
 public:
  RecordedTokens() {
    std::ifstream file("src/auth/testdata/tokens.txt");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string kind, token, answer;
      words >> kind >> token >> answer;
      if (kind == "keys") keys_ = auth::JsonWebKeys::parse(line.substr(5)).value();
      if (kind == "signed") (check(token) ? good : bad).push_back(token);
    }
    EXPECT_GT(good.size(), 5u);
    EXPECT_GT(bad.size(), 50u);
  }
  auth::CheckedToken check(std::string_view token) override {
    return auth::check_token(token, keys_, {}, rt::system_clock());
  }

  std::vector<std::string> good, bad;

 private:
  auth::JsonWebKeys keys_;
};

class SaslFuzz : public testing::Test {
 protected:
  SaslFuzz() {
    sasl_->mechanisms = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"};
    sasl_->tokens = recorded_;
    sasl_->plain_users["alice"] = "sesame";
    for (const auto mechanism : {ScramMechanism::kSha256, ScramMechanism::kSha512}) {
      const auto salted = auth::salted_password(mechanism, "sesame", "salt", 4096);
      const auto kept = auth::credential_of(mechanism, salted, "salt", 4096);
      EXPECT_TRUE(users_.change({{{"alice", mechanism}, kept}}));
    }
    token_ = tokens_.create({"User", "bob"}, {"User", "bob"}, {}, -1)->id;
  }
  ~SaslFuzz() override { std::filesystem::remove_all(folder_); }

  static std::string made(const char* name) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("sasl_fuzz_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    return folder / name;
  }

  std::string damaged(std::string bytes) {
    static const std::string kPieces[] = {
        ",",   "=",      "n,,",  "r=",   "p=",           ",tokenauth=true", std::string(1, '\0'),
        "=2C", "c=biws", "\xff", "\x01", "auth=Bearer ", "n,a=alice,\x01",  "."};
    for (auto rounds = random_() % 3 + 1; rounds > 0; --rounds) {
      const auto at = bytes.empty() ? 0 : random_() % bytes.size();
      const auto& piece = kPieces[random_() % std::size(kPieces)];
      const auto how = random_() % 4;
      if (how == 0 && !bytes.empty())
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_() % 8));
      if (how == 1) bytes.resize(at);
      if (how == 2) bytes.insert(at, piece);
      if (how == 3) bytes += bytes.substr(at);
    }
    return bytes;
  }
  bool now_and_then() { return random_() % 3 == 0; }

  /// A login of somebody who does not know the secret; whether he got in.
  bool stranger_gets_in() {
    Sasl sasl(sasl_, users_, tokens_);
    const auto& mechanism = sasl_->mechanisms[random_() % sasl_->mechanisms.size()];
    EXPECT_EQ(sasl.handshake(mechanism, Version(1)), ErrorCode::kNone);
    if (mechanism == "PLAIN") {
      const auto said = sasl.message(damaged(std::string("\0alice\0ghj456", 13)));
      return said && said->principal;
    }
    if (mechanism == auth::kOAuthBearer) return stranger_with_a_token_gets_in(sasl);
    auth::ScramClient client(*auth::scram_mechanism(mechanism), now_and_then() ? token_ : "alice",
                             "guess", "nonce");
    auto first = client.first() + (now_and_then() ? ",tokenauth=true" : "");
    if (now_and_then()) first = damaged(first);
    const auto challenged = sasl.message(first);
    if (!challenged || challenged->principal) return challenged && challenged->principal;
    const auto proof = client.proof(challenged->message);
    if (!proof) return false;
    const auto said = sasl.message(now_and_then() ? damaged(*proof) : *proof);
    return said && said->principal;
  }

  /// Some good tokens say the same and have two signatures, some bad ones are a bit away from a
  /// good one: damage may make what is rightly taken.
  bool is_good(std::string_view message) const {
    return std::ranges::any_of(recorded_->good, [&](const auto& token) {
      return message.find(token) != std::string_view::npos;
    });
  }

  /// He has the parts of good tokens, and tokens that are not taken, but no key.
  bool stranger_with_a_token_gets_in(Sasl& sasl) {
    const auto one_of = [&](const auto& all) { return all[random_() % all.size()]; };
    std::string token = one_of(recorded_->bad);
    if (now_and_then()) {
      const auto claims = one_of(recorded_->good);
      const auto signature = one_of(recorded_->good);
      if (claims != signature)
        token = claims.substr(0, claims.rfind('.')) + signature.substr(signature.rfind('.'));
    }
    if (now_and_then()) token = damaged(token);
    auto message = auth::bearer_message({.authorize_as = {}, .token = token, .extensions = {}});
    for (int tries = 0; tries < 3; ++tries) {
      const auto sent = now_and_then() ? damaged(message) : message;
      const auto said = sasl.message(sent);
      if (said && said->principal) return !is_good(sent);
      if (!said) return false;
      if (now_and_then()) message = "\x01";
    }
    return false;
  }

  const std::filesystem::path folder_ = std::filesystem::path(made("")).parent_path();
  std::shared_ptr<SaslConfig> sasl_ = std::make_shared<SaslConfig>();
  const std::shared_ptr<RecordedTokens> recorded_ = std::make_shared<RecordedTokens>();
  auth::ScramUsers users_{made("users")};
  auth::DelegationTokens tokens_{made("tokens"), {.secret_key = "key"}};
  std::string token_;
  std::mt19937_64 random_;
};

TEST_F(SaslFuzz, no_damaged_message_crashes_or_lets_a_stranger_in) {
  const char* seconds = std::getenv("TAILRACE_FUZZ_SECONDS");
  const char* seed = std::getenv("TAILRACE_FUZZ_SEED");
  random_.seed(seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1);
  const auto until = std::chrono::steady_clock::now() +
                     std::chrono::seconds(seconds != nullptr ? std::atoi(seconds) : 0);
  do {
    for (int i = 0; i < 200; ++i) ASSERT_FALSE(stranger_gets_in()) << "login " << i;
  } while (std::chrono::steady_clock::now() < until);
}

TEST_F(SaslFuzz, a_good_token_is_let_in_and_one_that_is_not_said_why_and_then_refused) {
  for (const auto& token : recorded_->good) {
    Sasl sasl(sasl_, users_, tokens_);
    ASSERT_EQ(sasl.handshake("OAUTHBEARER", Version(1)), ErrorCode::kNone);
    const auto said =
        sasl.message(auth::bearer_message({.authorize_as = {}, .token = token, .extensions = {}}));
    ASSERT_TRUE(said && said->principal && said->message.empty());
    EXPECT_FALSE(said->by_token);
    EXPECT_GT(said->lifetime_ms, 0);
  }
  Sasl sasl(sasl_, users_, tokens_);
  ASSERT_EQ(sasl.handshake("OAUTHBEARER", Version(1)), ErrorCode::kNone);
  const auto said = sasl.message(auth::bearer_message(
      {.authorize_as = {}, .token = recorded_->bad.front(), .extensions = {}}));
  ASSERT_TRUE(said && !said->principal);
  EXPECT_EQ(said->message, R"({"status":"invalid_token"})");
  EXPECT_TRUE(sasl.refusal(ApiKey::kMetadata));
  EXPECT_EQ(sasl.message("\x01").error().why, said->message);
}

TEST_F(SaslFuzz, what_is_no_login_ends_it_at_once) {
  for (const auto& mechanism : sasl_->mechanisms) {
    for (int i = 0; i < 300; ++i) {
      Sasl sasl(sasl_, users_, tokens_);
      ASSERT_EQ(sasl.handshake(mechanism, Version(1)), ErrorCode::kNone);
      std::string noise(random_() % 200, '\0');
      for (char& c : noise) c = static_cast<char>(random_());
      ASSERT_FALSE(sasl.message(noise));
      ASSERT_TRUE(sasl.refusal(ApiKey::kSaslAuthenticate));
      ASSERT_TRUE(sasl.refusal(ApiKey::kMetadata));
    }
  }
}

}  // namespace
}  // namespace tailrace::kafka
