// Takes the measures of contracts over the tables as the lake has them, now and then, and judges
// them by their limits.
//
// A measure is taken of a table's newest Delta version, so it is the number that any other reader
// of the table gets. It is taken again when a checkpoint has brought another version, at most once
// in `every`, and never for more than a tenth of the time: after one that took 10 s it waits 100 s.
// One with a schedule is taken at its times, or when one has passed since it was last taken. What
// was found is kept in DATA/contract_rules.json, so it is known after a restart and of a stopped
// project. Memory: 64 MiB for values that occur twice, whatever the table's size; a query of type
// sql takes what it takes in `tailrace sql`.
//
// make → start … stop      or      make → look (for --once and tests)
// Threads: one of its own; rules() from any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lake/delta_table.h"
#include "pipeline/contracts/measures.h"
#include "pipeline/query.h"
#include "rt/clock.h"

namespace tailrace::pipeline {

struct Verdict {
  enum class State {
    kNone,  ///< not taken yet
    kHolds,
    kBroken,
    kFailed,  ///< it could not be taken: `error` says why
  };
  State state = State::kNone;
  std::optional<double> value = {};  ///< nullopt: the query gave no row, or null; that is broken
  std::string error = {};
  std::int64_t version = -1;  ///< of the table
  std::int64_t seen = -1;     ///< the versions of all that it reads, summed up
  std::int64_t at_ms = 0, took_ms = 0;
  std::int64_t since_ms = 0;  ///< when the state began
};

/// "holds", "broken", "failed", "none".
std::string_view name(Verdict::State state);

struct JudgedRule {
  const Measure* measure = nullptr;
  Verdict verdict = {};
};

/// "12", "0.25", "33.3333 %", "no number".
std::string value_text(const Measure& measure, const Verdict& verdict);
/// "many of orders_clean is 1, mustBeGreaterThan: 1".
std::string verdict_text(const Measure& measure, const Verdict& verdict);

class Judge {
 public:
  /// Measures that measure_findings() has taken. `tables`: all of the project, which queries may
  /// read. What was kept in `data` is known at once.
  Judge(std::vector<Measure> measures, std::vector<std::string> tables, std::string data,
        rt::Clock& clock = rt::system_clock());
  ~Judge();

  /// A thread that looks every quarter of a second.
  void start();
  /// Ends what is under way.
  void stop();
  /// Takes what is due; `all`: whatever has changed, due or not.
  void look(bool all = false);

  std::vector<JudgedRule> rules() const;

 private:
  /// What is known of a table's log.
  struct Looked {
    std::int64_t changed_ns = 0;  ///< the time of its folder
    std::int64_t at_ms = 0;
    std::int64_t version = -1;
  };

  /// The measure's own table, then what else a query reads.
  const std::vector<std::string>& reads_of(const Measure& measure) const;
  std::int64_t version_of(const std::string& table);
  /// Of each table that it reads, its own first; empty while one is not there.
  std::vector<std::int64_t> versions_read(const Measure& measure);
  /// Said by the clock alone: before it is time nothing is read.
  bool is_time(const Measure& measure, const Verdict& last, bool all) const;
  bool has_changed(const Measure& measure, const Verdict& last, std::int64_t seen, bool all) const;
  Verdict take(const Measure& measure) const;
  Result<std::optional<double>> value_of(const Measure& measure) const;
  Result<double> rows_of(const std::string& table) const;
  Result<double> duplicates(const Measure& measure) const;
  Result<double> bad_rows(const Measure& measure) const;
  Result<std::optional<double>> answer(const Measure& measure) const;
  QueryRelation relation(const std::string& table, lake::DeltaTable& lake,
                         const std::vector<std::string>& columns) const;
  std::string folder_of(const std::string& table) const { return data_ + "/lake/" + table; }
  Status go_on() const;
  void set(std::size_t index, Verdict verdict);
  void load();
  void keep();

  const std::vector<Measure> measures_;
  const std::vector<std::string> tables_;
  const std::string data_;
  rt::Clock& clock_;
  const std::int64_t made_ms_;
  std::map<std::string, Looked> looked_;         ///< by table
  std::vector<std::vector<std::string>> reads_;  ///< tables, by measure
  std::stop_token stop_;                         ///< of the thread
  mutable std::mutex mutex_;                     ///< guards verdicts_
  std::vector<Verdict> verdicts_;
  std::string told_;  ///< why nothing can be kept, told once
  std::jthread thread_;
};

/// Of all measures that can be taken of the project's tables.
Result<std::unique_ptr<Judge>> make_judge(const Project& project, const Graph& graph,
                                          const std::string& data);

}  // namespace tailrace::pipeline
