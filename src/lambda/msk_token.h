// Amazon MSK by IAM: `sasl.mechanism: AWS_MSK_IAM` becomes SASL/OAUTHBEARER with a token that is a
// signed request, as AWS's own aws-msk-iam-sasl-signer makes it.
#pragma once

#include "kafka_log/record_producer.h"
#include "lambda/settings.h"

namespace tailrace::lambda {

/// Changes the settings where they name that mechanism, and gives what makes its tokens; else
/// nothing to call.
Result<kafka_log::RecordProducer::MakeToken> msk_token(Settings& settings,
                                                       const Environment& environment);

/// The token itself, of a moment in seconds since 1970.
std::string msk_token_text(const std::string& region, const std::string& access_key,
                           const std::string& secret_key, const std::string& session_token,
                           std::int64_t seconds);

}  // namespace tailrace::lambda
