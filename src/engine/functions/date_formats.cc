// Times as texts and back by a pattern: date_format, from_unixtime, unix_timestamp, to_timestamp,
// to_date and their try_ forms.
#include "engine/functions/calendar.h"
#include "engine/functions/faults.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"
#include "engine/functions/time_pattern.h"

namespace tailrace::engine {
namespace {

using Id = arrow::Type::type;
using Days = std::int32_t;
using Micros = std::int64_t;
using Text = std::string_view;

constexpr Text kDefaultFormat = "yyyy-MM-dd HH:mm:ss";

/// The pattern of a row; a constant one is parsed once a batch.
class Formats {
 public:
  explicit Formats(Result<TimePattern> (*parse)(Text)) : parse_(parse) {}
  /// Null when it is no pattern; what() says why.
  const TimePattern* get(Text text) {
    if (!known_ || text != text_) {
      known_ = true;
      text_ = text;
      pattern_ = parse_(text);
    }
    return pattern_ ? &*pattern_ : nullptr;
  }
  const std::string& what() const { return pattern_.error().what; }

 private:
  Result<TimePattern> (*parse_)(Text);
  bool known_ = false;
  std::string text_;
  Result<TimePattern> pattern_ = error(Code::kInternal, "no pattern yet");
};

Result<Array> written(Call& call, Micros unit) {
  const Reader<Micros> times(call.args[0]);
  std::optional<Reader<Text>> formats;
  if (call.args.size() > 1) formats.emplace(call.args[1]);
  Formats patterns(TimePattern::for_writing);
  Sink<Text> out(call.type(), call.rows);
  std::string text;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (times.nulls[row] || (formats && formats->nulls[row])) {
      out.null(row);
      continue;
    }
    const TimePattern* pattern = patterns.get(formats ? (*formats)[row] : kDefaultFormat);
    Micros micros;
    const bool over = __builtin_mul_overflow(times[row], unit, &micros);
    if (!pattern || over) {
      call.fail(row, pattern ? faults::overflow("") : patterns.what());
      out.null(row);
      continue;
    }
    text.clear();
    pattern->write(text, micros);
    out.set(row, text);
  }
  return out.finish();
}

std::string cannot_parse(Text text, Text use) {
  return "[CANNOT_PARSE_TIMESTAMP] Text '" + std::string(text) + "' could not be parsed. Use `" +
         std::string(use) + "` to tolerate invalid input string and return NULL instead.";
}

/// What a text means without a pattern.
using Plain = std::optional<Micros> (*)(Text, Micros now_us);

std::optional<Micros> plain_time(Text text, Micros now_us) {
  return parse_timestamp(text, now_us);
}
std::optional<Micros> plain_date(Text text, Micros) {
  const auto days = parse_date(text);
  return days ? std::optional(*days * kMicrosPerDay) : std::nullopt;
}

struct Reading {
  bool quiet = false;
  Plain plain = nullptr;  ///< null: kDefaultFormat
  Micros unit = 1;        ///< of the result, in microseconds
};

/// Days are rounded down, the seconds of unix_timestamp towards zero, as Spark does.
Micros in_units(Micros micros, Micros unit) {
  return unit == kMicrosPerDay ? floor_div(micros, unit) : micros / unit;
}

template <typename T>
Result<Array> read_texts(Call& call, const Reading& how) {
  const Reader<Text> texts(call.args[0]);
  std::optional<Reader<Text>> formats;
  if (call.args.size() > 1) formats.emplace(call.args[1]);
  Formats patterns(TimePattern::for_reading);
  Sink<T> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (texts.nulls[row] || (formats && formats->nulls[row])) {
      out.null(row);
      continue;
    }
    std::optional<Micros> made;
    if (!formats && how.plain) {
      made = how.plain(texts[row], call.context.now_us);
      if (!made && !how.quiet)
        call.fail(row, faults::malformed(texts[row], "STRING", spark_name(*call.type())));
    } else if (const TimePattern* pattern =
                   patterns.get(formats ? (*formats)[row] : kDefaultFormat)) {
      made = pattern->read(texts[row]);
      if (!made && !how.quiet) call.fail(row, cannot_parse(texts[row], "try_to_timestamp"));
    } else {
      call.fail(row, patterns.what());
    }
    made ? out.set(row, static_cast<T>(in_units(*made, how.unit))) : out.null(row);
  }
  return out.finish();
}

