// Which request asks what: the table of addresses below /api/v2.
#include <algorithm>
#include <array>

#include "airflow/door.h"
#include "airflow/handlers.h"

namespace tailrace::airflow {
namespace {

using Handle = Answer<Reply> (*)(Call&);

struct Route {
  std::string_view method;
  std::string_view path;  ///< below /api/v2; {} is a name
  Handle handle;
};

/// Of several that fit the first counts: words before names.
constexpr std::array kRoutes = std::to_array<Route>({
    {"GET", "version", version},
    {"GET", "monitor/health", health},
    {"GET", "jobs", no_jobs},
    {"GET", "plugins", no_plugins},
    {"GET", "plugins/importErrors", no_plugin_errors},
    {"GET", "providers", providers},
    {"GET", "eventLogs", no_event_logs},
    {"GET", "dagWarnings", no_dag_warnings},
    {"GET", "importErrors", import_errors},
    {"GET", "dags", list_dags},
    {"GET", "dags/{}", get_dag},
    {"GET", "dags/{}/details", dag_details},
});

/// What stands for the names, where the path fits.
std::optional<std::vector<std::string>> names_of(std::string_view pattern,
                                                 const std::vector<std::string>& segments) {
  std::vector<std::string> names;
  std::size_t place = 2;  // after api, v2
  for (std::size_t from = 0; from <= pattern.size(); ++place) {
    if (place >= segments.size()) return std::nullopt;
    const std::size_t end = std::min(pattern.find('/', from), pattern.size());
    const std::string_view part = pattern.substr(from, end - from);
    if (part == "{}")
      names.push_back(segments[place]);
    else if (part != segments[place])
      return std::nullopt;
    from = end + 1;
  }
  if (place != segments.size()) return std::nullopt;
  return names;
}

net::Response response_of(Answer<Reply> answer) {
  net::Response response;
  response.content_type = "application/json";
  if (!answer) {
    response.status = answer.error().status;
    response.body = dump(Json{{"detail", answer.error().detail}});
  } else if (answer->whole) {
    response = std::move(*answer->whole);
  } else {
    response.status = answer->status;
    if (answer->body) response.body = dump(*answer->body);
  }
  return response;
}

}  // namespace

net::Response answer(workflows::Workflows& workflows, const net::Request& request,
                     const std::string& user) {
  const auto& segments = request.segments;
  if (segments.size() < 2 || segments[0] != "api" || segments[1] != "v2")
    return refusal(404, "Not Found");
  bool known = false;
  for (const Route& route : kRoutes) {
    auto names = names_of(route.path, segments);
    if (!names) continue;
    known = true;
    if (route.method != request.method) continue;
    Call call{.workflows = workflows, .request = request, .names = std::move(*names), .user = user};
    return response_of(route.handle(call));
  }
  return known ? refusal(405, "Method Not Allowed") : refusal(404, "Not Found");
}

}  // namespace tailrace::airflow
