// Which request asks what of the registry, and the door's server.
#include <algorithm>
#include <array>
#include <chrono>

#include "registry/call.h"
#include "registry/door.h"
#include "registry/formats.h"
#include "registry/handlers.h"
#include "registry/json_bodies.h"
#include "registry/tags.h"

namespace tailrace::registry {
namespace {

using schema::Json;
using schema::JsonArray;
using schema::JsonObject;
using subjects::Candidate;
using subjects::refuse;
using subjects::Scope;

constexpr std::size_t kMostSchemas = 1000;
constexpr const char* kType = "application/vnd.schemaregistry.v1+json";

Json number(std::int64_t value) {
  return Json(value);
}

// The schema in the form that the parameter `format` names.
Answer<subjects::SchemaVersionPtr> formatted(const Call& call,
                                             Answer<subjects::SchemaVersionPtr> found) {
  if (!found) return found;
  return in_format(call.registry(), std::move(*found), call.param("format"));
}

Answer<Json> shown(const Call& call, Answer<subjects::SchemaVersionPtr> found) {
  ASSIGN(const auto schema, formatted(call, std::move(found)));
  return Json(version_json(*schema));
}

// References with the context of the schema that has them.
Json shown_version(const Call& call, const subjects::SchemaVersion& schema, JsonObject json) {
  const auto name = subjects::SubjectName::parse(schema.subject);
  if (call.param("referenceFormat") != "qualified" || name.context == subjects::kDefaultContext ||
      schema.references.empty())
    return Json(std::move(json));
  auto references = schema.references;
  for (auto& one : references)
    one.subject = subjects::SubjectName::within(schema.subject, one.subject).qualified();
  for (auto& member : json) {
    if (member.name == "references") member.value = subjects::to_json(references);
  }
  return Json(std::move(json));
}

// Adds what the parameter `findTags` asks for.
Answer<void> add_tags(const Call& call, const subjects::SchemaVersion& schema, JsonObject& out) {
  const auto wanted = call.params("findTags");
  if (wanted.empty()) return {};
  ASSIGN(const auto parts, tagged_parts(call.registry(), schema, wanted));
  out.push_back({"schemaTags", to_json(parts)});
  return {};
}

Answer<Body> list_subjects(const Call& call) {
  const auto all =
      call.registry().subjects(call.prefix_param(subjects::kEveryContext), call.show());
  return texts_json(call.page(all));
}

Answer<Body> look_up(const Call& call) {
  ASSIGN(const Candidate candidate, candidate_of(call.body()));
  return shown(call, call.registry().lookup(call.aliased_subject_at(1), candidate,
                                            call.flag("normalize"), call.shows_deleted()));
}

Answer<Body> delete_subject(const Call& call) {
  ASSIGN(const auto numbers,
         call.registry().delete_subject(call.aliased_subject_at(1), call.flag("permanent")));
  return numbers_json(numbers);
}

Answer<Body> list_versions(const Call& call) {
  const std::string subject = call.aliased_subject_at(1);
  const bool negative = call.flag("deletedAsNegative");
  ASSIGN(auto numbers,
         call.registry().versions(subject, negative && call.show() == subjects::Show::kLive
                                               ? subjects::Show::kAll
                                               : call.show()));
  if (negative) {
    for (int& one : numbers) {
      if (!call.registry().version(subject, one, false)) one = -one;
    }
  }
  return numbers_json(call.page(numbers));
}

// The answer to who registered a schema.
Answer<Body> registered(const Call& call, Answer<subjects::SchemaVersionPtr> made) {
  ASSIGN(const auto schema, formatted(call, std::move(made)));
  JsonObject out = version_json(*schema, false);
  out.insert(out.begin() + 1, {"version", number(schema->version)});
  return Json(std::move(out));
}

Answer<Body> register_schema(const Call& call) {
  const std::string subject = call.aliased_subject_at(1);
  ASSIGN(Registration request, registration_of(call.body()));
  if (!subjects::is_valid_subject(subject, false))
    return refuse(42208, "The specified subject '" + subject + "' is not a valid.");
  TRY(change_tags(call, subject, request));
  return registered(
      call, call.registry().register_schema(subject, request.candidate, call.flag("normalize"),
                                            call.flag("force")));
}

// The rules that a version with other tags has: those given, or the ones before it, changed.
std::optional<subjects::RuleSet> rules_after(const TagRequest& request,
                                             const subjects::SchemaVersion* before) {
  if (!request.rules_to_merge && request.rules_to_remove.empty()) return request.rules;
  auto rules = subjects::merged(before ? before->rules : std::nullopt, request.rules_to_merge);
  if (!rules) return rules;
  for (auto* list : {&rules->migration, &rules->domain, &rules->encoding}) {
    std::erase_if(*list, [&](const subjects::Rule& rule) {
      return rule.name && std::ranges::count(request.rules_to_remove, *rule.name) > 0;
    });
  }
  return rules;
}

Answer<Body> change_tags_of_version(const Call& call) {
  const std::string subject = call.aliased_subject_at(1);
  if (!subjects::is_valid_subject(subject, false))
    return refuse(42208, "The specified subject '" + subject + "' is not a valid.");
  ASSIGN(const int version, call.version_at(3));
  ASSIGN(const auto schema, call.registry().version(subject, version, false));
  ASSIGN(const TagRequest request, tag_request_of(call.body()));
  const auto before = call.registry().version(
      subject, request.new_version > 0 ? request.new_version - 1 : -1, false);
  Candidate candidate{.version = request.new_version,
                      .schema_type = std::string(schema::format_name(schema->format)),
                      .references = schema->references,
                      .metadata = request.metadata ? request.metadata : schema->metadata,
                      .rules = rules_after(request, before ? before->get() : nullptr)};
  if (!candidate.metadata) candidate.metadata.emplace();
  candidate.metadata->properties[subjects::kVersionProperty] = std::to_string(request.new_version);
  ASSIGN(candidate.text, with_tags(schema->format, schema->text, request.tags));
  return registered(call, call.registry().register_schema(subject, candidate, false, false));
}

Answer<Body> get_version(const Call& call) {
  ASSIGN(const int version, call.version_at(3));
  ASSIGN(const auto stored,
         call.registry().version(call.aliased_subject_at(1), version, call.shows_deleted()));
  ASSIGN(const auto schema, formatted(call, stored));
  JsonObject out = version_json(*schema);
  TRY(add_tags(call, *stored, out));
  return shown_version(call, *schema, std::move(out));
}

Answer<Body> delete_version(const Call& call) {
  ASSIGN(const int version, call.version_at(3));
  ASSIGN(const int deleted, call.registry().delete_version(call.aliased_subject_at(1), version,
                                                           call.flag("permanent")));
  return number(deleted);
}

Answer<Body> referenced_by(const Call& call) {
  ASSIGN(const int version, call.version_at(3));
  ASSIGN(auto ids,
         call.registry().referenced_by(call.aliased_subject_at(1), version, call.shows_deleted()));
  return numbers_json(call.page(std::move(ids), kMostSchemas));
}

Answer<Body> latest_with(const Call& call) {
  const auto keys = call.params("key"), values = call.params("value");
  std::map<std::string, std::string> properties;
  for (std::size_t i = 0; i < std::min(keys.size(), values.size()); ++i)
    properties[keys[i]] = values[i];
  return shown(call, call.registry().latest_with(call.aliased_subject_at(1), properties,
                                                 call.shows_deleted()));
}

bool has_rule_of(const subjects::SchemaVersion& schema, const std::string& type) {
  if (!schema.rules) return false;
  const auto has = [&](const std::vector<subjects::Rule>& rules) {
    return std::ranges::any_of(rules, [&](const auto& rule) { return rule.type == type; });
  };
  return has(schema.rules->domain) || has(schema.rules->migration) || has(schema.rules->encoding);
}

Answer<Body> list_schemas(const Call& call) {
  const std::string prefix = call.prefix_param(""), rule_type = call.param("ruleType");
  const bool deleted = call.shows_deleted(), latest = call.flag("latestOnly");
  auto all = call.registry().schemas(prefix, deleted, latest);
  std::map<std::string, std::vector<std::string>> aliases;
  if (call.flag("aliases")) aliases = call.registry().aliases(prefix);
  for (const auto& [subject, names] : aliases) {
    if (std::ranges::find(all, subject, [](const auto& one) { return one->subject; }) != all.end())
      continue;
    for (const auto& one : call.registry().schemas(subject, deleted, latest)) {
      if (one->subject == subject) all.push_back(one);
    }
  }
  if (!rule_type.empty())
    std::erase_if(all, [&](const auto& one) { return !has_rule_of(*one, rule_type); });
  if (!aliases.empty())
    std::ranges::stable_sort(all, {}, [](const auto& one) { return one->subject; });
  const AssociatedSubjects associated(call);
  std::map<std::string, JsonArray> associations;  // by subject
  if (associated.asked()) {
    std::erase_if(all, [&](const auto& one) {
      const auto [known, is_new] = associations.try_emplace(one->subject);
      return !(is_new ? associated.has(one->subject, known->second)
                      : associated.has(one->subject, known->second = {}));
    });
  }
  JsonArray out;
  for (const auto& one : call.page(std::move(all), kMostSchemas)) {
    JsonObject json = version_json(*one);
    if (const auto found = associations.find(one->subject);
        found != associations.end() && !found->second.empty())
      json.push_back({"associations", Json(found->second)});
    if (const auto found = aliases.find(one->subject); found != aliases.end())
      json.push_back({"aliases", texts_json(found->second)});
    out.push_back(Json(std::move(json)));
  }
  return Json(std::move(out));
}

Answer<Body> get_by_id(const Call& call) {
  ASSIGN(const int id, call.number_at(2));
  const std::string subject = call.subject_param();
  ASSIGN(const auto stored, call.registry().by_id(id, subject));
  ASSIGN(const auto schema, formatted(call, stored));
  JsonObject out = version_json(*schema, !subject.empty());
  std::erase_if(out, [](const auto& member) { return member.name == "id"; });
  TRY(add_tags(call, *stored, out));
  if (call.flag("fetchMaxId")) {
    const std::string context = subjects::SubjectName::parse(schema->subject).context;
    out.push_back({"maxId", number(call.registry().max_id(context))});
  }
  return shown_version(call, *schema, std::move(out));
}

Answer<Body> subjects_of_id(const Call& call) {
  ASSIGN(const int id, call.number_at(2));
  ASSIGN(const auto users,
         call.registry().users_of_id(id, call.subject_param(), call.shows_deleted()));
  std::vector<std::string> names;
  for (const auto& user : users) names.push_back(user.subject);
  return texts_json(call.page(std::move(names)));
}

Answer<Body> versions_of_id(const Call& call) {
  ASSIGN(const int id, call.number_at(2));
  ASSIGN(auto users, call.registry().users_of_id(id, call.subject_param(), call.shows_deleted()));
  JsonArray out;
  for (const auto& user : call.page(std::move(users))) {
    out.push_back(
        Json(JsonObject{{"subject", Json(user.subject)}, {"version", number(user.version)}}));
  }
  return Json(std::move(out));
}

Answer<Body> get_by_guid(const Call& call) {
  ASSIGN(const auto schema, formatted(call, call.registry().by_guid(call.path()[2])));
  JsonObject out = version_json(*schema, false);
  std::erase_if(out, [](const auto& member) { return member.name == "id"; });
  return Json(std::move(out));
}

Answer<Body> ids_of_guid(const Call& call) {
  JsonArray out;
  for (const auto& one : call.registry().ids_of_guid(call.path()[2]))
    out.push_back(Json(JsonObject{{"context", Json(one.context)}, {"id", number(one.id)}}));
  return Json(std::move(out));
}

Answer<Body> list_types(const Call&) {
  return texts_json(schema::format_names());
}

Answer<Body> list_contexts(const Call& call) {
  auto all = call.registry().contexts();
  const std::string prefix = call.param("contextPrefix");
  std::erase_if(all, [&](const std::string& one) { return !one.starts_with(prefix); });
  return texts_json(call.page(std::move(all)));
}

Answer<Body> delete_context(const Call& call) {
  TRY(call.registry().delete_context(call.path()[1]));
  return std::nullopt;
}

Answer<Body> tried(const Call& call, std::optional<int> version) {
  const bool verbose = call.flag("verbose");
  ASSIGN(const Candidate candidate, candidate_of(call.body()));
  auto reasons = call.registry().incompatibilities(call.aliased_subject_at(2), candidate, version,
                                                   call.flag("normalize"));
  if (!reasons && reasons.error().code == 42201 && verbose)
    reasons = std::vector<std::string>{reasons.error().message};
  if (!reasons) return std::unexpected(reasons.error());
  JsonObject out{{"is_compatible", Json(reasons->empty())}};
  if (verbose) out.push_back({"messages", texts_json(*reasons)});
  return Json(std::move(out));
}

Answer<Body> try_all(const Call& call) {
  return tried(call, std::nullopt);
}

Answer<Body> try_version(const Call& call) {
  ASSIGN(const int version, call.version_at(4));
  return tried(call, version);
}

Answer<Body> get_config(const Call& call) {
  ASSIGN(const auto config, call.registry().config(call.scope_at(1), call.flag("defaultToGlobal")));
  return Json(subjects::to_json(config, "compatibilityLevel"));
}

Answer<Body> put_config(const Call& call) {
  const Scope scope = call.scope_at(1);
  ASSIGN(const ConfigChange change, config_change_of(call.body()));
  if (scope && !subjects::is_valid_subject(*scope, true))
    return refuse(42208, "The specified subject '" + *scope + "' is not a valid.");
  ASSIGN(const auto config, call.registry().set_config(scope, change.config, change.cleared));
  return Json(subjects::to_json(config, "compatibility"));
}

Answer<Body> delete_config(const Call& call) {
  ASSIGN(const auto config, call.registry().delete_config(call.scope_at(1)));
  return Json(subjects::to_json(config, "compatibilityLevel"));
}

Json mode_json(std::optional<subjects::Mode> mode) {
  JsonObject out;
  if (mode) out.push_back({"mode", Json(std::string(mode_name(*mode)))});
  return Json(std::move(out));
}

Answer<Body> get_mode(const Call& call) {
  ASSIGN(const auto mode, call.registry().mode(call.scope_at(1), call.flag("defaultToGlobal")));
  return mode_json(mode);
}

Answer<Body> put_mode(const Call& call) {
  const Scope scope = call.scope_at(1);
  if (scope && !subjects::is_valid_subject(*scope, true))
    return refuse(42208, "The specified subject '" + *scope + "' is not a valid.");
  ASSIGN(const auto mode, mode_of(call.body()));
  const auto name = scope ? subjects::SubjectName::parse(*scope) : subjects::SubjectName();
  const bool global = name.context == subjects::kGlobalContext && name.subject.empty();
  if (mode == subjects::Mode::kForward && !global)
    return refuse(42204, "Forward mode only supported on global level");
  TRY(call.registry().set_mode(scope, mode, call.flag("force")));
  return mode_json(mode);
}

Answer<Body> delete_mode(const Call& call) {
  ASSIGN(const auto mode, call.registry().delete_mode(call.scope_at(1), call.flag("recursive")));
  return mode_json(mode);
}

Answer<Body> root(const Call&) {
  return Json(JsonObject{});
}

// What a paid installation says of itself here is nothing for this one.
Answer<Body> deployment(const Call&) {
  return Json(JsonObject{{"attributes", Json(JsonArray{})}});
}

Answer<Body> server_version(const Call&) {
  return Json(JsonObject{{"version", Json(std::string("8.0.0"))},
                         {"commitId", Json(std::string("tailrace"))}});
}

struct Route {
  const char* method;
  std::string_view path;  ///< `*` is any one name
  Answer<Body> (*handle)(const Call&);
  int status = 200;           ///< of an answer with a body
  bool asks_registry = true;  ///< else it is the same whatever is registered
};

// Paths of Confluent's registry; parameters are where their handlers read them.
constexpr std::array kRoutes = {
    Route{"GET", "", root, 200, false},
    Route{"POST", "", root, 200, false},
    Route{"GET", "subjects", list_subjects},
    Route{"POST", "subjects/*", look_up},
    Route{"DELETE", "subjects/*", delete_subject},
    Route{"GET", "subjects/*/metadata", latest_with},
    Route{"GET", "subjects/*/versions", list_versions},
    Route{"POST", "subjects/*/versions", register_schema},
    Route{"GET", "subjects/*/versions/*", get_version},
    Route{"DELETE", "subjects/*/versions/*", delete_version},
    Route{"GET", "subjects/*/versions/*/referencedby", referenced_by},
    Route{"POST", "subjects/*/versions/*/tags", change_tags_of_version},
    Route{"GET", "schemas", list_schemas},
    Route{"GET", "schemas/types", list_types, 200, false},
    Route{"GET", "schemas/ids/*", get_by_id},
    Route{"GET", "schemas/ids/*/subjects", subjects_of_id},
    Route{"GET", "schemas/ids/*/versions", versions_of_id},
    Route{"GET", "schemas/guids/*", get_by_guid},
    Route{"GET", "schemas/guids/*/ids", ids_of_guid},
    Route{"GET", "contexts", list_contexts},
    Route{"DELETE", "contexts/*", delete_context},
    Route{"POST", "compatibility/subjects/*/versions", try_all},
    Route{"POST", "compatibility/subjects/*/versions/*", try_version},
    Route{"GET", "config", get_config},
    Route{"PUT", "config", put_config},
    Route{"DELETE", "config", delete_config},
    Route{"GET", "config/*", get_config},
    Route{"PUT", "config/*", put_config},
    Route{"DELETE", "config/*", delete_config},
    Route{"GET", "mode", get_mode},
    Route{"PUT", "mode", put_mode},
    Route{"DELETE", "mode", delete_mode},
    Route{"GET", "mode/*", get_mode},
    Route{"PUT", "mode/*", put_mode},
    Route{"DELETE", "mode/*", delete_mode},
    Route{"POST", "associations", create_associations},
    Route{"GET", "associations/subjects/*", associations_of_subject},
    Route{"GET", "associations/resources/*", associations_of_resource},
    Route{"PUT", "associations/resources/*", put_associations},
    Route{"DELETE", "associations/resources/*", delete_associations},
    Route{"GET", "associations/resources/*/*", associations_named},
    Route{"POST", "associations:batchGet", get_association_batch, 207},
    Route{"POST", "associations:batchMutate", change_association_batch, 207},
    Route{"GET", "v1/metadata/version", server_version, 200, false},
    Route{"GET", "v1/metadata/deployment", deployment, 200, false},
};

bool matches(std::string_view pattern, const std::vector<std::string>& path) {
  std::size_t at = 0;
  for (const std::string& name : path) {
    if (pattern.empty() && at > 0) return false;
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view part = pattern.substr(0, end);
    if (part != "*" && part != name) return false;
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
    ++at;
  }
  return pattern.empty();
}

// The type of an answer: what the client takes, where it names one of JSON's.
std::string type_for(const net::Request& request) {
  for (const char* type : {kType, "application/vnd.schemaregistry+json", "application/json"}) {
    if (request.header("accept").contains(type)) return type;
  }
  return kType;
}

net::Response refused(const subjects::Refusal& refusal) {
  net::Response response;
  response.status = refusal.status();
  response.body = text_of(
      Json(JsonObject{{"error_code", number(refusal.code)}, {"message", Json(refusal.message)}}));
  return response;
}

// `…/schema` asks for the text alone.
bool asks_for_text(const std::vector<std::string>& path) {
  if (path.empty() || path.back() != "schema") return false;
  return (path.size() == 5 && path[0] == "subjects") || (path.size() == 4 && path[1] == "ids");
}

/// `place`: of the route in kRoutes, once it is found.
net::Response routed(const Call& call, const std::vector<std::string>& path, std::size_t& place) {
  if (call.refusal()) return refused(*call.refusal());
  bool known = false;
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    const Route& route = kRoutes[i];
    if (!matches(route.path, path)) continue;
    known = true;
    if (route.method != call.method()) continue;
    place = i;
    if (route.asks_registry) {
      if (const auto available = call.registry().available(); !available)
        return refused(available.error());
    }
    const auto body = route.handle(call);
    if (!body) return refused(body.error());
    net::Response response;
    response.status = route.status;
    if (!*body) {
      response.status = 204;
    } else if (asks_for_text(call.path())) {
      response.body = *(*body)->find_text("schema");
    } else {
      response.body = text_of(**body);
    }
    return response;
  }
  if (known) return refused({405, "HTTP 405 Method Not Allowed"});
  return refused({404, "HTTP 404 Not Found"});
}

// A body of another type than JSON is not read.
bool takes_body(const net::Request& request) {
  const std::string_view type = request.header("content-type");
  return request.body.empty() || type.empty() || type.contains("json") ||
         type.starts_with("application/octet-stream");
}

Json cluster_json(const std::string& cluster_id) {
  const JsonObject clusters{{"kafka-cluster", Json(cluster_id)},
                            {"schema-registry-cluster", Json(std::string("schema-registry"))}};
  const JsonObject scope{{"path", Json(JsonArray{})}, {"clusters", Json(clusters)}};
  return Json(JsonObject{{"id", Json(std::string())}, {"scope", Json(scope)}});
}

/// As they are in kRoutes, and one more.
std::vector<net::RouteName> route_names() {
  std::vector<net::RouteName> names;
  for (const Route& route : kRoutes) names.push_back({route.method, "/" + std::string(route.path)});
  names.push_back({"GET", "/v1/metadata/id"});
  return names;
}

net::Response answer(subjects::Registry& registry, const net::Request& request,
                     const DoorConfig& config, std::size_t& place) {
  net::Response response;
  if (const auto refusal = why_not(config.auth, request)) {
    response = refused(*refusal);
    if (refusal->code == 401) {
      response.headers.emplace_back("WWW-Authenticate",
                                    "Basic realm=\"" + config.auth.realm + "\"");
    }
  } else if (!takes_body(request)) {
    response = refused({415, "HTTP 415 Unsupported Media Type"});
  } else {
    const Call call(registry, request);
    std::vector<std::string> path = call.path();
    if (path == std::vector<std::string>{"v1", "metadata", "id"}) {
      place = kRoutes.size();
      response.body = text_of(cluster_json(config.cluster_id ? config.cluster_id() : ""));
    } else {
      if (asks_for_text(path)) path.pop_back();
      response = routed(call, path, place);
    }
  }
  response.content_type = type_for(request);
  return response;
}

}  // namespace

