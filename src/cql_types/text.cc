#include "cql_types/text.h"

#include <fmt/format.h>

#include <charconv>

#include "base/bytes.h"
#include "cql_types/inet.h"
#include "cql_types/number.h"
#include "cql_types/time_text.h"
#include "cql_types/uuid.h"
#include "cql_types/validate.h"

namespace tailrace::cql_types {
namespace {

std::unexpected<Error> invalid(std::string what) {
  return error(Code::kInvalidArgument, std::move(what));
}

template <typename T>
std::string be(T value) {
  std::string bytes;
  append_be(bytes, value);
  return bytes;
}

template <typename T>
Result<std::string> integer(std::string_view text, std::string_view name) {
  auto digits = text;
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  T value{};
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size())
    return invalid(fmt::format("Unable to make {} from '{}'", name, text));
  return be(value);
}

Result<std::string> from_hex(std::string_view text) {
  const auto wrong = [&] {
    return invalid(fmt::format("cannot parse '{}' as hex bytes", text.substr(0, 1'000)));
  };
  std::string bytes;
  if (text.size() % 2 != 0) return wrong();
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const char* from = text.data() + i;
    const auto [end, failure] = std::from_chars(from, from + 2, value, 16);
    if (failure != std::errc() || end != from + 2) return wrong();
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char c : bytes) {
    text += kDigits[c >> 4];
    text += kDigits[c & 0xF];
  }
  return text;
}

Result<std::string> from_boolean(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (lower.empty() || lower == "false") return std::string(1, '\0');
  if (lower == "true") return std::string(1, '\1');
  return invalid(fmt::format("Unable to make boolean from '{}'", text));
}

Result<std::string> from_uuid(Kind kind, std::string_view text) {
  auto bytes = parse_uuid(text);
  if (!bytes)
    return invalid(kind == Kind::kUuid ? fmt::format("Unable to make UUID from '{}'", text)
                                       : fmt::format("Unknown timeuuid representation: {}", text));
  if (kind == Kind::kTimeuuid && ((*bytes)[6] & 0xF0) != 0x10)
    return invalid("TimeUUID supports only version 1 UUIDs");
  return *bytes;
}

Result<std::string> from_number(Kind kind, std::string_view text) {
  if (kind == Kind::kFloat) {
    if (const auto value = parse_float(text)) return be(std::bit_cast<std::uint32_t>(*value));
    return invalid(fmt::format("Unable to make float from '{}'", text));
  }
  if (kind == Kind::kDouble) {
    if (const auto value = parse_double(text)) return be(std::bit_cast<std::uint64_t>(*value));
    return invalid(fmt::format("Unable to make double from '{}'", text));
  }
  if (kind == Kind::kVarint) {
    if (const auto value = parse_integer(text)) return varint_bytes(*value);
    return invalid(fmt::format("unable to make int from '{}'", text.substr(0, 1'000)));
  }
  if (const auto value = parse_decimal(text)) return decimal_bytes(*value);
  return invalid(fmt::format("unable to make BigDecimal from '{}'", text.substr(0, 1'000)));
}

Result<std::string> from_time(Kind kind, std::string_view text, std::int64_t now_ms) {
  if (kind == Kind::kTimestamp) {
    ASSIGN(const auto value, parse_timestamp(text, now_ms));
    return be(value);
  }
  if (kind == Kind::kDate) {
    ASSIGN(const auto value, parse_date(text));
    return be(value);
  }
  if (kind == Kind::kTime) {
    ASSIGN(const auto value, parse_time(text));
    return be(value);
  }
  ASSIGN(const auto value, parse_duration(text));
  return duration_bytes(value);
}

bool empty_text_is_empty(Kind kind) {
  return kind != Kind::kBoolean && kind != Kind::kDate && kind != Kind::kTime;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

bool is_quoted(Kind kind) {
  return kind == Kind::kAscii || kind == Kind::kText || kind == Kind::kInet ||
         kind == Kind::kDate || kind == Kind::kTime || kind == Kind::kTimestamp;
}

std::string too_long(std::string_view what) {
  return fmt::format("a {} of more than {} digits as text", what, kMaxDigits);
}

// Literals of parts, with ", " between.
class LiteralList {
 public:
  Status add(const Type& type, Part value, std::string_view before = {}) {
    ASSIGN(const auto literal, to_literal(type, value));
    if (!text.empty()) text += ", ";
    text.append(before).append(literal);
    return {};
  }
  std::string text;
};

Result<std::string> collection_literal(const Type& type, std::string_view bytes) {
  const bool is_map = type.kind == Kind::kMap;
  LiteralList list;
  CollectionReader reader(bytes, is_map ? 2 : 1);
  Part part;
  while (reader.next(part)) {
    TRY(list.add(type.element(), part));
    if (!is_map || !reader.next(part)) continue;
    ASSIGN(const auto value, to_literal(type.value(), part));
    list.text += ": " + value;
  }
  const bool is_list = type.kind == Kind::kList;
  return (is_list ? "[" : "{") + list.text + (is_list ? "]" : "}");
}

Result<std::string> tuple_literal(const Type& type, std::string_view bytes) {
  const bool named = type.kind == Kind::kUserType;
  LiteralList list;
  TupleReader reader(bytes);
  Part part;
  for (std::size_t i = 0; i < type.parameters.size() && reader.next(part); ++i)
    TRY(list.add(*type.parameters[i], part,
                 named ? quoted_if_needed(type.field_names[i]) + ": " : ""));
  return (named ? "{" : "(") + list.text + (named ? "}" : ")");
}

Result<std::string> vector_literal(const Type& type, std::string_view bytes) {
  LiteralList list;
  VectorReader reader(type, bytes);
  std::string_view element;
  while (reader.next(element)) TRY(list.add(type.element(), element));
  return "[" + list.text + "]";
}

}  // namespace

std::string_view literal_name(Literal literal) {
  constexpr std::string_view kNames[] = {"STRING",  "INTEGER", "FLOAT",   "UUID",
                                         "BOOLEAN", "HEX",     "DURATION"};
  return kNames[static_cast<std::size_t>(literal)];
}

bool literal_fits(Literal literal, Kind kind) {
  switch (literal) {
    case Literal::kString:
      return is_quoted(kind);
    case Literal::kInteger:
      switch (kind) {
        case Kind::kBigint:
        case Kind::kCounter:
        case Kind::kDate:
        case Kind::kDecimal:
        case Kind::kDouble:
        case Kind::kDuration:
        case Kind::kFloat:
        case Kind::kInt:
        case Kind::kSmallint:
        case Kind::kTime:
        case Kind::kTimestamp:
        case Kind::kTinyint:
        case Kind::kVarint:
          return true;
        default:
          return false;
      }
    case Literal::kFloat:
      return kind == Kind::kDecimal || kind == Kind::kDouble || kind == Kind::kFloat;
    case Literal::kUuid:
      return kind == Kind::kUuid || kind == Kind::kTimeuuid;
    case Literal::kBoolean:
      return kind == Kind::kBoolean;
    case Literal::kHex:
      return kind == Kind::kBlob;
    case Literal::kDuration:
      return kind == Kind::kDuration;
  }
  return false;
}

Result<std::string> literal_bytes(Literal literal, std::string_view text, const Type& type,
                                  std::int64_t now_ms) {
  if (literal == Literal::kHex && text.size() >= 2) text.remove_prefix(2);
  return from_text(type, text, now_ms);
}

Result<std::string> from_text(const Type& type, std::string_view text, std::int64_t now_ms) {
  if (text.empty() && empty_text_is_empty(type.kind)) return std::string();
  switch (type.kind) {
    case Kind::kAscii:
      for (const char c : text)
        if (c < 0)
          return invalid(
              "Invalid ASCII character in string literal: "
              "java.nio.charset.UnmappableCharacterException: Input length = 1");
      return std::string(text);
    case Kind::kText:
      return std::string(text);
    case Kind::kTinyint:
      return integer<std::int8_t>(text, "byte");
    case Kind::kSmallint:
      return integer<std::int16_t>(text, "short");
    case Kind::kInt:
      return integer<std::int32_t>(text, "int");
    case Kind::kBigint:
    case Kind::kCounter:
      return integer<std::int64_t>(text, "long");
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kVarint:
    case Kind::kDecimal:
      return from_number(type.kind, text);
    case Kind::kBoolean:
      return from_boolean(text);
    case Kind::kUuid:
    case Kind::kTimeuuid:
      return from_uuid(type.kind, text);
    case Kind::kInet:
      if (auto bytes = parse_inet(text)) return *bytes;
      return invalid(fmt::format("Unable to make inet address from '{}'", text));
    case Kind::kTimestamp:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kDuration:
      return from_time(type.kind, text, now_ms);
    default:
      return from_hex(text);
  }
}

Result<std::string> to_text(const Type& type, std::string_view bytes) {
  TRY(validate(type, bytes));
  if (type.kind == Kind::kBlob || !is_native(type.kind)) return "0x" + to_hex(bytes);
  if (bytes.empty()) return std::string();
  const char* at = bytes.data();
  switch (type.kind) {
    case Kind::kTinyint:
      return std::to_string(load_be<std::int8_t>(at));
    case Kind::kSmallint:
      return std::to_string(load_be<std::int16_t>(at));
    case Kind::kInt:
      return std::to_string(load_be<std::int32_t>(at));
    case Kind::kBigint:
    case Kind::kCounter:
      return std::to_string(load_be<std::int64_t>(at));
    case Kind::kFloat:
      return float_text(std::bit_cast<float>(load_be<std::uint32_t>(at)));
    case Kind::kDouble:
      return double_text(std::bit_cast<double>(load_be<std::uint64_t>(at)));
    case Kind::kVarint:
      if (const auto value = varint_digits(bytes)) return integer_text(*value);
      return invalid(too_long("varint"));
    case Kind::kDecimal:
      if (const auto value = decimal_digits(bytes)) return decimal_text(*value);
      return invalid(too_long("decimal"));
    case Kind::kBoolean:
      return std::string(bytes[0] != 0 ? "true" : "false");
    case Kind::kUuid:
    case Kind::kTimeuuid:
      return uuid_text(bytes);
    case Kind::kInet:
      return inet_text(bytes);
    case Kind::kTimestamp:
      return timestamp_text(load_be<std::int64_t>(at), 'T');
    case Kind::kDate:
      return date_text(load_be<std::uint32_t>(at));
    case Kind::kTime:
      return time_text(load_be<std::int64_t>(at));
    case Kind::kDuration:
      return duration_text(*read_duration(bytes));
    default:
      return std::string(bytes);
  }
}

Result<std::string> to_literal(const Type& type, Part value) {
  if (!value) return std::string("null");
  TRY(validate(type, *value));
  switch (type.kind) {
    case Kind::kList:
    case Kind::kSet:
    case Kind::kMap:
      return collection_literal(type, *value);
    case Kind::kTuple:
    case Kind::kUserType:
      return tuple_literal(type, *value);
    case Kind::kVector:
      return vector_literal(type, *value);
    default:
      break;
  }
  const bool text_or_bytes = type.kind == Kind::kAscii || type.kind == Kind::kText ||
                             type.kind == Kind::kBlob || type.kind == Kind::kCustom;
  if (value->empty() && !text_or_bytes) return std::string("null");
  ASSIGN(const auto text, to_text(type, *value));
  return is_quoted(type.kind) ? quoted(text) : text;
}

}  // namespace tailrace::cql_types
