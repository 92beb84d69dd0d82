// Lambda's requests and answers.
#include "hooks/invoke.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <future>
#include <nlohmann/json.hpp>

#include "auth/digest.h"
#include "base/base64.h"
#include "base/hex.h"
#include "connect/json_path.h"

namespace tailrace::hooks {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostItems = 10'000, kItems = 50;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

net::Response answered(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

net::Response refused(int status, std::string_view type, std::string_view message,
                      std::string_view whose = "User") {
  net::Response response =
      answered(status, dump({{"Type", std::string(whose)}, {"Message", std::string(message)}}));
  response.headers.emplace_back("x-amzn-ErrorType", std::string(type));
  return response;
}

net::Response not_found(const std::string& arn) {
  return refused(404, "ResourceNotFoundException", "Function not found: " + arn);
}

/// A UUID of random bits (RFC 9562, version 4).
std::string new_id() {
  std::string bytes = auth::random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text = encode_hex(bytes);
  for (const int at : {20, 16, 12, 8}) text.insert(static_cast<std::size_t>(at), "-");
  return text;
}

struct Name {
  std::string function, qualifier;
};

/// A name, ACCOUNT:function:NAME or arn:aws:lambda:REGION:ACCOUNT:function:NAME, then :QUALIFIER.
Name name_of(std::string_view text) {
  constexpr std::string_view kFunction = "function:";
  if (const std::size_t at = text.find(kFunction);
      at != std::string_view::npos && (at == 0 || text[at - 1] == ':'))
    text.remove_prefix(at + kFunction.size());
  const std::size_t colon = text.find(':');
  Name name{std::string(text.substr(0, colon)), {}};
  if (colon != std::string_view::npos) name.qualifier = text.substr(colon + 1);
  return name;
}

std::string aws_time(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
  return fmt::format("{}.{:03}+0000", text, ms % 1000);
}

Json configuration(const FunctionInfo& info) {
  const std::string digest = auth::sha256(info.code);
  Json json = {{"FunctionName", info.name},
               {"FunctionArn", info.arn()},
               {"Runtime", info.runtime},
               {"Role", "arn:aws:iam::123456789012:role/tailrace"},
               {"Handler", info.handler},
               {"CodeSize", info.code.size()},
               {"Description", info.description},
               {"Timeout", (info.timeout_ms + 999) / 1000},
               {"MemorySize", info.memory_bytes >> 20},
               {"LastModified", aws_time(info.modified_ms)},
               {"CodeSha256", encode_base64(digest)},
               {"Version", "$LATEST"},
               {"TracingConfig", {{"Mode", "PassThrough"}}},
               {"RevisionId", encode_hex(digest).substr(0, 32)},
               {"State", "Active"},
               {"LastUpdateStatus", "Successful"},
               {"PackageType", "Zip"},
               {"Architectures", {"x86_64"}},
               {"EphemeralStorage", {{"Size", 512}}}};
  return json;
}

/// START, what was printed, END and REPORT, as Lambda's log has them; its last 4 KB.
std::string tail_of(const FunctionInfo& info, const std::string& id, const Returned& returned) {
  constexpr std::size_t kTail = 4096;
  const double ms = static_cast<double>(returned.took_us) / 1000;
  std::string log = fmt::format(
      "START RequestId: {0} Version: $LATEST\n{1}END RequestId: {0}\nREPORT RequestId: "
      "{0}\tDuration: {2:.2f} ms\tBilled Duration: {3} ms\tMemory Size: {4} MB\tMax Memory Used: "
      "{5} MB\t\n",
      id, returned.log, ms, static_cast<std::int64_t>(std::ceil(ms)), info.memory_bytes >> 20,
      returned.most_memory_kb >> 10);
  return log.size() > kTail ? log.substr(log.size() - kTail) : log;
}

net::Response refused_call(const Status& why) {
  if (why.error().code != Code::kResourceExhausted)
    return refused(500, "ServiceException", why.error().what, "Service");
  net::Response response = answered(429, dump({{"Reason", "ConcurrentInvocationLimitExceeded"},
                                               {"Type", "User"},
                                               {"message", "Rate Exceeded."}}));
  response.headers.emplace_back("x-amzn-ErrorType", "TooManyRequestsException");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

net::Response of_returned(const FunctionInfo& info, const std::string& id, bool with_log,
                          Returned returned) {
  if (!returned.refused) return refused_call(returned.refused);
  net::Response response = answered(200, std::move(returned.payload));
  response.headers.emplace_back("X-Amz-Executed-Version", "$LATEST");
  if (returned.failed) response.headers.emplace_back("X-Amz-Function-Error", "Unhandled");
  if (with_log)
    response.headers.emplace_back("X-Amz-Log-Result", encode_base64(tail_of(info, id, returned)));
  return response;
}

}  // namespace

Functions::~Functions() = default;

Result<std::unique_ptr<Functions>> Functions::open(FunctionsConfig config, rt::Clock& clock) {
  std::unique_ptr<Functions> made(new Functions(std::move(config.login), clock));
  for (auto& function : config.functions) {
    const std::string name = function->info().name;
    made->functions_[name].function = std::move(function);
  }
  EventQueueConfig queue;
  queue.file = std::move(config.queue_file);
  queue.lost = std::move(config.lost);
  queue.function = [raw = made.get()](const std::string& name) -> Function* {
    const auto found = raw->functions_.find(name);
    return found == raw->functions_.end() ? nullptr : found->second.function.get();
  };
  ASSIGN(made->queue_, EventQueue::open(std::move(queue), clock));
  return made;
}

std::int64_t Functions::longest_ms() const {
  std::int64_t most = 0;
  for (const auto& [name, entry] : functions_)
    most = std::max(most, entry.function->info().timeout_ms);
  return most;
}

void Functions::answer(const net::Request& request, const net::Respond& respond,
                       const telemetry::SpanContext& trace) {
  const std::string id = new_id();
  const net::Respond with_id = [respond, id](net::Response response) {
    response.headers.emplace_back("x-amzn-RequestId", id);
    respond(std::move(response));
  };
  if (auto known = check_login(login_, request, clock_.now().value); !known)
    return with_id(refused(403, "InvalidSignatureException", known.error().what));
  const auto& segments = request.segments;
  const bool invocation = segments.size() == 4 && segments[3] == "invocations";
  if (invocation && request.method == "POST") return invoke(request, id, with_id, trace);
  if (request.method != "GET" || invocation) {
    net::Response response =
        refused(405, "MethodNotAllowedException", "functions are written in tailrace.yml");
    response.headers.emplace_back("Allow", invocation ? "POST" : "GET");
    return with_id(std::move(response));
  }
  with_id(read(request));
}

net::Response Functions::read(const net::Request& request) const {
  std::vector<std::string> segments = request.segments;
  if (!segments.empty() && segments.back().empty()) segments.pop_back();
  if (segments.size() == 2) {
    std::int64_t most = kItems;
    if (const auto said = request.param("MaxItems"))
      std::from_chars(said->data(), said->data() + said->size(), most);
    most = std::clamp<std::int64_t>(most, 1, kMostItems);
    Json list = Json::array();
    auto at = functions_.upper_bound(request.param("Marker").value_or(""));
    for (; at != functions_.end() && static_cast<std::int64_t>(list.size()) < most; ++at)
      list.push_back(configuration(at->second.function->info()));
    Json next;
    if (at != functions_.end()) next = std::prev(at)->first;
    return answered(200, dump({{"Functions", list}, {"NextMarker", next}}));
  }
  const Name name = name_of(segments[2]);
  const auto found = functions_.find(name.function);
  FunctionInfo unknown;
  unknown.name = name.function;
  if (found == functions_.end()) return not_found(unknown.arn());
  const FunctionInfo& info = found->second.function->info();
  if (segments.size() == 4 && segments[3] == "configuration")
    return answered(200, dump(configuration(info)));
  if (segments.size() != 3)
    return refused(404, "ResourceNotFoundException", "nothing is here: " + request.path);
  return answered(200, dump({{"Configuration", configuration(info)},
                             {"Code", {{"RepositoryType", "S3"}, {"Location", ""}}},
                             {"Tags", Json::object()}}));
}

Status Functions::queue(const std::string& name, Call call) {
  if (!functions_.contains(name))
    return error(Code::kNotFound, fmt::format("there is no function {}", name));
  const auto kept = std::make_shared<std::promise<Status>>();
  queue_->put(name, std::move(call), [kept](const Status& how) { kept->set_value(how); });
  return kept->get_future().get();
}

void Functions::invoke(const net::Request& request, const std::string& id,
                       const net::Respond& respond, const telemetry::SpanContext& trace) {
  Name name = name_of(request.segments[2]);
  if (const auto qualifier = request.param("Qualifier")) name.qualifier = *qualifier;
  const auto found = functions_.find(name.function);
  FunctionInfo unknown;
  unknown.name = name.function;
  if (found == functions_.end() || (!name.qualifier.empty() && name.qualifier != "$LATEST"))
    return respond(not_found(unknown.arn() + (name.qualifier.empty() ? "" : ":" + name.qualifier)));
  std::string type(request.header("x-amz-invocation-type"));
  if (type.empty()) type = "RequestResponse";
  if (type != "RequestResponse" && type != "Event" && type != "DryRun")
    return respond(refused(
        400, "ValidationException",
        fmt::format("1 validation error detected: Value '{}' at 'invocationType' failed to satisfy "
                    "constraint: Member must satisfy enum value set: [Event, RequestResponse, "
                    "DryRun]",
                    type)));
  const std::size_t most = type == "Event" ? kMostQueuedBytes : kMostEventBytes;
  if (request.body.size() > most)
    return respond(refused(
        413, "RequestTooLargeException",
        fmt::format("{} byte payload is too large for the {} invocation type (limit {} bytes)",
                    request.body.size(), type, most)));
  Call call{.request_id = id,
            .event = request.body.empty() ? "{}" : request.body,
            .client_context = std::string(request.header("x-amz-client-context")),
            .trace = trace};
  if (auto good = connect::check_json(call.event); !good) {
    const std::string where = where_not_json(call.event);
    return respond(refused(
        400, "InvalidRequestContentException",
        "Could not parse request body into json: " + (where.empty() ? good.error().what : where)));
  }
  if (type == "DryRun") return respond(answered(204, ""));
  if (type == "RequestResponse")
    return call_now(found->second, std::move(call), request.header("x-amz-log-type") == "Tail",
                    respond);
  queue_->put(name.function, std::move(call), [respond](const Status& how) {
    respond(how ? answered(202, "") : refused_call(how));
  });
}

void Functions::call_now(Entry& entry, Call call, bool with_log, const net::Respond& respond) {
  entry.calls->add();
  const std::string id = call.request_id;
  entry.function->call(std::move(call),
                       [&info = entry.function->info(), failures = entry.failures,
                        took = entry.took, id, with_log, respond](Returned returned) {
                         if (returned.failed) failures->add();
                         took->observe(std::chrono::microseconds(returned.took_us));
                         respond(of_returned(info, id, with_log, std::move(returned)));
                       });
}

void Functions::write_metrics(MetricsText& out) const {
  out.family("tailrace_functions_calls_total", MetricType::kCounter, "Calls that were waited for.");
  for (const auto& [name, entry] : functions_) out.add({{"function", name}}, entry.calls->value());
  out.family("tailrace_functions_failures_total", MetricType::kCounter,
             "Of them, those that the function failed.");
  for (const auto& [name, entry] : functions_)
    out.add({{"function", name}}, entry.failures->value());
  out.family("tailrace_functions_seconds", MetricType::kHistogram, "How long a call took.");
  for (const auto& [name, entry] : functions_)
    out.add({{"function", name}}, *entry.took, std::chrono::seconds(1));
  out.family("tailrace_functions_queued", MetricType::kGauge,
             "Calls that nobody waits for and that are not done.");
  out.add({}, queue_->waiting());
}

}  // namespace tailrace::hooks
