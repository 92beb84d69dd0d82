// The clock of a step, and windows of time: tumbling ones are a function of the time; the windows
// of a sliding one are an array, which the binder explodes.
#include "engine/functions/windows.h"

#include <arrow/scalar.h>

#include <algorithm>

#include "engine/functions/calendar.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {
namespace {

using Days = std::int32_t;
using Micros = std::int64_t;
using Text = std::string_view;

Kernel clock(bool date) {
  return [date](Call& call) -> Result<Array> {
    if (date) {
      Sink<Days> out(call.type(), call.rows);
      for (std::int64_t row = 0; row < call.rows; ++row)
        out.set(row, day_of_micros(call.context.now_us));
      return out.finish();
    }
    Sink<Micros> out(call.type(), call.rows);
    for (std::int64_t row = 0; row < call.rows; ++row) out.set(row, call.context.now_us);
    return out.finish();
  };
}

/// "1 minute", "interval 10 minutes 30 seconds"; weeks are the longest unit a window may have.
std::optional<Micros> parse_duration(Text text) {
  static constexpr std::pair<Text, Micros> kUnits[] = {{"microsecond", 1},
                                                       {"millisecond", 1000},
                                                       {"second", kMicrosPerSecond},
                                                       {"minute", 60 * kMicrosPerSecond},
                                                       {"hour", 3600 * kMicrosPerSecond},
                                                       {"day", kMicrosPerDay},
                                                       {"week", 7 * kMicrosPerDay}};
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c != ' ') {
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  if (!words.empty() && words.front() == "interval") words.erase(words.begin());
  if (words.empty() || words.size() % 2 != 0) return std::nullopt;
  Micros total = 0;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto count = parse_integer(words[i]);
    Text unit = words[i + 1];
    if (unit.ends_with('s')) unit.remove_suffix(1);
    const auto* found = std::ranges::find(kUnits, unit, &std::pair<Text, Micros>::first);
    if (!count || found == std::end(kUnits)) return std::nullopt;
    total += *count * found->second;
  }
  return total;
}

std::optional<Micros> window_length(const arrow::Scalar* scalar) {
  if (!scalar || !scalar->is_valid) return std::nullopt;
  if (scalar->type->id() == arrow::Type::DURATION)
    return static_cast<const arrow::DurationScalar*>(scalar)->value;
  const auto text = constant_text(scalar);
  return text ? parse_duration(*text) : std::nullopt;
}

Type window_type() {
  return arrow::struct_(
      {arrow::field("start", timestamp_type()), arrow::field("end", timestamp_type())});
}

Result<BoundFunction> bind_window(const BindCall& call) {
  if (call.args.size() < 2 || call.args.size() > 4) return wrong_count(call, "[2, 4]");
  auto time = implicit_cast(call.args[0], "timestamp");
  if (!time) return wrong_argument(call, 0, "TIMESTAMP");
  BoundFunction bound{{*time}, window_type()};
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    if (!window_length(call.constant(i))) {
      return error(Code::kInvalidArgument, "[DATATYPE_MISMATCH] window: argument " +
                                               std::to_string(i + 1) +
                                               " must be a constant duration, as '10 minutes'");
    }
    bound.args.push_back(call.args[i]);
  }
  const Micros length = *window_length(call.constant(1));
  if (length <= 0)
    return error(Code::kInvalidArgument,
                 "[DATATYPE_MISMATCH] window: the duration must be above 0");
  const Micros slide = call.args.size() > 2 ? *window_length(call.constant(2)) : length;
  const Micros start = call.args.size() > 3 ? *window_length(call.constant(3)) : 0;
  if (slide <= 0 || slide > length || std::abs(start) >= slide) {
    return error(Code::kInvalidArgument,
                 "[DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION] window: the slide must be "
                 "above 0 and no longer than the duration, the start shorter than the slide");
  }
  if (length / slide > kMostWindows) {
    return error(Code::kInvalidArgument, "window: a time would be in more than " +
                                             std::to_string(kMostWindows) + " windows");
  }
  return bound;
}

struct Shape {
  Micros length;
  Micros slide;
  Micros start;
};

Micros constant_length(const Expr& expr, std::size_t arg) {
  return *window_length(expr.args[arg]->literal.get());
}

Shape shape_of(const Expr& expr) {
  const Micros length = constant_length(expr, 1);
  return {length, expr.args.size() > 2 ? constant_length(expr, 2) : length,
          expr.args.size() > 3 ? constant_length(expr, 3) : 0};
}

