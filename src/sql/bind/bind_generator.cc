// Generators: explode and its kin, in the select list and in LATERAL VIEW.
#include <algorithm>
#include <array>

#include "sql/bind/binder.h"
#include "sql/bind/make.h"

namespace tailrace::sql {

using engine::Plan;

bool is_generator_name(const std::string& name) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

Result<Binder::Generated> Binder::generate(engine::PlanPtr input, const Scope& scope,
                                           const Expression& call, bool outer) {
  if (call.args.size() != 1) {
    return fail(call.span, "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `" + call.name +
                               "` requires 1 parameters.");
  }
  ASSIGN(auto array, expression(*call.args[0], scope));
  const bool map = array->type->id() == arrow::Type::MAP;
  if (array->type->id() != arrow::Type::LIST && (!map || call.name.starts_with("inline"))) {
    return fail(call.span, "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"" +
                               output_name(call, scope) +
                               "\" due to data type mismatch: the first parameter requires the "
                               "(\"ARRAY\" or \"MAP\") type, "
                               "it has the type \"" +
                               spark_name(*array->type) + "\".");
  }
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::kExplode;
  made->exprs = {array};
  made->outer = outer;
  made->with_position = call.name.starts_with("pos");
  auto fields = input->schema->fields();
  Generated result;
  if (made->with_position) {
    result.columns.push_back(make_column(static_cast<int>(fields.size()), arrow::int32()));
    result.names.push_back("pos");
    fields.push_back(arrow::field("pos", arrow::int32()));
  }
  const auto add = [&](const std::string& name, const Type& type) {
    result.columns.push_back(make_column(static_cast<int>(fields.size()), type));
    result.names.push_back(name);
    fields.push_back(arrow::field(name, type));
  };
  if (map) {
    const auto& type = static_cast<const arrow::MapType&>(*array->type);
    add("key", type.key_type());
    add("value", type.item_type());
  } else {
    add("col", static_cast<const arrow::ListType&>(*array->type).value_type());
  }
  if (call.name.starts_with("inline")) {
    const auto element = result.columns.back();
    if (element->type->id() != arrow::Type::STRUCT)
      return fail(call.span, "[DATATYPE_MISMATCH] inline takes an array of structs.");
    result.columns.clear();
    result.names.clear();
    for (int i = 0; i < element->type->num_fields(); ++i) {
      result.columns.push_back(make_field(element, i));
      result.names.push_back(element->type->field(i)->name());
    }
  }
  made->schema = arrow::schema(std::move(fields));
  made->inputs = {std::move(input)};
  result.plan = made;
  return result;
}

Result<Bound> Binder::lateral_view(Bound input, const LateralView& view) {
  if (view.call->kind != Expression::Kind::kCall || !is_generator_name(view.call->name)) {
    return unsupported(view.span, "LATERAL VIEW of anything but explode, posexplode and inline");
  }
  const Scope scope{&input.columns, {}};
  ASSIGN(auto made, generate(input.plan, scope, *view.call,
                             view.outer || view.call->name.ends_with("_outer")));
  if (!view.columns.empty() && view.columns.size() != made.columns.size()) {
    return fail(view.span, "[UDTF_ALIAS_NUMBER_MISMATCH] " + view.call->name + " gives " +
                               std::to_string(made.columns.size()) + " columns.");
  }
  std::vector<std::string> qualifier;
  if (!view.table.empty()) qualifier.push_back(view.table);
  for (std::size_t i = 0; i < made.columns.size(); ++i) {
    input.columns.push_back({qualifier, view.columns.empty() ? made.names[i] : view.columns[i],
                             made.columns[i], false});
  }
  input.plan = made.plan;
  return input;
}

}  // namespace tailrace::sql
