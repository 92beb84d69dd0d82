// sequence(start, stop[, step]) over whole numbers, dates and timestamps; arrays_zip; get and
// try_element_at.
#include <algorithm>

#include "engine/functions/calendar.h"
#include "engine/functions/list_maker.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Id = arrow::Type::type;
using Int = std::int32_t;
using Long = std::int64_t;

constexpr Long kMostElements = 100'000'000;

bool is_time(const arrow::DataType& type) {
  return type.id() == Id::DATE32 || type.id() == Id::TIMESTAMP;
}

Result<BoundFunction> bind_sequence(const BindCall& call) {
  if (call.args.size() != 2 && call.args.size() != 3) return wrong_count(call, "[2, 3]");
  Type common = common_type_of(call.args[0], call.args[1]);
  const auto wrong = [&] {
    return error(Code::kInvalidArgument,
                 "[DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES] Cannot resolve \"sequence\" due "
                 "to data type mismatch: `sequence` uses the wrong parameter type. The start and "
                 "stop must be whole numbers, dates or timestamps, the step a whole number or an "
                 "interval.");
  };
  if (!common || (!is_integral(*common) && !is_time(*common))) return wrong();
  const bool step = call.args.size() == 3;
  if (is_integral(*common)) {
    if (step && !is_integral(*call.args[2]) && !is_void(*call.args[2])) return wrong();
    BoundFunction bound{{common, common}, arrow::list(common)};
    if (step) bound.args.push_back(common);
    return bound;
  }
  BoundFunction bound{{common, common}, arrow::list(common)};
  if (step) {
    const auto id = call.args[2]->id();
    if (id != Id::DURATION && id != Id::INTERVAL_MONTHS) return wrong();
    bound.args.push_back(call.args[2]);
  }
  return bound;
}

Long value_at(const Value& value, Long row) {
  return visit_fixed(value.type(), [&]<typename T>() -> Long {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return static_cast<Long>(value.array->data()->GetValues<T>(1)[value.at(row)]);
    } else {
      return 0;
    }
  });
}

/// Steps of days, microseconds or one apart, or of months of the calendar.
struct Step {
  Long by = 1;
  bool months = false;
};

Long nth(const arrow::DataType& type, Long start, const Step& step, Long n) {
  if (!step.months) return start + n * step.by;
  if (type.id() == Id::DATE32) return add_months_to(static_cast<Int>(start), n * step.by);
  return add_months_to(day_of_micros(start), n * step.by) * kMicrosPerDay +
         floor_mod(start, kMicrosPerDay);
}

std::string illegal(Long start, Long stop, Long step) {
  return "[INTERNAL_ERROR] Illegal sequence boundaries: " + std::to_string(start) + " to " +
         std::to_string(stop) + " by " + std::to_string(step);
}

Step default_step(const arrow::DataType& type, Long start, Long stop) {
  const Long unit = type.id() == Id::TIMESTAMP ? kMicrosPerDay : 1;
  return {start <= stop ? unit : -unit, false};
}

Result<Array> sequence(Call& call) {
  const arrow::DataType& type = *call.type()->field(0)->type();
  const Nulls starts(call.args[0]), stops(call.args[1]);
  std::optional<Nulls> steps;
  if (call.args.size() > 2) steps.emplace(call.args[2]);
  ListMaker out(call.rows);
  std::vector<Long> values;
  for (Long row = 0; row < call.rows; ++row) {
    if (starts[row] || stops[row] || (steps && (*steps)[row])) {
      out.null_row(row);
      continue;
    }
    const Long start = value_at(call.args[0], row);
    const Long stop = value_at(call.args[1], row);
    Step step = default_step(type, start, stop);
    if (steps) {
      step = {value_at(call.args[2], row), call.args[2].type().id() == Id::INTERVAL_MONTHS};
      if (type.id() == Id::DATE32 && call.args[2].type().id() == Id::DURATION) {
        if (step.by % kMicrosPerDay != 0) step.by = 0;
        step.by /= kMicrosPerDay;
      }
    }
    const bool away = (step.by > 0 && start > stop) || (step.by < 0 && start < stop);
    if (away || (step.by == 0 && start != stop)) {
      call.fail(row, illegal(start, stop, step.by));
      out.null_row(row);
      continue;
    }
    Long n = 0;
    do {
      const Long value = nth(type, start, step, n);
      if (step.by > 0 ? value > stop : value < stop) break;
      if (static_cast<Long>(values.size()) >= kMostElements)
        return error(Code::kResourceExhausted, "sequence: too many elements in a batch");
      values.push_back(value);
      out.add(0);
      Long next;
      if (!step.months && __builtin_add_overflow(value, step.by, &next)) break;
      ++n;
    } while (step.by != 0);
    out.end_row(row);
  }
  return visit_fixed(type, [&]<typename T>() -> Result<Array> {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      Sink<T> elements(call.type()->field(0)->type(), static_cast<Long>(values.size()));
      for (std::size_t i = 0; i < values.size(); ++i)
        elements.set(static_cast<Long>(i), static_cast<T>(values[i]));
      ASSIGN(Array made, elements.finish());
      return out.finish_with(call.type(), std::move(made));
    } else {
      return error(Code::kInternal, "sequence of " + spark_name(type));
    }
  });
}