/// Dates and timestamps pass without their pattern.
Kernel reading(Reading how) {
  return [how](Call& call) -> Result<Array> {
    const bool to_date = call.type()->id() == Id::DATE32;
    switch (call.args[0].type().id()) {
      case Id::TIMESTAMP:
        if (to_date)
          return map_rows<Micros>(call, [](auto, Micros us) { return day_of_micros(us); });
        return map_rows<Micros>(call, [&](auto, Micros us) { return in_units(us, how.unit); });
      case Id::DATE32:
        if (to_date) return map_rows<Days>(call, [](auto, Days days) { return days; });
        return map_rows<Days>(
            call, [&](auto, Days days) { return floor_div(days * kMicrosPerDay, how.unit); });
      default:
        return to_date ? read_texts<Days>(call, how) : read_texts<Micros>(call, how);
    }
  };
}

Binder bind_reading(Type result) {
  return [result](const BindCall& call) -> Result<BoundFunction> {
    if (call.args.empty() || call.args.size() > 2) return wrong_count(call, "[1, 2]");
    const auto id = call.args[0]->id();
    const bool taken = id == Id::DATE32 || id == Id::TIMESTAMP || id == Id::STRING;
    if (!taken && !implicit_cast(call.args[0], "string")) return wrong_argument(call, 0, "STRING");
    BoundFunction bound{{taken ? call.args[0] : arrow::utf8()}, result};
    if (call.args.size() > 1) {
      if (!implicit_cast(call.args[1], "string")) return wrong_argument(call, 1, "STRING");
      bound.args.push_back(arrow::utf8());
    }
    return bound;
  };
}

/// unix_timestamp() is the time of the step.
Result<BoundFunction> bind_unix(const BindCall& call) {
  if (call.args.empty()) return BoundFunction{{}, arrow::int64()};
  return bind_reading(arrow::int64())(call);
}

Result<Array> unix_timestamp(Call& call) {
  const Reading how{false, nullptr, kMicrosPerSecond};
  if (!call.args.empty()) return reading(how)(call);
  Sink<Micros> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row)
    out.set(row, floor_div(call.context.now_us, kMicrosPerSecond));
  return out.finish();
}

}  // namespace

void add_date_formats(Functions& out) {
  const Type time = timestamp_type();
  out.push_back({{"date_format", "date_format(time, pattern)", "The time by a pattern, in UTC.",
                  "date_format(DATE'2016-04-08', 'EEE d MMM y')", "Fri 8 Apr 2016"},
                 {},
                 signature("timestamp, string -> string"),
                 [](Call& call) { return written(call, 1); }});
  out.push_back(
      {{"from_unixtime", "from_unixtime(seconds[, pattern])",
        "Seconds since 1970 by a pattern, in UTC.", "from_unixtime(0)", "1970-01-01 00:00:00"},
       {},
       signature("bigint, [string] -> string"),
       [](Call& call) { return written(call, kMicrosPerSecond); }});
  out.push_back({{"unix_timestamp", "unix_timestamp([time[, pattern]])",
                  "Seconds since 1970 of a time or of a text by the pattern.",
                  "unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460073600"},
                 {},
                 bind_unix,
                 unix_timestamp});
  out.push_back({{"to_unix_timestamp", "to_unix_timestamp(time[, pattern])", "As unix_timestamp.",
                  "to_unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460073600"},
                 {},
                 bind_reading(arrow::int64()),
                 unix_timestamp});
  out.push_back({{"to_timestamp", "to_timestamp(text[, pattern])", "The text as a TIMESTAMP.",
                  "to_timestamp('2020-01-02T03:04:05Z')", "2020-01-02 03:04:05"},
                 {},
                 bind_reading(time),
                 reading({false, plain_time, 1})});
  out.push_back({{"try_to_timestamp", "try_to_timestamp(text[, pattern])",
                  "As to_timestamp, null for other texts.", "try_to_timestamp('x')", "NULL"},
                 {},
                 bind_reading(time),
                 reading({true, plain_time, 1})});
  out.push_back({{"to_date", "to_date(text[, pattern])", "The text as a DATE.",
                  "to_date('31.12.2016', 'dd.MM.yyyy')", "2016-12-31"},
                 {},
                 bind_reading(arrow::date32()),
                 reading({false, plain_date, kMicrosPerDay})});
  out.push_back({{"try_to_date", "try_to_date(text[, pattern])",
                  "As to_date, null for other texts.", "try_to_date('x')", "NULL"},
                 {},
                 bind_reading(arrow::date32()),
                 reading({true, plain_date, kMicrosPerDay})});
}

}  // namespace tailrace::engine
