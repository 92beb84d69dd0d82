#include "pipeline/lineage.h"

#include <map>
#include <numeric>

#include "pipeline/graph.h"

namespace tailrace::pipeline {
namespace {

using engine::Expr;
using engine::ExprPtr;
using engine::Plan;
using engine::PlanPtr;

constexpr const char* kSourceColumn = "_tailrace_source";
constexpr const char* kOffsetColumn = "_tailrace_offset";
constexpr int kTopicStep = 1 << 16;

std::shared_ptr<Expr> expr_of(Expr::Kind kind, Type type) {
  auto expr = std::make_shared<Expr>();
  expr->kind = kind;
  expr->type = std::move(type);
  return expr;
}

ExprPtr column(int index, Type type) {
  auto expr = expr_of(Expr::Kind::kColumn, std::move(type));
  expr->column = index;
  return expr;
}

ExprPtr literal(std::shared_ptr<arrow::Scalar> value) {
  auto expr = expr_of(Expr::Kind::kLiteral, value->type);
  expr->literal = std::move(value);
  return expr;
}

std::vector<ExprPtr> columns_of(const arrow::Schema& schema, int count) {
  std::vector<ExprPtr> columns;
  for (int i = 0; i < count; ++i) columns.push_back(column(i, schema.field(i)->type()));
  return columns;
}

/// The first `count` fields, then the two hidden ones.
Schema with_hidden_fields(const Schema& schema, int count) {
  arrow::FieldVector fields(schema->fields().begin(), schema->fields().begin() + count);
  fields.push_back(arrow::field(kSourceColumn, arrow::int32()));
  fields.push_back(arrow::field(kOffsetColumn, arrow::int64()));
  return arrow::schema(std::move(fields));
}

bool has_hidden(const arrow::Schema& schema) {
  const int count = schema.num_fields();
  return count > 2 && schema.field(count - 2)->name() == kSourceColumn &&
         schema.field(count - 1)->name() == kOffsetColumn;
}

/// A plan whose columns are those of the plan it was made of, with or without the two at the end.
struct Carried {
  PlanPtr plan;
  std::optional<Lineage> lineage = {};
};

PlanPtr project(PlanPtr input, std::vector<ExprPtr> exprs, Schema schema) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kProject;
  made->schema = std::move(schema);
  made->inputs = {std::move(input)};
  made->exprs = std::move(exprs);
  return made;
}

/// `partition` and topic as one number.
ExprPtr source_expr(const Lineage& lineage) {
  ExprPtr partition = column(lineage.partition, arrow::int32());
  if (lineage.topic <= 0) return partition;
  auto sum = expr_of(Expr::Kind::kCall, arrow::int32());
  sum->name = "+";
  sum->args = {std::move(partition), literal(arrow::MakeScalar(lineage.topic * kTopicStep))};
  return sum;
}

/// One flow's plan, from the root down; `extend` false where another column would change the
/// meaning of the node above.
class Carrier {
 public:
  Carrier(const Graph& graph, Flow& flow) : graph_(graph), flow_(flow) {}

  Carried carry(const PlanPtr& plan, bool extend) {
    const auto key = std::make_pair(plan.get(), extend);
    if (auto found = done_.find(key); found != done_.end()) return found->second;
    Carried made = carry_new(plan, extend);
    if (made.lineage) {
      made.lineage->schema = made.plan->schema;
      flow_.lineage.push_back(*made.lineage);
    }
    return done_.emplace(key, std::move(made)).first->second;
  }

 private:
  Carried carry_new(const PlanPtr& plan, bool extend) {
    switch (plan->kind) {
      case Plan::Kind::kSource:
        return source(plan, extend);
      case Plan::Kind::kProject:
        return projection(*plan, extend);
      case Plan::Kind::kUnionAll:
        return union_all(*plan, extend);
      case Plan::Kind::kExplode:
        return explode(*plan, extend);
      case Plan::Kind::kFilter:
      case Plan::Kind::kWatermark:
        return passed(*plan, carry(plan->inputs[0], extend));
      case Plan::Kind::kDistinct:
      case Plan::Kind::kTopN:
        return {with_inputs(*plan, false), carry(plan->inputs[0], false).lineage};
      case Plan::Kind::kAggregate:
        return {with_inputs(*plan, true)};
      case Plan::Kind::kJoin:
        return {with_inputs(*plan, false)};
    }
    return {plan};
  }

