// Queries through the shell's own way, records into the log, sources by name.
#include "app/project_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "connect/runner.h"
#include "log/log.h"
#include "rt/clock.h"

namespace tailrace::app {
namespace {

using namespace std::chrono_literals;
using jinja::Value;

constexpr auto kLook = 20ms;
constexpr int kQueryRows = 100'000;

Value to_value(const console::Value& cell) {
  struct Visitor {
    Value operator()(std::monostate) const { return {}; }
    Value operator()(bool one) const { return Value(one); }
    Value operator()(std::int64_t one) const { return Value(one); }
    Value operator()(double one) const { return Value(one); }
    Value operator()(const std::string& one) const { return Value(one); }
    Value operator()(const console::List& list) const {
      jinja::List all;
      for (const auto& one : list) all.push_back(to_value(one));
      return Value(std::move(all));
    }
    Value operator()(const console::Fields& fields) const {
      jinja::Dict all;
      for (const auto& [name, one] : fields) all.set(Value(name), to_value(one));
      return Value(std::move(all));
    }
  };
  return std::visit(Visitor{}, cell.v);
}

class RunningAccess final : public tasks::ProjectAccess {
 public:
  explicit RunningAccess(Instance& instance) : instance_(instance) {}

  Result<jinja::List> query(const std::string& sql) override {
    jinja::List all;
    ASSIGN(auto page, instance_.backend().sql(sql, kQueryRows));
    const auto columns = page.columns;
    while (true) {
      for (const auto& row : page.rows) {
        jinja::Dict one;
        for (std::size_t i = 0; i < columns.size(); ++i)
          one.set(Value(columns[i].name), to_value(row[i]));
        all.emplace_back(std::move(one));
      }
      if (page.next.empty()) break;
      ASSIGN(page, instance_.backend().sql_page(page.next));
    }
    if (page.truncated)
      return error(Code::kResourceExhausted, "over 100,000 rows: a task's query is for few");
    return all;
  }

  Result<Position> produce(const std::string& topic, std::optional<std::string> key,
                           std::string value) override {
    ASSIGN(const std::int32_t partitions, partitions_of(topic));
    const std::int32_t to =
        key ? connect::partition_of_key(*key, partitions) : next_++ % partitions;
    ASSIGN(auto partition, instance_.log().partition(topic, PartitionId(to)));
    log::Record record{
        .key = {}, .value = value, .timestamp = rt::system_clock().now(), .headers = {}};
    if (key) record.key = *key;
    ASSIGN(const auto appended, partition->append(std::span(&record, 1)));
    return Position{.partition = to, .offset = appended.base_offset.value};
  }

  Result<std::int64_t> ingest(const std::string& name,
                              std::optional<std::chrono::microseconds> most,
                              std::stop_token stop) override {
    connect::SourceRunner* source = instance_.source(name);
    if (source == nullptr)
      return error(Code::kNotFound, fmt::format("`ingest` of tailrace.yml has no `{}`", name));
    const std::int64_t before = source->status().records;
    const auto end = std::chrono::steady_clock::now() + most.value_or(24h);
    source->pause(false);
    Status failed;
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(kLook);
      const auto status = source->status();
      if (status.state == connect::SourceState::kFailed) {
        failed = error(Code::kAborted, fmt::format("ingest {}: {}", name, status.last_error));
        break;
      }
      if (status.state == connect::SourceState::kFinished || (status.idle && !most)) break;
    }
    if (instance_.is_paused(name)) source->pause(true);
    TRY(Status(failed));
    return source->status().records - before;
  }

  Status refresh(std::stop_token stop) override {
    if (StagedFlows* staged = instance_.staged()) {
      ASSIGN(const bool passed, staged->wait_until_passed(stop));
      if (!passed) return error(Code::kCancelled, "stopped");
    }
    std::vector<std::pair<std::shared_ptr<log::Partition>, Offset>> wanted;
    for (const auto& topic : instance_.project().topics) {
      for (std::int32_t p = 0; p < topic.partitions; ++p) {
        ASSIGN(auto partition, instance_.log().partition(topic.name, PartitionId(p)));
        ASSIGN(const Offset end, instance_.committed_end(topic.name, PartitionId(p)));
        wanted.emplace_back(std::move(partition), end);
      }
    }
    while (!stop.stop_requested()) {
      if (const std::string why = instance_.stopped_by(); !why.empty())
        return error(Code::kUnavailable, "the pipeline has stopped: " + why);
      std::erase_if(wanted, [&](const auto& one) {
        return instance_.runner().keep_from(*one.first) >= one.second;
      });
      if (wanted.empty()) return {};
      std::this_thread::sleep_for(kLook);
    }
    return error(Code::kCancelled, "stopped");
  }

 private:
  Result<std::int32_t> partitions_of(const std::string& topic) {
    for (const auto& one : instance_.project().topics) {
      if (one.name == topic) return one.partitions;
    }
    return error(Code::kNotFound, fmt::format("`topics` of tailrace.yml has no `{}`", topic));
  }

  Instance& instance_;
  std::atomic<std::int32_t> next_ = 0;
};

class NoAccess final : public tasks::ProjectAccess {
 public:
  Result<jinja::List> query(const std::string&) override { return none(); }
  Result<Position> produce(const std::string&, std::optional<std::string>, std::string) override {
    return none();
  }
  Result<std::int64_t> ingest(const std::string&, std::optional<std::chrono::microseconds>,
                              std::stop_token) override {
    return none();
  }
  Status refresh(std::stop_token) override { return none(); }

 private:
  static std::unexpected<Error> none() {
    return error(Code::kFailedPrecondition,
                 "the project does not run here: `tailrace run` it, and start the DAG there");
  }
};

}  // namespace

std::unique_ptr<tasks::ProjectAccess> project_access(Instance& instance) {
  return std::make_unique<RunningAccess>(instance);
}

std::unique_ptr<tasks::ProjectAccess> no_project() {
  return std::make_unique<NoAccess>();
}

}  // namespace tailrace::app
