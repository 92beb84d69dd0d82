// What is kept comes back after it is closed: rows, XComs, variables, connections. In an SQLite
// file, and in the PostgreSQL of TAILRACE_POSTGRES (tests/real/test_metadata_postgres.py starts
// one).
#include "metadata/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace tailrace::metadata {
namespace {

using sched::RunState;
using sched::TaskState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// By the database.
class MetadataTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (in_postgres() && std::getenv("TAILRACE_POSTGRES") == nullptr)
      GTEST_SKIP() << "TAILRACE_POSTGRES names no server";
    folder_ = std::filesystem::temp_directory_path() /
              ("tailrace_metadata_" + std::to_string(::getpid()) + "_" + test_name());
    std::filesystem::create_directories(folder_);
    open();
  }
  void TearDown() override {
    kept_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    kept_.reset();
    auto made = Metadata::open(place());
    ASSERT_TRUE(made) << made.error().what;
    kept_ = std::move(*made);
  }
  bool in_postgres() const { return GetParam() == "postgres"; }
  static std::string test_name() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    return name.substr(0, name.find('/'));
  }
  Place place() const {
    if (!in_postgres()) return {.url = "sqlite://" + path()};
    return {.url = std::getenv("TAILRACE_POSTGRES"),
            .password = std::getenv("TAILRACE_POSTGRES_PASSWORD"),
            .schema = test_name().substr(0, 60)};
  }
  std::string path() const { return (folder_ / "w.db").string(); }
  void keep(std::vector<sched::Change> changes) {
    const auto done = kept_->keep(changes);
    ASSERT_TRUE(done) << done.error().what;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Metadata> kept_;
};

sched::Run run(std::string dag, std::string id, std::int64_t number, RunState state) {
  sched::Run run;
  run.id = {std::move(dag), std::move(id)};
  run.number = number;
  run.state = state;
  run.run_after = number * 1000;
  jinja::Dict conf;
  conf.set("n", jinja::Value(number));
  run.conf = jinja::Value(std::move(conf));
  return run;
}

sched::TaskInstance task(const sched::Run& run, std::string id, TaskState state, int index = -1) {
  sched::TaskInstance task;
  task.id = {run.id, std::move(id), index};
  task.state = state;
  return task;
}

template <typename T>
std::vector<T> only(const std::vector<sched::Change>& rows) {
  std::vector<T> found;
  for (const auto& row : rows) {
    if (const auto* one = std::get_if<T>(&row)) found.push_back(*one);
  }
  return found;
}

TEST_P(MetadataTest, a_run_comes_back_with_every_field) {
  auto one = run("d", "manual__1", 7, RunState::kRunning);
  one.type = sched::RunType::kAssetTriggered;
  one.logical_date = 5;
  one.interval = {1, 2};
  one.queued_at = 3;
  one.started_at = 4;
  one.dag_version = "v1";
  one.triggered_by = "me";
  one.note = "it's";
  one.asset_events = {3, 4};
  one.clears = 2;
  one.deadlines_told = 3;
  one.backfill = 9;
  one.backfill_ordinal = 1;
  keep({one});
  open();
  const auto back = *kept_->run(one.id);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->number, 7);
  EXPECT_EQ(back->type, one.type);
  EXPECT_EQ(back->state, one.state);
  EXPECT_EQ(back->logical_date, 5);
  EXPECT_EQ(back->interval, one.interval);
  EXPECT_EQ(back->started_at, 4);
  EXPECT_EQ(back->ended_at, std::nullopt);
  EXPECT_EQ(back->conf, one.conf);
  EXPECT_EQ(back->note, "it's");
  EXPECT_THAT(back->asset_events, ElementsAre(3, 4));
  EXPECT_EQ(back->deadlines_told, 3U);
  EXPECT_EQ(back->backfill, 9);
}

