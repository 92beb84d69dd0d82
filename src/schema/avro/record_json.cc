#include "schema/avro/record_json.h"

#include <arrow/util/decimal.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "schema/avro/avro_schema.h"

namespace tailrace::schema::avro {
namespace {

/// How many values may lie in one another.
constexpr int kMaxDepth = 200;
constexpr std::int64_t kSecondsOfDay = 86'400;

/// What ends the reading of a record, with the path to it, made from the inside out.
struct Fault {
  Code code;
  std::string why;
  std::string path = {};
};

struct Floored {
  std::int64_t whole = 0;
  std::int64_t rest = 0;  ///< from 0 on
};
Floored divided(std::int64_t value, std::int64_t by) {
  Floored out{value / by, value % by};
  if (out.rest < 0) --out.whole, out.rest += by;
  return out;
}

/// "2024-01-31"; nothing outside of years 1 to 9999.
std::optional<std::string> date_text(std::int64_t days) {
  constexpr std::int64_t kFirst = -719'162, kLast = 2'932'896;
  if (days < kFirst || days > kLast) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

/// "12:00:00.250" of units of which a second has 10^digits.
std::string time_text(std::int64_t units, int digits, std::int64_t per_second) {
  const auto [seconds, part] = divided(units, per_second);
  return fmt::format("{:02}:{:02}:{:02}.{:0{}}", seconds / 3600, seconds / 60 % 60, seconds % 60,
                     part, digits);
}

/// What a logical type of time counts.
struct TimeUnits {
  int digits = 0;
  std::int64_t per_second = 0;
  std::string_view zone;
};
std::optional<TimeUnits> units_of(Logical logical) {
  switch (logical) {
    case Logical::kTimeMillis:
    case Logical::kLocalTimestampMillis:
      return TimeUnits{3, 1'000, ""};
    case Logical::kTimeMicros:
    case Logical::kLocalTimestampMicros:
      return TimeUnits{6, 1'000'000, ""};
    case Logical::kLocalTimestampNanos:
      return TimeUnits{9, 1'000'000'000, ""};
    case Logical::kTimestampMillis:
      return TimeUnits{3, 1'000, "Z"};
    case Logical::kTimestampMicros:
      return TimeUnits{6, 1'000'000, "Z"};
    case Logical::kTimestampNanos:
      return TimeUnits{9, 1'000'000'000, "Z"};
    default:
      return std::nullopt;
  }
}

/// The text of a number that stands for a day, a time or both; nothing for any other.
std::optional<std::string> moment_text(Logical logical, std::int64_t value) {
  if (logical == Logical::kDate) return date_text(value);
  const auto units = units_of(logical);
  if (!units) return std::nullopt;
  const auto [day, rest] = divided(value, kSecondsOfDay * units->per_second);
  std::string time = time_text(rest, units->digits, units->per_second);
  if (logical == Logical::kTimeMillis || logical == Logical::kTimeMicros)
    return day == 0 ? std::optional(std::move(time)) : std::nullopt;
  auto date = date_text(day);
  if (date) *date += "T" + time + std::string(units->zone);
  return date;
}

class Reading {
 public:
  Reading(Bytes record, std::string& out) : left_(as_text(record)), out_(out), begin_(out.size()) {}

  bool value(const Type& type) {
    if (out_.size() - begin_ > kMaxRecordJsonBytes)
      return failed(Code::kResourceExhausted, "the record is longer than is shown");
    if (depth_ == kMaxDepth)
      return failed(Code::kResourceExhausted, "values lie too deep in one another");
    ++depth_;
    const bool good = value_of(type);
    --depth_;
    return good;
  }

  Bytes left() const { return as_bytes(left_); }
  /// After the last value.
  bool at_end() {
    return left_.empty() || failed(fmt::format("{} bytes are left over", left_.size()));
  }
  std::unexpected<Error> fault() const {
    return error(fault_->code,
                 fault_->path.empty() ? fault_->why : fault_->path + ": " + fault_->why);
  }

 private:
  bool value_of(const Type& type) {
    switch (type.kind) {
      case Kind::kNull:
        out_ += "null";
        return true;
      case Kind::kBoolean:
        return boolean();
      case Kind::kInt:
      case Kind::kLong:
        return whole(type);
      case Kind::kFloat:
        return fraction<float>();
      case Kind::kDouble:
        return fraction<double>();
      case Kind::kString:
        return text();
      case Kind::kBytes:
      case Kind::kFixed:
        return bytes(type);
      case Kind::kEnum:
        return symbol(type);
      case Kind::kArray:
      case Kind::kMap:
        return list(type);
      case Kind::kUnion:
        return one_of(type);
      case Kind::kRecord:
        return record(type);
    }
    return false;
  }

  bool failed(Code code, std::string why) {
    fault_ = Fault{code, std::move(why)};
    return false;
  }
  bool failed(std::string why) { return failed(Code::kDataLoss, std::move(why)); }
  bool within(std::string_view name) {
    fault_->path =
        fault_->path.empty() ? std::string(name) : std::string(name) + "." + fault_->path;
    return false;
  }

  bool take_long(std::int64_t& value) {
    std::uint64_t raw = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (left_.empty()) return failed("the record ends too early");
      const auto byte = static_cast<std::uint8_t>(left_.front());
      left_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      raw |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) {
        value = static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
        return true;
      }
    }
    return failed("a number of more than 64 bits");
  }
  bool take(std::size_t size, std::string_view& bytes) {
    if (size > left_.size()) return failed("the record ends too early");
    bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return true;
  }
  bool take_counted(std::string_view& bytes) {
    std::int64_t size = 0;
    if (!take_long(size)) return false;
    if (size < 0) return failed("a length below zero");
    return take(static_cast<std::size_t>(size), bytes);
  }

  bool boolean() {
    std::string_view byte;
    if (!take(1, byte)) return false;
    if (byte[0] != 0 && byte[0] != 1) return failed("a boolean that is neither 0 nor 1");
    out_ += byte[0] ? "true" : "false";
    return true;
  }

  bool whole(const Type& type) {
    std::int64_t value = 0;
    if (!take_long(value)) return false;
    const bool fits =
        type.kind == Kind::kLong || (value >= std::numeric_limits<std::int32_t>::min() &&
                                     value <= std::numeric_limits<std::int32_t>::max());
    if (!fits) return failed(fmt::format("{} is beyond an int", value));
    if (const auto moment = moment_text(type.logical.kind, value))
      append_json_text(out_, *moment);
    else
      out_ += std::to_string(value);
    return true;
  }

  template <typename T>
  bool fraction() {
    std::string_view raw;
    if (!take(sizeof(T), raw)) return false;
    T value;
    std::memcpy(&value, raw.data(), sizeof value);
    if (std::isnan(value))
      out_ += "\"NaN\"";
    else if (std::isinf(value))
      out_ += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    else
      fmt::format_to(std::back_inserter(out_), "{}", value);
    return true;
  }

  bool append_text(std::string_view text) {
    if (!simdjson::validate_utf8(text.data(), text.size())) return failed("text that is not UTF-8");
    append_json_text(out_, text);
    return true;
  }
  bool text() {
    std::string_view text;
    return take_counted(text) && append_text(text);
  }

  bool bytes(const Type& type) {
    std::string_view raw;
    const bool fixed = type.kind == Kind::kFixed;
    if (fixed ? !take(static_cast<std::size_t>(type.defined->size), raw) : !take_counted(raw))
      return false;
    switch (type.logical.kind) {
      case Logical::kDecimal:
        return decimal(type, raw);
      case Logical::kUuid:
        if (fixed) return uuid(raw);
        break;
      case Logical::kDuration:
        return duration(raw);
      default:
        break;
    }
    std::string latin1;
    for (const char c : raw) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x80) latin1 += static_cast<char>(0xC0 | byte >> 6);
      latin1 += byte < 0x80 ? c : static_cast<char>(0x80 | (byte & 0x3F));
    }
    append_json_text(out_, latin1);
    return true;
  }

  bool decimal(const Type& type, std::string_view raw) {
    arrow::Decimal256 value;
    if (!raw.empty()) {
      const auto read = arrow::Decimal256::FromBigEndian(
          reinterpret_cast<const std::uint8_t*>(raw.data()), static_cast<std::int32_t>(raw.size()));
      if (!read.ok()) return failed(fmt::format("a decimal of {} bytes", raw.size()));
      value = *read;
    }
    append_json_text(out_, value.ToString(type.logical.scale));
    return true;
  }

  bool uuid(std::string_view raw) {
    std::string text;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += fmt::format("{:02x}", static_cast<unsigned char>(raw[i]));
    }
    append_json_text(out_, text);
    return true;
  }

  bool duration(std::string_view raw) {
    const auto part = [&](std::size_t i) {
      std::uint32_t number = 0;
      for (std::size_t b = 4; b-- > 0;)
        number = number << 8 | static_cast<std::uint8_t>(raw[4 * i + b]);
      return number;
    };
    out_ += fmt::format(R"({{"months":{},"days":{},"millis":{}}})", part(0), part(1), part(2));
    return true;
  }

  bool symbol(const Type& type) {
    std::int64_t number = 0;
    if (!take_long(number)) return false;
    const auto& symbols = type.defined->symbols;
    if (number < 0 || static_cast<std::size_t>(number) >= symbols.size())
      return failed(fmt::format("{} has no symbol {}", type.full_name(), number));
    append_json_text(out_, symbols[static_cast<std::size_t>(number)]);
    return true;
  }

  /// Blocks of elements, or of names with elements, until a block of none.
  bool list(const Type& type) {
    const bool map = type.kind == Kind::kMap;
    out_ += map ? '{' : '[';
    std::int64_t index = 0;
    for (;;) {
      std::int64_t count = 0, size = 0;
      if (!take_long(count)) return false;
      if (count == 0) break;
      // The bytes of the block follow a count below zero.
      if (count < 0 && !take_long(size)) return false;
      if (count == std::numeric_limits<std::int64_t>::min())
        return failed("a block of more elements than can be");
      for (count = std::abs(count); count > 0; --count, ++index) {
        if (index > 0) out_ += ',';
        if (!(map ? member(type) : element(type, index))) return false;
      }
    }
    out_ += map ? '}' : ']';
    return true;
  }
  bool element(const Type& type, std::int64_t index) {
    return value(*type.element) || within("[" + std::to_string(index) + "]");
  }
  bool member(const Type& type) {
    std::string_view name;
    if (!take_counted(name) || !append_text(name)) return false;
    out_ += ':';
    return value(*type.element) || within(name);
  }

  bool one_of(const Type& type) {
    std::int64_t branch = 0;
    if (!take_long(branch)) return false;
    if (branch < 0 || static_cast<std::size_t>(branch) >= type.branches.size())
      return failed(fmt::format("the union has no branch {}", branch));
    return value(*type.branches[static_cast<std::size_t>(branch)]);
  }

  bool record(const Type& type) {
    out_ += '{';
    bool first = true;
    for (const Field& field : type.defined->fields) {
      if (!first) out_ += ',';
      first = false;
      append_json_text(out_, field.name);
      out_ += ':';
      if (!value(*field.type)) return within(field.name);
    }
    out_ += '}';
    return true;
  }

  std::string_view left_;
  std::string& out_;
  const std::size_t begin_;
  int depth_ = 0;
  std::optional<Fault> fault_;
};

class AvroJson final : public RecordJson {
 public:
  explicit AvroJson(SchemaPtr writer) : writer_(std::move(writer)) {}

  Status append(Bytes record, std::string& out) override {
    Reading reading(record, out);
    const auto& schema = static_cast<const AvroSchema&>(*writer_);
    if (!reading.value(schema.root()) || !reading.at_end()) return reading.fault();
    return {};
  }

 private:
  const SchemaPtr writer_;
};

}  // namespace

Status append_first_json(const SchemaPtr& writer, Bytes& left, std::string& out) {
  Reading reading(left, out);
  if (!reading.value(static_cast<const AvroSchema&>(*writer).root())) return reading.fault();
  left = reading.left();
  return {};
}

std::unique_ptr<RecordJson> make_avro_json(const SchemaPtr& writer) {
  return std::make_unique<AvroJson>(writer);
}

}  // namespace tailrace::schema::avro
