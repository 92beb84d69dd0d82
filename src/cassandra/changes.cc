#include "cassandra/changes.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "cql_types/parts.h"

namespace tailrace::cassandra {
namespace {

/// What a change takes beside its bytes, about.
constexpr std::size_t kChangeBytes = 96;
constexpr std::int64_t kMicrosPerMilli = 1000;

}  // namespace

Result<RowEncoder> RowEncoder::make(const served::Definition& definition,
                                    const arrow::Schema& schema, const arrow::RecordBatch& rows) {
  RowEncoder encoder(definition);
  for (const int place : definition.places) {
    const auto column = rows.GetColumnByName(schema.field(place)->name());
    if (!column) {
      encoder.columns_.push_back({.kind = ColumnView::Kind::kNull, .children = {}});
      continue;
    }
    ASSIGN(auto view, view_column(*column->data()));
    encoder.columns_.push_back(std::move(view));
  }
  return encoder;
}

void RowEncoder::append(std::size_t column, std::int64_t row, std::string& out) const {
  if (columns_[column].is_null(row)) return cql_types::append_part(out, std::nullopt);
  const std::size_t at = out.size();
  append_be(out, std::int32_t{0});
  served::append_value(definition_.shapes[column], columns_[column], row, out,
                       served::Nulls::kLeftOut);
  store_be(out.data() + at, static_cast<std::int32_t>(out.size() - at - sizeof(std::int32_t)));
}

bool RowEncoder::encode_key(std::int64_t row, std::string& key) const {
  const auto columns = static_cast<std::size_t>(definition_.table.key_columns());
  for (std::size_t c = 0; c < columns; ++c) {
    if (columns_[c].is_null(row)) return false;
    if (definition_.shapes[c].form == served::Shape::Form::kTimestamp) {
      std::int64_t micros = 0;
      std::memcpy(&micros, columns_[c].fixed(row, sizeof micros), sizeof micros);
      if (micros % kMicrosPerMilli != 0) return false;
    }
    append(c, row, key);
  }
  return !partition_of(key, static_cast<std::size_t>(definition_.table.partition_columns)).empty();
}

void RowEncoder::encode_rest(std::int64_t row, std::string& rest) const {
  for (auto c = static_cast<std::size_t>(definition_.table.key_columns()); c < columns_.size(); ++c)
    append(c, row, rest);
}

Status Changes::take(const served::Definition& definition, const arrow::Schema& schema,
                     const Delta& delta) {
  if (delta.empty()) return {};
  ASSIGN(const auto encoder, RowEncoder::make(definition, schema, *delta.rows));
  for (const bool adding : {false, true})
    for (std::int64_t row = 0; row < delta.size(); ++row) {
      if ((delta.weight(row) > 0) != adding || delta.weight(row) == 0) continue;
      std::string key;
      if (!encoder.encode_key(row, key)) {
        if (adding) ++left_out_;
        continue;
      }
      Change change{.rest = {}, .removed = !adding};
      if (adding) encoder.encode_rest(row, change.rest);
      put(std::move(key), std::move(change));
    }
  return {};
}

void Changes::put(std::string key, Change change) {
  const std::size_t size = key.size() + kChangeBytes;
  bytes_ += change.rest.size();
  const auto [found, fresh] = changes_.try_emplace(std::move(key));
  bytes_ += fresh ? size : 0;
  bytes_ -= found->second.rest.size();
  found->second = std::move(change);
}

void Changes::drain(std::size_t partition_columns, std::size_t bytes,
                    const std::function<void(std::vector<ChangedRow>)>& visit) {
  struct Placed {
    std::string partition;
    ChangedRow row;
  };
  std::vector<Placed> all;
  all.reserve(changes_.size());
  for (auto& [key, change] : changes_)
    all.push_back(
        {partition_of(key, partition_columns), {key, std::move(change.rest), change.removed}});
  changes_.clear();
  bytes_ = 0;
  std::ranges::sort(all, {}, &Placed::partition);
  std::vector<ChangedRow> part;
  std::size_t size = 0;
  for (Placed& one : all) {
    size += one.row.key.size() + one.row.rest.size();
    part.push_back(std::move(one.row));
    if (size < bytes) continue;
    visit(std::exchange(part, {}));
    size = 0;
  }
  if (!part.empty()) visit(std::move(part));
}

}  // namespace tailrace::cassandra
