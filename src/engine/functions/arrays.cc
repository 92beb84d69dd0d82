// Arrays from arrays: distinct, sorted, sliced, flattened, joined, and sets of elements. Rows are
// chosen places in the arguments' values (list_maker.h).
#include <algorithm>
#include <numeric>

#include "engine/functions/list_maker.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

using Id = arrow::Type::type;
using Int = std::int32_t;
using Long = std::int64_t;

int compare_nulls_first(const arrow::Array& values, Long i, Long j) {
  const bool i_null = values.IsNull(i);
  const bool j_null = values.IsNull(j);
  if (i_null || j_null) return static_cast<int>(j_null) - static_cast<int>(i_null);
  return compare_elements(values, i, values, j);
}

/// Of places into `values`, those equal to no earlier one, in their order.
class Distinct {
 public:
  explicit Distinct(const arrow::Array& values) : values_(values) {}

  const std::vector<Long>& of(const std::vector<Long>& places) {
    order_.resize(places.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::ranges::stable_sort(order_, [&](std::size_t a, std::size_t b) {
      return compare_nulls_first(values_, places[a], places[b]) < 0;
    });
    first_.assign(places.size(), true);
    for (std::size_t i = 1; i < order_.size(); ++i) {
      if (same_elements(values_, places[order_[i]], values_, places[order_[i - 1]]))
        first_[order_[i]] = false;
    }
    kept_.clear();
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (first_[i]) kept_.push_back(places[i]);
    }
    return kept_;
  }

 private:
  const arrow::Array& values_;
  std::vector<std::size_t> order_;
  std::vector<bool> first_;
  std::vector<Long> kept_;
};

/// 0 for -0, which Spark's sets of elements do not tell apart.
Result<Array> one_zero(const Array& values) {
  const auto zero = values->type_id() == Id::DOUBLE  ? arrow::MakeScalar(0.0)
                    : values->type_id() == Id::FLOAT ? arrow::MakeScalar(0.0F)
                                                     : nullptr;
  if (!zero) return values;
  ASSIGN(auto made, from_arrow(arrow::compute::CallFunction("add", {values, zero})));
  return made.make_array();
}

void places_of(const Lists& lists, Long row, Long shift, std::vector<Long>& out) {
  for (Long k = lists.begin(row); k < lists.end(row); ++k) out.push_back(k + shift);
}

Result<Array> array_distinct(Call& call) {
  const Lists lists(call.args[0]);
  ASSIGN(const Array values, one_zero(lists.values()));
  ListMaker out(call.rows);
  Distinct distinct(*values);
  std::vector<Long> places;
  for (Long row = 0; row < call.rows; ++row) {
    if (lists.nulls[row]) {
      out.null_row(row);
      continue;
    }
    places.clear();
    places_of(lists, row, 0, places);
    for (const Long place : distinct.of(places)) out.add(place);
    out.end_row(row);
  }
  return out.finish(call.type(), *values);
}

enum class SetOf { kUnion, kIntersect, kExcept };

Kernel set_of(SetOf kind) {
  return [kind](Call& call) -> Result<Array> {
    const Lists left(call.args[0]);
    const Lists right(call.args[1]);
    ASSIGN(const Array both, from_arrow(arrow::Concatenate({left.values(), right.values()})));
    ASSIGN(const Array all, one_zero(both));
    const Long shift = left.values()->length();
    ListMaker out(call.rows);
    Distinct distinct(*all);
    std::vector<Long> places, others;
    const auto less = [&](Long a, Long b) { return compare_nulls_first(*all, a, b) < 0; };
    for (Long row = 0; row < call.rows; ++row) {
      if (left.nulls[row] || right.nulls[row]) {
        out.null_row(row);
        continue;
      }
      places.clear();
      others.clear();
      places_of(left, row, 0, places);
      places_of(right, row, shift, kind == SetOf::kUnion ? places : others);
      std::ranges::sort(others, less);
      for (const Long place : distinct.of(places)) {
        const bool found = std::ranges::binary_search(others, place, less);
        if (kind == SetOf::kUnion || found == (kind == SetOf::kIntersect)) out.add(place);
      }
      out.end_row(row);
    }
    return out.finish(call.type(), *all);
  };
}

Result<Array> arrays_overlap(Call& call) {
  const Lists left(call.args[0]);
  const Lists right(call.args[1]);
  Sink<bool> out(call.type(), call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    if (left.nulls[row] || right.nulls[row]) {
      out.null(row);
      continue;
    }
    bool found = false;
    bool unknown = false;
    for (Long i = left.begin(row); i < left.end(row) && !found; ++i) {
      for (Long j = right.begin(row); j < right.end(row) && !found; ++j) {
        const bool null = left.is_null(i) || right.is_null(j);
        unknown |= null;
        found = !null && compare_elements(*left.values(), i, *right.values(), j) == 0;
      }
    }
    !found&& unknown ? out.null(row) : out.set(row, found);
  }
  return out.finish();
}

