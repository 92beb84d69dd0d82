// Pools, variables and connections: those that are kept, not those of the environment or of the
// project's settings. A password is never in an answer.
#include <algorithm>
#include <map>

#include "airflow/bulk.h"
#include "airflow/clearing.h"
#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/runs.h"
#include "airflow/secrets.h"

namespace tailrace::airflow {
namespace {

constexpr std::size_t kLongestKey = 250, kLongestConnection = 200, kLongestPool = 256;
constexpr const char* kHidden = "***";

/// Slots of a pool's tasks by their state.
struct Use {
  std::int64_t running = 0, queued = 0, scheduled = 0, deferred = 0;
};

Answer<std::map<std::string, Use>> pool_uses(const Call& call) {
  ASSIGN(
      const auto page,
      or_refuse(call.kept().runs({.dag = "",
                                  .states = {sched::RunState::kQueued, sched::RunState::kRunning},
                                  .limit = kMostRows})));
  std::map<std::string, Use> uses;
  const Catalog catalog(call.workflows);
  for (const auto& run : page.runs) {
    const auto dag = catalog.find(run.id.dag);
    if (!dag) continue;
    ASSIGN(const auto tasks, or_refuse(call.kept().tasks(run.id)));
    for (const auto& one : tasks) {
      const dags::Task* task = dag->find(one.id.task);
      if (task == nullptr) continue;
      Use& use = uses[task->pool];
      if (one.state == sched::TaskState::kRunning) use.running += task->pool_slots;
      if (one.state == sched::TaskState::kQueued) use.queued += task->pool_slots;
      if (one.state == sched::TaskState::kScheduled) use.scheduled += task->pool_slots;
      if (one.state == sched::TaskState::kDeferred) use.deferred += task->pool_slots;
    }
  }
  return uses;
}

Json pool_json(const sched::Pool& pool, const Use& use) {
  const auto occupied =
      use.running + use.queued + (pool.include_deferred ? use.deferred : std::int64_t{0});
  return {{"name", pool.name},
          {"slots", pool.slots},
          {"description", text_or_null(pool.description)},
          {"include_deferred", pool.include_deferred},
          {"occupied_slots", occupied},
          {"running_slots", use.running},
          {"queued_slots", use.queued},
          {"scheduled_slots", use.scheduled},
          {"open_slots", pool.slots < 0 ? -1 : pool.slots - occupied},
          {"deferred_slots", use.deferred},
          {"team_name", nullptr}};
}

Answer<sched::Pool> pool_at(const Call& call) {
  for (const auto& pool : call.workflows.pools()) {
    if (pool.name == call.at(0)) return pool;
  }
  return refuse(404, "The Pool with name: `" + call.at(0) + "` was not found");
}

Answer<Reply> pool_reply(const Call& call, const sched::Pool& pool, int status) {
  ASSIGN(auto uses, pool_uses(call));
  return Reply(status, pool_json(pool, uses[pool.name]));
}

/// `before` is what an overwrite changes: members that are absent stay.
Answer<sched::Pool> pool_of(Body body, const sched::Pool* before) {
  sched::Pool pool = before != nullptr ? *before : sched::Pool{};
  body.required("name");
  pool.name = body.text("name", kLongestPool).value_or("");
  body.required("slots");
  pool.slots =
      static_cast<int>(std::min<std::int64_t>(body.number("slots", -1).value_or(0), INT32_MAX));
  const auto description = body.text("description");
  if (body.has("description")) pool.description = description.value_or("");
  const auto deferred = body.flag("include_deferred");
  if (body.has("include_deferred")) pool.include_deferred = deferred.value_or(false);
  (void)body.text("team_name");
  TRY(body.check());
  return pool;
}

Json variable_json(const metadata::Variable& variable) {
  return {{"key", variable.key},
          {"value", redacted_text(variable.value, variable.key)},
          {"description", text_or_null(variable.description)},
          {"is_encrypted", false},
          {"team_name", nullptr}};
}

Answer<metadata::Variable> variable_at(const Call& call, const std::string& key) {
  ASSIGN(const auto all, or_refuse(call.kept().variables()));
  const auto at = std::ranges::find(all, key, &metadata::Variable::key);
  if (at == all.end()) return refuse(404, "The Variable with key: `" + key + "` was not found");
  return *at;
}

Answer<metadata::Variable> variable_of(Body body) {
  metadata::Variable variable;
  body.required("key");
  variable.key = body.text("key", kLongestKey).value_or("");
  body.required("value");
  const Json value = body.any("value").value_or(Json(nullptr));
  variable.value = value.is_string() ? value.get<std::string>() : value.dump(2);
  variable.description = body.text("description").value_or("");
  (void)body.text("team_name");
  TRY(body.check());
  return variable;
}

Json or_null(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

Json connection_json(const metadata::Connection& one) {
  return {{"connection_id", one.id},
          {"conn_type", one.type.value_or("")},
          {"description", or_null(one.description)},
          {"host", or_null(one.host)},
          {"login", or_null(one.login)},
          {"schema", or_null(one.schema)},
          {"port", one.port ? Json(*one.port) : Json(nullptr)},
          {"password", one.password ? Json(kHidden) : Json(nullptr)},
          {"extra", one.extra ? Json(redacted_text(*one.extra)) : Json(nullptr)},
          {"team_name", nullptr}};
}

Answer<metadata::Connection> connection_at(const Call& call, const std::string& id) {
  ASSIGN(const auto all, or_refuse(call.kept().connections()));
  const auto at = std::ranges::find(all, id, &metadata::Connection::id);
  if (at == all.end())
    return refuse(404, "The Connection with connection_id: `" + id + "` was not found");
  return *at;
}

/// `before` is what a patch changes: members that are absent, or that only show stars, stay.
Answer<metadata::Connection> connection_of(Body body, const metadata::Connection* before) {
  metadata::Connection one = before != nullptr ? *before : metadata::Connection{};
  const auto take = [&](const char* name, std::optional<std::string>& member) {
    auto given = body.text(name);
    if (body.has(name) && given != kHidden) member = std::move(given);
  };
  body.required("connection_id");
  one.id = body.text("connection_id", kLongestConnection).value_or("");
  const bool named = !one.id.empty() && std::ranges::all_of(one.id, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-' || c >= 0x80;
  });
  if (!named && body.has("connection_id")) body.mismatch("connection_id", R"(^[\w.-]+$)");
  body.required("conn_type");
  take("conn_type", one.type);
  take("description", one.description);
  take("host", one.host);
  take("login", one.login);
  take("schema", one.schema);
  const auto port = body.number("port");
  if (body.has("port")) one.port = port;
  // Airflow's set_password() passes over nothing, so that a body of all members takes none away.
  const auto password = body.text("password");
  if (password && !password->empty() && password != kHidden) one.password = password;
  const auto extra = body.text("extra");
  (void)body.text("team_name");
  if (extra && !extra->empty() && !Json::parse(*extra, nullptr, false).is_object())
    body.fault(
        "The `extra` field must be a valid JSON object (e.g., {'key': 'value'}), but encountered "
        "non-JSON in `extra` field",
        "extra");
  TRY(body.check());
  if (body.has("extra")) {
    const bool stars = before != nullptr && before->extra && extra == redacted_text(*before->extra);
    if (!stars) one.extra = extra && extra->empty() ? std::optional<std::string>("{}") : extra;
  }
  return one;
}

bool is_named(const Parameters& given, const std::string& pattern, const std::string& name) {
  return (!given.has(pattern) || matches_pattern(name, given.text(pattern))) &&
         name.starts_with(given.text(pattern.substr(0, pattern.rfind('_')) + "_prefix_pattern"));
}

}  // namespace

Answer<Reply> list_pools(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TRY(parameters.check());
  ASSIGN(auto uses, pool_uses(call));
  std::vector<Json> rows;
  for (const auto& pool : call.workflows.pools()) {
    if (is_named(parameters, "pool_name_pattern", pool.name))
      rows.push_back(pool_json(pool, uses[pool.name]));
  }
  TRY(sort(rows, parameters.texts("order_by"),
           {.allowed = {"id", "pool", "name"}, .members = {{"pool", "name"}}}));
  return Reply(page("pools", std::move(rows), offset, limit));
}

Answer<Reply> get_pool(Call& call) {
  ASSIGN(const auto pool, pool_at(call));
  return pool_reply(call, pool, 200);
}

Answer<Reply> create_pool(Call& call) {
  ASSIGN(Body body, call.body());
  ASSIGN(const auto pool, pool_of(std::move(body), nullptr));
  for (const auto& other : call.workflows.pools()) {
    if (other.name == pool.name)
      return std::unexpected(Refusal{.status = 409,
                                     .detail = {{"reason", "Unique constraint violation"},
                                                {"statement", "hidden"},
                                                {"orig_error", "hidden"},
                                                {"message", "there is a pool " + pool.name}}});
  }
  TRY(or_refuse(call.workflows.handle(sched::SetPool{.pool = pool})));
  return pool_reply(call, pool, 201);
}

Answer<Reply> patch_pool(Call& call) {
  ASSIGN(Body body, call.body());
  const auto name = body.text(body.has("pool") ? "pool" : "name");
  const auto slots = body.number("slots", -1);
  const auto description = body.text("description");
  const auto deferred =
      body.is_null("include_deferred") ? std::nullopt : body.flag("include_deferred");
  (void)body.any("include_deferred");
  (void)body.text("team_name");
  TRY(body.check());
  if (name && *name != call.at(0))
    return refuse(400, "Invalid body, pool name from request body doesn't match uri parameter");
  ASSIGN(auto pool, pool_at(call));
  const auto mask = call.parameters().texts("update_mask");
  if (slots && is_one_of("slots", mask))
    pool.slots = static_cast<int>(std::min<std::int64_t>(*slots, INT32_MAX));
  if (body.has("description") && is_one_of("description", mask))
    pool.description = description.value_or("");
  if (deferred && is_one_of("include_deferred", mask)) pool.include_deferred = *deferred;
  TRY(or_refuse(call.workflows.handle(sched::SetPool{.pool = pool})));
  return pool_reply(call, pool, 200);
}

Answer<Reply> bulk_pools(Call& call) {
  const auto there = [&](const std::string& name) -> std::optional<sched::Pool> {
    for (auto& pool : call.workflows.pools())
      if (pool.name == name) return pool;
    return std::nullopt;
  };
  const auto put = [&](const sched::Pool& pool) {
    return or_refuse(call.workflows.handle(sched::SetPool{.pool = pool}));
  };
  return bulk(
      call,
      {.name = "name",
       .called = "pools with these pool names",
       .there =
           [&] {
             std::set<std::string> names;
             for (const auto& pool : call.workflows.pools()) names.insert(pool.name);
             return names;
           },
       .check = [](const Json& entity, bool) -> Answer<void> {
         TRY(pool_of(Body(entity), nullptr));
         return {};
       },
       .create = [&](const Json& entity) -> Answer<void> {
         const auto before = there(entity.value("name", ""));
         ASSIGN(const auto pool, pool_of(Body(entity), before ? &*before : nullptr));
         return put(pool);
       },
       .update = [&](const Json& entity, const std::vector<std::string>& mask) -> Answer<void> {
         const auto before = there(entity.value("name", ""));
         ASSIGN(auto pool, pool_of(Body(entity), before ? &*before : nullptr));
         const bool few = !mask.empty() && std::ranges::all_of(mask, [](const std::string& one) {
           return one == "slots" || one == "include_deferred";
         });
         if (pool.name == "default_pool" && !few)
           return refuse(400, "Only slots and included_deferred can be modified on Default Pool");
         if (before) {
           if (!is_one_of("slots", mask)) pool.slots = before->slots;
           if (!is_one_of("description", mask)) pool.description = before->description;
           if (!is_one_of("include_deferred", mask))
             pool.include_deferred = before->include_deferred;
         }
         return put(pool);
       },
       .drop = [&](const std::string& name) -> Answer<void> {
         if (name == "default_pool") return refuse(400, "Default Pool can't be deleted");
         return or_refuse(call.workflows.handle(sched::DropPool{.name = name}));
       }});
}

Answer<Reply> delete_pool(Call& call) {
  if (call.at(0) == "default_pool") return refuse(400, "Default Pool can't be deleted");
  ASSIGN(const auto pool, pool_at(call));
  TRY(or_refuse(call.workflows.handle(sched::DropPool{.name = pool.name})));
  return Reply::nothing();
}

Answer<Reply> list_variables(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TRY(parameters.check());
  ASSIGN(const auto all, or_refuse(call.kept().variables()));
  std::vector<Json> rows;
  for (const auto& one : all) {
    if (is_named(parameters, "variable_key_pattern", one.key)) rows.push_back(variable_json(one));
  }
  TRY(sort(rows, parameters.texts("order_by"),
           {.allowed = {"key", "id", "_val", "description", "is_encrypted", "team_name"},
            .members = {{"_val", "value"}}}));
  return Reply(page("variables", std::move(rows), offset, limit));
}

Answer<Reply> get_variable(Call& call) {
  ASSIGN(const auto variable, variable_at(call, call.at(0)));
  return Reply(variable_json(variable));
}

Answer<Reply> create_variable(Call& call) {
  ASSIGN(Body body, call.body());
  ASSIGN(const auto variable, variable_of(std::move(body)));
  if (variable_at(call, variable.key))
    return refuse(409, "The Variable with key: `" + variable.key + "` already exists");
  TRY(or_refuse(call.kept().set_variable(variable)));
  return Reply(201, variable_json(variable));
}

Answer<Reply> patch_variable(Call& call) {
  ASSIGN(Body body, call.body());
  const bool described = body.has("description");
  ASSIGN(auto variable, variable_of(std::move(body)));
  if (variable.key != call.at(0))
    return refuse(400, "Invalid body, key from request body doesn't match uri parameter");
  ASSIGN(const auto before, variable_at(call, call.at(0)));
  const auto mask = call.parameters().texts("update_mask");
  if (!described || !is_one_of("description", mask)) variable.description = before.description;
  if (!is_one_of("value", mask)) variable.value = before.value;
  TRY(or_refuse(call.kept().set_variable(variable)));
  return Reply(variable_json(variable));
}

Answer<Reply> bulk_variables(Call& call) {
  return bulk(
      call,
      {.name = "key",
       .called = "variables with these keys",
       .there =
           [&] {
             std::set<std::string> keys;
             if (const auto all = call.kept().variables())
               for (const auto& one : *all) keys.insert(one.key);
             return keys;
           },
       .check = [](const Json& entity, bool) -> Answer<void> {
         TRY(variable_of(Body(entity)));
         return {};
       },
       .create = [&](const Json& entity) -> Answer<void> {
         ASSIGN(const auto variable, variable_of(Body(entity)));
         return or_refuse(call.kept().set_variable(variable));
       },
       .update = [&](const Json& entity, const std::vector<std::string>& mask) -> Answer<void> {
         ASSIGN(auto variable, variable_of(Body(entity)));
         ASSIGN(const auto before, variable_at(call, variable.key));
         if (!entity.contains("description") || !is_one_of("description", mask))
           variable.description = before.description;
         if (!is_one_of("value", mask)) variable.value = before.value;
         return or_refuse(call.kept().set_variable(variable));
       },
       .drop = [&](const std::string& key) { return or_refuse(call.kept().drop_variable(key)); }});
}

Answer<Reply> delete_variable(Call& call) {
  TRY(variable_at(call, call.at(0)));
  TRY(or_refuse(call.kept().drop_variable(call.at(0))));
  return Reply::nothing();
}

Answer<Reply> list_connections(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  TRY(parameters.check());
  ASSIGN(const auto all, or_refuse(call.kept().connections()));
  std::vector<Json> rows;
  for (const auto& one : all) {
    if (is_named(parameters, "connection_id_pattern", one.id)) rows.push_back(connection_json(one));
  }
  TRY(sort(rows, parameters.texts("order_by"),
           {.allowed = {"conn_id", "connection_id", "conn_type", "description", "host", "port",
                        "id", "team_name"},
            .members = {{"conn_id", "connection_id"}}}));
  return Reply(page("connections", std::move(rows), offset, limit));
}

Answer<Reply> get_connection(Call& call) {
  ASSIGN(const auto one, connection_at(call, call.at(0)));
  return Reply(connection_json(one));
}

Answer<Reply> create_connection(Call& call) {
  ASSIGN(Body body, call.body());
  ASSIGN(const auto one, connection_of(std::move(body), nullptr));
  if (connection_at(call, one.id))
    return std::unexpected(Refusal{.status = 409,
                                   .detail = {{"reason", "Unique constraint violation"},
                                              {"statement", "hidden"},
                                              {"orig_error", "hidden"},
                                              {"message", "there is a connection " + one.id}}});
  TRY(or_refuse(call.kept().set_connection(one)));
  return Reply(201, connection_json(one));
}

Answer<Reply> patch_connection(Call& call) {
  ASSIGN(Body body, call.body());
  const Json given = body.object();
  const auto before = connection_at(call, call.at(0));
  ASSIGN(auto one, connection_of(std::move(body), before ? &*before : nullptr));
  if (one.id != call.at(0))
    return refuse(400, "The connection_id in the request body does not match the URL parameter");
  if (!before) return std::unexpected(before.error());
  const auto mask = call.parameters().texts("update_mask");
  if (!is_one_of("conn_type", mask)) one.type = before->type;
  if (!is_one_of("description", mask)) one.description = before->description;
  if (!is_one_of("host", mask)) one.host = before->host;
  if (!is_one_of("login", mask)) one.login = before->login;
  if (!is_one_of("schema", mask)) one.schema = before->schema;
  if (!is_one_of("port", mask)) one.port = before->port;
  if (!is_one_of("password", mask)) one.password = before->password;
  if (!is_one_of("extra", mask)) one.extra = before->extra;
  TRY(or_refuse(call.kept().set_connection(one)));
  return Reply(connection_json(one));
}

Answer<Reply> bulk_connections(Call& call) {
  const auto put = [&](const Json& entity) -> Answer<void> {
    const auto before = connection_at(call, entity.value("connection_id", ""));
    ASSIGN(const auto one, connection_of(Body(entity), before ? &*before : nullptr));
    return or_refuse(call.kept().set_connection(one));
  };
  return bulk(
      call,
      {.name = "connection_id",
       .called = "connections with these connection_ids",
       .there =
           [&] {
             std::set<std::string> ids;
             if (const auto all = call.kept().connections())
               for (const auto& one : *all) ids.insert(one.id);
             return ids;
           },
       .check = [](const Json& entity, bool) -> Answer<void> {
         TRY(connection_of(Body(entity), nullptr));
         return {};
       },
       .create = put,
       // Airflow does not look at the mask here, either.
       .update = [&](const Json& entity, const std::vector<std::string>&) { return put(entity); },
       .drop = [&](const std::string& id) { return or_refuse(call.kept().drop_connection(id)); }});
}

Answer<Reply> delete_connection(Call& call) {
  TRY(connection_at(call, call.at(0)));
  TRY(or_refuse(call.kept().drop_connection(call.at(0))));
  return Reply::nothing();
}

/// Testing a connection runs code of its provider with it; Airflow has it switched off, too.
Answer<Reply> test_connection(Call&) {
  return refuse(403,
                "Testing connections is disabled in Airflow configuration. Contact your deployment "
                "admin to enable it.");
}

}  // namespace tailrace::airflow
