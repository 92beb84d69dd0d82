// Spark's datetime patterns ("yyyy-MM-dd HH:mm:ss"): java.time's letters in English, as
// date_format writes them and to_timestamp reads them (strictly: a value out of range is no time).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::engine {

class TimePattern {
 public:
  /// kInvalidArgument: [INVALID_DATETIME_PATTERN.…] in Spark's words; kUnimplemented: a letter that
  /// is not taken for this use.
  static Result<TimePattern> for_writing(std::string_view text);
  static Result<TimePattern> for_reading(std::string_view text);

  /// Appends the UTC time.
  void write(std::string& out, std::int64_t micros) const;
  /// Microseconds since 1970 UTC; nothing when the text is not of the pattern.
  std::optional<std::int64_t> read(std::string_view text) const;

 private:
  struct Piece {
    char letter;  ///< 0: `literal`; [ and ]: an optional section
    int count = 0;
    std::string literal;
    bool adjacent = false;  ///< digits follow at once: no more than `count` are read
  };
  struct Fields;

  static Result<TimePattern> parse(std::string_view text, bool reading);
  void write_piece(std::string& out, const Piece& piece, std::int64_t micros) const;
  bool read_pieces(std::size_t& piece, std::string_view& text, Fields& fields) const;
  static bool read_piece(const Piece& piece, std::string_view& text, Fields& fields);

  std::vector<Piece> pieces_;
};

}  // namespace tailrace::engine
