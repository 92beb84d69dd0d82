// S3KeySensor: whether keys are in a bucket, by name, by wildcard, and by a function of the
// author's over what is known of them.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "jinja/json.h"
#include "net/aws_signature.h"
#include "net/http_client.h"
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

struct Object {
  std::string key, etag, modified;
  std::int64_t size = 0;
};

/// The text of the first element NAME in XML from `at` on, entities resolved.
std::string element(std::string_view xml, std::string_view name) {
  const std::string open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  const auto from = xml.find(open);
  if (from == xml.npos) return "";
  const auto to = xml.find(close, from);
  if (to == xml.npos) return "";
  std::string text(xml.substr(from + open.size(), to - from - open.size()));
  for (const auto& [entity, c] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{{"&lt;", "<"},
                                                                            {"&gt;", ">"},
                                                                            {"&quot;", "\""},
                                                                            {"&apos;", "'"},
                                                                            {"&#34;", "\""},
                                                                            {"&#39;", "'"},
                                                                            {"&amp;", "&"}}) {
    for (std::size_t at = 0; (at = text.find(entity, at)) != text.npos; at += c.size())
      text.replace(at, entity.size(), c);
  }
  return text;
}

/// S3 by the connection: keys of login and password, or of the environment, region and endpoint_url
/// of the extra.
class Bucket {
 public:
  static Result<Bucket> open(Context& context, std::string name) {
    Bucket bucket;
    bucket.name_ = std::move(name);
    bucket.clock_ = &context.clock;
    bucket.stop_ = context.stop;
    ASSIGN(const std::string id, text_argument(context, "aws_conn_id", "aws_default"));
    const auto connection = context.connection(id);
    const auto ours = [](const char* word) {
      const char* value = std::getenv(word);
      return std::string(value == nullptr ? "" : value);
    };
    std::string region, endpoint;
    if (connection) {
      bucket.keys_ = {connection->login.value_or(""), connection->password.value_or("")};
      if (connection->extra && !connection->extra->empty()) {
        ASSIGN(const Value extra, jinja::from_json(*connection->extra));
        const auto take = [&](std::string& to, std::string_view word) {
          const Value* value = extra.dict() == nullptr ? nullptr : extra.dict()->find(word);
          if (value != nullptr && !value->is_none()) to = value->text();
        };
        take(region, "region_name");
        take(endpoint, "endpoint_url");
        take(bucket.keys_.session_token, "aws_session_token");
        take(bucket.keys_.access_key, "aws_access_key_id");
        take(bucket.keys_.secret_key, "aws_secret_access_key");
        context.log.mask(bucket.keys_.secret_key);
        context.log.mask(bucket.keys_.session_token);
      }
    }
    if (bucket.keys_.access_key.empty())
      bucket.keys_ = {ours("AWS_ACCESS_KEY_ID"), ours("AWS_SECRET_ACCESS_KEY"),
                      ours("AWS_SESSION_TOKEN")};
    if (bucket.keys_.access_key.empty())
      return error(Code::kPermissionDenied, "Unable to locate credentials");
    ASSIGN(const std::string asked, text_argument(context, "region_name"));
    if (!asked.empty()) region = asked;
    if (region.empty()) region = ours("AWS_DEFAULT_REGION");
    bucket.region_ = region.empty() ? "us-east-1" : region;
    const Value* verify = given(context, "verify");
    if (verify != nullptr && verify->string() != nullptr) bucket.ca_file_ = *verify->string();
    if (verify != nullptr && verify->boolean() != nullptr) bucket.verify_ = verify->truth();
    // Another endpoint is asked by paths; Amazon's by the bucket's host.
    bucket.by_path_ = !endpoint.empty() || bucket.name_.find('.') != std::string::npos;
    if (endpoint.empty()) endpoint = "https://s3." + bucket.region_ + ".amazonaws.com";
    while (endpoint.ends_with('/')) endpoint.pop_back();
    const auto at = endpoint.find("://");
    if (at == endpoint.npos) return error(Code::kInvalidArgument, "Invalid endpoint: " + endpoint);
    bucket.scheme_ = endpoint.substr(0, at + 3);
    bucket.host_ = (bucket.by_path_ ? "" : bucket.name_ + ".") + endpoint.substr(at + 3);
    return bucket;
  }

  /// What is known of a key; none: it is not there.
  Result<std::optional<json>> head(const std::string& key) {
    ASSIGN(const auto answer, ask("HEAD", key, {}));
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

  Result<std::vector<Object>> list(const std::string& prefix) {
    std::vector<Object> all;
    std::string token;
    do {
      std::vector<std::pair<std::string, std::string>> query = {{"list-type", "2"},
                                                                {"prefix", prefix}};
      if (!token.empty()) query.emplace_back("continuation-token", token);
      ASSIGN(const auto answer, ask("GET", "", query));
      if (answer.status >= 300) return refused("ListObjectsV2", answer);
      const std::string_view xml = answer.body;
      for (auto at = xml.find("<Contents>"); at != xml.npos; at = xml.find("<Contents>", at + 1)) {
        const std::string_view one = xml.substr(at, xml.find("</Contents>", at) - at);
        all.push_back({element(one, "Key"), element(one, "ETag"), element(one, "LastModified"),
                       std::atoll(element(one, "Size").c_str())});
      }
      token = element(xml, "IsTruncated") == "true" ? element(xml, "NextContinuationToken") : "";
    } while (!token.empty() && all.size() < kMostKeys);
    if (!token.empty())
      return error(Code::kResourceExhausted,
                   fmt::format("{}/{}: over {} keys", name_, prefix, kMostKeys));
    return all;
  }

 private:
  Result<net::HttpResponse> ask(const std::string& method, const std::string& key,
                                std::vector<std::pair<std::string, std::string>> query) {
    net::AwsRequest request{.method = method,
                            .host = host_,
                            .path = (by_path_ ? "/" + net::aws_encode(name_, false) : "") + "/" +
                                    net::aws_encode(key, true),
                            .query = std::move(query),
                            .body = {},
                            .region = region_,
                            .service = "s3",
                            .seconds_since_1970 = clock_->now().value / 1000};
    if (key.empty() && by_path_) request.path.pop_back();
    net::HttpOptions options;
    options.headers = net::aws_signature(request, keys_);
    options.timeout_ms = 60'000;
    options.follow_redirects = false;
    options.verify_tls = verify_;
    options.ca_file = ca_file_;
    options.stop = stop_;
    const std::string text = net::aws_query(request);
    net::HttpClient client;
    return client.request(method, scheme_ + host_ + request.path + (text.empty() ? "" : "?" + text),
                          std::nullopt, options);
  }

  static std::unexpected<Error> refused(std::string_view what, const net::HttpResponse& answer) {
    const std::string code = element(answer.body, "Code"),
                      message = element(answer.body, "Message");
    return error(Code::kAborted,
                 fmt::format("An error occurred ({}) when calling the {} operation: {}",
                             code.empty() ? std::to_string(answer.status) : code, what,
                             message.empty() ? answer.reason : message));
  }

  std::string name_, scheme_, host_, region_, ca_file_;
  net::AwsKeys keys_;
  bool by_path_ = true, verify_ = true;
  const rt::Clock* clock_ = nullptr;
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
                            {"Size", one.size},
                            {"ETag", one.etag},
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
