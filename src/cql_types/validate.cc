#include "cql_types/validate.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "cql_types/parts.h"

namespace tailrace::cql_types {
namespace {

std::unexpected<Error> invalid(std::string what) {
  return error(Code::kInvalidArgument, std::move(what));
}

Status exactly(std::string_view bytes, std::size_t length, std::string_view what) {
  if (bytes.size() == length) return {};
  return invalid(fmt::format("{} ({})", what, bytes.size()));
}

Status empty_or(std::string_view bytes, std::size_t length, std::string_view what) {
  return bytes.empty() ? Status{} : exactly(bytes, length, what);
}

std::string hex_of(std::string_view bytes) {
  return encode_hex(bytes.substr(0, 256));
}

Status validate_ascii(std::string_view bytes) {
  for (const char c : bytes)
    if (c < 0) return invalid(fmt::format("Invalid byte for ascii: {}", int{c}));
  return {};
}

Status validate_timeuuid(std::string_view bytes) {
  TRY(empty_or(bytes, 16, "UUID should be 16 or 0 bytes"));
  if (!bytes.empty() && (bytes[6] & 0xF0) != 0x10)
    return invalid(fmt::format("Invalid version for TimeUUID type: 0x{:x}", bytes[0] >> 4 & 0xF));
  return {};
}

Status validate_duration(std::string_view bytes) {
  if (bytes.size() < 3)
    return invalid(fmt::format("Expected at least 3 bytes for a duration ({})", bytes.size()));
  std::int64_t months = 0, days = 0, nanoseconds = 0;
  if (!take_vint(bytes, months) || !take_vint(bytes, days) || !take_vint(bytes, nanoseconds))
    return invalid("Not enough bytes to read a duration");
  if (months != static_cast<std::int32_t>(months))
    return invalid(
        fmt::format("The duration months must be a 32 bits integer but was: {}", months));
  if (days != static_cast<std::int32_t>(days))
    return invalid(fmt::format("The duration days must be a 32 bits integer but was: {}", days));
  if ((months >= 0 && days >= 0 && nanoseconds >= 0) ||
      (months <= 0 && days <= 0 && nanoseconds <= 0))
    return {};
  return invalid(fmt::format(
      "The duration months, days and nanoseconds must be all of the same sign ({}, {}, {})", months,
      days, nanoseconds));
}

Status validate_collection(const Type& type, std::string_view bytes) {
  const bool is_map = type.kind == Kind::kMap;
  const std::string_view what = is_map ? "map" : type.kind == Kind::kList ? "list" : "set";
  CollectionReader reader(bytes, is_map ? 2 : 1);
  Part part;
  for (bool is_key = true; reader.next(part); is_key = !is_key) {
    if (!part) return invalid("Null value read when not allowed");
    TRY(validate(is_map && !is_key ? type.value() : type.element(), *part));
  }
  if (reader.failed()) return invalid(fmt::format("Not enough bytes to read a {}", what));
  if (!reader.rest().empty())
    return invalid(fmt::format("Unexpected extraneous bytes after {} value", what));
  return {};
}

Status validate_tuple(const Type& type, std::string_view bytes) {
  const bool is_user_type = type.kind == Kind::kUserType;
  TupleReader reader(bytes);
  Part part;
  std::size_t i = 0;
  for (; i < type.parameters.size() && reader.next(part); ++i) {
    if (!part) continue;
    auto valid = validate(*type.parameters[i], *part);
    if (!valid && is_user_type)
      return invalid(fmt::format("Failure validating the {}th field {}; {}", i, type.field_names[i],
                                 valid.error().what));
    TRY(valid);
  }
  if (reader.failed()) {
    const bool no_size = reader.rest().size() < 4;
    if (!is_user_type)
      return invalid(
          fmt::format("Not enough bytes to read {}{}th component", no_size ? "size of " : "", i));
    return invalid(fmt::format("Not enough bytes to read {}{}th field {}",
                               no_size ? "size of " : "", i, type.field_names[i]));
  }
  if (!reader.rest().empty())
    return invalid(is_user_type ? "Invalid remaining data after end of UDT value"
                                : "Invalid remaining data after end of tuple value");
  return {};
}

Status validate_vector(const Type& type, std::string_view bytes) {
  if (bytes.empty()) return invalid("Invalid empty vector value");
  const auto length = fixed_length(type);
  if (bytes.size() < length) return invalid("Not enough bytes to read a " + to_cql(type));
  VectorReader reader(type, bytes);
  std::string_view element;
  for (int i = 0; i < type.dimension && reader.next(element); ++i)
    TRY(validate(type.element(), element));
  if (reader.failed()) return invalid("Not enough bytes to read a " + to_cql(type));
  if (!reader.rest().empty())
    return invalid(fmt::format("Unexpected {} extraneous bytes after {} value",
                               reader.rest().size(), to_cql(type)));
  return {};
}

}  // namespace

Status validate(const Type& type, std::string_view bytes) {
  switch (type.kind) {
    case Kind::kAscii:
      return validate_ascii(bytes);
    case Kind::kText:
      if (!is_cassandra_utf8(bytes)) return invalid("String didn't validate.");
      return {};
    case Kind::kBigint:
    case Kind::kCounter:
      return empty_or(bytes, 8, "Expected 8 or 0 byte long");
    case Kind::kTimestamp:
      return empty_or(bytes, 8, "Expected 8 or 0 byte long for date");
    case Kind::kDouble:
      return empty_or(bytes, 8, "Expected 8 or 0 byte value for a double");
    case Kind::kFloat:
      return empty_or(bytes, 4, "Expected 4 or 0 byte value for a float");
    case Kind::kInt:
      return empty_or(bytes, 4, "Expected 4 or 0 byte int");
    case Kind::kBoolean:
      return empty_or(bytes, 1, "Expected 1 or 0 byte value");
    case Kind::kUuid:
      return empty_or(bytes, 16, "UUID should be 16 or 0 bytes");
    case Kind::kTimeuuid:
      return validate_timeuuid(bytes);
    case Kind::kDate:
      return exactly(bytes, 4, "Expected 4 byte long for date");
    case Kind::kTime:
      return exactly(bytes, 8, "Expected 8 byte long for time");
    case Kind::kSmallint:
      return exactly(bytes, 2, "Expected 2 bytes for a smallint");
    case Kind::kTinyint:
      return exactly(bytes, 1, "Expected 1 byte for a tinyint");
    case Kind::kDecimal:
      if (!bytes.empty() && bytes.size() < 4)
        return invalid(fmt::format("Expected 0 or at least 4 bytes ({})", bytes.size()));
      return {};
    case Kind::kInet:
      if (bytes.empty() || bytes.size() == 4 || bytes.size() == 16) return {};
      return invalid("Expected 4 or 16 byte inetaddress; got " + hex_of(bytes));
    case Kind::kDuration:
      return validate_duration(bytes);
    case Kind::kBlob:
    case Kind::kVarint:
    case Kind::kCustom:
      return {};
    case Kind::kList:
    case Kind::kSet:
    case Kind::kMap:
      return validate_collection(type, bytes);
    case Kind::kTuple:
    case Kind::kUserType:
      return validate_tuple(type, bytes);
    case Kind::kVector:
      return validate_vector(type, bytes);
  }
  return {};
}

// Cassandra's automaton: C0 80 is a zero, surrogates pass, and the second byte after E0 and F0 is
// tested by fewer bits than it has.
bool is_cassandra_utf8(std::string_view text) {
  const auto continues = [&](std::size_t at) {
    return at < text.size() && (text[at] & 0xC0) == 0x80;
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto b = static_cast<std::uint8_t>(text[i]);
    if (b < 0x80) {
      ++i;
    } else if (b >> 5 == 0b110) {
      if (b == 0xC0 ? i + 1 >= text.size() || text[i + 1] != '\x80'
                    : (b & 0x1E) == 0 || !continues(i + 1))
        return false;
      i += 2;
    } else if (b >> 4 == 0b1110) {
      if (i + 1 >= text.size() || !continues(i + 2)) return false;
      if (b == 0xE0 ? (text[i + 1] & 0xE0) == 0x80 : !continues(i + 1)) return false;
      i += 3;
    } else if (b >> 3 == 0b11110) {
      if (i + 1 >= text.size() || !continues(i + 2) || !continues(i + 3)) return false;
      if (b == 0xF0 ? (text[i + 1] & 0x30) == 0 : !continues(i + 1)) return false;
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace tailrace::cql_types
