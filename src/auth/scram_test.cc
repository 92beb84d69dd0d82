// The conversations that the RFCs print, and what is refused in others.
#include "auth/scram.h"

#include <gtest/gtest.h>

#include "auth/digest.h"

namespace tailrace::auth {
namespace {

/// RFC 7677 §3.
struct Published {
  static constexpr auto kMechanism = ScramMechanism::kSha256;
  const std::string nonce = "rOprNGfwEbeRWgbNEkqO";
  const std::string ours = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const std::string salt = from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  const std::string first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
  const std::string challenge =
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  const std::string final =
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
      "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  const std::string signature = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

  ScramCredential credential(std::string_view password = "pencil") const {
    return credential_of(kMechanism, salted_password(kMechanism, password, salt, 4096), salt, 4096);
  }
};

TEST(Scram, the_server_says_what_rfc_7677_prints) {
  const Published rfc;
  ScramServer server(Published::kMechanism, rfc.ours);
  EXPECT_EQ(server.first(rfc.first)->user, "user");
  EXPECT_EQ(server.challenge(rfc.credential()), rfc.challenge);
  EXPECT_EQ(server.finish(rfc.final), rfc.signature);
}

TEST(Scram, the_client_says_what_rfc_7677_prints) {
  const Published rfc;
  ScramClient client(Published::kMechanism, "user", "pencil", rfc.nonce);
  EXPECT_EQ(client.first(), rfc.first);
  EXPECT_EQ(client.proof(rfc.challenge), rfc.final);
  EXPECT_TRUE(client.verify(rfc.signature));
  EXPECT_FALSE(client.verify("v=AAAA"));
  EXPECT_FALSE(client.verify("e=other-error"));
}

TEST(Scram, another_password_and_another_challenge_are_refused) {
  const Published rfc;
  ScramServer server(Published::kMechanism, rfc.ours);
  ASSERT_TRUE(server.first(rfc.first));
  server.challenge(rfc.credential("pencils"));
  EXPECT_EQ(server.finish(rfc.final).error().code, Code::kPermissionDenied);
  ScramServer other(Published::kMechanism, "another");
  ASSERT_TRUE(other.first(rfc.first));
  other.challenge(rfc.credential());
  EXPECT_EQ(other.finish(rfc.final).error().code, Code::kPermissionDenied);
}

TEST(Scram, both_sides_agree_in_both_mechanisms_whatever_the_name) {
  for (const auto mechanism : {ScramMechanism::kSha256, ScramMechanism::kSha512}) {
    EXPECT_EQ(scram_mechanism(mechanism_name(mechanism)), mechanism);
    ScramClient client(mechanism, "a=b,c", "sésame", "nonce");
    ScramServer server(mechanism, "more");
    EXPECT_EQ(server.first(client.first())->user, "a=b,c");
    const auto salted = salted_password(mechanism, "sésame", "salt", 5000);
    const auto proof =
        client.proof(server.challenge(credential_of(mechanism, salted, "salt", 5000)));
    ASSERT_TRUE(proof);
    const auto signature = server.finish(*proof);
    ASSERT_TRUE(signature) << signature.error().what;
    EXPECT_TRUE(client.verify(*signature));
  }
}

TEST(Scram, a_token_and_another_identity_are_asked_for_in_the_first_message) {
  ScramServer server(ScramMechanism::kSha256, "more");
  const auto hello = server.first("n,a=bob,n=token,r=nonce,tokenauth=true");
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->authorize_as, "bob");
  EXPECT_TRUE(hello->by_token);
}

TEST(Scram, what_is_no_message_is_refused) {
  for (const auto* text : {"", "n", "n,,", "n,,n=,r=x", "n,,n=a", "p=tls-unique,,n=a,r=b",
                           "n,x,n=a,r=b", "n,,n=a=b,r=c", "n,,r=a,n=b", "n,,n=a,r="}) {
    EXPECT_FALSE(ScramServer(ScramMechanism::kSha256, "more").first(text)) << text;
  }
  const Published rfc;
  for (const auto* text : {"", "c=biws", "c=biws,r=x", "c=biws,r=x,p=", "r=x,c=biws,p=AAAA"}) {
    ScramServer server(ScramMechanism::kSha256, rfc.ours);
    ASSERT_TRUE(server.first(rfc.first));
    server.challenge(rfc.credential());
    EXPECT_FALSE(server.finish(text)) << text;
  }
  for (const auto* text : {"", "r=nonce,s=AAAA", "r=other,s=AAAA,i=4096", "r=nonce1,s=?,i=4096",
                           "r=nonce1,s=AAAA,i=1"}) {
    EXPECT_FALSE(ScramClient(ScramMechanism::kSha256, "a", "b", "nonce").proof(text)) << text;
  }
}

}  // namespace
}  // namespace tailrace::auth
