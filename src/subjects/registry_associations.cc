// Associations: what may be put beside what is there, with which schemas, and what goes with them.
#include <openssl/rand.h>

#include <algorithm>

#include "subjects/association_request.h"

namespace tailrace::subjects {
namespace {

constexpr std::size_t kGuidBytes = 16;

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

Answer<std::string> new_guid() {
  std::string bytes(kGuidBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), kGuidBytes) != 1)
    return refuse(50001, "no random number for an association's guid");
  return guid_of(bytes);
}

/// The subject of a reference as a candidate for `parent` means it.
std::string target_of(const std::string& parent, const SchemaReference& reference) {
  return SubjectName::within(parent, reference.subject).qualified();
}

std::unexpected<Refusal> exists(const Association& there) {
  return refuse(40903, "An association of type " + quoted(there.type) +
                           " already exists for resource " + quoted(there.resource_name));
}

bool is_as_wished(const Association& there, const AssociationWish& wish) {
  return there.subject == wish.subject && (!wish.strong || *wish.strong == there.strong) &&
         (!wish.frozen || *wish.frozen == there.frozen);
}

}  // namespace

struct Registry::Wanted {
  AssociationWish* wish = nullptr;
  std::optional<Association> there = {};
  bool done = false;  ///< it is there as it is wished

  const std::string& subject() const { return *wish->subject; }
  bool strong() const { return wish->strong ? *wish->strong : there && there->strong; }
};

std::vector<Association> Registry::associations_of_subject(const std::string& subject,
                                                           const AssociationFilter& filter) const {
  const auto lock = reading();
  return state_.associations().of_subject(subject, filter);
}

std::vector<Association> Registry::associations_of_resource(const std::string& resource_id,
                                                            const AssociationFilter& filter) const {
  const auto lock = reading();
  return state_.associations().of_resource(resource_id, filter);
}

std::vector<Association> Registry::associations_named(const std::string& name,
                                                      const std::string& name_space,
                                                      const AssociationFilter& filter) const {
  const auto lock = reading();
  return state_.associations().named(name, name_space, filter);
}

bool Registry::is_referenced(const std::string& subject) const {
  return std::ranges::any_of(state_.versions(subject), [&](const auto& one) {
    return !referring_subjects(subject, one.first, true).empty();
  });
}

std::vector<Registry::Wanted> Registry::wanted(AssociationRequest& request, bool creates,
                                               bool dry_run) const {
  AssociationFilter filter{.resource_type = request.resource_type};
  for (const AssociationWish& wish : request.wishes) filter.types.push_back(wish.type);
  std::vector<Association> known;
  if (request.resource_id)
    known = state_.associations().of_resource(*request.resource_id, filter);
  else if (creates && dry_run)
    known = of_latest_resource(
        state_.associations().named(request.resource_name, request.resource_namespace, filter));
  std::vector<Wanted> out;
  for (AssociationWish& wish : request.wishes) {
    Wanted& one = out.emplace_back(Wanted{.wish = &wish});
    const auto there = std::ranges::find(known, wish.type, &Association::type);
    if (there != known.end()) one.there = *there;
  }
  return out;
}

/// Of an association that is not there yet.
Answer<void> Registry::check_new(const Wanted& wanted, bool creates) const {
  const AssociationWish& wish = *wanted.wish;
  if (mode_in_scope(wanted.subject()) == Mode::kImport) return {};
  if (!creates && wanted.strong())
    return invalid_association("lifecycle",
                               "cannot be STRONG when creating an association; STRONG associations "
                               "must be created with the topic");
  if (wish.frozen != true) return {};
  if (creates && !wish.schema)
    return invalid_association("schema",
                               "schema must be provided when creating a frozen association");
  const SchemaVersionPtr latest = state_.latest(wanted.subject());
  if (!latest) return {};
  SchemaVersionPtr same;
  if (wish.schema && latest->version == 1) {
    ASSIGN(same, lookup_here(wanted.subject(), *wish.schema, wish.normalize, false));
  }
  if (same) return {};
  return invalid_association(
      "frozen", "cannot create a frozen association when schemas already exist in the subject");
}

