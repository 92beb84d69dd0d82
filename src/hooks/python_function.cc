// Warm processes and their calls.
#include "hooks/python_function.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/log.h"
#include "rt/clock.h"
#include "tasks/process.h"

extern "C" {
extern const char hooks_worker_begin[];
extern const char hooks_worker_end[];
}

namespace tailrace::hooks {
namespace {

using nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr auto kIdle = std::chrono::minutes(10);
/// To start Python and load the module, at least.
constexpr auto kBegin = std::chrono::seconds(30);
constexpr auto kLook = std::chrono::milliseconds(50);
constexpr std::uint64_t kBesideMemory = 256 << 20;
constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kLogBytes = 64 << 10;
constexpr std::uintmax_t kLogFileBytes = 16 << 20;
constexpr std::size_t kMostPayload = 6'291'556;  // as Lambda has it

/// Of a process, in memory; 0 when it is gone.
std::int64_t bytes_in_use(int pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  std::int64_t all = 0, pages = 0;
  file >> all >> pages;
  return file ? pages * sysconf(_SC_PAGESIZE) : 0;
}

/// Changes when a module beside `file`, or that one, is written, comes or goes.
struct CodeStamp {
  std::int64_t newest = INT64_MIN;
  int files = 0;
  bool operator==(const CodeStamp&) const = default;
};
CodeStamp stamp_of(const std::string& file) {
  CodeStamp stamp;
  std::error_code failed;
  const auto folder = std::filesystem::path(file).parent_path();
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().extension() != ".py") continue;
    std::error_code gone;
    const auto written = at->last_write_time(gone);
    if (gone) continue;
    stamp.newest = std::max<std::int64_t>(stamp.newest, written.time_since_epoch().count());
    ++stamp.files;
  }
  return stamp;
}

/// Where handlers' prints go.
class LogFile {
 public:
  explicit LogFile(std::string path) : path_(std::move(path)) {}
  void line(std::string_view text) {
    if (path_.empty()) return;
    std::lock_guard lock(mutex_);
    if (!out_.is_open()) {
      std::error_code ignored;
      std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
      size_ = std::filesystem::file_size(path_, ignored);
      if (ignored) size_ = 0;
      out_.open(path_, std::ios::app | std::ios::binary);
    }
    out_ << text << '\n' << std::flush;
    size_ += text.size() + 1;
    if (size_ < kLogFileBytes) return;
    out_.close();
    std::error_code ignored;
    std::filesystem::rename(path_, path_ + ".1", ignored);
  }

 private:
  const std::string path_;
  std::mutex mutex_;
  std::ofstream out_;
  std::uintmax_t size_ = 0;
};

class PythonFunction final : public Function {
 public:
  PythonFunction(FunctionInfo info, PythonConfig config)
      : Function(std::move(info)), config_(std::move(config)), log_(config_.log_file) {
    for (int i = 0; i < config_.workers; ++i) workers_.push_back(std::make_unique<Worker>());
    watch_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
    for (auto& worker : workers_)
      worker->thread = std::jthread(
          [this, raw = worker.get()](const std::stop_token& stop) { run(*raw, stop); });
  }

