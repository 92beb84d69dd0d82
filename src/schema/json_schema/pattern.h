// The regular expressions of `pattern` and `patternProperties`: ECMA-262's, run by RE2, in time
// that grows with the text alone.
//
// What RE2 has no way to do is taken and asks nothing: looking ahead or behind, back references,
// possessive and atomic groups, subtraction of classes, repeats of more than 1,000 times. So is
// what it would need more than kMaxPatternMemory for.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace tailrace::schema::json_schema {

inline constexpr std::int64_t kMaxPatternMemory = 1 << 18;

/// kInvalidArgument when the text is no regular expression at all.
Status check_pattern(std::string_view text);

class Pattern {
 public:
  explicit Pattern(std::string_view text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  /// Whether it is found anywhere in the text; always when it is not enforced.
  bool found_in(std::string_view text) const;
  /// How large its program is; what it took to find out when it is not enforced.
  std::size_t cost() const;
  bool enforced() const { return is_prefix_ || compiled_; }

 private:
  std::unique_ptr<re2::RE2> compiled_;
  std::string prefix_;  ///< "^abc" needs no machine
  bool is_prefix_ = false;
};

}  // namespace tailrace::schema::json_schema
