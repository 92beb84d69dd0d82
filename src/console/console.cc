// Starts the server of the control centre.
#include "console/console.h"

#include "console/errors.h"

namespace tailrace::console {

Result<std::unique_ptr<Console>> Console::start(ConsoleConfig config, Backend& backend) {
  net::HttpServerConfig server{.host = std::move(config.host),
                               .port = config.port,
                               // A page elsewhere has neither a certificate nor a login.
                               .any_host = config.tls != nullptr || config.login.users != nullptr,
                               .tls = std::move(config.tls),
                               .flag = "--console",
                               .limits = config.limits,
                               .refuse = refusal_response};
  auto console = std::unique_ptr<Console>(new Console);
  ASSIGN(console->server_,
         net::HttpServer::start(std::move(server),
                                [&backend, workflows = std::move(config.workflows),
                                 login = std::move(config.login)](const net::Request& request) {
                                  if (auto refused = why_not(login, request))
                                    return console::refused(std::move(*refused));
                                  if (workflows && request.path.starts_with("/api/v2/"))
                                    return answer_of_airflow(workflows, request);
                                  return answer(backend, request);
                                }));
  return console;
}

Console::~Console() = default;

}  // namespace tailrace::console
