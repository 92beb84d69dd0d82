#include "app/workflow_api.h"

#include <fmt/format.h>

#include <cstdlib>

#include "app/instance.h"

namespace tailrace::app {
namespace {

constexpr int kPage = 100;
constexpr int kTimeoutMs = 120'000;

Code code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kFailedPrecondition;
    case 503:
      return Code::kUnavailable;
    default:
      return status >= 500 ? Code::kInternal : Code::kInvalidArgument;
  }
}

/// What `detail` says: a sentence, a list of faults, or an object with a message.
std::string sentence_of(const Json& answer, const std::string& body) {
  if (!answer.is_object() || !answer.contains("detail")) return body;
  const Json& detail = answer["detail"];
  if (detail.is_string()) return detail.get<std::string>();
  if (detail.is_object()) return detail.value("message", detail.dump());
  std::string text;
  for (const Json& fault : detail) {
    if (!fault.is_object()) return detail.dump();
    const Json place = fault.value("loc", Json::array());
    text += text.empty() ? "" : "; ";
    if (place.size() > 1 && place.back().is_string())
      text += place.back().get<std::string>() + ": ";
    text += fault.value("msg", "");
  }
  return text;
}

}  // namespace

Result<WorkflowApi> WorkflowApi::open(const std::string& project, const std::string& data) {
  const std::string folder = data_folder(project, data);
  ASSIGN(const auto running, find_running(folder));
  WorkflowApi api;
  api.running_ = running_workflows(running, folder);
  if (api.running_.url.empty())
    return error(Code::kFailedPrecondition,
                 "the program that runs on the project has neither a control centre nor Airflow's "
                 "API: run it without --console off");
  api.running_.url += "/api/v2/";
  return api;
}

Result<net::HttpResponse> WorkflowApi::send(const std::string& method, const std::string& url,
                                            const Json* body) {
  const std::string text = body != nullptr ? body->dump() : "";
  return client_->request(method, url,
                          body != nullptr ? std::optional<std::string_view>(text) : std::nullopt,
                          running_.options(kTimeoutMs));
}

Status WorkflowApi::log_in() {
  const char* user = std::getenv("TAILRACE_AIRFLOW_USER");
  const char* password = std::getenv("TAILRACE_AIRFLOW_PASSWORD");
  if (user == nullptr || password == nullptr)
    return error(Code::kPermissionDenied,
                 "the API wants a login: set TAILRACE_AIRFLOW_USER and TAILRACE_AIRFLOW_PASSWORD");
  const Json login = {{"username", user}, {"password", password}};
  const std::string url = running_.url.substr(0, running_.url.rfind("/api/v2/")) + "/auth/token";
  ASSIGN(const auto response, send("POST", url, &login));
  const Json answer = Json::parse(response.body, nullptr, false);
  if (response.status >= 400)
    return error(code_of(response.status), fmt::format("the login of {} is refused: {}", user,
                                                       sentence_of(answer, response.body)));
  if (answer.is_object()) running_.token = answer.value("access_token", "");
  if (running_.token.empty())
    return error(Code::kInternal, "the login was answered without a token");
  return {};
}

Result<Json> WorkflowApi::ask(const std::string& method, const std::string& path,
                              const Json* body) {
  ASSIGN(auto response, send(method, running_.url + path, body));
  if (response.status == 401 && running_.token.empty()) {
    TRY(log_in());
    ASSIGN(response, send(method, running_.url + path, body));
  }
  Json answer = Json::parse(response.body, nullptr, false);
  if (response.status >= 400)
    return error(code_of(response.status), sentence_of(answer, response.body));
  if (response.body.empty()) return Json();
  if (answer.is_discarded())
    return error(Code::kInternal, "the program answered with what is no JSON");
  return answer;
}

Result<std::vector<Json>> WorkflowApi::all(const std::string& path, const std::string& name) {
  std::vector<Json> rows;
  const char* with = path.contains('?') ? "&" : "?";
  for (;;) {
    ASSIGN(const Json page,
           get(fmt::format("{}{}limit={}&offset={}", path, with, kPage, rows.size())));
    for (const Json& row : page[name]) rows.push_back(row);
    if (page[name].empty() ||
        rows.size() >= static_cast<std::size_t>(page.value("total_entries", std::int64_t{0})))
      return rows;
  }
}

std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~';
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return text;
}

}  // namespace tailrace::app
