#include "cql_types/sort_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "cql_types/floating_bits.h"
#include "cql_types/number.h"
#include "cql_types/uuid.h"
#include "cql_types/validate.h"

namespace tailrace::cql_types {
namespace {

constexpr char kEnd = 0, kNull = 1, kEmpty = 2, kValue = 3;
constexpr int kShortVarint = 100;
constexpr std::int64_t kExponentOffset = std::int64_t{1} << 39;

void invert(std::string& bytes, std::size_t from) {
  for (auto i = from; i < bytes.size(); ++i) bytes[i] = static_cast<char>(~bytes[i]);
}

bool is_signed_integer(Kind kind) {
  return kind == Kind::kTinyint || kind == Kind::kSmallint || kind == Kind::kInt ||
         kind == Kind::kBigint || kind == Kind::kCounter || kind == Kind::kTimestamp;
}

std::size_t body_length(Kind kind) {
  switch (kind) {
    case Kind::kBoolean:
    case Kind::kTinyint:
      return 1;
    case Kind::kSmallint:
      return 2;
    case Kind::kInt:
    case Kind::kDate:
    case Kind::kFloat:
      return 4;
    case Kind::kBigint:
    case Kind::kCounter:
    case Kind::kTimestamp:
    case Kind::kTime:
    case Kind::kDouble:
      return 8;
    case Kind::kUuid:
    case Kind::kTimeuuid:
      return 16;
    default:
      return 0;
  }
}

void append_fixed(std::string& out, Kind kind, std::string_view bytes) {
  if (kind == Kind::kBoolean) {
    out += bytes[0] != 0 ? '\1' : '\0';
  } else if (kind == Kind::kFloat) {
    append_be(out, ordered_bits(load_be<std::uint32_t>(bytes.data())));
  } else if (kind == Kind::kDouble) {
    append_be(out, ordered_bits(load_be<std::uint64_t>(bytes.data())));
  } else if (kind == Kind::kUuid || kind == Kind::kTimeuuid) {
    const auto [high, low] = kind == Kind::kUuid ? uuid_order(bytes) : timeuuid_order(bytes);
    append_be(out, high);
    append_be(out, low);
  } else {
    const auto at = out.size();
    out += bytes;
    if (is_signed_integer(kind)) out[at] = static_cast<char>(out[at] ^ 0x80);
  }
}

std::string fixed_value(Kind kind, std::string_view body) {
  std::string bytes;
  if (kind == Kind::kFloat) {
    append_be(bytes, unordered_bits(load_be<std::uint32_t>(body.data())));
  } else if (kind == Kind::kDouble) {
    append_be(bytes, unordered_bits(load_be<std::uint64_t>(body.data())));
  } else if (kind == Kind::kUuid || kind == Kind::kTimeuuid) {
    const auto high = load_be<std::uint64_t>(body.data());
    const auto low = load_be<std::uint64_t>(body.data() + 8);
    return kind == Kind::kUuid ? from_uuid_order(high, low) : from_timeuuid_order(high, low);
  } else {
    bytes = body;
    if (is_signed_integer(kind)) bytes[0] = static_cast<char>(bytes[0] ^ 0x80);
  }
  return bytes;
}

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    out += c;
    if (c == 0) out += '\xFF';
  }
  out.append(2, '\0');
}

void append_varint_key(std::string& out, std::string_view bytes) {
  while (bytes.size() > 1 && (bytes[0] == 0 || bytes[0] == '\xFF') &&
         (bytes[0] < 0) == (bytes[1] < 0))
    bytes.remove_prefix(1);
  const bool negative = bytes[0] < 0;
  const auto length = static_cast<std::uint32_t>(bytes.size());
  if (length <= kShortVarint) {
    out += static_cast<char>(negative ? 0x80 - length : 0x80 + length);
  } else {
    out += negative ? '\0' : '\xFF';
    append_be(out, negative ? ~length : length);
  }
  out += bytes;
}

Status append_decimal_key(std::string& out, std::string_view bytes) {
  const auto value = decimal_digits(bytes);
  if (!value)
    return error(Code::kInvalidArgument,
                 fmt::format("a decimal of more than {} digits as a key", kMaxDigits));
  if (value->is_zero()) {
    out += '\x80';
    return {};
  }
  out += value->negative ? '\x7F' : '\x81';
  const auto from = out.size();
  const auto exponent = static_cast<std::uint64_t>(value->exponent() + kExponentOffset);
  for (int shift = 32; shift >= 0; shift -= 8) out += static_cast<char>(exponent >> shift);
  std::string digits = value->digits.substr(0, value->digits.find_last_not_of('0') + 1);
  if (digits.size() % 2 != 0) digits += '0';
  for (std::size_t i = 0; i < digits.size(); i += 2)
    out += static_cast<char>((digits[i] - '0') * 10 + (digits[i + 1] - '0') + 1);
  out += kEnd;
  if (value->negative) invert(out, from);
  return {};
}

