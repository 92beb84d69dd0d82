#include "lambda/runtime.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>

#include "lambda/json.h"
#include "lambda/msk_token.h"

namespace tailrace::lambda {
namespace {

constexpr std::string_view kApi = "/2018-06-01/runtime/";
/// Lambda's own limit is 6 MB.
constexpr std::size_t kMostEventBytes = 32 << 20;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_file(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

/// A line of the function's log: text, or JSON where the function is set so.
class Log {
 public:
  explicit Log(const Environment& environment)
      : json_(value_of(environment, "AWS_LAMBDA_LOG_FORMAT") == "JSON") {}

  void write(std::string_view level, std::string_view request_id, std::string_view message) const {
    std::string line;
    if (json_) {
      const std::time_t now = std::time(nullptr);
      std::tm parts{};
      gmtime_r(&now, &parts);
      char time[32];
      std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &parts);
      line = fmt::format("{{\"timestamp\":\"{}\",\"level\":\"{}\",\"message\":", time, level);
      append_string(line, message);
      if (!request_id.empty()) {
        line += ",\"requestId\":";
        append_string(line, request_id);
      }
      line += "}\n";
    } else {
      line = fmt::format("{}{}{} {}\n", level, request_id.empty() ? "" : " ", request_id, message);
    }
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  }

 private:
  bool json_;
};

/// OpenSSL and librdkafka look where Debian keeps authorities; Amazon Linux keeps them elsewhere.
void find_authorities() {
  if (std::getenv("SSL_CERT_FILE") != nullptr) return;
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cert.pem"}) {
    if (!is_file(path)) continue;
    setenv("SSL_CERT_FILE", path, 1);
    return;
  }
}

struct Function {
  Settings settings;
  std::unique_ptr<kafka_log::RecordProducer> producer;
};

Result<Function> prepare(const Environment& environment) {
  const std::string root = value_of(environment, "LAMBDA_TASK_ROOT");
  const std::string file = (root.empty() ? "." : root) + "/tailrace.yml";
  ASSIGN(Settings settings, read_settings(is_file(file) ? file : "", environment));
  ASSIGN(auto token, msk_token(settings, environment));
  std::vector<std::string> topics;
  if (settings.topic.find('{') == std::string::npos) topics.push_back(settings.topic);
  ASSIGN(auto producer, kafka_log::RecordProducer::open(settings.kafka, topics, std::move(token)));
  return Function{std::move(settings), std::move(producer)};
}

/// Ends only when the API does.
Error serve(RuntimeApi& api, const Function& function, const Environment& environment,
            const Log& log) {
  Handler handler(function.settings, *function.producer, s3_lines(environment), now_ms);
  while (true) {
    auto invocation = api.next();
    if (!invocation) return invocation.error();
    if (!invocation->trace_id.empty()) setenv("_X_AMZN_TRACE_ID", invocation->trace_id.c_str(), 1);
    std::string told;
    const Answer answer = handler.handle(*invocation, told);
    if (!told.empty())
      log.write(answer.error_type.empty() ? "WARN" : "ERROR", invocation->request_id, told);
    if (auto sent = api.answer(invocation->request_id, answer); !sent)
      log.write("ERROR", invocation->request_id, sent.error().what);
  }
}

}  // namespace

Result<RuntimeApi> RuntimeApi::make(const std::string& address) {
  ASSIGN(auto connection, net::HttpConnection::make(address, std::chrono::seconds(0)));
  return RuntimeApi(std::move(connection));
}

Result<Invocation> RuntimeApi::next() {
  ASSIGN(auto answer, connection_.ask({.method = "GET",
                                       .target = fmt::format("{}invocation/next", kApi),
                                       .headers = {{"User-Agent", "tailrace"}},
                                       .max_body_bytes = kMostEventBytes}));
  if (answer.status != 200)
    return error(Code::kUnavailable, fmt::format("the runtime API answers {} to `next`: {}",
                                                 answer.status, answer.body.substr(0, 200)));
  Invocation invocation{.request_id = answer.header("lambda-runtime-aws-request-id"),
                        .trace_id = answer.header("lambda-runtime-trace-id"),
                        .body = std::move(answer.body)};
  const std::string deadline = answer.header("lambda-runtime-deadline-ms");
  std::from_chars(deadline.data(), deadline.data() + deadline.size(), invocation.deadline_ms);
  if (invocation.request_id.empty())
    return error(Code::kDataLoss, "the runtime API gave an invocation without its id");
  constexpr std::int64_t kUsualMs = 3'000;
  if (invocation.deadline_ms == 0) invocation.deadline_ms = now_ms() + kUsualMs;
  return invocation;
}

Status RuntimeApi::post(const std::string& target, const Answer& answer) {
  net::HttpAsk request{.method = "POST", .target = target, .body = answer.body};
  request.headers.emplace_back("Content-Type", "application/json");
  if (!answer.error_type.empty())
    request.headers.emplace_back("Lambda-Runtime-Function-Error-Type", answer.error_type);
  ASSIGN(const auto got, connection_.ask(request));
  if (got.status >= 300)
    return error(Code::kUnavailable, fmt::format("the runtime API answers {} to {}: {}", got.status,
                                                 target, got.body.substr(0, 200)));
  return {};
}

Status RuntimeApi::answer(const std::string& request_id, const Answer& answer) {
  return post(fmt::format("{}invocation/{}/{}", kApi, request_id,
                          answer.error_type.empty() ? "response" : "error"),
              answer);
}

Status RuntimeApi::init_error(const Answer& answer) {
  return post(fmt::format("{}init/error", kApi), answer);
}

int run_function(const Environment& environment) {
  const Log log(environment);
  const std::string address = value_of(environment, "AWS_LAMBDA_RUNTIME_API");
  if (address.empty()) {
    log.write(
        "ERROR", "",
        "AWS_LAMBDA_RUNTIME_API is not set: this is AWS Lambda's custom runtime, which Lambda "
        "or its emulator (aws-lambda-rie) starts");
    return 1;
  }
  find_authorities();
  auto api = RuntimeApi::make(address);
  if (!api) {
    log.write("ERROR", "", "AWS_LAMBDA_RUNTIME_API: " + api.error().what);
    return 1;
  }
  auto function = prepare(environment);
  if (!function) {
    log.write("ERROR", "", function.error().what);
    const auto told = api->init_error(error_answer("Tailrace.Settings", function.error().what));
    if (!told) log.write("ERROR", "", told.error().what);
    return 1;
  }
  const Error end = serve(*api, *function, environment, log);
  log.write("ERROR", "", end.what);
  return 1;
}

}  // namespace tailrace::lambda
