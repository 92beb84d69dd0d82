// Printing of values.
#include "engine/functions/text_of.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "engine/functions/calendar.h"
#include "engine/functions/function.h"

namespace tailrace::engine {
namespace {

/// The shortest digits that read back as the same number, laid out as Java does.
template <typename T>
void append_java(std::string& out, T value) {
  if (std::isnan(value)) return void(out += "NaN");
  if (std::isinf(value)) return void(out += value < 0 ? "-Infinity" : "Infinity");
  if (value == 0) return void(out += std::signbit(value) ? "-0.0" : "0.0");
  char raw[40];
  const auto end = std::to_chars(raw, raw + sizeof raw, value, std::chars_format::scientific).ptr;
  std::string_view text(raw, static_cast<std::size_t>(end - raw));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const auto e = text.find('e');
  int exponent = 0;
  const char* digits_of_exponent = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, text.data() + text.size(), exponent);
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  if (exponent >= -3 && exponent < 7) {
    if (exponent < 0)
      return void(out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits);
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() < whole + 1) digits.append(whole + 1 - digits.size(), '0');
    out.append(digits, 0, whole).append(".").append(digits, whole);
    return;
  }
  out += digits[0];
  out += '.';
  out += digits.size() > 1 ? digits.substr(1) : "0";
  out += "E" + std::to_string(exponent);
}

void append_interval(std::string& out, std::int64_t micros) {
  const bool negative = micros < 0;
  auto rest =
      negative ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  const auto days = rest / kMicrosPerDay;
  rest %= kMicrosPerDay;
  const auto seconds = rest / kMicrosPerSecond;
  out += fmt::format("INTERVAL '{}{} {:02}:{:02}:{:02}", negative ? "-" : "", days, seconds / 3600,
                     seconds / 60 % 60, seconds % 60);
  if (auto micro = rest % kMicrosPerSecond; micro != 0) {
    std::string fraction = fmt::format("{:06}", micro);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
  out += "' DAY TO SECOND";
}

void append_nullable(std::string& out, const arrow::Array& array, std::int64_t i) {
  array.IsNull(i) ? void(out += "null") : append_text(out, array, i);
}

void append_list(std::string& out, const arrow::ListArray& list, std::int64_t i) {
  out += '[';
  for (std::int64_t k = 0; k < list.value_length(i); ++k) {
    if (k > 0) out += ", ";
    append_nullable(out, *list.values(), list.value_offset(i) + k);
  }
  out += ']';
}

void append_map(std::string& out, const arrow::MapArray& map, std::int64_t i) {
  out += '{';
  for (std::int64_t k = 0; k < map.value_length(i); ++k) {
    if (k > 0) out += ", ";
    append_nullable(out, *map.keys(), map.value_offset(i) + k);
    out += " -> ";
    append_nullable(out, *map.items(), map.value_offset(i) + k);
  }
  out += '}';
}

void append_struct(std::string& out, const arrow::StructArray& array, std::int64_t i) {
  out += '{';
  for (int field = 0; field < array.num_fields(); ++field) {
    if (field > 0) out += ", ";
    append_nullable(out, *array.field(field), i);
  }
  out += '}';
}

}  // namespace

namespace {

/// The bytes as a text: each longest sequence that begins no code point becomes U+FFFD.
void append_utf8(std::string& out, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    const std::size_t width = first < 0x80                   ? 1
                              : first < 0xC2 || first > 0xF4 ? 0
                              : first < 0xE0                 ? 2
                              : first < 0xF0                 ? 3
                                                             : 4;
    std::size_t good = 1;
    for (; good < width && good < bytes.size(); ++good) {
      const auto next = static_cast<unsigned char>(bytes[good]);
      const int least = good > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
      const int most = good > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
      if (next < least || next > most) break;
    }
    out += good == width ? bytes.substr(0, good) : std::string_view("\xEF\xBF\xBD");
    bytes.remove_prefix(good);
  }
}

}  // namespace

