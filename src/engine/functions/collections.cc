// struct, named_struct, array, map, a[b], element_at, size, array_contains, array_join, map_keys,
// map_values.
#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>

#include "engine/functions/compare_rows.h"
#include "engine/functions/evaluation.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"

namespace tailrace::engine {
namespace {

using Id = arrow::Type::type;
using Int = std::int32_t;

/// Row i of the result is row indices[i] of `values`; a negative index is null.
Result<Array> gather(const arrow::Array& values, const std::vector<std::int64_t>& indices) {
  Sink<std::int64_t> wanted(arrow::int64(), static_cast<std::int64_t>(indices.size()));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    indices[i] < 0 ? wanted.null(row) : wanted.set(row, indices[i]);
  }
  ASSIGN(Array at, wanted.finish());
  return from_arrow(arrow::compute::Take(values, *at));
}

Result<Array> make_struct(Call& call, std::size_t first, std::size_t step) {
  arrow::ArrayVector fields;
  for (std::size_t i = first; i < call.args.size(); i += step) {
    ASSIGN(Array field, spread_value(call.args[i], call.rows));
    fields.push_back(field);
  }
  return std::make_shared<arrow::StructArray>(call.type(), call.rows, fields);
}

Result<BoundFunction> bind_struct(const BindCall& call) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    fields.push_back(arrow::field("col" + std::to_string(i + 1), call.args[i]));
  }
  return BoundFunction{{call.args.begin(), call.args.end()}, arrow::struct_(fields)};
}

Result<BoundFunction> bind_named_struct(const BindCall& call) {
  if (call.args.size() % 2 != 0) return wrong_count(call, "2n (n > 0)");
  std::vector<Field> fields;
  for (std::size_t i = 0; i < call.args.size(); i += 2) {
    const auto name = constant_text(call.constant(i));
    if (!name) return wrong_argument(call, i, "constant STRING");
    fields.push_back(arrow::field(*name, call.args[i + 1]));
  }
  return BoundFunction{{call.args.begin(), call.args.end()}, arrow::struct_(fields)};
}

Result<BoundFunction> bind_array(const BindCall& call) {
  ASSIGN(Type element, common_type(call.args));
  return BoundFunction{std::vector<Type>(call.args.size(), element), arrow::list(element)};
}

Result<Array> make_array(Call& call) {
  const auto width = static_cast<std::int64_t>(call.args.size());
  Sink<Int> offsets(arrow::int32(), call.rows + 1);
  for (std::int64_t row = 0; row <= call.rows; ++row)
    offsets.set(row, static_cast<Int>(row * width));
  ASSIGN(Array starts, offsets.finish());
  Array values;
  if (width == 0) {
    ASSIGN(values, from_arrow(arrow::MakeEmptyArray(call.type()->field(0)->type())));
  } else {
    arrow::ArrayVector arrays;
    std::vector<std::int64_t> base;
    std::int64_t total = 0;
    for (const Value& value : call.args) {
      base.push_back(total);
      total += value.array->length();
      arrays.push_back(value.array);
    }
    std::vector<std::int64_t> indices;
    for (std::int64_t row = 0; row < call.rows; ++row) {
      for (std::size_t i = 0; i < call.args.size(); ++i)
        indices.push_back(base[i] + call.args[i].at(row));
    }
    ASSIGN(Array all, from_arrow(arrow::Concatenate(arrays)));
    ASSIGN(values, gather(*all, indices));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(
      call.type(), call.rows, {nullptr, starts->data()->buffers[1]}, {values->data()}, 0));
}

std::string index_fault(std::string_view kind, Int index, std::int64_t length,
                        std::string_view advice) {
  return "[" + std::string(kind) + "] The index " + std::to_string(index) +
         " is out of bounds. The array has " + std::to_string(length) + " elements. Use " +
         std::string(advice) +
         " to tolerate accessing element at invalid index and return NULL instead.";
}

