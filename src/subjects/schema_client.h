// What who writes or reads records asks of a schema registry, embedded or somewhere else: a schema
// by the id in a record, the latest one of a subject, a registration.
//
// Calls may wait for a network; any thread. What was found by id never changes and may be kept.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "schema/schema.h"
#include "subjects/entities.h"
#include "subjects/registry.h"

namespace tailrace::subjects {

/// A schema under a subject, with all that its text refers to.
struct RegisteredSchema {
  int id = 0;
  std::string subject = {};
  int version = 0;  ///< 0 when the subject does not have it
  schema::Format format = schema::Format::kAvro;
  std::string text = {};
  std::vector<schema::Reference> references = {};
  std::optional<RuleSet> rules = {};
  std::string guid = {};  ///< where the registry says it
};

class SchemaClient {
 public:
  virtual ~SchemaClient() = default;

  /// As a version of `subject`, if it is one. kNotFound when the registry has no such id,
  /// kUnavailable when it does not answer.
  virtual Result<RegisteredSchema> by_id(int id, const std::string& subject) = 0;
  /// The id of a schema by its guid, in the subject's context. Errors as by_id.
  virtual Result<int> id_of_guid(const std::string& guid, const std::string& subject) = 0;
  /// kNotFound when the subject has no version.
  virtual Result<RegisteredSchema> latest(const std::string& subject) = 0;
  /// The version that the schema has now. kFailedPrecondition with the registry's reasons when it
  /// may not follow the subject's others, kInvalidArgument when it is no schema.
  virtual Result<RegisteredSchema> register_schema(const std::string& subject,
                                                   schema::Format format,
                                                   const std::string& text) = 0;
};

/// The registry in this process. It must outlive the client.
std::unique_ptr<SchemaClient> local_client(Registry& registry);

}  // namespace tailrace::subjects
