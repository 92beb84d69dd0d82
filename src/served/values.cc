// Values of columns as the protocol's bytes, and key values back.
#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"
#include "columns/column_builder.h"
#include "columns/key_codec.h"
#include "cql_types/compare.h"
#include "cql_types/number.h"
#include "cql_types/parts.h"
#include "engine/functions/text_of.h"
#include "served/shape.h"

namespace tailrace::served {
namespace {

using Form = Shape::Form;

constexpr std::int64_t kMicrosPerMilli = 1000;
constexpr std::size_t kDecimalBytes = 16;
constexpr std::uint32_t kFirstDay = 1U << 31U;  // of CQL's dates: 1970-01-01 is 2^31

template <typename T>
T fixed(const ColumnView& column, std::int64_t row) {
  T value;
  std::memcpy(&value, column.fixed(row, sizeof value), sizeof value);
  return value;
}

/// As many bytes as the number needs, the highest first.
void append_decimal(const ColumnView& column, std::int64_t row, std::int32_t scale,
                    std::string& out) {
  append_be(out, scale);
  std::array<char, kDecimalBytes> bytes;
  std::memcpy(bytes.data(), column.fixed(row, kDecimalBytes), kDecimalBytes);
  std::ranges::reverse(bytes);
  std::size_t first = 0;
  const char sign = bytes[0] < 0 ? '\xFF' : '\0';
  while (first + 1 < kDecimalBytes && bytes[first] == sign &&
         (bytes[first + 1] < 0) == (sign != '\0'))
    ++first;
  out.append(bytes.data() + first, kDecimalBytes - first);
}

void append_integer(const ColumnView& column, std::int64_t row, std::string& out) {
  switch (column.width) {
    case 1:
      return append_be(out, fixed<std::int8_t>(column, row));
    case 2:
      return append_be(out, fixed<std::int16_t>(column, row));
    case 4:
      return append_be(out, fixed<std::int32_t>(column, row));
    default:
      return append_be(out, fixed<std::int64_t>(column, row));
  }
}

void append_interval(const Shape& shape, std::int64_t micros, std::string& out) {
  const auto bytes = arrow::Buffer::Wrap(&micros, 1);
  engine::append_text(
      out, *arrow::MakeArray(arrow::ArrayData::Make(shape.spark, 1, {nullptr, bytes})), 0);
}

/// With its length before it; or null.
void append_part(const Shape& shape, const ColumnView& column, std::int64_t row, std::string& out,
                 Nulls nulls) {
  if (column.is_null(row)) return cql_types::append_part(out, std::nullopt);
  const std::size_t at = out.size();
  append_be(out, std::int32_t{0});
  append_value(shape, column, row, out, nulls);
  store_be(out.data() + at, static_cast<std::int32_t>(out.size() - at - sizeof(std::int32_t)));
}

void append_list(const Shape& shape, const ColumnView& column, std::int64_t row, std::string& out,
                 Nulls nulls) {
  const ColumnView& elements = column.children[0];
  const std::size_t at = out.size();
  cql_types::append_count(out, 0);
  std::int32_t count = 0;
  for (std::int32_t i = column.list_begin(row); i < column.list_end(row); ++i) {
    if (nulls == Nulls::kLeftOut && elements.is_null(i)) continue;
    append_part(shape.parts[0], elements, i, out, nulls);
    ++count;
  }
  store_be(out.data() + at, count);
}

void append_map(const Shape& shape, const ColumnView& column, std::int64_t row, std::string& out,
                Nulls nulls) {
  const std::int32_t begin = column.list_begin(row), end = column.list_end(row);
  const ColumnView& keys = column.children[0].children[0];
  const ColumnView& values = column.children[0].children[1];
  struct Entry {
    std::string key;
    std::int32_t at;
  };
  std::vector<Entry> entries;
  for (std::int32_t i = begin; i < end; ++i) {
    if (nulls == Nulls::kLeftOut && values.is_null(i)) continue;
    entries.push_back({{}, i});
    append_value(shape.parts[0], keys, i, entries.back().key, nulls);
  }
  std::ranges::stable_sort(entries, [&](const Entry& a, const Entry& b) {
    return cql_types::compare(*shape.parts[0].cql, a.key, b.key) < 0;
  });
  cql_types::append_count(out, static_cast<std::int32_t>(entries.size()));
  for (const Entry& entry : entries) {
    cql_types::append_part(out, entry.key);
    append_part(shape.parts[1], values, entry.at, out, nulls);
  }
}

/// A value without parts as it lies in a column.
struct Scalar {
  std::array<std::uint8_t, kDecimalBytes> fixed{};
  std::string_view bytes;

