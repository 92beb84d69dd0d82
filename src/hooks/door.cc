// Routes of the door.
#include "hooks/door.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "hooks/request_span.h"

namespace tailrace::hooks {
namespace {

constexpr std::string_view kPrefix = "/hooks/";

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1" || host == "[::1]" ||
         host == "::ffff:127.0.0.1";
}

/// Asked on this machine, and by nobody else through a proxy or tunnel on it.
bool is_own(const net::Request& request) {
  if (!is_loopback(request.peer)) return false;
  for (const char* header : {"forwarded", "x-forwarded-for", "x-forwarded-host", "via", "x-real-ip",
                             "cf-connecting-ip", "true-client-ip"})
    if (request.headers.contains(header)) return false;
  return true;
}

Status check_reach(const DoorConfig& config) {
  if (is_loopback(config.host)) return {};
  for (const HookConfig& hook : config.hooks) {
    if (hook.options.guarded() || hook.options.open) continue;
    return error(Code::kInvalidArgument,
                 fmt::format("{} {}: others would reach it, and the webhook {} takes whatever "
                             "anybody sends; give it a `token` or a `signature`, or say `open: "
                             "true`",
                             config.flag, config.host, hook.name));
  }
  if (config.functions && !config.functions->login().guarded())
    return error(Code::kInvalidArgument,
                 fmt::format("{} {}: others would reach it and call the functions; say who may: "
                             "`invoke: {{token: …}}`, or access_key and secret_key, in "
                             "tailrace.yml",
                             config.flag, config.host));
  return {};
}

}  // namespace

Result<std::unique_ptr<Door>> Door::start(DoorConfig config) {
  TRY(check_reach(config));
  std::unique_ptr<Door> door(new Door);
  net::HttpServerConfig server;
  server.host = std::move(config.host);
  server.port = config.port;
  server.flag = std::move(config.flag);
  server.tls = std::move(config.tls);
  server.refuse = [](int status, std::string_view what) {
    return status == 503 ? refusal_for_now(status, what, std::chrono::seconds(1))
                         : refusal(status, what);
  };
  server.any_host = true;
  server.limits.body_bytes = 0;
  for (HookConfig& one : config.hooks) {
    server.any_host &= one.options.guarded();
    server.limits.body_bytes = std::max(server.limits.body_bytes, one.options.max_body);
    auto& place = door->hooks_[one.options.path];
    if (place)
      return error(Code::kInvalidArgument,
                   fmt::format("the webhooks {} and {} have one path, {}{}", place->name(),
                               one.name, kPrefix, one.options.path));
    place = std::make_unique<Hook>(std::move(one));
  }
  if (config.functions) {
    door->functions_ = std::move(config.functions);
    server.any_host &= door->functions_->login().guarded();
    // A little more, so that what is too large is refused as Lambda does it.
    server.limits.body_bytes = std::max(server.limits.body_bytes, kMostEventBytes + (64 << 10));
    constexpr int kSlackMs = 60'000;
    server.limits.answer_timeout_ms =
        std::max(server.limits.answer_timeout_ms,
                 static_cast<int>(door->functions_->longest_ms()) + kSlackMs);
    door->functions_->start();
  }
  ASSIGN(door->server_,
         net::HttpServer::start(std::move(server), [raw = door.get()](const net::Request& request,
                                                                      const net::Respond& respond) {
           raw->answer(request, respond);
         }));
  return door;
}

void Door::answer(const net::Request& request, const net::Respond& respond) {
  if (request.path.starts_with(kPrefix)) {
    const auto hook = hooks_.find(request.path.substr(kPrefix.size()));
    if (hook != hooks_.end() && !telemetry::on()) return hook->second->accept(request, respond);
    if (hook != hooks_.end()) {
      const auto traced = trace_request(request, request.path, respond);
      return hook->second->accept(request, traced.respond, traced.trace);
    }
  }
  if (functions_ &&
      (request.path == kInvokePath || request.path.starts_with(std::string(kInvokePath) + "/"))) {
    if (!telemetry::on()) return functions_->answer(request, respond);
    const bool invocation = request.segments.size() == 4 && request.segments[3] == "invocations";
    const auto traced = trace_request(
        request, std::string(kInvokePath) + (invocation ? "/{FunctionName}/invocations" : "/…"),
        respond);
    return functions_->answer(request, traced.respond, traced.trace);
  }
  if (request.path == "/healthz" && request.method == "GET") {
    net::Response fine;
    fine.content_type = "application/json";
    fine.body = R"({"status": "ok"})";
    return respond(std::move(fine));
  }
  respond(unknown(request));
}

net::Response Door::unknown(const net::Request& request) const {
  if (!is_own(request)) return refusal(404, "nothing is here");
  nlohmann::json paths = nlohmann::json::array();
  std::string all;
  for (const auto& [path, hook] : hooks_) {
    paths.push_back(std::string(kPrefix) + path);
    all += (all.empty() ? "" : ", ") + std::string(kPrefix) + path;
  }
  if ((request.path == "/hooks" || request.path == kPrefix) && request.method == "GET") {
    net::Response list;
    list.content_type = "application/json";
    list.body = nlohmann::json{{"hooks", paths}}.dump();
    return list;
  }
  return refusal(404, all.empty() ? "nothing is here: the project has no webhook"
                                  : "nothing is here; POST is taken at " + all);
}

void Door::write_metrics(MetricsText& out) const {
  out.family("tailrace_hooks_requests_total", MetricType::kCounter,
             "Requests to a webhook, by how they were answered.");
  for (const auto& [path, hook] : hooks_) {
    const Hook::Counts& counts = hook->counts();
    for (const auto& [how, counter] : {std::pair{"accepted", &counts.accepted},
                                       {"repeated", &counts.repeated},
                                       {"refused", &counts.refused},
                                       {"limited", &counts.limited},
                                       {"unavailable", &counts.unavailable}})
      out.add({{"source", hook->name()}, {"answer", how}}, counter->value());
  }
  const auto family = [&](std::string_view name, std::string_view help,
                          auto Hook::Counts::*member) {
    out.family(name, MetricType::kCounter, help);
    for (const auto& [path, hook] : hooks_)
      out.add({{"source", hook->name()}}, (hook->counts().*member).value());
  };
  family("tailrace_hooks_records_total", "Records that webhooks were sent.",
         &Hook::Counts::records);
  family("tailrace_hooks_rejected_total", "Lines that became dead letters.",
         &Hook::Counts::rejected);
  family("tailrace_hooks_received_bytes_total", "Bytes of bodies that were accepted.",
         &Hook::Counts::bytes);
  out.family("tailrace_hooks_durable_seconds", MetricType::kHistogram,
             "From a request to its records on disk.");
  for (const auto& [path, hook] : hooks_)
    out.add({{"source", hook->name()}}, hook->counts().durable, std::chrono::seconds(1));
  if (functions_) functions_->write_metrics(out);
}

}  // namespace tailrace::hooks