Result<Array> window(Call& call) {
  const auto [length, slide, start] = shape_of(call.expr);
  if (slide != length)
    return error(
        Code::kUnimplemented,
        "not supported yet: a sliding window anywhere but in the select list and GROUP BY");
  const Reader<Micros> times(call.args[0]);
  Sink<Micros> starts(timestamp_type(), call.rows);
  Sink<Micros> ends(timestamp_type(), call.rows);
  Sink<bool> valid(arrow::boolean(), call.rows);
  std::int64_t nulls = 0;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    valid.set(row, !times.nulls[row]);
    if (times.nulls[row]) {
      ++nulls;
      starts.null(row);
      ends.null(row);
      continue;
    }
    const Micros first = times[row] - floor_mod(times[row] - start, length);
    starts.set(row, first);
    ends.set(row, first + length);
  }
  ASSIGN(Array first, starts.finish());
  ASSIGN(Array last, ends.finish());
  ASSIGN(Array bits, valid.finish());
  return std::make_shared<arrow::StructArray>(
      call.type(), call.rows, arrow::ArrayVector{first, last},
      nulls > 0 ? bits->data()->buffers[1] : nullptr, nulls);
}

Result<BoundFunction> bind_windows(const BindCall& call) {
  ASSIGN(auto bound, bind_window(call));
  bound.result = arrow::list(bound.result);
  return bound;
}

/// Every window a time is in, the latest first.
Result<Array> windows(Call& call) {
  const auto [length, slide, start] = shape_of(call.expr);
  const Reader<Micros> times(call.args[0]);
  std::vector<Micros> firsts;
  Sink<std::int32_t> offsets(arrow::int32(), call.rows + 1);
  offsets.set(0, 0);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (!times.nulls[row]) {
      Micros first = times[row] - floor_mod(times[row] - start, slide);
      for (; first > times[row] - length; first -= slide) firsts.push_back(first);
    }
    offsets.set(row + 1, static_cast<std::int32_t>(firsts.size()));
  }
  const auto count = static_cast<std::int64_t>(firsts.size());
  Sink<Micros> starts(timestamp_type(), count);
  Sink<Micros> ends(timestamp_type(), count);
  for (std::int64_t i = 0; i < count; ++i) {
    starts.set(i, firsts[static_cast<std::size_t>(i)]);
    ends.set(i, firsts[static_cast<std::size_t>(i)] + length);
  }
  ASSIGN(Array first, starts.finish());
  ASSIGN(Array last, ends.finish());
  ASSIGN(Array at, offsets.finish());
  const auto structs =
      std::make_shared<arrow::StructArray>(window_type(), count, arrow::ArrayVector{first, last});
  return arrow::MakeArray(arrow::ArrayData::Make(
      call.type(), call.rows, {nullptr, at->data()->buffers[1]}, {structs->data()}, 0));
}

Result<Array> window_time(Call& call) {
  const auto& windows = static_cast<const arrow::StructArray&>(*call.args[0].array);
  const Value ends{windows.field(1), call.args[0].constant};
  const Reader<Micros> last(ends);
  const Nulls nulls(call.args[0]);
  Sink<Micros> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    nulls[row] ? out.null(row) : out.set(row, last[row] - 1);
  }
  return out.finish();
}

}  // namespace

void add_windows(Functions& out) {
  auto none = [](Type type) {
    return [type](const BindCall& call) -> Result<BoundFunction> {
      if (!call.args.empty()) return wrong_count(call, "0");
      return BoundFunction{{}, type};
    };
  };
  out.push_back({{"current_timestamp", "current_timestamp()", "The time of this step.",
                  "current_timestamp() <=> now()", "true"},
                 {"now"},
                 none(timestamp_type()),
                 clock(false)});
  out.push_back({{"current_date", "current_date()", "The day of this step.",
                  "current_date() <=> curdate()", "true"},
                 {"curdate"},
                 none(arrow::date32()),
                 clock(true)});
  out.push_back({{"window", "window(time, duration[, slide[, start]])",
                  "The tumbling window the time is in; of a sliding one every window, a row each.",
                  "window(TIMESTAMP'2020-01-01 10:11:12', '5 minutes')",
                  "{2020-01-01 10:10:00, 2020-01-01 10:15:00}"},
                 {},
                 bind_window,
                 window});
  out.push_back({{std::string(kWindows), "", "The windows a time is in, as an array.", "", ""},
                 {},
                 bind_windows,
                 windows});
  out.push_back({{"window_time", "window_time(window)", "The last microsecond of a window.",
                  "window_time(window(TIMESTAMP'2020-01-01 10:11:12', '5 minutes'))",
                  "2020-01-01 10:14:59.999999"},
                 {},
                 signature("struct -> timestamp"),
                 window_time});
}

}  // namespace tailrace::engine
