// Which request asks what of the backend. Handlers are small: read the parameters, ask, write the
// answer.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <iterator>

#include "console/alerts_page.h"
#include "console/assets.h"
#include "console/console.h"
#include "console/errors.h"
#include "console/json.h"
#include "console/metrics.h"
#include "console/params.h"
#include "console/workflows_page.h"
#include "net/route_metrics.h"

namespace tailrace::console {
namespace {

using net::Request;
using net::Response;

constexpr int kMaxLimit = 1000;

Response json_response(std::string body) {
  Response response;
  response.content_type = kJsonType;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

template <typename T>
Response reply(Result<T> result, std::string (*write)(const T&)) {
  if (!result) return error_response(result.error());
  return json_response(write(*result));
}

Result<int> limit_of(const Request& request) {
  return number_of(request, "limit", 1, kMaxLimit, 50);
}

std::string param_or_empty(const Request& request, std::string_view name) {
  return request.param(name).value_or("");
}

/// The status as an event whenever it changed since the last one this client got.
Response events(Backend& backend) {
  Response response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("Cache-Control", "no-store");
  auto last = std::make_shared<std::string>();
  response.stream =
      net::TextStream{.every_ms = 500, .next = [&backend, last] {
                        auto now = status_json(backend.status());
                        if (now == *last) return std::optional<std::string>("");
                        *last = now;
                        return std::optional<std::string>("event: status\ndata: " + now + "\n\n");
                      }};
  return response;
}

Result<RowRange> range_of(const Request& request) {
  TRY(only_params(request, {"limit", "after"}, {"from", "to", "prefix"}));
  RowRange range{.from = request.params("from"),
                 .to = request.params("to"),
                 .after = param_or_empty(request, "after")};
  ASSIGN(range.limit, limit_of(request));
  const std::vector<std::string> prefix = request.params("prefix");
  if (prefix.empty()) return range;
  if (!range.from.empty() || !range.to.empty())
    return error(Code::kInvalidArgument, "give either prefix, or from and to");
  range.from = range.to = prefix;
  return range;
}

Response read_table(Backend& backend, const Request& request) {
  auto range = range_of(request);
  if (!range) return error_response(range.error());
  return reply<Rows>(backend.read_table(request.segments[2], *range), rows_json);
}

Response get_row(Backend& backend, const Request& request) {
  if (auto known = only_params(request, {}); !known) return error_response(known.error());
  std::vector<std::string> key(request.segments.begin() + 3, request.segments.end());
  return reply<Rows>(backend.get_row(request.segments[2], key), rows_json);
}

Response run_sql(Backend& backend, const Request& request) {
  auto query = parse_query_body(request.body);
  if (!query) return error_response(query.error());
  if (!query->next.empty()) return reply<Rows>(backend.sql_page(query->next), rows_json);
  return reply<Rows>(backend.sql(query->text, query->limit), rows_json);
}

Response dead_letters(Backend& backend, const Request& request) {
  if (auto known = only_params(request, {"table", "reason", "limit", "after"}); !known)
    return error_response(known.error());
  auto limit = limit_of(request);
  if (!limit) return error_response(limit.error());
  DeadLetterFilter filter{.table = param_or_empty(request, "table"),
                          .reason = param_or_empty(request, "reason"),
                          .after = param_or_empty(request, "after"),
                          .limit = *limit};
  return reply<DeadLetterPage>(backend.dead_letters(filter), dead_letters_json);
}

Response redrive(Backend& backend, const Request& request) {
  auto selection = parse_redrive_body(request.body);
  if (!selection) return error_response(selection.error());
  auto count = backend.redrive(*selection);
  if (!count) return error_response(count.error());
  return json_response(redriven_json(*count));
}

Response topic(Backend& backend, const Request& request) {
  if (auto known = only_params(request, {}); !known) return error_response(known.error());
  return reply<TopicDetail>(backend.log_view().topic(request.segments[2]), topic_json);
}

Result<RecordsQuery> records_query(const Request& request) {
  TRY(only_params(request, {"partition", "offset", "limit"}));
  RecordsQuery query;
  ASSIGN(query.partition, number_of<std::int32_t>(request, "partition", 0, INT32_MAX, 0));
  ASSIGN(query.limit, number_of(request, "limit", 1, kMostRecords, query.limit));
  if (!request.param("offset")) return query;
  ASSIGN(query.offset, number_of<std::int64_t>(request, "offset", 0, INT64_MAX, 0));
  return query;
}

Response records(Backend& backend, const Request& request) {
  auto query = records_query(request);
  if (!query) return error_response(query.error());
  return reply<TopicRecords>(backend.log_view().records(request.segments[2], *query), records_json);
}

Response group(Backend& backend, const Request& request) {
  if (auto known = only_params(request, {}); !known) return error_response(known.error());
  return reply<GroupDetail>(backend.log_view().group(request.segments[2]), group_json);
}

Result<SubjectQuery> subject_query(const Request& request) {
  TRY(only_params(request, {"search", "topic", "after", "limit"}));
  SubjectQuery query{.search = param_or_empty(request, "search"),
                     .topic = param_or_empty(request, "topic"),
                     .after = param_or_empty(request, "after")};
  ASSIGN(query.limit, number_of(request, "limit", 1, kMostSubjects, query.limit));
  return query;
}

Response subjects(Backend& backend, const Request& request) {
  auto query = subject_query(request);
  if (!query) return error_response(query.error());
  return reply<SubjectPage>(backend.schema_view().subjects(*query), subjects_json);
}

Response subject(Backend& backend, const Request& request) {
  if (auto known = only_params(request, {}); !known) return error_response(known.error());
  return reply<SubjectDetail>(backend.schema_view().subject(request.segments[2]), subject_json);
}

Response schema(Backend& backend, const Request& request) {
  if (auto known = only_params(request, {}); !known) return error_response(known.error());
  const std::string& text = request.segments[3];
  int version = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), version);
  const bool number = failed == std::errc() && end == text.data() + text.size() && version > 0;
  if (!number && text != "latest")
    return error_response({Code::kInvalidArgument, "a version is a number, or latest"});
  return reply<SchemaText>(backend.schema_view().schema(request.segments[2], number ? version : -1),
                           schema_json);
}

Response check_schema(Backend& backend, const Request& request) {
  auto proposal = parse_proposal_body(request.body);
  if (!proposal) return error_response(proposal.error());
  return reply<SchemaVerdict>(backend.schema_view().check(request.segments[2], *proposal),
                              verdict_json);
}

Response register_schema(Backend& backend, const Request& request) {
  auto proposal = parse_proposal_body(request.body);
  if (!proposal) return error_response(proposal.error());
  return reply<SchemaText>(backend.schema_view().put(request.segments[2], *proposal), schema_json);
}

Response run_ingest(Backend& backend, const Request& request) {
  auto seconds = parse_ingest_body(request.body);
  if (!seconds) return error_response(seconds.error());
  return reply<Operation>(backend.operations().ingest(request.segments[2], *seconds),
                          operation_json);
}

Response refresh(Backend& backend, const Request& request) {
  if (auto empty = parse_empty_body(request.body); !empty) return error_response(empty.error());
  return reply<Operation>(backend.operations().refresh(), operation_json);
}

Response operation(Backend& backend, const Request& request) {
  if (auto known = only_params(request, {}); !known) return error_response(known.error());
  return reply<Operation>(backend.operations().operation(request.segments[2]), operation_json);
}

Response stop_operation(Backend& backend, const Request& request) {
  if (auto empty = parse_empty_body(request.body); !empty) return error_response(empty.error());
  return reply<Operation>(backend.operations().stop(request.segments[2]), operation_json);
}

Response metrics(Backend& backend) {
  Response response;
  response.content_type = kMetricsType;
  response.body = metrics_text(backend);
  return response;
}

Response ready(Backend& backend) {
  auto status = backend.status();
  Response response;
  response.status = status.ready ? 200 : 503;
  response.body = status.ready ? "ready\n" : "not ready: " + status.state + "\n";
  return response;
}

Response method_not_allowed(std::string allowed) {
  auto response = refusal_response(405, "this address takes " + allowed);
  response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

Response workflows_route(Backend& backend, const Request& request) {
  return workflows_response(backend.workflows(), request);
}

Response alerts_route(Backend& backend, const Request& request) {
  return alerts_response(backend.alerts(), request);
}

struct Route {
  std::string_view path;  ///< `*` is any one name, `**` at its end one or more
  std::string_view method;
  Response (*handle)(Backend&, const Request&);
};

/// The first whose path is the request's is meant.
constexpr Route kRoutes[] = {
    {"/api/status", "GET",
     [](Backend& b, const Request&) { return json_response(status_json(b.status())); }},
    {"/api/events", "GET", [](Backend& b, const Request&) { return events(b); }},
    {"/api/tables", "GET",
     [](Backend& b, const Request&) { return json_response(tables_json(b.tables())); }},
    {"/api/sql", "POST", run_sql},
    {"/api/dead-letters", "GET", dead_letters},
    {"/api/redrive", "POST", redrive},
    {"/api/refresh", "POST", refresh},
    {"/api/topics", "GET",
     [](Backend& b, const Request&) { return json_response(topics_json(b.log_view().topics())); }},
    {"/api/groups", "GET",
     [](Backend& b, const Request&) {
       return reply<GroupList>(b.log_view().groups(), groups_json);
     }},
    {"/api/schemas", "GET", subjects},
    {"/api/workflows", "GET", workflows_route},
    {"/api/alerts", "GET", alerts_route},
    {"/api/alerts/history", "GET", alerts_route},
    {"/api/alerts/silences", "POST", alerts_route},
    {"/api/alerts/silences/*/end", "POST", alerts_route},
    {"/api/alerts/test", "POST", alerts_route},
    {"/api/tables/*", "GET", read_table},
    {"/api/tables/**", "GET", get_row},
    {"/api/workflows/*", "GET", workflows_route},
    {"/api/workflows/*/runs/*", "GET", workflows_route},
    {"/api/topics/*", "GET", topic},
    {"/api/topics/*/records", "GET", records},
    {"/api/groups/*", "GET", group},
    {"/api/schemas/*", "GET", subject},
    {"/api/schemas/*/check", "POST", check_schema},
    {"/api/schemas/*/register", "POST", register_schema},
    {"/api/schemas/*/*", "GET", schema},
    {"/api/operations/*", "GET", operation},
    {"/api/operations/*/stop", "POST", stop_operation},
    {"/api/ingest/*/run", "POST", run_ingest},
    {"/metrics", "GET", [](Backend& b, const Request&) { return metrics(b); }},
    {"/healthz", "GET", [](Backend&, const Request&) { return Response{.body = "ok\n"}; }},
    {"/readyz", "GET", [](Backend& b, const Request&) { return ready(b); }},
};

/// A request of Airflow's API, and one for a file of the page, as they are counted.
constexpr std::size_t kAirflow = std::size(kRoutes), kPage = kAirflow + 1;

net::RouteMetrics& counted() {
  static net::RouteMetrics metrics = [] {
    std::vector<net::RouteName> names;
    for (const Route& route : kRoutes)
      names.push_back({std::string(route.method), std::string(route.path)});
    names.push_back({"*", "/api/v2/**"});
    names.push_back({"GET", "/**"});
    return net::RouteMetrics(std::move(names));
  }();
  return metrics;
}

/// Names that stand for others may hold "/", so it is the request's segments that are compared; the
/// first of them is never empty.
bool matches(std::string_view pattern, const Request& request) {
  if (!pattern.contains('*')) return pattern == request.path;
  pattern.remove_prefix(1);
  bool named = false;
  for (const std::string& segment : request.segments) {
    if (pattern == "**") return named || !segment.empty();
    if (pattern.empty()) return false;
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view part = pattern.substr(0, end);
    if (part == "*" ? segment.empty() && !named : part != segment) return false;
    named = named || part == "*";
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return pattern.empty();
}

/// `place`: where the request is counted.
Response routed(Backend& backend, const Request& request, std::size_t& place) {
  for (std::size_t i = 0; i < std::size(kRoutes); ++i) {
    const Route& route = kRoutes[i];
    if (!matches(route.path, request)) continue;
    if (route.method != request.method) return method_not_allowed(std::string(route.method));
    place = i;
    return route.handle(backend, request);
  }
  if (!request.segments.empty() && request.segments[0] == "api")
    return error_response({Code::kNotFound, "no such address: " + request.path});
  if (request.method != "GET") return method_not_allowed("GET");
  place = kPage;
  return asset_response(request);
}

template <typename Answer>
Response count(std::size_t place, Answer answer) {
  const auto since = std::chrono::steady_clock::now();
  Response response = answer(place);
  counted().answered(place, response.status, std::chrono::steady_clock::now() - since);
  return response;
}

}  // namespace

net::Response answer(Backend& backend, const net::Request& request) {
  return count(net::RouteMetrics::kNone,
               [&](std::size_t& place) { return routed(backend, request, place); });
}

net::Response answer_of_airflow(const net::Handler& airflow, const net::Request& request) {
  return count(kAirflow, [&](std::size_t&) { return airflow(request); });
}

net::Response refused(net::Response refusal) {
  return count(net::RouteMetrics::kNone, [&](std::size_t&) { return std::move(refusal); });
}

void write_route_metrics(MetricsText& out) {
  counted().write(out, "tailrace_console", "Requests to the control centre");
}

}  // namespace tailrace::console
