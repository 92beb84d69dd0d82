// AWS Signature Version 4: the headers by which a request to S3 or its kin says who asks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tailrace::net {

struct AwsKeys {
  std::string access_key, secret_key;
  std::string session_token = {};
};

struct AwsRequest {
  std::string method;
  std::string host;  ///< as the Host header has it: with a port that is not the scheme's
  std::string path;  ///< percent-encoded, as it is sent
  std::vector<std::pair<std::string, std::string>> query = {};  ///< not encoded
  std::string body = {};
  std::string region, service = "s3";
  std::int64_t seconds_since_1970 = 0;
  /// More headers that are signed and sent, in lower case: x-amz-…, content-type.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// Letters, digits and -._~ stay; so does / where `keep_slash`.
std::string aws_encode(std::string_view text, bool keep_slash);
/// a=b&c=d in the order that is signed.
std::string aws_query(const AwsRequest& request);
/// The request's headers, authorization, x-amz-date, x-amz-content-sha256 and the token's header.
std::vector<std::pair<std::string, std::string>> aws_signature(const AwsRequest& request,
                                                               const AwsKeys& keys);
/// The query by which the URL itself says who asks, for `expires_s` seconds; the request has no
/// body and no header but Host.
std::string aws_presigned_query(AwsRequest request, const AwsKeys& keys, int expires_s);

}  // namespace tailrace::net