TEST_P(MetadataTest, a_start_loads_what_is_under_way_and_the_last_that_ended) {
  std::vector<sched::Change> rows;
  for (int i = 0; i < 40; ++i) {
    const auto one =
        run("d", "r" + std::to_string(i), i, i == 3 ? RunState::kRunning : RunState::kSuccess);
    rows.emplace_back(one);
    rows.emplace_back(task(one, "t", i == 3 ? TaskState::kRunning : TaskState::kSuccess));
  }
  keep(rows);
  open();
  const auto back = *kept_->load();
  const auto runs = only<sched::Run>(back);
  ASSERT_EQ(runs.size(), 17U);
  EXPECT_EQ(runs.front().id.run, "r3");
  EXPECT_EQ(runs.back().id.run, "r39");
  EXPECT_EQ(only<sched::TaskInstance>(back).size(), 17U);
}

TEST_P(MetadataTest, a_forgotten_run_is_recalled_by_its_id_or_its_date_with_the_one_before) {
  std::vector<sched::Change> rows;
  for (int i = 0; i < 5; ++i) {
    auto one = run("d", "r" + std::to_string(i), i, RunState::kFailed);
    one.logical_date = i * 10;
    rows.emplace_back(one);
  }
  keep(rows);
  const auto ids = [&](const sched::Wanted& wanted) {
    std::vector<std::string> found;
    const auto recalled = *kept_->recall(wanted);
    for (const auto& one : only<sched::Run>(recalled)) found.push_back(one.id.run);
    return found;
  };
  EXPECT_THAT(ids({.dag = "d", .run = "r1", .from = {}, .to = {}}), ElementsAre("r1"));
  EXPECT_THAT(ids({.dag = "d", .run = {}, .from = 20, .to = 30}), ElementsAre("r2", "r3", "r1"));
}

TEST_P(MetadataTest, changes_are_kept_together_or_not_at_all) {
  auto first = run("d", "a", 1, RunState::kQueued), second = run("d", "b", 2, RunState::kQueued);
  first.logical_date = second.logical_date = 5;
  const std::vector<sched::Change> both{first, second};
  const auto done = kept_->keep(both);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kAlreadyExists);
  EXPECT_FALSE(*kept_->run(first.id));
}

TEST_P(MetadataTest, xcoms_of_a_mapped_task_are_a_list_and_go_when_it_is_cleared) {
  const auto one = run("d", "r", 1, RunState::kRunning);
  for (const int i : {10, 2, 0}) {
    ASSERT_TRUE(kept_->put_xcom({one.id, "t", i}, "return_value", jinja::Value(i * i)));
  }
  EXPECT_EQ(kept_->xcom({one.id, "t", -1}, "return_value")->value(),
            jinja::Value(jinja::List{0, 4, 100}));
  EXPECT_EQ(kept_->xcom({one.id, "t", 2}, "return_value")->value(), jinja::Value(4));
  EXPECT_FALSE(*kept_->xcom({one.id, "t", 2}, "other"));
  keep({one, task(one, "t", TaskState::kNone, 2)});
  EXPECT_FALSE(*kept_->xcom({one.id, "t", 2}, "return_value"));
  EXPECT_EQ(kept_->xcom({one.id, "t", -1}, "return_value")->value(),
            jinja::Value(jinja::List{0, 100}));
}

TEST_P(MetadataTest, xcoms_of_prior_runs_are_found_by_date_and_the_latest_of_one_instance) {
  for (const int i : {1, 2, 3}) {
    sched::Run one = run("d", "r" + std::to_string(i), i, RunState::kSuccess);
    one.logical_date = 500 - i;  // the later the run, the earlier its date
    keep({one});
    for (const int index : {-1, 0})
      ASSERT_TRUE(kept_->put_xcom({one.id, "t", index}, "k", jinja::Value(i * 10 + index)));
  }
  const auto found = [&](const char* of, int index, bool one) {
    return jinja::Value(*kept_->prior_xcoms({{"d", of}, "t", index}, "k", one));
  };
  EXPECT_EQ(found("r2", -1, true), jinja::Value(jinja::List{19}));
  EXPECT_EQ(found("r2", 0, true), jinja::Value(jinja::List{20}));
  EXPECT_EQ(found("r2", -1, false), jinja::Value(jinja::List{19, 29, 20, 30}));
  EXPECT_EQ(found("r3", 7, true), jinja::Value(jinja::List{}));
  EXPECT_EQ(found("none", -1, false), jinja::Value(jinja::List{}));
}

