// Bytes of records: the grammar in records.h, piece by piece, both ways.
#pragma once

#include <bit>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "cql_types/parts.h"

namespace tailrace::cql_schema {

class RecordWriter {
 public:
  void byte(std::uint8_t value) { bytes_ += static_cast<char>(value); }
  void count(std::uint64_t value) { cql_types::append_unsigned_vint(bytes_, value); }
  void number(std::int64_t value) { cql_types::append_vint(bytes_, value); }
  void real(double value) { append_be(bytes_, std::bit_cast<std::uint64_t>(value)); }
  void raw(std::string_view value) { bytes_ += value; }
  void text(std::string_view value) {
    count(value.size());
    bytes_ += value;
  }
  void options(const std::map<std::string, std::string>& map) {
    count(map.size());
    for (const auto& [name, value] : map) {
      text(name);
      text(value);
    }
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what a RecordWriter wrote. Beyond the end, or what cannot be there, everything is empty
/// and failed() tells.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte() {
    const auto one = raw(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
  }
  std::uint64_t count() {
    std::uint64_t value = 0;
    if (!cql_types::take_unsigned_vint(rest_, value)) fail();
    return value;
  }
  /// Of things that take at least a byte each.
  std::size_t size() {
    const auto value = count();
    if (value > rest_.size()) fail();
    return failed_ ? 0 : static_cast<std::size_t>(value);
  }
  std::int64_t number() {
    std::int64_t value = 0;
    if (!cql_types::take_vint(rest_, value)) fail();
    return value;
  }
  double real() {
    const auto bytes = raw(8);
    return bytes.empty() ? 0 : std::bit_cast<double>(load_be<std::uint64_t>(bytes.data()));
  }
  std::string_view raw(std::size_t length) {
    if (rest_.size() < length) fail();
    if (failed_) return {};
    const auto bytes = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return bytes;
  }
  std::string text() { return std::string(raw(size())); }
  std::map<std::string, std::string> options() {
    std::map<std::string, std::string> map;
    for (auto left = size(); left > 0; --left) {
      auto name = text();
      map[std::move(name)] = text();
    }
    return map;
  }
  void fail() {
    failed_ = true;
    rest_ = {};
  }
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace tailrace::cql_schema
