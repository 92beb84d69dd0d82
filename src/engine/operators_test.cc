// Every operator, driven five ways, equals a recomputation from nothing written without the engine.
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <set>

#include "columns/row_codec.h"
#include "engine/rows.h"
#include "engine/testing/plans.h"

namespace tailrace::engine {
namespace {

using namespace testing;
using Rows = std::vector<Row>;
using Oracle = std::function<Relation(const std::vector<Rows>&)>;

Schema input_schema() {
  return arrow::schema({arrow::field("k", arrow::utf8()), arrow::field("v", arrow::int64()),
                        arrow::field("d", arrow::float64()), arrow::field("b", arrow::boolean())});
}

/// Few keys and values, so that rows meet, repeat and tie.
Rows random_rows(std::mt19937& random, int count) {
  const auto below = [&](int bound) { return static_cast<int>(random() % bound); };
  Rows rows;
  for (int i = 0; i < count; ++i) {
    Row row(4);
    if (below(8) != 0) row[0].emplace<std::string>(1, static_cast<char>('a' + below(5)));
    if (below(6) != 0) row[1].emplace<std::int64_t>(below(7) - 3);
    if (below(6) != 0) row[2].emplace<double>((below(9) - 4) * 0.25);
    row[3].emplace<std::int64_t>(below(2));
    rows.push_back(std::move(row));
  }
  return rows;
}

Relation bag(const Rows& rows) {
  Relation out;
  for (const Row& row : rows) ++out[row];
  return out;
}

struct Case {
  std::string name;
  PlanPtr plan;
  Oracle oracle;
  bool streams = false;  ///< rows cannot be retracted
  std::size_t sources = 1;
};

std::vector<Delta> deltas(const std::vector<Rows>& rows,
                          const std::vector<std::vector<Weight>>& weights) {
  std::vector<Delta> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back(delta_of(input_schema(), rows[i], weights[i]));
  }
  return out;
}

enum class Way { kAtOnce, kSmallSteps, kRetracted, kRestored, kTinyCache };

/// A row on its way in or out.
struct Move {
  std::size_t source;
  Row row;
  Weight weight;
};

std::vector<Move> moves_of(const std::vector<Rows>& inputs, Way way, std::mt19937& random) {
  std::vector<Move> moves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (const Row& row : inputs[i]) moves.push_back({i, row, 1});
  }
  std::shuffle(moves.begin(), moves.end(), random);
  if (way != Way::kRetracted) return moves;
  std::vector<Move> more;
  for (const Move& move : moves) {
    more.push_back(move);
    if (random() % 2 == 0) continue;
    more.push_back({move.source, move.row, -1});
    more.push_back(move);
  }
  // Rows that were never to stay: they come early and leave late.
  for (const Row& row : random_rows(random, 30)) {
    more.insert(more.begin() + static_cast<std::ptrdiff_t>(random() % (more.size() / 2 + 1)),
                {0, row, 1});
    more.push_back({0, row, -1});
  }
  return more;
}

void drive(DrivenCircuit& circuit, const std::vector<Move>& moves, Way way, std::size_t sources,
           std::mt19937& random) {
  std::size_t next = 0;
  while (next < moves.size()) {
    const std::size_t size = way == Way::kAtOnce ? moves.size() : 1 + random() % 12;
    std::vector<Rows> rows(sources);
    std::vector<std::vector<Weight>> weights(sources);
    for (std::size_t i = 0; i < size && next < moves.size(); ++i, ++next) {
      rows[moves[next].source].push_back(moves[next].row);
      weights[moves[next].source].push_back(moves[next].weight);
    }
    circuit.step(deltas(rows, weights));
    if (way == Way::kRestored && random() % 2 == 0) {
      circuit.save();
      circuit.restore();
    }
    if (way == Way::kTinyCache && random() % 2 == 0) circuit.save();
  }
  if (moves.empty()) circuit.step(std::vector<Delta>(sources));
}

std::string text(const Relation& relation) {
  std::string out;
  for (const auto& [row, weight] : relation) {
    for (const Value& value : row) {
      out += std::visit(
          [](const auto& v) -> std::string {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<T, std::monostate>)
              return "null ";
            else if constexpr (std::is_same_v<T, std::string>)
              return v + " ";
            else
              return fmt::format("{} ", v);
          },
          value);
    }
    out += fmt::format("x{}\n", weight);
  }
  return out;
}

