// Bodies of the registry's API: requests read, answers written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/tags.h"
#include "schema/json.h"
#include "subjects/registry.h"

namespace tailrace::registry {

using subjects::Answer;

/// A body's object; 400 when it is no JSON, 422 when it is no object.
Answer<schema::Json> object_of(std::string_view body);

Answer<subjects::Candidate> candidate_of(std::string_view body);

/// A schema to register, and what of its tags is to change before.
struct Registration {
  subjects::Candidate candidate;
  TagChange tags;
  bool propagates_tags = false;  ///< adds those of the version before
};
Answer<Registration> registration_of(std::string_view body);

/// What is to change of a version, to make a new one of it.
struct TagRequest {
  TagChange tags;
  int new_version = 0;  ///< 0: the next one
  std::optional<subjects::Metadata> metadata = {};
  std::optional<subjects::RuleSet> rules = {}, rules_to_merge = {};
  std::vector<std::string> rules_to_remove = {};
};
/// 42210 for rules that are not valid, or are given in both ways.
Answer<TagRequest> tag_request_of(std::string_view body);

struct ConfigChange {
  subjects::Config config;
  std::vector<std::string> cleared;  ///< members that are null
};
Answer<ConfigChange> config_change_of(std::string_view body);

/// The mode of a body: absent when it is null or missing; 42204.
Answer<std::optional<subjects::Mode>> mode_of(std::string_view body);

std::string text_of(schema::Json json);

/// A version with all that belongs to it. `subject_and_version` leaves those two out.
schema::JsonObject version_json(const subjects::SchemaVersion& schema,
                                bool subject_and_version = true);
schema::Json texts_json(const std::vector<std::string>& texts);
schema::Json numbers_json(const std::vector<int>& numbers);

}  // namespace tailrace::registry
