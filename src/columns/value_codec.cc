// Compact rows. Grammar: row = nulls value*; nulls = one bit a column, set when null, rounded up to
// bytes; bool = 1 byte; integers, floats, decimals = their bytes in memory order; string, binary =
// varint length, bytes; struct = row of its fields; list, map = varint count, nulls of the
// elements, the elements that are there.
#include <cstring>

#include "columns/column_view.h"
#include "columns/row_encoding.h"
#include "columns/varint.h"

namespace tailrace {
namespace {

using Kind = ColumnView::Kind;

std::uint32_t null_bytes(std::size_t values) {
  return static_cast<std::uint32_t>((values + 7) / 8);
}

std::uint32_t fixed_width(const ColumnView& column) {
  switch (column.kind) {
    case Kind::kBool:
      return 1;
    case Kind::kInt:
      return column.width;
    case Kind::kFloat:
      return 4;
    case Kind::kDouble:
      return 8;
    case Kind::kDecimal:
      return 16;
    default:
      return 0;
  }
}

std::uint32_t value_size(const ColumnView& column, std::int64_t row);

std::uint32_t struct_size(const ColumnView& column, std::int64_t row) {
  std::uint32_t size = null_bytes(column.children.size());
  for (const ColumnView& field : column.children) {
    if (!field.is_null(row)) size += value_size(field, row);
  }
  return size;
}

std::uint32_t list_size(const ColumnView& column, std::int64_t row) {
  const std::int64_t begin = column.list_begin(row);
  const std::int64_t end = column.list_end(row);
  std::uint32_t size = varint_size(end - begin) + null_bytes(end - begin);
  for (std::int64_t at = begin; at < end; ++at) {
    if (!column.children[0].is_null(at)) size += value_size(column.children[0], at);
  }
  return size;
}

inline std::uint32_t value_size(const ColumnView& column, std::int64_t row) {
  switch (column.kind) {
    case Kind::kBytes: {
      const auto length = static_cast<std::uint32_t>(column.bytes(row).size());
      return varint_size(length) + length;
    }
    case Kind::kStruct:
      return struct_size(column, row);
    case Kind::kList:
      return list_size(column, row);
    default:
      return fixed_width(column);
  }
}

char* write_value(const ColumnView& column, std::int64_t row, char* to);

char* write_struct(const ColumnView& column, std::int64_t row, char* to) {
  char* nulls = to;
  to += null_bytes(column.children.size());
  std::memset(nulls, 0, to - nulls);
  for (std::size_t i = 0; i < column.children.size(); ++i) {
    if (column.children[i].is_null(row)) {
      nulls[i >> 3] |= static_cast<char>(1 << (i & 7));
    } else {
      to = write_value(column.children[i], row, to);
    }
  }
  return to;
}

char* write_list(const ColumnView& column, std::int64_t row, char* to) {
  const std::int64_t begin = column.list_begin(row);
  const std::int64_t count = column.list_end(row) - begin;
  to = write_varint(count, to);
  char* nulls = to;
  to += null_bytes(count);
  std::memset(nulls, 0, to - nulls);
  for (std::int64_t i = 0; i < count; ++i) {
    if (column.children[0].is_null(begin + i)) {
      nulls[i >> 3] |= static_cast<char>(1 << (i & 7));
    } else {
      to = write_value(column.children[0], begin + i, to);
    }
  }
  return to;
}

template <int kWidth>
char* copy_fixed(const ColumnView& column, std::int64_t row, char* to) {
  std::memcpy(to, column.fixed(row, kWidth), kWidth);
  return to + kWidth;
}

char* write_fixed(const ColumnView& column, std::int64_t row, char* to) {
  switch (fixed_width(column)) {
    case 1:
      return copy_fixed<1>(column, row, to);
    case 2:
      return copy_fixed<2>(column, row, to);
    case 4:
      return copy_fixed<4>(column, row, to);
    case 8:
      return copy_fixed<8>(column, row, to);
    default:
      return copy_fixed<16>(column, row, to);
  }
}

inline char* write_value(const ColumnView& column, std::int64_t row, char* to) {
  switch (column.kind) {
    case Kind::kNull:
      return to;
    case Kind::kBool:
      *to = column.bit(row) ? 1 : 0;
      return to + 1;
    case Kind::kBytes: {
      const std::string_view text = column.bytes(row);
      to = write_varint(text.size(), to);
      std::memcpy(to, text.data(), text.size());
      return to + text.size();
    }
    case Kind::kStruct:
      return write_struct(column, row, to);
    case Kind::kList:
      return write_list(column, row, to);
    default:
      return write_fixed(column, row, to);
  }
}

void measure(const ColumnView& column, std::vector<std::uint32_t>& sizes) {
  const std::uint32_t fixed = fixed_width(column);
  if (fixed != 0 && !column.validity) {
    for (std::uint32_t& size : sizes) size += fixed;
    return;
  }
  for (std::size_t row = 0; row < sizes.size(); ++row) {
    const auto at = static_cast<std::int64_t>(row);
    if (!column.is_null(at)) sizes[row] += value_size(column, at);
  }
}

}  // namespace

Result<EncodedRows> encode_rows(const arrow::RecordBatch& rows) {
  RowEncoding encoding(rows.num_rows());
  const std::uint32_t nulls = null_bytes(rows.num_columns());
  std::fill(encoding.sizes.begin(), encoding.sizes.end(), nulls);
  std::vector<ColumnView> views;
  for (int i = 0; i < rows.num_columns(); ++i) {
    ASSIGN(ColumnView view, view_column(*rows.column_data(i)));
    measure(view, encoding.sizes);
    views.push_back(std::move(view));
  }
  encoding.lay_out();
  std::vector<char*> heads = encoding.cursors;
  for (char*& cursor : encoding.cursors) {
    std::memset(cursor, 0, nulls);
    cursor += nulls;
  }
  for (std::size_t i = 0; i < views.size(); ++i) {
    for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
      if (views[i].is_null(row)) {
        heads[row][i >> 3] |= static_cast<char>(1 << (i & 7));
      } else {
        encoding.cursors[row] = write_value(views[i], row, encoding.cursors[row]);
      }
    }
  }
  return encoding.finish();
}

EncodedRows append_bytes(const EncodedRows& a, const EncodedRows& b) {
  RowEncoding encoding(a.size());
  for (std::int64_t row = 0; row < a.size(); ++row) {
    encoding.sizes[row] = static_cast<std::uint32_t>(a[row].size() + b[row].size());
  }
  encoding.lay_out();
  for (std::int64_t row = 0; row < a.size(); ++row) {
    std::memcpy(encoding.cursors[row], a[row].data(), a[row].size());
    std::memcpy(encoding.cursors[row] + a[row].size(), b[row].data(), b[row].size());
  }
  return encoding.finish();
}

}  // namespace tailrace
