// Actions read and checked, then carried out one after the other.
#include "airflow/bulk.h"

#include <fmt/format.h>

namespace tailrace::airflow {
namespace {

constexpr std::size_t kMostActions = 1000;

/// The faults of a part of the body, with where it stands.
std::unexpected<Refusal> placed(Refusal refusal, const Json& place) {
  if (!refusal.detail.is_array()) return std::unexpected(std::move(refusal));
  for (Json& fault : refusal.detail) {
    Json loc = place;
    for (std::size_t i = 1; i < fault["loc"].size(); ++i) loc.push_back(fault["loc"][i]);
    fault["loc"] = std::move(loc);
  }
  return std::unexpected(std::move(refusal));
}

std::string name_in(const Json& entity, const Bulk& of) {
  return entity.is_string() ? entity.get<std::string>() : entity.value(of.name, std::string());
}

Answer<void> check_entities(const BulkAction& action, const CheckEntity& check, const Json& place) {
  for (std::size_t i = 0; i < action.entities.size(); ++i) {
    const Json& entity = action.entities[i];
    Json at = place;
    at.insert(at.end(), {"entities", i});
    if (action.what == "delete" && entity.is_string()) continue;
    if (!entity.is_object()) {
      Faults faults;
      faults.add("model_attributes_type", "body", "",
                 "Input should be a valid dictionary or object to "
                 "extract fields from",
                 entity);
      return placed(faults.check().error(), at);
    }
    if (auto fine = check(entity, action.what == "update"); !fine)
      return placed(std::move(fine.error()), at);
  }
  return {};
}

Answer<BulkAction> action_of(const Json& given, std::size_t number, const CheckEntity& check) {
  Json place = {"body", "actions", number};
  if (!given.is_object() || !given.contains("action") || !given["action"].is_string())
    return refuse(422, fmt::format("actions[{}]: an object with an `action` is expected", number));
  Body body(given);
  BulkAction action;
  const auto what = body.one_of("action", {"create", "update", "delete"});
  TRY(what ? Answer<void>() : body.check(true));
  action.what = *what;
  place.push_back(action.what);
  body.required("entities");
  const auto entities = body.any("entities");
  if (action.what == "update") action.mask = body.texts("update_mask").value_or(action.mask);
  if (action.what == "create") {
    action.on_existence =
        body.one_of("action_on_existence", {"fail", "skip", "overwrite"}).value_or("fail");
  } else {
    action.on_non_existence =
        body.one_of("action_on_non_existence", {"fail", "skip"}).value_or("fail");
  }
  if (auto fine = body.check(); !fine) return placed(std::move(fine.error()), place);
  if (!entities || !entities->is_array()) {
    Faults faults;
    faults.add("list_type", "body", "entities", "Input should be a valid list",
               entities.value_or(Json(nullptr)));
    return placed(faults.check().error(), place);
  }
  action.entities.assign(entities->begin(), entities->end());
  TRY(check_entities(action, check, place));
  return action;
}

/// As Python writes a set.
std::string set_text(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", name);
  return "{" + text + "}";
}

void carry_out_named(const BulkAction& action, const Bulk& of, Json& result) {
  const auto there = of.there();
  std::set<std::string> present, absent;
  for (const Json& entity : action.entities) {
    const std::string name = name_in(entity, of);
    (there.contains(name) ? present : absent).insert(name);
  }
  if (action.on_existence == "fail" && !present.empty())
    return note(result,
                {409, fmt::format("The {}: {} already exist.", of.called, set_text(present))});
  if (action.on_non_existence == "fail" && !absent.empty())
    return note(result,
                {404, fmt::format("The {}: {} were not found.", of.called, set_text(absent))});
  for (const Json& entity : action.entities) {
    const std::string name = name_in(entity, of);
    const bool is_there = present.contains(name);
    if (action.on_existence.empty() ? !is_there : is_there && action.on_existence == "skip")
      continue;
    auto done = action.what == "create"   ? of.create(entity)
                : action.what == "update" ? of.update(entity, action.mask)
                                          : of.drop(name);
    if (!done) return note(result, done.error());
    if (action.what == "delete") present.erase(name);  // named twice, it is deleted once
    result["success"].push_back(name);
  }
}

Answer<std::vector<BulkAction>> actions_of(Call& call, const CheckEntity& check) {
  ASSIGN(Body body, call.body());
  body.required("actions");
  const auto given = body.any("actions");
  TRY(body.check());
  if (!given || !given->is_array()) {
    Faults faults;
    faults.add("list_type", "body", "actions", "Input should be a valid list",
               given.value_or(Json(nullptr)));
    TRY(faults.check());
  }
  if (given->size() > kMostActions)
    return refuse(422, fmt::format("at most {} actions in one request", kMostActions));
  std::vector<BulkAction> actions;
  for (std::size_t i = 0; i < given->size(); ++i) {
    ASSIGN(auto action, action_of((*given)[i], i, check));
    actions.push_back(std::move(action));
  }
  return actions;
}

}  // namespace

void note(Json& result, const Refusal& refusal) {
  const std::string why =
      refusal.detail.is_string() ? refusal.detail.get<std::string>() : refusal.detail.dump();
  result["errors"].push_back({{"error", why}, {"status_code", refusal.status}});
}

Refusal twice(Refusal refusal) {
  const Json once = refusal.detail;
  if (once.is_array()) refusal.detail.insert(refusal.detail.end(), once.begin(), once.end());
  return refusal;
}

Answer<Reply> bulk(Call& call, const CheckEntity& check, const CarryOut& carry_out,
                   bool faults_twice) {
  auto actions = actions_of(call, check);
  if (!actions)
    return std::unexpected(faults_twice ? twice(std::move(actions.error()))
                                        : std::move(actions.error()));
  Json answer = {{"create", nullptr}, {"update", nullptr}, {"delete", nullptr}};
  for (const BulkAction& action : *actions) {
    Json& result = answer[action.what];
    if (result.is_null()) result = {{"success", Json::array()}, {"errors", Json::array()}};
    carry_out(action, result);
  }
  return Reply(std::move(answer));
}

Answer<Reply> bulk(Call& call, const Bulk& of) {
  return bulk(call, of.check,
              [&](const BulkAction& action, Json& result) { carry_out_named(action, of, result); });
}

}  // namespace tailrace::airflow
