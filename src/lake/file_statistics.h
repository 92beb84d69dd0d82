// Statistics of a data file for its add action: {"numRecords", "minValues", "maxValues",
// "nullCount"}.
//
// Of the first 32 columns that are not nested. Strings are cut to 32 characters, a cut maximum is
// rounded up (or left out), so that every value lies between the two. A column with NaN has
// neither.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "columns/types.h"

namespace tailrace::lake {

class FileStatistics {
 public:
  explicit FileStatistics(Schema schema);
  /// `rows` has the schema's columns.
  void add(const arrow::RecordBatch& rows);
  std::int64_t rows() const { return rows_; }
  std::string to_json() const;

  struct Column {
    std::int64_t nulls = 0;
    bool any = false;
    bool usable = true;  ///< min and max may be given
    std::int64_t low = 0;
    std::int64_t high = 0;
    double low_real = 0;
    double high_real = 0;
    std::string low_text;
    std::string high_text;
    arrow::Decimal128 low_decimal;
    arrow::Decimal128 high_decimal;
  };

 private:
  Schema schema_;
  std::int64_t rows_ = 0;
  std::vector<Column> columns_;
};

}  // namespace tailrace::lake
