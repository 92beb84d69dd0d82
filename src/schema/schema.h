// A parsed schema of any format, and what the registry asks of it.
//
// Each format is a class of its own below this interface (avro/avro_schema.h). A schema is
// immutable once it is parsed, and may be used by several threads. Nothing here does I/O or reads a
// clock.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::schema {

enum class Format { kAvro, kJsonSchema, kProtobuf };

/// "AVRO", "JSON", "PROTOBUF": the registry's words.
std::string_view format_name(Format format);
/// Of such a word.
std::optional<Format> format_named(std::string_view name);
/// Of those that parse_schema takes.
std::vector<std::string> format_names();

/// Another schema that a schema refers to. A list of them is complete and in order: what a text
/// refers to stands before it.
struct Reference {
  std::string name;
  std::string text;
};

/// Whether a text is given to be registered, or is one that was accepted before: rules that came
/// later (names in ASCII, defaults that fit their types) hold only for new ones.
enum class Age { kNew, kKnown };

/// One reason why a reader cannot read what a writer wrote.
struct Incompatibility {
  std::string type;         ///< the format's own word: "TYPE_MISMATCH"
  std::string location;     ///< JSON pointer into the reader's schema: "/fields/0/type"
  std::string description;  ///< a sentence, with `{reader}` and `{writer}` where these stand
  std::string detail;       ///< what is missing or was expected

  bool operator==(const Incompatibility&) const = default;
};

class ParsedSchema {
 public:
  virtual ~ParsedSchema() = default;

  virtual Format format() const = 0;

  /// The text as the registry shows it: without spaces and comments, what references define left
  /// out.
  virtual std::string canonical() const = 0;

  /// The canonical text of the schema with every choice of writing taken away that readers do not
  /// see: the registry's `normalize=true`.
  virtual std::string normalized() const = 0;

  /// What it calls the record, for a subject by the record's name: Avro's full name, the first
  /// message of a file, the title of a JSON Schema. Empty when it has no name.
  virtual std::string record_name() const = 0;

  /// Whether the other one is the same schema, however it is written: definitions here or in
  /// references.
  virtual bool equivalent(const ParsedSchema& other) const = 0;

  /// Why this schema, as the reader, cannot read what `writer` wrote; empty when it can. Both are
  /// of one format. Stops after some thousands.
  virtual std::vector<Incompatibility> incompatibilities(const ParsedSchema& writer) const = 0;
};

using SchemaPtr = std::shared_ptr<const ParsedSchema>;

/// Parses a text; kInvalidArgument with the place when it is no schema of that format.
Result<SchemaPtr> parse_schema(Format format, std::string_view text,
                               std::span<const Reference> references = {}, Age age = Age::kNew);

}  // namespace tailrace::schema