void expect_equal_every_way(const Case& c) {
  TestStore store;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    std::mt19937 random(seed);
    std::vector<Rows> inputs(c.sources);
    for (Rows& rows : inputs)
      rows = random_rows(random, seed == 1 ? 0 : static_cast<int>(random() % 90));
    const std::string expected = text(c.oracle(inputs));
    for (const Way way :
         {Way::kAtOnce, Way::kSmallSteps, Way::kRetracted, Way::kRestored, Way::kTinyCache}) {
      if (way == Way::kRetracted && c.streams) continue;
      std::mt19937 order(seed * 7);
      CircuitOptions options;
      if (way == Way::kTinyCache) options.state_cache_bytes = 1;
      FlowPlan flow{c.plan, std::vector<std::string>(c.sources, "input"), {}};
      const std::string prefix = fmt::format("{}/{}/{}/", c.name, seed, static_cast<int>(way));
      DrivenCircuit circuit(flow, *store, prefix, options);
      drive(circuit, moves_of(inputs, way, order), way, c.sources, order);
      ASSERT_EQ(text(circuit.result()), expected)
          << c.name << ", seed " << seed << ", way " << static_cast<int>(way);
    }
  }
}

AggregateCall aggregate(AggregateCall::Kind kind, ExprPtr arg, Type type) {
  return {kind, std::move(arg), false, nullptr, std::move(type), "test"};
}

std::vector<AggregateCall> all_calls(const Schema& in) {
  using Kind = AggregateCall::Kind;
  const ExprPtr v = column(in, 1), d = column(in, 2);
  std::vector<AggregateCall> calls = {aggregate(Kind::kCountStar, nullptr, arrow::int64()),
                                      aggregate(Kind::kCount, v, arrow::int64()),
                                      aggregate(Kind::kSum, v, arrow::int64()),
                                      aggregate(Kind::kAvg, d, arrow::float64()),
                                      aggregate(Kind::kMin, v, arrow::int64()),
                                      aggregate(Kind::kMax, d, arrow::float64()),
                                      aggregate(Kind::kVariance, v, arrow::float64()),
                                      aggregate(Kind::kCount, v, arrow::int64()),
                                      aggregate(Kind::kCollectList, v, arrow::list(arrow::int64())),
                                      aggregate(Kind::kCollectSet, v, arrow::list(arrow::int64())),
                                      aggregate(Kind::kSum, d, arrow::float64())};
  calls[7].distinct = true;
  calls[10].filter = column(in, 3);
  return calls;
}

Row aggregate_rows(const Rows& rows) {
  std::vector<std::int64_t> vs;
  std::vector<double> ds, filtered;
  for (const Row& row : rows) {
    if (row[1].index() != 0) vs.push_back(std::get<std::int64_t>(row[1]));
    if (row[2].index() == 0) continue;
    ds.push_back(std::get<double>(row[2]));
    if (std::get<std::int64_t>(row[3]) == 1) filtered.push_back(ds.back());
  }
  std::sort(vs.begin(), vs.end());
  const std::set<std::int64_t> set(vs.begin(), vs.end());
  Row out(11);
  const auto count = static_cast<std::int64_t>(vs.size());
  out[0] = static_cast<std::int64_t>(rows.size());
  out[1] = count;
  std::int64_t sum = 0, squares = 0;
  std::string list, distinct;
  for (const std::int64_t v : vs) {
    sum += v;
    squares += v * v;
    list += fmt::format("{},", v);
  }
  for (const std::int64_t v : set) distinct += fmt::format("{},", v);
  if (count > 0) out[2] = sum;
  if (!ds.empty()) {
    double total = 0;
    for (const double d : ds) total += d;
    out[3] = total / static_cast<double>(ds.size());
    out[5] = *std::max_element(ds.begin(), ds.end());
  }
  if (count > 0) out[4] = vs.front();
  if (count > 1) {
    const long double spread = squares - static_cast<long double>(sum) * sum / count;
    out[6] = static_cast<double>(spread / (count - 1));
  }
  out[7] = static_cast<std::int64_t>(set.size());
  out[8] = list;
  out[9] = distinct;
  if (!filtered.empty()) {
    double total = 0;
    for (const double d : filtered) total += d;
    out[10] = total;
  }
  return out;
}

