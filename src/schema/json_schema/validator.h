// Whether JSON documents are what a JSON Schema says: a schema compiled to rules once, then asked
// for every document.
//
// Order of calls: Validator::compile, then make one Validation a thread and ask it. All assertions
// of drafts 4, 6, 7, 2019-09 and 2020-12 are made, each document's own draft deciding; formats only
// where they are asked for. Not enforced: patterns that RE2 has no way for (pattern.h), and what a
// `$ref` to a meta-schema says.
//
// A document that conforms costs no allocation, but for unevaluatedItems and
// unevaluatedProperties, uniqueItems of many, and multipleOf of fractions.
#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schema/json_schema/json_schema.h"

namespace tailrace::schema::json_schema {

struct Rule;
class Rules;

/// Why a document does not conform: the first thing that was found.
struct Violation {
  std::string instance;  ///< JSON pointer into the document: "/items/0"
  std::string keyword;   ///< from the schema's root, through `$ref`: "/properties/items/items/type"
  std::string what;      ///< "is no integer"

  bool operator==(const Violation&) const = default;
};

/// As people read it: "/items/0 is no integer (/properties/items/items/type)".
std::string message_of(const Violation& violation);

/// Whether `format` is asserted: date-time, date, time, email, ipv4, ipv6, uuid, uri,
/// uri-reference, json-pointer, hostname, regex; others never are.
enum class Formats { kIgnored, kAsserted };

class Validator {
 public:
  /// kInvalidArgument for what the registry took and the standard has no meaning for;
  /// kResourceExhausted for too many patterns.
  static Result<Validator> compile(std::shared_ptr<const JsonSchema> schema,
                                   Formats formats = Formats::kIgnored);
  Validator(Validator&&) noexcept;
  Validator& operator=(Validator&&) noexcept;
  ~Validator();

  /// Nothing when the document conforms. Also told: a document that 500 schemas in one another, by
  /// way of `$ref` too, are too few for, or that
  /// takes more than a few million steps.
  std::optional<Violation> check(const simdjson::dom::element& document) const;

  /// What it was compiled to (rules.h); lives as long as this.
  const Rules& rules() const { return *rules_; }

 private:
  Validator();
  std::unique_ptr<Rules> rules_;
};

/// Whether a text has a format; true for one that is not known.
bool has_format(std::string_view format, std::string_view text);

}  // namespace tailrace::schema::json_schema
