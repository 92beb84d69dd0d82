// Elements as text, in the registry's form: two spaces a level, a blank line between the kinds of
// declarations, and these always in one order (options, fields, oneofs, groups, extensions,
// extends, messages, enums). The order within a kind is the text's own: clients name a message by
// its position.
#pragma once

#include <string>

#include "base/result.h"
#include "schema/protobuf/element.h"
#include "schema/protobuf/names.h"

namespace tailrace::schema::protobuf {

enum class Shown : std::uint8_t {
  kAll,
  /// No custom options but Confluent's own, no extension ranges, no extends: the registry's
  /// `format=ignore_extensions`.
  kNoExtensions,
  kNoCustomOptions,
};

/// As written.
std::string printed(const File& file, Shown shown = Shown::kAll);

/// With every choice of writing taken away: numbers in order, names in full with a dot in front,
/// options sorted and merged. kInvalidArgument when a type is not known.
Result<std::string> printed_normal(const File& file, const Names& names);

/// An option's options in the order and form in which they are printed normally.
Options normal_options(const Options& options, const Names& names, const std::string& scope);

/// The spelling that all spellings of a number have in common: "16" for "0x10", at most three
/// digits after the point.
std::string normal_number(const std::string& text);

}  // namespace tailrace::schema::protobuf
