// The chain of places where keys are looked for.
#include "s3/credentials.h"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "rt/file.h"
#include "s3/profile.h"

namespace tailrace::s3 {
namespace {

constexpr std::int64_t kNever = INT64_MAX;
constexpr std::int64_t kBeforeEndMs = 300'000;
/// Files and variables may change; a metadata service that did not answer may come.
constexpr std::int64_t kLookAgainMs = 60'000;
constexpr std::size_t kMostAnswer = 64 << 10;

/// Milliseconds since 1970 of "2026-11-22T17:41:03Z"; 0 when it is none.
std::int64_t stamp_ms(const std::string& text) {
  std::tm parts{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return 0;
  return std::int64_t{::timegm(&parts)} * 1000;
}

/// Where keys may be asked for without TLS: this machine and the clouds' link-local addresses.
bool is_local(const std::string& url) {
  const std::string origin = net::origin_of(url);
  for (const std::string_view host :
       {"127.0.0.1", "localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"})
    if (origin.starts_with(fmt::format("http://{}:", host))) return true;
  return origin.starts_with("https://");
}

}  // namespace

std::string process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

Credentials::Credentials(net::AwsKeys given, Environment environment, const rt::Clock& clock)
    : given_(std::move(given)), environment_(std::move(environment)), clock_(clock) {}

Result<std::optional<net::AwsKeys>> Credentials::keys(std::stop_token stop) {
  if (!given_.access_key.empty()) return given_;
  std::lock_guard lock(mutex_);
  if (!found_ || clock_.now().value >= found_->until_ms) {
    ASSIGN(found_, look(stop));
  }
  return found_->keys;
}

Result<Credentials::Found> Credentials::look(std::stop_token stop) {
  const std::int64_t again = clock_.now().value + kLookAgainMs;
  if (const std::string key = environment_("AWS_ACCESS_KEY_ID"); !key.empty())
    return Found{
        net::AwsKeys{key, environment_("AWS_SECRET_ACCESS_KEY"), environment_("AWS_SESSION_TOKEN")},
        kNever};
  ASSIGN(Section profile, profile_of(environment_));
  if (const std::string key = profile["aws_access_key_id"]; !key.empty())
    return Found{net::AwsKeys{key, profile["aws_secret_access_key"], profile["aws_session_token"]},
                 again};
  ASSIGN(const auto container, from_container(stop));
  if (container) return *container;
  if (const auto instance = from_instance(stop)) return *instance;
  return Found{std::nullopt, again};
}

Result<Credentials::Found> Credentials::read_answer(const std::string& body) const {
  try {
    const nlohmann::json json = nlohmann::json::parse(body);
    const std::int64_t end = stamp_ms(json.value("Expiration", ""));
    return Found{
        net::AwsKeys{json.at("AccessKeyId").get<std::string>(),
                     json.at("SecretAccessKey").get<std::string>(), json.value("Token", "")},
        std::max(end - kBeforeEndMs, clock_.now().value + kLookAgainMs)};
  } catch (const nlohmann::json::exception&) {
    return error(Code::kUnavailable, "keys of AWS: the answer has no AccessKeyId");
  }
}

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
Result<std::optional<Credentials::Found>> Credentials::from_container(std::stop_token stop) {
  std::string url = environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (const std::string path = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
      !path.empty())
    url = "http://169.254.170.2" + path;
  if (url.empty()) return std::nullopt;
  if (!is_local(url))
    return error(Code::kInvalidArgument,
                 "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this "
                 "machine: " +
                     net::redact_url(url));
  std::string token = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
      !file.empty()) {
    ASSIGN(token, rt::read_whole(rt::posix_files(), file, kMostAnswer));
    while (token.ends_with('\n')) token.pop_back();
  }
  net::HttpOptions options;
  options.timeout_ms = 5000;
  options.max_body_bytes = kMostAnswer;
  options.follow_redirects = false;
  options.stop = stop;
  if (!token.empty()) options.headers.emplace_back("Authorization", token);
  ASSIGN(const auto answer, client_.get(url, options));
  if (answer.status != 200)
    return error(Code::kUnavailable,
                 fmt::format("keys of AWS: {} answered {}", answer.url, answer.status));
  ASSIGN(auto found, read_answer(answer.body));
  return found;
}

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html, IMDSv2
std::optional<Credentials::Found> Credentials::from_instance(std::stop_token stop) {
  std::string disabled = environment_("AWS_EC2_METADATA_DISABLED");
  if (disabled == "true" || disabled == "TRUE" || disabled == "True") return std::nullopt;
  std::string base = environment_("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) base = "http://169.254.169.254";
  while (base.ends_with('/')) base.pop_back();
  net::HttpOptions options;
  options.timeout_ms = 1000;
  options.connect_timeout_ms = 500;
  options.max_body_bytes = kMostAnswer;
  options.follow_redirects = false;
  options.stop = stop;
  options.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  const auto token = client_.request("PUT", base + "/latest/api/token", "", options);
  if (!token || token->status != 200) return std::nullopt;
  options.headers = {{"X-aws-ec2-metadata-token", token->body}};
  const std::string path = base + "/latest/meta-data/iam/security-credentials/";
  const auto role = client_.get(path, options);
  if (!role || role->status != 200) return std::nullopt;
  const auto answer = client_.get(path + role->body.substr(0, role->body.find('\n')), options);
  if (!answer || answer->status != 200) return std::nullopt;
  auto found = read_answer(answer->body);
  return found ? std::optional(std::move(*found)) : std::nullopt;
}

std::string region_of(const Environment& environment) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (std::string value = environment(name); !value.empty()) return value;
  auto profile = profile_of(environment);
  return profile ? (*profile)["region"] : "";
}

}  // namespace tailrace::s3