PlanPtr aggregate_plan(bool grouped, bool streaming) {
  const Schema in = input_schema();
  auto plan = node(Plan::Kind::kAggregate, nullptr, {source(in, 0, streaming)});
  arrow::FieldVector fields;
  if (grouped) {
    plan->exprs = {column(in, 0)};
    fields.push_back(in->field(0));
  }
  plan->aggregates = all_calls(in);
  for (const AggregateCall& call : plan->aggregates) fields.push_back(arrow::field("x", call.type));
  plan->schema = arrow::schema(fields);
  return plan;
}

Relation grouped_oracle(const std::vector<Rows>& inputs) {
  std::map<Value, Rows> groups;
  for (const Row& row : inputs[0]) groups[row[0]].push_back(row);
  Relation out;
  for (const auto& [key, rows] : groups) {
    Row row = aggregate_rows(rows);
    row.insert(row.begin(), key);
    ++out[row];
  }
  return out;
}

TEST(Operators, grouped_aggregates_equal_recomputation) {
  expect_equal_every_way({"group", aggregate_plan(true, false), grouped_oracle});
  expect_equal_every_way({"group stream", aggregate_plan(true, true), grouped_oracle, true});
}

TEST(Operators, a_global_aggregate_gives_one_row_even_of_nothing) {
  const Oracle oracle = [](const std::vector<Rows>& in) { return bag({aggregate_rows(in[0])}); };
  expect_equal_every_way({"global", aggregate_plan(false, false), oracle});
  expect_equal_every_way({"global stream", aggregate_plan(false, true), oracle, true});
}

TEST(Operators, distinct_and_union_equal_recomputation) {
  const Schema in = input_schema();
  const PlanPtr both =
      node(Plan::Kind::kUnionAll, in, {source(in, 0, false), source(in, 1, false)});
  expect_equal_every_way({"distinct", node(Plan::Kind::kDistinct, in, {both}),
                          [](const std::vector<Rows>& inputs) {
                            Relation out;
                            for (const Rows& rows : inputs) {
                              for (const Row& row : rows) out[row] = 1;
                            }
                            return out;
                          },
                          false, 2});
}

TEST(Operators, filter_and_project_equal_recomputation) {
  const Schema in = input_schema();
  auto filter = node(Plan::Kind::kFilter, in, {source(in, 0, false)});
  filter->exprs = {column(in, 3)};
  auto project = node(Plan::Kind::kProject, arrow::schema({in->field(2), in->field(0)}), {filter});
  project->exprs = {column(in, 2), column(in, 0)};
  expect_equal_every_way({"filter", project, [](const std::vector<Rows>& inputs) {
                            Relation out;
                            for (const Row& row : inputs[0]) {
                              if (std::get<std::int64_t>(row[3]) == 1) ++out[{row[2], row[0]}];
                            }
                            return out;
                          }});
}

PlanPtr join_plan(Plan::JoinType type, bool residual, bool streaming) {
  const Schema in = input_schema();
  arrow::FieldVector fields = in->fields();
  for (const Field& field : in->fields()) fields.push_back(field);
  const Schema both = arrow::schema(fields);
  auto plan = node(Plan::Kind::kJoin, both, {source(in, 0, streaming), source(in, 1, streaming)});
  plan->join = type;
  plan->left_keys = plan->right_keys = {column(in, 0)};
  if (residual) plan->residual = call("<", {column(both, 1), column(both, 5)}, arrow::boolean());
  return plan;
}

Oracle join_oracle(bool left, bool residual) {
  return [=](const std::vector<Rows>& inputs) {
    Relation out;
    for (const Row& a : inputs[0]) {
      bool matched = false;
      for (const Row& b : inputs[1]) {
        if (a[0].index() == 0 || a[0] != b[0]) continue;
        if (residual && (a[1].index() == 0 || b[1].index() == 0 || !(a[1] < b[1]))) continue;
        Row row = a;
        row.insert(row.end(), b.begin(), b.end());
        ++out[row];
        matched = true;
      }
      if (matched || !left) continue;
      Row row = a;
      row.resize(8);
      ++out[row];
    }
    return out;
  };
}