/// Whether there is something to do.
Answer<bool> Registry::check_wanted(const AssociationRequest& request, Wanted& wanted,
                                    bool creates) const {
  AssociationWish& wish = *wanted.wish;
  const auto& there = wanted.there;
  if (!there && !creates) TRY(complete_new(wish, false));
  const std::string default_subject = request.default_subject(wish.type);
  if (!wish.subject && !there && !wanted.strong())
    return invalid_association("subject", "must be provided for WEAK associations");
  if (!wish.subject) wish.subject = there ? there->subject : default_subject;
  if (!wanted.strong()) {
    if (wish.schema)
      return invalid_association("lifecycle", "cannot be WEAK when schema is provided");
    if (*wish.subject == default_subject)
      return invalid_association("subject",
                                 "WEAK associations cannot use subject " + quoted(default_subject));
  }
  const bool is_frozen = there ? there->frozen : wish.frozen == true;
  const bool frozen = wish.frozen.value_or(is_frozen);
  if (frozen != wanted.strong())
    return invalid_association("frozen", "association with lifecycle of " +
                                             std::string(lifecycle_name(wanted.strong())) +
                                             " cannot be frozen=" + (frozen ? "true" : "false"));
  if (is_frozen && *wish.subject != default_subject)
    return invalid_association("subject",
                               "frozen associations must use subject " + quoted(default_subject));
  if (!there) {
    TRY(check_new(wanted, creates));
    return true;
  }
  if (is_as_wished(*there, wish)) {
    if (creates && wish.schema) {
      ASSIGN(const auto same, lookup_here(wanted.subject(), *wish.schema, wish.normalize, false));
      if (!same) return exists(*there);
    }
    return false;
  }
  if (creates) return exists(*there);
  if (!wish.strong && !wish.schema)
    return invalid_association("lifecycle",
                               "at least lifecycle or schema must be provided for update");
  if (there->subject != *wish.subject)
    return invalid_association("subject", "subject of association cannot be changed from " +
                                              quoted(there->subject) + " to " +
                                              quoted(*wish.subject));
  if (there->strong && wish.strong == false && there->subject == default_subject)
    return invalid_association(
        "lifecycle",
        "cannot change to WEAK when subject matches default format " + quoted(default_subject));
  if (wish.frozen && *wish.frozen != there->frozen)
    return invalid_association("frozen", "frozen attribute of association cannot be changed");
  if (there->frozen)
    return refuse(40908, "The association of type  " + quoted(there->type) +
                             " is frozen for subject " + quoted(there->subject));
  return true;
}

Answer<void> Registry::check_kinds(const AssociationRequest& request,
                                   const std::vector<Wanted>& wanted) const {
  const AssociationFilter filter{.resource_type = request.resource_type};
  const auto there = request.resource_id
                         ? state_.associations().of_resource(*request.resource_id, filter)
                         : of_latest_resource(state_.associations().named(
                               request.resource_name, request.resource_namespace, filter));
  std::vector<std::pair<std::string, bool>> kinds;
  for (const Association& one : there) kinds.emplace_back(one.type, one.strong);
  for (const Wanted& one : wanted) {
    const auto known =
        std::ranges::find(kinds, one.wish->type, [](const auto& x) { return x.first; });
    if (known == kinds.end())
      kinds.emplace_back(one.wish->type, one.strong());
    else
      known->second = one.strong();
  }
  std::string shown;
  for (const auto& [type, strong] : kinds)
    shown += (shown.empty() ? "" : ", ") + type + "=" + std::string(lifecycle_name(strong));
  const auto differs = [&](const auto& one) { return one.second != kinds.front().second; };
  if (std::ranges::none_of(kinds, differs)) return {};
  return invalid_association(
      "lifecycle",
      "all associations for a resource must have the same lifecycle, but got " + shown);
}

Answer<void> Registry::check_subject(const Wanted& wanted, const std::vector<Wanted>& all) const {
  const std::string& subject = wanted.subject();
  if (wanted.wish->schema && mode_in_scope(subject) == Mode::kImport)
    return invalid_association(
        "schema", "cannot be provided while subject " + quoted(subject) + " is in IMPORT mode");
  if (!wanted.wish->schema && !state_.latest(subject))
    return refuse(40907, "No active (non-deleted) version exists for subject " + quoted(subject));
  auto others = state_.associations().of_subject(subject, {});
  std::erase_if(others, [&](const Association& one) {
    return wanted.there && wanted.there->key() == one.key();
  });
  if (!wanted.strong()) {
    if (std::ranges::any_of(others, &Association::strong))
      return refuse(40905, "A strong association already exists for subject " + quoted(subject));
    return {};
  }
  if (!others.empty())
    return refuse(40904, "An association already exists for subject " + quoted(subject));
  const bool refers = std::ranges::any_of(all, [&](const Wanted& other) {
    return other.wish->schema &&
           std::ranges::any_of(other.wish->schema->references, [&](const auto& reference) {
             return target_of(other.subject(), reference) == subject;
           });
  });
  if (refers || is_referenced(subject))
    return refuse(42206, "One or more references exist to the schema " + subject + ".");
  return {};
}

