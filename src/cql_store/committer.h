// Group commit: one thread applies what arrived, makes it durable with one sync, and tells who
// waits. What arrives meanwhile is the next group.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "cql_store/mutation.h"
#include "cql_store/store.h"
#include "cql_store/traits.h"
#include "kv/durable_store.h"

namespace tailrace::cql_store {

class Committer {
 public:
  /// `traits` holds those that are in the store.
  Committer(kv::DurableStore& store, Traits& traits);
  /// Waits for what was committed.
  ~Committer();

  void commit(Mutation mutation, Store::Done done);
  void decide(Store::Decide decide, Store::Done done);
  /// Forgets what was deleted of a partition (keys.h) before then, and with it what it deletes. In
  /// steps, between commits; much at once is left for another time.
  void forget(std::string_view partition, std::int64_t before_seconds);

 private:
  struct Job {
    Mutation mutation;
    Store::Decide decide;  // empty: the mutation is there
    Store::Done done;
    std::string partition;  // to forget() of, from this key on
    std::string from;
    std::int64_t before_seconds = 0;
  };
  /// A job that was seen to: what it ended with, so far.
  struct Waiting {
    Store::Done done;
    Status status;
  };

  void push(Job job);
  void run();
  void see_to(Job& job);
  bool clears_counters(Mutation& mutation) const;
  Status add(Mutation& mutation);
  void add_trait(TableNumber table, Trait trait);
  void forget_some(Job& job);
  Status clear_counters(std::string_view key, std::string_view record);
  void apply();
  void finish();

  kv::DurableStore& store_;
  Traits& traits_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Job> arrivals_;
  bool stopping_ = false;
  std::size_t forgetting_ = 0;  // jobs of forget() that are on their way

  // The committing thread's own.
  kv::WriteBatch batch_;
  std::vector<Waiting> waiting_;
  std::size_t applied_ = 0;  // of waiting_: those whose changes are not in batch_ any more
  std::size_t group_bytes_ = 0;
  struct NewTraits {
    TableNumber table;
    std::uint8_t traits;
  };
  std::vector<NewTraits> new_traits_;  // in batch_
  Traits kept_traits_;                 // those that are in the store

  std::thread thread_;
};

}  // namespace tailrace::cql_store
