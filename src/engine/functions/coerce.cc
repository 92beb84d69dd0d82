// Spark's ANSI coercion: least common types, implicit casts, and binders made from a signature
// line.
#include <algorithm>
#include <optional>

#include "engine/functions/decimal_rules.h"
#include "engine/functions/function.h"

namespace tailrace::engine {

using Id = arrow::Type::type;

bool is_integral(const arrow::DataType& type) {
  return type.id() == Id::INT8 || type.id() == Id::INT16 || type.id() == Id::INT32 ||
         type.id() == Id::INT64;
}
bool is_floating_type(const arrow::DataType& type) {
  return type.id() == Id::FLOAT || type.id() == Id::DOUBLE;
}
bool is_decimal_type(const arrow::DataType& type) {
  return type.id() == Id::DECIMAL128;
}
bool is_number(const arrow::DataType& type) {
  return is_integral(type) || is_floating_type(type) || is_decimal_type(type);
}

bool is_scalar(const arrow::DataType& type) {
  switch (type.id()) {
    case Id::BOOL:
    case Id::STRING:
    case Id::BINARY:
    case Id::DATE32:
    case Id::TIMESTAMP:
    case Id::DURATION:
    case Id::INTERVAL_MONTHS:
      return true;
    default:
      return is_number(type);
  }
}

namespace {

Type common_number(const Type& left, const Type& right) {
  if (is_decimal_type(*left) || is_decimal_type(*right)) {
    if (is_floating_type(*left) || is_floating_type(*right)) return arrow::float64();
    return wider_decimal(decimal_of(*left), decimal_of(*right));
  }
  if (is_floating_type(*left) || is_floating_type(*right)) return arrow::float64();
  return left->bit_width() > right->bit_width() ? left : right;
}

bool is_date_like(const arrow::DataType& type) {
  return type.id() == Id::DATE32 || type.id() == Id::TIMESTAMP;
}

Type common_date(const Type& left, const Type& right) {
  const bool zoned = left->Equals(*timestamp_type()) || right->Equals(*timestamp_type());
  return zoned ? timestamp_type() : arrow::timestamp(arrow::TimeUnit::MICRO);
}

Type common_with_string(const Type& other) {
  if (is_integral(*other)) return arrow::int64();
  if (is_floating_type(*other) || is_decimal_type(*other)) return arrow::float64();
  if (other->id() == Id::DURATION || other->id() == Id::INTERVAL_MONTHS) return nullptr;
  return is_scalar(*other) ? other : nullptr;
}

Type common_struct(const Type& left, const Type& right) {
  if (left->num_fields() != right->num_fields()) return nullptr;
  std::vector<Field> fields;
  for (int i = 0; i < left->num_fields(); ++i) {
    if (left->field(i)->name() != right->field(i)->name()) return nullptr;
    Type type = common_type_of(left->field(i)->type(), right->field(i)->type());
    if (!type) return nullptr;
    fields.push_back(arrow::field(left->field(i)->name(), type));
  }
  return arrow::struct_(std::move(fields));
}

Type common_nested(const Type& left, const Type& right) {
  if (left->id() != right->id()) return nullptr;
  if (left->id() == Id::STRUCT) return common_struct(left, right);
  if (left->id() == Id::LIST) {
    Type element = common_type_of(left->field(0)->type(), right->field(0)->type());
    return element ? arrow::list(element) : nullptr;
  }
  if (left->id() != Id::MAP) return nullptr;
  const auto& one = static_cast<const arrow::MapType&>(*left);
  const auto& two = static_cast<const arrow::MapType&>(*right);
  Type key = common_type_of(one.key_type(), two.key_type());
  Type item = common_type_of(one.item_type(), two.item_type());
  return key && item ? arrow::map(key, item) : nullptr;
}

}  // namespace

Type common_type_of(const Type& left, const Type& right) {
  if (left->Equals(*right)) return left;
  if (is_void(*left)) return right;
  if (is_void(*right)) return left;
  if (is_number(*left) && is_number(*right)) return common_number(left, right);
  if (is_date_like(*left) && is_date_like(*right)) return common_date(left, right);
  if (is_string_type(*left)) return common_with_string(right);
  if (is_string_type(*right)) return common_with_string(left);
  return common_nested(left, right);
}

Result<Type> common_type(std::span<const Type> types) {
  Type common = arrow::null();
  // Strings last: Spark's findWiderCommonType puts them after the others, as promotion is not
  // associative.
  for (const bool strings : {false, true}) {
    for (const Type& type : types) {
      if (is_string_type(*type) != strings) continue;
      Type wider = common_type_of(common, type);
      if (!wider) {
        return error(Code::kInvalidArgument, "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] the types " +
                                                 spark_name(*common) + " and " + spark_name(*type) +
                                                 " have no common type.");
      }
      common = wider;
    }
  }
  return common;
}

namespace {

struct Word {
  std::string_view word;
  Id id;
  Type (*make)();
};

Type binary_type() {
  return arrow::binary();
}
Type interval_type() {
  return arrow::duration(arrow::TimeUnit::MICRO);
}

constexpr Word kWords[] = {
    {"boolean", Id::BOOL, [] { return arrow::boolean(); }},
    {"tinyint", Id::INT8, [] { return arrow::int8(); }},
    {"smallint", Id::INT16, [] { return arrow::int16(); }},
    {"int", Id::INT32, [] { return arrow::int32(); }},
    {"bigint", Id::INT64, [] { return arrow::int64(); }},
    {"float", Id::FLOAT, [] { return arrow::float32(); }},
    {"double", Id::DOUBLE, [] { return arrow::float64(); }},
    {"string", Id::STRING, [] { return arrow::utf8(); }},
    {"binary", Id::BINARY, binary_type},
    {"date", Id::DATE32, [] { return arrow::date32(); }},
    {"timestamp", Id::TIMESTAMP, timestamp_type},
    {"interval", Id::DURATION, interval_type},
};

const Word* find_word(std::string_view word) {
  const auto* found = std::ranges::find(kWords, word, &Word::word);
  return found == std::end(kWords) ? nullptr : found;
}

bool may_become(const arrow::DataType& from, const Word& to) {
  if (from.id() == to.id || is_void(from)) return true;
  if (to.id == Id::STRING) return is_scalar(from) && from.id() != Id::BINARY;
  if (is_string_type(from)) return to.id != Id::DURATION;
  if (to.id == Id::DATE32) return from.id() == Id::TIMESTAMP;
  if (to.id == Id::TIMESTAMP) return from.id() == Id::DATE32;
  const bool to_number = to.id == Id::INT8 || to.id == Id::INT16 || to.id == Id::INT32 ||
                         to.id == Id::INT64 || to.id == Id::FLOAT || to.id == Id::DOUBLE;
  return to_number && is_number(from);
}

std::optional<Type> cast_nested(const Type& from, Id wanted) {
  return from->id() == wanted ? std::optional(from) : std::nullopt;
}

}  // namespace

std::optional<Type> implicit_cast(const Type& from, std::string_view word) {
  if (word == "any" || word == "same") return from;
  if (word == "array") return cast_nested(from, Id::LIST);
  if (word == "map") return cast_nested(from, Id::MAP);
  if (word == "struct") return cast_nested(from, Id::STRUCT);
  if (word == "number") {
    if (is_void(*from) || is_string_type(*from)) return arrow::float64();
    return is_number(*from) ? std::optional(from) : std::nullopt;
  }
  if (word == "integral") {
    if (is_integral(*from)) return from;
    return is_void(*from) || is_string_type(*from) || is_number(*from)
               ? std::optional(arrow::int64())
               : std::nullopt;
  }
  const Word* known = find_word(word);
  if (!known || !may_become(*from, *known)) return std::nullopt;
  return known->make();
}

std::unexpected<Error> wrong_argument(const BindCall& call, std::size_t index,
                                      std::string_view wanted) {
  static constexpr std::string_view kOrdinals[] = {"first",  "second", "third",
                                                   "fourth", "fifth",  "sixth"};
  std::string upper(wanted);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return error(Code::kInvalidArgument,
               "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"" + call.name +
                   "\" due to data type mismatch: The " +
                   (index < 6 ? std::string(kOrdinals[index]) : std::to_string(index + 1) + "th") +
                   " parameter requires the \"" + upper + "\" type, however it has the type \"" +
                   spark_name(*call.args[index]) + "\".");
}

std::unexpected<Error> wrong_count(const BindCall& call, std::string_view wanted) {
  return error(Code::kInvalidArgument, "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `" + call.name +
                                           "` requires " + std::string(wanted) +
                                           " parameters but the actual number is " +
                                           std::to_string(call.args.size()) + ".");
}

std::optional<std::string> constant_text(const arrow::Scalar* scalar) {
  if (!scalar || !scalar->is_valid || !is_string_type(*scalar->type)) return std::nullopt;
  return static_cast<const arrow::StringScalar*>(scalar)->value->ToString();
}

namespace {

struct Overload {
  std::vector<std::string> words;
  std::size_t required = 0;
  bool repeats = false;
  std::string result;