TEST(Operators, joins_equal_recomputation) {
  for (const bool left : {false, true}) {
    for (const bool residual : {false, true}) {
      const auto type = left ? Plan::JoinType::kLeft : Plan::JoinType::kInner;
      const std::string name = fmt::format("join {} {}", left, residual);
      expect_equal_every_way(
          {name, join_plan(type, residual, false), join_oracle(left, residual), false, 2});
      expect_equal_every_way({name + " stream", join_plan(type, residual, true),
                              join_oracle(left, residual), true, 2});
    }
  }
}

PlanPtr top_plan(std::optional<std::int64_t> limit, bool ranked, bool streaming) {
  const Schema in = input_schema();
  auto plan = node(Plan::Kind::kTopN, in, {source(in, 0, streaming)});
  if (ranked) {
    arrow::FieldVector fields = in->fields();
    fields.push_back(arrow::field("rank", arrow::int32()));
    plan->schema = arrow::schema(fields);
  }
  plan->partition = {column(in, 0)};
  // The order is total but for equal rows, so that the oracle need not know how ties are broken.
  plan->order = {
      {column(in, 1), true, true}, {column(in, 2), false, false}, {column(in, 3), false, true}};
  plan->limit = limit;
  plan->with_rank = ranked;
  return plan;
}

bool top_before(const Row& a, const Row& b) {
  const bool a_null = a[1].index() == 0, b_null = b[1].index() == 0;
  if (a_null != b_null) return a_null;
  if (a[1] != b[1]) return a[1] > b[1];
  const bool a_last = a[2].index() == 0, b_last = b[2].index() == 0;
  if (a_last != b_last) return b_last;
  if (a[2] != b[2]) return a[2] < b[2];
  return a[3] < b[3];
}

Oracle top_oracle(std::optional<std::int64_t> limit, bool ranked) {
  return [=](const std::vector<Rows>& inputs) {
    std::map<Value, Rows> groups;
    for (const Row& row : inputs[0]) groups[row[0]].push_back(row);
    Relation out;
    for (auto& [key, rows] : groups) {
      std::sort(rows.begin(), rows.end(), top_before);
      if (limit && rows.size() > static_cast<std::size_t>(*limit)) rows.resize(*limit);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (ranked) rows[i].emplace_back(std::in_place_type<std::int64_t>, i + 1);
        ++out[rows[i]];
      }
    }
    return out;
  };
}

TEST(Operators, top_n_equals_recomputation) {
  for (const std::optional<std::int64_t> limit :
       {std::optional<std::int64_t>(1), std::optional<std::int64_t>(3),
        std::optional<std::int64_t>()}) {
    for (const bool ranked : {false, true}) {
      const std::string name = fmt::format("top {} {}", limit.value_or(0), ranked);
      expect_equal_every_way({name, top_plan(limit, ranked, false), top_oracle(limit, ranked)});
      expect_equal_every_way(
          {name + " stream", top_plan(limit, ranked, true), top_oracle(limit, ranked), true});
    }
  }
}

/// The rows of `table` whose column 0 is one of `keys`, as a served table would find them.
Result<Batch> find_kept(const Relation& table, std::span<const std::string> keys) {
  Rows rows;
  for (const auto& [row, weight] : table) rows.push_back(row);
  const Delta all = delta_of(input_schema(), rows, std::vector<Weight>(rows.size(), 1));
  ASSIGN(const EncodedRows encoded, encode_keys(*all.rows, {{0}}));
  std::vector<std::int64_t> found;
  for (std::int64_t row = 0; row < encoded.size(); ++row) {
    if (std::ranges::find(keys, encoded[row]) != keys.end()) found.push_back(row);
  }
  return take(all.rows, found);
}

