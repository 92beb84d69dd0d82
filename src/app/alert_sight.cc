#include "app/alert_sight.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>

#include "app/backend.h"
#include "console/arrow_rows.h"

namespace tailrace::app {
namespace {

using alerts::RunSeen;

/// How far back broken rows are looked for.
constexpr std::uint64_t kLettersLookedAt = 5000;
constexpr std::size_t kLogTailLines = 15;
constexpr std::uint64_t kMostLog = 16 << 20;

alerts::Ms ms_of(const std::optional<sched::Micros>& at) {
  return at ? *at / 1000 : 0;
}

std::string cell_text(const console::Value& value) {
  struct Visit {
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(std::int64_t n) const { return std::to_string(n); }
    std::string operator()(double d) const { return fmt::format("{}", d); }
    std::string operator()(const std::string& s) const { return s; }
    std::string operator()(const console::List& list) const {
      std::string out;
      for (const console::Value& one : list) out += (out.empty() ? "" : ", ") + cell_text(one);
      return "[" + out + "]";
    }
    std::string operator()(const console::Fields& fields) const {
      std::string out;
      for (const auto& [name, one] : fields)
        out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, cell_text(one));
      return "{" + out + "}";
    }
  };
  return std::visit(Visit{}, value.v);
}

/// What moves from one answer to the next, and so names no alert.
bool is_number(const std::string& type) {
  return std::ranges::any_of(
      std::array{"BIGINT", "INT", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT", "DECIMAL", "TIMESTAMP"},
      [&](const char* word) { return type.starts_with(word); });
}

class InstanceSight final : public alerts::Sight {
 public:
  explicit InstanceSight(Instance& instance) : instance_(instance) {
    if (auto* workflows = instance.workflows())
      workflows->on_change([changes = changes_] { ++*changes; });
  }

  std::vector<pipeline::Hop> hops() override { return instance_.hops(); }

  std::vector<alerts::ExpectationCount> expectations() override {
    std::vector<alerts::ExpectationCount> all;
    const auto add = [&](const std::string& of, const auto& expectations) {
      for (const pipeline::ExpectationStatus& one : expectations)
        all.push_back({of, one.name, one.condition, one.passed, one.failed});
    };
    for (const auto& topic : instance_.runner().topic_expectations())
      add(topic.topic, topic.expectations);
    for (const pipeline::TableStatus& table : instance_.runner().tables())
      add(table.name, table.expectations);
    return all;
  }

  std::vector<alerts::ContractRuleSeen> contract_rules() override {
    using State = pipeline::Verdict::State;
    std::vector<alerts::ContractRuleSeen> all;
    for (const auto& [measure, verdict] : instance_.judge().rules())
      all.push_back({.contract = measure->contract,
                     .table = measure->table,
                     .rule = measure->name,
                     .measured = measure->what(),
                     .value = value_text(*measure, verdict),
                     .must = measure->limit.text,
                     .severity = measure->severity,
                     .known = verdict.state == State::kHolds || verdict.state == State::kBroken,
                     .broken = verdict.state == State::kBroken});
    return all;
  }

  std::vector<std::string> broken(const std::string& table, const std::string& expectation,
                                  std::size_t most) override {
    const pipeline::DeadLetters& letters = instance_.runner().dead_letters();
    const std::uint64_t next = letters.totals().next_id;
    std::deque<std::string> lines;
    (void)letters.scan(
        next > kLettersLookedAt ? next - kLettersLookedAt : 0,
        [&](const pipeline::DeadLetter& letter) {
          if (letter.flow == table && letter.reason == "expectation " + expectation) {
            lines.push_back(fmt::format("{}: {}", letter.origin, letter.bytes));
            if (lines.size() > most) lines.pop_front();
          }
          return true;
        });
    return {lines.begin(), lines.end()};
  }

  Result<alerts::QueryRows> query(const std::string& sql, std::size_t most) override {
    ASSIGN(const auto result, pipeline::run_query(sql, query_relations(instance_),
                                                  rt::system_clock().now().value * 1000,
                                                  static_cast<std::int64_t>(most)));
    console::Rows rows;
    for (const Batch& batch : result.rows) console::append_rows(batch, rows);
    if (rows.columns.empty()) rows.columns = console::columns_of(result.schema);
    alerts::QueryRows out;
    out.truncated = result.truncated;
    for (const console::Column& column : rows.columns)
      out.columns.push_back({column.name, is_number(column.type)});
    for (const console::Row& row : rows.rows) {
      auto& cells = out.rows.emplace_back();
      for (const console::Value& value : row) cells.push_back(cell_text(value));
    }
    return out;
  }

  std::vector<std::string> dags() override {
    std::vector<std::string> all;
    if (auto* workflows = instance_.workflows())
      for (const auto& dag : workflows->dags()) all.push_back(dag->id);
    return all;
  }

  std::uint64_t runs_changed() override { return *changes_; }

  Result<std::vector<RunSeen>> runs(const std::string& dag, std::size_t most) override {
    std::vector<RunSeen> all;
    auto* workflows = instance_.workflows();
    if (workflows == nullptr) return all;
    metadata::RunFilter filter{.dag = dag};
    filter.by_number = true;
    filter.limit = static_cast<std::int64_t>(most);
    ASSIGN(const auto page, workflows->metadata().runs(filter));
    for (const sched::Run& run : page.runs) {
      RunSeen seen{.dag = run.id.dag, .run = run.id.run};
      seen.state = run.state == sched::RunState::kQueued    ? RunSeen::State::kQueued
                   : run.state == sched::RunState::kRunning ? RunSeen::State::kRunning
                   : run.state == sched::RunState::kSuccess ? RunSeen::State::kSuccess
                                                            : RunSeen::State::kFailed;
      seen.due = run.run_after / 1000;
      seen.started = ms_of(run.started_at);
      seen.ended = ms_of(run.ended_at);
      all.push_back(std::move(seen));
    }
    std::ranges::reverse(all);
    return all;
  }

  alerts::Ms next_due(const std::string& dag) override {
    if (auto* workflows = instance_.workflows();
        workflows != nullptr && workflows->trouble().empty())
      for (const sched::DagRow& row : workflows->rows())
        if (row.id == dag && !row.paused && row.next) return row.next->run_after / 1000;
    return 0;
  }

  alerts::RunFailure failure(const RunSeen& run) override {
    alerts::RunFailure failure;
    auto* workflows = instance_.workflows();
    if (workflows == nullptr) return failure;
    const auto tasks = workflows->metadata().tasks({run.dag, run.run});
    if (!tasks) return failure;
    const sched::TaskInstance* first = nullptr;
    for (const sched::TaskInstance& task : *tasks)
      if (task.state == sched::TaskState::kFailed &&
          (first == nullptr || task.ended_at < first->ended_at))
        first = &task;
    if (first == nullptr) return failure;
    failure.task = first->id.task;
    failure.try_number = first->try_number;
    if (const auto tries = workflows->metadata().tries(first->id))
      for (const metadata::Try& one : *tries)
        if (one.number == first->try_number) failure.why = one.why;
    failure.log_tail = log_tail(*workflows, first->id, first->try_number);
    return failure;
  }

 private:
  static std::string log_tail(workflows::Workflows& workflows, const sched::TaskId& task,
                              int number) {
    std::deque<std::string> lines;
    for (std::uint64_t offset = 0; offset < kMostLog;) {
      const auto part = workflows.log(task, number, offset, std::chrono::milliseconds(0));
      if (!part || part->text.empty()) break;
      offset = part->next;
      for (std::size_t from = 0; from < part->text.size();) {
        const std::size_t end = std::min(part->text.find('\n', from), part->text.size());
        lines.push_back(part->text.substr(from, end - from));
        if (lines.size() > kLogTailLines) lines.pop_front();
        from = end + 1;
      }
    }
    return fmt::format("{}", fmt::join(lines, "\n"));
  }

  Instance& instance_;
  /// The workflows may outlive this.
  std::shared_ptr<std::atomic<std::uint64_t>> changes_ =
      std::make_shared<std::atomic<std::uint64_t>>(1);
};

}  // namespace

std::unique_ptr<alerts::Sight> make_alert_sight(Instance& instance) {
  return std::make_unique<InstanceSight>(instance);
}

alerts::Sender alert_sender(const pipeline::Project& project, const std::string& page) {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = 0;
  alerts::Sender sender{.project = project.name, .page = page, .host = host.data()};
  while (sender.page.ends_with('/')) sender.page.pop_back();
  if (sender.host.empty()) sender.host = "localhost";
  return sender;
}

}  // namespace tailrace::app
