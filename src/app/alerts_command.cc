// `tailrace alerts list | test | silence | unsilence | history`: asked of the running program; a
// test goes without one, too.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "alerts/alerts.h"
#include "alerts/json.h"
#include "app/alert_sight.h"
#include "app/commands.h"
#include "app/instance.h"
#include "app/running_api.h"
#include "app/terminal.h"
#include "app/workflow_api.h"

namespace tailrace::app {
namespace {

/// A call of the running program's API.
class AlertApi {
 public:
  static Result<AlertApi> open(const AlertsOptions& options) {
    const std::string data = data_folder(options.project, options.data);
    ASSIGN(const RunFile run, find_running(data));
    if (run.url.empty())
      return error(Code::kFailedPrecondition,
                   "the program runs without a console, which this asks: run it without --console "
                   "off");
    AlertApi api;
    api.running_ = running_console(run, data);
    return api;
  }

  Result<Json> get(const std::string& path) {
    return answer_of(net::HttpClient().get(running_.url + path, running_.options(60'000)));
  }
  Result<Json> post(const std::string& path, const Json& body) {
    return answer_of(
        net::HttpClient().post(running_.url + path, body.dump(), running_.options(600'000)));
  }

 private:
  static Result<Json> answer_of(Result<net::HttpResponse> response) {
    if (!response) return std::unexpected(response.error());
    Json json = Json::parse(response->body, nullptr, false);
    if (response->status < 400 && json.is_object()) return json;
    const bool told = json.is_object() && json.contains("error");
    return error(Code::kInvalidArgument,
                 told ? json["error"].value("message", response->body) : response->body);
  }

  RunningApi running_;
};

int print_lines(const Json& list) {
  for (const Json& one : list) std::cout << one.dump() << "\n";
  return 0;
}

std::string ago(std::int64_t ms) {
  return alerts::duration_text(std::max<std::int64_t>(0, rt::system_clock().now().value - ms));
}

int list(AlertApi& api, const AlertsOptions& options) {
  const auto all = api.get("/api/alerts");
  if (!all) return fail(all.error());
  if (options.json) {
    std::cout << all->dump(2) << "\n";
    return 0;
  }
  for (const Json& rule : (*all)["rules"]) {
    std::cout << fmt::format("{:<9} {:<9} {}\n", rule.value("state", ""),
                             rule.value("severity", ""), rule.value("name", ""));
    if (const std::string trouble = rule.value("trouble", ""); !trouble.empty())
      std::cout << fmt::format("          cannot look: {}\n", trouble);
    for (const Json& alert : (*all)["alerts"]) {
      if (alert["rule"] != rule["name"]) continue;
      const std::string muted = alert.value("muted_by", "");
      std::cout << fmt::format(
          "          {} for {}{}: {}\n          look: {}\n", alert.value("state", ""),
          ago(alert.value("since_ms", std::int64_t{0})), muted.empty() ? "" : ", muted by " + muted,
          alert.value("summary", ""), alert.value("look", ""));
    }
  }
  if ((*all)["rules"].empty())
    std::cout << "no rules: describe them under `alerts` in tailrace.yml (docs/project.md)\n";
  for (const Json& one : (*all)["channels"]) {
    const std::string off = one.value("off", "");
    std::cout << fmt::format("channel   {:<12} {:<12} {} sent, {} waiting{}{}\n",
                             one.value("name", ""), one.value("type", ""), one.value("sent", 0),
                             one.value("waiting", 0), off.empty() ? "" : "; off: " + off,
                             one.value("failing", false) ? "; " + one.value("last", "") : "");
  }
  for (const Json& one : (*all)["silences"]) {
    std::string matchers;
    for (const Json& matcher : one["matchers"])
      matchers += (matchers.empty() ? "" : ", ") + matcher.get<std::string>();
    std::cout << fmt::format("silence   {:<12} {} until {} {}\n", one.value("id", ""), matchers,
                             alerts::time_text(one.value("ends_ms", std::int64_t{0})),
                             one.value("comment", ""));
  }
  return 0;
}

int print_tests(const Json& tested, bool json) {
  bool all_sent = true;
  for (const Json& one : tested) {
    all_sent = all_sent && one.value("sent", false);
    if (json) {
      std::cout << one.dump() << "\n";
    } else {
      std::cout << fmt::format("{:<12} {}: {}\n", one.value("channel", ""),
                               one.value("sent", false) ? "sent" : "NOT sent",
                               one.value("said", ""));
    }
  }
  return all_sent ? 0 : 1;
}

/// Without a program that runs: the channels of tailrace.yml from here.
int test_here(const AlertsOptions& options) {
  auto project = pipeline::load_project(options.project);
  if (!project) return fail(project.error());
  const auto settings = alerts::load_settings(project->folder);
  if (!settings) return fail(settings.error());
  const std::string folder = std::filesystem::absolute(project->folder).lexically_normal().string();
  const auto tested = alerts::test_channels(*settings, alert_sender(*project, settings->page),
                                            folder, options.name, rt::system_clock().now().value);
  if (!tested) return fail(tested.error());
  Json list = Json::array();
  for (const auto& one : *tested)
    list.push_back({{"channel", one.channel},
                    {"sent", one.attempt.end == alerts::Attempt::End::kSent},
                    {"said", one.attempt.said}});
  return print_tests(list, options.json);
}

int history(AlertApi& api, const AlertsOptions& options) {
  const auto all = api.get(
      fmt::format("/api/alerts/history?limit={}&rule={}", options.limit, escaped(options.name)));
  if (!all) return fail(all.error());
  if (options.json) return print_lines((*all)["history"]);
  for (const Json& one : (*all)["history"])
    std::cout << fmt::format("{}  {:>8} -> {:<8}  {}: {}\n",
                             alerts::time_text(one.value("at_ms", std::int64_t{0})),
                             one.value("from", ""), one.value("to", ""), one.value("rule", ""),
                             one.value("summary", ""));
  return 0;
}

}  // namespace

int alerts_command(const AlertsOptions& options) {
  using enum AlertsOptions::Action;
  auto api = AlertApi::open(options);
  if (!api && options.action == kTest) return test_here(options);
  if (!api) return fail(api.error());
  switch (options.action) {
    case kList:
      return list(*api, options);
    case kHistory:
      return history(*api, options);
    case kTest: {
      const auto tested = api->post("/api/alerts/test", {{"name", options.name}});
      if (!tested) return fail(tested.error());
      return print_tests((*tested)["tested"], options.json);
    }
    case kSilence: {
      const auto made = api->post("/api/alerts/silences", {{"matchers", options.matchers},
                                                           {"duration", options.duration},
                                                           {"comment", options.comment}});
      if (!made) return fail(made.error());
      if (options.json) {
        std::cout << made->dump() << "\n";
      } else {
        std::cout << fmt::format("silence {} until {}\n", made->value("id", ""),
                                 alerts::time_text(made->value("ends_ms", std::int64_t{0})));
      }
      return 0;
    }
    case kUnsilence: {
      const auto ended =
          api->post("/api/alerts/silences/" + escaped(options.name) + "/end", Json::object());
      if (!ended) return fail(ended.error());
      std::cout << "ended " << options.name << "\n";
      return 0;
    }
  }
  return 2;
}

}  // namespace tailrace::app
