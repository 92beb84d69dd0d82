#include "airflow/event_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "airflow/handlers.h"
#include "airflow/listing.h"
#include "airflow/models.h"
#include "airflow/secrets.h"

namespace tailrace::airflow {
namespace {

constexpr const char* kStars = "***";

/// What is no UTF-8 is replaced: a PostgreSQL keeps none of it.
std::optional<std::string> member(const Json& all, const char* name) {
  const auto found = all.find(name);
  if (found == all.end() || !found->is_string()) return std::nullopt;
  return Json::parse(dump(*found)).get<std::string>();
}

/// A connection's extra is told by its names alone.
Json without_values(const Json& extra) {
  if (!extra.is_string()) return "Encountered non-JSON in `extra` field";
  Json parsed = Json::parse(extra.get_ref<const std::string&>(), nullptr, false);
  if (parsed.is_discarded()) return "Encountered non-JSON in `extra` field";
  if (!parsed.is_object()) return "Expected JSON object in `extra` field, got non-dict JSON";
  for (auto& [name, value] : parsed.items()) value = kStars;
  return parsed;
}

Json of_variable(Json entity) {
  for (auto& [name, value] : entity.items())
    if (name == "val" || name == "value") value = kStars;
  return entity;
}

Json of_connection(const Json& entity) {
  Json out = Json::object();
  for (const auto& [name, value] : entity.items()) {
    const bool given = !value.is_null() && value != Json("");
    out[name] = name == "extra" && given ? without_values(value) : redacted(value, name);
  }
  return out;
}

/// Each entity of a bulk request, or the one that the body is.
Json of_entities(Json body, Json (*masked)(const Json&)) {
  const auto actions = body.find("actions");
  if (actions == body.end() || !actions->is_array()) return masked(body);
  for (Json& action : *actions) {
    if (!action.is_object() || !action.contains("entities") || !action["entities"].is_array())
      continue;
    for (Json& entity : action["entities"])
      if (entity.is_object()) entity = masked(entity);
  }
  return body;
}

/// Members are not told twice: these have columns of their own.
bool has_column(std::string_view name) {
  constexpr std::array kColumns = {"csrf_token", "_csrf_token", "is_paused", "dag_id",
                                   "task_id",    "dag_run_id",  "run_id",    "logical_date"};
  return std::ranges::find(kColumns, name) != kColumns.end();
}

Json event_json(const metadata::EventLog& one, const Catalog& catalog) {
  return {{"event_log_id", one.id},
          {"when", time_json(one.at)},
          {"dag_id", one.dag ? Json(*one.dag) : Json()},
          {"task_id", one.task ? Json(*one.task) : Json()},
          {"run_id", one.run ? Json(*one.run) : Json()},
          {"map_index", nullptr},
          {"try_number", nullptr},
          {"event", one.event},
          {"logical_date", time_json(one.logical_date)},
          {"owner", one.owner},
          {"extra", one.extra},
          {"dag_display_name",
           one.dag && catalog.find(*one.dag) ? Json(catalog.display_name(*one.dag)) : Json()},
          {"task_display_name", nullptr}};
}

/// Case counts, as in Airflow's prefixes, which an index finds; `|` stands between several.
bool matches_prefix(std::string_view text, std::string_view prefixes) {
  for (std::size_t from = 0; from <= prefixes.size();) {
    const std::size_t end = std::min(prefixes.find('|', from), prefixes.size());
    std::string_view one = prefixes.substr(from, end - from);
    if (one == "~" || text.starts_with(one)) return true;
    from = end + 1;
  }
  return false;
}

/// The filters of a list that are texts: NAME, NAME_pattern, NAME_prefix_pattern.
class TextFilters {
 public:
  explicit TextFilters(const Parameters& parameters) {
    for (const char* name : {"dag_id", "task_id", "run_id", "owner", "event"})
      filters_.push_back({name, parameters.text(name),
                          parameters.text(std::string(name) + "_pattern"),
                          parameters.text(std::string(name) + "_prefix_pattern")});
  }
  bool hold(const Json& row) const {
    return std::ranges::all_of(filters_, [&](const Filter& one) {
      const Json& value = row[one.name];
      const std::string text = value.is_string() ? value.get<std::string>() : "";
      const bool there = value.is_string();
      return (one.exact.empty() || (there && text == one.exact)) &&
             (one.pattern.empty() || (there && matches_pattern(text, one.pattern))) &&
             (one.prefix.empty() || (there && matches_prefix(text, one.prefix)));
    });
  }

