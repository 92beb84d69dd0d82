// Served tables on a real Cassandra: what pipeline/serving_sink.h says, by cql_client.
//
// In the pipeline's store, under "o":
//   "om"                   the number of the next chunk, the last timestamp, and which table of
//                          Cassandra has the rows of which serving, as JSON
//   "o" 'c' number:u64     a chunk (chunk.h) that Cassandra may not have yet
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cassandra/target.h"
#include "cql_client/cluster.h"
#include "pipeline/project.h"
#include "pipeline/serving_sink.h"
#include "rt/clock.h"

namespace tailrace::cassandra {

/// What the project says of Cassandra, judged without it. kInvalidArgument with file:line.
Result<cql_client::ClientConfig> config_of(const pipeline::Project& project);

class Sink final : public pipeline::ServingSink {
 public:
  /// `project` must outlive it.
  static Result<std::unique_ptr<Sink>> open(const pipeline::Project& project,
                                            rt::Clock& clock = rt::system_clock());

  Status open(const kv::Store& store) override;
  Status set_tables(std::vector<std::shared_ptr<const table::KeyedTable>> tables) override;
  void forget(std::string_view table) override;
  bool is_ready() const override;
  Result<bool> ready(const std::stop_token& stop) override;
  Status take(const table::KeyedTable& table, const Delta& delta) override;
  bool wants_checkpoint() const override;
  Status seal(kv::WriteBatch& batch) override;
  void send() override;
  bool is_full() const override;
  bool wait(std::chrono::milliseconds patience) const override;
  std::string waits() const override;
  std::string place(std::string_view table) const override;

 private:
  /// A chunk on its way.
  struct Sent {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
    std::weak_ptr<const void> open;  ///< expired: Cassandra has all of it
  };
  struct Sealed {
    std::uint64_t number = 0;
    Chunk chunk;
    std::size_t bytes = 0;  ///< of memory, about
  };

  Sink(const pipeline::Project& project, rt::Clock& clock,
       std::unique_ptr<cql_client::Cluster> cluster, std::string keyspace, std::string hosts);

  Status make_ready(const std::stop_token& stop);
  /// What is sealed is on its way.
  void send_sealed();
  Status load(Target& target, const There& there, const std::stop_token& stop);
  /// Waits until at most so many rows are on their way; kCancelled: stopped.
  Status await(std::size_t rows, const std::stop_token& stop) const;
  void write(const Chunk& chunk, const std::shared_ptr<const void>& token);
  void note_left_out(const std::string& table, Changes& changes);
  std::size_t statement(const std::string& text);
  std::int64_t next_timestamp();
  void say(std::string trouble) const;
  std::size_t taken() const;  ///< bytes, and not sealed
  /// Bytes that were taken, and Cassandra may not have.
  std::size_t on_their_way() const;

  const pipeline::Project& project_;
  rt::Clock& clock_;
  const std::unique_ptr<cql_client::Cluster> cluster_;
  const std::string keyspace_, hosts_;
  const std::string comment_;

  std::vector<Target> targets_;
  std::map<std::string, std::string> loaded_;  ///< by serving, Target::loaded
  std::map<std::string, std::size_t, std::less<>> statements_;
  std::int64_t last_timestamp_ = 0;
  std::uint64_t next_number_ = 0;
  std::vector<Sealed> sealed_;  ///< of a checkpoint that is not durable yet, or before ready()
  std::deque<Sent> sent_;
  bool ready_ = false;

  mutable std::atomic<bool> full_{false};
  mutable std::mutex mutex_;
  mutable std::string trouble_;  ///< of making tables; guarded by mutex_
  std::map<std::string, std::int64_t, std::less<>> left_out_;  ///< by serving; guarded by mutex_
};

}  // namespace tailrace::cassandra
