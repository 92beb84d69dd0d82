// What a client asks for of a resource's associations, and what of that can be refused without
// looking at a registry: codes and sentences as Confluent's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "subjects/registry.h"

namespace tailrace::subjects {

struct AssociationWish {
  std::optional<std::string> subject = {};
  std::string type = {};            ///< "": value
  std::optional<bool> strong = {};  ///< absent: as it is, for a new one what the schema says
  std::optional<bool> frozen = {};
  std::optional<Candidate> schema = {};  ///< to be registered there
  bool normalize = false;
};

struct AssociationRequest {
  std::string resource_name, resource_namespace;
  std::optional<std::string> resource_id = {};  ///< needed but for dry runs
  std::string resource_type = {};               ///< "": topic
  std::vector<AssociationWish> wishes = {};

  /// The subject that a STRONG association of the resource has.
  std::string default_subject(const std::string& type) const;
};

std::unexpected<Refusal> invalid_association(const std::string& property,
                                             const std::string& detail);

/// Fills in what is left out, and refuses what cannot be meant (42212). `creates`: an association
/// that is there already is in the way; else it is changed.
Answer<void> complete(AssociationRequest& request, bool creates, bool dry_run);
/// The resource alone, for requests of other kinds.
Answer<void> complete_resource(AssociationRequest& request, bool dry_run);
/// What a new association is unless it says so.
Answer<void> complete_new(AssociationWish& wish, bool creates);

}  // namespace tailrace::subjects