Status append_ascending(std::string& out, const Type& type, Part value);

Status append_parts(std::string& out, const Type& type, std::string_view bytes) {
  const bool is_map = type.kind == Kind::kMap;
  CollectionReader reader(bytes, is_map ? 2 : 1);
  Part part;
  for (bool is_key = true; reader.next(part); is_key = !is_key)
    TRY(append_ascending(out, is_map && !is_key ? type.value() : type.element(), part));
  out += kEnd;
  return {};
}

Status append_fields(std::string& out, const Type& type, std::string_view bytes) {
  TupleReader reader(bytes);
  Part part;
  auto last = out.size();  // where the last field that is not null ends
  for (const auto& field : type.parameters) {
    if (!reader.next(part)) break;
    TRY(append_ascending(out, *field, part));
    if (part) last = out.size();
  }
  out.resize(last);
  out += kEnd;
  return {};
}

Status append_body(std::string& out, const Type& type, std::string_view bytes) {
  if (body_length(type.kind) != 0) {
    append_fixed(out, type.kind, bytes);
    return {};
  }
  switch (type.kind) {
    case Kind::kVarint:
      append_varint_key(out, bytes);
      return {};
    case Kind::kDecimal:
      return append_decimal_key(out, bytes);
    case Kind::kList:
    case Kind::kSet:
    case Kind::kMap:
      return append_parts(out, type, bytes);
    case Kind::kTuple:
    case Kind::kUserType:
      return append_fields(out, type, bytes);
    case Kind::kVector: {
      VectorReader reader(type, bytes);
      std::string_view element;
      while (reader.next(element)) TRY(append_ascending(out, type.element(), element));
      return {};
    }
    default:
      append_escaped(out, bytes);
      return {};
  }
}

Status append_ascending(std::string& out, const Type& type, Part value) {
  out += !value ? kNull : value->empty() ? kEmpty : kValue;
  return value && !value->empty() ? append_body(out, type, *value) : Status{};
}

// Reads one key, of bytes that may all be inverted.
class KeyReader {
 public:
  KeyReader(std::string_view key, bool reversed) : key_(key), mask_(reversed ? '\xFF' : '\0') {}

  std::string_view rest() const { return key_.substr(at_); }

  Result<std::optional<std::string>> key(const Type& type, int depth) {
    ASSIGN(const char mark, byte());
    if (mark == kNull) return std::nullopt;
    if (mark == kEmpty) return std::string();
    if (mark != kValue || depth > kMaxTypeDepth) return damaged();
    ASSIGN(auto bytes, body(type, depth));
    return std::optional(std::move(bytes));
  }

 private:
  static std::unexpected<Error> damaged() {
    return error(Code::kDataLoss, "a sort key is damaged: it is cut off or of another type");
  }

  Result<char> byte(char mask = 0) {
    if (at_ == key_.size()) return damaged();
    return static_cast<char>(key_[at_++] ^ mask_ ^ mask);
  }

  Result<std::string> take(std::size_t length) {
    if (key_.size() - at_ < length) return damaged();
    std::string bytes(key_.substr(at_, length));
    at_ += length;
    if (mask_ != 0) invert(bytes, 0);
    return bytes;
  }

  Result<std::string> body(const Type& type, int depth) {
    if (const auto length = body_length(type.kind); length != 0) {
      ASSIGN(const auto bytes, take(length));
      return fixed_value(type.kind, bytes);
    }
    switch (type.kind) {
      case Kind::kVarint:
        return varint();
      case Kind::kDecimal:
        return decimal();
      case Kind::kList:
      case Kind::kSet:
      case Kind::kMap:
        return collection(type, depth);
      case Kind::kTuple:
      case Kind::kUserType:
        return fields(type, depth);
      case Kind::kVector:
        return vector(type, depth);
      default:
        return escaped();
    }
  }

  Result<std::string> escaped() {
    std::string bytes;
    while (true) {
      ASSIGN(const char c, byte());
      if (c == 0) {
        ASSIGN(const char mark, byte());
        if (mark == 0) return bytes;
        if (mark != '\xFF') return damaged();
      }
      bytes += c;
    }
  }

