// Casts between scalar types, and element by element between arrays, structs and maps.
#include "engine/functions/cast.h"

#include <cmath>
#include <limits>

#include "engine/functions/calendar.h"
#include "engine/functions/decimal_rules.h"
#include "engine/functions/faults.h"
#include "engine/functions/maps.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {
namespace {

using Id = arrow::Type::type;

struct Cast {
  Call& call;
  std::string from = spark_name(call.args[0].type());
  std::string to = spark_name(*call.type());

  void malformed(std::int64_t row, std::string_view value) {
    if (!call.expr.try_cast) call.fail(row, faults::malformed(value, from, to));
  }
  void overflow(std::int64_t row, std::string value) {
    if (!call.expr.try_cast) call.fail(row, faults::cast_overflow(value, from, to));
  }
};

template <typename T>
std::string literal_text(T value, const std::string& from) {
  std::string out;
  if constexpr (std::is_same_v<T, double>) {
    append_double(out, value);
    return std::isfinite(value) ? out + "D" : out;
  } else if constexpr (std::is_same_v<T, float>) {
    append_float(out, value);
    return out;
  } else {
    out = std::to_string(value);
    return out + (from == "BIGINT" ? "L" : from == "SMALLINT" || from == "TINYINT" ? "S" : "");
  }
}

template <typename To>
std::optional<To> parse_as(std::string_view text) {
  if constexpr (std::is_same_v<To, bool>) {
    return parse_boolean(text);
  } else if constexpr (std::is_same_v<To, double>) {
    return parse_double(text);
  } else if constexpr (std::is_same_v<To, float>) {
    return parse_float(text);
  } else {
    const auto whole = parse_integer(text);
    if (!whole || *whole < std::numeric_limits<To>::min() ||
        *whole > std::numeric_limits<To>::max()) {
      return std::nullopt;
    }
    return static_cast<To>(*whole);
  }
}

template <typename To, typename Parse>
Result<Array> from_text(Cast& cast, Parse parse) {
  return map_rows<std::string_view>(
      cast.call, [&](std::int64_t row, std::string_view text) -> std::optional<To> {
        std::optional<To> made = parse(text);
        if (!made) cast.malformed(row, text);
        return made;
      });
}

Result<Array> text_to_decimal(Cast& cast) {
  const DecimalShape to = decimal_of(*cast.call.type());
  return map_rows<std::string_view>(
      cast.call, [&](std::int64_t row, std::string_view text) -> std::optional<Decimal128> {
        const auto parsed = parse_decimal(text);
        if (!parsed) {
          cast.malformed(row, text);
          return std::nullopt;
        }
        auto made = rescale(parsed->value, parsed->scale, to);
        if (!made && !cast.call.expr.try_cast) {
          cast.call.fail(row, faults::decimal_range(trim_spaces(text), to.precision, to.scale));
        }
        return made;
      });
}

Result<Array> cast_text(Cast& cast) {
  const auto& type = *cast.call.type();
  const std::int64_t now = cast.call.context.now_us;
  const bool constant = cast.call.args[0].constant;
  switch (type.id()) {
    case Id::BINARY:
      return map_rows<std::string_view>(cast.call,
                                        [](auto, std::string_view text) { return text; });
    case Id::DATE32:
      return from_text<std::int32_t>(cast, [&](auto text) -> std::optional<std::int32_t> {
        const auto named = constant ? named_moment(text, now) : std::nullopt;
        return named ? day_of_micros(*named) : parse_date(text);
      });
    case Id::TIMESTAMP:
      return from_text<std::int64_t>(cast, [&](auto text) {
        const auto named = constant ? named_moment(text, now) : std::nullopt;
        return named ? named : parse_timestamp(text, now);
      });
    case Id::DECIMAL128:
      return text_to_decimal(cast);
    case Id::BOOL:
      return from_text<bool>(cast, parse_as<bool>);
    case Id::INT8:
      return from_text<std::int8_t>(cast, parse_as<std::int8_t>);
    case Id::INT16:
      return from_text<std::int16_t>(cast, parse_as<std::int16_t>);
    case Id::INT32:
      return from_text<std::int32_t>(cast, parse_as<std::int32_t>);
    case Id::INT64:
      return from_text<std::int64_t>(cast, parse_as<std::int64_t>);
    case Id::FLOAT:
      return from_text<float>(cast, parse_as<float>);
    case Id::DOUBLE:
      return from_text<double>(cast, parse_as<double>);
    default:
      return error(Code::kUnimplemented, "CAST from STRING to " + cast.to);
  }
}

/// Truncated toward zero; nothing when out of To's range.
template <typename To, typename From>
std::optional<To> convert(From value) {
  if constexpr (std::is_floating_point_v<To> || std::is_same_v<From, bool>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From>) {
    const double whole = std::trunc(static_cast<double>(value));
    const double limit = std::ldexp(1.0, std::numeric_limits<To>::digits);
    if (!(whole >= -limit && whole < limit)) return std::nullopt;
    return static_cast<To>(whole);
  } else {
    if (value < std::numeric_limits<To>::min() || value > std::numeric_limits<To>::max())
      return std::nullopt;
    return static_cast<To>(value);
  }
}

template <typename From, typename To>
Result<Array> numbers(Cast& cast) {
  return map_rows<From>(cast.call, [&](std::int64_t row, From value) -> std::optional<To> {
    if constexpr (std::is_same_v<To, bool>) return value != From{0};
    auto made = convert<To, From>(value);
    if constexpr (!std::is_same_v<From, bool>) {
      if (!made) cast.overflow(row, literal_text(value, cast.from));
    }
    return made;
  });
}

template <typename From>
Result<Array> number_to_decimal(Cast& cast) {
  const DecimalShape to = decimal_of(*cast.call.type());
  return map_rows<From>(cast.call, [&](std::int64_t row, From value) -> std::optional<Decimal128> {
    std::string text;
    std::optional<Decimal128> made;
    if constexpr (std::is_floating_point_v<From>) {
      if (!std::isfinite(value)) return std::nullopt;
      append_double(text, value);
      if (const auto parsed = parse_decimal(text)) made = rescale(parsed->value, parsed->scale, to);
    } else {
      text = std::to_string(value);
      made = rescale(Decimal128(static_cast<std::int64_t>(value)), 0, to);
    }
    if (!made && !cast.call.expr.try_cast) {
      cast.call.fail(row, faults::decimal_range(text, to.precision, to.scale));
    }
    return made;
  });
}

template <typename From>
Result<Array> number_to_timestamp(Cast& cast) {
  return map_rows<From>(
      cast.call, [&](std::int64_t row, From value) -> std::optional<std::int64_t> {
        if constexpr (std::is_floating_point_v<From>) {
          if (!std::isfinite(value)) {
            cast.malformed(row, literal_text(value, cast.from));
            return std::nullopt;
          }
          auto made = convert<std::int64_t>(static_cast<double>(value) * kMicrosPerSecond);
          if (!made) cast.overflow(row, literal_text(value, cast.from));
          return made;
        } else {
          std::int64_t micros;
          if (!__builtin_mul_overflow(static_cast<std::int64_t>(value), kMicrosPerSecond, &micros))
            return micros;
          return value < From{0} ? std::numeric_limits<std::int64_t>::min()
                                 : std::numeric_limits<std::int64_t>::max();
        }
      });
}

template <typename From>
Result<Array> cast_number(Cast& cast) {
  switch (cast.call.type()->id()) {
    case Id::BOOL:
      return numbers<From, bool>(cast);
    case Id::INT8:
      return numbers<From, std::int8_t>(cast);
    case Id::INT16:
      return numbers<From, std::int16_t>(cast);
    case Id::INT32:
      return numbers<From, std::int32_t>(cast);
    case Id::INT64:
      return numbers<From, std::int64_t>(cast);
    case Id::FLOAT:
      return numbers<From, float>(cast);
    case Id::DOUBLE:
      return numbers<From, double>(cast);
    case Id::DECIMAL128:
      return number_to_decimal<From>(cast);
    case Id::TIMESTAMP:
      return number_to_timestamp<From>(cast);
    default:
      return error(Code::kUnimplemented, "CAST from " + cast.from + " to " + cast.to);
  }
}

template <typename To>
Result<Array> decimal_to_integer(Cast& cast, int scale) {
  return map_rows<Decimal128>(
      cast.call, [&](std::int64_t row, const Decimal128& value) -> std::optional<To> {
        const Decimal128 whole(scale > 0 ? Decimal128(value.ReduceScaleBy(scale, false)) : value);
        if (auto wide = whole.ToInteger<std::int64_t>(); wide.ok()) {
          if (auto made = convert<To>(*wide)) return made;
        }
        cast.overflow(row, value.ToString(scale) + "BD");
        return std::nullopt;
      });
}

Result<Array> decimal_to_decimal(Cast& cast, DecimalShape from) {
  const DecimalShape to = decimal_of(*cast.call.type());
  return map_rows<Decimal128>(cast.call, [&](std::int64_t row, const Decimal128& value) {
    auto made = rescale(value, from.scale, to);
    if (!made && !cast.call.expr.try_cast) {
      cast.call.fail(row,
                     faults::decimal_range(value.ToString(from.scale), to.precision, to.scale));
    }
    return made;
  });
}

Result<Array> cast_decimal(Cast& cast) {
  const DecimalShape from = decimal_of(cast.call.args[0].type());
  switch (cast.call.type()->id()) {
    case Id::BOOL:
      return map_rows<Decimal128>(
          cast.call, [](auto, const Decimal128& value) { return value != Decimal128(0); });
    case Id::INT8:
      return decimal_to_integer<std::int8_t>(cast, from.scale);
    case Id::INT16:
      return decimal_to_integer<std::int16_t>(cast, from.scale);
    case Id::INT32:
      return decimal_to_integer<std::int32_t>(cast, from.scale);
    case Id::INT64:
      return decimal_to_integer<std::int64_t>(cast, from.scale);
    case Id::DECIMAL128:
      return decimal_to_decimal(cast, from);
    case Id::FLOAT:
      return map_rows<Decimal128>(cast.call, [&](auto, const Decimal128& value) {
        return static_cast<float>(value.ToDouble(from.scale));
      });
    case Id::DOUBLE:
      return map_rows<Decimal128>(cast.call, [&](auto, const Decimal128& value) {
        return parse_double(value.ToString(from.scale)).value_or(value.ToDouble(from.scale));
      });
    case Id::TIMESTAMP:
      return map_rows<Decimal128>(
          cast.call, [&](auto, const Decimal128& value) -> std::optional<std::int64_t> {
            const auto micros = rescale(value, from.scale, {38, 6});
            if (!micros) return std::nullopt;
            auto made = micros->ToInteger<std::int64_t>();
            return made.ok() ? std::optional(*made) : std::nullopt;
          });
    default:
      return error(Code::kUnimplemented, "CAST from " + cast.from + " to " + cast.to);
  }
}

template <typename To>
Result<Array> seconds_as(Cast& cast) {
  return map_rows<std::int64_t>(cast.call,
                                [&](std::int64_t row, std::int64_t micros) -> std::optional<To> {
                                  if constexpr (std::is_floating_point_v<To>)
                                    return static_cast<To>(static_cast<double>(micros) / 1e6);
                                  auto made = convert<To>(floor_div(micros, kMicrosPerSecond));
                                  std::string text;
                                  if (!made) {
                                    append_timestamp(text, micros);
                                    cast.overflow(row, "TIMESTAMP '" + text + "'");
                                  }
                                  return made;
                                });
}

Result<Array> cast_timestamp(Cast& cast) {
  switch (cast.call.type()->id()) {
    case Id::TIMESTAMP:
      return map_rows<std::int64_t>(cast.call, [](auto, std::int64_t micros) { return micros; });
    case Id::DATE32:
      return map_rows<std::int64_t>(cast.call,
                                    [](auto, std::int64_t us) { return day_of_micros(us); });
    case Id::INT8:
      return seconds_as<std::int8_t>(cast);
    case Id::INT16:
      return seconds_as<std::int16_t>(cast);
    case Id::INT32:
      return seconds_as<std::int32_t>(cast);
    case Id::INT64:
      return seconds_as<std::int64_t>(cast);
    case Id::FLOAT:
      return seconds_as<float>(cast);
    case Id::DOUBLE:
      return seconds_as<double>(cast);
    case Id::DECIMAL128: {
      const DecimalShape to = decimal_of(*cast.call.type());
      return map_rows<std::int64_t>(
          cast.call, [&](auto, std::int64_t us) { return rescale(Decimal128(us), 6, to); });
    }
    default:
      return error(Code::kUnimplemented, "CAST from " + cast.from + " to " + cast.to);
  }
}

Result<Array> to_string(Call& call) {
  const Value& value = call.args[0];
  Sink<std::string_view> out(call.type(), call.rows);
  const Nulls nulls(value);
  std::string text;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (nulls[row]) {
      out.null(row);
      continue;
    }
    text.clear();
    append_text(text, *value.array, value.at(row));
    out.set(row, text);
  }
  return out.finish();
}

