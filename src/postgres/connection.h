// A connection to a PostgreSQL: queries, COPY, and the stream of a replication slot. libpq behind a
// few functions that a stop token breaks off at once.
//
// Threads: one at a time. Errors carry the server's sentence with its SQLSTATE, never a password.
// kUnavailable: refused, cut, shutting down, a slot in use (try again; after a cut every call gives
// it, and the connection must be opened anew); kPermissionDenied: not let in, or not to that table;
// kNotFound: a database, table, slot or publication that is not there; kInvalidArgument: what the
// server calls wrong in the statement; kAborted: a deadlock or a lost race of transactions;
// kCancelled by `stop`. sqlstate.h has them all. Resolving a host's name is not broken off.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::postgres {

struct Settings {
  std::string url;  ///< postgresql://USER@HOST:PORT/DATABASE?sslmode=…, as libpq takes it
  std::string password = {};  ///< beside that of the URL, PGPASSWORD and .pgpass
  std::string application = "tailrace";
  bool replication = false;  ///< `replication=database`: commands of the replication protocol too
  std::chrono::milliseconds connect_timeout{10'000};
};

/// The answer of a statement, in libpq's text format.
class Rows {
 public:
  struct Column {
    std::string name;
    std::uint32_t type = 0;  ///< pg_type.oid
    std::int32_t modifier = -1;
  };
  Rows() = default;
  explicit Rows(void* result);  ///< a PGresult, which it clears
  int size() const;
  const std::vector<Column>& columns() const { return columns_; }
  std::optional<std::string_view> cell(int row, int column) const;  ///< none: NULL
  std::int64_t affected() const;                                    ///< of INSERT, UPDATE, DELETE

 private:
  std::shared_ptr<void> result_;
  std::vector<Column> columns_;
};

/// A statement of several that go together; parameters as in Connection::query.
struct Step {
  std::string sql;
  std::vector<std::optional<std::string>> parameters;
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const Settings& settings,
                                                  std::stop_token stop = {});
  virtual ~Connection() = default;

  /// One statement; parameters are $1 … as text, none is NULL.
  virtual Result<Rows> query(const std::string& sql,
                             std::span<const std::optional<std::string>> parameters = {},
                             std::stop_token stop = {}) = 0;
  /// Statements without parameters, several at once, in one transaction unless they say otherwise;
  /// the rows of the last.
  virtual Result<Rows> run(const std::string& sql, std::stop_token stop = {}) = 0;
  /// COPY … FROM STDIN: begin, rows in the text format, end.
  virtual Status copy_in(const std::string& sql, std::string_view rows,
                         std::stop_token stop = {}) = 0;
  /// The server's notices since the last call (RAISE NOTICE, VACUUM VERBOSE).
  virtual std::vector<std::string> notices() = 0;
  virtual int server_version() const = 0;  ///< 150018

  /// START_REPLICATION …; then receive() and send() alone, until end_stream().
  virtual Status start_stream(const std::string& command, std::stop_token stop = {}) = 0;
  /// The next CopyData, valid until the next call; none: nothing came within `wait`.
  virtual Result<std::optional<std::string_view>> receive(std::chrono::milliseconds wait,
                                                          std::stop_token stop) = 0;
  virtual Status send(std::string_view message, std::stop_token stop = {}) = 0;
  /// What the server still sends is thrown away.
  virtual Status end_stream(std::stop_token stop = {}) = 0;

  /// All or nothing, in one transaction and one journey to the server; the rows of each. A text is
  /// prepared once in a session: texts that are put together from values do not belong here.
  /// After kUnavailable nobody knows whether it is done.
  virtual Result<std::vector<Rows>> together(std::span<const Step> steps,
                                             std::stop_token stop = {}) = 0;
};

/// "name" with its quotes doubled; 'text' likewise (E'' where it has a backslash).
std::string quoted_name(std::string_view name);
std::string quoted_text(std::string_view text);

/// The URL with a user before its own; empty: as it is.
std::string with_user(std::string url, std::string_view user);

/// The URL without its password, for people.
std::string shown_url(std::string_view url);

}  // namespace tailrace::postgres
