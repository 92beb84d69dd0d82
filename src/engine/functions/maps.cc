// Maps made and taken apart: map, map_from_arrays, map_from_entries, str_to_map, map_concat,
// map_entries, map_contains_key. A null key or the same key twice is a row error, as in Spark.
#include "engine/functions/maps.h"

#include <arrow/array/concatenate.h>
#include <re2/re2.h>

#include "engine/functions/list_maker.h"
#include "engine/functions/patterns.h"
#include "engine/functions/registry.h"
#include "engine/functions/text_of.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {

using Id = arrow::Type::type;
using Long = std::int64_t;
using Text = std::string_view;

bool MapMaker::add(const arrow::Array& keys, Long key, Long item, std::string& fault) {
  if (keys.IsNull(key)) {
    fault = "[NULL_MAP_KEY] Cannot use null as map key.";
    return false;
  }
  for (std::size_t i = row_begin_; i < keys_.size(); ++i) {
    if (compare_elements(keys, keys_[i], keys, key) != 0) continue;
    std::string text;
    append_text(text, keys, key);
    fault = "[DUPLICATED_MAP_KEY] Duplicate map key " + text +
            " was found, please check the input data. If you want to remove the duplicated keys, "
            "you can set \"spark.sql.mapKeyDedupPolicy\" to \"LAST_WIN\" so that the key inserted "
            "at last takes precedence.";
    return false;
  }
  keys_.push_back(key);
  items_.push_back(item);
  return true;
}

void MapMaker::end_row(Long row) {
  row_begin_ = keys_.size();
  offsets_.set(row + 1, static_cast<std::int32_t>(row_begin_));
}

void MapMaker::null_row(Long row) {
  keys_.resize(row_begin_);
  items_.resize(row_begin_);
  nulls_.set_null(row);
  end_row(row);
}