/// Casts the flat children; errors land on the row whose element it is.
Result<Array> cast_child(Call& call, const Array& child, const Type& to,
                         const std::vector<std::int64_t>& row_of) {
  if (child->type()->Equals(*to)) return child;
  Expr expr = call.expr;
  expr.type = to;
  EvalContext inner;
  inner.now_us = call.context.now_us;
  Call sub{expr, {Value{child, false}}, child->length(), inner};
  ASSIGN(Array made, cast_rows(sub));
  for (RowError& fault : inner.errors) {
    const std::int64_t row = row_of.empty() ? fault.row : row_of[fault.row];
    call.context.errors.push_back({row, std::move(fault.what)});
  }
  return made;
}

Result<Array> cast_list(Call& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  std::vector<std::int64_t> row_of(static_cast<std::size_t>(list.values()->length()), 0);
  for (std::int64_t row = 0; row < list.length(); ++row) {
    for (auto k = list.value_offset(row); k < list.value_offset(row + 1); ++k) row_of[k] = row;
  }
  ASSIGN(Array values, cast_child(call, list.values(), call.type()->field(0)->type(), row_of));
  auto data = list.data()->Copy();
  data->type = call.type();
  data->child_data = {values->data()};
  return arrow::MakeArray(data);
}

/// Maps some of whose keys could not be cast: those rows are null, with their error if they have
/// none yet.
Result<Array> without_key_faults(Call& call, const arrow::Array& keys, const arrow::Array& items) {
  const auto& from = static_cast<const arrow::MapArray&>(*call.args[0].array);
  MapMaker out(from.length());
  std::string fault;
  for (std::int64_t row = 0; row < from.length(); ++row) {
    bool good = from.IsValid(row);
    for (auto k = from.value_offset(row); good && k < from.value_offset(row + 1); ++k)
      good = out.add(keys, k, k, fault);
    if (!good && from.IsValid(row) && call.context.errors.empty()) call.fail(row, fault);
    good ? out.end_row(row) : out.null_row(row);
  }
  return out.finish(call.type(), keys, items);
}