Result<Array> array_position(Call& call) {
  const Lists lists(call.args[0]);
  const Nulls wanted(call.args[1]);
  Sink<Long> out(call.type(), call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    if (lists.nulls[row] || wanted[row]) {
      out.null(row);
      continue;
    }
    Long found = 0;
    for (Long k = lists.begin(row); k < lists.end(row) && found == 0; ++k) {
      if (same_elements(*lists.values(), k, *call.args[1].array, call.args[1].at(row)))
        found = k - lists.begin(row) + 1;
    }
    out.set(row, found);
  }
  return out.finish();
}

Result<Array> array_remove(Call& call) {
  const Lists lists(call.args[0]);
  const Nulls wanted(call.args[1]);
  ListMaker out(call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    if (lists.nulls[row] || wanted[row]) {
      out.null_row(row);
      continue;
    }
    for (Long k = lists.begin(row); k < lists.end(row); ++k) {
      if (!same_elements(*lists.values(), k, *call.args[1].array, call.args[1].at(row))) out.add(k);
    }
    out.end_row(row);
  }
  return out.finish(call.type(), *lists.values());
}

/// array_append and array_prepend.
Kernel array_with(bool at_end) {
  return [at_end](Call& call) -> Result<Array> {
    const Lists lists(call.args[0]);
    ASSIGN(Array all, from_arrow(arrow::Concatenate({lists.values(), call.args[1].array})));
    ListMaker out(call.rows);
    for (Long row = 0; row < call.rows; ++row) {
      if (lists.nulls[row]) {
        out.null_row(row);
        continue;
      }
      const Long added = lists.values()->length() + call.args[1].at(row);
      if (!at_end) out.add(added);
      for (Long k = lists.begin(row); k < lists.end(row); ++k) out.add(k);
      if (at_end) out.add(added);
      out.end_row(row);
    }
    return out.finish(call.type(), *all);
  };
}

Result<Array> array_compact(Call& call) {
  const Lists lists(call.args[0]);
  ListMaker out(call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    if (lists.nulls[row]) {
      out.null_row(row);
      continue;
    }
    for (Long k = lists.begin(row); k < lists.end(row); ++k) {
      if (!lists.is_null(k)) out.add(k);
    }
    out.end_row(row);
  }
  return out.finish(call.type(), *lists.values());
}

/// sort_array: nulls first when ascending, last when descending. array_sort: always last.
Kernel sorted(bool nulls_last) {
  return [nulls_last](Call& call) -> Result<Array> {
    const Lists lists(call.args[0]);
    std::optional<Reader<bool>> ascending;
    if (call.args.size() > 1) ascending.emplace(call.args[1]);
    ListMaker out(call.rows);
    std::vector<Long> places;
    for (Long row = 0; row < call.rows; ++row) {
      if (lists.nulls[row] || (ascending && ascending->nulls[row])) {
        out.null_row(row);
        continue;
      }
      const bool down = ascending && !(*ascending)[row];
      places.clear();
      places_of(lists, row, 0, places);
      std::ranges::stable_sort(places, [&](Long a, Long b) {
        const bool a_null = lists.is_null(a);
        const bool b_null = lists.is_null(b);
        if (nulls_last && (a_null || b_null)) return !a_null && b_null;
        const int order = compare_nulls_first(*lists.values(), a, b);
        return down ? order > 0 : order < 0;
      });
      for (const Long place : places) out.add(place);
      out.end_row(row);
    }
    return out.finish(call.type(), *lists.values());
  };
}

Kernel extreme(int sign) {
  return [sign](Call& call) -> Result<Array> {
    const Lists lists(call.args[0]);
    Sink<Long> best(arrow::int64(), call.rows);
    for (Long row = 0; row < call.rows; ++row) {
      Long found = -1;
      for (Long k = lists.nulls[row] ? 0 : lists.begin(row);
           !lists.nulls[row] && k < lists.end(row); ++k) {
        if (lists.is_null(k)) continue;
        if (found < 0 || compare_elements(*lists.values(), k, *lists.values(), found) * sign > 0)
          found = k;
      }
      found < 0 ? best.null(row) : best.set(row, found);
    }
    ASSIGN(Array at, best.finish());
    return from_arrow(arrow::compute::Take(*lists.values(), *at));
  };
}

