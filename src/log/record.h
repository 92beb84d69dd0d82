// A record as it is appended and as it is read: views, nothing owned.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/strong.h"

namespace tailrace::log {

struct Header {
  std::string_view key;
  std::optional<std::string_view> value;
};

/// A record to append. A timestamp below 0 means: the time of the append.
struct Record {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  TimestampMs timestamp{-1};
  std::span<const Header> headers;
};

/// The headers of a record that was read; checked when the record was.
struct HeaderViews {
  std::string_view encoded;
  std::int32_t count = 0;

  /// Takes the next header off the front; false when there is none.
  bool next(Header& header);
};

/// A record read from a batch; valid as long as the batch's bytes and its decompression buffer.
struct RecordView {
  Offset offset;
  TimestampMs timestamp;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  HeaderViews headers;
};

}  // namespace tailrace::log
