// What a contract asks of all rows of a table together: a number, and what it must be.
//
//   unique, primary keys, duplicateValues   values of columns that occur more than once; rows with
//                                           a null among them are left out (SQL's UNIQUE)
//   rowCount                                rows
//   nullValues, missingValues, invalidValues   rows that others call bad, where some may be there
//   type: sql     the first column of a query's first row; relationships: rows whose key is nowhere
//
// `unit: percent` is of the table's rows; of an empty table it is 0. Both ends of a range are in
// it. Which measures there are is said without a project running; judge.h takes them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "calendar/cron.h"
#include "pipeline/contracts/agreement.h"

namespace tailrace::pipeline {

/// An operator of the standard with its number.
struct Limit {
  enum class Op {
    kIs,
    kIsNot,
    kGreater,
    kGreaterOrEqual,
    kLess,
    kLessOrEqual,
    kBetween,
    kNotBetween
  };
  Op op = Op::kIs;
  double low = 0, high = 0;  ///< `high` of a range alone
  std::string text = {};     ///< as the contract says it: "mustBeBetween: 1 and 5"

  bool holds(double value) const;
};

struct Measure {
  enum class Kind { kRows, kDuplicates, kBadRows, kQuery };

  std::string contract = {}, version = {};  ///< id and version
  std::string table = {};
  std::string name = {};  ///< the rule's id or name, else COLUMN_unique …; one of its table
  Kind kind = Kind::kRows;
  /// kDuplicates: the columns that make a value, each a path into structs. kBadRows: the one that
  /// is looked at.
  std::vector<std::vector<std::string>> columns = {};
  std::string sql = {};  ///< kBadRows: true of a good row; kQuery: the query
  bool percent = false;
  Limit limit = {};
  std::string severity = {}, description = {};  ///< "" where the contract says none
  /// Not sooner after the last time; nullopt: at the times of `schedule`, in UTC.
  std::optional<std::chrono::milliseconds> every = kJudgedEvery;
  std::optional<calendar::Cron> schedule = {};
  std::string fault = {};  ///< why the project does not run with it: a time that cannot be read
  std::string place = {};

  static constexpr std::chrono::milliseconds kJudgedEvery = std::chrono::minutes(1);
  /// "duplicates of `id`", "rows", "rows that break `status` IS NOT NULL": what is counted.
  std::string what() const;
};

/// Of the tables of the contracts in contracts/, in their order.
Result<std::vector<Measure>> load_measures(const Project& project);

/// Those that cannot be taken of the graph's tables: errors where a column has another type than
/// the rule needs, kKept where a query is none of ours. `taken` gets the others.
std::vector<Finding> measure_findings(const Graph& graph, const std::vector<Measure>& measures,
                                      std::vector<Measure>* taken = nullptr);

/// What load_measures() gives, but for what measure_findings() tells of.
Result<std::vector<Measure>> taken_measures(const Project& project, const Graph& graph);

/// The query that counts the rows of a kBadRows measure: columns `rows` and `bad`.
std::string bad_rows_query(const Measure& measure);

/// "measured: many of orders_clean: rows, mustBeGreaterThan: 1": a line for `tailrace check`.
std::string measure_line(const Measure& measure);

}  // namespace tailrace::pipeline
