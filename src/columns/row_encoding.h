// How encoders fill EncodedRows: measure every row column by column, lay the rows out, then write
// column by column.
#pragma once

#include "columns/row_codec.h"

namespace tailrace {

/// sizes → lay_out → cursors: each column writes a row's bytes at cursors[row] and moves it on.
class RowEncoding {
 public:
  explicit RowEncoding(std::int64_t rows) : sizes(rows, 0) {}

  /// Turns sizes into places; afterwards `cursors` are valid.
  void lay_out() {
    encoded_.offsets_.resize(sizes.size() + 1);
    cursors.resize(sizes.size());
    std::uint64_t total = 0;
    for (std::size_t row = 0; row < sizes.size(); ++row) {
      encoded_.offsets_[row] = total;
      total += sizes[row];
    }
    encoded_.offsets_[sizes.size()] = total;
    encoded_.arena_ = std::make_unique_for_overwrite<char[]>(total);
    char* arena = encoded_.arena_.get();
    for (std::size_t row = 0; row < sizes.size(); ++row) {
      cursors[row] = arena + encoded_.offsets_[row];
    }
  }
  EncodedRows finish() { return std::move(encoded_); }

  std::vector<std::uint32_t> sizes;
  std::vector<char*> cursors;

 private:
  EncodedRows encoded_;
};

}  // namespace tailrace
