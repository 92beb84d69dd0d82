// The Runner's inside: what one running project holds. runner.h says what it promises.
//
// One thread (the step thread) owns everything but what `mutex_` guards. Files: open and the loop
// in running_project.cc, one step in step.cc, a fresh start of changed flows in backfill.cc, what
// others may ask in runner_status.cc.
#pragma once

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>

#include "engine/circuit.h"
#include "pipeline/checkpoint.h"
#include "pipeline/checkpoint_metrics.h"
#include "pipeline/lake_commits.h"
#include "pipeline/project_status.h"
#include "pipeline/read_ahead.h"
#include "pipeline/runner.h"
#include "pipeline/table_output.h"

namespace tailrace::pipeline {

class RunningProject final : public Runner {
 public:
  RunningProject(const Project& project, Graph graph, log::Log& log,
                 subjects::SchemaClient* schemas, ServingSink* sink, rt::Clock& clock)
      : project_(project),
        graph_(std::move(graph)),
        log_(log),
        schemas_(schemas),
        sink_(sink),
        clock_(clock) {}
  ~RunningProject() override;

  Status open_all(const std::string& data);

  void start() override;
  Status stop() override;
  Status drain() override;
  std::vector<Hop> hops() const override;
  std::vector<TableStatus> tables() const override;
  std::vector<TopicExpectations> topic_expectations() const override;
  std::shared_ptr<const Graph> graph() const override;
  void write_metrics(MetricsText& out) const override { checkpoint_metrics_.write(out); }
  std::string stopped_by() const override;
  Offset keep_from(const log::Partition& partition) const override;
  const DeadLetters& dead_letters() const override { return *letters_; }
  Result<std::int64_t> redrive(const std::function<bool(const DeadLetter&)>& select,
                               const SendBack& elsewhere) override;
  Status scan_table(std::string_view name,
                    const std::function<Status(const Batch&)>& visit) const override;
  Status scan_served(std::string_view serving,
                     const std::function<Status(const Batch&)>& visit) const override;
  std::shared_ptr<const table::KeyedTable> served(std::string_view name) const override;
  void on_served_change(std::function<void()> changed) override {
    served_changed_ = std::move(changed);
  }

 private:
  struct RunningFlow {
    std::unique_ptr<engine::Circuit> circuit;
    std::string failed;
    std::vector<engine::ExpectationCount> expectations;
    std::vector<engine::KeptNote> notes;  ///< of the last step, until the next
    bool stepped = false;  ///< the first step runs without input too: a global aggregate has a row
    /// What is not done yet to it, kMadeAgain or kFilledAgain; empty: it is as its checkpoint says.
    std::string_view under_way = {};
  };
  ProjectCounts counts() const;
  /// Tables, flows and readers of graph_, from the checkpoint; `fresh`: there was none.
  Status open_graph(bool fresh);
  Status open_outputs(std::vector<bool>& again);
  /// Tables of the lake that a state without a checkpoint knows nothing of: they are made again.
  Result<std::vector<bool>> strange_tables() const;
  Status open_flows();
  Status open_readers();
  std::optional<ValueReading> value_reading(const TopicRelation& topic) const;
  Status make_circuit(std::size_t flow);
  /// Where the flow finds the rows it leaves to a serving (Flow::kept_by).
  std::optional<engine::KeptResult> kept_result(const Flow& flow) const;

  void loop(std::stop_token stop);
  /// One step; false when there was nothing to do.
  Result<bool> step();
  Result<std::vector<TopicStep>> read_topics();
  /// The rows of a topic that keep its contracts; the others become dead letters.
  Status hold_topic(std::size_t topic, TopicStep& step) const;
  /// Counts what the topics' rows were held to; flows that read a record which must not be stop.
  void count_topics(const std::vector<TopicStep>& topics);
  /// The step's span and those of what it read; empty when tracing is off.
  telemetry::Span step_span(const std::vector<TopicStep>& topics) const;
  telemetry::Span flow_span(const Flow& flow, const std::vector<Delta>& inputs) const;
  /// The store's write of a step, which served tables are read from.
  Status serve(kv::WriteBatch& batch);
  Status read_rejected(kv::WriteBatch& batch);
  /// The next checkpoint keeps the position, also when only what holds no record for us is behind
  /// it (markers, aborted transactions, what compaction took): others wait for keep_from().
  void move_to(const std::string& topic, Positions next);
  Status run_flows(const std::vector<TopicStep>& topics, kv::WriteBatch& batch);
  /// The flow's notes (RunningFlow::notes) go with the change that it gives.
  Result<Delta> run_flow(std::size_t index, const std::vector<Delta>& inputs,
                         kv::WriteBatch& batch);
  Status take_in(std::size_t table, Delta change, kv::WriteBatch& batch);
  void fail_flow(std::size_t index, const Error& why);
  /// Stops a flow whose FAIL UPDATE was broken, with the row as a dead letter.
  void break_flow(std::size_t index, const engine::StepOutput& output, kv::WriteBatch& batch);
  /// Of a record that broke FAIL UPDATE before any flow read it; a dead letter already, unless the
  /// contract was another when it was read first.
  Status break_flow_again(std::size_t index, DeadLetter letter);
  DeadLetter letter_of(const Flow& flow, const engine::Reject& reject) const;
  DeadLetter letter_of(const Flow& flow, std::string reason, std::string detail,
                       const Batch& row) const;
  /// Letters for rows of a streaming table that a serving of it cannot have.
  void leave_null_keys(const Flow& flow, const Delta& delta, kv::WriteBatch& batch);
  void find_origin(const Flow& flow, const arrow::RecordBatch& row, DeadLetter& letter) const;
  /// Now and then: files that left a table are deleted.
  Status upkeep();
  /// How far topics are read and what they wait for, also where a step took no record.
  void note_reading(const std::vector<TopicStep>& topics);
  void publish_counts(const std::vector<TopicStep>& topics);

