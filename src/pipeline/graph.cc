#include "pipeline/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "base/check.h"
#include "engine/kept_result.h"
#include "pipeline/contracts/agreement.h"
#include "pipeline/names.h"
#include "yaml/file.h"

namespace tailrace::pipeline {
namespace {

using sql::Statement;
using StatementPtr = std::shared_ptr<const Statement>;

bool makes_table(const Statement& s) {
  return s.kind == Statement::Kind::kStreamingTable || s.kind == Statement::Kind::kMaterializedView;
}

std::string described(const arrow::Field& field) {
  return fmt::format("`{}` {}{}", field.name(), spark_name(*field.type()),
                     field.nullable() ? "" : " NOT NULL");
}

/// Of a flow's columns and those of the table it writes to.
std::string first_difference(const arrow::Schema& flow, const arrow::Schema& table) {
  const int both = std::min(flow.num_fields(), table.num_fields());
  for (int i = 0; i < both; ++i)
    if (!flow.field(i)->Equals(*table.field(i), false))
      return fmt::format("column {} is {} here and {} there", i + 1, described(*flow.field(i)),
                         described(*table.field(i)));
  const bool more = flow.num_fields() > both;
  return fmt::format("column {}, {}, is only {}", both + 1,
                     described(*(more ? flow : table).field(both)), more ? "here" : "there");
}

bool makes_view(const Statement& s) {
  return s.kind == Statement::Kind::kTemporaryView || s.kind == Statement::Kind::kView;
}

/// What the binder sees: topics, the tables bound so far, and views by their statements.
class GraphCatalog : public sql::Catalog {
 public:
  explicit GraphCatalog(const Graph& graph) : graph_(graph) {}

  std::optional<sql::RelationInfo> find(const std::vector<std::string>& parts) const override {
    const std::string& name = parts.back();
    for (const TopicRelation& topic : graph_.topics)
      if (same_name(topic.relation, name))
        return sql::RelationInfo{sql::RelationInfo::Kind::kTopic, topic.relation, topic.schema()};
    if (int index = graph_.table_index(name); index >= 0) return table_info(graph_.tables[index]);
    for (const StatementPtr& s : graph_.statements)
      if (makes_view(*s) && same_name(s->name.parts.back(), name))
        return sql::RelationInfo{sql::RelationInfo::Kind::kTemporaryView, name, nullptr, s.get()};
    return std::nullopt;
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const TopicRelation& topic : graph_.topics) all.push_back(topic.relation);
    for (const StatementPtr& s : graph_.statements)
      if (makes_table(*s) || makes_view(*s)) all.push_back(s->name.parts.back());
    return all;
  }

 private:
  static sql::RelationInfo table_info(const Table& table) {
    return {table.streaming ? sql::RelationInfo::Kind::kStreamingTable
                            : sql::RelationInfo::Kind::kMaterializedView,
            table.name, table.schema};
  }

  const Graph& graph_;
};

Layer layer_of(const Statement& statement) {
  auto found = statement.properties.find("quality");
  std::string text = found != statement.properties.end() ? found->second : statement.source->file;
  text = lower(text.substr(text.find_last_of('/') + 1));
  if (text.find("bronze") != std::string::npos) return Layer::kBronze;
  if (text.find("silver") != std::string::npos) return Layer::kSilver;
  if (text.find("gold") != std::string::npos) return Layer::kGold;
  return statement.kind == Statement::Kind::kStreamingTable ? Layer::kSilver : Layer::kGold;
}

Result<std::vector<StatementPtr>> parse_files(const Project& project, bool contracts) {
  std::vector<StatementPtr> all;
  std::map<std::string, std::string> made_at;
  for (const SqlFile& file : project.sql_files) {
    ASSIGN(auto statements, sql::parse_pipeline(file.text, file.path));
    if (contracts) TRY(add_contract_rules(project, statements));
    for (Statement& statement : statements) {
      if (statement.kind == Statement::Kind::kSet) continue;
      const std::string name = lower(statement.name.parts.back());
      if (auto [at, fresh] = made_at.emplace(name, statement.place()); !fresh)
        return error(Code::kInvalidArgument, statement.place() + ": `" + name +
                                                 "` is already made at " + at->second +
                                                 "; give one of them another name");
      all.push_back(std::make_shared<const Statement>(std::move(statement)));
    }
  }
  return all;
}

/// "; did you mean …?", or what there is.
std::string meant(const std::string& word, const std::vector<std::string>& names) {
  const std::string near = yaml::nearest(word, {names.begin(), names.end()});
  if (!near.empty()) return "; did you mean `" + near + "`?";
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "; there are: " : ", ") + name;
  return all;
}

