// Whether a text is one JSON document as json_scan.h has it, and where it stops being one: fast.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::engine {

struct JsonFault {
  std::size_t byte;  ///< from 0
  std::string what;
};

/// Reuses its buffers from text to text. One thread.
class JsonChecker {
 public:
  JsonChecker();
  ~JsonChecker();
  /// nullopt when the text is one JSON document.
  std::optional<JsonFault> check(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::engine
