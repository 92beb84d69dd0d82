// The notations that messages are made of (§3 of the protocol's versions 3 to 5): integers,
// strings, bytes, lists and maps, big-endian, each with its length before it.
//
//   [string]      := length:u16 UTF-8           [long string] := length:i32 UTF-8
//   [short bytes] := length:u16 bytes           [bytes]       := length:i32 bytes   < 0: null
//   [value]       := length:i32 bytes           -1: null, -2: not set (from version 4)
//   [string list] := n:u16 { [string] }         [string map]  := n:u16 { [string] [string] }
//   [inet]        := n:u8 address port:i32
//
// A Reader stays within its bytes. After a failure everything read is empty, and failure() says
// what Cassandra would; so ask once, at the end, and wherever a number read decides how often to go
// on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "cql_protocol/messages.h"
#include "cql_types/failure.h"

namespace tailrace::cql_protocol {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte() { return number<std::uint8_t>(); }
  std::uint16_t short_number() { return number<std::uint16_t>(); }
  std::int32_t int_number() { return number<std::int32_t>(); }
  std::int64_t long_number() { return number<std::int64_t>(); }
  /// Well-formed UTF-8.
  std::string_view string();
  std::string_view long_string();
  std::string_view short_bytes();
  std::optional<std::string_view> bytes();
  Value value(int version);
  Consistency consistency();
  std::vector<std::string> string_list();
  std::map<std::string, std::string> string_map();
  /// n bytes.
  std::string_view take(std::size_t size);

  std::string_view rest() const { return rest_; }
  bool failed() const { return failure_.has_value(); }
  const cql_types::Failure& failure() const { return *failure_; }
  /// The first failure counts.
  void fail(cql_types::ErrorCode code, std::string what);

 private:
  template <typename T>
  T number() {
    if (rest_.size() < sizeof(T)) [[unlikely]] {
      cut();
      return 0;
    }
    const T value = load_be<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  void cut();
  std::string_view value_bytes(std::int32_t length);
  std::string_view text(std::size_t length, int length_bytes);

  std::string_view rest_;
  std::optional<cql_types::Failure> failure_;
};

/// What does not fit its length's 16 bits is cut, between characters.
void append_string(std::string& out, std::string_view text);
void append_long_string(std::string& out, std::string_view text);
/// At most 65,535 bytes.
void append_short_bytes(std::string& out, std::string_view bytes);
void append_bytes(std::string& out, std::optional<std::string_view> bytes);
/// What is not set goes as null before version 4.
void append_value(std::string& out, const Value& value, int version);
void append_string_list(std::string& out, const std::vector<std::string>& list);

}  // namespace tailrace::cql_protocol
