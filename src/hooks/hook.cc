// A webhook's way from the request to the answer.
#include "hooks/hook.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>

#include "auth/digest.h"
#include "base/hex.h"
#include "base/log.h"
#include "hooks/signature.h"

namespace tailrace::hooks {
namespace {

using Scheme = connect::WebhookSignature::Scheme;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

constexpr std::size_t kToldLines = 100;

net::Response json_answer(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

std::string counted(std::size_t records, const std::vector<BadLine>& bad) {
  if (bad.empty()) return fmt::format("{{\"records\": {}}}", records);
  nlohmann::ordered_json json = {
      {"records", records}, {"rejected", bad.size()}, {"lines", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < std::min(bad.size(), kToldLines); ++i)
    json["lines"].push_back({{"line", bad[i].line}, {"error", bad[i].why}});
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// What is worse of two.
Status worse(Status one, Status other) {
  const auto good = [](const Status& status) {
    return status || status.error().code == Code::kAlreadyExists;
  };
  if (!good(one)) return one;
  if (!good(other)) return other;
  return one ? one : other;  // all of it was there before: only then is it said
}

/// Deliveries that are settled together.
class Together {
 public:
  Together(std::size_t parts, std::function<void(Status)> done)
      : left_(parts), done_(std::move(done)) {}
  void settle(Status how) {
    std::unique_lock lock(mutex_);
    all_ = begun_ ? worse(std::move(all_), std::move(how)) : std::move(how);
    begun_ = true;
    if (--left_ > 0) return;
    lock.unlock();
    done_(std::move(all_));
  }

 private:
  std::mutex mutex_;
  std::size_t left_;
  Status all_;
  bool begun_ = false;
  const std::function<void(Status)> done_;
};

/// An id of any length as one that an inbox takes.
std::string short_id(std::string id) {
  if (id.size() <= connect::kMaxDeliveryId) return id;
  return "sha256:" + encode_hex(auth::sha256(id));
}

/// A text of the body's JSON, where it is one.
std::string member(const std::string& body, const char* path) {
  const auto parsed = connect::JsonPath::parse(path);
  return parsed ? parsed->find(body).value_or("") : std::string();
}

}  // namespace

net::Response refusal(int status, std::string_view what) {
  return json_answer(status, nlohmann::json{{"error", std::string(what)}}.dump(
                                 -1, ' ', false, nlohmann::json::error_handler_t::replace));
}

net::Response refusal_for_now(int status, std::string_view what, nanoseconds wait) {
  net::Response response = refusal(status, what);
  const auto seconds =
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

void offer_parts(connect::Inbox& inbox, std::vector<Part> parts,
                 const std::function<void(Status)>& done, const telemetry::SpanContext& trace) {
  const auto deliver = [&](Part& part, std::function<void(Status)> told) {
    return inbox.offer({.items = std::move(part.items),
                        .rejects = std::move(part.rejects),
                        .id = short_id(std::move(part.id)),
                        .done = std::move(told),
                        .trace = trace});
  };
  if (parts.empty()) return done({});
  if (parts.size() == 1) {
    if (auto offered = deliver(parts.front(), done); !offered) done(offered);
    return;
  }
  const auto all = std::make_shared<Together>(parts.size(), done);
  Status taken;
  for (Part& part : parts) {
    if (taken) taken = deliver(part, [all](const Status& how) { all->settle(how); });
    if (!taken) all->settle(taken);
  }
}

Hook::Hook(HookConfig config, rt::Clock& clock)
    : config_(std::move(config)),
      clock_(clock),
      limit_({.rate = config_.options.rate,
              .client_rate = config_.options.client_rate,
              .burst = config_.options.burst}) {}

/// Status 200: it may be read.
net::Response Hook::check(const net::Request& request) {
  const connect::WebhookOptions& options = config_.options;
  if (request.body.size() > options.max_body)
    return refusal(413, fmt::format("the body has {} bytes: at most {}, max_body of the source {}",
                                    request.body.size(), options.max_body, config_.name));
  const auto too_many = [&](nanoseconds wait) {
    counts_->limited.add();
    return refusal_for_now(429, "too many requests; come again after Retry-After", wait);
  };
  if (const auto wait = limit_.take_of(request.peer, clock_.monotonic()); wait.count() > 0)
    return too_many(wait);
  if (auto knows = check_token(options, request); !knows) {
    net::Response response = refusal(401, knows.error().what);
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  if (auto signed_so = check_signature(options.signature, request, clock_.now().value); !signed_so)
    return refusal(401, signed_so.error().what);
  if (const auto wait = limit_.take_of_all(clock_.monotonic()); wait.count() > 0)
    return too_many(wait);
  if (!config_.closed) return {};
  const std::string why = config_.closed();
  return why.empty() ? net::Response() : refusal_for_now(503, why, 5s);
}

/// What senders ask before they send: no records.
bool Hook::answer_greeting(const net::Request& request, const net::Respond& respond) const {
  const Scheme scheme = config_.options.signature.scheme;
  if (scheme == Scheme::kSlack && member(request.body, "$.type") == "url_verification") {
    respond(json_answer(200,
                        nlohmann::json{{"challenge", member(request.body, "$.challenge")}}.dump()));
    return true;
  }
  if (scheme == Scheme::kGitHub && request.header("x-github-event") == "ping") {
    respond(json_answer(200, R"({"records": 0, "ping": "pong"})"));
    return true;
  }
  return false;
}

void Hook::set_id(const net::Request& request, Body& body) const {
  const std::string& how = config_.options.idempotency;
  if (how == "none" || body.parts.empty()) {
    for (Part& part : body.parts) part.id.clear();
    return;
  }
  std::string id;
  if (how != "auto") {
    id = request.header(how);
  } else {
    for (const char* header : {"idempotency-key", "x-github-delivery", "webhook-id"}) {
      id = request.header(header);
      if (!id.empty()) break;
    }
    const Scheme scheme = config_.options.signature.scheme;
    if (id.empty() && scheme == Scheme::kStripe) id = member(request.body, "$.id");
    if (id.empty() && scheme == Scheme::kSlack) id = member(request.body, "$.event_id");
  }
  if (id.empty()) return;  // of CloudEvents their own stay
  for (std::size_t i = 0; i < body.parts.size(); ++i)
    body.parts[i].id = i == 0 ? id : fmt::format("{}\n{}", id, i);
}

void Hook::accept(const net::Request& request, const net::Respond& respond,
                  const telemetry::SpanContext& trace) {
  if (request.method == "OPTIONS" && !request.header("webhook-request-origin").empty()) {
    // CloudEvents' "Abuse protection": we agree to be sent to.
    net::Response agreed;
    agreed.headers = {
        {"WebHook-Allowed-Origin", std::string(request.header("webhook-request-origin"))},
        {"WebHook-Allowed-Rate", "*"},
        {"Allow", "POST"}};
    return respond(std::move(agreed));
  }
  if (request.method != "POST") {
    net::Response refused = refusal(405, "POST is what is taken here");
    refused.headers.emplace_back("Allow", "POST");
    return respond(std::move(refused));
  }
  net::Response checked = check(request);
  if (checked.status == 200 && answer_greeting(request, respond)) return;
  Body body;
  if (checked.status == 200) {
    body = read_body(config_.options, config_.name, request);
    if (body.refused != 0) checked = refusal(body.refused, body.why);
  }
  if (checked.status != 200) {
    if (checked.status == 503) {
      counts_->unavailable.add();
    } else if (checked.status != 429) {
      counts_->refused.add();
    }
    return respond(std::move(checked));
  }
  set_id(request, body);
  std::size_t records = 0;
  for (const Part& part : body.parts) records += part.items.size();
  const auto begun = clock_.monotonic();
  const auto done = [counts = counts_, respond, records, bad = std::move(body.bad), begun,
                     bytes = request.body.size(), &clock = clock_](const Status& how) {
    const bool again = !how && how.error().code == Code::kAlreadyExists;
    if (!how && !again) {
      counts->unavailable.add();
      return respond(refusal_for_now(503, how.error().what, 1s));
    }
    (again ? counts->repeated : counts->accepted).add();
    net::Response response = json_answer(200, counted(records, bad));
    if (again) {
      response.headers.emplace_back("Idempotent-Replayed", "true");
    } else {
      counts->records.add(records);
      counts->rejected.add(bad.size());
      counts->bytes.add(bytes);
      counts->durable.observe(clock.monotonic() - begun);
    }
    respond(std::move(response));
  };
  offer_parts(*config_.inbox, std::move(body.parts), done, trace);
}

}  // namespace tailrace::hooks
