// One update of the tables by a real Spark: `spark-pipelines` over the written project, as
// python/tailrace_spark/run_pipeline.py runs it, in a session of its own.
//
//   begin() → ended() … until it says how → begin() …
//
// What a killed program of ours left running is ended before the next update begins: of one folder
// there is one Spark.
//
// Threads: one of its own, whose end would be the child's; the functions are called by one other.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace tailrace::spark {

struct UpdateSettings {
  std::string folder;     ///< of the written project; absolute
  std::string warehouse;  ///< where the tables are; absolute
  std::string master;
  std::string jars;                               ///< empty: TAILRACE_SPARK_JARS
  std::map<std::string, std::string> properties;  ///< Spark's, by name
  std::vector<std::string> secrets;               ///< of the properties; never in the log
};

/// run_pipeline.py, beside the installed program or in the source tree.
Result<std::string> update_script();
/// Python with pyspark in it: TAILRACE_PYTHON, else python3.
std::string interpreter();

/// The first error in what Spark prints, as one line.
class FirstError {
 public:
  void take(std::string_view line);
  std::string text() const;

 private:
  std::string named_;  ///< the first with an error class: "[TABLE_OR_VIEW_NOT_FOUND] …"
  std::string plain_;  ///< the first that speaks of an error
  std::string last_;
};

class Updates {
 public:
  explicit Updates(UpdateSettings settings);
  ~Updates();

  void begin();
  bool running() const;
  /// How long the one that runs has run.
  std::chrono::seconds running_for() const;
  /// How the last one ended, once.
  std::optional<Status> ended();
  /// Ends the one that runs, if any; there is none after it.
  void stop();

 private:
  using Steady = std::chrono::steady_clock;
  void loop(const std::stop_token& stop);
  Status run(const std::stop_token& stop) const;
  Result<std::vector<std::string>> arguments() const;
  std::string without_secrets(std::string_view line) const;

  UpdateSettings settings_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool wanted_ = false;  ///< from begin() until it has ended
  Steady::time_point begun_;
  std::optional<Status> ended_;
  std::jthread thread_;
};

}  // namespace tailrace::spark
