// What a registry keeps beside a schema's text: references, metadata and rule sets (data
// contracts). Words and forms are those of Confluent's registry; every to_json has its members and
// leaves out what is empty.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "schema/json.h"

namespace tailrace::subjects {

/// Another registered schema that a schema's text names.
struct SchemaReference {
  std::string name;     ///< as the text has it: a type's full name, an import's path, a $ref
  std::string subject;  ///< in the schema's own context unless it says one
  int version = 0;      ///< -1 is the latest

  bool operator==(const SchemaReference&) const = default;
};

struct Metadata {
  std::map<std::string, std::set<std::string>> tags = {};  ///< by path of a field
  std::map<std::string, std::string> properties = {};
  std::set<std::string> sensitive = {};  ///< names of properties

  bool operator==(const Metadata&) const = default;
};

struct Rule {
  std::optional<std::string> name = {}, doc = {};
  std::string kind = "TRANSFORM";        ///< or CONDITION
  std::string mode = "WRITEREAD";        ///< UPGRADE, DOWNGRADE, UPDOWN, WRITE, READ
  std::optional<std::string> type = {};  ///< the executor: CEL, CEL_FIELD, JSONATA, ENCRYPT …
  std::set<std::string> tags = {};
  std::map<std::string, std::string> params = {};
  std::optional<std::string> expr = {}, on_success = {}, on_failure = {};
  bool disabled = false;

  bool operator==(const Rule&) const = default;
};

struct RuleSet {
  std::vector<Rule> migration = {}, domain = {}, encoding = {};
  std::optional<std::string> enable_at = {};

  bool operator==(const RuleSet&) const = default;
};

/// The second one's values win; either may be absent.
std::optional<Metadata> merged(const std::optional<Metadata>& first,
                               const std::optional<Metadata>& second);
/// A rule of the second replaces one of the same name.
std::optional<RuleSet> merged(const std::optional<RuleSet>& first,
                              const std::optional<RuleSet>& second);

/// The property that a client may hold a schema's version in.
inline constexpr const char* kVersionProperty = "confluent:version";

/// What is wrong with the rules: a name twice, a mode that its list does not take. "" when nothing
/// is.
std::string what_is_wrong(const RuleSet& rules);

Result<std::vector<SchemaReference>> references_of(const schema::Json& json);
Result<Metadata> metadata_of(const schema::Json& json);
Result<RuleSet> rule_set_of(const schema::Json& json);

schema::Json to_json(const std::vector<SchemaReference>& references);
schema::Json to_json(const Metadata& metadata);
schema::Json to_json(const RuleSet& rules);

/// MD5 over a schema's text and all that belongs to it, 16 bytes: two registrations with the same
/// one are the same schema and get the same id.
std::string fingerprint(std::string_view text, const std::vector<SchemaReference>& references,
                        const std::optional<Metadata>& metadata,
                        const std::optional<RuleSet>& rules);
/// A fingerprint in the form of a UUID: what clients call a schema's guid.
std::string guid_of(std::string_view fingerprint);
/// The fingerprint of a guid, or of 32 hexadecimal digits; nullopt when it is neither.
std::optional<std::string> fingerprint_of_guid(std::string_view guid);

}  // namespace tailrace::subjects
