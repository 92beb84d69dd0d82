// What rules look at, as the program that runs a project shows it.
#pragma once

#include <string>
#include <vector>

#include "alerts/settings.h"
#include "pipeline/hops.h"

namespace tailrace::alerts {

struct ExpectationCount {
  std::string table = {}, name = {}, condition = {};
  std::int64_t passed = 0, failed = 0;
};

/// What a contract asks of all rows of a table.
struct ContractRuleSeen {
  std::string contract = {}, table = {}, rule = {};
  std::string measured = {};  ///< what is counted
  std::string value = {}, must = {};
  std::string severity = {};  ///< the contract's own word
  bool known = false;         ///< it was judged, and could be
  bool broken = false;
};

struct QueryRows {
  struct Column {
    std::string name = {};
    bool is_number = false;
  };
  std::vector<Column> columns = {};
  std::vector<std::vector<std::string>> rows = {};  ///< cells as text
  bool truncated = false;
};

/// A run of a workflow.
struct RunSeen {
  enum class State { kQueued, kRunning, kSuccess, kFailed };
  std::string dag = {}, run = {};
  State state = State::kQueued;
  Ms due = 0, started = 0, ended = 0;  ///< 0: not yet
  bool is_over() const { return state == State::kSuccess || state == State::kFailed; }
};

/// Why a run failed: the task that failed first.
struct RunFailure {
  std::string task = {}, why = {};
  int try_number = 0;
  std::string log_tail = {};  ///< the last lines of that try's log
};

class Sight {
 public:
  virtual ~Sight() = default;

  virtual std::vector<pipeline::Hop> hops() = 0;
  /// Of tables and of topics.
  virtual std::vector<ExpectationCount> expectations() = 0;
  virtual std::vector<ContractRuleSeen> contract_rules() = 0;
  /// The newest rows that broke one: a line each.
  virtual std::vector<std::string> broken(const std::string& table, const std::string& expectation,
                                          std::size_t most) = 0;
  virtual Result<QueryRows> query(const std::string& sql, std::size_t most) = 0;

  virtual std::vector<std::string> dags() = 0;
  /// Grows with whatever happens to workflows.
  virtual std::uint64_t runs_changed() = 0;
  /// The newest of a DAG, in the order of their making.
  virtual Result<std::vector<RunSeen>> runs(const std::string& dag, std::size_t most) = 0;
  /// When a DAG's next run is due that is not there yet; 0: none is, or it is paused.
  virtual Ms next_due(const std::string& dag) = 0;
  virtual RunFailure failure(const RunSeen& run) = 0;
};

}  // namespace tailrace::alerts