Result<Array> cast_map(Call& call) {
  const auto& from = static_cast<const arrow::MapArray&>(*call.args[0].array);
  const auto& to = static_cast<const arrow::MapType&>(*call.type());
  std::vector<std::int64_t> row_of(static_cast<std::size_t>(from.keys()->length()), 0);
  for (std::int64_t row = 0; row < from.length(); ++row) {
    for (auto k = from.value_offset(row); k < from.value_offset(row + 1); ++k) row_of[k] = row;
  }
  ASSIGN(Array keys, cast_child(call, from.keys(), to.key_type(), row_of));
  ASSIGN(Array items, cast_child(call, from.items(), to.item_type(), row_of));
  if (keys->null_count() > 0) return without_key_faults(call, *keys, *items);
  auto entries = arrow::ArrayData::Make(to.field(0)->type(), keys->length(), {nullptr},
                                        {keys->data(), items->data()}, 0);
  auto data = from.data()->Copy();
  data->type = call.type();
  data->child_data = {std::move(entries)};
  return arrow::MakeArray(data);
}

Result<Array> cast_struct(Call& call) {
  const auto& from = static_cast<const arrow::StructArray&>(*call.args[0].array);
  arrow::ArrayVector fields;
  for (int i = 0; i < from.num_fields(); ++i) {
    ASSIGN(Array field, cast_child(call, from.field(i), call.type()->field(i)->type(), {}));
    fields.push_back(field);
  }
  std::shared_ptr<arrow::Buffer> nulls;
  if (from.null_count() > 0) {
    Sink<bool> valid(arrow::boolean(), from.length());
    for (std::int64_t row = 0; row < from.length(); ++row) valid.set(row, from.IsValid(row));
    ASSIGN(Array bits, valid.finish());
    nulls = bits->data()->buffers[1];
  }
  return std::make_shared<arrow::StructArray>(call.type(), from.length(), fields, nulls,
                                              from.null_count());
}

}  // namespace

