#include "schema/avro/json_writer.h"

#include <arrow/util/decimal.h>
#include <arrow/util/value_parsing.h>
#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "schema/avro/plan.h"

namespace tailrace::schema::avro {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kMostLeftOut = 256;

/// Why a value does not fit, and the path to it, made from the inside out.
struct Misfit {
  std::string why;
  std::string path = {};

  Misfit& within(std::string_view name) {
    path = path.empty() ? std::string(name) : std::string(name) + "." + path;
    return *this;
  }
};
using Fit = std::optional<Misfit>;

std::string_view shown(element_type type) {
  switch (type) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
      return "a whole number";
    case element_type::DOUBLE:
      return "a number";
    case element_type::STRING:
      return "text";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "";
}

Misfit not_a(const element& value, std::string_view wanted) {
  return {std::string(shown(value.type())) + " where " + std::string(wanted) + " is expected"};
}

void append_text(std::string& out, std::string_view text) {
  append_long(out, static_cast<std::int64_t>(text.size()));
  out += text;
}

class Writing {
 public:
  Writing(std::string& out, std::set<std::string>& left_out) : out_(out), left_out_(left_out) {}

  Fit value(const Type& type, const element& value) {
    switch (type.kind) {
      case Kind::kNull:
        return value.is_null() ? Fit() : not_a(value, "null");
      case Kind::kBoolean:
        return boolean(value);
      case Kind::kInt:
      case Kind::kLong:
        return whole(type, value);
      case Kind::kFloat:
      case Kind::kDouble:
        return fraction(type, value);
      case Kind::kBytes:
      case Kind::kFixed:
        return bytes(type, value);
      case Kind::kString:
        return text(value);
      case Kind::kEnum:
        return symbol(type, value);
      case Kind::kArray:
        return array(type, value);
      case Kind::kMap:
        return map(type, value);
      case Kind::kUnion:
        return one_of(type, value);
      case Kind::kRecord:
        return record(type, value);
    }
    return {};
  }

 private:
  Fit boolean(const element& value) {
    bool truth = false;
    if (value.get(truth) != simdjson::SUCCESS) return not_a(value, "a boolean");
    out_ += truth ? '\1' : '\0';
    return {};
  }

  Fit whole(const Type& type, const element& value) {
    if (value.is_string() && type.logical.kind != Logical::kNone) return moment(type, value);
    std::int64_t number = 0;
    if (value.get(number) != simdjson::SUCCESS) {
      double fraction = 0;
      const bool is_whole = value.get(fraction) == simdjson::SUCCESS &&
                            std::nearbyint(fraction) == fraction && std::abs(fraction) < 0x1p53;
      if (!is_whole) return not_a(value, "a whole number");
      number = static_cast<std::int64_t>(fraction);
    }
    const bool fits =
        type.kind == Kind::kLong || (number >= std::numeric_limits<std::int32_t>::min() &&
                                     number <= std::numeric_limits<std::int32_t>::max());
    if (!fits) return Misfit{std::to_string(number) + " is beyond an int"};
    append_long(out_, number);
    return {};
  }

  /// Text of a date or a timestamp.
  Fit moment(const Type& type, const element& value) {
    const std::string_view text = value.get_string().value_unsafe();
    if (type.logical.kind == Logical::kDate) {
      std::int32_t days = 0;
      if (!arrow::internal::ParseValue<arrow::Date32Type>(text.data(), text.size(), &days))
        return Misfit{"text that is no date (2024-01-31)"};
      append_long(out_, days);
      return {};
    }
    const auto unit = unit_of(type.logical.kind);
    if (!unit) return not_a(value, "a whole number");
    std::int64_t moment = 0;
    if (!arrow::internal::ParseTimestampISO8601(text.data(), text.size(), *unit, &moment))
      return Misfit{"text that is no timestamp (2024-01-31T12:00:00Z)"};
    append_long(out_, moment);
    return {};
  }