 private:
  struct Filter {
    std::string name, exact, pattern, prefix;
  };
  std::vector<Filter> filters_;
};

}  // namespace

Answer<void> note(const Call& call, const Noted& noted) {
  const net::Request& request = call.request;
  const bool has_body =
      request.header("content-type").find("application/json") != std::string_view::npos &&
      !request.body.empty();
  Json body = has_body ? Json::parse(request.body, nullptr, false) : Json();
  if (!body.is_object()) body = Json::object();
  const bool may_be_dry =
      noted.event == "clear_dag_run" || noted.event == "post_clear_task_instances";
  if (may_be_dry && has_body && body.value("dry_run", Json(true)) != Json(false)) return {};

  Json params = Json::object(), extra = Json::object();
  const auto add = [&](const std::string& name, const std::string& value) {
    params[name] = value;
    if (!has_column(name)) extra[name] = redacted(value, name);
  };
  for (const auto& [name, value] : request.query) add(name, value);
  std::istringstream names{std::string(noted.names)};
  std::string name;
  for (std::size_t at = 0; names >> name && at < call.names.size(); ++at) add(name, call.at(at));

  if (noted.event.find("variable") != noted.event.npos) {
    extra = of_entities(has_body ? body : extra, [](const Json& one) { return of_variable(one); });
  } else if (noted.event.find("connection") != noted.event.npos) {
    extra = of_entities(has_body ? body : extra, of_connection);
  } else {
    for (const auto& [key, value] : body.items()) extra[key] = redacted(value, key);
  }
  for (const auto& [key, value] : body.items()) params[key] = redacted(value, key);
  if (params.contains("is_paused")) extra["is_paused"] = params["is_paused"];
  extra["method"] = request.method;

  metadata::EventLog row{.at = call.workflows.now(),
                         .dag = member(params, "dag_id"),
                         .task = member(params, "task_id"),
                         .run = member(params, "run_id"),
                         .event = std::string(noted.event),
                         .owner = call.user.empty() ? "Anonymous" : call.user,
                         .extra = python_dump(extra)};
  if (!row.run || row.run->empty()) row.run = member(params, "dag_run_id");
  if (const auto date = request.param("logical_date"))
    if (const auto moment = calendar::parse_moment(*date)) row.logical_date = moment->instant;
  return or_refuse(call.kept().note_event(row));
}

Answer<Reply> list_event_logs(Call& call) {
  Parameters parameters = call.parameters();
  const auto limit = parameters.limit(), offset = parameters.offset();
  const auto order = parameters.texts("order_by");
  const auto map_index = parameters.number("map_index"), tries = parameters.number("try_number");
  const auto before = parameters.time("before"), after = parameters.time("after");
  const auto excluded = parameters.texts("excluded_events");
  const auto included = parameters.texts("included_events");
  const TextFilters texts(parameters);
  TRY(parameters.check());
  auto all = or_refuse(call.kept().event_logs());
  if (!all) return std::unexpected(all.error());
  const Catalog catalog(call.workflows);
  std::vector<Json> rows;
  for (const auto& one : *all) {
    const auto is = [&](const std::string& event) { return event == one.event; };
    if (map_index || tries || (before && one.at >= *before) || (after && one.at <= *after))
      continue;
    if (std::ranges::any_of(excluded, is)) continue;
    // As in Airflow only of DAGs that there are, or of none.
    if (one.dag && !catalog.find(*one.dag)) continue;
    if (!included.empty() && std::ranges::none_of(included, is)) continue;
    Json row = event_json(one, catalog);
    if (texts.hold(row)) rows.push_back(std::move(row));
  }
  const Sorting sorting{.allowed = {"id", "dttm", "dag_id", "task_id", "run_id", "event",
                                    "logical_date", "owner", "extra", "when", "event_log_id"},
                        .members = {{"id", "event_log_id"}, {"dttm", "when"}}};
  TRY(sort(rows, order, sorting));
  return Reply(page("event_logs", std::move(rows), offset, limit));
}

Answer<Reply> get_event_log(Call& call) {
  std::int64_t id = 0;
  const std::string& text = call.at(0);
  if (std::from_chars(text.data(), text.data() + text.size(), id).ptr ==
      text.data() + text.size()) {
    auto found = or_refuse(call.kept().event_logs(id));
    if (!found) return std::unexpected(found.error());
    if (!found->empty()) return Reply(event_json(found->front(), Catalog(call.workflows)));
  }
  return refuse(404, "The Event Log with id: `" + call.at(0) + "` not found");
}

}  // namespace tailrace::airflow