  const std::string& word(std::size_t i) const { return words[std::min(i, words.size() - 1)]; }
};

std::vector<std::string> split_trimmed(std::string_view text, char by) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(by);
    auto part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Overload parse_overload(std::string_view text) {
  const auto arrow_at = text.find("->");
  Overload made;
  for (std::string word : split_trimmed(text.substr(0, arrow_at), ',')) {
    if (word.front() == '[') {
      word = word.substr(1, word.size() - 2);
    } else if (word.ends_with("...")) {
      word.resize(word.size() - 3);
      made.repeats = true;
    } else {
      ++made.required;
    }
    made.words.push_back(word);
  }
  made.result = split_trimmed(text.substr(arrow_at + 2), ',').front();
  return made;
}

Result<void> unify_same(const BindCall& call, const Overload& overload, std::vector<Type>& args) {
  std::vector<Type> same;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (overload.word(i) == "same") same.push_back(args[i]);
  }
  if (same.empty()) return {};
  auto common = common_type(same);
  if (!common) return std::unexpected(common.error().in(call.name));
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (overload.word(i) == "same") args[i] = *common;
  }
  return {};
}

Type result_type(const Overload& overload, const std::vector<Type>& args) {
  if (overload.result == "element") return args[0]->field(0)->type();
  if (overload.result[0] == '$') return args[static_cast<std::size_t>(overload.result[1] - '1')];
  if (overload.result.starts_with("array<")) {
    const auto word = std::string_view(overload.result).substr(6, overload.result.size() - 7);
    return arrow::list(find_word(word)->make());
  }
  return find_word(overload.result)->make();
}

