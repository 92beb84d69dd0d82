// Requests for associations completed and checked.
#include "subjects/association_request.h"

#include <algorithm>
#include <cctype>

namespace tailrace::subjects {
namespace {

constexpr std::size_t kMaxName = 256;

Answer<void> check_name(const std::string& name, const char* property) {
  if (name.empty()) return invalid_association(property, "cannot be null or empty");
  if (name.size() > kMaxName) return invalid_association(property, "exceeds max length of 256");
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    // Letters beyond ASCII are letters there, too.
    if (std::isalnum(byte) || c == '_' || c == '-' || byte >= 0x80) continue;
    return invalid_association(property, std::string("illegal character '") + c + "'");
  }
  return {};
}

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

Answer<void> complete_wish(AssociationWish& wish, bool creates) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (wish.subject && (wish.subject->empty() || std::ranges::any_of(*wish.subject, control)))
    return invalid_association("subject", "must not be empty");
  if (creates) TRY(complete_new(wish, true));
  if (wish.type.empty()) wish.type = "value";
  if (wish.type != "key" && wish.type != "value")
    return invalid_association("associationType", "must be either 'key' or 'value'");
  if (wish.strong == false) {
    if (wish.schema)
      return invalid_association("lifecycle", "cannot be WEAK when schema is provided");
    if (wish.frozen == true)
      return invalid_association("frozen", "association with lifecycle of WEAK cannot be frozen");
    if (creates && !wish.subject)
      return invalid_association("subject", "must be provided for WEAK associations");
  }
  return {};
}

}  // namespace

std::unexpected<Refusal> invalid_association(const std::string& property,
                                             const std::string& detail) {
  return refuse(42212, "The association specified an invalid value for property: " +
                           quoted(property) + ", detail: " + detail);
}

std::string AssociationRequest::default_subject(const std::string& type) const {
  return ":." + resource_namespace + ":" + resource_name + "-" + type;
}

Answer<void> complete_new(AssociationWish& wish, bool creates) {
  if (!creates && wish.schema)
    return invalid_association(
        "schema",
        "cannot be provided when adding an association to an existing topic; an association with a "
        "schema must be created with the topic");
  if (wish.schema) {
    if (wish.strong == false)
      return invalid_association("lifecycle", "cannot be WEAK when schema is provided");
    if (wish.frozen == false)
      return invalid_association("frozen", "cannot be false when a schema is provided");
    wish.strong = true;
  }
  if (!wish.strong) wish.strong = false;
  if (wish.frozen && *wish.frozen != *wish.strong)
    return invalid_association(
        "frozen", "association with lifecycle of " + std::string(lifecycle_name(*wish.strong)) +
                      " cannot be frozen=" + (*wish.frozen ? "true" : "false"));
  wish.frozen = wish.strong;
  return {};
}

Answer<void> complete_resource(AssociationRequest& request, bool dry_run) {
  TRY(check_name(request.resource_name, "resourceName"));
  TRY(check_name(request.resource_namespace, "resourceNamespace"));
  if (!dry_run && request.resource_id.value_or("").empty())
    return invalid_association("resourceId", "cannot be null or empty");
  if (request.resource_type.empty()) request.resource_type = "topic";
  if (request.resource_type != "topic")
    return invalid_association("resourceType", "must be 'topic'");
  return {};
}

Answer<void> complete(AssociationRequest& request, bool creates, bool dry_run) {
  TRY(complete_resource(request, dry_run));
  if (request.wishes.empty()) return invalid_association("associations", "cannot be null or empty");
  for (AssociationWish& wish : request.wishes) {
    TRY(complete_wish(wish, creates));
    if (!creates) continue;
    const std::string default_subject = request.default_subject(wish.type);
    if (!wish.subject) wish.subject = default_subject;
    if (wish.frozen == true && wish.subject != default_subject)
      return invalid_association("subject",
                                 "frozen associations must use subject " + quoted(default_subject));
    if (wish.strong == false && wish.subject == default_subject)
      return invalid_association("subject",
                                 "WEAK associations cannot use subject " + quoted(default_subject));
  }
  return {};
}

}  // namespace tailrace::subjects