  Carried source(const PlanPtr& plan, bool extend) {
    const Flow::Input& input = flow_.inputs[static_cast<std::size_t>(plan->source)];
    const auto at = static_cast<std::size_t>(input.index);
    if (input.is_topic)
      return {plan, Lineage{.schema = {}, .partition = 3, .offset = 4, .topic = input.index}};
    const Table& table = graph_.tables[at];
    if (!table.hidden) return {plan, table.lineage};
    const int count = plan->schema->num_fields();
    auto wide = std::make_shared<Plan>(*plan);
    wide->schema = with_hidden_fields(plan->schema, count);
    if (extend) return {wide, Lineage{.schema = {}, .partition = count, .offset = count + 1}};
    return {project(wide, columns_of(*plan->schema, count), plan->schema)};
  }

  Carried projection(const Plan& plan, bool extend) {
    const Carried below = carry(plan.inputs[0], extend);
    auto made = std::make_shared<Plan>(plan);
    made->inputs = {below.plan};
    if (!below.lineage) return {made};
    Lineage kept = *below.lineage;
    kept.partition = kept.offset = -1;
    for (std::size_t i = 0; i < plan.exprs.size(); ++i) {
      if (plan.exprs[i]->kind != Expr::Kind::kColumn) continue;
      if (plan.exprs[i]->column == below.lineage->partition) kept.partition = static_cast<int>(i);
      if (plan.exprs[i]->column == below.lineage->offset) kept.offset = static_cast<int>(i);
    }
    if (kept.partition >= 0 && kept.offset >= 0) return {made, kept};
    if (!extend) return {made};
    const int count = plan.schema->num_fields();
    made->exprs.push_back(source_expr(*below.lineage));
    made->exprs.push_back(column(below.lineage->offset, arrow::int64()));
    made->schema = with_hidden_fields(plan.schema, count);
    return {made, Lineage{.schema = {}, .partition = count, .offset = count + 1}};
  }

  /// Rows of `width` columns with the two at the end, nulls where nothing is known.
  static PlanPtr widened(const Carried& below, int width) {
    if (has_hidden(*below.plan->schema)) return below.plan;
    std::vector<ExprPtr> exprs = columns_of(*below.plan->schema, width);
    exprs.push_back(below.lineage ? source_expr(*below.lineage)
                                  : literal(arrow::MakeNullScalar(arrow::int32())));
    exprs.push_back(below.lineage ? column(below.lineage->offset, arrow::int64())
                                  : literal(arrow::MakeNullScalar(arrow::int64())));
    return project(below.plan, std::move(exprs), with_hidden_fields(below.plan->schema, width));
  }

  Carried union_all(const Plan& plan, bool extend) {
    auto made = std::make_shared<Plan>(plan);
    if (!extend) return {with_inputs(plan, false)};
    const int width = plan.schema->num_fields();
    bool any = false;
    for (const PlanPtr& input : plan.inputs) any = any || carry(input, true).lineage;
    if (!any) return {with_inputs(plan, true)};
    for (PlanPtr& input : made->inputs) input = widened(carry(input, true), width);
    made->schema = with_hidden_fields(plan.schema, width);
    return {made, Lineage{.schema = {}, .partition = width, .offset = width + 1}};
  }

  /// The element comes after the input's columns: the two go behind it again.
  Carried explode(const Plan& plan, bool extend) {
    const Carried below = carry(plan.inputs[0], extend);
    auto made = std::make_shared<Plan>(plan);
    made->inputs = {below.plan};
    const int before = plan.inputs[0]->schema->num_fields(), all = plan.schema->num_fields();
    if (below.plan->schema->num_fields() == before) return {made, below.lineage};
    arrow::FieldVector fields = below.plan->schema->fields();
    for (int i = before; i < all; ++i) fields.push_back(plan.schema->field(i));
    made->schema = arrow::schema(std::move(fields));
    std::vector<ExprPtr> exprs = columns_of(*plan.schema, before);
    for (int i = before; i < all; ++i)
      exprs.push_back(column(i + 2, plan.schema->field(i)->type()));
    exprs.push_back(column(before, arrow::int32()));
    exprs.push_back(column(before + 1, arrow::int64()));
    return {project(made, std::move(exprs), with_hidden_fields(plan.schema, all)),
            Lineage{.schema = {}, .partition = all, .offset = all + 1}};
  }

