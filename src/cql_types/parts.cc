#include "cql_types/parts.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"

namespace tailrace::cql_types {
namespace {

// False, and nothing taken, where the bytes are too few.
bool take_part(std::string_view& bytes, Part& part) {
  if (bytes.size() < 4) return false;
  const auto length = load_be<std::int32_t>(bytes.data());
  if (length < 0) {
    part.reset();
    bytes.remove_prefix(4);
    return true;
  }
  if (bytes.size() - 4 < static_cast<std::size_t>(length)) return false;
  part = bytes.substr(4, static_cast<std::size_t>(length));
  bytes.remove_prefix(4 + static_cast<std::size_t>(length));
  return true;
}

}  // namespace

CollectionReader::CollectionReader(std::string_view bytes, int values_each) : rest_(bytes) {
  if (bytes.size() < 4) {
    failed_ = true;
    return;
  }
  size_ = std::max(0, load_be<std::int32_t>(bytes.data()));
  left_ = std::int64_t{size_} * values_each;
  rest_.remove_prefix(4);
}

bool CollectionReader::next(Part& part) {
  if (failed_ || left_ == 0) return false;
  --left_;
  failed_ = !take_part(rest_, part);
  return !failed_;
}

bool TupleReader::next(Part& part) {
  if (failed_ || rest_.empty()) return false;
  failed_ = !take_part(rest_, part);
  return !failed_;
}

bool VectorReader::next(std::string_view& element) {
  if (failed_ || left_ == 0) return false;
  --left_;
  std::uint64_t length = length_;
  if (length_ == 0 && !take_unsigned_vint(rest_, length)) length = rest_.size() + 1;
  failed_ = length > rest_.size();
  if (failed_) return false;
  element = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

void append_count(std::string& out, std::int32_t count) {
  append_be(out, count);
}

void append_part(std::string& out, Part part) {
  append_be(out, part ? static_cast<std::int32_t>(part->size()) : -1);
  if (part) out += *part;
}

void append_element(std::string& out, const Type& element, std::string_view bytes) {
  if (fixed_length(element) == 0) append_unsigned_vint(out, bytes.size());
  out += bytes;
}

void append_unsigned_vint(std::string& out, std::uint64_t value) {
  int extra = 0;
  while (extra < 8 && value >> (7 * (extra + 1)) != 0) ++extra;
  const auto ones = static_cast<unsigned>(0xFF00 >> extra) & 0xFF;
  const std::uint64_t high = extra < 7 ? value >> (8 * extra) : 0;
  out += static_cast<char>(ones | high);
  for (int i = extra - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}

bool take_unsigned_vint(std::string_view& bytes, std::uint64_t& value) {
  if (bytes.empty()) return false;
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  const auto extra = static_cast<std::size_t>(std::countl_one(first));
  if (bytes.size() < 1 + extra) return false;
  value = extra < 7 ? first & (0xFFu >> (extra + 1)) : 0;
  for (std::size_t i = 1; i <= extra; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  bytes.remove_prefix(1 + extra);
  return true;
}

void append_vint(std::string& out, std::int64_t value) {
  append_unsigned_vint(
      out, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

bool take_vint(std::string_view& bytes, std::int64_t& value) {
  std::uint64_t raw = 0;
  if (!take_unsigned_vint(bytes, raw)) return false;
  value = static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
  return true;
}

}  // namespace tailrace::cql_types
