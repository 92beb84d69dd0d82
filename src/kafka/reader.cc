// The Reader of wire.h.
#include <bit>

#include "base/bytes.h"
#include "kafka/wire.h"

namespace tailrace::kafka {
namespace {

// Kafka refuses longer strings in every version.
constexpr std::int64_t kMaxStringBytes = 0x7fff;

}  // namespace

Status Reader::begin(std::string_view message, Version version, Version lowest, Version highest) {
  message_ = message;
  version_ = version;
  if (version < lowest || version > highest) {
    fail(Code::kUnimplemented, "version", at_,
         "only versions " + std::to_string(lowest.value) + " to " + std::to_string(highest.value) +
             " are known");
  }
  if (failed()) return std::unexpected(*failure_);
  return {};
}

void Reader::fail(Code code, const char* field, std::size_t at, std::string what) {
  if (!failed()) {
    failure_ = Error{code, std::string(message_) + " v" + std::to_string(version_.value) + ", " +
                               field + " at byte " + std::to_string(at) + ": " + what};
  }
  at_ = frame_.size();
}

// The next bytes, or nullptr after noting that they are not there.
const char* Reader::take(std::size_t bytes, const char* field) {
  if (bytes > remaining_bytes()) [[unlikely]] {
    fail(Code::kInvalidArgument, field, at_,
         "takes " + std::to_string(bytes) + " bytes, " + std::to_string(remaining_bytes()) +
             " are left");
    return nullptr;
  }
  const char* from = frame_.data() + at_;
  at_ += bytes;
  return from;
}

template <typename T>
T Reader::integer(const char* field) {
  const char* from = take(sizeof(T), field);
  return from == nullptr ? T{} : load_be<T>(from);
}

bool Reader::boolean(const char* field) {
  return int8(field) != 0;
}
std::int8_t Reader::int8(const char* field) {
  return integer<std::int8_t>(field);
}
std::int16_t Reader::int16(const char* field) {
  return integer<std::int16_t>(field);
}
std::uint16_t Reader::uint16(const char* field) {
  return integer<std::uint16_t>(field);
}
std::int32_t Reader::int32(const char* field) {
  return integer<std::int32_t>(field);
}
std::uint32_t Reader::uint32(const char* field) {
  return integer<std::uint32_t>(field);
}
std::int64_t Reader::int64(const char* field) {
  return integer<std::int64_t>(field);
}

double Reader::float64(const char* field) {
  return std::bit_cast<double>(integer<std::uint64_t>(field));
}

Uuid Reader::uuid(const char* field) {
  Uuid id{};
  if (const char* from = take(id.size(), field)) std::memcpy(id.data(), from, id.size());
  return id;
}

// 7 bits a byte, least significant first, at most 5 bytes.
std::uint32_t Reader::uvarint(const char* field) {
  const std::size_t start = at_;
  std::uint64_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const char* from = take(1, field);
    if (from == nullptr) return 0;
    const auto byte = static_cast<std::uint8_t>(*from);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (value > UINT32_MAX) break;
      return static_cast<std::uint32_t>(value);
    }
  }
  fail(Code::kInvalidArgument, field, start, "a varint of more than 32 bits");
  return 0;
}

// -1 is null.
std::int64_t Reader::length(bool compact, bool is_string, const char* field) {
  if (compact) return static_cast<std::int64_t>(uvarint(field)) - 1;
  return is_string ? int16(field) : int32(field);
}

// What string, bytes and records share. Nothing when null or failed.
std::optional<std::string_view> Reader::text(bool compact, bool nullable, bool is_string,
                                             const char* field) {
  const std::size_t start = at_;
  const std::int64_t size = length(compact, is_string, field);
  if (failed()) return {};
  if (size == -1 && nullable) return {};
  if (size < 0) {
    fail(Code::kInvalidArgument, field, start, size == -1 ? "must not be null" : "negative length");
    return {};
  }
  if (is_string && size > kMaxStringBytes) {
    fail(Code::kInvalidArgument, field, start,
         "a string of " + std::to_string(size) + " bytes, at most 32767");
    return {};
  }
  const char* from = take(static_cast<std::size_t>(size), field);
  if (from == nullptr) return {};
  return std::string_view(from, static_cast<std::size_t>(size));
}

