// Signatures against what their inventors publish.
#include "hooks/signature.h"

#include <gtest/gtest.h>

namespace tailrace::hooks {
namespace {

using connect::WebhookSignature;
using Scheme = WebhookSignature::Scheme;

net::Request request(std::map<std::string, std::string> headers, std::string body) {
  net::Request made;
  made.headers = std::move(headers);
  made.body = std::move(body);
  return made;
}

WebhookSignature by(Scheme scheme, std::vector<std::string> secrets) {
  WebhookSignature how;
  how.scheme = scheme;
  how.secrets = std::move(secrets);
  return how;
}

std::string why(const Status& status) {
  return status ? "" : status.error().what;
}

// docs.github.com, "Validating webhook deliveries": testing the webhook payload validation.
TEST(Signature, of_githubs_documentation_holds) {
  const auto how = by(Scheme::kGitHub, {"It's a Secret to Everybody"});
  const std::string digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  const auto signed_so = request({{"x-hub-signature-256", "sha256=" + digest}}, "Hello, World!");
  EXPECT_EQ(why(check_signature(how, signed_so, 0)), "");
  auto other = signed_so;
  other.body += " ";
  EXPECT_FALSE(check_signature(how, other, 0));
  EXPECT_FALSE(check_signature(by(Scheme::kGitHub, {"another"}), signed_so, 0));
  EXPECT_TRUE(
      check_signature(by(Scheme::kGitHub, {"new", "It's a Secret to Everybody"}), signed_so, 0));
  EXPECT_EQ(why(check_signature(how, request({}, "Hello, World!"), 0)),
            "no header x-hub-signature-256");
  // SHA-1, the older header's, is no answer to what is asked.
  EXPECT_FALSE(check_signature(
      how, request({{"x-hub-signature-256", "sha1=" + digest}}, "Hello, World!"), 0));
}

// docs.slack.dev, "Verifying requests from Slack".
TEST(Signature, of_slacks_documentation_holds_for_five_minutes) {
  const auto how = by(Scheme::kSlack, {"8f742231b10e8888abcd99yyyzzz85a5"});
  const auto signed_so = request(
      {{"x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"},
       {"x-slack-request-timestamp", "1531420618"}},
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id="
      "G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-"
      "collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%"
      "2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
      "803a0bc887a14d10d2c447fce8b6703c");
  EXPECT_EQ(why(check_signature(how, signed_so, 1531420618'000)), "");
  EXPECT_EQ(why(check_signature(how, signed_so, 1531420618'000 + 299'000)), "");
  EXPECT_EQ(why(check_signature(how, signed_so, 1531420618'000 + 301'000)),
            "the signed time is 301 s from ours, more than 300 s");
  EXPECT_FALSE(check_signature(how, signed_so, 1531420618'000 - 301'000));
  auto later = signed_so;
  later.headers["x-slack-request-timestamp"] = "1531420619";
  EXPECT_FALSE(check_signature(how, later, 1531420618'000));
}

// github.com/standard-webhooks/standard-webhooks, the test of its reference libraries.
TEST(Signature, of_standard_webhooks_libraries_holds) {
  const auto how = by(Scheme::kStandard, {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
  auto signed_so = request(
      {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
       {"webhook-timestamp", "1614265330"},
       {"webhook-signature", "v1,bm90IGl0 v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}},
      R"({"test": 2432232314})");
  EXPECT_EQ(why(check_signature(how, signed_so, 1614265330'000)), "");
  EXPECT_TRUE(check_signature(by(Scheme::kStandard, {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
                              signed_so, 1614265330'000));
  signed_so.headers["webhook-id"] = "msg_another";
  EXPECT_FALSE(check_signature(how, signed_so, 1614265330'000));
}

// RFC 4231 and RFC 2202, test case 2.
TEST(Signature, of_a_senders_own_form_holds) {
  auto how = by(Scheme::kHmac, {"Jefe"});
  how.header = "x-signature";
  const std::string body = "what do ya want for nothing?";
  const auto holds = [&](const std::string& value) {
    return check_signature(how, request({{"x-signature", value}}, body), 0).has_value();
  };
  EXPECT_TRUE(holds("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  EXPECT_TRUE(holds("5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843"));
  how.encoding = "base64";
  EXPECT_TRUE(holds("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="));
  how.encoding = "hex";
  how.algorithm = "sha1";
  how.prefix = "sha1=";
  EXPECT_TRUE(holds("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
  EXPECT_FALSE(holds("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
  how.algorithm = "sha512";
  how.prefix = "";
  EXPECT_TRUE(
      holds("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"));
}

TEST(Token, is_a_bearer_or_a_header_of_its_own) {
  connect::WebhookOptions hook;
  EXPECT_TRUE(check_token(hook, request({}, "")));
  hook.token = "s3cret";
  EXPECT_TRUE(check_token(hook, request({{"authorization", "Bearer s3cret"}}, "")));
  EXPECT_TRUE(check_token(hook, request({{"authorization", "bearer s3cret"}}, "")));
  for (const char* wrong : {"", "s3cret", "Basic s3cret", "Bearer s3cre", "Bearer s3cret2"})
    EXPECT_FALSE(check_token(hook, request({{"authorization", wrong}}, ""))) << wrong;
  hook.token_header = "x-token";
  EXPECT_TRUE(check_token(hook, request({{"x-token", "s3cret"}}, "")));
  EXPECT_FALSE(check_token(hook, request({{"authorization", "Bearer s3cret"}}, "")));
}

}  // namespace
}  // namespace tailrace::hooks
