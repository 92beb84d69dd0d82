// Where a poller stands among the pages and records of its API, and how an answer moves it on.
// Pure: no clock, no socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connect/json_path.h"

namespace tailrace::connect {

/// A value of {since}, and the hashes of the records taken that have just that value.
struct SinceMark {
  std::string value;
  std::vector<std::uint64_t> at_value;

  /// Takes note of a record that was taken; the greater value stays.
  void note(const std::string& value, std::uint64_t hash);
  bool holds(const std::string& value, std::uint64_t hash) const;
};

struct HttpPosition {
  std::int64_t page = 1;
  std::string cursor;
  std::int64_t taken = 0;  ///< records of this page that were taken by an earlier poll
  SinceMark since;         ///< what {since} is
  SinceMark high;          ///< the greatest of this sweep: what {since} will be
  std::string etag, etag_url;
};

Result<HttpPosition> parse_http_position(std::string_view text, HttpPosition fresh);
std::string encode_http_position(const HttpPosition& position);

/// How the pages of an API follow one another.
struct HttpPaging {
  bool by_page = false, by_cursor = false, by_since = false;
  std::int64_t first_page = 1;
  std::int64_t page_size = 0;  ///< 0: a page with records is full
  JsonPath cursor, since;
  HttpPosition fresh() const;
};

/// Takes the elements of one answer: which of them are new, and the position after them.
struct HttpTaken {
  std::vector<std::size_t> fresh;  ///< indexes into the elements
  bool more = false;               ///< another page is there now
};
HttpTaken take_answer(const HttpPaging& paging, std::string_view body,
                      const std::vector<std::string>& elements, HttpPosition& position);

}  // namespace tailrace::connect
