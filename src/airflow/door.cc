#include "airflow/door.h"

#include "airflow/json.h"
#include "airflow/logins.h"

namespace tailrace::airflow {

Result<std::unique_ptr<Door>> Door::start(DoorConfig config, workflows::Workflows& workflows) {
  net::HttpServerConfig server;
  server.host = std::move(config.host);
  server.port = config.port;
  server.flag = config.flag;
  // Who must know a token may come by any name: a page elsewhere that a browser was led to has
  // none.
  server.any_host = config.users != nullptr;
  server.tls = std::move(config.tls);
  server.refuse = refusal;
  auto logins = std::make_shared<Logins>(std::move(config.users));
  ASSIGN(auto started, net::HttpServer::start(
                           std::move(server), [&workflows, logins](const net::Request& request) {
                             if (auto done = logins->answer(request)) return std::move(*done);
                             return airflow::answer(workflows, request, logins->user_of(request));
                           }));
  return std::unique_ptr<Door>(new Door(std::move(started)));
}

net::Response refusal(int status, std::string_view detail) {
  net::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = dump(Json{{"detail", detail}});
  return response;
}

}  // namespace tailrace::airflow