namespace {

Result<Array> taken(const arrow::Array& values, const std::vector<Long>& places) {
  Sink<Long> wanted(arrow::int64(), static_cast<Long>(places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto row = static_cast<Long>(i);
    places[i] < 0 ? wanted.null(row) : wanted.set(row, places[i]);
  }
  ASSIGN(Array at, wanted.finish());
  return from_arrow(
      arrow::compute::Take(values, *at, arrow::compute::TakeOptions::NoBoundsCheck()));
}

Type map_of(const Type& key, const Type& item) {
  return arrow::map(key, item);
}

}  // namespace

Result<Array> MapMaker::finish(const Type& type, const arrow::Array& keys,
                               const arrow::Array& items) {
  ASSIGN(Array key_values, taken(keys, keys_));
  ASSIGN(Array item_values, taken(items, items_));
  ASSIGN(Array starts, offsets_.finish());
  const auto size = static_cast<Long>(keys_.size());
  auto entries = arrow::ArrayData::Make(type->field(0)->type(), size, {nullptr},
                                        {key_values->data(), item_values->data()}, 0);
  return arrow::MakeArray(arrow::ArrayData::Make(type, rows_,
                                                 {nulls_.bits(), starts->data()->buffers[1]},
                                                 {std::move(entries)}, nulls_.count()));
}

namespace {

Result<BoundFunction> bind_map(const BindCall& call) {
  if (call.args.size() % 2 != 0) return wrong_count(call, "2n (n > 0)");
  std::vector<Type> keys, items;
  for (std::size_t i = 0; i < call.args.size(); ++i)
    (i % 2 == 0 ? keys : items).push_back(call.args[i]);
  ASSIGN(Type key, common_type(keys));
  ASSIGN(Type item, common_type(items));
  BoundFunction bound{{}, map_of(key, item)};
  for (std::size_t i = 0; i < call.args.size(); ++i) bound.args.push_back(i % 2 == 0 ? key : item);
  return bound;
}

Result<Array> make_map(Call& call) {
  const auto& type = static_cast<const arrow::MapType&>(*call.type());
  arrow::ArrayVector keys, items;
  std::vector<Long> key_base, item_base;
  Long key_total = 0, item_total = 0;
  for (std::size_t i = 0; i < call.args.size(); i += 2) {
    keys.push_back(call.args[i].array);
    items.push_back(call.args[i + 1].array);
    key_base.push_back(key_total);
    item_base.push_back(item_total);
    key_total += keys.back()->length();
    item_total += items.back()->length();
  }
  if (keys.empty()) {
    ASSIGN(Array no_key, from_arrow(arrow::MakeEmptyArray(type.key_type())));
    ASSIGN(Array no_item, from_arrow(arrow::MakeEmptyArray(type.item_type())));
    keys.push_back(no_key);
    items.push_back(no_item);
  }
  ASSIGN(Array all_keys, from_arrow(arrow::Concatenate(keys)));
  ASSIGN(Array all_items, from_arrow(arrow::Concatenate(items)));
  MapMaker out(call.rows);
  std::string fault;
  for (Long row = 0; row < call.rows; ++row) {
    bool good = true;
    for (std::size_t i = 0; good && i < key_base.size(); ++i) {
      good = out.add(*all_keys, key_base[i] + call.args[2 * i].at(row),
                     item_base[i] + call.args[2 * i + 1].at(row), fault);
    }
    if (!good) call.fail(row, fault);
    good ? out.end_row(row) : out.null_row(row);
  }
  return out.finish(call.type(), *all_keys, *all_items);
}

Result<BoundFunction> bind_from_arrays(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  for (std::size_t i : {0, 1}) {
    if (call.args[i]->id() != Id::LIST) return wrong_argument(call, i, "ARRAY");
  }
  return BoundFunction{{call.args[0], call.args[1]},
                       map_of(call.args[0]->field(0)->type(), call.args[1]->field(0)->type())};
}

Result<Array> map_from_arrays(Call& call) {
  const Lists keys(call.args[0]);
  const Lists items(call.args[1]);
  MapMaker out(call.rows);
  std::string fault;
  for (Long row = 0; row < call.rows; ++row) {
    if (keys.nulls[row] || items.nulls[row]) {
      out.null_row(row);
      continue;
    }
    bool good = keys.size(row) == items.size(row);
    if (!good)
      fault =
          "[_LEGACY_ERROR_TEMP_2016] The key array and value array of MapData must have the "
          "same length.";
    for (Long k = 0; good && k < keys.size(row); ++k)
      good = out.add(*keys.values(), keys.begin(row) + k, items.begin(row) + k, fault);
    if (!good) call.fail(row, fault);
    good ? out.end_row(row) : out.null_row(row);
  }
  return out.finish(call.type(), *keys.values(), *items.values());
}

Result<BoundFunction> bind_from_entries(const BindCall& call) {
  if (call.args.size() != 1) return wrong_count(call, "1");
  const Type& type = call.args[0];
  if (type->id() != Id::LIST || type->field(0)->type()->id() != Id::STRUCT ||
      type->field(0)->type()->num_fields() != 2) {
    return wrong_argument(call, 0, "ARRAY of pair STRUCT");
  }
  const Type& entry = type->field(0)->type();
  return BoundFunction{{type}, map_of(entry->field(0)->type(), entry->field(1)->type())};
}

Result<Array> map_from_entries(Call& call) {
  const Lists entries(call.args[0]);
  const auto& structs = static_cast<const arrow::StructArray&>(*entries.values());
  const Array keys = structs.field(0);
  const Array items = structs.field(1);
  MapMaker out(call.rows);
  std::string fault;
  for (Long row = 0; row < call.rows; ++row) {
    bool null = entries.nulls[row];
    for (Long k = null ? 0 : entries.begin(row); !null && k < entries.end(row); ++k)
      null = entries.is_null(k);
    if (null) {
      out.null_row(row);
      continue;
    }
    bool good = true;
    for (Long k = entries.begin(row); good && k < entries.end(row); ++k)
      good = out.add(*keys, k, k, fault);
    if (!good) call.fail(row, fault);
    good ? out.end_row(row) : out.null_row(row);
  }
  return out.finish(call.type(), *keys, *items);
}

Result<BoundFunction> bind_map_concat(const BindCall& call) {
  if (call.args.empty()) return BoundFunction{{}, map_of(arrow::utf8(), arrow::utf8())};
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    if (call.args[i]->id() != Id::MAP) return wrong_argument(call, i, "MAP");
  }
  ASSIGN(Type common, common_type(call.args));
  return BoundFunction{std::vector<Type>(call.args.size(), common), common};
}

Result<Array> map_concat(Call& call) {
  const auto& type = static_cast<const arrow::MapType&>(*call.type());
  ASSIGN(Array no_key, from_arrow(arrow::MakeEmptyArray(type.key_type())));
  ASSIGN(Array no_item, from_arrow(arrow::MakeEmptyArray(type.item_type())));
  arrow::ArrayVector keys{no_key}, items{no_item};
  std::vector<Long> base;
  Long total = 0;
  for (const Value& value : call.args) {
    const auto& map = static_cast<const arrow::MapArray&>(*value.array);
    base.push_back(total);
    keys.push_back(map.keys());
    items.push_back(map.items());
    total += map.keys()->length();
  }
  ASSIGN(Array all_keys, from_arrow(arrow::Concatenate(keys)));
  ASSIGN(Array all_items, from_arrow(arrow::Concatenate(items)));
  MapMaker out(call.rows);
  std::string fault;
  for (Long row = 0; row < call.rows; ++row) {
    bool null = false;
    for (const Value& value : call.args) null |= value.array->IsNull(value.at(row));
    bool good = !null;
    for (std::size_t i = 0; good && i < call.args.size(); ++i) {
      const auto& map = static_cast<const arrow::MapArray&>(*call.args[i].array);
      const Long at = call.args[i].at(row);
      for (Long k = map.value_offset(at); good && k < map.value_offset(at + 1); ++k)
        good = out.add(*all_keys, base[i] + k, base[i] + k, fault);
    }
    if (!good && !null) call.fail(row, fault);
    good ? out.end_row(row) : out.null_row(row);
  }
  return out.finish(call.type(), *all_keys, *all_items);
}

/// Parts of a text between matches, as Java's split with limit -1.
void split_by(const re2::RE2& by, Text text, std::vector<Text>& parts) {
  parts.clear();
  std::size_t start = 0;
  std::size_t from = 0;
  re2::StringPiece found;
  const re2::StringPiece whole(text.data(), text.size());
  while (from <= text.size() &&
         by.Match(whole, from, text.size(), re2::RE2::UNANCHORED, &found, 1)) {
    const auto at = static_cast<std::size_t>(found.data() - text.data());
    if (found.empty()) {
      from = at + (at < text.size() ? utf8_width(text[at]) : 1);
      if (at == 0 || at >= text.size()) continue;
    }
    parts.push_back(text.substr(start, at - start));
    start = at + found.size();
    from = std::max(from, start);
  }
  parts.push_back(text.substr(start));
}

/// The first match parts a key from its value.
std::pair<Text, std::optional<Text>> split_once(const re2::RE2& by, Text text) {
  re2::StringPiece found;
  const re2::StringPiece whole(text.data(), text.size());
  for (std::size_t from = 0; from <= text.size();) {
    if (!by.Match(whole, from, text.size(), re2::RE2::UNANCHORED, &found, 1)) break;
    const auto at = static_cast<std::size_t>(found.data() - text.data());
    if (!found.empty() || (at > 0 && at < text.size()))
      return {text.substr(0, at), text.substr(at + found.size())};
    from = at + 1;
  }
  return {text, std::nullopt};
}

Result<Array> str_to_map(Call& call) {
  const Reader<Text> texts(call.args[0]);
  std::optional<Reader<Text>> pairs, sides;
  if (call.args.size() > 1) pairs.emplace(call.args[1]);
  if (call.args.size() > 2) sides.emplace(call.args[2]);
  Patterns pair_patterns, side_patterns;
  arrow::StringBuilder keys, items;
  NullBits nulls(call.rows);
  Sink<std::int32_t> offsets(arrow::int32(), call.rows + 1);
  offsets.set(0, 0);
  std::vector<Text> parts;
  std::vector<std::pair<Text, std::optional<Text>>> row_entries;
  for (Long row = 0; row < call.rows; ++row) {
    row_entries.clear();
    bool null = texts.nulls[row] || (pairs && pairs->nulls[row]) || (sides && sides->nulls[row]);
    if (!null) {
      const re2::RE2* pair = pair_patterns.get(pairs ? (*pairs)[row] : Text(","));
      const re2::RE2* side = side_patterns.get(sides ? (*sides)[row] : Text(":"));
      if (!pair || !side) {
        call.fail(row, (pair ? side_patterns : pair_patterns).what());
        null = true;
      } else {
        split_by(*pair, texts[row], parts);
        for (const Text part : parts) row_entries.push_back(split_once(*side, part));
      }
    }
    for (std::size_t i = 0; i < row_entries.size() && !null; ++i) {
      for (std::size_t j = 0; j < i && !null; ++j) {
        if (row_entries[j].first != row_entries[i].first) continue;
        call.fail(row, "[DUPLICATED_MAP_KEY] Duplicate map key " +
                           std::string(row_entries[i].first) +
                           " was found, please check the input data.");
        null = true;
      }
    }
    if (null) {
      nulls.set_null(row);
    } else {
      for (const auto& [key, item] : row_entries) {
        TRY(from_arrow(keys.Append(key)));
        TRY(from_arrow(item ? items.Append(*item) : items.AppendNull()));
      }
    }
    offsets.set(row + 1, static_cast<std::int32_t>(keys.length()));
  }
  ASSIGN(auto key_values, from_arrow(keys.Finish()));
  ASSIGN(auto item_values, from_arrow(items.Finish()));
  ASSIGN(Array starts, offsets.finish());
  auto entries = arrow::ArrayData::Make(call.type()->field(0)->type(), key_values->length(),
                                        {nullptr}, {key_values->data(), item_values->data()}, 0);
  return arrow::MakeArray(arrow::ArrayData::Make(call.type(), call.rows,
                                                 {nulls.bits(), starts->data()->buffers[1]},
                                                 {std::move(entries)}, nulls.count()));
}

Result<BoundFunction> bind_entries(const BindCall& call) {
  if (call.args.size() != 1) return wrong_count(call, "1");
  if (call.args[0]->id() != Id::MAP) return wrong_argument(call, 0, "MAP");
  const auto& map = static_cast<const arrow::MapType&>(*call.args[0]);
  const Type entry = arrow::struct_(
      {arrow::field("key", map.key_type(), false), arrow::field("value", map.item_type())});
  return BoundFunction{{call.args[0]}, arrow::list(entry)};
}

Result<Array> map_entries(Call& call) {
  const auto& map = static_cast<const arrow::MapArray&>(*call.args[0].array);
  auto entries = arrow::ArrayData::Make(call.type()->field(0)->type(), map.keys()->length(),
                                        {nullptr}, {map.keys()->data(), map.items()->data()}, 0);
  auto data = map.data()->Copy();
  data->type = call.type();
  data->child_data = {std::move(entries)};
  return arrow::MakeArray(data);
}

Result<BoundFunction> bind_contains_key(const BindCall& call) {
  if (call.args.size() != 2) return wrong_count(call, "2");
  if (call.args[0]->id() != Id::MAP) return wrong_argument(call, 0, "MAP");
  const auto& map = static_cast<const arrow::MapType&>(*call.args[0]);
  if (!common_type_of(map.key_type(), call.args[1]))
    return wrong_argument(call, 1, spark_name(*map.key_type()));
  return BoundFunction{{call.args[0], map.key_type()}, arrow::boolean()};
}

Result<Array> map_contains_key(Call& call) {
  const auto& map = static_cast<const arrow::MapArray&>(*call.args[0].array);
  const Nulls maps(call.args[0]), wanted(call.args[1]);
  Sink<bool> out(call.type(), call.rows);
  for (Long row = 0; row < call.rows; ++row) {
    if (maps[row] || wanted[row]) {
      out.null(row);
      continue;
    }
    const Long at = call.args[0].at(row);
    bool found = false;
    for (Long k = map.value_offset(at); !found && k < map.value_offset(at + 1); ++k)
      found = compare_elements(*map.keys(), k, *call.args[1].array, call.args[1].at(row)) == 0;
    out.set(row, found);
  }
  return out.finish();
}

}  // namespace

