// Reads the options of a source: each is asked for once, and what nobody asked for is a mistake of
// the user's.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "connect/source.h"

namespace tailrace::connect {

/// Readers keep the first Error; finish() gives it, or names an option that nobody knows with the
/// nearest known one.
class Options {
 public:
  explicit Options(const SourceSpec& spec) : spec_(spec) {}

  std::string text(const std::string& name, std::string fallback);
  /// A file's path; a relative one starts at the project. Empty when it is not given.
  std::string path(const std::string& name);
  std::int64_t number(const std::string& name, std::int64_t fallback, std::int64_t low,
                      std::int64_t high);
  double fraction(const std::string& name, double fallback);
  double rate(const std::string& name, double fallback);
  /// "250ms", "10s", "5m", "2h", a bare number is seconds.
  std::int64_t duration_ms(const std::string& name, const std::string& fallback);
  /// Everything below `prefix.`.
  std::vector<std::pair<std::string, std::string>> below(const std::string& prefix);
  void require(const std::string& name);

  Status finish() const;

 private:
  void fail(const std::string& name, const std::string& what);
  const std::string* find(const std::string& name);

  const SourceSpec& spec_;
  std::set<std::string> known_;
  Status status_;
};

}  // namespace tailrace::connect
