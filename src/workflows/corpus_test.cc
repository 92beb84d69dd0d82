// The corpus of DAG files (tests/dags) with real tasks on a driven clock, one try after the other:
// the tasks start in the order in which Airflow's own scheduler started them, and all runs and
// tasks end as its did (tests/dags/expected, recorded by tests/real/airflow_lab.py).
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "sched/plan.h"
#include "tasks/testing/no_project.h"
#include "workflows/workflows.h"

namespace tailrace::workflows {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using jinja::Value;

const Value& at(const Value& value, std::string_view key) {
  static const Value none;
  const jinja::Dict* dict = value.dict();
  const Value* found = dict == nullptr ? nullptr : dict->find(key);
  return found == nullptr ? none : *found;
}

std::string text(const Value& value) {
  return value.string() == nullptr ? "" : *value.string();
}

/// Seconds as Python's timestamp(), to the next millisecond.
TimestampMs instant(const Value& seconds) {
  if (const std::int64_t* whole = seconds.integer()) return TimestampMs(*whole * 1000);
  return TimestampMs(static_cast<std::int64_t>(std::ceil(*seconds.real() * 1e3)));
}

/// One start of a try.
struct Began {
  std::string dag, run, task;
  int map_index, try_number;
  auto operator<=>(const Began&) const = default;
  std::string text() const {
    return dag + " " + run + " " + task + " [" + std::to_string(map_index) + "] try " +
           std::to_string(try_number);
  }
};

std::vector<fs::path> recordings() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator("tests/dags/expected"))
    found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

