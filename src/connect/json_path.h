// A path into JSON: $.login.uuid, results, $.info.next, items[0].id. Dots and [N] only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::connect {

class JsonPath {
 public:
  /// "" and "$" are the document itself. kInvalidArgument with the place of a mistake.
  static Result<JsonPath> parse(std::string_view text);

  /// The value at the path in one JSON text: a string's content unescaped, anything else as it is
  /// written. Nothing when it is absent, null, or the text is not JSON.
  std::optional<std::string> find(std::string_view json) const;

  bool is_root() const { return pointer_.empty(); }
  /// As a JSON pointer (RFC 6901).
  const std::string& pointer() const { return pointer_; }

 private:
  std::string pointer_;
};

/// Whether a text is one whole JSON value. The reason when not, as simdjson says it.
Status check_json(std::string_view text);

/// Each element of the array at `path` as it is written, in order; one object there counts as one
/// element. kInvalidArgument: not JSON, or neither there.
Result<std::vector<std::string>> json_elements(std::string_view json, const JsonPath& path);

/// Appends `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace tailrace::connect