  static std::optional<arrow::TimeUnit::type> unit_of(Logical logical) {
    switch (logical) {
      case Logical::kTimestampMillis:
      case Logical::kLocalTimestampMillis:
        return arrow::TimeUnit::MILLI;
      case Logical::kTimestampMicros:
      case Logical::kLocalTimestampMicros:
        return arrow::TimeUnit::MICRO;
      case Logical::kTimestampNanos:
      case Logical::kLocalTimestampNanos:
        return arrow::TimeUnit::NANO;
      default:
        return std::nullopt;
    }
  }

  Fit fraction(const Type& type, const element& value) {
    double number = 0;
    if (value.get(number) != simdjson::SUCCESS) return not_a(value, "a number");
    if (type.kind == Kind::kDouble)
      append_raw(out_, number);
    else
      append_raw(out_, static_cast<float>(number));
    return {};
  }

  Fit bytes(const Type& type, const element& value) {
    if (type.logical.kind == Logical::kDecimal) return decimal(type, value);
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return not_a(value, "text");
    const auto bytes = bytes_of(text);
    if (!bytes) return Misfit{"text with a character above U+00FF, which is no byte"};
    if (type.kind == Kind::kBytes) {
      append_text(out_, *bytes);
      return {};
    }
    if (bytes->size() != static_cast<std::size_t>(type.defined->size))
      return Misfit{std::to_string(bytes->size()) + " bytes where a fixed has " +
                    std::to_string(type.defined->size)};
    out_ += *bytes;
    return {};
  }

  Fit decimal(const Type& type, const element& value) {
    if (!value.is_string() && !value.is_number()) return not_a(value, "a decimal");
    const std::string written = value.is_string() ? std::string(value.get_string().value_unsafe())
                                                  : simdjson::minify(value);
    arrow::Decimal128 number;
    std::int32_t precision = 0, scale = 0;
    const bool read = arrow::Decimal128::FromString(written, &number, &precision, &scale).ok();
    const auto scaled = read ? number.Rescale(scale, type.logical.scale)
                             : arrow::Result<arrow::Decimal128>(arrow::Status::Invalid(""));
    if (!scaled.ok() || !scaled->FitsInPrecision(std::min(type.logical.precision, 38)))
      return Misfit{written + " is no decimal of " + std::to_string(type.logical.precision) +
                    " digits, " + std::to_string(type.logical.scale) + " behind the point"};
    std::string big(16, '\0');
    for (std::size_t i = 0; i < 16; ++i) {
      const std::uint64_t half =
          i < 8 ? static_cast<std::uint64_t>(scaled->high_bits()) : scaled->low_bits();
      big[i] = static_cast<char>(half >> (56 - 8 * (i % 8)));
    }
    return twos_complement(type, std::move(big), scaled->IsNegative());
  }

  /// As few bytes as hold the number, or as many as a fixed has.
  Fit twos_complement(const Type& type, std::string big, bool negative) {
    const char fill = negative ? '\xFF' : '\0';
    const bool fixed = type.kind == Kind::kFixed;
    const std::size_t size = fixed ? static_cast<std::size_t>(type.defined->size) : 1;
    const auto spare = [&] {
      return big.size() > size && big[0] == fill && ((big[1] & 0x80) != 0) == negative;
    };
    while (spare()) big.erase(0, 1);
    if (fixed && big.size() > size) return Misfit{"a decimal that its fixed does not hold"};
    if (fixed) big.insert(0, size - big.size(), fill);
    if (fixed)
      out_ += big;
    else
      append_text(out_, big);
    return {};
  }

  Fit text(const element& value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return not_a(value, "text");
    append_text(out_, text);
    return {};
  }

  Fit symbol(const Type& type, const element& value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return not_a(value, "a symbol");
    const auto& symbols = type.defined->symbols;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      if (symbols[i] != text) continue;
      append_long(out_, static_cast<std::int64_t>(i));
      return {};
    }
    return Misfit{"\"" + std::string(text) + "\" is no symbol of " + std::string(type.full_name())};
  }

