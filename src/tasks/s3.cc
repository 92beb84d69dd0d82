// S3KeySensor: whether keys are in a bucket, by name, by wildcard, and by a function of the
// author's over what is known of them.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "jinja/json.h"
#include "s3/client.h"
#include "tasks/operators.h"
#include "tasks/python_call.h"

namespace tailrace::tasks {
namespace {

using jinja::Value;
using nlohmann::json;

constexpr std::size_t kMostKeys = 100'000;  ///< of one listing

const Value* given(const Context& context, std::string_view name) {
  const Value* value = context.arguments.find(name);
  return value == nullptr || value->is_none() ? nullptr : value;
}

/// A bucket by the connection: keys of login and password, or those that AWS's tools would find,
/// region and endpoint_url of the extra.
class Bucket {
 public:
  static Result<Bucket> open(Context& context, std::string name) {
    s3::BucketAddress address{.bucket = std::move(name)};
    net::AwsKeys keys;
    ASSIGN(const std::string id, text_argument(context, "aws_conn_id", "aws_default"));
    if (const auto connection = context.connection(id)) {
      keys = {connection->login.value_or(""), connection->password.value_or("")};
      if (connection->extra && !connection->extra->empty()) {
        ASSIGN(const Value extra, jinja::from_json(*connection->extra));
        const auto take = [&](std::string& to, std::string_view word) {
          const Value* value = extra.dict() == nullptr ? nullptr : extra.dict()->find(word);
          if (value != nullptr && !value->is_none()) to = value->text();
        };
        take(address.region, "region_name");
        take(address.endpoint, "endpoint_url");
        take(keys.session_token, "aws_session_token");
        take(keys.access_key, "aws_access_key_id");
        take(keys.secret_key, "aws_secret_access_key");
        context.log.mask(keys.secret_key);
        context.log.mask(keys.session_token);
      }
    }
    ASSIGN(const std::string asked, text_argument(context, "region_name"));
    if (!asked.empty()) address.region = asked;
    if (address.region.empty()) address.region = s3::region_of();
    const Value* verify = given(context, "verify");
    if (verify != nullptr && verify->string() != nullptr) address.ca_file = *verify->string();
    if (verify != nullptr && verify->boolean() != nullptr) address.verify_tls = verify->truth();
    TRY(s3::check_address(address));
    auto credentials = std::make_shared<s3::Credentials>(keys);
    ASSIGN(const auto found, credentials->keys(context.stop));
    if (!found) return error(Code::kPermissionDenied, "Unable to locate credentials");
    return Bucket(std::move(address), std::move(credentials), context);
  }

  /// What is known of a key; none: it is not there.
  Result<std::optional<json>> head(const std::string& key) {
    ASSIGN(const auto answer,
           client_->ask({.method = "HEAD", .key = key, .query = {}, .headers = {}}, stop_));
    if (answer.status == 404) return std::optional<json>();
    if (answer.status >= 300) return refused("HeadObject", answer);
    json found = {
        {"ContentLength", std::atoll(std::string(answer.header("content-length")).c_str())},
        {"ETag", answer.header("etag")},
        {"ContentType", answer.header("content-type")},
        {"LastModified", answer.header("last-modified")}};
    json more = json::object();
    for (const auto& [name, value] : answer.headers) {
      if (name.starts_with("x-amz-meta-")) more[name.substr(11)] = value;
    }
    found["Metadata"] = std::move(more);
    return std::optional(std::move(found));
  }

  Result<std::vector<s3::Object>> list(const std::string& prefix) {
    std::vector<s3::Object> all;
    std::string token;
    do {
      s3::Client::Asked asked{
          .method = "GET",
          .key = {},
          .query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", prefix}},
          .headers = {}};
      if (!token.empty()) asked.query.emplace_back("continuation-token", token);
      ASSIGN(const auto answer, client_->ask(asked, stop_));
      if (answer.status >= 300) return refused("ListObjectsV2", answer);
      ASSIGN(auto page, s3::read_listing(answer.body));
      for (s3::Object& one : page.objects) all.push_back(std::move(one));
      token = page.next;
    } while (!token.empty() && all.size() < kMostKeys);
    if (!token.empty())
      return error(Code::kResourceExhausted,
                   fmt::format("{}: over {} keys", client_->place(prefix), kMostKeys));
    return all;
  }

 private:
  Bucket(s3::BucketAddress address, std::shared_ptr<s3::Credentials> credentials, Context& context)
      : client_(std::make_unique<s3::Client>(std::move(address), std::move(credentials),
                                             context.clock)),
        stop_(context.stop) {}

  /// In the words of boto3.
  static std::unexpected<Error> refused(std::string_view what, const net::HttpResponse& answer) {
    const s3::Refusal why = s3::read_refusal(answer.body);
    return error(Code::kAborted,
                 fmt::format("An error occurred ({}) when calling the {} operation: {}",
                             why.code.empty() ? std::to_string(answer.status) : why.code, what,
                             why.message.empty() ? answer.reason : why.message));
  }

