// Which columns a topic's values are, where its format has a schema: the schema that its records
// are read by, and how that one follows the subject's versions.
//
// Fields never go away and never move: a version's new ones come last, one that a later version
// lacks is null from then on, numbers grow (columns/widening.h). What a topic was read by so far is
// kept in DATA/topic_types.json, so that a restart, or a reader without a registry, has the same
// columns.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "columns/types.h"
#include "pipeline/project.h"
#include "schema/schema.h"
#include "subjects/schema_client.h"

namespace tailrace::pipeline {

/// Immutable.
class TopicType {
 public:
  /// Of the schemas that were taken up, oldest first; the last is the reader's.
  static Result<TopicType> make(std::vector<subjects::RegisteredSchema> taken);
  /// With one more; kFailedPrecondition when its columns cannot follow.
  Result<TopicType> with(subjects::RegisteredSchema next) const;

  const std::vector<subjects::RegisteredSchema>& taken() const { return taken_; }
  const subjects::RegisteredSchema& latest() const { return taken_.back(); }
  const schema::SchemaPtr& reader() const { return reader_; }
  /// STRUCT of all columns.
  const Type& value() const { return value_; }

 private:
  TopicType() = default;
  Status take(subjects::RegisteredSchema next);

  std::vector<subjects::RegisteredSchema> taken_;
  schema::SchemaPtr reader_;
  Type value_;
};

using TopicTypePtr = std::shared_ptr<const TopicType>;
/// By topic; topics whose format has no schema are not there.
using TopicTypes = std::map<std::string, TopicTypePtr>;

/// The subject of a topic's values: as tailrace.yml says, else by its strategy.
Result<std::string> subject_of(const TopicSpec& topic);

/// As the project's own schema files say; for what runs without a registry and has not run yet.
/// kFailedPrecondition for a topic without a file.
Result<TopicTypes> declared_topic_types(const Project& project);

/// As they were kept in the data folder, else as declared.
Result<TopicTypes> stored_topic_types(const Project& project, const std::string& data);

/// A schema for a topic whose subject has none, guessed from what its source gives; "" when it
/// gives nothing.
using GuessSchema = std::function<Result<std::string>(const TopicSpec& topic)>;

/// Registers the project's schema files, and takes up the latest version of each subject where the
/// topic follows it. Errors name the place in tailrace.yml. A registry that does not answer is
/// borne where the data folder knows the type.
Result<TopicTypes> open_topic_types(const Project& project, const std::string& data,
                                    subjects::SchemaClient& schemas, const GuessSchema& guess);

Status save_topic_types(const std::string& data, const TopicTypes& types);

}  // namespace tailrace::pipeline
