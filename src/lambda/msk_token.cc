#include "lambda/msk_token.h"

#include <fmt/format.h>

#include <ctime>

#include "base/base64.h"
#include "net/aws_signature.h"

namespace tailrace::lambda {
namespace {

constexpr int kSeconds = 900;  ///< a token's life, as the signer has it

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

}  // namespace

std::string msk_token_text(const std::string& region, const std::string& access_key,
                           const std::string& secret_key, const std::string& session_token,
                           std::int64_t seconds) {
  const std::string host = fmt::format("kafka.{}.amazonaws.com", region);
  const net::AwsRequest request{.method = "GET",
                                .host = host,
                                .path = "/",
                                .query = {{"Action", "kafka-cluster:Connect"}},
                                .region = region,
                                .service = "kafka-cluster",
                                .seconds_since_1970 = seconds};
  const std::string url = fmt::format(
      "https://{}/?{}&User-Agent=tailrace", host,
      net::aws_presigned_query(request, {access_key, secret_key, session_token}, kSeconds));
  std::string token = encode_base64(url);
  for (char& c : token) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  while (token.ends_with('=')) token.pop_back();
  return token;
}

Result<kafka_log::RecordProducer::MakeToken> msk_token(Settings& settings,
                                                       const Environment& environment) {
  constexpr std::string_view kMechanism = "AWS_MSK_IAM";
  bool asked = false;
  for (const char* name : {"sasl.mechanism", "sasl.mechanisms"}) {
    const auto found = settings.kafka.find(name);
    if (found == settings.kafka.end() || found->second != kMechanism) continue;
    found->second = "OAUTHBEARER";
    asked = true;
  }
  if (!asked) return kafka_log::RecordProducer::MakeToken();
  settings.kafka.try_emplace("security.protocol", "SASL_SSL");
  const std::string region = value_of(environment, "AWS_REGION");
  if (region.empty() || value_of(environment, "AWS_ACCESS_KEY_ID").empty())
    return error(Code::kInvalidArgument,
                 "sasl.mechanism AWS_MSK_IAM needs AWS_REGION, AWS_ACCESS_KEY_ID and "
                 "AWS_SECRET_ACCESS_KEY, which Lambda sets from the function's role");
  return [region, key = value_of(environment, "AWS_ACCESS_KEY_ID"),
          secret = value_of(environment, "AWS_SECRET_ACCESS_KEY"),
          session = value_of(environment,
                             "AWS_SESSION_TOKEN")]() -> Result<kafka_log::RecordProducer::Token> {
    const std::int64_t now = std::time(nullptr);
    return kafka_log::RecordProducer::Token{
        .text = msk_token_text(region, key, secret, session, now),
        .expires_ms = (now + kSeconds) * 1000,
        .principal = "tailrace"};
  };
}

}  // namespace tailrace::lambda
