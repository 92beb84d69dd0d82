// A client of a registry that also tells which subjects have a schema: for who checks records that
// others wrote.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "subjects/remote_client.h"
#include "subjects/schema_client.h"

namespace tailrace::subjects {

class SubjectsClient : public SchemaClient {
 public:
  /// Those that have a version of the schema now, asked each time. kNotFound when the registry has
  /// no such id, kUnavailable when it does not answer.
  virtual Result<std::vector<std::string>> subjects_of(int id) = 0;
};

/// The registry in this process. It must outlive the client.
std::unique_ptr<SubjectsClient> local_subjects_client(Registry& registry);
/// One somewhere else, asked as remote_client() asks it.
std::unique_ptr<SubjectsClient> remote_subjects_client(RemoteRegistry registry);

}  // namespace tailrace::subjects
