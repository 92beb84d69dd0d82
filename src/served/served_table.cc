#include "served/served_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "kv/store.h"

namespace tailrace::served {
namespace {

constexpr std::int64_t kMicrosPerMilli = 1000;

bool is_time(const Shape& shape) {
  return shape.form == Shape::Form::kTimestamp;
}

}  // namespace

/// Turns batches into CQL's rows.
class ServedTable::Reader {
 public:
  Reader(const ServedTable& table, bool backwards, const Visit& visit)
      : definition_(table.definition_),
        keys_(table.key_columns()),
        backwards_(backwards),
        holds_(table.has_times_),
        visit_(visit),
        row_(definition_.shapes.size()) {}

  Result<bool> take(const Batch& batch) {
    columns_.clear();
    for (const int place : definition_.places) {
      ASSIGN(auto view, view_column(*batch->column_data(place)));
      columns_.push_back(std::move(view));
    }
    for (std::int64_t i = 0; i < batch->num_rows(); ++i) {
      if (null_in_key(i)) continue;
      TRY(check_times(i));
      fill(i);
      if (!(holds_ ? hold() : visit_(row_))) return false;
    }
    return true;
  }
  /// The row that was held back, if there is one.
  void finish() {
    if (held_) visit_(*held_);
  }

 private:
  bool null_in_key(std::int64_t i) const {
    for (std::size_t c = 0; c < keys_; ++c)
      if (columns_[c].is_null(i)) return true;
    return false;
  }
  Status check_times(std::int64_t i) const {
    if (!holds_) return {};
    for (std::size_t c = 0; c + 1 < keys_; ++c) {
      if (!is_time(definition_.shapes[c])) continue;
      std::int64_t micros = 0;
      std::memcpy(&micros, columns_[c].fixed(i, sizeof micros), sizeof micros);
      if (micros % kMicrosPerMilli == 0) continue;
      const auto& table = definition_.table;
      return error(
          Code::kFailedPrecondition,
          fmt::format("{}.{}: key column {} has parts of a millisecond, which CQL's "
                      "timestamps cannot tell: make it date_trunc('MILLISECOND', …) in the "
                      "table's SQL",
                      table.keyspace, table.name, table.columns[c].name));
    }
    return {};
  }
  void fill(std::int64_t i) {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      auto& value = row_[c];
      if (columns_[c].is_null(i)) {
        value.reset();
        continue;
      }
      if (value) {
        value->clear();
      } else {
        value.emplace();
      }
      // Nulls within a key make it another key.
      const bool key = static_cast<int>(c) < definition_.table.key_columns();
      append_value(definition_.shapes[c], columns_[c], i, *value,
                   key ? Nulls::kKept : Nulls::kLeftOut);
    }
  }
  /// Keeps the row back until the next has another key; of equal keys the greatest in the table's
  /// order counts.
  bool hold() {
    bool more = true;
    if (held_) {
      const auto end = held_->begin() + static_cast<std::ptrdiff_t>(keys_);
      const bool same = std::equal(held_->begin(), end, row_.begin());
      if (same && backwards_) return true;
      if (!same) more = visit_(*held_);
    } else {
      held_.emplace(row_.size());
    }
    std::swap(*held_, row_);
    if (!more) held_.reset();
    return more;
  }

  const Definition& definition_;
  std::size_t keys_;
  bool backwards_, holds_;
  const Visit& visit_;
  cql_schema::Values row_;
  std::optional<cql_schema::Values> held_;
  std::vector<ColumnView> columns_;
};

ServedTable::ServedTable(std::shared_ptr<const table::KeyedTable> table, Definition definition)
    : table_(std::move(table)), definition_(std::move(definition)) {
  has_times_ =
      std::any_of(definition_.shapes.begin(),
                  definition_.shapes.begin() + static_cast<std::ptrdiff_t>(key_columns()), is_time);
}

std::size_t ServedTable::key_columns() const {
  return static_cast<std::size_t>(definition_.table.key_columns());
}

std::optional<ServedTable::Range> ServedTable::range_of(
    std::span<const std::string_view> key) const {
  Range range;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const bool last = i + 1 == key_columns();
    const std::size_t before = range.from.size();
    if (!append_key_of(definition_.shapes[i], key[i], range.from)) return std::nullopt;
    if (!last || !is_time(definition_.shapes[i])) continue;
    // The moments of this millisecond.
    range.to.assign(range.from, 0, before);
    std::string next;
    append_be(next, load_be<std::int64_t>(key[i].data()) + 1);
    if (append_key_of(definition_.shapes[i], next, range.to)) return range;
  }
  range.to = kv::prefix_end(range.from);
  return range;
}

Status ServedTable::replaced() const {
  if (!table_->replaced()) return {};
  return error(Code::kUnavailable, fmt::format("{}.{} is being made anew: ask again",
                                               definition_.table.keyspace, definition_.table.name));
}

Status ServedTable::read(std::string_view from, std::string_view to, bool backwards,
                         const Visit& visit) const {
  TRY(replaced());
  Reader reader(*this, backwards, visit);
  const Status read = table_->scan_encoded(from, to, backwards,
                                           [&](const Batch& batch) { return reader.take(batch); });
  TRY(replaced());
  TRY(read);
  reader.finish();
  return {};
}

Status ServedTable::read_one(const std::string& key, const Visit& visit) const {
  TRY(replaced());
  const auto found = table_->get_encoded(std::span(&key, 1));
  TRY(replaced());
  if (!found) return std::unexpected(found.error());
  Reader reader(*this, false, visit);
  ASSIGN(const bool more, reader.take(*found));
  if (more) reader.finish();
  return {};
}

Status ServedTable::rows(std::span<const std::string_view> key,
                         std::span<const std::string_view> after, bool backwards,
                         const Visit& visit) const {
  auto range = range_of(key);
  if (!range) return {};
  if (!after.empty()) {
    ASSIGN(Range before, range_of_after(after));
    (backwards ? range->to : range->from) = std::move(backwards ? before.from : before.to);
  } else if (key.size() == key_columns() && !has_times_) {
    return read_one(range->from, visit);
  }
  return read(range->from, range->to, backwards, visit);
}

Status ServedTable::scan(std::span<const std::string_view> after, const Visit& visit) const {
  if (after.empty()) return read({}, {}, false, visit);
  ASSIGN(const Range before, range_of_after(after));
  return read(before.to, {}, false, visit);
}

Result<ServedTable::Range> ServedTable::range_of_after(
    std::span<const std::string_view> key) const {
  if (auto range = range_of(key)) return std::move(*range);
  return error(Code::kInvalidArgument,
               fmt::format("{}.{}: no row has the key to go on after", definition_.table.keyspace,
                           definition_.table.name));
}

}  // namespace tailrace::served