TEST_P(MetadataTest, runs_are_found_by_what_a_client_asks_for) {
  keep({run("a", "1", 1, RunState::kSuccess), run("a", "2", 2, RunState::kFailed),
        run("b", "3", 3, RunState::kFailed), run("a", "4", 4, RunState::kQueued)});
  const auto ids = [&](const RunFilter& filter) {
    std::vector<std::string> found;
    const auto page = *kept_->runs(filter);
    for (const auto& one : page.runs) found.push_back(one.id.run);
    return found;
  };
  EXPECT_THAT(ids({.dag = "a"}), ElementsAre("4", "2", "1"));
  EXPECT_THAT(ids({.dag = "", .states = {RunState::kFailed}}), ElementsAre("3", "2"));
  EXPECT_THAT(ids({.dag = "", .newest_first = false, .offset = 1, .limit = 2}),
              ElementsAre("2", "3"));
  EXPECT_EQ(kept_->runs({.dag = "", .limit = 1})->total, 4);
  EXPECT_THAT(ids({.dag = "", .run_after_from = 2000, .run_after_to = 3000}),
              ElementsAre("3", "2"));
}

TEST_P(MetadataTest, tries_under_way_are_known_after_a_crash) {
  const auto one = run("d", "r", 1, RunState::kRunning);
  Try first{
      .task = {one.id, "t"}, .number = 1, .started_at = 5, .ended_at = {}, .pid = 77, .why = {}};
  ASSERT_TRUE(kept_->keep_try(first));
  open();
  ASSERT_EQ(kept_->unfinished_tries()->size(), 1U);
  EXPECT_EQ(kept_->unfinished_tries()->at(0).pid, 77);
  first.state = TaskState::kFailed;
  first.why = "exit 1";
  ASSERT_TRUE(kept_->keep_try(first));
  EXPECT_THAT(*kept_->unfinished_tries(), IsEmpty());
  EXPECT_EQ(kept_->tries(first.task)->at(0).why, "exit 1");
}

TEST_P(MetadataTest, old_runs_go_with_all_that_is_theirs) {
  auto old = run("d", "old", 1, RunState::kSuccess),
       young = run("d", "young", 2, RunState::kSuccess);
  old.ended_at = 10;
  young.ended_at = 20;
  keep({old, task(old, "t", TaskState::kSuccess), young});
  ASSERT_TRUE(kept_->put_xcom({old.id, "t", -1}, "k", jinja::Value(1)));
  EXPECT_EQ(*kept_->forget_before(15), 1);
  EXPECT_FALSE(*kept_->run(old.id));
  EXPECT_TRUE(*kept_->run(young.id));
  EXPECT_FALSE(*kept_->xcom({old.id, "t", -1}, "k"));
}

