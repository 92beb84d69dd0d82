// to_json(value): structs without their null fields, arrays and maps with them; timestamps in ISO
// 8601.
#include <fmt/format.h>

#include "base/base64.h"
#include "engine/functions/calendar.h"
#include "engine/functions/json_quote.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {
namespace {

using Id = arrow::Type::type;

void append_value(std::string& out, const arrow::Array& array, std::int64_t i);

void append_time(std::string& out, const arrow::Array& array, std::int64_t i) {
  const std::int64_t micros = array.data()->GetValues<std::int64_t>(1)[i];
  const std::int64_t of_day = floor_mod(micros, kMicrosPerDay);
  out += '"';
  append_date(out, day_of_micros(micros));
  const std::int64_t seconds = of_day / kMicrosPerSecond;
  out += fmt::format("T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  const std::int64_t fraction = of_day % kMicrosPerSecond;
  out += fraction % 1000 == 0 ? fmt::format(".{:03}", fraction / 1000)
                              : fmt::format(".{:06}", fraction);
  out += static_cast<const arrow::TimestampType&>(*array.type()).timezone().empty() ? "\"" : "Z\"";
}

void append_fields(std::string& out, const arrow::StructArray& array, std::int64_t i) {
  char separator = '{';
  for (int field = 0; field < array.num_fields(); ++field) {
    const Array values = array.field(field);
    if (values->IsNull(i)) continue;
    out += separator;
    separator = ',';
    append_quoted(out, array.type()->field(field)->name());
    out += ':';
    append_value(out, *values, i);
  }
  out += separator == '{' ? "{}" : "}";
}

void append_entries(std::string& out, const arrow::MapArray& map, std::int64_t i) {
  out += '{';
  for (auto k = map.value_offset(i); k < map.value_offset(i + 1); ++k) {
    if (k > map.value_offset(i)) out += ',';
    std::string key;
    append_text(key, *map.keys(), k);
    append_quoted(out, key);
    out += ':';
    append_value(out, *map.items(), k);
  }
  out += '}';
}

void append_value(std::string& out, const arrow::Array& array, std::int64_t i) {
  if (array.IsNull(i)) return void(out += "null");
  switch (array.type_id()) {
    case Id::STRUCT:
      return append_fields(out, static_cast<const arrow::StructArray&>(array), i);
    case Id::MAP:
      return append_entries(out, static_cast<const arrow::MapArray&>(array), i);
    case Id::TIMESTAMP:
      return append_time(out, array, i);
    case Id::STRING:
      return append_quoted(out, static_cast<const arrow::StringArray&>(array).GetView(i));
    case Id::BINARY:
      return append_quoted(out,
                           encode_base64(static_cast<const arrow::BinaryArray&>(array).GetView(i)));
    case Id::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      out += '[';
      for (auto k = list.value_offset(i); k < list.value_offset(i + 1); ++k) {
        if (k > list.value_offset(i)) out += ',';
        append_value(out, *list.values(), k);
      }
      out += ']';
      return;
    }
    default:
      break;
  }
  std::string text;
  append_text(text, array, i);
  const bool word = array.type_id() == Id::BOOL || is_number(*array.type());
  word&& text != "NaN" && !text.ends_with("Infinity") ? void(out += text)
                                                      : append_quoted(out, text);
}

Result<BoundFunction> bind(const BindCall& call) {
  if (call.args.size() == 2)
    return error(Code::kUnimplemented, "to_json: options are not supported");
  if (call.args.size() != 1) return wrong_count(call, "[1, 2]");
  const auto id = call.args[0]->id();
  if (id != Id::STRUCT && id != Id::LIST && id != Id::MAP) return wrong_argument(call, 0, "STRUCT");
  return BoundFunction{{call.args[0]}, arrow::utf8()};
}

Result<Array> run(Call& call) {
  const Nulls nulls(call.args[0]);
  Sink<std::string_view> out(call.type(), call.rows);
  std::string text;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (nulls[row]) {
      out.null(row);
      continue;
    }
    text.clear();
    append_value(text, *call.args[0].array, call.args[0].at(row));
    out.set(row, text);
  }
  return out.finish();
}

}  // namespace

void add_to_json(Functions& out) {
  out.push_back({{"to_json", "to_json(value)", "The struct, array or map as JSON text.",
                  "to_json(named_struct('a', 1, 'b', NULL, 'c', 'x'))", "{\"a\":1,\"c\":\"x\"}"},
                 {},
                 bind,
                 run});
}

}  // namespace tailrace::engine
