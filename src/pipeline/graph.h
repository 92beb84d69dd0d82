// A project's graph: the tables its SQL files make, the flows that fill them, in an order in which
// every flow comes after what it reads. Made whole or not at all: each error names
// file:line:column, as Spark's dry run does.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/plan.h"
#include "pipeline/lineage.h"
#include "pipeline/project.h"
#include "pipeline/topic_type.h"
#include "sql/sql.h"

namespace tailrace::pipeline {

enum class Layer { kBronze, kSilver, kGold };

std::string_view layer_name(Layer layer);

/// Columns of a topic read as a relation: key, value, topic, partition, offset, timestamp. The
/// value is text, or of a type of its own.
Schema topic_schema(const Type& value = arrow::utf8());

struct Table {
  std::string name;
  const sql::Statement* statement;
  Schema schema;
  Layer layer = Layer::kBronze;
  bool streaming = false;  ///< a streaming table (append only), else a materialised view
  std::optional<Lineage> lineage = {};  ///< when its own columns say it
  bool hidden = false;                  ///< its flows' changes end in the two columns of lineage.h
};

struct Flow {
  std::string name;  ///< the table's name, or the flow's own
  const sql::Statement* statement;
  int table;  ///< index into Graph::tables
  engine::FlowPlan plan;
  /// What plan.inputs[i] is: index into Graph::topics or Graph::tables.
  struct Input {
    bool is_topic;
    int index;
  };
  std::vector<Input> inputs;
  std::string definition;  ///< changes when the flow's meaning, or a column of its state, does
  std::string text = {};   ///< what its SQL says, whatever the columns of its inputs
  /// A serving of the flow's table, whose rows the flow need not keep again; -1 for none.
  int kept_by = -1;                   ///< index into Project::serving
  std::vector<Lineage> lineage = {};  ///< of the plan's nodes that have one
  bool hidden = false;                ///< plan.root's rows end in the two columns of lineage.h
};

/// A relation over a topic.
struct TopicRelation {
  std::string relation;
  std::string topic;
  bool json = false;       ///< a record that is not a JSON document is rejected before any table
  TopicTypePtr type = {};  ///< of the values, where the topic's format has a schema
  /// What its records are held to before any table reads them: the rules of contracts.
  std::vector<engine::Expectation> expectations = {};

  Schema schema() const { return type ? topic_schema(type->value()) : topic_schema(); }
};

struct Graph {
  std::vector<std::shared_ptr<const sql::Statement>> statements;
  std::vector<TopicRelation> topics;
  std::vector<Table> tables;
  std::vector<Flow> flows;

  /// Index of a table by name without case, or -1.
  int table_index(std::string_view name) const;
};

/// `types` has every topic whose format has a schema. Contracts are kept, or it is an error.
Result<Graph> make_graph(const Project& project, const TopicTypes& types = {});

/// Whether a row of the flow's output depends on one row of its input alone: nothing is kept.
bool keeps_no_state(const Flow& flow);

/// The columns of `table` that are the key of a serving; empty when one is not there.
std::vector<int> key_columns(const ServingSpec& serving, const Table& table);

/// Every served table exists and has its key columns; errors name the place in tailrace.yml.
Status check_serving(const Project& project, const Graph& graph);

}  // namespace tailrace::pipeline