  Result<std::string> varint() {
    ASSIGN(const char head, byte());
    const auto mark = static_cast<std::uint8_t>(head);
    if (mark != 0 && mark != 0xFF) return take(mark > 0x80 ? mark - 0x80u : 0x80u - mark);
    ASSIGN(const auto raw, take(4));
    const auto length = load_be<std::uint32_t>(raw.data());
    return take(mark == 0 ? ~length : length);
  }

  Result<std::string> decimal() {
    ASSIGN(const char sign, byte());
    Decimal value;
    if (sign == '\x80') return decimal_bytes(value);
    value.negative = sign == '\x7F';
    const char mask = value.negative ? '\xFF' : '\0';
    std::uint64_t raw = 0;
    for (int i = 0; i < 5; ++i) {
      ASSIGN(const char c, byte(mask));
      raw = raw << 8 | static_cast<std::uint8_t>(c);
    }
    value.digits.clear();
    while (true) {
      ASSIGN(const char c, byte(mask));
      if (c == kEnd) break;
      if (c < 1 || c > 100) return damaged();
      value.digits += static_cast<char>('0' + (c - 1) / 10);
      value.digits += static_cast<char>('0' + (c - 1) % 10);
    }
    if (value.digits.empty() || value.digits[0] == '0') return damaged();
    if (value.digits.back() == '0') value.digits.pop_back();
    const auto exponent = static_cast<std::int64_t>(raw) - kExponentOffset;
    value.scale = static_cast<std::int64_t>(value.digits.size()) - 1 - exponent;
    constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (value.scale > kMost || value.scale < kLeast - static_cast<std::int64_t>(kMaxDigits))
      return damaged();
    for (; value.scale < kLeast; ++value.scale) value.digits += '0';
    return decimal_bytes(value);
  }

  bool at_end_mark() const {
    return at_ < key_.size() && static_cast<char>(key_[at_] ^ mask_) == kEnd;
  }

  Result<std::string> collection(const Type& type, int depth) {
    const bool is_map = type.kind == Kind::kMap;
    std::string parts;
    std::int32_t count = 0;
    for (; !at_end_mark(); ++count) {
      ASSIGN(const auto first, key(type.element(), depth + 1));
      append_part(parts, first);
      if (!is_map) continue;
      ASSIGN(const auto second, key(type.value(), depth + 1));
      append_part(parts, second);
    }
    ++at_;
    std::string bytes;
    append_count(bytes, count);
    return bytes + parts;
  }

  Result<std::string> fields(const Type& type, int depth) {
    std::string bytes;
    for (std::size_t i = 0; !at_end_mark(); ++i) {
      if (i == type.parameters.size()) return damaged();
      ASSIGN(const auto part, key(*type.parameters[i], depth + 1));
      append_part(bytes, part);
    }
    ++at_;
    // A tuple of nulls alone is not an empty value.
    if (bytes.empty()) append_part(bytes, std::nullopt);
    return bytes;
  }

  Result<std::string> vector(const Type& type, int depth) {
    std::string bytes;
    for (int i = 0; i < type.dimension; ++i) {
      ASSIGN(const auto part, key(type.element(), depth + 1));
      if (!part) return damaged();
      append_element(bytes, type.element(), *part);
    }
    return bytes;
  }

  std::string_view key_;
  char mask_;
  std::size_t at_ = 0;
};

}  // namespace

Status append_sort_key(std::string& out, const Type& type, Part value, bool reversed) {
  if (value && value->size() > kMaxSortedValue)
    return error(Code::kInvalidArgument, fmt::format("a key value of {} bytes, at most {}",
                                                     value->size(), kMaxSortedValue));
  if (value) TRY(validate(type, *value));
  const auto from = out.size();
  auto status = append_ascending(out, type, value);
  if (!status) out.resize(from);
  if (reversed) invert(out, from);
  return status;
}

Result<std::optional<std::string>> take_sort_key(std::string_view& key, const Type& type,
                                                 bool reversed) {
  KeyReader reader(key, reversed);
  ASSIGN(auto value, reader.key(type, 0));
  key = reader.rest();
  return value;
}

bool keeps_bytes(const Type& type) {
  switch (type.kind) {
    case Kind::kBoolean:
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kVarint:
    case Kind::kDecimal:
    case Kind::kTuple:
    case Kind::kUserType:
      return false;
    default:
      return std::all_of(type.parameters.begin(), type.parameters.end(),
                         [](const TypePtr& part) { return keeps_bytes(*part); });
  }
}

}  // namespace tailrace::cql_types
