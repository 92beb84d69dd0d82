// Threads that do what a client asked for, and what became of it.
#include "app/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "app/project_access.h"

namespace tailrace::app {
namespace {

using console::Operation;

constexpr std::size_t kMostRunning = 16;
constexpr std::size_t kMostKept = 1000;  ///< the oldest that are over go first

class Threads final : public console::Operations {
 public:
  explicit Threads(Instance& instance) : instance_(instance), access_(project_access(instance)) {}

  ~Threads() override {
    std::vector<std::jthread> threads;
    const auto take = [&] {
      const std::lock_guard lock(mutex_);
      for (auto& one : all_) {
        one.thread.request_stop();
        threads.push_back(std::move(one.thread));
      }
    };
    take();
    threads.clear();  // joined without the lock, which each takes at its end
  }

  Result<Operation> ingest(std::string_view source, std::optional<double> seconds) override {
    TRY(runs());
    const std::string name(source);
    if (instance_.source(name) == nullptr)
      return error(Code::kNotFound, fmt::format("`ingest` of tailrace.yml has no `{}`", name));
    std::optional<std::chrono::microseconds> most;
    if (seconds) most = std::chrono::microseconds(static_cast<std::int64_t>(*seconds * 1e6));
    return start("ingest", name, [this, name, most](const std::stop_token& stop) {
      return access_->ingest(name, most, stop);
    });
  }

  Result<Operation> refresh() override {
    TRY(runs());
    return start("refresh", "", [this](const std::stop_token& stop) -> Result<std::int64_t> {
      TRY(access_->refresh(stop));
      return 0;
    });
  }

  Result<Operation> operation(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(const auto* found, find(id));
    return found->told;
  }

  Result<Operation> stop(std::string_view id) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(auto* found, find(id));
    found->thread.request_stop();
    return found->told;
  }

 private:
  struct One {
    Operation told;
    std::jthread thread;
  };
  using Work = std::function<Result<std::int64_t>(const std::stop_token&)>;

  Status runs() const {
    if (instance_.read_only())
      return error(Code::kFailedPrecondition, "the project does not run here: `tailrace run` it");
    return {};
  }

  Result<Operation> start(std::string kind, std::string name, Work work) {
    const std::lock_guard lock(mutex_);
    const auto running = std::ranges::count(
        all_, "running", [](const One& one) -> const std::string& { return one.told.state; });
    if (static_cast<std::size_t>(running) >= kMostRunning)
      return error(Code::kResourceExhausted,
                   fmt::format("{} operations run already: wait for one of them", running));
    while (all_.size() >= kMostKept)
      all_.erase(
          std::ranges::find_if(all_, [](const One& one) { return one.told.state != "running"; }));
    One& one = all_.emplace_back();
    one.told.id = std::to_string(++last_);
    one.told.kind = std::move(kind);
    one.told.name = std::move(name);
    one.thread = std::jthread([this, id = one.told.id, work = std::move(work)](
                                  const std::stop_token& stop) { end(id, work(stop), stop); });
    return one.told;
  }

  void end(const std::string& id, const Result<std::int64_t>& done, const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    const auto found = find(id);
    if (!found) return;
    Operation& told = (*found)->told;
    if (done) told.records = *done;
    told.state = stop.stop_requested() ? "stopped" : done ? "succeeded" : "failed";
    if (!done) told.why = done.error().what;
  }

  Result<One*> find(std::string_view id) {
    const auto at = std::ranges::find(all_, id, [](const One& one) { return one.told.id; });
    if (at == all_.end())
      return error(Code::kNotFound, fmt::format("there is no operation `{}`", id));
    return &*at;
  }

  Instance& instance_;
  const std::unique_ptr<tasks::ProjectAccess> access_;
  std::mutex mutex_;
  std::int64_t last_ = 0;
  std::list<One> all_;
};

}  // namespace

std::unique_ptr<console::Operations> make_operations(Instance& instance) {
  return std::make_unique<Threads>(instance);
}

}  // namespace tailrace::app