bool may_cast(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || is_void(from) || is_string_type(to)) return true;
  if (from.id() == Id::LIST && to.id() == Id::LIST)
    return may_cast(*from.field(0)->type(), *to.field(0)->type());
  if (from.id() == Id::STRUCT && to.id() == Id::STRUCT) {
    if (from.num_fields() != to.num_fields()) return false;
    for (int i = 0; i < from.num_fields(); ++i) {
      if (!may_cast(*from.field(i)->type(), *to.field(i)->type())) return false;
    }
    return true;
  }
  if (from.id() == Id::MAP && to.id() == Id::MAP) {
    const auto& one = static_cast<const arrow::MapType&>(from);
    const auto& two = static_cast<const arrow::MapType&>(to);
    return may_cast(*one.key_type(), *two.key_type()) &&
           may_cast(*one.item_type(), *two.item_type());
  }
  if (from.id() == Id::BINARY || to.id() == Id::BINARY) return is_string_type(from);
  const bool to_number = is_number(to);
  if (is_string_type(from))
    return is_scalar(to) && to.id() != Id::DURATION && to.id() != Id::INTERVAL_MONTHS;
  if (is_number(from)) return to_number || to.id() == Id::BOOL || to.id() == Id::TIMESTAMP;
  if (from.id() == Id::BOOL) return to_number;
  if (from.id() == Id::TIMESTAMP)
    return to_number || to.id() == Id::DATE32 || to.id() == Id::TIMESTAMP;
  return from.id() == Id::DATE32 && to.id() == Id::TIMESTAMP;
}