/// The element's place in the list's values, or -1 after a row error.
std::int64_t element_place(Call& call, const arrow::ListArray& list, std::int64_t row,
                           std::int64_t at, Int index, bool from_one) {
  const auto length = list.value_length(at);
  if (from_one && index == 0) {
    call.fail(row,
              "[INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index shall be either < 0 or > 0 "
              "(the first "
              "element has index 1).");
    return -1;
  }
  const std::int64_t place = !from_one ? index : (index > 0 ? index - 1 : length + index);
  if (place >= 0 && place < length) return list.value_offset(at) + place;
  call.fail(
      row, from_one
               ? index_fault("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", index, length, "`try_element_at`")
               : index_fault("INVALID_ARRAY_INDEX", index, length, "the SQL function `get()`"));
  return -1;
}

Result<Array> map_element(Call& call) {
  const auto& map = static_cast<const arrow::MapArray&>(*call.args[0].array);
  const Nulls keys(call.args[1]);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(call.rows), -1);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const auto at = call.args[0].at(row);
    if (map.IsNull(at) || keys[row]) continue;
    for (auto k = map.value_offset(at); k < map.value_offset(at + 1) && indices[row] < 0; ++k) {
      if (compare_elements(*map.keys(), k, *call.args[1].array, call.args[1].at(row)) == 0)
        indices[row] = k;
    }
  }
  return gather(*map.items(), indices);
}

Kernel element(bool from_one) {
  return [from_one](Call& call) -> Result<Array> {
    if (call.args[0].type().id() == Id::MAP) return map_element(call);
    const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
    const Nulls lists(call.args[0]);
    const Reader<Int> index(call.args[1]);
    std::vector<std::int64_t> indices(static_cast<std::size_t>(call.rows), -1);
    for (std::int64_t row = 0; row < call.rows; ++row) {
      if (lists[row] || index.nulls[row]) continue;
      indices[row] = element_place(call, list, row, call.args[0].at(row), index[row], from_one);
    }
    return gather(*list.values(), indices);
  };
}

Result<BoundFunction> bind_element(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  if (call.args[0]->id() == Id::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(*call.args[0]);
    return BoundFunction{{call.args[0], map.key_type()}, map.item_type()};
  }
  if (call.args[0]->id() != Id::LIST) return wrong_argument(call, 0, "ARRAY");
  return BoundFunction{{call.args[0], arrow::int32()}, call.args[0]->field(0)->type()};
}

Result<BoundFunction> bind_size(const BindCall& call) {
  if (call.args.size() != 1) return wrong_count(call, "1");
  const auto id = call.args[0]->id();
  if (id != Id::LIST && id != Id::MAP && id != Id::NA) return wrong_argument(call, 0, "ARRAY");
  return BoundFunction{{call.args[0]}, arrow::int32()};
}

Result<Array> size(Call& call) {
  const Nulls nulls(call.args[0]);
  Sink<Int> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (nulls[row]) {
      out.null(row);
      continue;
    }
    const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
    out.set(row, static_cast<Int>(list.value_length(call.args[0].at(row))));
  }
  return out.finish();
}

Result<BoundFunction> bind_contains(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  if (call.args[0]->id() != Id::LIST) return wrong_argument(call, 0, "ARRAY");
  Type common = common_type_of(call.args[0]->field(0)->type(), call.args[1]);
  if (!common) return wrong_argument(call, 1, spark_name(*call.args[0]->field(0)->type()));
  const bool same = common->Equals(*call.args[0]->field(0)->type());
  return BoundFunction{{same ? call.args[0] : arrow::list(common), common}, arrow::boolean()};
}

Result<Array> array_contains(Call& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const Nulls lists(call.args[0]);
  const Nulls wanted(call.args[1]);
  Sink<bool> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    bool found = false;
    bool unknown = lists[row] || wanted[row];
    const auto at = call.args[0].at(row);
    for (auto k = list.value_offset(at); !unknown && !found && k < list.value_offset(at + 1); ++k) {
      if (list.values()->IsNull(k)) continue;
      found = compare_elements(*list.values(), k, *call.args[1].array, call.args[1].at(row)) == 0;
    }
    if (!unknown && !found) {
      for (auto k = list.value_offset(at); k < list.value_offset(at + 1); ++k)
        unknown |= list.values()->IsNull(k);
    }
    unknown ? out.null(row) : out.set(row, found);
  }
  return out.finish();
}

