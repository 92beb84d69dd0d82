// What a command line says of a run: the project, and the doors with who may come in. It includes
// no room, so that what reads command lines compiles without them.
#pragma once

#include <string>

namespace tailrace::app {

struct TlsFiles {
  std::string certificate = {};  ///< own first, then the chain; empty: no TLS
  std::string key = {};
  std::string clients = {};  ///< authorities; clients must show certificates of theirs; empty: they
                             ///< need none
};

struct ConsoleSettings {
  std::string listen = "127.0.0.1:9021";  ///< HOST:PORT, port 0 picks a free one; "off" for none
  TlsFiles tls = {};
  std::string users = {};  ///< as door_users.h says; empty: everybody who reaches it
};

struct AirflowSettings {
  std::string listen = "127.0.0.1:8080";  ///< HOST:PORT, port 0 picks a free one; "off" for none
  std::string users = {};
  TlsFiles tls = {};
};

struct HooksSettings {
  std::string listen = "127.0.0.1:9080";  ///< HOST:PORT, port 0 picks a free one; "off" for no door
  TlsFiles tls = {};
};

struct CqlSettings {
  std::string listen = "127.0.0.1:9042";  ///< HOST:PORT, port 0 picks a free one
  std::string flag = "--listen";          ///< what a user changes `listen` with
  TlsFiles tls = {};
};

/// Who may connect, and do what.
struct CqlLogins {
  std::string auth = "none";             ///< or "password": roles, their passwords and permissions
  std::string first_password_file = {};  ///< of cassandra on the first start; empty: cassandra
  bool allow_default_password = false;   ///< on addresses that others reach, too
  std::string flags = "--";              ///< what a user changes them with begins so
};

struct RunOptions {
  std::string project;
  std::string data;  ///< data folder; PROJECT/.tailrace when empty
  ConsoleSettings console = {};
  std::string kafka = "127.0.0.1:9092";     ///< Kafka's protocol at HOST:PORT; "off" for none
  std::string registry = "127.0.0.1:8081";  ///< schema registry's REST at HOST:PORT; "off" for none
  std::string cql = "127.0.0.1:9042";       ///< CQL's clients at HOST:PORT; "off" for none
  AirflowSettings airflow = {};             ///< Airflow's REST API
  HooksSettings hooks = {};                 ///< where webhooks are received
  TlsFiles cql_tls = {};
  CqlLogins cql_logins = {.flags = "--cql-"};
  bool cql_materialized_views = false;  ///< whose clients may make views
  std::string registry_config = {};     ///< a file of its settings; empty for none
  bool once = false;                    ///< take what is there, then exit
};

}  // namespace tailrace::app
