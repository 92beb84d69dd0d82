// Runs a project: reads topics, steps every flow's circuit, writes lake and serving tables, takes
// checkpoints.
//
//   open (recover from the last checkpoint) → start … stop      or      open → drain (for --once)
//
// One checkpoint joins everything: source positions, operator state, serving rows and dead letters
// become durable together in the store, with the text of the lake commits that belong to them;
// those are published right after, and again at the next open if a crash came between (Delta's txn
// action makes the second time a no-op). A crash falls back to the last checkpoint and the log is
// replayed from its positions.
//
// When a record's schema has columns that its topic did not have, they are taken up between two
// steps (evolution.cc): streaming tables get them in place, null in older rows; views that ask for
// them are made again from what they read.
//
// A flow whose FAIL UPDATE expectation breaks stops alone, with all that reads it; the rest goes
// on. It starts again from nothing (backfill) when its SQL has changed or at the next start.
//
// On a full disk steps wait, say so at the lake's hop, and go on by themselves when there is room;
// stop() does not wait for that.
//
// Threads: one for the steps, one that reads ahead; status functions may be called from any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "kv/store.h"
#include "log/log.h"
#include "pipeline/dead_letters.h"
#include "pipeline/graph.h"
#include "pipeline/hops.h"
#include "pipeline/letters_back.h"
#include "pipeline/project.h"
#include "pipeline/serving_sink.h"
#include "rt/clock.h"
#include "table/keyed_table.h"

namespace tailrace::pipeline {

struct ExpectationStatus {
  std::string name;
  std::string condition;
  std::string action;
  std::int64_t passed = 0;
  std::int64_t failed = 0;
};

/// What the records of a topic are held to.
struct TopicExpectations {
  std::string topic;
  std::vector<ExpectationStatus> expectations;
};

struct TableStatus {
  std::string name;
  Layer layer = Layer::kBronze;
  bool streaming = false;
  Schema schema;
  std::string comment;
  std::int64_t rows = 0;  ///< rows in the table now
  std::string failed;     ///< why its flow stopped, or empty
  std::vector<ExpectationStatus> expectations;
};

class Runner {
 public:
  /// Topics must exist. `data` is the data folder: lake/ and state/ are below it. `schemas` is
  /// asked for what wrote the records of topics that have types; null where there are none. `sink`:
  /// where served tables are kept, too; null for nowhere else.
  static Result<std::unique_ptr<Runner>> open(const Project& project, Graph graph, log::Log& log,
                                              const std::string& data,
                                              subjects::SchemaClient* schemas = nullptr,
                                              ServingSink* sink = nullptr,
                                              rt::Clock& clock = rt::system_clock());
  virtual ~Runner() = default;

  virtual void start() = 0;
  /// Finishes the step under way, takes a checkpoint and ends the threads.
  virtual Status stop() = 0;
  /// Steps until every topic is read to its end as of now, then a checkpoint; without start().
  virtual Status drain() = 0;
  /// Ends a drain() that waits for another program, with kCancelled. Any thread.
  virtual void interrupt() {}

  /// The runner's own hops (decoded, rejected, tables, lake, served), in order; the caller puts the
  /// sources' before.
  virtual std::vector<Hop> hops() const = 0;
  virtual std::vector<TableStatus> tables() const = 0;
  /// Topics that have none are not there.
  virtual std::vector<TopicExpectations> topic_expectations() const = 0;
  /// The present one: another follows when a topic's columns grow.
  virtual std::shared_ptr<const Graph> graph() const = 0;
  /// What of it no hop says: checkpoints. Any thread.
  virtual void write_metrics(MetricsText& /*out*/) const {}
  /// An error that stopped the whole runner (disk, corruption), or empty.
  virtual std::string stopped_by() const = 0;

  virtual const DeadLetters& dead_letters() const = 0;
  /// Sends letters back to their topics, for which `select` is true; how many went. One that is
  /// refused (still too large, no topic) stays; an Error when all were.
  /// `elsewhere` is asked first.
  virtual Result<std::int64_t> redrive(const std::function<bool(const DeadLetter&)>& select,
                                       const SendBack& elsewhere = {}) = 0;

  /// A table's rows in the lake, as of the last checkpoint, in chunks.
  virtual Status scan_table(std::string_view name,
                            const std::function<Status(const Batch&)>& visit) const = 0;
  /// The rows of a serving, by its name: as of now, one a key, in chunks, with the table's columns.
  virtual Status scan_served(std::string_view serving,
                             const std::function<Status(const Batch&)>& visit) const = 0;
  /// The keyed table of that serving name; null when there is none.
  virtual std::shared_ptr<const table::KeyedTable> served(std::string_view name) const = 0;

  /// Calls `changed` whenever served tables have been made anew or have other columns: on the
  /// thread of the steps, before the next one. Once, before start(); not in the middle of a call
  /// that ends the runner.
  virtual void on_served_change(std::function<void()> changed) = 0;

  /// The first record of a partition that is yet to be read, would be read again after a crash, or
  /// has rows that the lake does not show yet: retention leaves it alone. INT64_MAX for a topic
  /// that no flow reads.
  virtual Offset keep_from(const log::Partition& partition) const = 0;
};

}  // namespace tailrace::pipeline
