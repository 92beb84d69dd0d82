#include "spark/update.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "tasks/process.h"

namespace tailrace::spark {
namespace {

namespace fs = std::filesystem;

/// Marks every process of an update, by the folder.
constexpr const char* kMark = "TAILRACE_SPARK_FOLDER";
/// Between TERM and KILL: Spark's server needs some seconds to end.
constexpr std::chrono::seconds kGrace{10};
constexpr std::size_t kMostErrorBytes = 500;

std::map<std::string, std::string> our_environment() {
  std::map<std::string, std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view pair(*one);
    if (const auto at = pair.find('='); at != std::string_view::npos)
      all.emplace(pair.substr(0, at), pair.substr(at + 1));
  }
  return all;
}

/// Where "[ERROR_CLASS]" begins; npos: there is none.
std::size_t error_class(std::string_view line) {
  for (std::size_t at = line.find('['); at != std::string_view::npos; at = line.find('[', at + 1)) {
    const std::size_t end = line.find(']', at);
    if (end == std::string_view::npos || end - at < 6) continue;
    const std::string_view name = line.substr(at + 1, end - at - 1);
    bool shouted = name.find('_') != std::string_view::npos;
    for (const char c : name)
      shouted =
          shouted && (std::isupper(static_cast<unsigned char>(c)) != 0 ||
                      std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.');
    if (shouted) return at;
  }
  return std::string_view::npos;
}

}  // namespace

Result<std::string> update_script() {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  for (const char* place :
       {"../share/tailrace/python/tailrace_spark", "../python/tailrace_spark"}) {
    const fs::path found = program / place / "run_pipeline.py";
    if (fs::exists(found)) return found.lexically_normal().string();
  }
  return error(Code::kNotFound,
               "run_pipeline.py is not beside the program: install it with ./dev install DIR");
}

std::string interpreter() {
  const char* named = std::getenv("TAILRACE_PYTHON");
  return named != nullptr ? named : "python3";
}

void FirstError::take(std::string_view line) {
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0)
    line.remove_suffix(1);
  if (line.empty()) return;
  last_ = line;
  if (const std::size_t at = error_class(line); named_.empty() && at != std::string_view::npos)
    named_ = line.substr(at);
  const bool speaks = line.find("Exception: ") != std::string_view::npos ||
                      line.find("Error: ") != std::string_view::npos ||
                      line.find("FAILED") != std::string_view::npos;
  if (plain_.empty() && speaks) plain_ = line;
}

std::string FirstError::text() const {
  std::string text = !named_.empty() ? named_ : !plain_.empty() ? plain_ : last_;
  if (text.size() > kMostErrorBytes) {
    text.resize(kMostErrorBytes);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80) != 0) text.pop_back();
    text += "…";
  }
  return text;
}

Updates::Updates(UpdateSettings settings)
    : settings_(std::move(settings)),
      thread_([this](const std::stop_token& stop) { loop(stop); }) {}

Updates::~Updates() {
  stop();
}

void Updates::stop() {
  thread_.request_stop();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Updates::begin() {
  const std::lock_guard lock(mutex_);
  wanted_ = true;
  begun_ = Steady::now();
  ended_.reset();
  changed_.notify_all();
}

bool Updates::running() const {
  const std::lock_guard lock(mutex_);
  return wanted_;
}

std::chrono::seconds Updates::running_for() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<std::chrono::seconds>(Steady::now() - begun_);
}

std::optional<Status> Updates::ended() {
  const std::lock_guard lock(mutex_);
  return std::exchange(ended_, std::nullopt);
}

void Updates::loop(const std::stop_token& stop) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return wanted_; })) return;
    }
    Status done = run(stop);
    const std::lock_guard lock(mutex_);
    wanted_ = false;
    ended_ = std::move(done);
  }
}

Result<std::vector<std::string>> Updates::arguments() const {
  ASSIGN(const std::string script, update_script());
  std::vector<std::string> words = {interpreter(), script, settings_.folder, "--master",
                                    settings_.master};
  if (!settings_.jars.empty()) {
    words.emplace_back("--jars");
    words.push_back(settings_.jars);
  }
  words.emplace_back("--conf");
  words.push_back("spark.sql.warehouse.dir=file://" + settings_.warehouse);
  for (const auto& [name, value] : settings_.properties) {
    words.emplace_back("--conf");
    words.push_back(name + "=" + value);
  }
  return words;
}

std::string Updates::without_secrets(std::string_view line) const {
  std::string out(line);
  for (const std::string& secret : settings_.secrets)
    for (std::size_t at = secret.empty() ? std::string::npos : out.find(secret);
         at != std::string::npos; at = out.find(secret, at + 3))
      out.replace(at, secret.size(), "***");
  return out;
}

Status Updates::run(const std::stop_token& stop) const {
  tasks::kill_left_behind(kMark, settings_.folder);
  tasks::Command command;
  ASSIGN(command.arguments, arguments());
  command.environment = our_environment();
  command.environment[kMark] = settings_.folder;
  command.grace = kGrace;
  FirstError first;
  const auto hear = [&](std::string_view line) {
    const std::string shown = without_secrets(line);
    LOG(info, "spark: {}", shown);
    first.take(shown);
  };
  auto ended = tasks::run_process(command, hear, stop);
  if (!ended)
    return error(Code::kUnavailable,
                 fmt::format("{}; set TAILRACE_PYTHON to a Python with pyspark[pipelines] in it",
                             ended.error().what));
  if (ended->stopped) return error(Code::kCancelled, "stopped");
  if (ended->code == 0) return {};
  const std::string why = first.text();
  return error(Code::kUnavailable,
               why.empty() ? fmt::format("Spark ended with {}", ended->code) : why);
}

}  // namespace tailrace::spark
