// The coordinator of all transactions: a pure state machine. Events and the time go in, actions
// come out.
//
// Order of calls:
//   1. Transactions(config, …)    empty
//   2. replay(…) …                every record of __transaction_state, in order
//   3. set_version(…)             the cluster's transaction.version, whenever it changes
//   4. start(now)                 what was decided and perhaps not marked is marked again
//   5. step(event, now) …         one at a time; `now` never goes back
//      step(Tick, now)            when next_deadline() has come (asked again after every step)
//
// Actions are done in order over all steps; a Reply is sent, and markers are written, when every
// append before it is durable. If an append fails the object is thrown away and made again from the
// log: what it would have answered was never visible.
//
// A transactional id changes only by the records that are appended, so a replay gives the same
// state, but for the epoch before the current one, which Kafka's records lack as well. One thread
// at a time.
//
//   Empty ──partition──▶ Ongoing ──EndTxn──▶ PrepareCommit ──markers──▶ CompleteCommit
//                           │ └──EndTxn──────▶ PrepareAbort ──markers──▶ CompleteAbort
//                           └── timeout, or a new producer: PrepareAbort with a newer epoch
// The two ends are as good as Empty for what comes next.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "transactions/actions.h"
#include "transactions/config.h"
#include "transactions/events.h"
#include "transactions/transitions.h"

namespace tailrace::transactions {

/// Gives a producer id no producer ever had; nothing when there is none at the moment.
using NewProducerId = std::function<std::optional<std::int64_t>()>;

class Transactions {
 public:
  Transactions(TransactionsConfig config, NewProducerId new_producer_id);

  /// A record as it was appended.
  void replay(const Record& record);
  /// How what is ended for a client is ended: from 2 on with an epoch for each transaction.
  void set_version(Version version) { version_ = version; }
  Actions start(TimestampMs now);

  Actions step(const Event& event, TimestampMs now);
  /// When a Tick is due; no value: never.
  std::optional<TimestampMs> next_deadline() const;

  /// How many transactional ids are in each state, and since when the oldest of the transactions
  /// that are not ended is.
  struct Census {
    std::map<State, std::size_t> states;
    std::optional<TimestampMs> oldest_open;
  };
  Census census() const;

  /// All transactional ids, for comparison.
  std::map<std::string, Transaction> all() const;

 private:
  /// An implicit AddPartitions that waits for the markers of the transaction before.
  struct Waiting {
    RequestId request;
    AddPartitions add;
    TimestampMs until;
  };
  struct Entry {
    Known known;
    std::vector<Waiting> waiting;
    std::optional<TimestampMs> deadline;
  };
  struct Turn {
    TimestampMs now;
    RequestId request;
    Actions& actions;

    void reply(Answer answer) { actions.push_back(Reply{request, std::move(answer)}); }
  };

  void handle(const InitProducerId& request, Turn& turn);
  void handle(const AddPartitions& request, Turn& turn);
  void handle(const VerifyPartitions& request, Turn& turn);
  void handle(const EndTransaction& request, Turn& turn);
  void handle(const MarkersWritten& event, Turn& turn);
  void handle(const DescribeTransactions& request, Turn& turn);
  void handle(const ListTransactions& request, Turn& turn);
  void handle(const Tick&, Turn&) {}

  InitAnswer init(const InitProducerId& request, Turn& turn);
  InitAnswer init_settled(const InitProducerId& request, const Known& known, Turn& turn);
  ErrorCode add(const AddPartitions& request, Turn& turn);
  EndAnswer end(const EndTransaction& request, Turn& turn);
  EndAnswer end_plain(const EndTransaction& request, const Known& known, Turn& turn);
  EndAnswer end_with_epoch(const EndTransaction& request, const Known& known, Turn& turn);
  EndAnswer decide(const EndTransaction& request, const Known& known, Turn& turn);
  ErrorCode fence(const std::string& id, const Known& known, Turn& turn);
  void write_markers(const std::string& id, const Transaction& transaction, Turn& turn) const;
  void deadline(const std::string& id, Turn& turn);
  bool lists(const ListTransactions& filter, const Transaction& transaction, TimestampMs now) const;

  const Known* find(const std::string& id) const;
  void append(const std::string& id, Known to, Turn& turn);
  void forget(const std::string& id, Turn& turn);
  void set_deadline(const std::string& id, Entry& entry);

  TransactionsConfig config_;
  NewProducerId new_producer_id_;
  Version version_ = kEpochPerTransaction;
  std::map<std::string, Entry> entries_;
  std::set<std::pair<TimestampMs, std::string>> deadlines_;
};

}  // namespace tailrace::transactions