void append_double(std::string& out, double value) {
  if (std::abs(value) == std::numeric_limits<double>::denorm_min())
    out += value < 0 ? "-4.9E-324" : "4.9E-324";  // Java writes two digits at least
  else
    append_java(out, value);
}
void append_float(std::string& out, float value) {
  append_java(out, value);
}

void append_date(std::string& out, std::int32_t days) {
  const CivilDate date = civil_of(days);
  const auto year = std::abs(date.year);
  out += fmt::format("{}{:04}-{:02}-{:02}", date.year < 0 ? "-" : (year > 9999 ? "+" : ""), year,
                     date.month, date.day);
}

void append_timestamp(std::string& out, std::int64_t micros) {
  append_date(out, day_of_micros(micros));
  const std::int64_t of_day = floor_mod(micros, kMicrosPerDay);
  const std::int64_t seconds = of_day / kMicrosPerSecond;
  out += fmt::format(" {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (const std::int64_t micro = of_day % kMicrosPerSecond; micro != 0) {
    std::string fraction = fmt::format("{:06}", micro);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
}

void append_text(std::string& out, const arrow::Array& array, std::int64_t i) {
  using Id = arrow::Type::type;
  const auto& data = *array.data();
  switch (array.type_id()) {
    case Id::BOOL:
      out += static_cast<const arrow::BooleanArray&>(array).Value(i) ? "true" : "false";
      break;
    case Id::INT8:
      out += std::to_string(data.GetValues<std::int8_t>(1)[i]);
      break;
    case Id::INT16:
      out += std::to_string(data.GetValues<std::int16_t>(1)[i]);
      break;
    case Id::INT32:
      fmt::format_to(std::back_inserter(out), "{}", data.GetValues<std::int32_t>(1)[i]);
      break;
    case Id::INT64:
      fmt::format_to(std::back_inserter(out), "{}", data.GetValues<std::int64_t>(1)[i]);
      break;
    case Id::FLOAT:
      append_float(out, data.GetValues<float>(1)[i]);
      break;
    case Id::DOUBLE:
      append_double(out, data.GetValues<double>(1)[i]);
      break;
    case Id::DATE32:
      append_date(out, data.GetValues<std::int32_t>(1)[i]);
      break;
    case Id::TIMESTAMP:
      append_timestamp(out, data.GetValues<std::int64_t>(1)[i]);
      break;
    case Id::DURATION:
      append_interval(out, data.GetValues<std::int64_t>(1)[i]);
      break;
    case Id::INTERVAL_MONTHS: {
      const std::int32_t months = data.GetValues<std::int32_t>(1)[i];
      out += fmt::format("INTERVAL '{}{}-{}' YEAR TO MONTH", months < 0 ? "-" : "",
                         std::abs(months) / 12, std::abs(months) % 12);
      break;
    }
    case Id::DECIMAL128: {
      const auto& type = static_cast<const arrow::Decimal128Type&>(*array.type());
      const Decimal128 value(static_cast<const arrow::Decimal128Array&>(array).GetValue(i));
      std::string digits = value.ToIntegerString();
      const bool negative = digits.front() == '-';
      if (negative) digits.erase(0, 1);
      const auto scale = static_cast<std::size_t>(type.scale());
      if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
      if (scale > 0) digits.insert(digits.size() - scale, ".");
      out += (negative ? "-" : "") + digits;
      break;
    }
    case Id::STRING:
      out += static_cast<const arrow::BinaryArray&>(array).GetView(i);
      break;
    case Id::BINARY:
      append_utf8(out, static_cast<const arrow::BinaryArray&>(array).GetView(i));
      break;
    case Id::LIST:
      append_list(out, static_cast<const arrow::ListArray&>(array), i);
      break;
    case Id::MAP:
      append_map(out, static_cast<const arrow::MapArray&>(array), i);
      break;
    case Id::STRUCT:
      append_struct(out, static_cast<const arrow::StructArray&>(array), i);
      break;
    default:
      out += "null";
  }
}

}  // namespace tailrace::engine
