// The examples of Amazon's documentation, "Signature Calculations for the Authorization Header".
#include "net/aws_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tailrace::net {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMay24 = 1'369'353'600;  // 2013-05-24T00:00:00Z

AwsRequest request(std::vector<std::pair<std::string, std::string>> query) {
  return {.method = "GET",
          .host = "examplebucket.s3.amazonaws.com",
          .path = "/",
          .query = std::move(query),
          .body = "",
          .region = "us-east-1",
          .service = "s3",
          .seconds_since_1970 = kMay24};
}

std::string signature(const AwsRequest& request) {
  return aws_signature(request,
                       {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"})
      .back()
      .second;
}

TEST(AwsSignature, it_is_the_documentations_for_its_examples) {
  EXPECT_THAT(signature(request({{"lifecycle", ""}})),
              HasSubstr("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_THAT(signature(request({{"prefix", "J"}, {"max-keys", "2"}})),
              HasSubstr("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(AwsSignature, a_sessions_token_is_signed_and_the_secret_is_not_sent) {
  const auto headers = aws_signature(request({}), {"key", "hush", "token"});
  for (const auto& [name, value] : headers) EXPECT_EQ(value.find("hush"), std::string::npos);
  EXPECT_THAT(headers.back().second, HasSubstr("x-amz-security-token"));
}

}  // namespace
}  // namespace tailrace::net
