#include "app/door_options.h"

#include <CLI/CLI.hpp>

namespace tailrace::app {
namespace {

/// `where`: "there"
void add_tls(CLI::App* command, TlsFiles& tls, const std::string& flags, const std::string& where) {
  command->add_option(
      flags + "tls-certificate", tls.certificate,
      "a PEM file, own certificate first: speak TLS " + where + " (default: plain)");
  command->add_option(flags + "tls-key", tls.key, "the certificate's key, a PEM file");
}

void add_tls_clients(CLI::App* command, TlsFiles& tls, const std::string& flags) {
  command->add_option(flags + "tls-clients", tls.clients,
                      "a PEM file of authorities: clients must show a certificate of theirs");
}

void add_users(CLI::App* command, std::string& users, const std::string& flags) {
  command->add_option(flags + "users", users,
                      "a file of who may use it, a line each: USER: PASSWORD; or env:NAME, a "
                      "variable with such lines (default: everybody who reaches it)");
}

}  // namespace

void add_console(CLI::App* command, ConsoleSettings& settings) {
  command
      ->add_option("--console", settings.listen,
                   "page, API and /metrics at HOST:PORT; port 0 picks a free one; off")
      ->capture_default_str();
  add_users(command, settings.users, "--console-");
  add_tls(command, settings.tls, "--console-", "there");
}

void add_airflow_door(CLI::App* command, AirflowSettings& settings) {
  command
      ->add_option("--airflow", settings.listen,
                   "where Airflow's REST API is served, HOST:PORT, where the project has DAGs; off")
      ->capture_default_str();
  add_users(command, settings.users, "--airflow-");
  add_tls(command, settings.tls, "--airflow-", "there");
}

void add_hooks(CLI::App* command, HooksSettings& settings) {
  command
      ->add_option(
          "--hooks", settings.listen,
          "where webhooks and calls of functions are received, HOST:PORT, where the project has "
          "any; port 0 picks a free one; off")
      ->capture_default_str();
  add_tls(command, settings.tls, "--hooks-", "there");
}

void add_cql_access(CLI::App* command, TlsFiles& tls, CqlLogins& logins) {
  const std::string& flags = logins.flags;
  add_tls(command, tls, flags, "with CQL's clients");
  add_tls_clients(command, tls, flags);
  command
      ->add_option(flags + "auth", logins.auth,
                   "password: CQL's clients log in, and have the permissions of their roles; none")
      ->capture_default_str();
  command->add_option(
      flags + "first-password-file", logins.first_password_file,
      "a file: the password of the first superuser, cassandra (default: cassandra)");
  command->add_flag(flags + "allow-default-password", logins.allow_default_password,
                    "start even where others could log in as cassandra, cassandra");
}

}  // namespace tailrace::app
