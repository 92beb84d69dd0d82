// Arrays made by choosing elements: rows are lists of places in one array of values, which is
// gathered once at the end.
#pragma once

#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>

#include <vector>

#include "engine/functions/compare_rows.h"
#include "engine/functions/value.h"

namespace tailrace::engine {

/// A list argument read by row.
class Lists {
 public:
  explicit Lists(const Value& value)
      : nulls(value), value_(value), list_(static_cast<const arrow::ListArray&>(*value.array)) {}
  std::int64_t begin(std::int64_t row) const { return list_.value_offset(value_.at(row)); }
  std::int64_t end(std::int64_t row) const { return list_.value_offset(value_.at(row) + 1); }
  std::int64_t size(std::int64_t row) const { return end(row) - begin(row); }
  const Array& values() const { return values_; }
  bool is_null(std::int64_t place) const { return values_->IsNull(place); }
  Nulls nulls;

 private:
  const Value& value_;
  const arrow::ListArray& list_;
  Array values_ = list_.values();
};

/// Equal as Spark's `<=>` of elements.
inline bool same_elements(const arrow::Array& a, std::int64_t i, const arrow::Array& b,
                          std::int64_t j) {
  const bool a_null = a.IsNull(i);
  const bool b_null = b.IsNull(j);
  if (a_null || b_null) return a_null && b_null;
  return compare_elements(a, i, b, j) == 0;
}

class ListMaker {
 public:
  explicit ListMaker(std::int64_t rows)
      : rows_(rows), nulls_(rows), offsets_(arrow::int32(), rows + 1) {
    offsets_.set(0, 0);
  }
  /// The place of an element of the row being made; -1 is null.
  void add(std::int64_t place) { places_.push_back(place); }
  std::size_t size() const { return places_.size(); }
  void end_row(std::int64_t row) {
    offsets_.set(row + 1, static_cast<std::int32_t>(places_.size()));
  }
  void null_row(std::int64_t row) {
    nulls_.set_null(row);
    end_row(row);
  }
  Result<Array> finish(const Type& type, const arrow::Array& values) {
    Sink<std::int64_t> wanted(arrow::int64(), static_cast<std::int64_t>(places_.size()));
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      places_[i] < 0 ? wanted.null(row) : wanted.set(row, places_[i]);
    }
    ASSIGN(Array at, wanted.finish());
    ASSIGN(Array taken, from_arrow(arrow::compute::Take(
                            values, *at, arrow::compute::TakeOptions::NoBoundsCheck())));
    return finish_with(type, std::move(taken));
  }
  /// With elements made elsewhere, one for each add().
  Result<Array> finish_with(const Type& type, Array elements) {
    ASSIGN(Array starts, offsets_.finish());
    return arrow::MakeArray(arrow::ArrayData::Make(type, rows_,
                                                   {nulls_.bits(), starts->data()->buffers[1]},
                                                   {elements->data()}, nulls_.count()));
  }

 private:
  std::int64_t rows_;
  NullBits nulls_;
  Sink<std::int32_t> offsets_;
  std::vector<std::int64_t> places_;
};

}  // namespace tailrace::engine
