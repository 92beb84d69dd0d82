// CQL statements to their answers: what the door, the console and the command line ask.
//
// Order of calls: Engine::open → client() for each connection → query, prepare, execute, batch →
// the destructor. Threads: any, at once; `done` may be called before the call returns, or later
// from another thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cql_protocol/messages.h"
#include "cql_query/foreign_table.h"
#include "cql_schema/system_tables.h"
#include "cql_store/store.h"
#include "cql_types/failure.h"

namespace tailrace::cql_query {

/// Whether a client takes its answers: kStuck has many that it does not read.
enum class Traffic : std::uint8_t { kFlows, kStuck, kGone };

/// A connection's state: who it is and where it is.
struct Client {
  std::string keyspace;  // of USE; empty: none
  std::string role;      // empty: nobody logged in, for nobody must
  int protocol = 4;      // of the native protocol
  /// Asked by any thread before something long begins; empty: it flows.
  std::function<Traffic()> traffic = {};
};

struct Options {
  cql_store::Options store = {};
  cql_schema::Node node = {};
  std::size_t prepared_statements = 10'000;  // kept; the least used is forgotten
  /// Whether clients log in and have the permissions of their roles; else everybody may everything
  /// but what is about roles.
  bool passwords = false;
  /// Of the superuser cassandra, with whom a server begins whose clients log in.
  std::string first_password = "cassandra";
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> open(const std::string& folder, Options options);
  virtual ~Engine() = default;

  /// Whether the password is the role's, and it may log in: kBadCredentials in Cassandra's words if
  /// not. It takes a while, of a thread of its own.
  using LoggedIn = std::move_only_function<void(cql_types::Outcome<void>)>;
  virtual void log_in(std::string role, std::string password, LoggedIn done) = 0;
  /// Whether the superuser cassandra can log in with the password that everybody knows.
  virtual bool has_default_password() const = 0;

  using Done = std::move_only_function<void(cql_types::Outcome<cql_protocol::Answer>)>;
  /// `client` must stay until `done`; USE changes it. Views in the request are needed during the
  /// call only.
  virtual void query(Client& client, const cql_protocol::Query& request, Done done) = 0;
  virtual void prepare(Client& client, const cql_protocol::Prepare& request, Done done) = 0;
  virtual void execute(Client& client, const cql_protocol::Execute& request, Done done) = 0;
  virtual void batch(Client& client, const cql_protocol::Batch& request, Done done) = 0;

  /// What a trace says of a prepared statement: its text as `query`, and its values as literals, as
  /// `bound_var_0_id`, each cut off at 1,000 bytes. Empty: it is not here, or cannot be bound so.
  virtual std::map<std::string, std::string> described(const cql_protocol::Execute& request) = 0;

  /// Told of every change of the schema, from the thread that made it, after it is durable. Letting
  /// the handle go ends it; do so before the engine goes.
  using Listener = std::function<void(const cql_protocol::SchemaChange&)>;
  virtual std::shared_ptr<void> listen(Listener listener) = 0;

  /// Makes the tables of others known, in place of those told before: their keyspace is made if it
  /// is not there, and listeners hear of what came, changed and went. kAlreadyExists: a table of
  /// that name was made by a client.
  virtual Status set_foreign(std::vector<std::shared_ptr<const ForeignTable>> tables) = 0;

  /// Whether clients may make materialised views: not at first, as Cassandra's
  /// materialized_views_enabled. Those that are there are kept up to date anyhow.
  virtual void set_materialized_views(bool enabled) = 0;

  virtual cql_schema::SchemaPtr schema() const = 0;
  virtual cql_schema::Node node() const = 0;
  /// Once the door knows its address.
  virtual void set_address(std::string address, std::uint16_t port) = 0;
};

}  // namespace tailrace::cql_query
