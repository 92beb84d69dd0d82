// The door for Airflow's clients: the public REST API v2 of Airflow 3.3 over a project's workflows.
//
// What is served is the table in routes.cc: paths, parameters, bodies, answers, status codes and
// error bodies ({"detail": …}) are Airflow's own, so that its Python client works as it is. What a
// project on one machine has none of (plugins, providers) is an empty list. README.md says
// where an answer means something else than Airflow's.
//
// The order of calls: Door::start() → stop() or the destructor. Threads: answer() from any.
//
// With `users` a client gets a token by POST /auth/token first, and says it in each request
// (Authorization: Bearer TOKEN); without them whoever reaches the door may do all, and any token is
// taken. What browsers of other origins ask for is refused by the server (net/http_server.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "auth/passwords.h"
#include "base/result.h"
#include "net/http_server.h"
#include "workflows/workflows.h"

namespace tailrace::airflow {

struct DoorConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0 picks a free one
  std::string flag = "--airflow";
  std::shared_ptr<const auth::Passwords> users = {};  ///< null: everybody may
  std::shared_ptr<const net::Tls> tls = {};           ///< nullptr: plain sockets
};

class Door {
 public:
  /// The workflows must outlive the door. kUnavailable, with the line to print, when the address
  /// is taken.
  static Result<std::unique_ptr<Door>> start(DoorConfig config, workflows::Workflows& workflows);

  /// "http://127.0.0.1:8080"
  std::string url() const { return server_->url(); }
  void stop() { server_->stop(); }

 private:
  explicit Door(std::unique_ptr<net::HttpServer> server) : server_(std::move(server)) {}
  std::unique_ptr<net::HttpServer> server_;
};

/// Answers one request to a path of /api/v2/…, whoever asks; {"detail": …} with 404 for others.
/// `user` is who asks, as runs show it (triggering_user_name); empty: nobody by name.
net::Response answer(workflows::Workflows& workflows, const net::Request& request,
                     const std::string& user = {});

/// A refusal as FastAPI writes it: {"detail": "…"}.
net::Response refusal(int status, std::string_view detail);

}  // namespace tailrace::airflow