  static Carried passed(const Plan& plan, const Carried& below) {
    auto made = std::make_shared<Plan>(plan);
    made->inputs = {below.plan};
    made->schema = has_hidden(*below.plan->schema)
                       ? with_hidden_fields(plan.schema, plan.schema->num_fields())
                       : plan.schema;
    return {made, below.lineage};
  }

  PlanPtr with_inputs(const Plan& plan, bool extend) {
    auto made = std::make_shared<Plan>(plan);
    for (PlanPtr& input : made->inputs) input = carry(input, extend).plan;
    return made;
  }

  const Graph& graph_;
  Flow& flow_;
  std::map<std::pair<const Plan*, bool>, Carried> done_;
};

/// What all flows of a table, each with its lineage at the root, say about its rows.
void settle_table(Table& table, const std::vector<std::optional<Lineage>>& roots) {
  bool hidden = !roots.empty(), same = !roots.empty();
  for (const auto& root : roots) {
    hidden = hidden && root && has_hidden(*root->schema);
    same = same && root && roots[0] && root->topic >= 0 && root->topic == roots[0]->topic &&
           root->partition == roots[0]->partition && root->offset == roots[0]->offset;
  }
  table.hidden = hidden;
  if (same && !hidden) table.lineage = roots[0];
}

}  // namespace

void carry_lineage(Graph& graph) {
  std::vector<std::vector<std::optional<Lineage>>> roots(graph.tables.size());
  std::vector<int> left(graph.tables.size(), 0);
  for (const Flow& flow : graph.flows) ++left[static_cast<std::size_t>(flow.table)];
  for (Flow& flow : graph.flows) {
    // What a serving keeps has the table's columns and no more.
    const Carried root = Carrier(graph, flow).carry(flow.plan.root, flow.kept_by < 0);
    flow.plan.root = root.plan;
    flow.hidden = has_hidden(*root.plan->schema);
    const auto table = static_cast<std::size_t>(flow.table);
    roots[table].push_back(root.lineage);
    // Whoever reads a table stands after all its flows; until then its rows have no lineage.
    if (--left[table] == 0) settle_table(graph.tables[table], roots[table]);
  }
}

std::optional<RecordPlace> record_of(const Flow& flow, const arrow::RecordBatch& row) {
  for (const Lineage& lineage : flow.lineage) {
    if (!lineage.schema->Equals(*row.schema(), false)) continue;
    const auto& partition = *row.column(lineage.partition);
    const auto& offset = *row.column(lineage.offset);
    if (row.num_rows() != 1 || partition.IsNull(0) || offset.IsNull(0)) return std::nullopt;
    const std::int32_t source = static_cast<const arrow::Int32Array&>(partition).Value(0);
    const std::int64_t at = static_cast<const arrow::Int64Array&>(offset).Value(0);
    if (lineage.topic >= 0) return RecordPlace{lineage.topic, source, at};
    return RecordPlace{source / kTopicStep, source % kTopicStep, at};
  }
  return std::nullopt;
}

Batch without_hidden(const Batch& rows) {
  if (!rows) return rows;
  std::vector<int> keep(static_cast<std::size_t>(rows->num_columns() - 2));
  std::iota(keep.begin(), keep.end(), 0);
  return rows->SelectColumns(keep).ValueOrDie();
}

Batch shown_row(const Batch& row) {
  return has_hidden(*row->schema()) ? without_hidden(row) : row;
}

Result<Batch> with_unknown_hidden(const Batch& rows) {
  std::vector<Array> columns = rows->columns();
  for (const Type& type : {arrow::int32(), arrow::int64()}) {
    ASSIGN(auto nulls, from_arrow(arrow::MakeArrayOfNull(type, rows->num_rows())));
    columns.push_back(std::move(nulls));
  }
  return arrow::RecordBatch::Make(with_hidden_fields(rows->schema(), rows->num_columns()),
                                  rows->num_rows(), std::move(columns));
}

}  // namespace tailrace::pipeline
