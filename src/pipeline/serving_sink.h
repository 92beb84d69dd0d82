// Where served tables are kept beside the pipeline's own rows: a database that is somewhere else.
//
// The database has the rows of durable checkpoints only:
//
//   take() the changes of steps … → seal() them into the write of a checkpoint → send() them, once
//   it is durable
//
// What is sealed stays in the store until the database has acknowledged it, and is sent again after
// a crash with the same timestamps. So what the database holds is the rows of a checkpoint that was
// durable, and a part of the changes to a later one that was, too: replayed steps, which may make
// other rows on their way, leave none of them there. What it lacks is in the store, so neither
// checkpoints nor what becomes of the log wait for the database; steps wait when too much is on its
// way.
//
// A table that the database does not have as it was sealed (new, made again, of another database)
// is loaded by ready(), between two steps.
//
// Threads: all but waits() is called by the thread of the steps.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "columns/types.h"
#include "kv/store.h"
#include "table/keyed_table.h"

namespace tailrace::pipeline {

class ServingSink {
 public:
  virtual ~ServingSink() = default;

  /// What the last checkpoint sealed; once, before all else.
  virtual Status open(const kv::Store& store) = 0;
  /// The served tables from now on. ready() is to be called before the next take().
  virtual Status set_tables(std::vector<std::shared_ptr<const table::KeyedTable>> tables) = 0;
  /// The rows of a table are made again: those that the database has are worth nothing.
  virtual void forget(std::string_view table) = 0;
  /// Whether the database has the tables.
  virtual bool is_ready() const = 0;
  /// Makes and loads tables; waits for a database that is away. Their rows must be those of a
  /// durable checkpoint. False: stopped.
  virtual Result<bool> ready(const std::stop_token& stop) = 0;

  /// A change to the rows of a table, as it is applied to the keyed one.
  virtual Status take(const table::KeyedTable& table, const Delta& delta) = 0;
  /// Whether a checkpoint should be taken, for much is taken in.
  virtual bool wants_checkpoint() const = 0;
  /// Adds what was taken to the write of a checkpoint.
  virtual Status seal(kv::WriteBatch& batch) = 0;
  /// The checkpoint is durable.
  virtual void send() = 0;
  /// Whether so much was taken, and is not there yet, that steps should wait.
  virtual bool is_full() const = 0;
  /// Waits until all that was sent is there; false after `patience`.
  virtual bool wait(std::chrono::milliseconds patience) const = 0;

  /// Why rows do not get there, as a sentence; empty: they do.
  virtual std::string waits() const = 0;
  /// Where a table is, as "cassandra 127.0.0.1:9042 shop.users".
  virtual std::string place(std::string_view table) const = 0;
};

}  // namespace tailrace::pipeline
