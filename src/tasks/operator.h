// What a task does: an operator gets its rendered arguments and says how it ended. One file each,
// found by Airflow's dotted path.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "dags/dag.h"
#include "dags/read.h"
#include "jinja/template.h"
#include "metadata/metadata.h"
#include "rt/clock.h"
#include "sched/rows.h"
#include "sched/scheduler.h"
#include "tasks/process.h"

namespace tailrace::tasks {

/// Where a try's lines go. What is secret of connections and variables (metadata/secrets.h), and
/// what `mask` was told, is written as ***.
class TaskLog {
 public:
  virtual ~TaskLog() = default;
  virtual void line(std::string_view text) = 0;
  virtual void mask(std::string_view secret) = 0;
  /// The text as a line would show it.
  virtual std::string masked(std::string text) const = 0;
};

/// The project's own tables and topics, as far as operators need them. The embedding gives it.
class ProjectAccess {
 public:
  virtual ~ProjectAccess() = default;
  /// A query over the tables: rows as dicts.
  virtual Result<jinja::List> query(const std::string& sql) = 0;
  /// Appends a record to a topic; its partition and offset.
  struct Position {
    int partition = 0;
    std::int64_t offset = 0;
  };
  virtual Result<Position> produce(const std::string& topic, std::optional<std::string> key,
                                   std::string value) = 0;
  /// Ingest `name` from where it stands to the end of what is there, or for `most`.
  virtual Result<std::int64_t> ingest(const std::string& name,
                                      std::optional<std::chrono::microseconds> most,
                                      std::stop_token stop) = 0;
  /// Returns when every record that was appended before the call is in the tables.
  virtual Status refresh(std::stop_token stop) = 0;
};

/// The variable by which processes of tasks are found after a crash (kill_left_behind).
constexpr std::string_view kTaskMark = "TAILRACE_TASKS_OF";

/// What a try may use.
struct Context {
  sched::TaskId id;
  int try_number = 1;
  const dags::Dag& dag;
  const dags::Task& task;
  sched::Run run;
  jinja::Dict arguments;  ///< rendered, with the instance's expansion
  jinja::Scope scope;     ///< the names of templates, for what is rendered later
  std::function<Result<jinja::Value>(const jinja::Value&)> render;  ///< of nested templates
  TaskLog& log;
  metadata::Metadata& metadata;
  std::function<Result<metadata::Connection>(std::string_view id)> connection;
  std::function<Result<std::string>(std::string_view name)> variable;
  ProjectAccess& project;
  const rt::Clock& clock;
  std::function<Result<sched::RunId>(sched::Trigger)> trigger;
  std::string folder;              ///< the project's
  std::string dags_folder;         ///< where DAG files and their Python are
  std::string python = "python3";  ///< the interpreter of Python tasks
  Limits limits = {};              ///< of its processes
  std::string mark;                ///< of this data folder, for what a crash leaves behind
  std::map<std::string, std::string> environment;  ///< more of it: AIRFLOW_CONN_… as the task asks
  std::stop_token stop;                            ///< asked for: clear, timeout, shutdown
  std::function<void(int pid)> process_started;
  /// When the code of this try began, the first time where it came back: for sensors' timeouts.
  std::optional<sched::Micros> first_started_at;
};

/// How a try ended.
struct Outcome {
  enum class How { kSuccess, kFailed, kFailedForGood, kSkipped, kReschedule, kDefer };
  How how = How::kSuccess;
  jinja::Value returned;               ///< XCom return_value where it is not None
  std::string why;                     ///< of a failure, a skip: one line
  std::optional<sched::Micros> at;     ///< kReschedule, kDefer
  std::optional<sched::Micros> began;  ///< when its code began; run_attempt notes it
  std::optional<std::vector<std::string>> skip;
  bool skip_all_downstream = false, ignore_downstream_trigger_rules = true;
  /// Asset events beside, or with what goes into, those of the task's outlets.
  struct AssetEvent {
    std::string uri;
    jinja::Value extra;
    std::string alias = {};
  };
  std::vector<AssetEvent> events;
  /// What the task's function has put into its context, for map_index_template.
  jinja::Dict context = {};
  bool how_is_success() const { return how == How::kSuccess; }
  /// Runs to make (TriggerDagRunOperator); a deferred one looks again at `at`.
  static Outcome success(jinja::Value returned = {});
  static Outcome failed(std::string why);
  static Outcome failed_for_good(std::string why);  ///< AirflowFailException: no retry
  static Outcome skipped(std::string why);
};

class Operator {
 public:
  virtual ~Operator() = default;
  /// Blocks until it ended; polls or waits on `context.stop`. Called on a thread of the executor's.
  virtual Outcome run(Context& context) const = 0;
  /// Whether Airflow's leaves all its waiting to the triggerer, whatever its arguments say.
  virtual bool always_defers() const { return false; }
};

/// Whether Airflow's is one process for all looks of a try, which sleeps between them: a sensor in
/// mode poke. Ours comes back for each look, as in every mode.
bool sleeps_between_looks(const Operator& code, const Context& context);

/// Of a task whose execution_timeout is over: failed. One that was at work when it was over is
/// skipped where it is a sensor that says so.
Outcome out_of_time();
Outcome out_of_time_at_work(const Context& context);

/// The operator of a path (the present one, or an older that Airflow still imports); null when it
/// is not embedded.
const Operator* find_operator(std::string_view path);
/// For reading DAG files that are run here: operators that are not embedded are doubts.
const dags::Operators& operators_here();
/// Paths of all that are embedded, sorted.
std::vector<std::string> embedded_operators();

// --- for operators' files ------------------------------------------------------------------------

/// An argument as a type; an Error names the argument and what it takes. Absent or None: `none`.
Result<std::string> text_argument(const Context& context, std::string_view name,
                                  std::string none = "");
Result<bool> bool_argument(const Context& context, std::string_view name, bool none);
Result<double> number_argument(const Context& context, std::string_view name, double none);
/// Seconds as a number, or a timedelta.
Result<std::chrono::microseconds> time_argument(const Context& context, std::string_view name,
                                                std::chrono::microseconds none);

/// A sensor's round: poke, or come back. Reads mode, poke_interval, exponential_backoff, max_wait,
/// timeout, soft_fail, silent_fail; a sensor never holds a slot between two pokes, whatever its
/// mode.
Outcome poke(Context& context, const std::function<Result<std::optional<jinja::Value>>()>& look);

}  // namespace tailrace::tasks
