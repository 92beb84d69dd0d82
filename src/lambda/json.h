// JSON text that is read in place: a value is its slice of the text, checked once and walked again
// for what is asked, so a part of an event goes on letter for letter as it came, and a large event
// costs no memory beside its text.
//
// RFC 8259; at most 128 levels deep. The text must outlive what was read of it. Bytes of strings
// are not checked to be UTF-8: they are passed on.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::lambda {

class Json {
 public:
  /// One value and blanks around it. kInvalidArgument says at which byte it ends to be JSON.
  static Result<Json> parse(std::string_view text);

  /// The value's own text, without blanks around it.
  std::string_view raw() const { return text_; }
  bool is_object() const { return text_.front() == '{'; }
  bool is_array() const { return text_.front() == '['; }
  bool is_string() const { return text_.front() == '"'; }
  bool is_null() const { return text_.front() == 'n'; }

  /// A member of an object; the last one where a name comes twice, as most readers have it.
  std::optional<Json> find(std::string_view name) const;
  /// A member of a member …
  std::optional<Json> follow(std::initializer_list<std::string_view> names) const;
  /// The elements of an array, or the members of an object.
  std::vector<Json> items() const;
  std::vector<std::pair<std::string, Json>> members() const;
  /// A string's text, escapes resolved; a surrogate without its other half is U+FFFD.
  std::optional<std::string> string() const;
  std::optional<std::int64_t> integer() const;
  /// A string's text, else the value's own.
  std::string text() const;

 private:
  explicit Json(std::string_view text) : text_(text) {}

  std::string_view text_;
};

/// The string below these names; empty when it is not there or is none.
std::string text_at(const Json& json, std::initializer_list<std::string_view> names);

/// A path like $.user.id or $.items[0].id. kInvalidArgument for what is none; nothing when the
/// value has no such place.
Result<std::vector<std::string>> parse_path(std::string_view path);
std::optional<Json> at_path(const Json& json, const std::vector<std::string>& path);

/// A string in quotes. Bytes that are no UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

}  // namespace tailrace::lambda
