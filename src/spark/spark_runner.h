// A project whose tables a real Spark keeps (`roles: {engine: spark://…}`).
//
//   open → start … stop      or      open → drain (for --once)
//
// Records are written out as files (pipeline/spark_export.h) and Spark updates its Delta tables in
// DATA/lake, at most once in `every`. The served tables follow: the files that a version of a table
// has and the one before had not are read, and what they change goes to the keyed tables and the
// sink, as a step of the embedded engine does. What Spark set apart (NAME__quarantine,
// RELATION__rejected) becomes dead letters.
//
// A checkpoint joins the served rows, the letters and which files are taken, so whatever is killed,
// no row is taken twice; Spark's own checkpoints see to its side. What Spark has updated for good
// is in DATA/spark/updated.json: without it the update is done again, which adds nothing.
//
// Not known here, and not shown: rows that only warn, late rows, and how many records a row of a
// view comes from.
//
// Threads: one for the steps, one of Updates; status functions may be called from any. Files: open,
// loop and checkpoints in spark_runner.cc, following in follow.cc, status in runner_status.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/checkpoint.h"
#include "pipeline/project_status.h"
#include "pipeline/served_output.h"
#include "pipeline/topic_type.h"
#include "spark/followed_table.h"
#include "spark/update.h"

namespace tailrace::spark {

/// What can be judged of the engine's role without a Spark.
Status check_engine(const pipeline::Project& project, const pipeline::Graph& graph,
                    const pipeline::TopicTypes& types);

class SparkRunner final : public pipeline::Runner {
 public:
  /// As pipeline::Runner::open.
  static Result<std::unique_ptr<pipeline::Runner>> open(
      const pipeline::Project& project, pipeline::Graph graph, const pipeline::TopicTypes& types,
      log::Log& log, const std::string& data, subjects::SchemaClient* schemas = nullptr,
      pipeline::ServingSink* sink = nullptr, rt::Clock& clock = rt::system_clock());
  ~SparkRunner() override;

  void start() override;
  Status stop() override;
  Status drain() override;
  void interrupt() override { interrupted_ = true; }
  std::vector<pipeline::Hop> hops() const override;
  std::vector<pipeline::TableStatus> tables() const override;
  std::vector<pipeline::TopicExpectations> topic_expectations() const override;
  std::shared_ptr<const pipeline::Graph> graph() const override {
    return std::make_shared<const pipeline::Graph>(graph_);
  }
  std::string stopped_by() const override;
  const pipeline::DeadLetters& dead_letters() const override { return *letters_; }
  Result<std::int64_t> redrive(const std::function<bool(const pipeline::DeadLetter&)>& select,
                               const pipeline::SendBack& elsewhere) override;
  Status scan_table(std::string_view name,
                    const std::function<Status(const Batch&)>& visit) const override;
  Status scan_served(std::string_view serving,
                     const std::function<Status(const Batch&)>& visit) const override;
  std::shared_ptr<const table::KeyedTable> served(std::string_view name) const override;
  void on_served_change(std::function<void()> changed) override {
    served_changed_ = std::move(changed);
  }
  Offset keep_from(const log::Partition& partition) const override;

 private:
  using Steady = std::chrono::steady_clock;
  /// What an update was made of.
  struct Made {
    std::string definition;  ///< of the written project
    std::map<std::string, pipeline::Positions> positions;
    bool operator==(const Made&) const = default;
  };
  /// A table of what Spark set apart.
  struct Rejects {
    std::unique_ptr<FollowedTable> followed;
    std::string flow;  ///< as a letter names it: the table, or the topic
    int table = -1;    ///< index into Graph::tables
    int topic = -1;    ///< index into Graph::topics
    bool decode = false;
  };

  SparkRunner(const pipeline::Project& project, pipeline::Graph graph,
              const pipeline::TopicTypes& types, log::Log& log, std::string data,
              subjects::SchemaClient* schemas, pipeline::ServingSink* sink, rt::Clock& clock);
  Status open_all();
  Status open_tables();
  Status open_output(std::size_t table);
  Status read_exported();
  Status read_updated();

