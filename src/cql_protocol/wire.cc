#include "cql_protocol/wire.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"
#include "base/hex.h"
#include "cql_protocol/utf8.h"

namespace tailrace::cql_protocol {

using cql_types::ErrorCode;

namespace {

constexpr std::size_t kMostShort = 0xFFFF;
constexpr std::uint16_t kNodeLocal = 11;

}  // namespace

void Reader::fail(ErrorCode code, std::string what) {
  if (!failure_) failure_.emplace(code, std::move(what));
  rest_ = {};
}

void Reader::cut() {
  fail(ErrorCode::kServer, "the message ends within a number");
}

std::string_view Reader::take(std::size_t size) {
  if (rest_.size() < size) {
    fail(ErrorCode::kServer, fmt::format("the message ends within a value of {} bytes", size));
    return {};
  }
  const auto taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::string_view Reader::text(std::size_t length, int length_bytes) {
  if (rest_.size() < length) {
    fail(ErrorCode::kProtocol,
         fmt::format("Not enough bytes to read an UTF8 serialized string preceded by its {} bytes "
                     "length",
                     length_bytes));
    return {};
  }
  const auto taken = take(length);
  const auto wrong = malformed_utf8(taken);
  if (!wrong) return taken;
  constexpr std::size_t kShown = 1024;
  fail(ErrorCode::kProtocol,
       fmt::format("Cannot decode string as UTF8: '{}'; "
                   "java.nio.charset.MalformedInputException: Input length = {}",
                   encode_hex(taken.substr(wrong->at, kShown)), wrong->length));
  return {};
}

std::string_view Reader::string() {
  if (rest_.size() < sizeof(std::uint16_t)) return text(kMostShort + 1, 2);
  return text(short_number(), 2);
}

std::string_view Reader::long_string() {
  const bool whole = rest_.size() >= sizeof(std::int32_t);
  const std::int32_t length = whole ? int_number() : -1;
  return text(length < 0 ? SIZE_MAX : static_cast<std::size_t>(length), 4);
}

std::string_view Reader::short_bytes() {
  const bool whole = rest_.size() >= sizeof(std::uint16_t);
  const std::size_t length = whole ? short_number() : SIZE_MAX;
  if (rest_.size() >= length) return take(length);
  fail(ErrorCode::kProtocol,
       "Not enough bytes to read a byte array preceded by its 2 bytes length");
  return {};
}

std::string_view Reader::value_bytes(std::int32_t length) {
  const auto size = static_cast<std::size_t>(length);
  if (size <= rest_.size()) return take(size);
  fail(ErrorCode::kProtocol,
       fmt::format("Cannot read value of length {}, only {} bytes remaining in the message", length,
                   rest_.size()));
  return {};
}

std::optional<std::string_view> Reader::bytes() {
  const std::int32_t length = int_number();
  if (length < 0 || failed()) return std::nullopt;
  return value_bytes(length);
}

Value Reader::value(int version) {
  const std::int32_t length = int_number();
  if (length >= 0) return Value::of(value_bytes(length));
  if (version < 4 || length == -1) return {};
  if (length == -2) return Value::unset();
  fail(ErrorCode::kProtocol, fmt::format("Invalid ByteBuf length {}", length));
  return {};
}

std::string_view consistency_name(Consistency consistency) {
  constexpr std::array<std::string_view, 11> kNames = {
      "ANY",          "ONE",         "TWO",    "THREE",        "QUORUM",   "ALL",
      "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE"};
  return kNames.at(static_cast<std::size_t>(consistency));
}

Consistency Reader::consistency() {
  const std::uint16_t code = short_number();
  if (code == kNodeLocal) {
    fail(ErrorCode::kInvalid,
         "NODE_LOCAL consistency level is highly dangerous and should be used only for debugging "
         "purposes");
  } else if (code > static_cast<std::uint16_t>(Consistency::kLocalOne)) {
    fail(ErrorCode::kProtocol, fmt::format("Unknown code {} for a consistency level", code));
  }
  return failed() ? Consistency::kOne : static_cast<Consistency>(code);
}

std::vector<std::string> Reader::string_list() {
  std::vector<std::string> list;
  for (int left = short_number(); left > 0 && !failed(); --left) list.emplace_back(string());
  return list;
}

std::map<std::string, std::string> Reader::string_map() {
  std::map<std::string, std::string> map;
  for (int left = short_number(); left > 0 && !failed(); --left) {
    std::string key(string());
    map.insert_or_assign(std::move(key), std::string(string()));
  }
  return map;
}

void append_string(std::string& out, std::string_view text) {
  text = whole_characters(text, kMostShort);
  append_be(out, static_cast<std::uint16_t>(text.size()));
  out += text;
}

void append_long_string(std::string& out, std::string_view text) {
  append_be(out, static_cast<std::int32_t>(text.size()));
  out += text;
}

void append_short_bytes(std::string& out, std::string_view bytes) {
  CHECK(bytes.size() <= kMostShort);
  append_be(out, static_cast<std::uint16_t>(bytes.size()));
  out += bytes;
}

void append_bytes(std::string& out, std::optional<std::string_view> bytes) {
  append_be(out, bytes ? static_cast<std::int32_t>(bytes->size()) : std::int32_t{-1});
  if (bytes) out += *bytes;
}

void append_value(std::string& out, const Value& value, int version) {
  if (value.kind == Value::Kind::kBytes) return append_bytes(out, value.bytes);
  append_be(out, std::int32_t{value.is_unset() && version >= 4 ? -2 : -1});
}

void append_string_list(std::string& out, const std::vector<std::string>& list) {
  append_be(out, static_cast<std::uint16_t>(list.size()));
  for (const auto& one : list) append_string(out, one);
}

}  // namespace tailrace::cql_protocol
