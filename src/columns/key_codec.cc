// Normalised keys (format in row_codec.h): memcmp order is Spark's order.
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "columns/key_codec.h"
#include "columns/row_encoding.h"

namespace tailrace {
namespace {

using Kind = ColumnView::Kind;

constexpr char kNullMark = 0x00;
constexpr char kValueMark = 0x01;
constexpr char kLastNullMark = static_cast<char>(0xFF);

template <typename Bits, typename Real>
Bits ordered_bits(Real value) {
  if (std::isnan(value)) value = std::numeric_limits<Real>::quiet_NaN();
  if (value == 0) value = 0;  // -0.0 is 0.0
  const Bits bits = std::bit_cast<Bits>(value);
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  return (bits & kSign) ? ~bits : (bits | kSign);
}

template <typename Signed>
void write_int(const std::uint8_t* from, char* to) {
  using Unsigned = std::make_unsigned_t<Signed>;
  Unsigned raw;
  std::memcpy(&raw, from, sizeof raw);
  store_be<Unsigned>(to, raw ^ (Unsigned{1} << (sizeof raw * 8 - 1)));
}

char* write_int(const ColumnView& column, std::int64_t row, char* to) {
  const std::uint8_t* from = column.fixed(row, column.width);
  switch (column.width) {
    case 1:
      write_int<std::int8_t>(from, to);
      break;
    case 2:
      write_int<std::int16_t>(from, to);
      break;
    case 4:
      write_int<std::int32_t>(from, to);
      break;
    default:
      write_int<std::int64_t>(from, to);
      break;
  }
  return to + column.width;
}

template <typename Bits, typename Real>
char* write_real(const ColumnView& column, std::int64_t row, char* to) {
  Real value;
  std::memcpy(&value, column.fixed(row, sizeof value), sizeof value);
  store_be<Bits>(to, ordered_bits<Bits>(value));
  return to + sizeof value;
}

char* write_decimal(const ColumnView& column, std::int64_t row, char* to) {
  const std::uint8_t* from = column.fixed(row, 16);
  write_int<std::int64_t>(from + 8, to);
  std::uint64_t low;
  std::memcpy(&low, from, sizeof low);
  store_be<std::uint64_t>(to + 8, low);
  return to + 16;
}

std::uint32_t escaped_size(std::string_view text) {
  std::uint32_t zeros = 0;
  for (const char c : text) zeros += c == '\0';
  return static_cast<std::uint32_t>(text.size()) + zeros + 2;
}

char* write_bytes(std::string_view text, char* to) {
  const char* from = text.data();
  const char* end = from + text.size();
  while (from < end) {
    const void* zero = std::memchr(from, 0, end - from);
    const char* stop = zero ? static_cast<const char*>(zero) : end;
    std::memcpy(to, from, stop - from);
    to += stop - from;
    from = stop;
    if (zero) {
      *to++ = 0x00;
      *to++ = static_cast<char>(0xFF);
      ++from;
    }
  }
  *to++ = 0;
  *to++ = 0;
  return to;
}

/// Bytes of a value that is there and of fixed size; 0 for the rest.
std::uint32_t fixed_size(const ColumnView& column) {
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

/// Size of a value with its mark.
std::uint32_t marked_size(const ColumnView& column, std::int64_t row) {
  if (column.is_null(row)) return 1;
  switch (column.kind) {
    case Kind::kBytes:
      return 1 + escaped_size(column.bytes(row));
    case Kind::kStruct: {
      std::uint32_t size = 1;
      for (const ColumnView& field : column.children) size += marked_size(field, row);
      return size;
    }
    case Kind::kList: {
      std::uint32_t size = 2;
      for (std::int64_t at = column.list_begin(row); at < column.list_end(row); ++at) {
        size += 1 + marked_size(column.children[0], at);
      }
      return size;
    }
    default:
      return 1 + fixed_size(column);
  }
}

char* write_marked(const ColumnView& column, std::int64_t row, char* to);

char* write_list(const ColumnView& column, std::int64_t row, char* to) {
  for (std::int64_t at = column.list_begin(row); at < column.list_end(row); ++at) {
    *to++ = kValueMark;
    to = write_marked(column.children[0], at, to);
  }
  *to++ = 0;
  return to;
}

/// The value itself; it is not null.
inline char* write_value(const ColumnView& column, std::int64_t row, char* to) {
  switch (column.kind) {
    case Kind::kNull:
      return to;
    case Kind::kBool:
      *to = column.bit(row) ? 1 : 0;
      return to + 1;
    case Kind::kInt:
      return write_int(column, row, to);
    case Kind::kFloat:
      return write_real<std::uint32_t, float>(column, row, to);
    case Kind::kDouble:
      return write_real<std::uint64_t, double>(column, row, to);
    case Kind::kDecimal:
      return write_decimal(column, row, to);
    case Kind::kBytes:
      return write_bytes(column.bytes(row), to);
    case Kind::kList:
      return write_list(column, row, to);
    case Kind::kStruct:
      for (const ColumnView& field : column.children) to = write_marked(field, row, to);
      return to;
  }
  return to;
}

char* write_marked(const ColumnView& column, std::int64_t row, char* to) {
  if (column.is_null(row)) {
    *to++ = kNullMark;
    return to;
  }
  *to++ = kValueMark;
  return write_value(column, row, to);
}

void measure(const ColumnView& column, std::vector<std::uint32_t>& sizes) {
  const auto rows = static_cast<std::int64_t>(sizes.size());
  const std::uint32_t fixed = fixed_size(column);
  if (fixed != 0 && !column.validity) {
    for (std::uint32_t& size : sizes) size += 1 + fixed;
    return;
  }
  for (std::int64_t row = 0; row < rows; ++row) sizes[row] += marked_size(column, row);
}

/// Marks such that, after the inversion of a descending column, nulls come where they are asked
/// for.
char null_mark(const KeyColumn& key) {
  return key.nulls_first != key.descending ? kNullMark : kLastNullMark;
}

void write(const ColumnView& column, const KeyColumn& key, std::vector<char*>& cursors) {
  const char null = null_mark(key);
  const auto rows = static_cast<std::int64_t>(cursors.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    char* const begin = cursors[row];
    char* end = begin + 1;
    if (column.is_null(row)) {
      *begin = null;
    } else {
      *begin = kValueMark;
      end = write_value(column, row, end);
    }
    if (key.descending) {
      for (char* at = begin; at < end; ++at) *at = static_cast<char>(~*at);
    }
    cursors[row] = end;
  }
}

bool has_map(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) return true;
  for (const Field& field : type.fields()) {
    if (has_map(*field->type())) return true;
  }
  return false;
}

}  // namespace

void append_key(const ColumnView& column, std::int64_t row, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + marked_size(column, row));
  write_marked(column, row, out.data() + before);
}

Result<EncodedRows> encode_keys(const arrow::RecordBatch& rows,
                                const std::vector<KeyColumn>& columns) {
  RowEncoding encoding(rows.num_rows());
  std::vector<ColumnView> views;
  for (const KeyColumn& key : columns) {
    const auto& data = *rows.column_data(key.index);
    if (has_map(*data.type)) {
      return error(Code::kUnimplemented,
                   "a value of type " + spark_name(*data.type) + " cannot be compared");
    }
    ASSIGN(ColumnView view, view_column(data));
    measure(view, encoding.sizes);
    views.push_back(std::move(view));
  }
  encoding.lay_out();
  for (std::size_t i = 0; i < views.size(); ++i) write(views[i], columns[i], encoding.cursors);
  return encoding.finish();
}

}  // namespace tailrace
