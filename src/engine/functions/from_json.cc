// from_json(text, 'DDL'), Spark's PERMISSIVE mode: a malformed record is a struct of nulls, a field
// of the wrong type is null and the others keep their values, names match by case, text after the
// first value is ignored.
#include "engine/functions/json_columns.h"
#include "engine/functions/json_document.h"
#include "engine/functions/registry.h"

namespace tailrace::engine {
namespace {

Result<BoundFunction> bind(const BindCall& call) {
  if (call.args.size() < 2 || call.args.size() > 3) return wrong_count(call, "[2, 3]");
  if (call.args.size() == 3)
    return error(Code::kUnimplemented, "from_json: options are not supported");
  if (!is_string_type(*call.args[0]) && !is_void(*call.args[0]))
    return wrong_argument(call, 0, "STRING");
  const auto ddl = constant_text(call.constant(1));
  if (!ddl) {
    return error(Code::kInvalidArgument,
                 "[INVALID_SCHEMA.NON_STRING_LITERAL] The input schema of from_json is not a valid "
                 "schema string. The "
                 "input expression must be string literal and not null.");
  }
  ASSIGN(Type type, parse_ddl_type(*ddl));
  const auto id = type->id();
  if (id != arrow::Type::STRUCT && id != arrow::Type::LIST && id != arrow::Type::MAP) {
    type = arrow::struct_({arrow::field("value", type)});
  }
  return BoundFunction{{arrow::utf8(), arrow::utf8()}, type};
}

const char* end_of_chars(const Value& value) {
  const auto& chars = value.array->data()->buffers[2];
  return chars ? reinterpret_cast<const char*>(chars->data()) + chars->capacity() : nullptr;
}

Type corrupt_column(const Type& type, int& index) {
  const auto& fields = static_cast<const arrow::StructType&>(*type);
  index = fields.GetFieldIndex("_corrupt_record");
  return type;
}

/// The _corrupt_record column of Spark: the text of records that are malformed or have a field of
/// the wrong type.
Result<Array> with_corrupt(const Array& made, int index, const Reader<std::string_view>& texts,
                           const std::vector<bool>& bad) {
  Sink<std::string_view> out(arrow::utf8(), made->length());
  for (std::int64_t row = 0; row < made->length(); ++row) {
    bad[row] ? out.set(row, texts[row]) : out.null(row);
  }
  ASSIGN(Array column, out.finish());
  auto data = made->data()->Copy();
  data->child_data[index] = column->data();
  return arrow::MakeArray(data);
}

Result<Array> run(Call& call) {
  ASSIGN(auto column, JsonColumn::make(call.type(), call.context.now_us));
  const Reader<std::string_view> texts(call.args[0]);
  const bool is_struct = call.type()->id() == arrow::Type::STRUCT;
  int corrupt = -1;
  if (is_struct) corrupt_column(call.type(), corrupt);
  std::vector<bool> bad(static_cast<std::size_t>(corrupt < 0 ? 0 : call.rows));
  JsonDocument document(end_of_chars(call.args[0]));
  JsonReader reader;
  simdjson::dom::parser empty_parser;
  const simdjson::dom::element empty = empty_parser.parse(std::string_view("{}"));
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (texts.nulls[row]) {
      column->append_null();
      continue;
    }
    if (reader.append(*column, texts[row])) continue;
    const auto root = document.parse(texts[row]);
    if (root && column->append(*root)) continue;
    if (!bad.empty()) bad[row] = true;
    if (root && call.type()->id() == arrow::Type::LIST && root->is_object()) {
      // Spark takes a lone object for an array of one.
      std::string wrapped = "[";
      append_json(wrapped, *root);
      const auto list = document.parse(wrapped + "]");
      if (list && column->append(*list)) continue;
    }
    const bool blank = texts[row].find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (!is_struct || blank) {
      column->append_null();
    } else {
      column->append(empty);
    }
  }
  ASSIGN(Array made, column->finish());
  return corrupt < 0 ? made : with_corrupt(made, corrupt, texts, bad);
}

}  // namespace

void add_from_json(Functions& out) {
  out.push_back({{"from_json", "from_json(text, 'name TYPE, …')",
                  "The JSON text as a struct, array or map of the type.",
                  "from_json('{\"a\":1,\"b\":\"x\"}', 'a INT, b STRING')", "{1, x}"},
                 {},
                 bind,
                 run});
}

}  // namespace tailrace::engine
