// The REST API of the program that runs on a project, for the commands `tailrace dags …`. Where it
// wants a login, that is TAILRACE_AIRFLOW_USER's and TAILRACE_AIRFLOW_PASSWORD's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/running_api.h"
#include "app/terminal.h"
#include "base/result.h"

namespace tailrace::app {

class WorkflowApi {
 public:
  /// kNotFound, with what to do, when nothing runs on the project.
  static Result<WorkflowApi> open(const std::string& project, const std::string& data);

  /// `path` is what comes after /api/v2/. A refusal is an Error with what the API said.
  Result<Json> get(const std::string& path) { return ask("GET", path, nullptr); }
  Result<Json> post(const std::string& path, const Json& body) { return ask("POST", path, &body); }
  Result<Json> patch(const std::string& path, const Json& body) {
    return ask("PATCH", path, &body);
  }
  Result<Json> put(const std::string& path) { return ask("PUT", path, nullptr); }
  /// Every page of a list: its rows. `path` has no limit and no offset.
  Result<std::vector<Json>> all(const std::string& path, const std::string& name);

 private:
  Result<Json> ask(const std::string& method, const std::string& path, const Json* body);
  Result<net::HttpResponse> send(const std::string& method, const std::string& url,
                                 const Json* body);
  Status log_in();

  RunningApi running_;  ///< its URL ends in /api/v2/
  std::shared_ptr<net::HttpClient> client_ = std::make_shared<net::HttpClient>();
};

/// A name as a part of a path or a query.
std::string escaped(std::string_view name);

}  // namespace tailrace::app