  std::unique_ptr<s3::Client> client_;
  std::stop_token stop_;
};

class S3Key final : public Operator {
 public:
  Outcome run(Context& context) const override {
    return poke(context, [&]() -> Result<std::optional<Value>> {
      const Value* keys = given(context, "bucket_key");
      if (keys == nullptr) return error(Code::kInvalidArgument, "bucket_key: is missing");
      const jinja::List one = {*keys};
      for (const auto& key : keys->list() != nullptr ? *keys->list() : one) {
        ASSIGN(const bool there, look(context, key.text()));
        if (!there) return std::nullopt;
      }
      return Value();
    });
  }

 private:
  static Status split(const Context& context, std::string& bucket, std::string& key) {
    const auto scheme = key.find("://");
    if (given(context, "bucket_name") != nullptr) {
      ASSIGN(bucket, text_argument(context, "bucket_name"));
      if (scheme == std::string::npos) return {};
      return error(Code::kInvalidArgument,
                   "If `bucket_name` is provided, bucket_key should be a relative path from root "
                   "level, rather than a full s3:// url");
    }
    std::string word = key.substr(0, scheme == std::string::npos ? 0 : scheme);
    std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
    if (word != "s3" && word != "s3a" && word != "s3n")
      return error(Code::kInvalidArgument,
                   "Please provide a bucket name using a valid format of the form: "
                   "S3://bucket-name/key-name but provided: \"" +
                       key + "\"");
    const std::string rest = key.substr(scheme + 3);
    const auto slash = rest.find('/');
    bucket = rest.substr(0, slash);
    key = slash == std::string::npos ? "" : rest.substr(slash);
    key.erase(0, std::min(key.find_first_not_of('/'), key.size()));
    return {};
  }

  static Result<bool> look(Context& context, std::string key) {
    std::string name;
    TRY(split(context, name, key));
    context.log.line(fmt::format("Poking for key : s3://{}/{}", name, key));
    ASSIGN(const bool wild, bool_argument(context, "wildcard_match", false));
    ASSIGN(const bool regex, bool_argument(context, "use_regex", false));
    if (regex) return error(Code::kUnimplemented, "use_regex: take wildcard_match here");
    json check = python_job(context);
    ASSIGN(const bool checks, take_function(context, "check_fn", check));
    ASSIGN(Bucket bucket, Bucket::open(context, name));
    json files = json::array();
    if (wild) {
      ASSIGN(const auto found, bucket.list(key.substr(0, key.find_first_of("[*?"))));
      for (const auto& one : found) {
        if (::fnmatch(key.c_str(), one.key.c_str(), 0) != 0) continue;
        if (!checks) return true;
        const json known = {{"Key", one.key},
                            {"Size", one.size_bytes},
                            {"ETag", "\"" + one.etag + "\""},
                            {"LastModified", one.modified}};
        ASSIGN(auto told, metadata(context, known, bucket, one.key));
        files.push_back(std::move(told));
      }
      if (files.empty()) return false;
    } else {
      ASSIGN(auto found, bucket.head(key));
      if (!found) return false;
      if (!checks) return true;
      (*found)["Size"] = found->at("ContentLength");
      ASSIGN(auto told, metadata(context, *found, bucket, ""));
      files.push_back(std::move(told));
    }
    check["args"].push_back(std::move(files));
    check["keep"] = false;
    ASSIGN(const auto called, call_python(context, std::move(check)));
    if (!called.outcome.how_is_success()) return error(Code::kAborted, called.outcome.why);
    return called.truth;
  }

  /// The attributes that metadata_keys asks for; None for one that nobody knows.
  static Result<json> metadata(const Context& context, const json& known, Bucket& bucket,
                               const std::string& key) {
    jinja::List wanted = {Value("Size"), Value("Key")};
    if (const Value* asked = given(context, "metadata_keys"); asked != nullptr && asked->list())
      wanted = *asked->list();
    std::optional<json> head;
    const auto ask = [&]() -> Status {
      if (head || key.empty()) return {};
      ASSIGN(head, bucket.head(key));
      return {};
    };
    json told = json::object();
    for (const auto& one : wanted) {
      const std::string name = one.text();
      if (name == "*") {
        TRY(ask());
        return head ? *head : known;
      }
      if (!known.contains(name)) TRY(ask());
      told[name] = known.contains(name)           ? known.at(name)
                   : head && head->contains(name) ? head->at(name)
                                                  : json();
    }
    return told;
  }
};

}  // namespace

void add_s3(OperatorTable& table) {
  table["airflow.providers.amazon.aws.sensors.s3.S3KeySensor"] = std::make_unique<S3Key>();
}

}  // namespace tailrace::tasks