TEST_P(MetadataTest, the_file_is_for_its_owner_alone) {
  if (in_postgres()) GTEST_SKIP() << "there is no file";
  struct stat about {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST_P(MetadataTest, variables_and_connections_are_set_changed_and_dropped) {
  ASSERT_TRUE(kept_->set_variable({"k", "1", "d"}));
  ASSERT_TRUE(kept_->set_variable({"k", "2", "d"}));
  EXPECT_EQ(kept_->variables()->at(0).value, "2");
  ASSERT_TRUE(kept_->drop_variable("k"));
  EXPECT_EQ(kept_->drop_variable("k").error().code, Code::kNotFound);
  auto one = *parse_connection("pg", "postgres://me:secret@db:5432/shop");
  ASSERT_TRUE(kept_->set_connection(one));
  open();
  EXPECT_EQ(kept_->connections()->at(0).password, "secret");
  EXPECT_EQ(kept_->connections()->at(0).port, 5432);
}

TEST_P(MetadataTest, who_asked_for_what_is_noted_in_order) {
  ASSERT_TRUE(kept_->note_event({.at = 5,
                                 .dag = "d",
                                 .run = "r",
                                 .event = "patch_dag_run",
                                 .logical_date = 7,
                                 .owner = "me",
                                 .extra = "{}"}));
  ASSERT_TRUE(kept_->note_event({.at = 6, .event = "post_pool", .owner = "you", .extra = "{}"}));
  open();
  const auto all = *kept_->event_logs();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].dag, "d");
  EXPECT_EQ(all[0].run, "r");
  EXPECT_EQ(all[0].task, std::nullopt);
  EXPECT_EQ(all[0].logical_date, 7);
  EXPECT_EQ(all[1].owner, "you");
  EXPECT_LT(all[0].id, all[1].id);
  EXPECT_EQ(kept_->event_logs(all[1].id)->at(0).event, "post_pool");
  EXPECT_TRUE(kept_->event_logs(all[1].id + 1)->empty());
}

TEST(Connection, airflows_uris_are_read) {
  const auto one =
      *parse_connection("x", "my-type://us%40er:p%3Aw@host.example:99/sch%2Fema?a=1&b=x%20y");
  EXPECT_EQ(one.type, "my_type");
  EXPECT_EQ(one.login, "us@er");
  EXPECT_EQ(one.password, "p:w");
  EXPECT_EQ(one.host, "host.example");
  EXPECT_EQ(one.port, 99);
  EXPECT_EQ(one.schema, "sch/ema");
  EXPECT_EQ(one.extra, R"({"a":"1","b":"x y"})");
  EXPECT_EQ(jinja::connection_uri(one),
            "my-type://us%40er:p%3Aw@host.example:99/sch%2Fema?a=1&b=x+y");
  EXPECT_EQ(parse_connection("x", "http://https://api.example")->host, "https://api.example");
  EXPECT_EQ(parse_connection("x", "postgresql://db")->type, "postgres");
  // An IPv6 address loses its brackets, as in Airflow.
  for (const auto* text : {"http://[::1]:80/x", "http://u@[::1]:80"}) {
    EXPECT_EQ(parse_connection("x", text)->host, "::1") << text;
    EXPECT_EQ(parse_connection("x", text)->port, 80) << text;
  }
  EXPECT_EQ(parse_connection("x", "http://[::1]")->host, "::1");
  EXPECT_EQ(parse_connection("x", "http://h:/x")->host, "h");
  const auto extra = *parse_connection("x", R"(aws:///?__extra__=%7B%22a%22%3A+1%7D)");
  EXPECT_EQ(extra.host, "");
}

TEST(Connection, json_is_read_and_what_is_neither_is_refused) {
  const auto one = *parse_connection(
      "x", R"({"conn_type": "http", "host": "h", "port": 8, "extra": {"timeout": 3}})");
  EXPECT_EQ(one.type, "http");
  EXPECT_EQ(one.port, 8);
  EXPECT_EQ(one.extra, R"({"timeout":3})");
  EXPECT_THAT(parse_connection("x", "what").error().what, HasSubstr("connection x: neither"));
  EXPECT_THAT(parse_connection("x", "a://h:port").error().what, HasSubstr("'port' is not a port"));
}

