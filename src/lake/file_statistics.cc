// One loop a column and batch; texts are compared as bytes, which is the order of their code
// points.
#include "lake/file_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "lake/json_text.h"

namespace tailrace::lake {
namespace {

constexpr int kColumns = 32;
constexpr std::size_t kTextCharacters = 32;
constexpr std::string_view kGreatest = "\xF4\x8F\xBF\xBF";

using Column = FileStatistics::Column;

template <typename ArrayType, typename Value>
void widen(const arrow::Array& values, Value& low, Value& high, bool& any) {
  const auto& typed = static_cast<const ArrayType&>(values);
  for (std::int64_t row = 0; row < typed.length(); ++row) {
    if (typed.IsNull(row)) continue;
    const auto value = static_cast<Value>(typed.Value(row));
    low = any ? std::min(low, value) : value;
    high = any ? std::max(high, value) : value;
    any = true;
  }
}

template <typename ArrayType>
void widen_real(const arrow::Array& values, Column& column) {
  const auto& typed = static_cast<const ArrayType&>(values);
  for (std::int64_t row = 0; row < typed.length() && column.usable; ++row) {
    if (!typed.IsNull(row) && !std::isfinite(typed.Value(row))) column.usable = false;
  }
  if (column.usable) widen<ArrayType>(values, column.low_real, column.high_real, column.any);
}

void widen_text(const arrow::StringArray& values, Column& column) {
  std::string_view low = column.low_text;
  std::string_view high = column.high_text;
  bool any = column.any;
  for (std::int64_t row = 0; row < values.length(); ++row) {
    if (values.IsNull(row)) continue;
    const std::string_view value = values.GetView(row);
    if (!any || value < low) low = value;
    if (!any || value > high) high = value;
    any = true;
  }
  if (low.data() != column.low_text.data()) column.low_text = low;
  if (high.data() != column.high_text.data()) column.high_text = high;
  column.any = any;
}

void widen_decimal(const arrow::Decimal128Array& values, Column& column) {
  for (std::int64_t row = 0; row < values.length(); ++row) {
    if (values.IsNull(row)) continue;
    const arrow::Decimal128 value(values.GetValue(row));
    if (!column.any || value < column.low_decimal) column.low_decimal = value;
    if (!column.any || value > column.high_decimal) column.high_decimal = value;
    column.any = true;
  }
}

void widen_column(const arrow::Array& values, Column& column) {
  switch (values.type_id()) {
    case arrow::Type::INT8:
      return widen<arrow::Int8Array>(values, column.low, column.high, column.any);
    case arrow::Type::INT16:
      return widen<arrow::Int16Array>(values, column.low, column.high, column.any);
    case arrow::Type::INT32:
      return widen<arrow::Int32Array>(values, column.low, column.high, column.any);
    case arrow::Type::INT64:
      return widen<arrow::Int64Array>(values, column.low, column.high, column.any);
    case arrow::Type::DATE32:
      return widen<arrow::Date32Array>(values, column.low, column.high, column.any);
    case arrow::Type::TIMESTAMP:
      return widen<arrow::TimestampArray>(values, column.low, column.high, column.any);
    case arrow::Type::FLOAT:
      return widen_real<arrow::FloatArray>(values, column);
    case arrow::Type::DOUBLE:
      return widen_real<arrow::DoubleArray>(values, column);
    case arrow::Type::STRING:
      return widen_text(static_cast<const arrow::StringArray&>(values), column);
    case arrow::Type::DECIMAL128:
      return widen_decimal(static_cast<const arrow::Decimal128Array&>(values), column);
    default:
      column.usable = false;
  }
}

/// The first 32 characters.
std::string_view cut(std::string_view text) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (starts && characters++ == kTextCharacters) return text.substr(0, at);
  }
  return text;
}

/// Out of years 0001 to 9999 there is no text that every reader takes.
bool printable_day(std::int64_t days) {
  return days >= -719162 && days <= 2932896;
}

std::string day_text(std::int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

constexpr std::int64_t kDayMicros = 86'400'000'000;

std::int64_t day_of(std::int64_t micros) {
  return micros / kDayMicros - (micros % kDayMicros < 0 ? 1 : 0);
}

std::string time_text(std::int64_t micros, bool utc) {
  const std::int64_t rest = micros - day_of(micros) * kDayMicros;
  const std::int64_t seconds = rest / 1'000'000;
  return fmt::format("{}T{:02}:{:02}:{:02}.{:06}{}", day_text(day_of(micros)), seconds / 3600,
                     seconds / 60 % 60, seconds % 60, rest % 1'000'000, utc ? "Z" : "");
}

/// The bound as JSON, empty when it cannot be given.
std::string bound(const arrow::DataType& type, const Column& column, bool upper) {
  const std::int64_t number = upper ? column.high : column.low;
  switch (type.id()) {
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return fmt::format("{}", upper ? column.high_real : column.low_real);
    case arrow::Type::STRING: {
      const std::string& whole = upper ? column.high_text : column.low_text;
      const std::string_view text = cut(whole);
      return json_string(upper && text.size() < whole.size() ? std::string(text).append(kGreatest)
                                                             : std::string(text));
    }
    case arrow::Type::DECIMAL128:
      return (upper ? column.high_decimal : column.low_decimal)
          .ToString(static_cast<const arrow::Decimal128Type&>(type).scale());
    case arrow::Type::DATE32:
      return printable_day(number) ? json_string(day_text(number)) : "";
    case arrow::Type::TIMESTAMP: {
      const bool utc = !static_cast<const arrow::TimestampType&>(type).timezone().empty();
      return printable_day(day_of(number)) ? json_string(time_text(number, utc)) : "";
    }
    default:
      return std::to_string(number);
  }
}

}  // namespace

FileStatistics::FileStatistics(Schema schema)
    : schema_(std::move(schema)), columns_(std::min(kColumns, schema_->num_fields())) {}

void FileStatistics::add(const arrow::RecordBatch& rows) {
  rows_ += rows.num_rows();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Array& values = rows.column(static_cast<int>(i));
    columns_[i].nulls += values->null_count();
    widen_column(*values, columns_[i]);
  }
}

std::string FileStatistics::to_json() const {
  std::string low;
  std::string high;
  std::string nulls;
  const auto member = [](std::string& out, const std::string& name, const std::string& value) {
    out += (out.empty() ? "" : ",") + json_string(name) + ':' + value;
  };
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Field& field = schema_->field(static_cast<int>(i));
    if (field->type()->num_fields() > 0) continue;
    member(nulls, field->name(), std::to_string(columns_[i].nulls));
    if (!columns_[i].usable || !columns_[i].any) continue;
    const std::string from = bound(*field->type(), columns_[i], false);
    const std::string to = bound(*field->type(), columns_[i], true);
    if (!from.empty()) member(low, field->name(), from);
    if (!to.empty()) member(high, field->name(), to);
  }
  return fmt::format(
      R"({{"numRecords":{},"minValues":{{{}}},"maxValues":{{{}}},"nullCount":{{{}}}}})", rows_, low,
      high, nulls);
}

}  // namespace tailrace::lake