  Fit array(const Type& type, const element& value) {
    simdjson::dom::array items;
    if (value.get(items) != simdjson::SUCCESS) return not_a(value, "an array");
    // The count stands first, and not what simdjson may have cut it to.
    std::int64_t count = 0;
    for ([[maybe_unused]] const element item : items) ++count;
    if (count > 0) append_long(out_, count);
    std::size_t i = 0;
    for (const element item : items) {
      if (auto misfit = this->value(*type.element, item))
        return misfit->within("[" + std::to_string(i) + "]");
      ++i;
    }
    out_ += '\0';
    return {};
  }

  Fit map(const Type& type, const element& value) {
    simdjson::dom::object members;
    if (value.get(members) != simdjson::SUCCESS) return not_a(value, "an object");
    std::int64_t count = 0;
    for ([[maybe_unused]] const auto member : members) ++count;
    if (count > 0) append_long(out_, count);
    for (const auto member : members) {
      append_text(out_, member.key);
      if (auto misfit = this->value(*type.element, member.value)) return misfit->within(member.key);
    }
    out_ += '\0';
    return {};
  }

  Fit one_of(const Type& type, const element& value) {
    const std::size_t before = out_.size();
    Fit first;
    std::size_t tried = 0;
    for (std::size_t i = 0; i < type.branches.size(); ++i) {
      const Type& branch = *type.branches[i];
      if ((branch.kind == Kind::kNull) != value.is_null()) continue;
      append_long(out_, static_cast<std::int64_t>(i));
      auto misfit = this->value(branch, value);
      if (!misfit) return {};
      out_.resize(before);
      if (!first) first = std::move(misfit);
      ++tried;
    }
    if (tried == 1) return first;
    return not_a(value, "a branch of the union");
  }

  Fit record(const Type& type, const element& value) {
    simdjson::dom::object members;
    if (value.get(members) != simdjson::SUCCESS) return not_a(value, "an object");
    std::size_t used = 0;
    for (const Field& field : type.defined->fields) {
      const auto found = members.at_key(field.name);
      if (found.error() == simdjson::SUCCESS) {
        ++used;
        if (auto misfit = this->value(*field.type, found.value_unsafe()))
          return misfit->within(field.name);
      } else if (auto misfit = absent(field)) {
        return misfit->within(field.name);
      }
    }
    if (used < members.size()) note_left_out(type, members);
    return {};
  }

  Fit absent(const Field& field) {
    if (field.default_value) {
      if (encode_default(*field.type, *field.default_value, out_)) return {};
      return Misfit{"its default cannot be written"};
    }
    if (field.type->kind == Kind::kUnion) {
      for (std::size_t i = 0; i < field.type->branches.size(); ++i) {
        if (field.type->branches[i]->kind != Kind::kNull) continue;
        append_long(out_, static_cast<std::int64_t>(i));
        return {};
      }
    }
    return Misfit{"the field is missing, and has no default"};
  }

  void note_left_out(const Type& type, const simdjson::dom::object& members) {
    for (const auto member : members)
      if (left_out_.size() < kMostLeftOut && !find_field(*type.defined, member.key))
        left_out_.insert(std::string(type.full_name()) + "." + std::string(member.key));
  }

  std::string& out_;
  std::set<std::string>& left_out_;
};

}  // namespace

JsonWriter::JsonWriter(std::shared_ptr<const AvroSchema> schema)
    : schema_(std::move(schema)), parser_(std::make_unique<simdjson::dom::parser>()) {}

JsonWriter::JsonWriter(JsonWriter&&) noexcept = default;
JsonWriter::~JsonWriter() = default;

Status JsonWriter::write(std::string_view json, std::string& out) {
  element document;
  if (const auto wrong = parser_->parse(json.data(), json.size()).get(document))
    return error(Code::kInvalidArgument,
                 std::string("not a JSON document: ") + simdjson::error_message(wrong));
  const std::size_t before = out.size();
  const Fit misfit = Writing(out, left_out_).value(schema_->root(), document);
  if (!misfit) return {};
  out.resize(before);
  return error(Code::kInvalidArgument,
               misfit->path.empty() ? misfit->why : misfit->path + ": " + misfit->why);
}

}  // namespace tailrace::schema::avro