Result<Array> slice(Call& call) {
  const Lists lists(call.args[0]);
  const Reader<Int> from(call.args[1]), counts(call.args[2]);
  ListMaker out(call.rows);
  const auto fault = [&](Long row, const char* kind, const char* rule, Int value) {
    call.fail(row, std::string("[INVALID_PARAMETER_VALUE.") + kind +
                       "] The value of parameter(s) `" + (kind[0] == 'S' ? "start" : "length") +
                       "` in `slice` is invalid: " + rule + ", but got " + std::to_string(value) +
                       ".");
    out.null_row(row);
  };
  for (Long row = 0; row < call.rows; ++row) {
    if (lists.nulls[row] || from.nulls[row] || counts.nulls[row]) {
      out.null_row(row);
      continue;
    }
    if (from[row] == 0) {
      fault(row, "START", "Expects a positive or a negative value for `start`", 0);
      continue;
    }
    if (counts[row] < 0) {
      fault(row, "LENGTH", "Expects `length` greater than or equal to 0", counts[row]);
      continue;
    }
    const Long size = lists.size(row);
    const Long start = from[row] > 0 ? from[row] - 1 : size + from[row];
    const Long end = start < 0 ? start : std::min(size, start + counts[row]);
    for (Long k = start; k < end; ++k) out.add(lists.begin(row) + k);
    out.end_row(row);
  }
  return out.finish(call.type(), *lists.values());
}

Result<Array> flatten(Call& call) {
  const Lists outer(call.args[0]);
  const Value middle{outer.values(), false};
  const Lists inner(middle);
  ListMaker out(call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    bool null = outer.nulls[row];
    for (Long k = null ? 0 : outer.begin(row); !null && k < outer.end(row); ++k)
      null = outer.is_null(k);
    if (null) {
      out.null_row(row);
      continue;
    }
    for (Long k = outer.begin(row); k < outer.end(row); ++k) {
      for (Long i = inner.begin(k); i < inner.end(k); ++i) out.add(i);
    }
    out.end_row(row);
  }
  return out.finish(call.type(), *inner.values());
}

Result<Array> array_repeat(Call& call) {
  static constexpr Long kMost = 1'000'000'000;
  const Reader<Int> counts(call.args[1]);
  ListMaker out(call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    if (counts.nulls[row]) {
      out.null_row(row);
      continue;
    }
    if (static_cast<Long>(out.size()) + counts[row] > kMost)
      return error(Code::kResourceExhausted, "array_repeat: too many elements in a batch");
    for (Int i = 0; i < counts[row]; ++i) out.add(call.args[0].at(row));
    out.end_row(row);
  }
  return out.finish(call.type(), *call.args[0].array);
}

Result<Array> array_reverse(Call& call) {
  const Lists lists(call.args[0]);
  ListMaker out(call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    if (lists.nulls[row]) {
      out.null_row(row);
      continue;
    }
    for (Long k = lists.end(row); k > lists.begin(row); --k) out.add(k - 1);
    out.end_row(row);
  }
  return out.finish(call.type(), *lists.values());
}

/// concat of arrays.
Result<Array> array_concat(Call& call) {
  std::vector<Lists> lists;
  arrow::ArrayVector values;
  std::vector<Long> shifts;
  Long total = 0;
  for (const Value& value : call.args) {
    lists.emplace_back(value);
    values.push_back(lists.back().values());
    shifts.push_back(total);
    total += values.back()->length();
  }
  ASSIGN(Array all, from_arrow(arrow::Concatenate(values)));
  ListMaker out(call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    if (std::ranges::any_of(lists, [&](const Lists& one) { return one.nulls[row]; })) {
      out.null_row(row);
      continue;
    }
    for (std::size_t i = 0; i < lists.size(); ++i) {
      for (Long k = lists[i].begin(row); k < lists[i].end(row); ++k) out.add(k + shifts[i]);
    }
    out.end_row(row);
  }
  return out.finish(call.type(), *all);
}

/// array, element -> …, with the array's elements and the value of one type.
Binder with_element(Type result) {
  return [result](const BindCall& call) -> Result<BoundFunction> {
    if (call.args.size() != 2) return wrong_count(call, "2");
    if (call.args[0]->id() != Id::LIST) return wrong_argument(call, 0, "ARRAY");
    const Type element = call.args[0]->field(0)->type();
    Type common = common_type_of(element, call.args[1]);
    if (!common) return wrong_argument(call, 1, spark_name(*element));
    const Type list = common->Equals(*element) ? call.args[0] : arrow::list(common);
    return BoundFunction{{list, common}, result ? result : list};
  };
}

Result<BoundFunction> bind_set(const BindCall& call, const Type& result) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  for (std::size_t i : {0, 1}) {
    if (call.args[i]->id() != Id::LIST) return wrong_argument(call, i, "ARRAY");
  }
  Type common = common_type_of(call.args[0], call.args[1]);
  if (!common) {
    return error(Code::kInvalidArgument,
                 "[DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES] Cannot resolve \"" + call.name +
                     "\" due to data type mismatch: Input to function `" + call.name +
                     "` should have been two \"ARRAY\" with same element type, but it's [\"" +
                     spark_name(*call.args[0]) + "\", \"" + spark_name(*call.args[1]) + "\"].");
  }
  return BoundFunction{{common, common}, result ? result : common};
}

