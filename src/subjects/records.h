// The records of the topic `_schemas`, in the form in which Confluent's registry writes and reads
// them: JSON keys and values. A registry is moved by copying the topic, in either direction.
//
//   {"keytype":"SCHEMA","subject":S,"version":N,"magic":1}   {"subject":S,"version":N,"id":I,
//                                             "schemaType":…,"references":…,"schema":…,"deleted":…}
//   {"keytype":"CONFIG","subject":S,"magic":0}           {"subject":S,"compatibilityLevel":…}
//   {"keytype":"MODE","subject":S,"magic":0}             {"subject":S,"mode":…}
//   {"keytype":"DELETE_SUBJECT","subject":S,"magic":0}   {"subject":S,"version":N}: soft, up to N
//   {"keytype":"CLEAR_SUBJECT","subject":S,"magic":0}    {"subject":S}: what is soft deleted, for
//   good
//   {"keytype":"CONTEXT","tenant":T,"context":C,"magic":0}   {"tenant":T,"context":C}
//   {"keytype":"ASSOC","tenant":T,"resourceName":R,"resourceNamespace":N,"resourceType":"topic",
//    "associationType":"value","subject":S,"magic":0}    {"guid":…,…,"lifecycle":…,"frozen":…}
//   {"keytype":"NOOP","magic":0}                         written to learn the end of the topic
//
// A subject that is absent means all. A SCHEMA, CONFIG, MODE, CONTEXT or ASSOC without value
// is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "schema/compatibility.h"
#include "schema/schema.h"
#include "subjects/associations.h"
#include "subjects/entities.h"

namespace tailrace::subjects {

/// What a subject has under a number.
struct SchemaVersion {
  std::string subject;  ///< qualified: ":.eu:orders"
  int version = 0;
  int id = 0;
  schema::Format format = schema::Format::kAvro;
  std::vector<SchemaReference> references = {};
  std::optional<Metadata> metadata = {};
  std::optional<RuleSet> rules = {};
  std::string text = {};
  bool deleted = false;           ///< softly: found only by who asks for deleted ones
  std::int64_t timestamp_ms = 0;  ///< of its record
  std::string fingerprint = {};   ///< entities.h

  std::string guid() const { return guid_of(fingerprint); }
};
using SchemaVersionPtr = std::shared_ptr<const SchemaVersion>;

/// What is set for a subject, a context, or all; what is absent is not set there.
struct Config {
  std::optional<std::string> alias = {}, alias_for_deks = {};
  std::optional<bool> normalize = {}, validate_fields = {}, validate_new_schemas = {},
                      validate_rules = {};
  std::optional<schema::Level> compatibility = {};
  std::optional<std::string> compatibility_policy = {}, compatibility_group = {};
  std::optional<Metadata> default_metadata = {}, override_metadata = {};
  std::optional<RuleSet> default_rules = {}, override_rules = {};

  bool operator==(const Config&) const = default;
};

/// Calls `use(name, one.x, other.x)` for every setting x of two configs, with its name in requests.
template <typename One, typename Other, typename Use>
void each_setting(One& one, Other& other, Use use) {
  use("alias", one.alias, other.alias);
  use("aliasForDeks", one.alias_for_deks, other.alias_for_deks);
  use("normalize", one.normalize, other.normalize);
  use("validateFields", one.validate_fields, other.validate_fields);
  use("validateNewSchemas", one.validate_new_schemas, other.validate_new_schemas);
  use("validateRules", one.validate_rules, other.validate_rules);
  use("compatibility", one.compatibility, other.compatibility);
  use("compatibilityPolicy", one.compatibility_policy, other.compatibility_policy);
  use("compatibilityGroup", one.compatibility_group, other.compatibility_group);
  use("defaultMetadata", one.default_metadata, other.default_metadata);
  use("overrideMetadata", one.override_metadata, other.override_metadata);
  use("defaultRuleSet", one.default_rules, other.default_rules);
  use("overrideRuleSet", one.override_rules, other.override_rules);
}

enum class Mode { kReadWrite, kReadOnly, kReadOnlyOverride, kImport, kForward };
/// "READWRITE"; the other way in any case of letters.
std::string_view mode_name(Mode mode);
std::optional<Mode> mode_named(std::string_view name);

/// Names a subject, a context (":.eu:"), or all when absent.
using Scope = std::optional<std::string>;

struct PutSchema {
  SchemaVersion schema;
};
struct DropSchema {
  std::string subject;
  int version = 0;
};
struct PutConfig {
  Scope scope;
  std::optional<Config> config;  ///< absent: dropped
};
struct PutMode {
  Scope scope;
  std::optional<Mode> mode;
};
struct DeleteSubject {
  std::string subject;
  int up_to_version = 0;
};
struct ClearSubject {
  Scope scope;
};
struct PutContext {
  std::string context;
  bool dropped = false;
};
struct PutAssociation {
  Association association;
  bool dropped = false;  ///< then only what its key has counts
};
struct Noop {};

using Change = std::variant<Noop, PutSchema, DropSchema, PutConfig, PutMode, DeleteSubject,
                            ClearSubject, PutContext, PutAssociation>;

struct RecordText {
  std::string key;
  std::optional<std::string> value;
};

RecordText encode(const Change& change);
/// Noop for kinds of record that mean nothing here. kInvalidArgument when it is
/// no record of a registry.
Result<Change> decode(std::string_view key, std::optional<std::string_view> value,
                      std::int64_t timestamp_ms);

/// A config as the registry's answers show it, with `level_name` before its compatibility:
/// "compatibilityLevel", or "compatibility" in the answer to PUT.
schema::JsonObject to_json(const Config& config, const char* level_name);
/// Reads every member but the level.
Result<Config> config_of(const schema::Json& json);

}  // namespace tailrace::subjects