/// Binds flows in the order of their references, depth first.
class Binder {
 public:
  explicit Binder(Graph& graph) : graph_(graph), catalog_(graph) {
    for (const StatementPtr& s : graph.statements) by_name_[lower(s->name.parts.back())] = s.get();
  }

  Status bind_all() {
    for (const StatementPtr& s : graph_.statements) TRY(visit(*s));
    return {};
  }

 private:
  /// A table is bound once everything that it, or a flow into it, reads is bound.
  Status visit(const Statement& statement) {
    if (done_.contains(&statement)) return {};
    if (std::ranges::find(open_, &statement) != open_.end()) return cycle_at(statement);
    open_.push_back(&statement);
    for (const sql::Reference& reference : sql::references(statement)) {
      auto found = by_name_.find(lower(reference.name.parts.back()));
      if (found != by_name_.end()) TRY(visit(*found->second));
    }
    if (statement.kind == Statement::Kind::kFlow) TRY(bind_append_flow(statement));
    if (makes_table(statement)) TRY(bind_table(statement));
    open_.pop_back();
    done_.insert(&statement);
    return {};
  }

  std::unexpected<Error> cycle_at(const Statement& statement) const {
    std::string path;
    for (auto at = std::ranges::find(open_, &statement); at != open_.end(); ++at)
      path += "`" + (*at)->name.text() + "` reads ";
    return error(Code::kInvalidArgument, statement.place() + ": a cycle of tables: " + path + "`" +
                                             statement.name.text() +
                                             "`; take one of them out of it");
  }

  Status bind_table(const Statement& statement) {
    if (!statement.query) {
      if (statement.kind == Statement::Kind::kMaterializedView)
        return error(
            Code::kInvalidArgument,
            statement.place() + ": Unable to find query for CREATE MATERIALIZED VIEW statement");
      return bind_flows_into(statement);
    }
    ASSIGN(auto plan, sql::bind_flow(statement, catalog_));
    Schema schema = plan.root->schema;
    add_table(statement, schema);
    return add_flow(statement, static_cast<int>(graph_.tables.size()) - 1, std::move(plan));
  }

  /// A streaming table without AS: its schema is what its flows bring.
  Status bind_flows_into(const Statement& target) {
    bool any = false;
    for (const StatementPtr& s : graph_.statements) {
      if (s->kind != Statement::Kind::kFlow ||
          !same_name(s->target.parts.back(), target.name.parts.back()))
        continue;
      TRY(visit(*s));
      any = true;
    }
    if (!any)
      return error(Code::kInvalidArgument,
                   target.place() + ": no flow writes into the streaming table `" +
                       target.name.text() + "`; add CREATE FLOW … AS INSERT INTO it");
    return {};
  }

  std::vector<std::string> streaming_tables() const {
    std::vector<std::string> names;
    for (const StatementPtr& s : graph_.statements)
      if (s->kind == Statement::Kind::kStreamingTable) names.push_back(s->name.parts.back());
    return names;
  }

  Status bind_append_flow(const Statement& flow) {
    auto found = by_name_.find(lower(flow.target.parts.back()));
    if (found == by_name_.end() || found->second->kind != Statement::Kind::kStreamingTable)
      return error(Code::kNotFound, flow.place() + ": the flow's target `" + flow.target.text() +
                                        "` is not a streaming table of this project" +
                                        meant(flow.target.parts.back(), streaming_tables()));
    const Statement& target = *found->second;
    if (target.query) TRY(visit(target));
    ASSIGN(auto plan, sql::bind_flow(flow, catalog_, &target));
    int table = graph_.table_index(target.name.parts.back());
    if (table < 0) {
      add_table(target, plan.root->schema);
      table = static_cast<int>(graph_.tables.size()) - 1;
    } else if (!graph_.tables[table].schema->Equals(*plan.root->schema, false)) {
      return error(Code::kInvalidArgument,
                   flow.place() + ": the flow's columns differ from those that other flows give `" +
                       target.name.text() +
                       "`: " + first_difference(*plan.root->schema, *graph_.tables[table].schema));
    }
    return add_flow(flow, table, std::move(plan));
  }

