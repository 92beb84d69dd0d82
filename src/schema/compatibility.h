// Whether a schema may follow others under one subject, by the registry's levels.
//
// Every level is built on ParsedSchema::incompatibilities(writer), so this file knows no format.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/schema.h"

namespace tailrace::schema {

enum class Level {
  kNone,
  kBackward,            ///< the new schema reads what the latest wrote
  kBackwardTransitive,  ///< … what any earlier one wrote
  kForward,             ///< the latest schema reads what the new one writes
  kForwardTransitive,
  kFull,  ///< both ways
  kFullTransitive,
};

/// "BACKWARD_TRANSITIVE", in the registry's words.
std::string_view level_name(Level level);
/// In any case of letters.
std::optional<Level> level_named(std::string_view name);

/// A schema of the subject.
struct Version {
  int number = 0;
  SchemaPtr schema;
};

/// Why `candidate` may not follow `earlier` (oldest first); empty when it may. The sentences have
/// the shape of Confluent's verbose messages: one object in its own notation for each difference,
/// with `errorType`, `description` (the reader and the writer called "new" and "old") and
/// `additionalInfo`, then the version and text of the schema it differs from. The latest version is
/// looked at first, and the first that differs is the last looked at.
std::vector<std::string> why_not_after(Level level, const ParsedSchema& candidate,
                                       std::span<const Version> earlier);

/// One difference in that notation; each format has quotes of its own, and only Avro details.
std::string difference_text(const Incompatibility& one, std::string_view reader,
                            std::string_view writer, Format format = Format::kAvro);

}  // namespace tailrace::schema