Result<Array> cast_rows(Call& call) {
  const auto& from = call.args[0].type();
  if (is_void(from)) return from_arrow(arrow::MakeArrayOfNull(call.type(), call.rows));
  if (from.Equals(*call.type())) return call.args[0].array;
  if (is_string_type(*call.type())) return to_string(call);
  if (from.id() == Id::LIST && call.type()->id() == Id::LIST) return cast_list(call);
  if (from.id() == Id::STRUCT && call.type()->id() == Id::STRUCT) return cast_struct(call);
  if (from.id() == Id::MAP && call.type()->id() == Id::MAP) return cast_map(call);
  Cast cast{call};
  switch (from.id()) {
    case Id::STRING:
      return cast_text(cast);
    case Id::BOOL:
      return cast_number<bool>(cast);
    case Id::INT8:
      return cast_number<std::int8_t>(cast);
    case Id::INT16:
      return cast_number<std::int16_t>(cast);
    case Id::INT32:
      return cast_number<std::int32_t>(cast);
    case Id::INT64:
      return cast_number<std::int64_t>(cast);
    case Id::FLOAT:
      return cast_number<float>(cast);
    case Id::DOUBLE:
      return cast_number<double>(cast);
    case Id::DECIMAL128:
      return cast_decimal(cast);
    case Id::TIMESTAMP:
      return cast_timestamp(cast);
    case Id::DATE32:
      if (call.type()->id() == Id::TIMESTAMP) {
        return map_rows<std::int32_t>(call,
                                      [](auto, std::int32_t days) { return days * kMicrosPerDay; });
      }
      break;
    default:
      break;
  }
  return error(Code::kUnimplemented, "CAST from " + cast.from + " to " + cast.to);
}

}  // namespace tailrace::engine
