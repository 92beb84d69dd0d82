// Values appended straight to one string; a switch by type for each value.
#include "table/json.h"

#include <arrow/util/base64.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace tailrace::table {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the well-formed UTF-8 sequence at the start of `text` (Unicode table 3-7); 0 when
/// there is none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(1)) return 0;
  if (first < 0xE0) return 2;
  if (first < 0xF0) {
    if ((first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F)) return 0;
    return continues(2) ? 3 : 0;
  }
  if ((first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F)) return 0;
  return continues(2) && continues(3) ? 4 : 0;
}

void control_to_json(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04X", static_cast<unsigned>(c));
  out += text;
}

bool plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 &&
         c != '"' && c != '\\';
}

template <typename Number>
void integer_to_json(Number value, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(value)).ptr;
  out.append(text, end);
}

template <typename Number>
void real_to_json(Number value, std::string& out) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  const std::string_view digits(text, end);
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void date_text(std::int64_t days, std::string& out) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  char text[24];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  out.append(text, static_cast<std::size_t>(size));
}

void timestamp_text(std::int64_t micros, bool utc, std::string& out) {
  constexpr std::int64_t kDay = 86'400'000'000;
  std::int64_t days = micros / kDay;
  if (micros % kDay < 0) --days;
  const std::int64_t rest = micros - days * kDay;
  date_text(days, out);
  const std::int64_t seconds = rest / 1'000'000;
  const std::int64_t fraction = rest % 1'000'000;
  const bool millis = fraction % 1000 == 0;
  char text[32];
  const int size = std::snprintf(
      text, sizeof text, "T%02d:%02d:%02d.%0*d%s", static_cast<int>(seconds / 3600),
      static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60), millis ? 3 : 6,
      static_cast<int>(millis ? fraction / 1000 : fraction), utc ? "Z" : "");
  out.append(text, static_cast<std::size_t>(size));
}

void timestamp_to_json(const arrow::TimestampArray& values, std::int64_t row, std::string& out) {
  const auto& type = static_cast<const arrow::TimestampType&>(*values.type());
  std::int64_t micros = values.Value(row);
  switch (type.unit()) {
    case arrow::TimeUnit::SECOND:
      micros *= 1'000'000;
      break;
    case arrow::TimeUnit::MILLI:
      micros *= 1000;
      break;
    case arrow::TimeUnit::MICRO:
      break;
    case arrow::TimeUnit::NANO:
      micros /= 1000;
      break;
  }
  out += '"';
  timestamp_text(micros, !type.timezone().empty(), out);
  out += '"';
}

void list_to_json(const arrow::ListArray& list, std::int64_t row, std::string& out) {
  out += '[';
  for (std::int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
    if (i > list.value_offset(row)) out += ',';
    value_to_json(*list.values(), i, out);
  }
  out += ']';
}

void struct_to_json(const arrow::StructArray& values, std::int64_t row, std::string& out) {
  out += '{';
  for (int i = 0; i < values.num_fields(); ++i) {
    if (i > 0) out += ',';
    string_to_json(values.struct_type()->field(i)->name(), out);
    out += ':';
    value_to_json(*values.field(i), row, out);
  }
  out += '}';
}

/// A key of any type as the name of a JSON member.
void member_name(const arrow::Array& keys, std::int64_t row, std::string& out) {
  std::string name;
  value_to_json(keys, row, name);
  if (name.starts_with('"')) {
    out += name;
  } else {
    string_to_json(name, out);
  }
}

void map_to_json(const arrow::MapArray& map, std::int64_t row, std::string& out) {
  out += '{';
  for (std::int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    if (i > map.value_offset(row)) out += ',';
    member_name(*map.keys(), i, out);
    out += ':';
    value_to_json(*map.items(), i, out);
  }
  out += '}';
}

template <typename T>
const T& as(const arrow::Array& values) {
  return static_cast<const T&>(values);
}