Answer<void> change_tags(const Call& call, const std::string& subject, Registration& request) {
  Candidate& candidate = request.candidate;
  const auto format = schema::format_named(candidate.schema_type);
  if (!format || candidate.text.empty()) return {};  // the registry says what is wrong with it
  if (!request.tags.empty()) {
    ASSIGN(candidate.text, with_tags(*format, candidate.text, request.tags));
    if (candidate.version == 0) candidate.version = -1;
  }
  if (!request.propagates_tags) return {};
  const auto latest = call.registry().version(subject, -1, false);
  if (!latest || (*latest)->format != *format) return {};
  TagChange earlier;
  ASSIGN(earlier.add, tagged_parts(call.registry(), **latest, {"*"}));
  if (earlier.empty()) return {};
  ASSIGN(candidate.text, with_tags(*format, candidate.text, earlier));
  return {};
}

Result<std::unique_ptr<Door>> Door::start(DoorConfig config, subjects::Registry& registry) {
  net::HttpServerConfig server{.host = config.host, .port = config.port, .flag = config.flag};
  server.tls = config.tls;
  // A page of another site has neither our certificate's name nor a password.
  server.any_host = config.tls || config.auth.passwords;
  server.refuse = [](int status, std::string_view message) {
    net::Response response = refused({status, std::string(message)});
    response.content_type = kType;
    return response;
  };
  auto metrics = std::make_unique<net::RouteMetrics>(route_names());
  const auto serve = [&registry, config = std::move(config),
                      metrics = metrics.get()](const net::Request& request) {
    const auto since = std::chrono::steady_clock::now();
    std::size_t place = net::RouteMetrics::kNone;
    net::Response response = answer(registry, request, config, place);
    metrics->answered(place, response.status, std::chrono::steady_clock::now() - since);
    return response;
  };
  ASSIGN(auto started, net::HttpServer::start(std::move(server), serve));
  return std::unique_ptr<Door>(new Door(registry, std::move(metrics), std::move(started)));
}

void Door::write_metrics(MetricsText& out) const {
  metrics_->write(out, "tailrace_registry", "Requests to the schema registry");
  const auto gauge = [&out](std::string_view name, std::string_view help, std::size_t value) {
    out.family(name, MetricType::kGauge, help);
    out.add({}, value);
  };
  gauge("tailrace_registry_connections", "Connections of the schema registry's clients now.",
        server_->connections());
  if (!registry_.available()) return;  // a part of them would be counted
  const subjects::Registry::Counts counts = registry_.counts();
  gauge("tailrace_registry_subjects", "Subjects that have a version.", counts.subjects);
  gauge("tailrace_registry_versions", "Versions of all subjects.", counts.versions);
  gauge("tailrace_registry_deleted_versions",
        "Versions that are deleted and can still be read by who asks for deleted ones.",
        counts.deleted_versions);
}

}  // namespace tailrace::registry
