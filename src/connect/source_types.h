// The types of sources as data: what each is, and its options, which are the documentation, too:
// `tailrace sources` prints them, the tables of this room's README are made of them, options.h
// takes the defaults from them, and an option that no table has is refused.
//
// A new type: its header declares an `extern const SourceType`, its file defines it beside the
// table of its options, source_types.cc names it, README.md gets the block that source_types_test
// prints.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "connect/source.h"

namespace tailrace::connect {

struct OptionRow {
  std::string_view name;      ///< nested keys joined by dots; "headers.NAME" stands for every name
  std::string_view fallback;  ///< as a user would write it; "needed", or "" when it is left out
  std::string_view what;
};

struct SourceType {
  std::string_view type;  ///< the name after `use:`
  std::string_view what;  ///< one line
  std::span<const OptionRow> options;
  Result<std::unique_ptr<Source>> (*make)(const SourceSpec& spec);
  /// What is read of it for a guess of a schema comes again. Where it does not, the topic needs a
  /// schema of its own.
  bool can_be_sampled = true;
};

/// In the order of the documentation.
std::span<const SourceType> source_types();
/// nullptr when there is none of the name.
const SourceType* find_source_type(std::string_view type);
/// "fake, http, files or postgres"
std::string source_type_names();

/// What every type takes beside its block.
std::span<const OptionRow> shared_options();

}  // namespace tailrace::connect
