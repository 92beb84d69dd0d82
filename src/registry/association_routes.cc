// Associations over REST: bodies read and written, requests one by one and in batches.
#include <algorithm>
#include <array>

#include "registry/handlers.h"
#include "subjects/association_request.h"

namespace tailrace::registry {
namespace {

using schema::Json;
using schema::JsonArray;
using schema::JsonObject;
using subjects::Association;
using subjects::AssociationFilter;
using subjects::AssociationRequest;
using subjects::AssociationWish;
using subjects::invalid_association;
using subjects::Refusal;
using subjects::refuse;

constexpr std::size_t kMostAssociations = 1000;
constexpr const char* kTopic = "topic";

void add(JsonObject& out, const char* name, const std::string& text) {
  if (!text.empty()) out.push_back({name, Json(text)});
}

// What the kind says already is left out.
void add_kind(JsonObject& out, const Association& one) {
  out.push_back({"lifecycle", Json(std::string(subjects::lifecycle_name(one.strong)))});
  if (one.frozen != one.strong) out.push_back({"frozen", Json(one.frozen)});
}

Json shown(const Association& one) {
  JsonObject out;
  add(out, "subject", one.subject);
  add(out, "guid", one.guid);
  add(out, "resourceName", one.resource_name);
  add(out, "resourceNamespace", one.resource_namespace);
  add(out, "resourceId", one.resource_id);
  add(out, "resourceType", one.resource_type);
  add(out, "associationType", one.type);
  add_kind(out, one);
  out.push_back({"createTs", Json(one.created_ms)});
  out.push_back({"updateTs", Json(one.updated_ms)});
  return Json(std::move(out));
}

/// A resource with associations, and with their schemas where they are told.
Json resource_json(const AssociationRequest& resource,
                   const std::vector<subjects::MadeAssociation>& made) {
  JsonObject out;
  add(out, "resourceName", resource.resource_name);
  add(out, "resourceNamespace", resource.resource_namespace);
  add(out, "resourceId", resource.resource_id.value_or(""));
  add(out, "resourceType", resource.resource_type);
  JsonArray list;
  for (const auto& [one, schema] : made) {
    JsonObject json;
    add(json, "subject", one.subject);
    add(json, "associationType", one.type);
    add_kind(json, one);
    if (schema) json.push_back({"schema", Json(version_json(*schema))});
    list.push_back(Json(std::move(json)));
  }
  if (!list.empty()) out.push_back({"associations", Json(std::move(list))});
  return Json(std::move(out));
}

Answer<std::optional<std::string>> text_member(const Json& json, std::string_view name) {
  const Json* member = json.find(name);
  if (!member || member->is_null()) return std::nullopt;
  if (!member->text()) return refuse(422, "\"" + std::string(name) + "\" must be text");
  return *member->text();
}

Answer<std::optional<bool>> flag_member(const Json& json, std::string_view name) {
  const Json* member = json.find(name);
  if (!member || member->is_null()) return std::nullopt;
  if (!member->boolean()) return refuse(422, "\"" + std::string(name) + "\" must be true or false");
  return *member->boolean();
}

Answer<std::optional<bool>> lifecycle_member(const Json& json) {
  ASSIGN(const auto text, text_member(json, "lifecycle"));
  if (!text) return std::nullopt;
  const auto strong = subjects::is_strong(*text);
  if (!strong) return refuse(422, "\"lifecycle\" must be STRONG or WEAK");
  return *strong;
}

/// What names a resource.
Answer<AssociationRequest> resource_of(const Json& json) {
  AssociationRequest out;
  ASSIGN(const auto name, text_member(json, "resourceName"));
  ASSIGN(const auto name_space, text_member(json, "resourceNamespace"));
  ASSIGN(const auto type, text_member(json, "resourceType"));
  ASSIGN(out.resource_id, text_member(json, "resourceId"));
  out.resource_name = name.value_or("");
  out.resource_namespace = name_space.value_or("");
  out.resource_type = type.value_or("");
  return out;
}

Answer<AssociationWish> wish_of(const Call& call, const Json& json,
                                const AssociationRequest& resource) {
  if (!json.object()) return refuse(422, "an association must be an object");
  AssociationWish out;
  ASSIGN(out.subject, text_member(json, "subject"));
  ASSIGN(const auto type, text_member(json, "associationType"));
  ASSIGN(out.strong, lifecycle_member(json));
  ASSIGN(out.frozen, flag_member(json, "frozen"));
  ASSIGN(const auto normalize, flag_member(json, "normalize"));
  out.type = type.value_or("");
  out.normalize = normalize.value_or(false);
  const Json* schema = json.find("schema");
  if (!schema || schema->is_null()) return out;
  ASSIGN(Registration registration, registration_of(text_of(*schema)));
  const std::string kind = out.type.empty() ? "value" : out.type;
  TRY(change_tags(call, out.subject.value_or(resource.default_subject(kind)), registration));
  out.schema = std::move(registration.candidate);
  return out;
}

const JsonArray* list_of(const Json& json, std::string_view name) {
  const Json* list = json.find(name);
  return list ? list->array() : nullptr;
}

Answer<AssociationRequest> request_of(const Call& call, const Json& json) {
  ASSIGN(AssociationRequest out, resource_of(json));
  const JsonArray* list = list_of(json, "associations");
  if (!list) return out;
  for (const Json& one : *list) {
    ASSIGN(out.wishes.emplace_back(), wish_of(call, one, out));
  }
  return out;
}

Answer<AssociationFilter> filter_of(const Call& call) {
  AssociationFilter out{.resource_type = call.param("resourceType"),
                        .types = call.params("associationType")};
  if (out.resource_type->empty()) out.resource_type = kTopic;
  const std::string lifecycle = call.param("lifecycle");
  if (lifecycle.empty()) return out;
  out.strong = subjects::is_strong(lifecycle);
  if (!out.strong) return refuse(404, "HTTP 404 Not Found");
  return out;
}

Json page_of(const Call& call, std::vector<Association> all) {
  JsonArray out;
  for (const Association& one : call.page(std::move(all), kMostAssociations))
    out.push_back(shown(one));
  return Json(std::move(out));
}

Answer<Body> put(const Call& call, AssociationRequest request, bool creates) {
  const bool dry_run = call.flag("dryRun");
  TRY(subjects::complete(request, creates, dry_run));
  AssociationRequest resource = request;
  resource.wishes.clear();
  ASSIGN(const auto made, call.registry().put_associations(call.context_param(), std::move(request),
                                                           creates, dry_run));
  return resource_json(resource, made);
}

/// A result of a batch: of one that changes something most refusals keep their codes.
Json result_json(const Answer<Json>& result, bool changes) {
  if (result) return Json(JsonObject{{"result", *result}});
  Refusal why = result.error();
  constexpr std::array kTold = {42212, 40903, 40904, 40905, 40907, 40908, 40901, 42206, 42209};
  if (!changes) {
    why = {500, "Error while getting associations: " + why.message};
  } else if (why.code == 42201) {
    why.code = 42212;
  } else if (std::ranges::find(kTold, why.code) == kTold.end()) {
    why = {500, "Error while creating association: " + why.message};
  }
  return Json(JsonObject{{"error", Json(JsonObject{{"error_code", Json(std::int64_t{why.code})},
                                                   {"message", Json(why.message)}})}});
}

Json batch_json(JsonArray results) {
  return Json(JsonObject{{"results", Json(std::move(results))}});
}

Answer<Json> batch_get(const Call& call, const Json& query) {
  ASSIGN(AssociationRequest resource, resource_of(query));
  const std::string id = resource.resource_id.value_or("");
  if (id.empty() && resource.resource_name.empty())
    return invalid_association("resourceId", "either resourceId or resourceName must be specified");
  if (!resource.resource_name.empty() && resource.resource_namespace.empty())
    return invalid_association("resourceNamespace",
                               "resourceNamespace is required when resourceName is specified");
  if (resource.resource_type.empty()) resource.resource_type = kTopic;
  AssociationFilter filter{.resource_type = resource.resource_type};
  if (const JsonArray* types = list_of(query, "associationTypes"))
    for (const Json& type : *types)
      if (type.text()) filter.types.push_back(*type.text());
  ASSIGN(filter.strong, lifecycle_member(query));
  const auto found = id.empty() ? call.registry().associations_named(
                                      resource.resource_name, resource.resource_namespace, filter)
                                : call.registry().associations_of_resource(id, filter);
  std::vector<subjects::MadeAssociation> all;
  for (const Association& one : found) {
    if (&one == &found.front()) {
      if (resource.resource_name.empty()) resource.resource_name = one.resource_name;
      if (resource.resource_namespace.empty()) resource.resource_namespace = one.resource_namespace;
      if (!resource.resource_id) resource.resource_id = one.resource_id;
    }
    if (one.resource_name != resource.resource_name ||
        one.resource_namespace != resource.resource_namespace ||
        one.resource_id != resource.resource_id)
      return refuse(500,
                    "All associations must have the same resourceName, resourceNamespace, "
                    "resourceId, and resourceType.");
    auto& made = all.emplace_back(subjects::MadeAssociation{.association = one});
    if (!call.flag("includeSchemas")) continue;
    if (const auto latest = call.registry().version(one.subject, -1, false)) made.schema = *latest;
  }
  return resource_json(resource, all);
}

/// One operation of a batch.
struct Operation {
  enum class Kind { kCreate, kUpsert, kDelete } kind = Kind::kCreate;
  AssociationWish wish = {};
  bool cascades = false;
};

Answer<std::vector<Operation>> operations_of(const Call& call, const Json& json,
                                             const AssociationRequest& resource) {
  std::vector<Operation> out;
  const JsonArray* list = list_of(json, "associations");
  if (!list || list->empty()) return invalid_association("associations", "cannot be null or empty");
  std::vector<std::string> types;
  for (const Json& one : *list) {
    const std::string* kind = one.find_text("opType");
    Operation& operation = out.emplace_back();
    ASSIGN(operation.wish, wish_of(call, one, resource));
    if (kind && *kind == "UPSERT")
      operation.kind = Operation::Kind::kUpsert;
    else if (kind && *kind == "DELETE")
      operation.kind = Operation::Kind::kDelete;
    else if (!kind || *kind != "CREATE")
      return refuse(422, "\"opType\" must be CREATE, UPSERT or DELETE");
    ASSIGN(const auto cascades, flag_member(one, "cascadeLifecycle"));
    operation.cascades = cascades.value_or(false);
    if (operation.kind == Operation::Kind::kDelete) {
      operation.wish = {.type = operation.wish.type.empty() ? "value" : operation.wish.type};
      if (operation.wish.type != "key" && operation.wish.type != "value")
        return invalid_association("associationType", "must be either 'key' or 'value'");
    } else {
      AssociationRequest alone = resource;
      alone.wishes = {operation.wish};
      TRY(subjects::complete(alone, operation.kind == Operation::Kind::kCreate, true));
      operation.wish = std::move(alone.wishes.front());
    }
    const std::string& type = operation.wish.type;
    if (std::ranges::find(types, type) != types.end())
      return invalid_association("associationType", "may only appear once per request, but '" +
                                                        type + "' appears more than once");
    types.push_back(type);
  }
  return out;
}

Answer<Json> batch_change(const Call& call, const Json& json) {
  const bool dry_run = call.flag("dryRun");
  ASSIGN(AssociationRequest resource, resource_of(json));
  TRY(subjects::complete_resource(resource, dry_run));
  ASSIGN(const auto operations, operations_of(call, json, resource));
  const std::string id = resource.resource_id.value_or("");
  std::map<std::string, subjects::SchemaVersionPtr> schemas;
  // A run of one kind is one request: all of it or nothing.
  for (auto at = operations.begin(); at != operations.end();) {
    if (at->kind == Operation::Kind::kDelete) {
      TRY(call.registry().delete_associations(
          id, {.resource_type = resource.resource_type, .types = {at->wish.type}}, at->cascades,
          dry_run));
      ++at;
      continue;
    }
    const auto kind = at->kind;
    AssociationRequest run = resource;
    for (; at != operations.end() && at->kind == kind; ++at) run.wishes.push_back(at->wish);
    ASSIGN(const auto made,
           call.registry().put_associations(call.context_param(), std::move(run),
                                            kind == Operation::Kind::kCreate, dry_run));
    for (const auto& one : made) schemas[one.association.type] = one.schema;
  }
  std::vector<subjects::MadeAssociation> all;
  if (!dry_run)
    for (const Association& one :
         call.registry().associations_of_resource(id, {.resource_type = resource.resource_type}))
      all.push_back({.association = one, .schema = schemas[one.type]});
  return resource_json(resource, all);
}

using BatchOf = Answer<Json> (*)(const Call&, const Json&);

Answer<Body> batch(const Call& call, BatchOf one_by_one, bool changes) {
  ASSIGN(const Json json, object_of(call.body()));
  const JsonArray* list = list_of(json, "requests");
  if (!list || list->empty()) return invalid_association("requests", "cannot be null or empty");
  JsonArray results;
  for (const Json& one : *list) results.push_back(result_json(one_by_one(call, one), changes));
  return batch_json(std::move(results));
}

}  // namespace

Answer<Body> associations_of_subject(const Call& call) {
  ASSIGN(const auto filter, filter_of(call));
  return page_of(call, call.registry().associations_of_subject(call.subject_at(2), filter));
}

Answer<Body> associations_named(const Call& call) {
  ASSIGN(const auto filter, filter_of(call));
  return page_of(call, call.registry().associations_named(call.path()[3], call.path()[2], filter));
}

Answer<Body> associations_of_resource(const Call& call) {
  ASSIGN(const auto filter, filter_of(call));
  return page_of(call, call.registry().associations_of_resource(call.path()[2], filter));
}

Answer<Body> create_associations(const Call& call) {
  ASSIGN(const Json json, object_of(call.body()));
  ASSIGN(AssociationRequest request, request_of(call, json));
  return put(call, std::move(request), true);
}

Answer<Body> put_associations(const Call& call) {
  ASSIGN(const Json json, object_of(call.body()));
  ASSIGN(AssociationRequest request, request_of(call, json));
  const std::string& id = call.path()[2];
  if (request.resource_id.value_or(id) != id)
    return invalid_association("resourceId",
                               "Resource ID in the path parameter does not match the resource ID "
                               "in the request body");
  request.resource_id = id;
  return put(call, std::move(request), false);
}

Answer<Body> delete_associations(const Call& call) {
  ASSIGN(auto filter, filter_of(call));
  filter.strong = std::nullopt;
  const std::string& id = call.path()[2];
  if (call.registry().associations_of_resource(id, filter).empty())
    return refuse(40410, "Association for '" + id + "' not found.");
  TRY(call.registry().delete_associations(id, filter, call.flag("cascadeLifecycle"),
                                          call.flag("dryRun")));
  return std::nullopt;
}

Answer<Body> get_association_batch(const Call& call) {
  return batch(call, batch_get, false);
}

Answer<Body> change_association_batch(const Call& call) {
  return batch(call, batch_change, true);
}

AssociatedSubjects::AssociatedSubjects(const Call& call)
    : registry_(call.registry()), filter_{.types = call.params("associationType")} {
  const std::string type = call.param("resourceType");
  if (!type.empty()) filter_.resource_type = type;
  for (const std::string& one : call.params("lifecycle")) {
    strong_ = strong_ || one == "STRONG";
    weak_ = weak_ || one == "WEAK";
    none_ = none_ || one == "NONE";
  }
  asked_ = filter_.resource_type || !filter_.types.empty() || strong_ || weak_ || none_;
}

bool AssociatedSubjects::has(const std::string& subject, JsonArray& shown_ones) const {
  const auto all = registry_.associations_of_subject(subject, filter_);
  if (all.empty()) return none_;
  const bool any_kind = !strong_ && !weak_;
  if (any_kind && none_) return false;
  for (const Association& one : all)
    if (any_kind || (one.strong ? strong_ : weak_)) shown_ones.push_back(shown(one));
  return !shown_ones.empty();
}

}  // namespace tailrace::registry
