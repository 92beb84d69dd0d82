// Delegation tokens under a driven clock: who may do what with them, and until when they hold.
#include "auth/delegation_tokens.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "auth/digest.h"
#include "base/base64.h"
#include "rt/file.h"

namespace tailrace::auth {
namespace {

using std::chrono::hours;

constexpr std::int64_t kHourMs = 3'600'000;
const Principal kAlice{"User", "alice"};
const Principal kBob{"User", "bob"};
const Principal kCarol{"User", "carol"};

class DelegationTokensTest : public testing::Test {
 protected:
  DelegationTokens open(DelegationTokenConfig config = {.secret_key = "key"}) {
    return {path_, std::move(config), clock_};
  }
  static Code failure(const Result<std::int64_t>& done) {
    return done ? Code::kInternal : done.error().code;
  }

  ~DelegationTokensTest() override { std::filesystem::remove(path_); }

  const std::string path_ =
      std::filesystem::temp_directory_path() / ("tokens_" + std::to_string(getpid()));
  rt::ManualClock clock_{TimestampMs(1'000'000'000'000)};
};

TEST(Hmac, says_what_rfc_4231_prints) {
  const auto hex = [](std::string_view bytes) {
    std::string text;
    for (const unsigned char c : bytes) {
      text += "0123456789abcdef"[c >> 4];
      text += "0123456789abcdef"[c & 15];
    }
    return text;
  };
  EXPECT_EQ(
      hex(hmac_sha512("Jefe", "what do ya want for nothing?")),
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8"
      "f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
  EXPECT_EQ(
      hex(hmac_sha512(std::string(20, '\x0b'), "Hi There")),
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eae"
      "a3f4e4be9d914eeb61f1702e696c203a126854");
}

TEST_F(DelegationTokensTest, a_token_holds_as_long_as_the_settings_say) {
  auto tokens = open();
  const auto token = tokens.create(kAlice, kAlice, {}, -1).value();
  EXPECT_EQ(token.issued_ms, clock_.now().value);
  EXPECT_EQ(token.expiry_ms, token.issued_ms + 24 * kHourMs);
  EXPECT_EQ(token.most_ms, token.issued_ms + 7 * 24 * kHourMs);
  const auto brief = tokens.create(kAlice, kAlice, {}, kHourMs).value();
  EXPECT_EQ(brief.expiry_ms, brief.issued_ms + kHourMs);
  EXPECT_EQ(brief.most_ms, brief.issued_ms + kHourMs);
  EXPECT_NE(brief.id, token.id);
  EXPECT_EQ(tokens.create(kAlice, kAlice, {}, INT64_MAX)->most_ms, token.most_ms);
}

TEST_F(DelegationTokensTest, a_time_past_all_times_is_the_last_one) {
  auto tokens = open({"key", INT64_MAX, INT64_MAX});
  const auto token = tokens.create(kAlice, kAlice, {}, -1).value();
  EXPECT_EQ(token.most_ms, INT64_MAX);
  EXPECT_EQ(token.expiry_ms, INT64_MAX);
  EXPECT_EQ(tokens.renew(tokens.hmac(token.id), kAlice, INT64_MAX), INT64_MAX);
  EXPECT_EQ(tokens.expire(tokens.hmac(token.id), kAlice, INT64_MAX), INT64_MAX);
}

TEST_F(DelegationTokensTest, the_secret_is_the_hmac_of_the_id_and_is_not_on_disk) {
  auto tokens = open();
  const auto token = tokens.create(kAlice, kAlice, {}, -1).value();
  EXPECT_EQ(tokens.hmac(token.id), hmac_sha512("key", token.id));
  const auto lines = rt::read_whole(rt::posix_files(), path_, 1 << 20).value();
  EXPECT_NE(lines.find(token.id), std::string::npos);
  EXPECT_EQ(lines.find(encode_base64(tokens.hmac(token.id))), std::string::npos);
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077, 0u);
}

TEST_F(DelegationTokensTest, its_owner_and_its_renewers_put_off_its_end_and_nobody_else) {
  auto tokens = open();
  const auto token = tokens.create(kAlice, kCarol, {kBob}, -1).value();
  const auto hmac = tokens.hmac(token.id);
  clock_.advance(hours(2));
  EXPECT_EQ(tokens.renew(hmac, kAlice, -1), clock_.now().value + 24 * kHourMs);
  EXPECT_EQ(tokens.renew(hmac, kBob, kHourMs), clock_.now().value + kHourMs);
  EXPECT_EQ(failure(tokens.renew(hmac, kCarol, -1)), Code::kPermissionDenied);
  EXPECT_EQ(failure(tokens.expire(hmac, kCarol, -1)), Code::kPermissionDenied);
  EXPECT_EQ(failure(tokens.renew("other", kAlice, -1)), Code::kNotFound);
  EXPECT_EQ(failure(tokens.expire("other", kAlice, -1)), Code::kNotFound);
  EXPECT_TRUE(token.concerns(kCarol));
  EXPECT_FALSE(token.concerns({"User", "dave"}));
}

TEST_F(DelegationTokensTest, no_renewal_goes_past_its_longest_life) {
  auto tokens = open();
  const auto token = tokens.create(kAlice, kAlice, {}, 30 * kHourMs).value();
  clock_.advance(hours(20));
  EXPECT_EQ(tokens.renew(tokens.hmac(token.id), kAlice, -1), token.most_ms);
  EXPECT_EQ(tokens.expire(tokens.hmac(token.id), kAlice, 100 * kHourMs), token.most_ms);
}

TEST_F(DelegationTokensTest, what_is_over_is_told_so_until_the_next_check_and_then_forgotten) {
  auto tokens = open();
  const auto token = tokens.create(kAlice, kAlice, {}, kHourMs / 2).value();
  const auto hmac = tokens.hmac(token.id);
  clock_.advance(std::chrono::minutes(31));
  EXPECT_EQ(failure(tokens.renew(hmac, kAlice, -1)), Code::kDeadlineExceeded);
  EXPECT_EQ(failure(tokens.renew(hmac, kBob, -1)), Code::kDeadlineExceeded);
  EXPECT_EQ(failure(tokens.expire(hmac, kAlice, 1)), Code::kDeadlineExceeded);
  EXPECT_EQ(failure(tokens.expire(hmac, kBob, 1)), Code::kPermissionDenied);
  EXPECT_EQ(tokens.all().size(), 1u);
  clock_.advance(std::chrono::minutes(30));
  EXPECT_TRUE(tokens.all().empty());
  EXPECT_EQ(failure(tokens.renew(hmac, kAlice, -1)), Code::kNotFound);
}

TEST_F(DelegationTokensTest, expired_at_once_it_is_gone) {
  auto tokens = open();
  const auto token = tokens.create(kAlice, kAlice, {}, -1).value();
  EXPECT_EQ(tokens.expire(tokens.hmac(token.id), kAlice, -1), clock_.now().value);
  EXPECT_TRUE(tokens.all().empty());
  EXPECT_FALSE(tokens.login(token.id, ScramMechanism::kSha256));
  EXPECT_EQ(failure(tokens.expire(tokens.hmac(token.id), kAlice, -1)), Code::kNotFound);
}

TEST_F(DelegationTokensTest, it_logs_its_owner_in_while_it_holds) {
  auto tokens = open();
  const auto token = tokens.create(kAlice, kCarol, {}, kHourMs).value();
  for (const auto mechanism : {ScramMechanism::kSha256, ScramMechanism::kSha512}) {
    const auto login = tokens.login(token.id, mechanism).value();
    EXPECT_EQ(login.owner, kAlice);
    EXPECT_EQ(login.left_ms, kHourMs);
    ScramServer server(mechanism, "ours");
    ScramClient client(mechanism, token.id, encode_base64(tokens.hmac(token.id)), "theirs");
    ASSERT_TRUE(server.first(client.first()));
    const auto proof = client.proof(server.challenge(login.credential)).value();
    EXPECT_TRUE(client.verify(server.finish(proof).value()));
  }
  EXPECT_FALSE(tokens.login("other", ScramMechanism::kSha256));
  clock_.advance(std::chrono::minutes(61));  // not checked yet, and still over
  EXPECT_FALSE(tokens.login(token.id, ScramMechanism::kSha256));
}

TEST_F(DelegationTokensTest, tokens_are_there_again_when_they_are_read_again) {
  std::vector<DelegationToken> kept;
  {
    auto tokens = open();
    static_cast<void>(tokens.create(kAlice, kCarol, {kBob, {"User", "two words"}}, -1).value());
    const auto gone = tokens.create(kBob, kBob, {}, -1).value();
    ASSERT_TRUE(tokens.expire(tokens.hmac(gone.id), kBob, -1));
    kept = tokens.all();
  }
  auto tokens = open();
  ASSERT_TRUE(tokens.open());
  EXPECT_EQ(tokens.all(), kept);
  EXPECT_TRUE(tokens.renew(tokens.hmac(kept[0].id), kBob, -1));
  auto other_key = open({.secret_key = "another"});
  ASSERT_TRUE(other_key.open());
  EXPECT_EQ(failure(other_key.renew(tokens.hmac(kept[0].id), kBob, -1)), Code::kNotFound);
}

TEST_F(DelegationTokensTest, a_damaged_file_is_named) {
  for (const auto* text :
       {"id User:a User:a 1 2\n", "id User:a User:a 1 2 x\n", "id a User:a 1 2 3\n",
        "% User:a User:a 1 2 3\n", "id User:a User:a 1 2 3 renewer\n"}) {
    ASSERT_TRUE(rt::write_atomically(rt::posix_files(), path_, text));
    auto tokens = open();
    const auto read = tokens.open();
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::kDataLoss);
    EXPECT_NE(read.error().what.find(path_), std::string::npos);
  }
}

TEST_F(DelegationTokensTest, without_a_key_there_are_none) {
  auto tokens = open({});
  EXPECT_FALSE(tokens.enabled());
  EXPECT_FALSE(tokens.login("id", ScramMechanism::kSha256));
}

}  // namespace
}  // namespace tailrace::auth