Result<Array> array_join(Call& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const Nulls lists(call.args[0]);
  const Reader<std::string_view> by(call.args[1]);
  std::optional<Reader<std::string_view>> instead;
  if (call.args.size() > 2) instead.emplace(call.args[2]);
  Sink<std::string_view> out(call.type(), call.rows);
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (lists[row] || by.nulls[row] || (instead && instead->nulls[row])) {
      out.null(row);
      continue;
    }
    std::string text;
    bool first = true;
    const auto at = call.args[0].at(row);
    for (auto k = list.value_offset(at); k < list.value_offset(at + 1); ++k) {
      const bool null = list.values()->IsNull(k);
      if (null && !instead) continue;
      if (!first) text += by[row];
      first = false;
      null ? void(text += (*instead)[row]) : append_text(text, *list.values(), k);
    }
    out.set(row, text);
  }
  return out.finish();
}

Result<Array> map_side(Call& call, bool keys) {
  const auto& map = static_cast<const arrow::MapArray&>(*call.args[0].array);
  auto data = map.data()->Copy();
  data->type = call.type();
  data->child_data = {(keys ? map.keys() : map.items())->data()};
  return arrow::MakeArray(data);
}

Binder bind_map_side(bool keys) {
  return [keys](const BindCall& call) -> Result<BoundFunction> {
    if (call.args.size() != 1) return wrong_count(call, "1");
    if (call.args[0]->id() != Id::MAP) return wrong_argument(call, 0, "MAP");
    const auto& map = static_cast<const arrow::MapType&>(*call.args[0]);
    return BoundFunction{{call.args[0]}, arrow::list(keys ? map.key_type() : map.item_type())};
  };
}

}  // namespace

void add_collections(Functions& out) {
  out.push_back({{"struct", "struct(a, …)", "A struct of the values.", "struct(1, 'a')", "{1, a}"},
                 {},
                 bind_struct,
                 [](Call& call) { return make_struct(call, 0, 1); }});
  out.push_back({{"named_struct", "named_struct('name', a, …)", "A struct with named fields.",
                  "named_struct('a', 1, 'b', 'x')", "{1, x}"},
                 {},
                 bind_named_struct,
                 [](Call& call) { return make_struct(call, 1, 2); }});
  out.push_back(
      {{"array", "array(a, …)", "An array of the values.", "array(1, NULL, 3)", "[1, null, 3]"},
       {},
       bind_array,
       make_array});
  out.push_back({{"[]", "a[b]", "Element b, from 0, of an array; the value at key b of a map.",
                  "array(1, 2)[1]", "2"},
                 {},
                 bind_element,
                 element(false)});
  out.push_back({{"element_at", "element_at(a, b)", "Element b, from 1 or from the end.",
                  "element_at(array(1, 2), -1)", "2"},
                 {},
                 bind_element,
                 element(true)});
  out.push_back({{"size", "size(a)", "How many elements.", "size(array(1, 2))", "2"},
                 {"cardinality", "array_size"},
                 bind_size,
                 size});
  out.push_back({{"array_contains", "array_contains(array, value)", "Whether it is in it.",
                  "array_contains(array(1, 2), 2)", "true"},
                 {},
                 bind_contains,
                 array_contains});
  out.push_back({{"array_join", "array_join(array, by[, null])", "The elements joined.",
                  "array_join(array('a', NULL, 'b'), ',')", "a,b"},
                 {},
                 signature("array, string, [string] -> string"),
                 array_join});
  out.push_back({{"map_keys", "map_keys(map)", "The keys.",
                  "map_keys(from_json('{\"a\":1}', 'MAP<STRING, INT>'))", "[a]"},
                 {},
                 bind_map_side(true),
                 [](Call& call) { return map_side(call, true); }});
  out.push_back({{"map_values", "map_values(map)", "The values.",
                  "map_values(from_json('{\"a\":1}', 'MAP<STRING, INT>'))", "[1]"},
                 {},
                 bind_map_side(false),
                 [](Call& call) { return map_side(call, false); }});
}

}  // namespace tailrace::engine
