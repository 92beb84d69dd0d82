// What of a source's settings must not be read in a log, a hop line or an answer: user and password
// of a URL, token-like query values, and whatever came from the environment or a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailrace::connect {

class Secrets {
 public:
  Secrets() = default;
  /// `values` came from outside the project's files. The host of `url` is no secret: an error must
  /// be able to name it.
  Secrets(const std::vector<std::string>& values, const std::string& url);

  /// A URL fit for a log.
  std::string shown_url(std::string_view url) const;
  /// A message that may hold `url`, made fit for a log.
  std::string shown_text(std::string text, std::string_view url) const;

 private:
  std::string blank(std::string text) const;

  std::vector<std::string> values_;  // longest first
};

}  // namespace tailrace::connect