  ~PythonFunction() override {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
      for (auto& worker : workers_) {
        worker->thread.request_stop();
        worker->process.request_stop();
      }
    }
    changed_.notify_all();
    for (auto& worker : workers_) worker->thread.join();
    for (Waiting& one : waiting_) refuse(one, "the program stops");
  }

  void call(Call call, Done done) override {
    Waiting one{std::move(call), std::move(done)};
    {
      std::lock_guard lock(mutex_);
      if (!closing_ && waiting_.size() < config_.most_waiting) {
        waiting_.push_back(std::move(one));
        changed_.notify_all();
        return;
      }
    }
    Returned full;
    full.refused = error(Code::kResourceExhausted, "too many calls wait");
    one.done(std::move(full));
  }

 private:
  struct Waiting {
    Call call;
    Done done;
  };
  struct Worker {
    std::stop_source process;  // guarded by mutex_, as all but `thread`
    std::optional<Waiting> current;
    Steady::time_point begun{}, deadline{};
    bool timed_out = false, warm = false;
    int pid = 0;
    bool too_large = false;
    bool ready = false;  ///< it has asked for a call: the module is loaded
    CodeStamp code;      ///< of before it was loaded
    std::string log;
    std::jthread thread;
  };

  static void refuse(Waiting& one, const std::string& why) {
    Returned refused;
    refused.refused = error(Code::kUnavailable, why);
    one.done(std::move(refused));
  }

  /// A warm process that waits takes a call before a new one is begun.
  bool should_begin() const {
    std::size_t free = 0;
    for (const auto& worker : workers_) free += worker->warm && !worker->current ? 1 : 0;
    return waiting_.size() > free;
  }

  void run(Worker& worker, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return should_begin(); })) return;
        worker.process = std::stop_source();
        worker.warm = true;
        worker.timed_out = worker.ready = worker.too_large = false;
        worker.pid = 0;
        worker.log.clear();
        worker.code = stamp_of(config_.file);
        worker.begun = Steady::now();
        worker.deadline = worker.begun + std::max<Steady::duration>(
                                             kBegin, std::chrono::milliseconds(info_.timeout_ms));
        look_again_ = true;
        changed_.notify_all();
      }
      auto ended = run_one(worker);
      std::optional<Waiting> broken;
      Returned returned;
      {
        std::lock_guard lock(mutex_);
        worker.warm = false;
        broken = std::exchange(worker.current, std::nullopt);
        // It never asked for a call: whoever waits is told, or this would go on for ever.
        if (!broken && !worker.ready && !waiting_.empty()) {
          broken = std::move(waiting_.front());
          waiting_.pop_front();
        }
        if (broken) returned = why_broken(worker, ended, broken->call.request_id);
      }
      if (broken) broken->done(std::move(returned));
      changed_.notify_all();
    }
  }

  Result<tasks::Ended> run_one(Worker& worker) {
    tasks::Command command{.arguments = {config_.python, "-u", "-c",
                                         std::string(hooks_worker_begin, hooks_worker_end)},
                           .environment = environment()};
    command.folder = config_.folder;
    command.memory_bytes = static_cast<std::uint64_t>(2 * info_.memory_bytes) + kBesideMemory;
    command.grace = std::chrono::milliseconds(0);
    command.serve = [&](std::string_view request) { return serve(worker, request); };
    auto ended = tasks::run_process(
        command, [&](std::string_view line) { print(worker, line); }, worker.process.get_token(),
        [&](int pid) {
          std::lock_guard lock(mutex_);
          worker.pid = pid;
        });
    if (!ended)
      LOG_OF(error, log_of("function", info_.name), "function {}: {}", info_.name,
             ended.error().what);
    return ended;
  }

  std::map<std::string, std::string> environment() const {
    std::map<std::string, std::string> all;
    for (const char* name : {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"})
      if (const char* value = std::getenv(name)) all[name] = value;
    all["AWS_LAMBDA_FUNCTION_NAME"] = info_.name;
    all["AWS_LAMBDA_FUNCTION_VERSION"] = "$LATEST";
    all["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = std::to_string(info_.memory_bytes >> 20);
    all["AWS_LAMBDA_LOG_GROUP_NAME"] = "/aws/lambda/" + info_.name;
    all["AWS_LAMBDA_LOG_STREAM_NAME"] = "tailrace";
    all["LAMBDA_TASK_ROOT"] = config_.folder;
    all["_HANDLER"] = info_.handler;
    all["PYTHONDONTWRITEBYTECODE"] = "1";  // the folder is the user's
    for (const auto& [name, value] : info_.environment) all[name] = value;
    return all;
  }

  void print(Worker& worker, std::string_view line) {
    log_.line(line);
    std::lock_guard lock(mutex_);
    worker.log.append(line).push_back('\n');
    if (worker.log.size() > 2 * kLogBytes) worker.log.erase(0, worker.log.size() - kLogBytes);
  }

  std::string serve(Worker& worker, std::string_view text) {
    const json request = json::parse(text, nullptr, false);
    const std::string what = request.is_object() ? request.value("do", "") : "";
    if (what == "begin") return begin_text();
    if (what == "next") return next_text(worker);
    if (what == "ended") end(worker, request);
    return "{}";
  }

  std::string begin_text() const {
    const std::string handler = info_.handler.substr(info_.handler.rfind('.') + 1);
    return json{{"file", config_.file},
                {"handler", handler},
                {"context",
                 {{"function_name", info_.name},
                  {"function_version", "$LATEST"},
                  {"invoked_function_arn", info_.arn()},
                  {"memory_limit_in_mb", std::to_string(info_.memory_bytes >> 20)},
                  {"log_group_name", "/aws/lambda/" + info_.name},
                  {"log_stream_name", "tailrace"}}}}
        .dump();
  }

  /// Waits for a call; "null" ends the process.
  std::string next_text(Worker& worker) {
    std::unique_lock lock(mutex_);
    worker.ready = true;
    changed_.wait_for(lock, worker.process.get_token(), kIdle,
                      [this] { return !waiting_.empty(); });
    // Another process, with the code as it is now, takes the call.
    const bool outdated = !waiting_.empty() && stamp_of(config_.file) != worker.code;
    if (closing_ || waiting_.empty() || outdated) {
      worker.warm = false;
      changed_.notify_all();
      return "null";
    }
    worker.current = std::move(waiting_.front());
    waiting_.pop_front();
    worker.log.clear();
    worker.begun = Steady::now();
    worker.deadline = worker.begun + std::chrono::milliseconds(info_.timeout_ms);
    look_again_ = true;
    changed_.notify_all();
    const Call& call = worker.current->call;
    return json{{"event", call.event},
                {"deadline_ms", rt::system_clock().now().value + info_.timeout_ms},
                {"client_context", call.client_context},
                {"context", {{"aws_request_id", call.request_id}}}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
  }

  void end(Worker& worker, const json& said) {
    Returned returned;
    Done done;
    {
      std::lock_guard lock(mutex_);
      if (!worker.current || worker.timed_out) return;
      done = std::move(worker.current->done);
      worker.current.reset();
      if (said.contains("error") && said["error"].is_object()) {
        returned.failed = true;
        returned.payload = said["error"].dump(-1, ' ', false, json::error_handler_t::replace);
      } else if (said.contains("payload") && said["payload"].is_string()) {
        returned.payload = said["payload"].get<std::string>();
      }
      if (returned.payload.size() > kMostPayload)
        returned = failure("Function.ResponseSizeTooLarge",
                           fmt::format("Response payload size exceeded maximum allowed payload "
                                       "size ({} bytes).",
                                       kMostPayload));
      returned.most_memory_kb = said.value("max_memory_kb", std::int64_t{0});
      finish(worker, returned);
    }
    done(std::move(returned));
  }

  /// Under the lock: what all answers have.
  void finish(const Worker& worker, Returned& returned) const {
    returned.took_us =
        std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - worker.begun).count();
    const std::size_t at = worker.log.size() > kTailBytes ? worker.log.size() - kTailBytes : 0;
    returned.log = worker.log.substr(at);
  }

  Returned why_broken(const Worker& worker, const Result<tasks::Ended>& ended,
                      const std::string& id) const {
    Returned returned;
    if (closing_) {
      returned.refused = error(Code::kUnavailable, "the program stops");
    } else if (!ended) {
      returned = failure("Runtime.ExitError",
                         fmt::format("RequestId: {} Error: {}", id, ended.error().what));
    } else if (worker.timed_out) {
      returned = timed_out(id, info_.timeout_ms);
    } else if (worker.too_large) {
      returned = failure(
          "Runtime.ExitError",
          fmt::format("RequestId: {} Error: Runtime exited with error: signal: killed", id));
    } else if (ended->signal != 0) {
      returned = failure("Runtime.ExitError",
                         fmt::format("RequestId: {} Error: Runtime exited with error: signal: {}",
                                     id, ended->signal));
    } else {
      returned =
          failure("Runtime.ExitError",
                  fmt::format("RequestId: {} Error: Runtime exited with error: exit status {}", id,
                              ended->code));
    }
    finish(worker, returned);
    return returned;
  }

  /// Ends processes whose call's time is over, and those that have grown too large.
  void watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      look_again_ = false;
      auto next = Steady::now() + std::chrono::hours(1);
      for (const auto& worker : workers_) {
        if (!is_timed(*worker)) continue;
        if (worker->deadline <= Steady::now()) {
          worker->timed_out = true;
          worker->process.request_stop();
          continue;
        }
        next = std::min(next, worker->deadline);
        if (!worker->current) continue;
        next = std::min(next, Steady::now() + kLook);
        if (bytes_in_use(worker->pid) <= info_.memory_bytes) continue;
        worker->too_large = true;
        worker->process.request_stop();
      }
      changed_.wait_until(lock, stop, next, [this] { return look_again_; });
    }
  }
  /// A call, or the beginning of a process, has a deadline.
  static bool is_timed(const Worker& worker) {
    return worker.warm && !worker.timed_out && !worker.too_large &&
           (worker.current || !worker.ready);
  }

  const PythonConfig config_;
  LogFile log_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Waiting> waiting_;
  bool closing_ = false;
  bool look_again_ = false;  ///< a process or a call has begun since the watch looked
  std::vector<std::unique_ptr<Worker>> workers_;
  std::jthread watch_;
};

}  // namespace

std::unique_ptr<Function> python_function(FunctionInfo info, PythonConfig config) {
  return std::make_unique<PythonFunction>(std::move(info), std::move(config));
}

}  // namespace tailrace::hooks
