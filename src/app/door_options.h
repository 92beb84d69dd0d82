// The options of doors: TLS, and who may come in.
#pragma once

#include <string>

#include "app/run_options.h"

namespace CLI {
class App;
}

namespace tailrace::app {

/// --NAME, --NAME-users and TLS of the control centre.
void add_console(CLI::App* command, ConsoleSettings& settings);
/// The same of the door for Airflow's clients.
void add_airflow_door(CLI::App* command, AirflowSettings& settings);
/// Webhooks and calls of functions.
void add_hooks(CLI::App* command, HooksSettings& settings);
/// TLS and logins of CQL's clients, at options that begin as `logins` says.
void add_cql_access(CLI::App* command, TlsFiles& tls, CqlLogins& logins);

}  // namespace tailrace::app
