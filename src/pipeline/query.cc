#include "pipeline/query.h"

#include <arrow/compute/api.h>

#include <algorithm>
#include <numeric>

#include "engine/circuit.h"
#include "engine/deadline.h"
#include "kv/memory_store.h"
#include "pipeline/names.h"

namespace tailrace::pipeline {
namespace {

class QueryCatalog : public sql::Catalog {
 public:
  explicit QueryCatalog(const std::vector<QueryRelation>& relations) : relations_(relations) {}

  std::optional<sql::RelationInfo> find(const std::vector<std::string>& parts) const override {
    std::string whole;
    for (const std::string& part : parts) whole += (whole.empty() ? "" : ".") + part;
    for (const std::string& name : {whole, parts.back()})
      for (const QueryRelation& relation : relations_)
        if (same_name(relation.name, name))
          return sql::RelationInfo{sql::RelationInfo::Kind::kMaterializedView, relation.name,
                                   relation.schema};
    return std::nullopt;
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const QueryRelation& relation : relations_) all.push_back(relation.name);
    return all;
  }

 private:
  const std::vector<QueryRelation>& relations_;
};

Result<Batch> text_rows(const Schema& schema, const std::vector<std::vector<std::string>>& rows) {
  std::vector<Array> columns;
  for (int c = 0; c < schema->num_fields(); ++c) {
    arrow::StringBuilder builder;
    for (const auto& row : rows) TRY(from_arrow(builder.Append(row[static_cast<std::size_t>(c)])));
    Array column;
    TRY(from_arrow(builder.Finish(&column)));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, static_cast<std::int64_t>(rows.size()), columns);
}

Result<QueryResult> text_result(const std::vector<std::string>& names,
                                const std::vector<std::vector<std::string>>& rows) {
  std::vector<Field> fields;
  for (const std::string& name : names) fields.push_back(arrow::field(name, arrow::utf8()));
  const Schema schema = arrow::schema(fields);
  ASSIGN(auto batch, text_rows(schema, rows));
  return QueryResult{schema, {std::move(batch)}, false};
}

Result<QueryResult> describe(const sql::Statement& statement, const QueryCatalog& catalog) {
  const auto found = catalog.find(statement.name.parts);
  if (!found)
    return error(Code::kNotFound,
                 statement.place() + ": there is no table `" + statement.name.text() + "`");
  std::vector<std::vector<std::string>> rows;
  for (const Field& field : found->schema->fields())
    rows.push_back({field->name(), spark_name(*field->type())});
  return text_result({"col_name", "data_type"}, rows);
}

/// Sums the circuit's output deltas into rows.
class Sum {
 public:
  explicit Sum(Schema schema) : schema_(std::move(schema)) {}

  Status add(const Delta& delta) {
    if (delta.empty()) return {};
    ASSIGN(const EncodedRows rows, encode_rows(*delta.rows));
    for (std::int64_t i = 0; i < delta.size(); ++i) {
      auto [at, fresh] = index_.try_emplace(std::string(rows[i]), weights_.size());
      if (fresh) weights_.push_back(0);
      weights_[at->second] += delta.weight(i);
    }
    return {};
  }

  Result<Batch> finish() {
    std::vector<const std::string*> rows(weights_.size());
    for (const auto& [row, at] : index_) rows[at] = &row;
    RowDecoder decoder(schema_);
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (Weight w = 0; w < weights_[i]; ++w) decoder.append(*rows[i]);
    return decoder.finish();
  }

