// Test tables: JSON lines become rows by the engine's own from_json.
#include "sql/testing/tables.h"

#include <unistd.h>

#include <filesystem>

#include "sql/bind/make.h"
#include "sql/parser.h"

namespace tailrace::sql::testing {

Status Tables::add(const std::string& name, const std::string& ddl,
                   const std::vector<std::string>& json_lines, RelationInfo::Kind kind) {
  arrow::StringBuilder lines;
  for (const auto& line : json_lines) TRY(from_arrow(lines.Append(line)));
  ASSIGN(auto values, from_arrow(lines.Finish()));
  const auto schema = arrow::schema({arrow::field("value", arrow::utf8())});
  const auto batch = arrow::RecordBatch::Make(schema, values->length(), {values});
  std::string quoted;
  for (const char c : ddl) quoted += c == '\'' ? std::string("\\'") : std::string(1, c);
  ASSIGN(const auto parse, bind_expression("from_json(value, '" + quoted + "')", schema));
  engine::EvalContext context;
  ASSIGN(auto parsed, engine::evaluate(*parse, *batch, context));
  const auto& rows = static_cast<const arrow::StructArray&>(*parsed);
  ASSIGN(auto columns, from_arrow(rows.Flatten()));
  Table table;
  table.info.kind = kind;
  table.info.name = name;
  table.info.schema = arrow::schema(parse->type->fields());
  table.rows = arrow::RecordBatch::Make(table.info.schema, rows.length(), std::move(columns));
  tables_[lower(name)] = std::move(table);
  return {};
}

void Tables::add_view(const Statement* statement) {
  Table table;
  table.info.kind = RelationInfo::Kind::kTemporaryView;
  table.info.name = statement->name.text();
  table.info.view = statement;
  tables_[lower(table.info.name)] = std::move(table);
}

std::optional<RelationInfo> Tables::find(const std::vector<std::string>& parts) const {
  const auto at = tables_.find(lower(parts.back()));
  if (at == tables_.end()) return std::nullopt;
  return at->second.info;
}

std::vector<std::string> Tables::names() const {
  std::vector<std::string> names;
  for (const auto& [name, table] : tables_) names.push_back(table.info.name);
  return names;
}

Batch Tables::rows(const std::string& name) const {
  if (name == kOneRow) {
    return arrow::RecordBatch::Make(
        arrow::schema({arrow::field("one", arrow::int32(), false)}), 1,
        {arrow::MakeArrayFromScalar(arrow::Int32Scalar(1), 1).ValueOrDie()});
  }
  const auto at = tables_.find(lower(name));
  return at == tables_.end() ? nullptr : at->second.rows;
}

namespace {

// A row of weight 2 is two rows.
Result<Batch> spread(const Delta& delta, const Schema& schema) {
  std::vector<Batch> pieces;
  for (std::int64_t row = 0; row < delta.size(); ++row) {
    if (delta.weight(row) < 0) return error(Code::kInternal, "a row of negative weight came out");
    for (Weight copy = 0; copy < delta.weight(row); ++copy)
      pieces.push_back(delta.rows->Slice(row, 1));
  }
  ASSIGN(auto table, from_arrow(arrow::Table::FromRecordBatches(schema, pieces)));
  return from_arrow(table->CombineChunksToBatch());
}

}  // namespace

Result<Batch> run(const engine::FlowPlan& plan, const Tables& tables) {
  std::string folder = std::filesystem::temp_directory_path() / "tailrace_sql_XXXXXX";
  if (!mkdtemp(folder.data())) return error(Code::kUnavailable, "no folder for the test's store");
  auto result = [&]() -> Result<Batch> {
    ASSIGN(const auto store, kv::Store::open(folder));
    ASSIGN(const auto circuit, engine::Circuit::make(plan, *store, "t/"));
    std::vector<Delta> inputs;
    for (const auto& name : plan.inputs) inputs.push_back({tables.rows(name), {}});
    ASSIGN(const auto out, circuit->step(inputs, 1'700'000'000'000'000));
    if (!out.rejects.empty())
      return error(Code::kInvalidArgument, "rejected: " + out.rejects[0].reason);
    return spread(out.delta, plan.root->schema);
  }();
  std::filesystem::remove_all(folder);
  return result;
}

Result<std::vector<std::string>> as_text(const arrow::RecordBatch& rows, int columns) {
  std::vector<std::string> lines(static_cast<std::size_t>(rows.num_rows()));
  for (int column = 0; column < columns; ++column) {
    const auto& type = rows.schema()->field(column)->type();
    const auto cast = as_type(make_column(column, type), arrow::utf8());
    engine::EvalContext context;
    ASSIGN(const auto values, engine::evaluate(*cast, rows, context));
    const auto& texts = static_cast<const arrow::StringArray&>(*values);
    for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
      auto& line = lines[static_cast<std::size_t>(row)];
      if (column > 0) line += " | ";
      if (texts.IsNull(row)) {
        line += "NULL";
        continue;
      }
      for (const char c : texts.GetView(row))
        line += c == '\n' ? std::string("\\n") : c == '\t' ? std::string("\\t") : std::string(1, c);
    }
  }
  return lines;
}

}  // namespace tailrace::sql::testing
