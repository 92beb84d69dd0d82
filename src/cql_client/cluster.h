// A Cassandra (or Scylla) as one thing to write to: connections to its nodes, prepared statements,
// writes to the node that holds their partition, tries again.
//
// Order of calls: open() → write() …, ask() …, wait_below() … → the destructor, which drops what is
// not acknowledged. open() returns at once: a cluster that is away is tried again, with pauses that
// grow up to `most_pause`, and health() says so in a sentence.
//
// A write is sent again until it is acknowledged: after a lost connection or a silence, and
// whatever the server answers, for it may be mended. So writes must be such that twice is once:
// they carry their timestamp. A write never overtakes itself on two nodes: it waits for one answer
// at a time. Writes among one another have no order; give those of one row timestamps that tell it,
// or wait between them. A question of ask() is sent once.
//
// Nodes: those of the configuration, and those of the same data centre that the first of them to
// answer knows (system.local, system.peers), asked again when the topology changes. Consistency is
// LOCAL_QUORUM.
//
// Threads: one for all connections; every function here may be called from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cql_client/config.h"
#include "cql_client/ring.h"
#include "cql_types/failure.h"

namespace tailrace::cql_client {

/// Rows of one partition that are written together: an unlogged batch, or one statement.
struct Write {
  struct Part {
    std::size_t statement = 0;  ///< of Cluster::statement()
    std::string values;         ///< each with its length before it, as [value] of the protocol
  };
  std::string partition;       ///< the partition key's bytes
  std::int64_t timestamp = 0;  ///< microseconds
  std::vector<Part> parts;
  std::shared_ptr<const void> token = {};  ///< let go of when it is acknowledged
};

/// Whether certificates and key can be used; kInvalidArgument says which cannot.
Status check(const ClientConfig& config);

/// An answer to ask(): its rows, or the refusal.
struct Answer {
  std::vector<Row> rows = {};
  std::optional<cql_types::Failure> failure = {};
};

class Cluster {
 public:
  /// kInvalidArgument: certificates or a key that cannot be used.
  static Result<std::unique_ptr<Cluster>> open(ClientConfig config);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// A statement to be prepared wherever it is needed; its number.
  std::size_t statement(std::string text);
  /// It is kept until it is acknowledged.
  void write(Write write);
  /// Rows that are not acknowledged.
  std::size_t open_rows() const;
  /// Waits until at most so many rows are not acknowledged; false after `patience`.
  bool wait_below(std::size_t rows, std::chrono::milliseconds patience) const;

  /// Asks any node and waits. What nobody answers is kServer, with health()'s sentence; so is what
  /// is stopped, at once.
  Answer ask(std::string text, std::vector<std::string> values = {},
             std::chrono::milliseconds patience = std::chrono::seconds(70),
             const std::stop_token& stop = {});

  /// Whether a statement of a write was refused as invalid since the last call of
  /// forget_refused_statement(): its table may be gone, or another one.
  bool statement_is_refused() const;
  void forget_refused_statement();

  /// Why nothing is acknowledged, as "127.0.0.1:9042 does not answer since 12 s (Connection
  /// refused), trying again", "… cannot be used since …", "… does not take rows since …"; empty:
  /// nothing is wrong.
  std::string health() const;

 private:
  class Impl;
  explicit Cluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::cql_client