  void loop(const std::stop_token& stop);
  Status tick(const std::stop_token& stop);
  /// Marks, what sources rejected, and letters that are too old.
  Status step_letters();
  bool update_due() const;
  /// Writes project and records, and lets Spark begin.
  Status begin_update();
  /// What has become of the update, when it has ended.
  Status end_update();
  Status note_updated() const;
  Result<bool> sink_ready(const std::stop_token& stop);
  void note_failure(const Error& why);
  void note_lag();

  /// Takes what Spark has changed since the last call.
  Status follow();
  Status follow_table(std::size_t table, kv::WriteBatch& batch);
  Status follow_rejects(Rejects& rejects, kv::WriteBatch& batch);
  Status take_rejects(const Rejects& rejects, const Delta& rows, kv::WriteBatch& batch);
  pipeline::DeadLetter letter_of(const Rejects& rejects, const Batch& row) const;
  void leave_null_keys(std::size_t table, const Delta& delta, kv::WriteBatch& batch);
  void place_letter(std::size_t table, const arrow::RecordBatch& row,
                    pipeline::DeadLetter& letter) const;
  /// The served tables of `table` are made again from all its rows.
  Status begin_again(std::size_t table, FollowedTable::Change& change, kv::WriteBatch& batch);
  /// Writes what the batch has, with a checkpoint where memory asks for one.
  Status flush(kv::WriteBatch& batch);
  Status write(kv::WriteBatch& batch);
  void publish_counts();

  Status checkpoint();
  Status settle();

  pipeline::ProjectCounts counts() const;
  std::vector<engine::ExpectationCount> expectations_of(const pipeline::Flow& flow) const;
  std::string lake_detail() const;

  const pipeline::Project& project_;
  pipeline::Project written_;  ///< the project as it is written for Spark
  pipeline::Graph graph_;
  pipeline::TopicTypes types_;
  log::Log& log_;
  std::string data_;
  subjects::SchemaClient* schemas_;
  pipeline::ServingSink* sink_;
  rt::Clock& clock_;

  std::unique_ptr<kv::Store> store_;
  std::unique_ptr<pipeline::DeadLetters> letters_;
  pipeline::LettersBack letters_back_;
  std::unique_ptr<table::Catalogue> catalogue_;
  std::vector<std::unique_ptr<FollowedTable>> tables_;
  std::vector<Rejects> rejects_;
  std::optional<pipeline::TopicReader> rejected_reader_;
  mutable std::shared_mutex shape_;  ///< guards outputs_
  std::vector<pipeline::ServedOutput> outputs_;
  std::function<void()> served_changed_;

  // The step thread's.
  pipeline::Checkpoint checkpoint_;
  std::map<std::string, std::map<std::string, std::int64_t>> broken_;  ///< by flow and expectation
  Made exported_, updated_;
  std::optional<Made> updating_;
  bool follow_due_ = true, dirty_ = false, unfinished_ = false;
  Steady::time_point next_update_{}, last_checkpoint_ = Steady::now();
  std::jthread thread_;
  std::atomic<bool> interrupted_ = false;

  mutable std::mutex mutex_;  ///< guards what follows
  std::string stopped_by_, failed_;
  std::vector<std::string> table_failed_;
  std::vector<std::int64_t> lag_;
  std::map<std::string, std::int64_t> exported_records_;
  /// Whose rows are followed: the last good update's; and of the last checkpoint.
  std::map<std::string, pipeline::Positions> shown_positions_, durable_positions_;
  std::map<std::string, std::map<std::string, std::int64_t>> shown_broken_;
  std::map<std::string, std::int64_t> served_fewer_;
  bool store_waits_ = false;

  Updates updates_;  ///< the last: it ends first
};

}  // namespace tailrace::spark
