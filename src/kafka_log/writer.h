// Appends in transactions, each record once: through kill -9 of this process and of the brokers.
//
// append() takes records into memory and answers; a thread commits what has gathered every few
// milliseconds, records and positions (positions.h) in one transaction; commit() waits for that. An
// append that was answered and not committed is lost with the process: its source emits it again,
// with the same sequences, and what the positions hold is dropped.
//
//   gathering ──(thread, commit())──▶ sending ──(transaction committed)──▶ gone
//                                        │ any doubt: the client is closed and opened again, which
//                                        ▼ ends the old transaction; the positions then say whether
//                                          it was committed, and what is left is sent once more
//
// Of two writers with one id the older is shut out (KIP-98): it finds the other's name under
// "owner" and fails with kAborted for good. Threads: all.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kafka_log/positions.h"
#include "kafka_log/topics.h"
#include "log/partition.h"

namespace tailrace::kafka_log {

class Writer {
 public:
  /// Told where a partition's committed records end.
  using Committed = std::function<void(const std::string& topic, PartitionId id, Offset end)>;

  Writer(const KafkaLogConfig& config, Topics& topics, Looker& looker, Health& health,
         Committed committed);
  ~Writer();

  /// Takes over from whoever wrote under this id before, and learns the positions.
  Status open();
  bool is_open() const { return opened_; }

  /// As Partition::append(); the answer's base offset is `next`, an offset not known yet.
  Result<log::AppendResult> append(const std::string& topic, PartitionId id,
                                   std::span<const log::Record> records,
                                   const log::Producer& producer, log::Durability durability,
                                   Offset next);
  /// All that was appended before is committed after it.
  Status commit();
  std::optional<std::int32_t> last_sequence(const Lane& lane) const;
  /// Commits what it can in a moment, and ends the thread.
  void close();

 private:
  struct Chunk {
    Lane lane;
    std::int32_t first = 0;  ///< sequence of the first record
    std::vector<log::Record> records;
    std::vector<std::vector<log::Header>> headers;
    std::string bytes;  ///< what the records' views point into
    std::atomic<std::int64_t> end{-1};
  };
  using Chunks = std::deque<std::unique_ptr<Chunk>>;

  static std::unique_ptr<Chunk> copy(const Lane& lane, std::int64_t first,
                                     std::span<const log::Record> records);
  Result<std::int64_t> known_prefix(const Lane& lane, std::int64_t first, std::int64_t count) const;
  Status commit_chunks();
  Status transact();
  Status send();
  Status send_chunk(Chunk& chunk);
  Status send_positions();
  Status send_message(const std::string& topic, PartitionId partition, const log::Record& record,
                      Chunk* chunk);
  Status reopen();
  Status take_over();
  Status take_over_and_claim();
  Status claim();
  void drop_committed(const Positions& positions);
  Error doubt(rd_kafka_error_t& failure, std::string_view doing);
  void on_delivered(const rd_kafka_message_t& message);
  void run(const std::stop_token& stop);

  const KafkaLogConfig& config_;
  Topics& topics_;
  Looker& looker_;
  Health& health_;
  const Committed committed_;
  const std::string positions_topic_;
  const std::string name_;  // of this process, as owner
  std::atomic<bool> opened_{false};

  std::mutex commit_mutex_;  // taken before mutex_
  std::unique_ptr<Client> client_;
  Chunks sending_;
  bool begun_ = false;
  bool fenced_ = false;
  std::optional<Error> shut_out_;
  std::atomic<int> undelivered_{0};  // the first error of a record of this transaction

  mutable std::mutex mutex_;
  std::condition_variable_any gathered_;
  Chunks gathering_;
  std::size_t gathering_bytes_ = 0;
  std::map<Lane, std::int32_t> next_;  // with all that was appended
  std::jthread thread_;
};

}  // namespace tailrace::kafka_log