Result<BoundFunction> bind_flatten(const BindCall& call) {
  if (call.args.size() != 1) return wrong_count(call, "1");
  if (call.args[0]->id() != Id::LIST || call.args[0]->field(0)->type()->id() != Id::LIST)
    return wrong_argument(call, 0, "ARRAY of ARRAY");
  return BoundFunction{{call.args[0]}, call.args[0]->field(0)->type()};
}

Result<BoundFunction> bind_repeat(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  if (!implicit_cast(call.args[1], "int")) return wrong_argument(call, 1, "INT");
  return BoundFunction{{call.args[0], arrow::int32()}, arrow::list(call.args[0])};
}

}  // namespace

Result<Array> concat_arrays(Call& call) {
  return array_concat(call);
}
Result<Array> reverse_arrays(Call& call) {
  return array_reverse(call);
}

void add_arrays(Functions& out) {
  const auto add = [&](std::string name, std::string usage, std::string doc, std::string example,
                       std::string result, Binder bind, Kernel run) {
    out.push_back(
        {{std::move(name), std::move(usage), std::move(doc), std::move(example), std::move(result)},
         {},
         std::move(bind),
         std::move(run)});
  };
  const auto two_arrays = [](Type result) {
    return [result](const BindCall& call) { return bind_set(call, result); };
  };
  const Binder one = signature("array -> $1");
  add("array_distinct", "array_distinct(a)", "Without repetitions.",
      "array_distinct(array(1, 2, NULL, 1, NULL))", "[1, 2, null]", one, array_distinct);
  add("array_union", "array_union(a, b)", "The elements of either, once each.",
      "array_union(array(1, 2), array(2, 3))", "[1, 2, 3]", two_arrays(nullptr),
      set_of(SetOf::kUnion));
  add("array_intersect", "array_intersect(a, b)", "The elements of both, once each.",
      "array_intersect(array(1, 2), array(2, 3))", "[2]", two_arrays(nullptr),
      set_of(SetOf::kIntersect));
  add("array_except", "array_except(a, b)", "The elements of a that b has not, once each.",
      "array_except(array(1, 2), array(2, 3))", "[1]", two_arrays(nullptr), set_of(SetOf::kExcept));
  add("arrays_overlap", "arrays_overlap(a, b)", "Whether an element is in both.",
      "arrays_overlap(array(1, 2), array(2, 3))", "true", two_arrays(arrow::boolean()),
      arrays_overlap);
  add("array_position", "array_position(a, value)", "Its first place, from 1; 0 when nowhere.",
      "array_position(array(3, 2, 1), 1)", "3", with_element(arrow::int64()), array_position);
  add("array_remove", "array_remove(a, value)", "Without the elements equal to it.",
      "array_remove(array(1, 2, NULL, 2), 2)", "[1, null]", with_element(nullptr), array_remove);
  add("array_append", "array_append(a, value)", "With the value at the end.",
      "array_append(array(1, 2), 3)", "[1, 2, 3]", with_element(nullptr), array_with(true));
  add("array_prepend", "array_prepend(a, value)", "With the value in front.",
      "array_prepend(array(1, 2), 3)", "[3, 1, 2]", with_element(nullptr), array_with(false));
  add("array_compact", "array_compact(a)", "Without nulls.", "array_compact(array(1, NULL, 2))",
      "[1, 2]", one, array_compact);
  add("sort_array", "sort_array(a[, ascending])", "In order, nulls as the least.",
      "sort_array(array('b', NULL, 'a'))", "[null, a, b]", signature("array, [boolean] -> $1"),
      sorted(false));
  add("array_sort", "array_sort(a)", "In order, nulls last.", "array_sort(array('b', NULL, 'a'))",
      "[a, b, null]", one, sorted(true));
  add("array_min", "array_min(a)", "The least element.", "array_min(array(3, NULL, 1))", "1",
      signature("array -> element"), extreme(-1));
  add("array_max", "array_max(a)", "The greatest element.", "array_max(array(3, NULL, 1))", "3",
      signature("array -> element"), extreme(1));
  add("slice", "slice(a, from, count)", "Elements from a place, from 1 or from the end.",
      "slice(array(1, 2, 3, 4), -2, 2)", "[3, 4]", signature("array, int, int -> $1"), slice);
  add("flatten", "flatten(a)", "The elements of an array of arrays.",
      "flatten(array(array(1, 2), array(3)))", "[1, 2, 3]", bind_flatten, flatten);
  add("array_repeat", "array_repeat(value, n)", "The value n times.", "array_repeat('a', 2)",
      "[a, a]", bind_repeat, array_repeat);
}

}  // namespace tailrace::engine