  template <typename T>
  bool set(T value) {
    std::memcpy(fixed.data(), &value, sizeof value);
    return true;
  }
  template <typename T>
  bool set_be(std::string_view value) {
    return value.size() == sizeof(T) && set(load_be<T>(value.data()));
  }
};

bool read_integer(int width, std::string_view value, Scalar& scalar) {
  switch (width) {
    case 1:
      return scalar.set_be<std::int8_t>(value);
    case 2:
      return scalar.set_be<std::int16_t>(value);
    case 4:
      return scalar.set_be<std::int32_t>(value);
    default:
      return scalar.set_be<std::int64_t>(value);
  }
}

/// The same number with the column's scale, if it has no other digits and fits.
std::optional<arrow::Decimal128> rescaled(const arrow::Decimal128Type& type,
                                          std::string_view value) {
  if (value.size() < sizeof(std::int32_t) + 1) return std::nullopt;
  auto number = cql_types::decimal_digits(value);
  if (!number) return std::nullopt;
  if (number->is_zero()) return arrow::Decimal128(0);
  for (; number->scale > type.scale(); --number->scale) {
    if (number->digits.back() != '0') return std::nullopt;
    number->digits.pop_back();
  }
  const std::int64_t zeros = type.scale() - number->scale;
  const auto most = static_cast<std::int64_t>(type.precision());
  if (static_cast<std::int64_t>(number->digits.size()) + zeros > most) return std::nullopt;
  number->digits.append(static_cast<std::size_t>(zeros), '0');
  auto whole = arrow::Decimal128::FromString(number->digits);
  if (!whole.ok()) return std::nullopt;
  return number->negative ? -*whole : *whole;
}

bool read_scalar(const Shape& shape, std::string_view value, Scalar& scalar) {
  switch (shape.form) {
    case Form::kBoolean:
      return value.size() == 1 && scalar.set<std::uint8_t>(value[0] != 0);
    case Form::kInteger:
      return read_integer(shape.spark->byte_width(), value, scalar);
    case Form::kFloat:
      return scalar.set_be<std::int32_t>(value);
    case Form::kDouble:
      return scalar.set_be<std::int64_t>(value);
    case Form::kDecimal: {
      const auto number = rescaled(static_cast<const arrow::Decimal128Type&>(*shape.spark), value);
      if (number) number->ToBytes(scalar.fixed.data());
      return number.has_value();
    }
    case Form::kBytes:
      scalar.bytes = value;
      return true;
    case Form::kDate:
      return value.size() == sizeof kFirstDay &&
             scalar.set(
                 static_cast<std::int32_t>(load_be<std::uint32_t>(value.data()) - kFirstDay));
    case Form::kTimestamp: {
      std::int64_t micros = 0;
      return value.size() == sizeof micros &&
             !__builtin_mul_overflow(load_be<std::int64_t>(value.data()), kMicrosPerMilli,
                                     &micros) &&
             scalar.set(micros);
    }
    default:
      return false;
  }
}

template <typename T>
void append_fixed(const Scalar& scalar, ColumnBuilder& column) {
  T value;
  std::memcpy(&value, scalar.fixed.data(), sizeof value);
  column.append(value);
}

void append_fixed(const Scalar& scalar, int width, ColumnBuilder& column) {
  switch (width) {
    case 1:
      return append_fixed<std::int8_t>(scalar, column);
    case 2:
      return append_fixed<std::int16_t>(scalar, column);
    case 4:
      return append_fixed<std::int32_t>(scalar, column);
    case 8:
      return append_fixed<std::int64_t>(scalar, column);
    default:
      return column.append(scalar.fixed);
  }
}

bool append_to(const Shape& shape, const cql_types::Part& value, ColumnBuilder& column);

bool append_struct_to(const Shape& shape, std::string_view value, ColumnBuilder& column) {
  cql_types::TupleReader fields(value);
  for (std::size_t i = 0; i < shape.parts.size(); ++i) {
    cql_types::Part field;
    (void)fields.next(field);  // those that are missing at the end are null
    if (!append_to(shape.parts[i], field, column.child(i))) return false;
  }
  column.append_struct();
  return !fields.failed();
}

bool append_list_to(const Shape& shape, std::string_view value, ColumnBuilder& column) {
  cql_types::CollectionReader elements(value, 1);
  cql_types::Part element;
  while (elements.next(element))
    if (!append_to(shape.parts[0], element, column.child(0))) return false;
  column.close_list();
  return !elements.failed();
}

bool append_to(const Shape& shape, const cql_types::Part& value, ColumnBuilder& column) {
  if (!value) {
    column.append_null();
    return true;
  }
  if (shape.form == Form::kStruct) return append_struct_to(shape, *value, column);
  if (shape.form == Form::kList) return append_list_to(shape, *value, column);
  Scalar scalar;
  if (!read_scalar(shape, *value, scalar)) return false;
  if (shape.form == Form::kBytes) {
    column.append_bytes(scalar.bytes);
  } else if (shape.form == Form::kBoolean) {
    column.append_bool(scalar.fixed[0] != 0);
  } else {
    append_fixed(scalar, shape.spark->byte_width(), column);
  }
  return true;
}

}  // namespace

void append_value(const Shape& shape, const ColumnView& column, std::int64_t row, std::string& out,
                  Nulls nulls) {
  switch (shape.form) {
    case Form::kNull:
      return;
    case Form::kBoolean:
      out += column.bit(row) ? '\1' : '\0';
      return;
    case Form::kInteger:
      return append_integer(column, row, out);
    case Form::kFloat:
      return append_be(out, fixed<std::int32_t>(column, row));
    case Form::kDouble:
      return append_be(out, fixed<std::int64_t>(column, row));
    case Form::kDecimal:
      return append_decimal(column, row,
                            static_cast<const arrow::Decimal128Type&>(*shape.spark).scale(), out);
    case Form::kBytes:
      out += column.bytes(row);
      return;
    case Form::kDate:
      return append_be(out,
                       static_cast<std::uint32_t>(fixed<std::int32_t>(column, row)) + kFirstDay);
    case Form::kTimestamp: {
      const auto micros = fixed<std::int64_t>(column, row);
      const std::int64_t part = micros % kMicrosPerMilli;
      return append_be(out, micros / kMicrosPerMilli - (part < 0 ? 1 : 0));
    }
    case Form::kInterval:
      return append_interval(shape, fixed<std::int64_t>(column, row), out);
    case Form::kList:
      return append_list(shape, column, row, out, nulls);
    case Form::kMap:
      return append_map(shape, column, row, out, nulls);
    case Form::kStruct:
      for (std::size_t i = 0; i < shape.parts.size(); ++i)
        append_part(shape.parts[i], column.children[i], row, out, nulls);
      return;
  }
}

bool append_key_of(const Shape& shape, std::string_view value, std::string& out) {
  if (shape.form == Form::kList || shape.form == Form::kStruct) {
    auto column = ColumnBuilder::make(shape.spark);
    if (!column || !append_to(shape, value, **column)) return false;
    const Array array = (*column)->finish();
    const auto view = view_column(*array->data());
    if (view) append_key(*view, 0, out);
    return view.has_value();
  }
  Scalar scalar;
  if (!read_scalar(shape, value, scalar)) return false;
  const auto kind = column_kind(*shape.spark);
  if (!kind) return false;
  ColumnView view;
  view.kind = *kind;
  const std::array<std::int32_t, 2> offsets{0, static_cast<std::int32_t>(scalar.bytes.size())};
  if (*kind == ColumnView::Kind::kBytes) {
    view.values = reinterpret_cast<const std::uint8_t*>(scalar.bytes.data());
    view.offsets = offsets.data();
  } else {
    view.values = scalar.fixed.data();
    if (*kind == ColumnView::Kind::kInt) view.width = shape.spark->byte_width();
  }
  append_key(view, 0, out);
  return true;
}

}  // namespace tailrace::served