Answer<void> Registry::check_schema(const Wanted& wanted) const {
  const AssociationWish& wish = *wanted.wish;
  if (!wish.schema) return {};
  const Config config = config_in_scope(wanted.subject());
  const auto age =
      config.validate_new_schemas.value_or(true) ? schema::Age::kNew : schema::Age::kKnown;
  ASSIGN(const Parsed parsed, parse(wanted.subject(), *wish.schema, age, wish.normalize));
  std::vector<SchemaVersionPtr> earlier;
  for (const auto& [number, version] : state_.versions(wanted.subject()))
    if (!version->deleted) earlier.push_back(version);
  ASSIGN(const auto reasons, why_not(config, parsed, std::move(earlier)));
  if (reasons.empty()) return {};
  std::string all;
  for (const std::string& reason : reasons) all += (all.empty() ? "" : ", ") + reason;
  return refuse(40901, "[" + all + "]");
}

Answer<std::vector<MadeAssociation>> Registry::put_associations(const std::string& context,
                                                                AssociationRequest request,
                                                                bool creates, bool dry_run) {
  const Lock lock = writing();
  std::set<std::string> types;
  for (AssociationWish& wish : request.wishes) {
    if (!wish.subject) continue;
    const std::string in_context = SubjectName::within(context, *wish.subject).qualified();
    wish.subject = resolved_alias_here(in_context);
    TRY(refuse_read_only(wish.subject));
  }
  for (const AssociationWish& wish : request.wishes)
    if (!types.insert(wish.type).second)
      return invalid_association(
          "associationType",
          "may only appear once per request, but " + quoted(wish.type) + " appears more than once");
  std::vector<Wanted> all = wanted(request, creates, dry_run);
  for (Wanted& one : all) {
    ASSIGN(const bool to_do, check_wanted(request, one, creates));
    one.done = !to_do;
  }
  TRY(check_kinds(request, all));
  for (const Wanted& one : all) TRY(check_subject(one, all));
  for (const Wanted& one : all) TRY(check_schema(one));
  std::vector<MadeAssociation> out;
  if (dry_run) return out;
  std::vector<Change> changes;
  for (const Wanted& one : all) {
    MadeAssociation made;
    if (one.wish->schema) {
      ASSIGN(made.schema, registered(one.subject(), *one.wish->schema, one.wish->normalize, false));
      if (!made.schema) return refuse(50001, "Another registry writes to the same topic");
    }
    if (one.done) continue;
    if (one.there) {
      made.association = *one.there;
    } else {
      ASSIGN(made.association.guid, new_guid());
      made.association.resource_name = request.resource_name;
      made.association.resource_namespace = request.resource_namespace;
      made.association.resource_id = request.resource_id.value_or("");
      made.association.resource_type = request.resource_type;
      made.association.type = one.wish->type;
      made.association.subject = one.subject();
    }
    made.association.strong = one.strong();
    if (one.wish->frozen) made.association.frozen = *one.wish->frozen;
    changes.emplace_back(PutAssociation{.association = made.association});
    out.push_back(std::move(made));
  }
  if (!changes.empty()) TRY(write(std::move(changes)));
  return out;
}

Answer<void> Registry::delete_associations(const std::string& resource_id,
                                           const AssociationFilter& filter, bool cascade,
                                           bool dry_run) {
  const Lock lock = writing();
  const auto there = state_.associations().of_resource(resource_id, filter);
  for (const Association& one : there) {
    TRY(refuse_read_only(one.subject));
    if (one.frozen && !cascade)
      return refuse(40908, "The association of type  " + quoted(one.type) +
                               " is frozen for subject " + quoted(one.subject));
  }
  if (dry_run) return {};
  for (const Association& one : there) {
    TRY(write({PutAssociation{.association = one, .dropped = true}}));
    const bool owned = cascade && one.strong && mode_in_scope(one.subject) != Mode::kImport;
    if (!owned || !state_.has_subjects(one.subject, true)) continue;
    if (state_.has_subjects(one.subject, false)) TRY(deleted_subject(one.subject, false));
    TRY(deleted_subject(one.subject, true));
  }
  return {};
}

}  // namespace tailrace::subjects