Result<BoundFunction> bind_overload(const BindCall& call, const Overload& overload) {
  const bool too_many = !overload.repeats && call.args.size() > overload.words.size();
  if (call.args.size() < overload.required || too_many)
    return wrong_count(call, std::to_string(overload.required));
  BoundFunction bound;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    auto cast = implicit_cast(call.args[i], overload.word(i));
    if (!cast) return wrong_argument(call, i, overload.word(i));
    bound.args.push_back(*cast);
  }
  TRY(unify_same(call, overload, bound.args));
  bound.result = result_type(overload, bound.args);
  return bound;
}

bool exact(const BindCall& call, const BoundFunction& bound) {
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    if (!call.args[i]->Equals(*bound.args[i])) return false;
  }
  return true;
}

}  // namespace

Binder signature(std::string text) {
  std::vector<Overload> overloads;
  for (const std::string& one : split_trimmed(text, ';')) overloads.push_back(parse_overload(one));
  return [overloads](const BindCall& call) -> Result<BoundFunction> {
    std::optional<Result<BoundFunction>> first;
    for (const Overload& overload : overloads) {
      auto bound = bind_overload(call, overload);
      if (bound && exact(call, *bound)) return bound;
      if (!first || (bound && !*first)) first = std::move(bound);
    }
    return *first;
  };
}

}  // namespace tailrace::engine