std::string Reader::string(bool compact, const char* field) {
  return std::string(text(compact, false, true, field).value_or(""));
}

std::optional<std::string> Reader::string_or_null(bool compact, bool nullable, const char* field) {
  const auto found = text(compact, nullable, true, field);
  if (!found) return {};
  return std::string(*found);
}

std::string_view Reader::bytes(bool compact, const char* field) {
  return text(compact, false, false, field).value_or("");
}

std::optional<std::string_view> Reader::bytes_or_null(bool compact, bool nullable,
                                                      const char* field) {
  return text(compact, nullable, false, field);
}

Records Reader::records(bool compact, const char* field) {
  return Records{.first = bytes(compact, field)};
}

std::optional<Records> Reader::records_or_null(bool compact, bool nullable, const char* field) {
  const auto found = text(compact, nullable, false, field);
  if (!found) return {};
  return Records{.first = *found};
}

std::int32_t Reader::array(bool compact, bool nullable, std::size_t least_bytes,
                           std::size_t element_bytes, const char* field) {
  const std::size_t start = at_;
  const std::int64_t count = length(compact, false, field);
  if (failed()) return 0;
  if (count == -1 && nullable) return -1;
  if (count < 0) {
    fail(Code::kInvalidArgument, field, start, count == -1 ? "must not be null" : "negative count");
    return 0;
  }
  const auto elements = static_cast<std::size_t>(count);
  if (elements > remaining_bytes() / least_bytes) {
    fail(Code::kInvalidArgument, field, start,
         std::to_string(elements) + " elements of at least " + std::to_string(least_bytes) +
             " bytes, " + std::to_string(remaining_bytes()) + " bytes are left");
    return 0;
  }
  if (elements > array_bytes_left_ / element_bytes) {
    fail(Code::kResourceExhausted, field, start,
         std::to_string(elements) + " elements of " + std::to_string(element_bytes) +
             " bytes in memory, " + std::to_string(array_bytes_left_) +
             " bytes are allowed to the rest of this frame");
    return 0;
  }
  array_bytes_left_ -= elements * element_bytes;
  return static_cast<std::int32_t>(count);
}

bool Reader::present(bool tagged, const char* field) {
  const bool is_null = tagged ? uvarint(field) == 0 : int8(field) < 0;
  return !is_null && !failed();
}

std::uint32_t Reader::tag_count(const char* structure) {
  const std::size_t start = at_;
  const std::uint32_t count = uvarint(structure);
  if (count > remaining_bytes() / 2) {
    fail(Code::kInvalidArgument, structure, start,
         std::to_string(count) + " tagged fields, " + std::to_string(remaining_bytes()) +
             " bytes are left");
    return 0;
  }
  return count;
}

Reader::Tag Reader::open_tag(const char* structure) {
  const std::size_t start = at_;
  Tag tag{.number = uvarint(structure), .end = 0};
  const std::size_t size = uvarint(structure);
  if (size > remaining_bytes()) {
    fail(Code::kInvalidArgument, structure, start,
         "tagged field " + std::to_string(tag.number) + " takes " + std::to_string(size) +
             " bytes, " + std::to_string(remaining_bytes()) + " are left");
  }
  tag.end = failed() ? at_ : at_ + size;
  return tag;
}

void Reader::skip_tag(const Tag& tag) {
  if (failed()) return;
  at_ = tag.end;
  ++unknown_tagged_fields_;
}

void Reader::close_tag(const Tag& tag, const char* structure) {
  if (failed() || at_ == tag.end) return;
  fail(Code::kInvalidArgument, structure, at_,
       "tagged field " + std::to_string(tag.number) + " should end at byte " +
           std::to_string(tag.end));
}

void Reader::skip_tags(const char* structure) {
  const std::uint32_t count = tag_count(structure);
  for (std::uint32_t i = 0; i < count && !failed(); ++i) skip_tag(open_tag(structure));
}

Status Reader::finish() {
  if (remaining_bytes() > 0) {
    fail(Code::kInvalidArgument, "end", at_, std::to_string(remaining_bytes()) + " bytes too many");
  }
  if (failed()) return std::unexpected(*failure_);
  return {};
}

}  // namespace tailrace::kafka
