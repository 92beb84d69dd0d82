// Rules on workflows: a run failed, succeeded, or is late.
//
// The note is {"told": {DAG: {RUN: ended}}, "failing": [DAG, …]}: each end of a run is told once,
// through any crash; a run that was cleared and ended again has another end. Ends that were there
// before the rule are not told.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "alerts/observer.h"
#include "alerts/season.h"
#include "net/http_message.h"

namespace tailrace::alerts {
namespace {

using Json = nlohmann::json;
using pipeline::Hop;
using pipeline::HopKind;

constexpr std::size_t kRunsLookedAt = 100;
constexpr Ms kLookAnyway = 5000, kLateEvery = 1000;

/// Records through the hops whose counts tell of a run.
std::map<std::string, std::int64_t> counts_of(const std::vector<Hop>& hops) {
  std::map<std::string, std::int64_t> counts;
  for (const Hop& hop : hops)
    if (hop.kind == HopKind::kFetched || hop.kind == HopKind::kStaged ||
        hop.kind == HopKind::kAppended || hop.kind == HopKind::kServed ||
        hop.kind == HopKind::kRejected)
      counts[hop.id] = hop.count;
  return counts;
}

class RunWatch final : public Watch {
 public:
  RunWatch(const RuleSpec& rule, Sight& sight, std::string project, const std::string& note)
      : rule_(rule), sight_(sight), project_(std::move(project)) {
    const Json json = Json::parse(note, nullptr, false);
    is_new_ = !json.is_object();
    if (is_new_) return;
    try {
      told_ = json.at("told").get<decltype(told_)>();
      failing_ = json.at("failing").get<decltype(failing_)>();
    } catch (const Json::exception&) {
      is_new_ = true;
    }
  }

  bool wants_hops() const override { return rule_.kind != RuleKind::kRunLate; }

  Status look(Ms now, const std::vector<Hop>& hops, std::vector<Said>& said) override {
    if (rule_.kind == RuleKind::kRunLate) return late(now, said);
    const auto counts = counts_of(hops);
    const std::uint64_t changed = sight_.runs_changed();
    if (changed != changed_ || now >= next_) {
      TRY(ended(now, counts, said));
      changed_ = changed;
      next_ = now + kLookAnyway;
    }
    last_counts_ = counts;
    return {};
  }

 private:
  std::vector<std::string> dags() {
    std::vector<std::string> all;
    for (const std::string& dag : sight_.dags())
      if (fits_glob(rule_.subject, dag)) all.push_back(dag);
    return all;
  }

  Status ended(Ms, const std::map<std::string, std::int64_t>& counts, std::vector<Said>& said) {
    Said one{.rule = &rule_};
    one.states = rule_.kind == RuleKind::kRunFailed;
    bool any = is_new_;
    for (const std::string& dag : dags()) {
      ASSIGN(auto runs, sight_.runs(dag, kRunsLookedAt));
      std::vector<RunSeen> over;
      std::map<std::string, Ms> ends;
      for (const RunSeen& run : runs) {
        if (!run.is_over()) {
          // Counts of before it: those of the last round.
          begun_.try_emplace(run.dag + "\n" + run.run,
                             last_counts_.empty() ? counts : last_counts_);
          continue;
        }
        ends[run.run] = run.ended;
        const auto told = told_[dag].find(run.run);
        if (told == told_[dag].end() || told->second != run.ended) over.push_back(run);
      }
      if (!over.empty()) any = true;
      std::ranges::sort(over, {}, &RunSeen::ended);
      if (!is_new_)
        for (const RunSeen& run : over) tell(run, counts, one);
      for (const RunSeen& run : over) begun_.erase(run.dag + "\n" + run.run);
      told_[dag] = std::move(ends);
    }
    is_new_ = false;
    if (!any) return {};
    for (const std::string& dag : failing_)
      if (std::ranges::none_of(one.seen,
                               [&](const Seen& seen) { return seen.labels.at("dag") == dag; }))
        one.unknown.push_back({{"dag", dag}});
    one.note = Json{{"told", told_}, {"failing", failing_}}.dump();
    said.push_back(std::move(one));
    return {};
  }

  void tell(const RunSeen& run, const std::map<std::string, std::int64_t>& counts, Said& one) {
    const bool failed = run.state == RunSeen::State::kFailed;
    if (rule_.kind == RuleKind::kRunSucceeded) {
      if (!failed) one.happened.push_back(succeeded(run, counts));
      return;
    }
    std::erase_if(one.seen, [&](const Seen& seen) { return seen.labels.at("dag") == run.dag; });
    if (failed) {
      failing_.insert(run.dag);
      one.seen.push_back(failure(run, counts));
    } else {
      failing_.erase(run.dag);
    }
  }

