#include "cql_terms/literals.h"

#include <fmt/format.h>

#include <algorithm>

#include "cql_types/number.h"
#include "cql_types/uuid.h"
#include "cql_types/validate.h"

namespace tailrace::cql_terms {

using cql_types::Kind;
using cql_types::Literal;
using cql_types::native_type;
using Of = cql_syntax::Expression::Kind;

namespace {

bool fits_bits(const std::string& bytes, std::size_t size) {
  return bytes.size() <= size;
}

Kind whole_kind(std::string_view text) {
  const auto value = cql_types::parse_integer(text);
  if (!value) return Kind::kVarint;
  const auto bytes = cql_types::varint_bytes(*value);
  if (fits_bits(bytes, 4)) return Kind::kInt;
  return fits_bits(bytes, 8) ? Kind::kBigint : Kind::kVarint;
}

// The value's digits without zeros at the end.
std::string plain_digits(const cql_types::Decimal& value, std::int64_t& scale) {
  auto digits = value.digits;
  scale = value.scale;
  while (digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    --scale;
  }
  if (digits == "0") scale = 0;
  return digits;
}

bool is_exact_double(std::string_view text) {
  const auto number = cql_types::parse_double(text);
  const auto exact = cql_types::parse_decimal(text);
  if (!number) return false;
  const auto shown = cql_types::parse_decimal(cql_types::double_text(*number));
  if (!exact || !shown) return text.find_first_of("NI") != std::string_view::npos;
  std::int64_t a = 0, b = 0;
  return plain_digits(*exact, a) == plain_digits(*shown, b) && a == b;
}

// Tuples written as text: fields between ':', '@' is null; '\:' and '\@' are the signs themselves.
Outcome<std::string> tuple_from_text(const Type& type, std::string_view text, std::int64_t now_ms) {
  if (text.empty()) return std::string();
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && (i == 0 || text[i - 1] != '\\'))
      fields.emplace_back();
    else
      fields.back() += text[i];
  }
  if (fields.size() > type.parameters.size())
    return cql_types::invalid(
        fmt::format("Invalid tuple literal: too many elements. Type {} expects {} but got {}",
                    to_cql(type), type.parameters.size(), fields.size()));
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] == "@") {
      cql_types::append_part(out, std::nullopt);
      continue;
    }
    std::string plain;
    for (std::size_t at = 0; at < fields[i].size(); ++at) {
      const char next = at + 1 < fields[i].size() ? fields[i][at + 1] : '\0';
      if (fields[i][at] != '\\' || (next != ':' && next != '@')) plain += fields[i][at];
    }
    const Type& field = *type.parameters[i];
    if (field.kind == Kind::kTuple) {
      ASSIGN(const auto bytes, tuple_from_text(field, plain, now_ms));
      cql_types::append_part(out, bytes);
    } else {
      ASSIGN(const auto bytes, cql_types::from_text(field, plain, now_ms));
      cql_types::append_part(out, bytes);
    }
  }
  return out;
}

}  // namespace

std::optional<Literal> literal_of(Of kind) {
  switch (kind) {
    case Of::kString:
      return Literal::kString;
    case Of::kInteger:
      return Literal::kInteger;
    case Of::kFloat:
      return Literal::kFloat;
    case Of::kBoolean:
      return Literal::kBoolean;
    case Of::kDuration:
      return Literal::kDuration;
    case Of::kUuid:
      return Literal::kUuid;
    case Of::kHex:
      return Literal::kHex;
    default:
      return std::nullopt;
  }
}

std::string constant_value(const cql_syntax::Expression& constant) {
  if (constant.kind != Of::kFloat) return constant.text;
  std::string lower = constant.text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool negative = lower.starts_with('-');
  const auto word = std::string_view(lower).substr(negative ? 1 : 0);
  if (word == "nan") return negative ? "-NaN" : "NaN";
  if (word == "infinity") return negative ? "-Infinity" : "Infinity";
  return constant.text;
}

std::string constant_text(const cql_syntax::Expression& constant) {
  return constant.kind == Of::kString ? "'" + constant.text + "'" : constant_value(constant);
}

TypePtr preferred_type(const cql_syntax::Expression& constant) {
  switch (constant.kind) {
    case Of::kString: {
      const bool ascii = std::all_of(constant.text.begin(), constant.text.end(),
                                     [](char c) { return static_cast<signed char>(c) >= 0; });
      return native_type(ascii ? Kind::kAscii : Kind::kText);
    }
    case Of::kInteger:
      return native_type(whole_kind(constant.text));
    case Of::kFloat:
      return native_type(is_exact_double(constant_value(constant)) ? Kind::kDouble
                                                                   : Kind::kDecimal);
    case Of::kUuid: {
      const auto bytes = cql_types::parse_uuid(constant.text);
      const bool timed = bytes && ((*bytes)[6] & 0xF0) == 0x10;
      return native_type(timed ? Kind::kTimeuuid : Kind::kUuid);
    }
    case Of::kBoolean:
      return native_type(Kind::kBoolean);
    case Of::kDuration:
      return native_type(Kind::kDuration);
    default:
      return native_type(Kind::kTinyint);
  }
}

Match test_constant(const cql_syntax::Expression& constant, const Type& receiver) {
  if (cql_types::is_collection(receiver.kind) || receiver.kind == Kind::kUserType ||
      receiver.kind == Kind::kVector)
    return Match::kNone;
  if (!cql_types::is_native(receiver.kind)) return Match::kWeak;
  if (receiver.kind == preferred_type(constant)->kind) return Match::kExact;
  return literal_fits(*literal_of(constant.kind), receiver.kind) ? Match::kWeak : Match::kNone;
}

Outcome<std::string> constant_bytes(const cql_syntax::Expression& constant, const Type& receiver,
                                    std::int64_t now_ms) {
  const auto text = constant_value(constant);
  if (constant.kind == Of::kHex) {
    ASSIGN(auto bytes, cql_types::literal_bytes(Literal::kHex, text, *native_type(Kind::kBlob), 0));
    TRY(cql_types::validate(receiver, bytes));
    return bytes;
  }
  if (receiver.kind == Kind::kTuple) return tuple_from_text(receiver, text, now_ms);
  ASSIGN(auto bytes, cql_types::literal_bytes(*literal_of(constant.kind), text, receiver, now_ms));
  return bytes;
}

}  // namespace tailrace::cql_terms
