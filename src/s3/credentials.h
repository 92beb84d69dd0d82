// Who asks AWS or one of its kin: keys that are given, or those that AWS's own tools would find.
//
// In this order: keys given; AWS_ACCESS_KEY_ID and its kin; the profile AWS_PROFILE ("default") of
// AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), then of AWS_CONFIG_FILE (~/.aws/config); what
// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI answers (ECS, EKS Pod Identity); the
// instance's metadata service (EC2, IMDSv2) unless AWS_EC2_METADATA_DISABLED is true. Keys of the
// last two end, and are fetched anew five minutes before. Without any, requests are not signed,
// which public buckets take. Not known: AWS_WEB_IDENTITY_TOKEN_FILE, SSO, credential_process.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "net/aws_signature.h"
#include "net/http_client.h"
#include "rt/clock.h"

namespace tailrace::s3 {

/// A variable of the environment; "" when it is not there.
using Environment = std::function<std::string(const std::string& name)>;
std::string process_environment(const std::string& name);

/// Safe from any thread.
class Credentials {
 public:
  /// `given` without an access key: they are looked for.
  explicit Credentials(net::AwsKeys given, Environment environment = process_environment,
                       const rt::Clock& clock = rt::system_clock());

  /// None: there are no keys. An Error is a fault in what was found: a file that cannot be read, a
  /// profile of AWS_PROFILE that is not there, a container's endpoint that does not answer.
  Result<std::optional<net::AwsKeys>> keys(std::stop_token stop = {});

 private:
  struct Found {
    std::optional<net::AwsKeys> keys;
    std::int64_t until_ms = 0;  ///< look again then
  };
  Result<Found> look(std::stop_token stop);
  Result<std::optional<Found>> from_container(std::stop_token stop);
  std::optional<Found> from_instance(std::stop_token stop);
  Result<Found> read_answer(const std::string& body) const;

  const net::AwsKeys given_;
  const Environment environment_;
  const rt::Clock& clock_;
  std::mutex mutex_;
  net::HttpClient client_;
  std::optional<Found> found_;
};

/// The region that AWS's tools would take: AWS_REGION, AWS_DEFAULT_REGION, the profile's; "" for
/// none.
std::string region_of(const Environment& environment = process_environment);

}  // namespace tailrace::s3
