// CEL's functions and operators on values: the standard ones, strings' extensions (lowerAscii,
// trim, replace …), and those that Confluent's rules have besides (isEmail, isUuid …).
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/cel/value.h"

namespace re2 {
class RE2;
}

namespace tailrace::schema::cel {

/// What a text may grow to while an expression is evaluated.
inline constexpr std::size_t kMaxValueBytes = 16 << 20;

/// Compiled regular expressions, by their text. One thread at a time.
class Patterns {
 public:
  Patterns();
  ~Patterns();
  Patterns(Patterns&&) noexcept;
  Patterns& operator=(Patterns&&) noexcept;

  /// Whether it is found anywhere; an error for what is no regular expression of RE2's.
  Result<bool> found(const std::string& pattern, std::string_view text);

 private:
  std::map<std::string, std::unique_ptr<re2::RE2>> compiled_;
};

/// Whether a function of the name takes `count` arguments, a receiver among them.
bool is_function(std::string_view name, bool receiver, std::size_t count);
/// Whether a function of the name is there at all.
bool is_function_name(std::string_view name);

/// An operator or function; kInvalidArgument says why it has no value: no such overload, a range,
/// a division by zero. && || and ?: are not here.
Result<Value> apply(std::string_view name, std::span<const Value> args, Patterns& patterns);

}  // namespace tailrace::schema::cel