 private:
  Schema schema_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Weight> weights_;
};

Result<Batch> sorted(Batch rows, const std::vector<KeyColumn>& order) {
  if (order.empty() || rows->num_rows() < 2) return rows;
  ASSIGN(const EncodedRows keys, encode_keys(*rows, order));
  std::vector<std::int64_t> places(static_cast<std::size_t>(rows->num_rows()));
  std::iota(places.begin(), places.end(), 0);
  std::ranges::stable_sort(places,
                           [&](std::int64_t a, std::int64_t b) { return keys[a] < keys[b]; });
  const auto indices = std::make_shared<arrow::Int64Array>(
      rows->num_rows(), arrow::Buffer::FromVector(std::move(places)));
  ASSIGN(auto taken, from_arrow(arrow::compute::Take(rows, indices)));
  return taken.record_batch();
}

Result<Batch> visible(const Batch& rows, int columns) {
  std::vector<int> keep(static_cast<std::size_t>(columns));
  std::iota(keep.begin(), keep.end(), 0);
  return from_arrow(rows->SelectColumns(keep));
}

/// Gives the rows of a relation to `visit`; a relation without any is told in `notes`.
Status feed(const std::string& name, const std::vector<QueryRelation>& relations,
            const std::function<Status(const Batch&)>& visit, std::vector<std::string>& notes) {
  if (name == sql::kOneRow) {
    ASSIGN(auto column, from_arrow(arrow::MakeArrayFromScalar(arrow::Int32Scalar(1), 1)));
    return visit(arrow::RecordBatch::Make(arrow::schema({arrow::field("one", arrow::int32())}), 1,
                                          {column}));
  }
  for (const QueryRelation& relation : relations) {
    if (!same_name(relation.name, name)) continue;
    std::int64_t read = 0;
    TRY(relation.scan([&](const Batch& rows) {
      read += rows->num_rows();
      return visit(rows);
    }));
    if (read == 0 && relation.why_empty)
      if (std::string why = relation.why_empty(); !why.empty()) notes.push_back(std::move(why));
    return {};
  }
  return error(Code::kNotFound, "there is no table `" + name + "`");
}

Result<QueryResult> select(const sql::Statement& statement, const QueryCatalog& catalog,
                           const std::vector<QueryRelation>& relations, std::int64_t now_us,
                           std::int64_t max_rows) {
  ASSIGN(sql::QueryPlan plan, sql::bind_query(statement, catalog));
  const std::vector<std::string> inputs = plan.flow.inputs;
  const Schema schema = plan.flow.root->schema;
  kv::MemoryStore store;
  ASSIGN(auto circuit, engine::Circuit::make(plan.flow, store, "q"));
  Sum sum(schema);
  const auto step = [&](std::vector<Delta> deltas) -> Status {
    ASSIGN(auto output, circuit->step(deltas, now_us));
    for (const engine::Reject& reject : output.rejects)
      if (reject.kind == engine::Reject::Kind::kError)
        return error(Code::kInvalidArgument, reject.reason);
    return sum.add(output.delta);
  };
  TRY(step(std::vector<Delta>(inputs.size())));
  std::vector<std::string> notes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto add = [&](const Batch& rows) -> Status {
      std::vector<Delta> deltas(inputs.size());
      deltas[i].rows = rows;
      return step(std::move(deltas));
    };
    TRY(feed(inputs[i], relations, add, notes));
  }
  TRY(engine::Deadline::check());
  ASSIGN(auto rows, sum.finish());
  TRY(engine::Deadline::check());
  ASSIGN(rows, sorted(std::move(rows), plan.order));
  ASSIGN(rows, visible(rows, plan.visible_columns));
  QueryResult result{rows->schema(), {}, rows->num_rows() > max_rows, std::move(notes)};
  result.rows.push_back(rows->Slice(0, std::min(rows->num_rows(), max_rows)));
  return result;
}

}  // namespace

Result<std::optional<Schema>> check_query(std::string_view text, const std::string& file,
                                          const std::vector<QueryRelation>& relations) {
  ASSIGN(const sql::Statement statement, sql::parse_query(text, file));
  if (statement.kind != sql::Statement::Kind::kSelect)
    return error(Code::kInvalidArgument, statement.place() + ": it is to be a SELECT");
  for (const sql::Reference& read : sql::references(statement))
    if (read.name.parts.size() > 1 && same_name(read.name.parts.front(), "system"))
      return std::nullopt;
  const QueryCatalog catalog(relations);
  ASSIGN(const sql::QueryPlan plan, sql::bind_query(statement, catalog));
  std::vector<Field> fields = plan.flow.root->schema->fields();
  fields.resize(static_cast<std::size_t>(plan.visible_columns));
  return arrow::schema(std::move(fields));
}

Result<QueryResult> run_query(std::string_view text, const std::vector<QueryRelation>& relations,
                              std::int64_t now_us, std::int64_t max_rows,
                              std::optional<std::chrono::steady_clock::time_point> until) {
  const engine::Deadline deadline(until);
  ASSIGN(const sql::Statement statement, sql::parse_query(text));
  const QueryCatalog catalog(relations);
  switch (statement.kind) {
    case sql::Statement::Kind::kShowTables: {
      std::vector<std::vector<std::string>> rows;
      for (const QueryRelation& relation : relations) rows.push_back({relation.name});
      return text_result({"tableName"}, rows);
    }
    case sql::Statement::Kind::kDescribe:
      return describe(statement, catalog);
    case sql::Statement::Kind::kExplain: {
      ASSIGN(const sql::QueryPlan plan, sql::bind_query(statement, catalog));
      return text_result({"plan"}, {{sql::explain(plan.flow)}});
    }
    case sql::Statement::Kind::kSelect:
      return select(statement, catalog, relations, now_us, max_rows);
    default:
      return error(
          Code::kInvalidArgument,
          statement.place() +
              ": the shell takes SELECT, SHOW TABLES, DESCRIBE and EXPLAIN; tables are made in "
              "the project's SQL files");
  }
}

}  // namespace tailrace::pipeline