class Corpus : public testing::TestWithParam<fs::path> {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    folder_ = fs::temp_directory_path() /
              ("tailrace_corpus_" + std::to_string(::getpid()) + "_" + GetParam().stem().string());
    std::ifstream in(GetParam());
    std::ostringstream all;
    all << in.rdbuf();
    auto read = jinja::from_json(all.str());
    ASSERT_TRUE(read);
    recording_ = *read;
    // Its file alone, with the Python that it names.
    const std::string file = text(at(recording_, "file"));
    fs::create_directories((folder_ / "dags" / file).parent_path());
    for (const std::string& name : {file, std::string("steps.py")})
      fs::copy_file(fs::absolute("tests/dags") / name, folder_ / "dags" / name);
    ::setenv("DAGS_DIR", (folder_ / "dags").c_str(), 1);
    clock_.set(instant(at(recording_, "now")));
  }
  void TearDown() override {
    if (workflows_) workflows_->stop(0ms);
    workflows_.reset();
    fs::remove_all(folder_);
  }

  void open() {
    auto opened = Workflows::open({.folder = folder_.string(),
                                   .data = (folder_ / "data").string(),
                                   .scheduler = {.parallelism = 64, .paused_at_creation = true},
                                   .tries_at_once = 1},
                                  project_, clock_);
    ASSERT_TRUE(opened) << opened.error().what;
    workflows_ = std::move(*opened);
    workflows_->on_change([this] { look(); });
    ASSERT_TRUE(workflows_->start());
  }

  std::vector<sched::Run> runs() {
    auto page = workflows_->metadata().runs({.dag = "", .newest_first = false, .limit = 100'000});
    EXPECT_TRUE(page);
    std::ranges::sort(page->runs, {}, &sched::Run::number);
    return std::move(page->runs);
  }

  /// On the scheduler's thread: which tries have begun since the last look.
  void look() {
    std::set<Began> now;
    bool waits = false;
    for (const auto& run : runs()) {
      if (run.ended_at) continue;
      const auto tasks = workflows_->metadata().tasks(run.id);
      for (const auto& task : *tasks) {
        waits = waits || task.state == sched::TaskState::kQueued ||
                task.state == sched::TaskState::kRunning;
        if (task.state == sched::TaskState::kRunning)
          now.insert({run.id.dag, run.id.run, task.id.task, task.id.map_index, task.try_number});
      }
    }
    const std::lock_guard lock(mutex_);
    for (const Began& one : now)
      if (!running_.contains(one)) began_.push_back(one);
    running_ = std::move(now);
    waits_ = waits;
    ++looks_;
  }

  /// Until nothing is queued or runs.
  void rest() {
    for (int i = 0; i < 60'000; ++i) {
      // Between two answers the scheduler has looked at the clock.
      (void)workflows_->rows();
      (void)workflows_->rows();
      {
        const std::lock_guard lock(mutex_);
        if (!waits_) return;
      }
      std::this_thread::sleep_for(1ms);
    }
    FAIL() << "its tasks do not end";
  }

  void play() {
    bool paused = true;
    const auto unpause = [&] {
      if (!std::exchange(paused, false)) return;
      for (const auto& dag : workflows_->dags())
        ASSERT_TRUE(workflows_->handle(sched::Pause{dag->id, false}));
    };
    for (const Value& step : *at(recording_, "trace").list()) {
      const std::string dag = text(at(step, "trigger"));
      if (dag.empty()) unpause();
      if (!dag.empty()) {
        ASSERT_NO_FATAL_FAILURE(rest());
        sched::Trigger wanted;
        wanted.dag = dag;
        wanted.run_id = "manual__" + dag;
        ASSERT_TRUE(workflows_->trigger(std::move(wanted)));
        unpause();
      } else if (!at(step, "now").is_none()) {
        ASSERT_NO_FATAL_FAILURE(rest());
        clock_.set(instant(at(step, "now")));
      }
    }
    unpause();
    rest();
  }

  /// The run of ours that has the place of this one among those of its DAG.
  std::string ours(const std::string& dag, const std::string& run) {
    std::size_t place = 0;
    for (const Value& one : *at(recording_, "runs").list()) {
      if (text(at(one, "dag")) != dag) continue;
      if (text(at(one, "run")) == run) break;
      ++place;
    }
    for (const auto& one : runs())
      if (one.id.dag == dag && place-- == 0) return one.id.run;
    return run;
  }

  /// What Airflow queues in the order of its database: equal in weight and date.
  bool are_equals(const Began& a, const Began& b) {
    const auto weight = [&](const Began& one) {
      for (const auto& dag : workflows_->dags()) {
        if (dag->id != one.dag) continue;
        const sched::Plan plan(dag);
        return plan[plan.find(one.task)].weight;
      }
      return std::int64_t{0};
    };
    const auto date = [&](const Began& one) {
      auto run = workflows_->metadata().run({one.dag, one.run});
      return run && *run ? (*run)->logical_date : std::nullopt;
    };
    const auto dated = date(a) && date(b);
    return weight(a) == weight(b) && a.map_index == b.map_index && (!dated || date(a) == date(b));
  }

  void compare_order() {
    std::vector<Began> airflows;
    for (const Value& step : *at(recording_, "trace").list()) {
      if (at(step, "task").is_none()) continue;
      const jinja::List& words = *at(step, "task").list();
      airflows.push_back({text(words[0]), ours(text(words[0]), text(words[1])), text(words[2]),
                          static_cast<int>(*words[3].integer()),
                          static_cast<int>(*at(step, "try").integer())});
    }
    // A sensor holds no slot between two looks, whatever its mode: Airflow's in mode poke starts
    // once, ours comes back.
    std::map<Began, std::ptrdiff_t> starts;
    for (const Began& one : airflows) ++starts[one];
    std::erase_if(began_, [&, seen = std::map<Began, int>()](const Began& one) mutable {
      return starts[one] == 1 && ++seen[one] > 1;
    });
    for (std::size_t i = 0; i < airflows.size(); ++i) {
      std::size_t j = i;
      while (j < began_.size() && began_[j] != airflows[i] && are_equals(began_[j], airflows[i]))
        ++j;
      ASSERT_LT(j, began_.size()) << airflows[i].text() << " did not start";
      ASSERT_EQ(began_[j], airflows[i])
          << began_[j].text() << " started; Airflow started " << airflows[i].text();
      std::rotate(began_.begin() + static_cast<std::ptrdiff_t>(i),
                  began_.begin() + static_cast<std::ptrdiff_t>(j),
                  began_.begin() + static_cast<std::ptrdiff_t>(j) + 1);
    }
    EXPECT_EQ(began_.size(), airflows.size());
  }

  void compare_ends() {
    std::map<std::string, std::string> mine, airflows;
    for (const auto& run : runs()) {
      mine[run.id.dag + " " + run.id.run] = sched::name(run.state);
      const auto tasks = workflows_->metadata().tasks(run.id);
      for (const auto& task : *tasks) {
        mine[run.id.dag + " " + run.id.run + " " + task.id.task + " " +
             std::to_string(task.id.map_index)] =
            std::string(sched::name(task.state)) + " " + std::to_string(task.try_number);
      }
    }
    for (const Value& run : *at(recording_, "runs").list()) {
      const std::string id =
          text(at(run, "dag")) + " " + ours(text(at(run, "dag")), text(at(run, "run")));
      airflows[id] = text(at(run, "state"));
      for (const Value& row : *at(run, "tasks").list()) {
        const jinja::List& words = *row.list();
        airflows[id + " " + text(words[0]) + " " + std::to_string(*words[1].integer())] =
            text(words[2]) + " " + std::to_string(*words[3].integer());
      }
    }
    for (const auto& [what, state] : airflows) {
      const auto found = mine.find(what);
      EXPECT_EQ(found == mine.end() ? "(none)" : found->second, state) << what << "\n" << log(what);
    }
    for (const auto& [what, state] : mine)
      EXPECT_TRUE(airflows.contains(what)) << what << " is not there in Airflow";
  }

  /// Of a task's last try, to see why.
  std::string log(const std::string& what) {
    std::istringstream words(what);
    std::string dag, run, task;
    int index = -1;
    words >> dag >> run >> task >> index;
    for (int number = 9; number > 0; --number) {
      const auto part = workflows_->log({{dag, run}, task, index}, number, 0, 0ms);
      if (part && !part->text.empty()) return part->text;
    }
    return "";
  }

  fs::path folder_;
  Value recording_;
  tasks::NoProject project_;
  rt::ManualClock clock_;
  std::unique_ptr<Workflows> workflows_;
  std::mutex mutex_;
  std::set<Began> running_;
  std::vector<Began> began_;
  bool waits_ = false;
  int looks_ = 0;
};

TEST_P(Corpus, starts_the_same_tasks_in_the_same_order_and_ends_in_the_same_states) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_NO_FATAL_FAILURE(play());
  compare_ends();
  compare_order();
}

INSTANTIATE_TEST_SUITE_P(Files, Corpus, testing::ValuesIn(recordings()),
                         [](const auto& param) { return param.param.stem().string(); });

}  // namespace
}  // namespace tailrace::workflows