TEST_P(MetadataTest, a_callback_is_kept_with_its_step_until_it_is_dropped) {
  const auto one = run("a", "1", 1, RunState::kFailed);
  const std::vector<sched::Change> rows{one};
  const Callback callback{.task = {one.id, "", -1},
                          .name = "on_failure_callback",
                          .reason = "task_failure",
                          .why = "a task failed",
                          .id = 0};
  ASSERT_TRUE(kept_->keep(rows, {}, {&callback, 1}));
  open();
  const auto kept = *kept_->callbacks();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].task.run, one.id);
  EXPECT_EQ(kept[0].reason, "task_failure");
  ASSERT_TRUE(kept_->drop_callback(kept[0].id));
  EXPECT_TRUE(kept_->callbacks()->empty());
}

TEST_P(MetadataTest, what_templates_came_to_is_kept_and_goes_with_the_run) {
  const auto one = run("a", "1", 1, RunState::kSuccess);
  const sched::TaskId id{one.id, "t", 3};
  keep({one, task(one, "t", TaskState::kSuccess, 3)});
  Rendered rendered{.fields = {}, .map_index = "berlin"};
  rendered.fields.set("bash_command", jinja::Value("echo berlin"));
  ASSERT_TRUE(kept_->keep_rendered(id, rendered));
  const auto found = *kept_->rendered(id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->map_index, "berlin");
  EXPECT_EQ(found->fields.find("bash_command")->text(), "echo berlin");
  keep({sched::Gone{one.id}});
  EXPECT_FALSE(*kept_->rendered(id));
}

TEST_P(MetadataTest, a_dag_that_is_gone_takes_all_of_it_and_nothing_of_others) {
  const auto one = run("a", "1", 1, RunState::kSuccess),
             other = run("b", "1", 2, RunState::kSuccess);
  sched::DagRow dag;
  dag.id = "a";
  sched::Backfill backfill;
  backfill.id = 1;
  backfill.dag = "a";
  keep({dag, backfill, one, other, task(one, "t", TaskState::kSuccess, 1),
        task(other, "t", TaskState::kSuccess, 1)});
  for (const auto& of : {one, other})
    ASSERT_TRUE(kept_->put_xcom({of.id, "t", -1}, "k", jinja::Value(1)));
  keep({sched::Gone{sched::GoneDag{"a"}}});
  EXPECT_FALSE(*kept_->run(one.id));
  EXPECT_TRUE(kept_->tasks(one.id)->empty());
  EXPECT_TRUE(kept_->backfills("a")->empty());
  EXPECT_TRUE(kept_->xcom_keys({one.id, "t", -1})->empty());
  EXPECT_TRUE(*kept_->run(other.id));
  EXPECT_EQ(kept_->xcom_keys({other.id, "t", -1})->size(), 1U);
  ASSERT_TRUE(kept_->drop_xcom({other.id, "t", -1}, "k"));
  EXPECT_TRUE(kept_->xcom_keys({other.id, "t", -1})->empty());
}

TEST_P(MetadataTest, events_that_wait_and_the_last_one_come_back) {
  std::vector<sched::Change> rows;
  for (int i = 1; i <= 5; ++i) {
    sched::AssetEvent event;
    event.id = i;
    event.asset_uri = i % 2 == 0 ? "b" : "a";
    event.at = i;
    rows.emplace_back(event);
  }
  sched::DagRow dag;
  dag.id = "d";
  dag.pending_asset_events = {4, 2};
  rows.emplace_back(dag);
  keep(rows);
  open();
  std::vector<std::int64_t> ids;
  const auto loaded = *kept_->load();
  for (const auto& one : only<sched::AssetEvent>(loaded)) ids.push_back(one.id);
  EXPECT_THAT(ids, ElementsAre(2, 4, 5));
  const auto of_a = *kept_->asset_events("a", 2);
  ASSERT_EQ(of_a.size(), 2U);
  EXPECT_EQ(of_a[0].id, 5);
  EXPECT_EQ(of_a[1].id, 3);
  EXPECT_EQ(kept_->asset_events("", 100)->size(), 5U);
}

