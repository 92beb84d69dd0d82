#include "schema/avro/decoder.h"

#include <algorithm>

#include "base/check.h"
#include "schema/avro/interpreter.h"

namespace tailrace::schema::avro {
namespace {

void add_depth_first(ColumnBuilder& column, std::vector<ColumnBuilder*>& all) {
  all.push_back(&column);
  for (auto& child : column.children()) add_depth_first(*child, all);
}

}  // namespace

Result<Rows> Rows::make(const Schema& columns) {
  Rows rows;
  rows.schema_ = columns;
  for (const auto& field : columns->fields()) {
    ASSIGN(auto column, ColumnBuilder::make(field->type()));
    add_depth_first(*column, rows.all_);
    rows.columns_.push_back(std::move(column));
  }
  rows.all_.push_back(nullptr);  // what steps without a column name, where there are no columns
  return rows;
}

Batch Rows::finish() {
  arrow::ArrayVector arrays;
  for (auto& column : columns_) arrays.push_back(column->finish());
  auto batch = arrow::RecordBatch::Make(schema_, size_, std::move(arrays));
  size_ = 0;
  return batch;
}

Result<Decoder> Decoder::make(const AvroSchema& writer, const AvroSchema& reader) {
  Decoder decoder;
  ASSIGN(Plan plan, make_plan(writer, reader));
  decoder.plan_ = std::make_shared<const Plan>(std::move(plan));
  return decoder;
}

void Decoder::append(std::span<const Bytes> records, Rows& rows,
                     std::vector<BadRecord>& bad) const {
  CHECK(rows.schema_->Equals(*plan_->columns));
  Interpreter interpreter(*plan_, rows.all_.data());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (interpreter.run(records[i])) [[likely]] {
      ++rows.size_;
      continue;
    }
    bad.push_back({i, interpreter.why()});
    for (auto& column : rows.columns_) column->truncate(rows.size_);
  }
}

}  // namespace tailrace::schema::avro
