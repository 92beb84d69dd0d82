// The door of the control centre: JSON API, live events, Prometheus metrics and the embedded page.
//
//   GET  /                             the page           GET  /metrics            Prometheus text
//   GET  /api/status                   Status             GET  /healthz /readyz    200 or 503
//   GET  /api/events                   Status as server-sent events, each 500 ms when it changed
//   GET  /api/tables                   TableInfo of every table
//   GET  /api/tables/NAME?limit&after&from&to&prefix      rows by key, a page at a time; from, to
//                                      and prefix are given once for each key column, in key order
//   GET  /api/tables/NAME/KEY[/KEY2…]  one row
//   POST /api/sql {query, limit} | {next}                 columns and rows, a page at a time
//   GET  /api/dead-letters?table&reason&limit&after       rejected records
//   POST /api/redrive {ids | table | reason | all}        sends them back
//   GET  /api/topics… /api/groups…     the log and who reads it: log_view.h
//   …    /api/schemas…                 the schema registry: schema_view.h
//   …    /api/ingest… /api/refresh /api/operations…    what is started and waited for: operations.h
//   GET  /api/workflows…               DAGs, runs and tasks: workflows_page.h
//   …    /api/alerts…                  rules, alerts, silences, messages: alerts_page.h
//   …    /api/v2/…                     the workflows, as Airflow's REST API:
//   ConsoleConfig::workflows
//
// The API is written down in spec/console-api.yml. What the console shows comes from a Backend,
// which app/ implements over the pipeline: its functions are called from several threads at once
// and must be quick (status at most a few milliseconds, it is asked twice a second).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "alerts/alerts.h"
#include "base/result.h"
#include "console/log_view.h"
#include "console/login.h"
#include "console/operations.h"
#include "console/query_rows.h"
#include "console/schema_view.h"
#include "net/http_server.h"
#include "pipeline/hops.h"
#include "workflows/workflows.h"

namespace tailrace::console {

using pipeline::Hop;
using pipeline::HopKind;
using pipeline::HopState;

struct Status {
  std::string project;
  std::string version;
  double uptime_s = 0;
  std::string state;  ///< "starting", "running", "draining", "stopped"
  bool ready = false;
  /// One sentence naming the first empty hop and why; "" when rows reach the serving tables.
  std::string first_empty_hop;
  std::vector<Hop> hops;
};

struct Column {
  std::string name;
  std::string type;  ///< Spark's name: "BIGINT", "ARRAY<STRING>"
  std::string comment;
};

struct Expectation {
  std::string name;
  std::string condition;
  std::string action;  ///< "warn", "drop", "fail"
  std::int64_t passed = 0;
  std::int64_t failed = 0;
};

struct TableInfo {
  std::string name;
  std::string layer;  ///< "source", "bronze", "silver", "gold", "system"
  std::string kind;   ///< "topic", "streaming table", "materialized view"
  std::string comment;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::vector<Column> columns;
  std::vector<std::string> key;  ///< columns; empty when it has none
  bool served = false;
  HopState state = HopState::kOk;
  std::string why;
  std::vector<Expectation> expectations;
};

/// A cell. Lists and structs nest; numbers beyond 2^53, decimals, dates and timestamps travel as
/// text.
struct Value;
using List = std::vector<Value>;
using Fields = std::vector<std::pair<std::string, Value>>;
struct Value {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Fields> v;
};
using Row = std::vector<Value>;

struct Rows {
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::string next;                     ///< page token; "" at the end
  bool truncated = false;               ///< a query had more rows than are shown
  std::vector<std::string> notes = {};  ///< why tables that a query read had no row
};

/// Which rows by key, in key order. Each end is values of the first key columns: both are included,
/// and a `to` of one column takes in every key that starts with it. Empty: no end.
struct RowRange {
  std::vector<std::string> from;
  std::vector<std::string> to;
  std::string after;  ///< page token of the page before
  int limit = 50;     ///< 1 … 1000, checked
};

struct DeadLetter {
  std::string id;      ///< stable, as redrive takes it
  std::string origin;  ///< "users_created-0@1234" or "file.json:17"
  std::string table;   ///< the flow that rejected it
  std::string reason;  ///< "decode", "expectation valid_age", "late", "oversized"
  std::string message;
  std::string bytes;  ///< the record as it came
  std::int64_t time_ms = 0;
};

struct DeadLetterFilter {
  std::string table;   ///< "" for all
  std::string reason;  ///< "" for all
  std::string after;
  int limit = 50;
};

struct DeadLetterPage {
  std::vector<DeadLetter> letters;
  std::string next;
  std::int64_t total = 0;  ///< matching the filter, all pages
};

/// What to send back: the ids, or when there are none everything that matches table and reason (""
/// for all).
struct RedriveSelection {
  std::vector<std::string> ids;
  std::string table;
  std::string reason;
};

/// What the console shows, implemented by app/.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual Status status() = 0;
  virtual std::vector<TableInfo> tables() = 0;
  virtual Result<Rows> read_table(std::string_view name, const RowRange& range) = 0;
  /// kNotFound when no row has the key; key values are text, parsed by the key's types.
  virtual Result<Rows> get_row(std::string_view table, const std::vector<std::string>& key) = 0;
  /// The first page, of at most kQueryRows, of an answer of at most `limit` rows (1 …
  /// kMaxQueryRows, checked). An error's message names the place: "query:1:8: …".
  virtual Result<Rows> sql(std::string_view query, int limit) = 0;
  /// The page of an answer that `next` of the page before names.
  virtual Result<Rows> sql_page(std::string_view next) = 0;
  virtual Result<DeadLetterPage> dead_letters(const DeadLetterFilter& filter) = 0;
  virtual Result<std::int64_t> redrive(const RedriveSelection& selection) = 0;
  virtual LogView& log_view() = 0;
  virtual SchemaView& schema_view() = 0;
  virtual Operations& operations() = 0;
  /// Null when the project has no DAGs.
  virtual workflows::Workflows* workflows() { return nullptr; }
  /// Null when the project has no alerts.
  virtual alerts::Alerts* alerts() { return nullptr; }
  /// What other doors count.
  virtual void write_metrics(MetricsText& /*out*/) {}
};

struct ConsoleConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9021;
  net::HttpLimits limits = {};
  std::shared_ptr<const net::Tls> tls = {};  ///< nullptr: plain sockets
  Login login = {};
  /// Answers /api/v2/…, which the page asks for workflows; empty: 404.
  net::Handler workflows = {};
};

/// The running control centre; the backend must outlive it. Stops in the destructor.
class Console {
 public:
  static Result<std::unique_ptr<Console>> start(ConsoleConfig config, Backend& backend);
  ~Console();

  std::uint16_t port() const { return server_->port(); }
  std::string url() const { return server_->url(); }
  void stop() { server_->stop(); }

 private:
  Console() = default;
  std::unique_ptr<net::HttpServer> server_;
};

/// What the server answers to a request; a free function so that it can be tested without sockets.
net::Response answer(Backend& backend, const net::Request& request);
/// The same for Airflow's API, and for what is refused at the door: counted like the others.
net::Response answer_of_airflow(const net::Handler& airflow, const net::Request& request);
net::Response refused(net::Response refusal);
/// tailrace_console_…, of this process's consoles.
void write_route_metrics(MetricsText& out);

}  // namespace tailrace::console