TEST_P(MetadataTest, cursors_pools_and_backfills_are_put_in_the_place_of_older_ones) {
  sched::Backfill backfill;
  backfill.id = 3;
  backfill.dag = "d";
  backfill.from = 1;
  backfill.to = 2;
  const sched::Pool pool{"p", 3, false, "three"};
  const Cursor first{"t", "0", "5"}, second{"t", "0", "9"}, other{"t", "1", "1"};
  const std::vector<sched::Change> rows{backfill, pool, sched::Numbers{7, 8, 9}};
  ASSERT_TRUE(kept_->keep(rows, std::vector{first, second, other}));
  backfill.completed_at = 7;
  const std::vector<sched::Change> later{backfill, sched::Pool{"p", 4, true, "four"},
                                         sched::Numbers{8, 8, 9}};
  ASSERT_TRUE(kept_->keep(later, std::vector{Cursor{"t", "1", std::nullopt}}));
  open();
  const auto cursors = *kept_->cursors();
  ASSERT_EQ(cursors.size(), 1U);
  EXPECT_EQ(cursors[0].value, "9");
  EXPECT_EQ(kept_->backfills("d")->at(0).completed_at, 7);
  const auto back = *kept_->load();
  EXPECT_THAT(only<sched::Backfill>(back), IsEmpty());
  EXPECT_EQ(only<sched::Pool>(back).at(0).slots, 4);
  EXPECT_EQ(only<sched::Numbers>(back).at(0).runs, 8);
}

TEST_P(MetadataTest, texts_come_back_in_the_order_of_their_bytes_and_as_they_were) {
  for (const char* key : {"b", "Z", "a", "ä", "_", "a b"})
    ASSERT_TRUE(kept_->set_variable({key, "it's ? and $1 and \\ and 東京", ""}));
  std::vector<std::string> keys;
  const auto kept = *kept_->variables();
  for (const auto& one : kept) {
    keys.push_back(one.key);
    EXPECT_EQ(one.value, "it's ? and $1 and \\ and 東京");
  }
  EXPECT_THAT(keys, ElementsAre("Z", "_", "a", "a b", "b", "ä"));
}

TEST_P(MetadataTest, what_others_are_told_is_what_was_kept) {
  keep({run("d", "r", 1, RunState::kQueued)});
  ASSERT_TRUE(*kept_->at_once().run({"d", "r"}));
  ASSERT_TRUE(kept_->at_once().set_variable({"k", "v", ""}));
  EXPECT_EQ(kept_->variables()->at(0).value, "v");
}

TEST_P(MetadataTest, bytes_that_are_no_text_do_not_keep_a_try_from_being_kept) {
  if (!in_postgres()) GTEST_SKIP() << "SQLite keeps any bytes";
  const auto one = run("d", "r", 1, RunState::kRunning);
  using namespace std::string_literals;
  Try last{.task = {one.id, "t"},
           .number = 1,
           .started_at = {},
           .ended_at = {},
           .pid = 1,
           .why = "a\0b \xff \xed\xa0\x80 \xe6\x9d\xb1 \xe6\x9d"s};
  ASSERT_TRUE(kept_->keep_try(last));
  EXPECT_EQ(kept_->tries(last.task)->at(0).why, "a�b � ��� 東 ��");
}

TEST_P(MetadataTest, of_two_programs_the_younger_shuts_the_older_out) {
  if (!in_postgres()) GTEST_SKIP() << "a data folder is one program's";
  auto older = std::move(kept_);
  open();
  const std::vector<sched::Change> rows{run("d", "r", 1, RunState::kQueued)};
  const auto refused = older->keep(rows);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().what, HasSubstr("another tailrace has taken over the workflows"));
  EXPECT_FALSE(*kept_->run({"d", "r"}));
  ASSERT_TRUE(kept_->keep(rows));
}

INSTANTIATE_TEST_SUITE_P(Databases, MetadataTest, testing::Values("sqlite", "postgres"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace tailrace::metadata
