// What the handlers of the API's paths share, and those that are not beside the table of paths.
#pragma once

#include <optional>
#include <string>

#include "registry/call.h"
#include "registry/json_bodies.h"

namespace tailrace::registry {

/// An answer's body; none is status 204.
using Body = std::optional<schema::Json>;

/// Changes the tags in a candidate's text as its request asks for it.
Answer<void> change_tags(const Call& call, const std::string& subject, Registration& request);

// Associations (association_routes.cc).
Answer<Body> associations_of_subject(const Call& call);
Answer<Body> associations_named(const Call& call);
Answer<Body> associations_of_resource(const Call& call);
Answer<Body> create_associations(const Call& call);
Answer<Body> put_associations(const Call& call);
Answer<Body> delete_associations(const Call& call);
Answer<Body> get_association_batch(const Call& call);
Answer<Body> change_association_batch(const Call& call);

/// The schemas whose subjects have the associations that the parameters `resourceType`,
/// `associationType` and `lifecycle` name; absent: none of them is there.
struct AssociatedSubjects {
  explicit AssociatedSubjects(const Call& call);
  bool asked() const { return asked_; }
  /// Whether the subject is one of them; `shown` are its associations then.
  bool has(const std::string& subject, schema::JsonArray& shown) const;

 private:
  const subjects::Registry& registry_;
  subjects::AssociationFilter filter_;
  bool strong_ = false, weak_ = false, none_ = false, asked_ = false;
};

}  // namespace tailrace::registry