void add_maps(Functions& out) {
  const auto add = [&](std::string name, std::string usage, std::string doc, std::string example,
                       std::string result, Binder bind, Kernel run) {
    out.push_back(
        {{std::move(name), std::move(usage), std::move(doc), std::move(example), std::move(result)},
         {},
         std::move(bind),
         std::move(run)});
  };
  add("map", "map(key, value, …)", "A map of the pairs.", "map('a', 1, 'b', 2)", "{a -> 1, b -> 2}",
      bind_map, make_map);
  add("map_from_arrays", "map_from_arrays(keys, values)", "A map of two arrays.",
      "map_from_arrays(array(1, 2), array('a', 'b'))", "{1 -> a, 2 -> b}", bind_from_arrays,
      map_from_arrays);
  add("map_from_entries", "map_from_entries(entries)", "A map of an array of pairs.",
      "map_from_entries(array(struct(1, 'a'), struct(2, 'b')))", "{1 -> a, 2 -> b}",
      bind_from_entries, map_from_entries);
  add("map_concat", "map_concat(map, …)", "The pairs of all.",
      "map_concat(map(1, 'a'), map(2, 'b'))", "{1 -> a, 2 -> b}", bind_map_concat, map_concat);
  add("map_entries", "map_entries(map)", "The pairs as structs.", "map_entries(map(1, 'a'))",
      "[{1, a}]", bind_entries, map_entries);
  add("map_contains_key", "map_contains_key(map, key)", "Whether it has the key.",
      "map_contains_key(map(1, 'a'), 1)", "true", bind_contains_key, map_contains_key);
  out.push_back({{"str_to_map", "str_to_map(text[, pair_regex[, side_regex]])",
                  "A map of 'key:value,…'.", "str_to_map('a:1,b:2')", "{a -> 1, b -> 2}"},
                 {},
                 [](const BindCall& call) -> Result<BoundFunction> {
                   ASSIGN(auto bound, signature("string, [string], [string] -> string")(call));
                   bound.result = map_of(arrow::utf8(), arrow::utf8());
                   return bound;
                 },
                 str_to_map});
}

}  // namespace tailrace::engine
