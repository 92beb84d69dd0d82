// Regular expressions of a batch: the last pattern stays compiled, so a constant one is compiled
// once.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

namespace tailrace::engine {

class Patterns {
 public:
  explicit Patterns(bool fold_case = false) {
    options_.set_log_errors(false);
    options_.set_case_sensitive(!fold_case);
    options_.set_dot_nl(false);
  }
  /// Null when RE2 does not take it; what() says why.
  const re2::RE2* get(std::string_view text) {
    if (!compiled_ || text != text_) {
      text_ = text;
      compiled_ = std::make_unique<re2::RE2>(text_, options_);
    }
    return compiled_->ok() ? compiled_.get() : nullptr;
  }
  std::string what() const {
    return "[INVALID_PARAMETER_VALUE.PATTERN] The value of parameter(s) `regexp` is invalid: '" +
           text_ + "': " + compiled_->error();
  }
  void dot_matches_newline() { options_.set_dot_nl(true); }

 private:
  re2::RE2::Options options_;
  std::string text_;
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace tailrace::engine