  Seen seen(const RunSeen& run, const std::map<std::string, std::int64_t>& counts) {
    Seen seen{.labels = {{"dag", run.dag}}};
    seen.occurrence = fmt::format("{}@{}", run.run, run.ended);
    seen.link = "#/workflows/" + net::percent_encode(run.dag);
    seen.look = fmt::format("tailrace dags runs {} --project {}", run.dag, project_);
    seen.fields.emplace_back("run", run.run);
    if (run.started != 0 && run.ended != 0)
      seen.fields.emplace_back("took", duration_text(run.ended - run.started));
    const auto begun = begun_.find(run.dag + "\n" + run.run);
    const auto& before = begun != begun_.end() ? begun->second : last_counts_;
    for (const auto& [hop, count] : counts) {
      const auto was = before.find(hop);
      const std::int64_t more = count - (was == before.end() ? count : was->second);
      if (more > 0) seen.fields.emplace_back(hop, number_text(static_cast<double>(more)));
    }
    return seen;
  }

  Seen succeeded(const RunSeen& run, const std::map<std::string, std::int64_t>& counts) {
    Seen one = seen(run, counts);
    std::string records;
    for (const auto& [field, value] : one.fields)
      if (field.find('.') != field.npos)
        records += fmt::format("{}{} {}", records.empty() ? "; records: " : ", ", field, value);
    one.value = "success";
    one.summary = fmt::format("run {} of {} finished in {}{}", run.run, run.dag,
                              duration_text(std::max<Ms>(0, run.ended - run.started)), records);
    return one;
  }

  Seen failure(const RunSeen& run, const std::map<std::string, std::int64_t>& counts) {
    Seen one = seen(run, counts);
    const RunFailure why = sight_.failure(run);
    one.value = "failed";
    one.summary = fmt::format("run {} of {} failed", run.run, run.dag);
    if (!why.task.empty()) {
      one.summary +=
          fmt::format(" at task {}: {}", why.task, why.why.empty() ? "its log says why" : why.why);
      one.fields.emplace_back("task", fmt::format("{} (try {})", why.task, why.try_number));
      one.look = fmt::format("tailrace dags logs {} {} --run '{}' --project {}", run.dag, why.task,
                             run.run, project_);
    }
    one.details = why.log_tail;
    return one;
  }

  Status late(Ms now, std::vector<Said>& said) {
    if (now < next_) return {};
    next_ = now + kLateEvery;
    Said one{.rule = &rule_};
    for (const std::string& dag : dags()) {
      ASSIGN(const auto runs, sight_.runs(dag, kRunsLookedAt));
      const auto add = [&](const std::string& run, Ms due, std::string_view state) {
        Seen seen{
            .labels = {{"dag", dag}},
            .value = duration_text(now - due),
            .summary = fmt::format("{} of {} was due {} ago and {}; the limit is {}", run, dag,
                                   duration_text(now - due), state, duration_text(rule_.window)),
            .look = fmt::format("tailrace dags runs {} --project {}", dag, project_),
            .link = "#/workflows/" + net::percent_encode(dag)};
        seen.fields.emplace_back("run", run);
        one.seen.push_back(std::move(seen));
      };
      const auto is_late = [&](const RunSeen& run) {
        return !run.is_over() && now - run.due > rule_.window;
      };
      const auto run = std::ranges::find_if(runs, is_late);
      if (run != runs.end()) {
        add("run " + run->run, run->due,
            run->state == RunSeen::State::kQueued ? "waits in the queue" : "is still running");
      } else if (const Ms due = sight_.next_due(dag); due != 0 && now - due > rule_.window) {
        add("the next run", due, "has not begun");
      }
    }
    said.push_back(std::move(one));
    return {};
  }

  const RuleSpec& rule_;
  Sight& sight_;
  std::string project_;
  bool is_new_ = true;
  std::map<std::string, std::map<std::string, Ms>> told_;  ///< by DAG and run: its end
  std::set<std::string> failing_;
  std::map<std::string, std::map<std::string, std::int64_t>> begun_;  ///< counts when a run began
  std::map<std::string, std::int64_t> last_counts_;
  std::uint64_t changed_ = 0;
  Ms next_ = 0;
};

}  // namespace

std::unique_ptr<Watch> make_run_watch(const RuleSpec& rule, Sight& sight,
                                      const std::string& project, const std::string& note) {
  return std::make_unique<RunWatch>(rule, sight, project, note);
}

}  // namespace tailrace::alerts