TEST(Operators, first_rows_left_to_a_table_equal_recomputation) {
  TestStore store;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    std::mt19937 random(seed);
    Relation table;
    CircuitOptions options;
    if (seed % 3 == 0) options.state_cache_bytes = 0;
    std::map<std::string, std::string> kept_notes;
    const auto find_notes = [&](std::span<const std::string_view> keys) {
      std::vector<std::optional<std::string>> found;
      for (const std::string_view key : keys) {
        const auto at = kept_notes.find(std::string(key));
        found.push_back(at == kept_notes.end() ? std::nullopt : std::optional(at->second));
      }
      return Result<std::vector<std::optional<std::string>>>(std::move(found));
    };
    options.kept = KeptResult{
        {0}, [&](std::span<const std::string> keys) { return find_kept(table, keys); }, find_notes};
    ASSERT_NE(first_rows_kept(*top_plan(1, false, true), {0}), nullptr);
    DrivenCircuit circuit({top_plan(1, false, true), {"input"}, {}}, *store,
                          fmt::format("kept{}", seed), options);
    Rows rows;
    for (int step = 0; step < 40; ++step) {
      const Rows come = random_rows(random, static_cast<int>(random() % 9));
      rows.insert(rows.end(), come.begin(), come.end());
      const StepOutput output = circuit.step(deltas({come}, {std::vector<Weight>(come.size(), 1)}));
      table = circuit.result();
      for (const KeptNote& note : output.notes) kept_notes[std::string(note.key)] = note.note;
      if (random() % 3 == 0) circuit.save();
      if (random() % 6 == 0) {
        circuit.save();
        circuit.restore();
      }
      ASSERT_EQ(text(table), text(top_oracle(1, false)({rows})))
          << "seed " << seed << " step " << step;
    }
  }
}

TEST(Operators, rows_are_left_to_a_table_only_by_the_partition_s_key) {
  EXPECT_EQ(first_rows_kept(*top_plan(1, false, true), {1}), nullptr);
  EXPECT_EQ(first_rows_kept(*top_plan(1, false, true), {0, 1}), nullptr);
  EXPECT_EQ(first_rows_kept(*top_plan(2, false, true), {0}), nullptr);
  EXPECT_EQ(first_rows_kept(*top_plan(1, false, false), {0}), nullptr);
}

Row numbered_row(std::int64_t number) {
  Row row(4);
  row[0].emplace<std::string>(1, number % 7 == 0 ? 'b' : 'a');
  row[1].emplace<std::int64_t>(number);
  row[3].emplace<std::int64_t>(0);
  return row;
}

/// A step of rows that come and go, the best ones going most.
void change_rows(std::mt19937& random, Rows& rows, Rows& changed, std::vector<Weight>& weights) {
  const std::size_t come = random() % 4 == 0 ? 120 : random() % 6;
  const std::size_t go = std::min<std::size_t>(rows.size(), random() % 3 == 0 ? 90 : random() % 9);
  std::sort(rows.begin(), rows.end(), top_before);
  for (std::size_t i = 0; i < go; ++i) {
    const std::size_t at = random() % 5 == 0 ? random() % rows.size() : 0;
    changed.push_back(rows[at]);
    weights.push_back(-1);
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
  }
  for (std::size_t i = 0; i < come; ++i) {
    rows.push_back(numbered_row(static_cast<std::int64_t>(random() % 3000)));
    changed.push_back(rows.back());
    weights.push_back(1);
  }
}

TEST(Operators, top_n_brings_back_rows_set_aside) {
  TestStore store;
  for (std::uint32_t seed = 1; seed <= 16; ++seed) {
    std::mt19937 random(seed);
    const std::optional<std::int64_t> limit = 1 + seed % 5;
    const bool ranked = seed % 2 == 0;
    CircuitOptions options;
    if (seed % 3 == 0) options.state_cache_bytes = 0;
    DrivenCircuit circuit({top_plan(limit, ranked, false), {"input"}, {}}, *store,
                          fmt::format("aside{}", seed), options);
    Rows rows;
    for (int step = 0; step < 120; ++step) {
      Rows changed;
      std::vector<Weight> weights;
      change_rows(random, rows, changed, weights);
      circuit.step(deltas({changed}, {weights}));
      if (random() % 4 == 0) circuit.save();
      if (random() % 8 == 0) {
        circuit.save();
        circuit.restore();
      }
      ASSERT_EQ(text(circuit.result()), text(top_oracle(limit, ranked)({rows})))
          << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace tailrace::engine