  void add_table(const Statement& statement, Schema schema) {
    graph_.tables.push_back({statement.name.parts.back(), &statement, std::move(schema),
                             layer_of(statement),
                             statement.kind == Statement::Kind::kStreamingTable});
  }

  Status add_flow(const Statement& statement, int table, engine::FlowPlan plan) {
    Flow flow{statement.name.parts.back(), &statement, table, std::move(plan), {}, {}};
    for (const std::string& input : flow.plan.inputs) {
      ASSIGN(auto resolved, resolve(input, statement));
      flow.inputs.push_back(resolved);
    }
    graph_.flows.push_back(std::move(flow));
    return {};
  }

  Result<Flow::Input> resolve(const std::string& name, const Statement& statement) const {
    for (std::size_t i = 0; i < graph_.topics.size(); ++i)
      if (same_name(graph_.topics[i].relation, name)) return Flow::Input{true, static_cast<int>(i)};
    if (int table = graph_.table_index(name); table >= 0) return Flow::Input{false, table};
    return error(Code::kNotFound,
                 statement.place() + ": relation `" + name + "` is not in this project");
  }

  Graph& graph_;
  GraphCatalog catalog_;
  std::map<std::string, const Statement*> by_name_;
  std::vector<const Statement*> open_;  ///< those that are being bound, each read by the one before
  std::set<const Statement*> done_;
};

/// A view's rows that a serving keeps by the very key the flow would keep them by.
void leave_rows_to_serving(const Project& project, const Graph& graph, Flow& flow) {
  const Table& table = graph.tables[static_cast<std::size_t>(flow.table)];
  if (table.streaming) return;
  for (const engine::Expectation& expectation : flow.plan.expectations)
    if (expectation.action == engine::Expectation::Action::kDrop) return;
  for (std::size_t i = 0; i < project.serving.size(); ++i) {
    const ServingSpec& serving = project.serving[i];
    if (!same_name(serving.table, table.name)) continue;
    const std::vector<int> key = key_columns(serving, table);
    if (key.empty() || !engine::first_rows_kept(*flow.plan.root, key)) continue;
    flow.kept_by = static_cast<int>(i);
    return;
  }
}

}  // namespace

std::vector<int> key_columns(const ServingSpec& serving, const Table& table) {
  std::vector<int> columns;
  for (const std::string& name : serving.key) {
    columns.push_back(table.schema->GetFieldIndex(name));
    if (columns.back() < 0) return {};
  }
  return columns;
}

std::string_view layer_name(Layer layer) {
  switch (layer) {
    case Layer::kBronze:
      return "bronze";
    case Layer::kSilver:
      return "silver";
    case Layer::kGold:
      return "gold";
  }
  return "gold";
}

Schema topic_schema(const Type& value) {
  return arrow::schema(
      {arrow::field("key", arrow::utf8()), arrow::field("value", value),
       arrow::field("topic", arrow::utf8()), arrow::field("partition", arrow::int32()),
       arrow::field("offset", arrow::int64()), arrow::field("timestamp", timestamp_type())});
}

int Graph::table_index(std::string_view name) const {
  for (std::size_t i = 0; i < tables.size(); ++i)
    if (same_name(tables[i].name, name)) return static_cast<int>(i);
  return -1;
}

bool keeps_no_state(const Flow& flow) {
  using Kind = engine::Plan::Kind;
  const auto stateless = [](const auto& self, const engine::Plan& plan) -> bool {
    const bool passes = plan.kind == Kind::kSource || plan.kind == Kind::kProject ||
                        plan.kind == Kind::kFilter || plan.kind == Kind::kUnionAll ||
                        plan.kind == Kind::kExplode;
    return passes && std::ranges::all_of(plan.inputs, [&](const engine::PlanPtr& input) {
             return self(self, *input);
           });
  };
  return stateless(stateless, *flow.plan.root);
}

