// A client of a registry that also tells of its subjects and their versions, and tries schemas: for
// who checks records that others wrote, and for people who look at schemas.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "subjects/entities.h"
#include "subjects/remote_client.h"
#include "subjects/schema_client.h"

namespace tailrace::subjects {

/// A schema that may become a subject's next version.
struct Proposal {
  schema::Format format = schema::Format::kAvro;
  std::string text;
  std::vector<SchemaReference> references = {};
};

/// A version of a subject, as it was registered.
struct VersionText {
  std::string subject;
  int version = 0;
  int id = 0;
  schema::Format format = schema::Format::kAvro;
  std::string text;
  std::vector<SchemaReference> references = {};
};

/// What the registry says of a proposal: its own messages, with their places.
struct Verdict {
  bool compatible = false;
  std::vector<std::string> messages = {};
};

class SubjectsClient : public SchemaClient {
 public:
  /// Those that have a version of the schema now, asked each time. kNotFound when the registry has
  /// no such id, kUnavailable when it does not answer.
  virtual Result<std::vector<std::string>> subjects_of(int id) = 0;
  /// Those of every context, sorted.
  virtual Result<std::vector<std::string>> subjects() = 0;
  /// The lowest first. kNotFound when the registry has no such subject.
  virtual Result<std::vector<int>> versions(const std::string& subject) = 0;
  /// `number` -1 is the latest. kNotFound.
  virtual Result<VersionText> version(const std::string& subject, int number) = 0;
  /// The level that holds for the subject, in the registry's word: "BACKWARD".
  virtual Result<std::string> compatibility(const std::string& subject) = 0;
  /// Whether the proposal may be the next version; nothing is registered. kInvalidArgument from a
  /// registry that has no verdict on what is no schema.
  virtual Result<Verdict> check(const std::string& subject, const Proposal& proposal) = 0;
  /// Registers it. Errors as register_schema.
  virtual Result<VersionText> put(const std::string& subject, const Proposal& proposal) = 0;
};

/// The registry in this process. It must outlive the client.
std::unique_ptr<SubjectsClient> local_subjects_client(Registry& registry);
/// One somewhere else, asked as remote_client() asks it.
std::unique_ptr<SubjectsClient> remote_subjects_client(RemoteRegistry registry);

}  // namespace tailrace::subjects
