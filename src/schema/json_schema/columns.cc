#include "schema/json_schema/columns.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

namespace tailrace::schema::json_schema {
namespace {

// How many schemas a column may be found through, and in how many it may lie.
constexpr int kMaxDepth = 200;

struct Column {
  tailrace::Type type;
  bool is_json = false;  ///< a string that holds any value
};

class ColumnTypes {
 public:
  explicit ColumnTypes(const Documents& documents) : documents_(documents) {}

  Result<tailrace::Type> type() {
    ASSIGN(const Column whole, root());
    return whole.type;
  }

  Result<Schema> run() {
    ASSIGN(const Column whole, root());
    if (whole.type->id() == arrow::Type::STRUCT) return arrow::schema(whole.type->fields());
    return arrow::schema({field("value", whole)});
  }

 private:
  Result<Column> root() {
    ASSIGN(const Spot root, documents_.enter(documents_.start(), documents_.root().root));
    return of(root, 0);
  }

  static Field field(const std::string& name, const Column& column) {
    if (!column.is_json) return arrow::field(name, column.type);
    return arrow::field(name, column.type, true,
                        arrow::key_value_metadata({std::string(kHoldsJson)}, {"true"}));
  }
  static Column json() { return {arrow::utf8(), true}; }

  const Json* get(const Spot& at, std::string_view keyword) const {
    return documents_.member(*at.value, keyword);
  }

  Result<Column> child(const Spot& above, const Json& value, int depth) {
    ASSIGN(const Spot at, documents_.enter(above, value));
    return of(at, depth + 1);
  }

  Result<Column> of(const Spot& at, int depth) {
    if (++count_ > kMaxColumns)
      return error(Code::kUnimplemented,
                   "the schema has more than " + std::to_string(kMaxColumns) + " columns");
    if (!at.value->object() || depth > kMaxDepth || !open_.insert(at.value).second) return json();
    auto made = of_object(at, depth);
    open_.erase(at.value);
    return made;
  }

  Result<Column> of_object(const Spot& at, int depth) {
    const Json* ref = get(at, "$ref");
    if (ref && ref->text() && (!is_modern(at.document->draft) || !says_type(at))) {
      ASSIGN(const Spot target, documents_.resolve_by_standard(at, *ref->text()));
      return of(target, depth + 1);
    }
    if (const auto type = single_type(at)) return of_type(at, *type, depth);
    if (get(at, "type")) return json();
    if (get(at, "properties")) return of_type(at, "object", depth);
    for (const auto* keyword : {"allOf", "anyOf", "oneOf"})
      if (const Json* some = get(at, keyword); some && some->array())
        return of_alternatives(at, *some->array(), *keyword == 'a' && keyword[1] == 'l', depth);
    return json();
  }

  bool says_type(const Spot& at) const { return get(at, "type") || get(at, "properties"); }

  // The type that is named, or that all values have, but for null.
  std::optional<std::string> single_type(const Spot& at) const {
    std::vector<std::string> types;
    const auto add = [&](std::string type) {
      if (type != "null" && std::ranges::find(types, type) == types.end())
        types.push_back(std::move(type));
    };
    if (const Json* type = get(at, "type")) {
      if (type->text()) return *type->text();
      if (type->array())
        for (const auto& one : *type->array())
          if (one.text()) add(*one.text());
    } else if (const Json* values = get(at, "enum"); values && values->array()) {
      for (const auto& one : *values->array()) add(type_name(one));
    } else if (const Json* value = get(at, "const")) {
      return type_name(*value);
    }
    if (types.size() == 2 && std::ranges::count(types, "integer") == 1 &&
        std::ranges::count(types, "number") == 1)
      return "number";
    if (types.size() != 1) return std::nullopt;
    return types.front();
  }

  static std::string type_name(const Json& value) {
    if (value.is_null()) return "null";
    if (value.boolean()) return "boolean";
    if (value.integer()) return "integer";
    if (value.is_number()) return "number";
    if (value.text()) return "string";
    return value.array() ? "array" : "object";
  }

  Result<Column> of_type(const Spot& at, const std::string& type, int depth) {
    if (type == "object") return of_members(at, depth);
    if (type == "array") {
      const Json* items = get(at, "items");
      const bool alike = items && items->object() && !get(at, "prefixItems");
      Column element = json();
      if (alike) {
        ASSIGN(element, child(at, *items, depth));
      }
      return Column{arrow::list(field("element", element))};
    }
    if (type == "string") return of_text(at);
    if (type == "integer") return Column{arrow::int64()};
    if (type == "number") return Column{arrow::float64()};
    if (type == "boolean") return Column{arrow::boolean()};
    if (type == "null") return Column{arrow::null()};
    return json();
  }

  Result<Column> of_text(const Spot& at) const {
    const Json* format = get(at, "format");
    if (format && format->text() && *format->text() == "date-time") return Column{timestamp_type()};
    if (format && format->text() && *format->text() == "date") return Column{arrow::date32()};
    return Column{arrow::utf8()};
  }

  Result<Column> of_members(const Spot& at, int depth) {
    const Json* properties = get(at, "properties");
    if (properties && properties->object() && !properties->object()->empty()) {
      arrow::FieldVector fields;
      for (const auto& [name, schema] : *properties->object()) {
        ASSIGN(const Column column, child(at, schema, depth));
        fields.push_back(field(name, column));
      }
      return Column{arrow::struct_(fields)};
    }
    const Json* others = get(at, "additionalProperties");
    if (!others || !others->object() || get(at, "patternProperties")) return json();
    ASSIGN(const Column value, child(at, *others, depth));
    return Column{std::make_shared<arrow::MapType>(arrow::field("key", arrow::utf8(), false),
                                                   field("value", value))};
  }

  // The one alternative that is not null, or what all of them are; objects that are to be all at
  // once have the columns of all.
  Result<Column> of_alternatives(const Spot& at, const JsonArray& some, bool at_once, int depth) {
    std::optional<Column> made;
    for (const auto& one : some) {
      ASSIGN(const Column column, child(at, one, depth));
      if (column.type->id() == arrow::Type::NA) continue;
      if (at_once && column.is_json) continue;
      if (at_once && made && column.type->id() == arrow::Type::STRUCT &&
          made->type->id() == arrow::Type::STRUCT) {
        made->type = with_fields(*made->type, *column.type);
        continue;
      }
      if (made && !made->type->Equals(*column.type)) return json();
      if (!made || column.is_json) made = column;
    }
    if (made) return *made;
    return at_once ? json() : Column{arrow::null()};
  }

  static tailrace::Type with_fields(const arrow::DataType& some, const arrow::DataType& more) {
    arrow::FieldVector fields = some.fields();
    for (const auto& one : more.fields())
      if (std::ranges::none_of(fields,
                               [&](const auto& known) { return known->name() == one->name(); }))
        fields.push_back(one);
    return arrow::struct_(fields);
  }

  const Documents& documents_;
  std::size_t count_ = 0;
  std::unordered_set<const Json*> open_;
};

}  // namespace

Result<Schema> columns_of(const JsonSchema& schema) {
  return ColumnTypes(schema.documents()).run();
}

Result<Type> type_of(const JsonSchema& schema) {
  return ColumnTypes(schema.documents()).type();
}

}  // namespace tailrace::schema::json_schema