namespace {

/// The columns of what a plan keeps or gives, which its own text does not say.
void add_columns(const engine::Plan& plan, bool root, std::string& text) {
  using Kind = engine::Plan::Kind;
  const auto columns = [&](const Schema& schema) {
    text += "\n(";
    for (const Field& field : schema->fields())
      text += fmt::format("{} {},", field->name(), spark_name(*field->type()));
    text += ")";
  };
  const bool keeps = plan.kind == Kind::kDistinct || plan.kind == Kind::kTopN ||
                     plan.kind == Kind::kAggregate || plan.kind == Kind::kJoin;
  if (keeps || root) columns(plan.schema);
  for (const engine::AggregateCall& call : plan.aggregates)
    if (call.arg) text += " of " + spark_name(*call.arg->type);
  for (const engine::PlanPtr& input : plan.inputs) add_columns(*input, false, text);
}

/// Topics, tables and bound flows; with or without the contracts' rules.
Result<Graph> bound_graph(const Project& project, const TopicTypes& types, bool contracts) {
  Graph graph;
  for (const TopicSpec& topic : project.topics) {
    const auto type = types.find(topic.name);
    CHECK(!topic.values || type != types.end());
    graph.topics.push_back({topic.relation, topic.name, topic.format == "json",
                            topic.values ? type->second : nullptr});
  }
  if (contracts)
    for (TopicRelation& topic : graph.topics) {
      ASSIGN(topic.expectations, topic_expectations(project, topic));
    }
  ASSIGN(graph.statements, parse_files(project, contracts));
  TRY(Binder(graph).bind_all());
  return graph;
}

}  // namespace

Result<Graph> make_graph(const Project& project, const TopicTypes& types) {
  if (!project.contracts.empty()) {
    // Compared first: a column that is missing is told as such, not as a rule that cannot be bound.
    ASSIGN(const Graph bare, bound_graph(project, types, false));
    TRY(check_contracts(project, bare));
  }
  ASSIGN(Graph graph, bound_graph(project, types, true));
  for (Flow& flow : graph.flows) leave_rows_to_serving(project, graph, flow);
  carry_lineage(graph);
  for (Flow& flow : graph.flows) {
    flow.definition = sql::explain(flow.plan);
    add_columns(*flow.plan.root, true, flow.definition);
    flow.text = flow.statement->text();
    if (flow.statement->kind == Statement::Kind::kFlow)
      flow.text += graph.tables[static_cast<std::size_t>(flow.table)].statement->text();
    for (const sql::ExpectationClause& clause :
         graph.tables[static_cast<std::size_t>(flow.table)].statement->expectations)
      if (clause.source) flow.text += "\n" + clause.text;
    if (flow.kept_by >= 0) {
      const auto& serving = project.serving[static_cast<std::size_t>(flow.kept_by)];
      flow.definition += fmt::format("\nrows kept by {}", serving.name);
    }
  }
  if (graph.flows.empty())
    return error(Code::kInvalidArgument, project.folder +
                                             ": no table is made by any file that `libraries` "
                                             "in spark-pipeline.yml names; write CREATE STREAMING "
                                             "TABLE … AS SELECT …");
  return graph;
}

namespace {

std::vector<std::string> table_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Table& table : graph.tables) names.push_back(table.name);
  return names;
}

}  // namespace

Status check_serving(const Project& project, const Graph& graph) {
  for (const ServingSpec& serving : project.serving) {
    const int index = graph.table_index(serving.table);
    if (index < 0)
      return error(Code::kNotFound, serving.place + ": table `" + serving.table +
                                        "` is not made by any SQL file" +
                                        meant(serving.table, table_names(graph)));
    for (const std::string& column : serving.key)
      if (graph.tables[static_cast<std::size_t>(index)].schema->GetFieldIndex(column) < 0)
        return error(
            Code::kNotFound,
            serving.place + ": key column `" + column + "` is not a column of `" + serving.table +
                "`" +
                meant(column, graph.tables[static_cast<std::size_t>(index)].schema->field_names()));
  }
  return {};
}

}  // namespace tailrace::pipeline