  /// Whether the sink can take a step: it has the tables, and not too much on its way. Waits a
  /// little for it; makes and loads tables where that is to be done.
  Result<bool> sink_ready(const std::stop_token& stop);

  bool checkpoint_due() const;
  /// Begins one: the steps go on while the lake's thread makes its files durable and then lets the
  /// store do the same.
  Status checkpoint();
  Status begin_checkpoint();
  void begin_checkpoint_span();
  /// On the lake's thread, when all tables are prepared.
  Status release_checkpoint(std::int64_t number);
  Status count_served();
  /// Whether the lake's part of the checkpoint begun last is done.
  bool prepared() const {
    return !prepared_.valid() ||
           prepared_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  /// The checkpoint begun last, with the lake's files.
  Status await_durable();
  /// Publishes the lake commits of a checkpoint that has become durable.
  Status finish_checkpoint();
  /// finish_checkpoint(); false when the disk is full, and it is to be called again.
  Result<bool> finish_or_full();
  /// finish_checkpoint(), again and again while the disk is full.
  Status await_checkpoint(const std::stop_token& stop);
  /// A checkpoint, durable and published when it returns.
  Status settle();

  /// Takes up the schemas that topics wait for; whether there was one.
  Result<bool> evolve(const std::vector<TopicStep>& topics);
  /// The types of all topics with the next schemas of some; those that cannot be are refused.
  TopicTypes next_types(const std::vector<TopicStep>& topics);
  Status open_again(std::optional<Graph> graph);

  /// Which flows must start from nothing, by table: new, changed, failed, or reading such a one.
  std::vector<bool> stale_tables(const Checkpoint& last) const;
  /// Whether only the columns of what it reads have grown, and its table can go on with them.
  bool can_widen(const Flow& flow, const FlowMark& mark) const;
  /// Makes the stale tables from nothing, and where a flow of another goes on with wider columns,
  /// what it keeps.
  Status backfill(const std::vector<bool>& stale);
  Status backfill_table(std::size_t table);
  /// Gives the flow a state of its present columns; its table stays as it is.
  Status refill_flow(std::size_t flow);
  void erase_state(std::size_t flow, kv::WriteBatch& batch) const;
  /// Takes what the change of one input gives into the table; with kFilledAgain nowhere.
  Status feed(std::size_t flow, std::size_t input, Delta delta);
  Status feed_flow(std::size_t flow);

  const Project& project_;
  Graph graph_;
  log::Log& log_;
  subjects::SchemaClient* schemas_;
  ServingSink* sink_;
  rt::Clock& clock_;
  std::string data_;

  std::unique_ptr<kv::Store> store_;
  std::unique_ptr<DeadLetters> letters_;
  std::unique_ptr<table::Catalogue> catalogue_;
  std::vector<std::unique_ptr<TableOutput>> outputs_;
  std::unique_ptr<LakeWriter> lake_;  ///< after the outputs: its tasks point into them
  std::vector<std::unique_ptr<ReadAhead>> readers_;
  std::optional<TopicReader> rejected_reader_;
  std::vector<RunningFlow> flows_;
  kv::WriteBatch batch_;          ///< a step's; it keeps its memory
  Checkpoint checkpoint_;         ///< the one being filled; number is the last one begun
  std::future<Status> prepared_;  ///< of the checkpoint begun last, until it was asked for
  Status lake_failed_;            ///< what it said: a failure stays
  CheckpointMetrics checkpoint_metrics_;
  bool unpublished_ = false;  ///< a checkpoint was begun and its lake commits are not published yet
  bool dirty_ = false;        ///< something happened since the last checkpoint
  telemetry::SpanContext step_trace_;   ///< of the step under way; not valid: it has no span
  telemetry::Origins checkpoint_from_;  ///< steps since the last checkpoint
  telemetry::Span checkpoint_span_;     ///< of the one begun last, until it is published
  std::int64_t steps_records_ = 0;      ///< records since the last checkpoint
  std::chrono::steady_clock::time_point last_checkpoint_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_upkeep_ = {};
  std::function<void()> served_changed_;
  std::jthread thread_;
  /// By topic, ids of schemas that could not be taken up.
  std::map<std::string, std::set<int>> refused_schemas_;

  /// Held by the status functions, and alone by evolve() while graph, tables and flows change.
  mutable std::shared_mutex shape_;
  /// Guards what the status functions read: set by the step thread after each step.
  mutable std::mutex mutex_;
  std::string stopped_by_;
  bool store_waits_ = false;  ///< for room on the disk
  std::map<std::string, Positions> begun_positions_,
      durable_positions_;  ///< of checkpoints; in the lake
  std::vector<TopicCounts> topic_counts_;
  std::vector<std::string> flow_failed_;
  std::vector<std::optional<std::int64_t>> flow_watermarks_;
  std::vector<std::vector<engine::ExpectationCount>> flow_expectations_;
  std::vector<std::int64_t> table_rows_, lake_rows_;
  std::map<std::string, std::int64_t> served_fewer_;  ///< as in ProjectCounts
  LettersBack letters_back_;
};

}  // namespace tailrace::pipeline
