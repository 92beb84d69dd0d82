// Reads the options of a source by the table of its type: defaults are the table's, and what the
// table does not have is a mistake of the user's.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "connect/source.h"
#include "connect/source_types.h"

namespace tailrace::connect {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// Readers keep the first Error; finish() gives it, or names an option that no row has with the
/// nearest one. To ask for an option without a row is a wrong program.
class Options {
 public:
  Options(const SourceSpec& spec, std::span<const OptionRow> rows) : spec_(spec), rows_(rows) {}

  std::string text(const std::string& name);
  /// As it was given; a row's default may only describe what is taken otherwise.
  std::optional<std::string> given(const std::string& name);
  /// A file's path; a relative one starts at the project. Empty when it is not given.
  std::string path(const std::string& name);
  /// `none` is what the word none means.
  std::int64_t number(const std::string& name, std::int64_t low, std::int64_t high,
                      std::int64_t none = 0);
  /// "16MiB", "64 KiB", a bare number is bytes.
  std::int64_t size_bytes(const std::string& name, std::int64_t low, std::int64_t high);
  double fraction(const std::string& name);
  double rate(const std::string& name);
  /// "250ms", "10s", "5m", "2h", a bare number is seconds; none is 0.
  std::int64_t duration_ms(const std::string& name);
  /// true or false.
  bool truth(const std::string& name);
  /// One of these words: its index.
  std::size_t choice(const std::string& name, std::initializer_list<std::string_view> words);
  /// A list, or what commas part.
  std::vector<std::string> words(const std::string& name);
  /// HOST:PORT or [ADDRESS]:PORT.
  HostPort address(const std::string& name);
  /// Everything below `prefix.`.
  std::vector<std::pair<std::string, std::string>> below(const std::string& prefix);
  /// Needed because of another option; the rows' own "needed" are looked at by finish().
  void require(const std::string& name);
  /// A mistake that takes more than one option to see.
  void fail(const std::string& name, const std::string& what);

  Status finish() const;

 private:
  const std::string* find(const std::string& name) const;
  const OptionRow& row(const std::string& name) const;
  bool is_known(const std::string& name) const;

  const SourceSpec& spec_;
  const std::span<const OptionRow> rows_;
  Status status_;
};

}  // namespace tailrace::connect
