#include "schema/rows.h"

namespace tailrace::schema {
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

void Rows::append_null() {
  for (auto& column : columns_) column->append_null();
  ++size_;
}

Batch Rows::finish() {
  arrow::ArrayVector arrays;
  for (auto& column : columns_) arrays.push_back(column->finish());
  auto batch = arrow::RecordBatch::Make(schema_, size_, std::move(arrays));
  size_ = 0;
  return batch;
}

void Rows::drop_row() {
  for (auto& column : columns_) column->truncate(size_);
}

}  // namespace tailrace::schema