/// `{"a":` and `,"b":` … of a schema, escaped once.
std::vector<std::string> member_starts(const arrow::Schema& schema) {
  std::vector<std::string> starts;
  for (int i = 0; i < schema.num_fields(); ++i) {
    std::string start = i == 0 ? "{" : ",";
    string_to_json(schema.field(i)->name(), start);
    starts.push_back(start + ':');
  }
  return starts;
}

void row_with_starts(const arrow::RecordBatch& rows, const std::vector<std::string>& starts,
                     const arrow::ArrayVector& columns, std::int64_t row, std::string& out) {
  if (rows.num_columns() == 0) out += '{';
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out += starts[i];
    value_to_json(*columns[i], row, out);
  }
  out += '}';
}

}  // namespace

void string_to_json(std::string_view text, std::string& out) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && plain(text[end])) ++end;
    out.append(text, at, end - at);
    at = end;
    if (at == text.size()) break;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      control_to_json(text[at++], out);
    } else if (const std::size_t length = utf8_length(text.substr(at)); length > 0) {
      out.append(text, at, length);
      at += length;
    } else {
      out += kReplacement;
      ++at;
    }
  }
  out += '"';
}

void value_to_json(const arrow::Array& values, std::int64_t row, std::string& out) {
  if (values.IsNull(row)) {
    out += "null";
    return;
  }
  switch (values.type_id()) {
    case arrow::Type::BOOL:
      out += as<arrow::BooleanArray>(values).Value(row) ? "true" : "false";
      return;
    case arrow::Type::INT8:
      return integer_to_json(as<arrow::Int8Array>(values).Value(row), out);
    case arrow::Type::INT16:
      return integer_to_json(as<arrow::Int16Array>(values).Value(row), out);
    case arrow::Type::INT32:
      return integer_to_json(as<arrow::Int32Array>(values).Value(row), out);
    case arrow::Type::INT64:
      return integer_to_json(as<arrow::Int64Array>(values).Value(row), out);
    case arrow::Type::DURATION:
      return integer_to_json(as<arrow::DurationArray>(values).Value(row), out);
    case arrow::Type::FLOAT:
      return real_to_json(as<arrow::FloatArray>(values).Value(row), out);
    case arrow::Type::DOUBLE:
      return real_to_json(as<arrow::DoubleArray>(values).Value(row), out);
    case arrow::Type::DECIMAL128:
      out += as<arrow::Decimal128Array>(values).FormatValue(row);
      return;
    case arrow::Type::STRING:
      return string_to_json(as<arrow::StringArray>(values).GetView(row), out);
    case arrow::Type::BINARY:
      out += '"' + arrow::util::base64_encode(as<arrow::BinaryArray>(values).GetView(row)) + '"';
      return;
    case arrow::Type::DATE32:
      out += '"';
      date_text(as<arrow::Date32Array>(values).Value(row), out);
      out += '"';
      return;
    case arrow::Type::TIMESTAMP:
      return timestamp_to_json(as<arrow::TimestampArray>(values), row, out);
    case arrow::Type::LIST:
      return list_to_json(as<arrow::ListArray>(values), row, out);
    case arrow::Type::MAP:
      return map_to_json(as<arrow::MapArray>(values), row, out);
    case arrow::Type::STRUCT:
      return struct_to_json(as<arrow::StructArray>(values), row, out);
    default:
      break;
  }
  const auto scalar = values.GetScalar(row);
  string_to_json(scalar.ok() ? (*scalar)->ToString() : values.type()->ToString(), out);
}

std::string row_to_json(const arrow::RecordBatch& rows, std::int64_t row) {
  std::string out;
  row_with_starts(rows, member_starts(*rows.schema()), rows.columns(), row, out);
  return out;
}

void rows_to_json(const arrow::RecordBatch& rows, std::string& out) {
  const std::vector<std::string> starts = member_starts(*rows.schema());
  const arrow::ArrayVector& columns = rows.columns();
  out += '[';
  for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
    if (row > 0) out += ',';
    row_with_starts(rows, starts, columns, row, out);
  }
  out += ']';
}

std::string rows_to_json(const arrow::RecordBatch& rows) {
  std::string out;
  rows_to_json(rows, out);
  return out;
}

}  // namespace tailrace::table
