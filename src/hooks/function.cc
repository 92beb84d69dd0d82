// Functions that need no process of their own.
#include "hooks/function.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/log.h"

namespace tailrace::hooks {
namespace {

using Steady = std::chrono::steady_clock;

std::int64_t micros_since(Steady::time_point begun) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begun).count();
}

class SqlFunction final : public Function {
 public:
  SqlFunction(FunctionInfo info, AskSql ask, std::shared_ptr<WorkQueue> workers)
      : Function(std::move(info)), ask_(std::move(ask)), workers_(std::move(workers)) {}

  void call(Call call, Done done) override {
    const auto work = [this, call = std::move(call), done] { done(answer(call)); };
    if (workers_->put(work)) return;
    Returned full;
    full.refused = error(Code::kResourceExhausted, "too many calls wait");
    done(std::move(full));
  }

 private:
  Returned answer(const Call& call) const {
    const auto begun = Steady::now();
    Returned returned;
    try {
      const auto until = begun + std::chrono::milliseconds(info_.timeout_ms);
      if (auto rows = ask_(info_.code, call.event, until)) {
        returned.payload = std::move(*rows);
      } else if (rows.error().code == Code::kDeadlineExceeded) {
        returned = timed_out(call.request_id, info_.timeout_ms);
      } else {
        returned = failure("QueryError", rows.error().what);
      }
    } catch (const std::exception& surprise) {
      returned = failure("QueryError", surprise.what());
    }
    returned.took_us = micros_since(begun);
    return returned;
  }

  const AskSql ask_;
  const std::shared_ptr<WorkQueue> workers_;
};

class IngestFunction final : public Function {
 public:
  IngestFunction(FunctionInfo info, std::unique_ptr<Function> inner, HookConfig source)
      : Function(std::move(info)), inner_(std::move(inner)), source_(std::move(source)) {}

  void call(Call call, Done done) override {
    if (!inner_) return take(call, call.event, Returned(), done);
    Call caller{
        .request_id = call.request_id, .event = {}, .client_context = {}, .trace = call.trace};
    inner_->call(std::move(call), [this, caller = std::move(caller), done](Returned given) {
      if (given.failed || !given.refused) return done(std::move(given));
      const std::string payload = given.payload;
      take(caller, payload, std::move(given), done);
    });
  }

 private:
  void take(const Call& call, const std::string& json, Returned returned, const Done& done) const {
    const auto begun = Steady::now();
    net::Request request;
    request.headers["content-type"] = "application/json";
    request.body = json;
    connect::WebhookOptions options = source_.options;
    options.format = connect::WebhookOptions::Format::kJson;
    if (inner_) {
      options.split.reset();
      if (json == "null" || json == "[]") return done(answered(std::move(returned), 0));
      if (json.starts_with('[')) options.split = *connect::JsonPath::parse("$");
    }
    Body body = read_body(options, source_.name, request);
    if (body.refused != 0) return done(failure("InvalidEvent", body.why));
    const std::size_t records = body.parts.front().items.size();
    body.parts.front().id = "invoke\n" + call.request_id;
    offer_parts(
        *source_.inbox, std::move(body.parts),
        [returned, done, records, begun](const Status& how) mutable {
          if (!how && how.error().code != Code::kAlreadyExists) {
            returned.refused = how;
            return done(std::move(returned));
          }
          returned.took_us += micros_since(begun);
          done(answered(std::move(returned), records));
        },
        call.trace);
  }

  static Returned answered(Returned returned, std::size_t records) {
    returned.payload = fmt::format("{{\"records\": {}}}", records);
    return returned;
  }

  const std::unique_ptr<Function> inner_;
  const HookConfig source_;
};

}  // namespace

std::string FunctionInfo::arn() const {
  return "arn:aws:lambda:us-east-1:123456789012:function:" + name;
}

Returned failure(std::string_view type, std::string_view message) {
  Returned returned;
  returned.failed = true;
  returned.payload = nlohmann::ordered_json{{"errorMessage", std::string(message)},
                                            {"errorType", std::string(type)}}
                         .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return returned;
}

Returned timed_out(const std::string& request_id, std::int64_t timeout_ms) {
  return failure("Sandbox.Timedout",
                 fmt::format("RequestId: {} Error: Task timed out after {:.2f} seconds", request_id,
                             static_cast<double>(timeout_ms) / 1000));
}

std::unique_ptr<Function> sql_function(FunctionInfo info, AskSql ask,
                                       std::shared_ptr<WorkQueue> workers) {
  return std::make_unique<SqlFunction>(std::move(info), std::move(ask), std::move(workers));
}

std::unique_ptr<Function> ingest_function(FunctionInfo info, std::unique_ptr<Function> inner,
                                          HookConfig source) {
  return std::make_unique<IngestFunction>(std::move(info), std::move(inner), std::move(source));
}

}  // namespace tailrace::hooks