Result<BoundFunction> bind_zip(const BindCall& call) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    if (call.args[i]->id() != Id::LIST) return wrong_argument(call, i, "ARRAY");
    fields.push_back(arrow::field(std::to_string(i), call.args[i]->field(0)->type()));
  }
  return BoundFunction{{call.args.begin(), call.args.end()}, arrow::list(arrow::struct_(fields))};
}

Result<Array> arrays_zip(Call& call) {
  std::vector<Lists> lists;
  for (const Value& value : call.args) lists.emplace_back(value);
  std::vector<std::vector<Long>> places(lists.size());
  ListMaker out(call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    Long longest = 0;
    bool null = false;
    for (const Lists& one : lists) {
      null |= one.nulls[row];
      if (!null) longest = std::max(longest, one.size(row));
    }
    if (null) {
      out.null_row(row);
      continue;
    }
    for (Long k = 0; k < longest; ++k) {
      out.add(0);
      for (std::size_t i = 0; i < lists.size(); ++i)
        places[i].push_back(k < lists[i].size(row) ? lists[i].begin(row) + k : -1);
    }
    out.end_row(row);
  }
  arrow::ArrayVector fields;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    Sink<Long> wanted(arrow::int64(), static_cast<Long>(places[i].size()));
    for (std::size_t k = 0; k < places[i].size(); ++k) {
      const auto row = static_cast<Long>(k);
      places[i][k] < 0 ? wanted.null(row) : wanted.set(row, places[i][k]);
    }
    ASSIGN(Array at, wanted.finish());
    ASSIGN(Array field, from_arrow(arrow::compute::Take(*lists[i].values(), *at)));
    fields.push_back(field);
  }
  return out.finish_with(
      call.type(), std::make_shared<arrow::StructArray>(call.type()->field(0)->type(),
                                                        static_cast<Long>(out.size()), fields));
}

Result<BoundFunction> bind_get(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  if (call.args[0]->id() != Id::LIST) return wrong_argument(call, 0, "ARRAY");
  if (!implicit_cast(call.args[1], "int")) return wrong_argument(call, 1, "INT");
  return BoundFunction{{call.args[0], arrow::int32()}, call.args[0]->field(0)->type()};
}

Result<BoundFunction> bind_try_element(const BindCall& call) {
  return find_function("element_at")->bind(call);
}

/// get counts from 0, try_element_at from 1 or from the end; null where there is none.
Kernel element_or_null(bool from_one) {
  return [from_one](Call& call) -> Result<Array> {
    if (call.args[0].type().id() == Id::MAP) return find_function("element_at")->run(call);
    const Lists lists(call.args[0]);
    const Reader<Int> wanted(call.args[1]);
    Sink<Long> places(arrow::int64(), call.rows);
    for (Long row = 0; row < call.rows; ++row) {
      const bool null = lists.nulls[row] || wanted.nulls[row];
      Long at = null ? -1 : wanted[row];
      if (!null && from_one && at == 0) {
        call.fail(row,
                  "[INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index shall be either "
                  "< 0 or > 0 (the first element has index 1).");
        at = -1;
      } else if (!null && from_one) {
        at = at > 0 ? at - 1 : lists.size(row) + at;
      }
      const bool inside = !null && at >= 0 && at < lists.size(row);
      inside ? places.set(row, lists.begin(row) + at) : places.null(row);
    }
    ASSIGN(Array at, places.finish());
    return from_arrow(arrow::compute::Take(*lists.values(), *at));
  };
}

}  // namespace

void add_sequences(Functions& out) {
  out.push_back({{"sequence", "sequence(start, stop[, step])", "From start to stop, both included.",
                  "sequence(1, 5, 2)", "[1, 3, 5]"},
                 {},
                 bind_sequence,
                 sequence});
  out.push_back({{"arrays_zip", "arrays_zip(a, b, …)", "Structs of the nth elements.",
                  "arrays_zip(array(1, 2), array('a', 'b'))", "[{1, a}, {2, b}]"},
                 {},
                 bind_zip,
                 arrays_zip});
  out.push_back(
      {{"get", "get(array, n)", "Element n, from 0, or null.", "get(array(1, 2), 5)", "NULL"},
       {},
       bind_get,
       element_or_null(false)});
  out.push_back({{"try_element_at", "try_element_at(a, b)", "As element_at, null where none is.",
                  "try_element_at(array(1, 2), 3)", "NULL"},
                 {},
                 bind_try_element,
                 element_or_null(true)});
}

}  // namespace tailrace::engine
