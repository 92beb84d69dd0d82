// Streaming equals batch: queries with generators, lambdas and windows of time, fed rows and
// retractions in random steps with restarts between, give what one step over the rows that are left
// gives. The seed is printed with a failure.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/rows.h"
#include "engine/testing/plans.h"
#include "sql/testing/tables.h"

namespace tailrace::sql {
namespace {

using engine::testing::DrivenCircuit;
using engine::testing::Relation;
using engine::testing::TestStore;
using Random = std::mt19937;

constexpr const char* kDdl =
    "id INT, g STRING, tags ARRAY<STRING>, n ARRAY<INT>, m MAP<STRING, INT>, s ARRAY<STRUCT<a: "
    "INT, b: STRING>>, at TIMESTAMP";

std::string random_line(Random& random, int id) {
  const auto below = [&](int bound) { return static_cast<int>(random() % bound); };
  std::string line = fmt::format(R"({{"id": {})", id % 17);
  if (below(6) != 0) line += fmt::format(R"(, "g": "{}")", static_cast<char>('a' + below(3)));
  const auto list = [&](const char* name, auto element) {
    if (below(7) == 0) return;
    line += fmt::format(R"(, "{}": [)", name);
    for (int i = 0, count = below(4); i < count; ++i) line += (i > 0 ? "," : "") + element();
    line += "]";
  };
  list("tags", [&] { return below(5) == 0 ? "null" : fmt::format(R"("{}")", below(4)); });
  list("n", [&] { return below(5) == 0 ? "null" : std::to_string(below(9) - 4); });
  list("s", [&] { return fmt::format(R"({{"a": {}, "b": "x{}"}})", below(3), below(2)); });
  if (below(5) != 0) line += fmt::format(R"(, "m": {{"k{}": {}}})", below(3), below(5));
  if (below(8) != 0)
    line += fmt::format(R"(, "at": "2024-03-{:02}T{:02}:{:02}:{:02}Z")", 1 + below(2), below(3),
                        below(60), below(60));
  return line + "}";
}

testing::Tables random_table(Random& random, int rows, RelationInfo::Kind kind) {
  std::vector<std::string> lines;
  for (int i = 0; i < rows; ++i) lines.push_back(random_line(random, i));
  testing::Tables made;
  EXPECT_TRUE(made.add("t", kDdl, lines, kind).has_value());
  return made;
}

engine::FlowPlan plan_of(const std::string& query, const testing::Tables& tables) {
  const auto parsed = parse_query(query);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().what;
  auto bound = bind_query(*parsed, tables);
  EXPECT_TRUE(bound.has_value()) << bound.error().what;
  return std::move(bound->flow);
}

Delta picked(const Batch& rows, const std::vector<std::int64_t>& places,
             const std::vector<Weight>& weights) {
  auto taken = engine::take(Delta{rows, {}}, places);
  EXPECT_TRUE(taken.has_value());
  return {taken->rows, weights};
}

Relation from_nothing(const engine::FlowPlan& plan, const Batch& rows,
                      const std::vector<std::int64_t>& kept) {
  TestStore store;
  DrivenCircuit circuit(plan, *store, "t/");
  if (!kept.empty()) circuit.step({picked(rows, kept, {})});
  return circuit.result();
}

// Each row goes in; about half of them come out again, some of those go in once more.
void check_incremental(const std::string& query, unsigned seed) {
  SCOPED_TRACE(fmt::format("seed {}: {}", seed, query));
  Random random(seed);
  const auto tables = random_table(random, 60, RelationInfo::Kind::kMaterializedView);
  const Batch rows = tables.rows("t");
  const auto plan = plan_of(query, tables);
  TestStore store;
  DrivenCircuit circuit(plan, *store, "t/");
  std::vector<Weight> held(static_cast<std::size_t>(rows->num_rows()), 0);
  for (int step = 0; step < 25; ++step) {
    std::vector<std::int64_t> places;
    std::vector<Weight> weights;
    for (unsigned i = 0, count = 1 + random() % 8; i < count; ++i) {
      const auto row = static_cast<std::int64_t>(random() % held.size());
      Weight& weight = held[static_cast<std::size_t>(row)];
      const Weight change = weight > 0 && random() % 2 ? -1 : 1;
      weight += change;
      places.push_back(row);
      weights.push_back(change);
    }
    circuit.step({picked(rows, places, weights)});
    if (random() % 5 == 0) {
      circuit.save();
      circuit.restore();
    }
  }
  std::vector<std::int64_t> kept;
  for (std::size_t row = 0; row < held.size(); ++row) {
    for (Weight copy = 0; copy < held[row]; ++copy) kept.push_back(static_cast<std::int64_t>(row));
  }
  EXPECT_EQ(circuit.result(), from_nothing(plan, rows, kept));
}

constexpr std::array kQueries = {
    "SELECT id, explode(tags) AS tag FROM t",
    "SELECT id, explode_outer(tags) AS tag FROM t",
    "SELECT id, posexplode(n) FROM t",
    "SELECT id, posexplode_outer(n) FROM t",
    "SELECT id, explode(m) AS (k, v) FROM t",
    "SELECT id, inline(s) FROM t",
    "SELECT id, inline_outer(s) FROM t",
    "SELECT id, tag, x FROM t LATERAL VIEW explode(tags) a AS tag LATERAL VIEW OUTER explode(n) b "
    "AS x",
    "SELECT tag, count(*), count(DISTINCT id), min(g) FROM t LATERAL VIEW explode(tags) a AS tag "
    "GROUP BY tag",
    "SELECT DISTINCT a FROM t LATERAL VIEW inline(s) x AS a, b WHERE b = 'x1'",
    "SELECT g, sum(aggregate(n, 0, (acc, x) -> acc + coalesce(x, 0))) FROM t GROUP BY g",
    "SELECT id, transform(n, x -> x + id), filter(tags, x -> x > '1'), array_sort(n) FROM t",
    "SELECT window.start, g, count(*) FROM t GROUP BY window(at, '10 minutes'), g",
    "SELECT window.start, window.end, g, count(*), max(id) FROM t GROUP BY window(at, '10 "
    "minutes', '3 minutes'), g",
    "SELECT window, id FROM (SELECT window(at, '1 hour', '20 minutes') AS window, id FROM t)",
    "SELECT w.start, count(*) FROM (SELECT window(at, '1 hour', '20 minutes', '5 minutes') AS w "
    "FROM t) GROUP BY w"};

TEST(incremental, random_inserts_and_retractions_equal_one_step_over_what_is_left) {
  for (const char* query : kQueries) {
    for (unsigned seed = 1; seed <= 3; ++seed) check_incremental(query, seed);
  }
}

// Groups of a watermarked stream come out once each, when the watermark has passed them, whole.
void check_windowed(const std::string& window, unsigned seed) {
  SCOPED_TRACE(fmt::format("seed {}: {}", seed, window));
  Random random(seed);
  const auto tables = random_table(random, 80, RelationInfo::Kind::kTopic);
  const Batch rows = tables.rows("t");
  const auto statement = parse_pipeline(
      "CREATE STREAMING TABLE w AS SELECT window.start AS first, window.end AS last, g, count(*) "
      "AS "
      "c FROM STREAM t WATERMARK at DELAY OF INTERVAL 3 DAYS GROUP BY window(at, " +
          window + "), g",
      "p.sql");
  ASSERT_TRUE(statement.has_value()) << statement.error().what;
  const auto bound = bind_flow((*statement)[0], tables);
  ASSERT_TRUE(bound.has_value()) << bound.error().what;
  TestStore store;
  DrivenCircuit circuit(*bound, *store, "t/");
  std::vector<std::int64_t> kept;
  for (std::int64_t row = 0; row < rows->num_rows();) {
    std::vector<std::int64_t> places;
    for (unsigned i = 0, count = 1 + random() % 9; i < count && row < rows->num_rows(); ++i)
      places.push_back(row++);
    kept.insert(kept.end(), places.begin(), places.end());
    const auto out = circuit.step({picked(rows, places, {})});
    EXPECT_TRUE(out.rejects.empty());
    if (random() % 4 == 0) {
      circuit.save();
      circuit.restore();
    }
  }
  EXPECT_TRUE(circuit.result().empty());
  // A row four days later closes every window before it.
  testing::Tables later;
  ASSERT_TRUE(later.add("t", kDdl, {R"({"id": 1, "at": "2024-03-09T00:00:00Z"})"}).has_value());
  circuit.step({Delta{later.rows("t"), {}}});
  const auto batch = plan_of(
      "SELECT window.start, window.end, g, count(*) FROM t GROUP BY window(at, " + window + "), g",
      tables);
  EXPECT_EQ(circuit.result(), from_nothing(batch, rows, kept));
}

TEST(incremental, windows_of_a_stream_come_out_whole_and_once) {
  for (const char* window :
       {"'10 minutes'", "'10 minutes', '4 minutes'", "'1 hour', '1 hour', '7 minutes'"}) {
    for (unsigned seed = 1; seed <= 4; ++seed) check_windowed(window, seed);
  }
}

}  // namespace
}  // namespace tailrace::sql
