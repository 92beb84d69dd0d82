// JSON by nlohmann/json.
#include "console/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/hex.h"

namespace tailrace::console {
namespace {

using Json = nlohmann::ordered_json;

/// Text that is not UTF-8 is shown with replacement characters instead of failing.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const Value& value);

struct ToJson {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool flag) const { return flag; }
  /// A browser's numbers are exact up to 2^53; greater ones travel as text.
  Json operator()(std::int64_t number) const {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    if (number > kExact || number < -kExact) return std::to_string(number);
    return number;
  }
  Json operator()(double number) const {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    return number;
  }
  Json operator()(const std::string& text) const { return text; }
  Json operator()(const List& list) const {
    auto out = Json::array();
    for (const auto& item : list) out.push_back(to_json(item));
    return out;
  }
  Json operator()(const Fields& fields) const {
    auto out = Json::object();
    for (const auto& [name, value] : fields) out[name] = to_json(value);
    return out;
  }
};

Json to_json(const Value& value) {
  return std::visit(ToJson{}, value.v);
}

Json to_json(const Hop& hop) {
  return {{"id", hop.id},
          {"title", hop.title},
          {"kind", pipeline::hop_kind_name(hop.kind)},
          {"state", pipeline::hop_state_name(hop.state)},
          {"count", hop.count},
          {"rate_per_s", hop.rate_per_s},
          {"bytes", hop.bytes},
          {"lag_records", hop.lag_records},
          {"lag_s", hop.lag_s},
          {"rejected", hop.rejected},
          {"reasons", hop.reasons},
          {"detail", hop.detail},
          {"why", hop.why},
          {"last_error", hop.last_error},
          {"last_error_ms", hop.last_error_ms}};
}

Json to_json(const std::vector<Column>& columns) {
  auto out = Json::array();
  for (const auto& column : columns) {
    out.push_back({{"name", column.name}, {"type", column.type}, {"comment", column.comment}});
  }
  return out;
}

Json to_json(const TableInfo& table) {
  auto expectations = Json::array();
  for (const auto& rule : table.expectations) {
    expectations.push_back({{"name", rule.name},
                            {"condition", rule.condition},
                            {"action", rule.action},
                            {"passed", rule.passed},
                            {"failed", rule.failed}});
  }
  return {{"name", table.name},
          {"layer", table.layer},
          {"kind", table.kind},
          {"comment", table.comment},
          {"rows", table.rows},
          {"bytes", table.bytes},
          {"columns", to_json(table.columns)},
          {"key", table.key},
          {"served", table.served},
          {"state", pipeline::hop_state_name(table.state)},
          {"why", table.why},
          {"expectations", std::move(expectations)}};
}

Json to_json(const DeadLetter& letter) {
  constexpr std::size_t kShown = 4096;
  std::string_view bytes = letter.bytes;
  return {{"id", letter.id},
          {"origin", letter.origin},
          {"table", letter.table},
          {"reason", letter.reason},
          {"message", letter.message},
          {"text", bytes.substr(0, kShown)},
          {"hex", encode_hex(bytes.substr(0, kShown))},
          {"size_bytes", bytes.size()},
          {"time_ms", letter.time_ms}};
}

Json to_json(const TopicInfo& topic) {
  return {{"name", topic.name},
          {"internal", topic.internal},
          {"partitions", topic.partitions},
          {"records", topic.records},
          {"bytes", topic.bytes},
          {"records_per_s", topic.records_per_s},
          {"bytes_per_s", topic.bytes_per_s}};
}

Json to_json(const DecodedBytes& decoded) {
  return {{"schema_id", decoded.schema_id},
          {"type", decoded.type},
          {"subject", decoded.subject},
          {"version", decoded.version},
          {"json", decoded.json},
          {"cut", decoded.cut},
          {"why", decoded.why}};
}

Json to_json(const ShownBytes& shown) {
  const bool text = is_text(shown.bytes);
  Json out = {{"text", text ? shown.bytes : ""},
              {"hex", text ? "" : encode_hex(shown.bytes)},
              {"is_text", text},
              {"size_bytes", shown.size}};
  if (shown.decoded) out["decoded"] = to_json(*shown.decoded);
  return out;
}

Json to_json(const TopicRecord& record) {
  Json out = {{"offset", record.offset}, {"time_ms", record.time_ms}};
  if (record.key) out["key"] = to_json(*record.key);
  if (record.value) out["value"] = to_json(*record.value);
  auto headers = Json::array();
  for (const auto& header : record.headers) {
    Json one = {{"key", header.key}};
    if (header.value) one["value"] = to_json(*header.value);
    headers.push_back(std::move(one));
  }
  out["headers"] = std::move(headers);
  return out;
}

Json to_json(const GroupInfo& group) {
  return {{"name", group.name},       {"type", group.type},     {"state", group.state},
          {"members", group.members}, {"topics", group.topics}, {"lag", group.lag}};
}

Json to_json(const GroupOffset& offset) {
  auto in_flight = Json::array();
  for (const auto& one : offset.in_flight)
    in_flight.push_back({{"first", one.first},
                         {"last", one.last},
                         {"state", one.acquired ? "acquired" : "available"},
                         {"delivery_count", one.count},
                         {"member", one.member}});
  return {{"topic", offset.topic},
          {"partition", offset.partition},
          {"committed", offset.committed},
          {"end", offset.end},
          {"lag", offset.lag},
          {"metadata", offset.metadata},
          {"member", offset.member},
          {"in_flight", std::move(in_flight)}};
}

Json to_json(const GroupMember& one) {
  return {{"id", one.id},
          {"instance", one.instance},
          {"client_id", one.client_id},
          {"host", one.host},
          {"assigned", one.assigned},
          {"active_tasks", one.active_tasks},
          {"standby_tasks", one.standby_tasks},
          {"warmup_tasks", one.warmup_tasks}};
}

/// The array of `list`, each by `write`.
template <typename List, typename Write>
Json array_of(const List& list, Write write) {
  auto out = Json::array();
  for (const auto& item : list) out.push_back(write(item));
  return out;
}

Json to_json(const SubjectInfo& subject) {
  return {{"name", subject.name},
          {"context", subject.context},
          {"type", subject.type},
          {"version", subject.version},
          {"id", subject.id},
          {"compatibility", subject.compatibility},
          {"uses", array_of(subject.uses, [](const SubjectUse& use) {
             return Json{{"topic", use.topic}, {"part", use.part}};
           })}};
}

Result<Json> parse_object(std::string_view body) {
  auto json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return error(Code::kInvalidArgument, "the body must be a JSON object");
  return json;
}

Result<std::string> text_field(const Json& json, const char* name) {
  auto found = json.find(name);
  if (found == json.end()) return std::string();
  if (!found->is_string()) {
    return error(Code::kInvalidArgument, std::string(name) + " must be a string");
  }
  return found->get<std::string>();
}

/// A misspelt field is an error, not a filter that is silently left out.
tailrace::Status only_fields(const Json& json, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : json.items())
    if (std::ranges::find(known, name) == known.end())
      return error(Code::kInvalidArgument, "unknown field: " + name);
  return {};
}

}  // namespace

std::string error_json(std::string_view code, std::string_view message) {
  return dump({{"error", {{"code", code}, {"message", message}}}});
}

std::string status_json(const Status& status) {
  auto hops = Json::array();
  for (const auto& hop : status.hops) hops.push_back(to_json(hop));
  return dump({{"project", status.project},
               {"version", status.version},
               {"uptime_s", status.uptime_s},
               {"state", status.state},
               {"ready", status.ready},
               {"first_empty_hop", status.first_empty_hop},
               {"hops", std::move(hops)}});
}

std::string tables_json(const std::vector<TableInfo>& tables) {
  auto out = Json::array();
  for (const auto& table : tables) out.push_back(to_json(table));
  return dump({{"tables", std::move(out)}});
}

std::string rows_json(const Rows& rows) {
  auto out = Json::array();
  for (const auto& row : rows.rows) {
    auto cells = Json::array();
    for (const auto& cell : row) cells.push_back(to_json(cell));
    out.push_back(std::move(cells));
  }
  return dump({{"columns", to_json(rows.columns)},
               {"rows", std::move(out)},
               {"next", rows.next},
               {"truncated", rows.truncated},
               {"notes", rows.notes}});
}

std::string objects_json(const Rows& rows) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& row : rows.rows) {
    auto object = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < row.size(); ++i) object[rows.columns[i].name] = to_json(row[i]);
    out.push_back(std::move(object));
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string value_json(const Value& value) {
  return dump(to_json(value));
}

std::string dead_letters_json(const DeadLetterPage& page) {
  auto letters = Json::array();
  for (const auto& letter : page.letters) letters.push_back(to_json(letter));
  return dump({{"letters", std::move(letters)}, {"next", page.next}, {"total", page.total}});
}

std::string redriven_json(std::int64_t count) {
  return dump({{"redriven", count}});
}

bool is_text(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x20 && lead != '\n' && lead != '\r' && lead != '\t') return false;
    if (lead == 0x7f || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4) return false;
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    for (std::size_t k = 1; k < length && i + k < bytes.size(); ++k) {
      const auto next = static_cast<unsigned char>(bytes[i + k]);
      if (next < 0x80 || next > 0xbf) return false;
      // RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
      if (k == 1 && ((lead == 0xe0 && next < 0xa0) || (lead == 0xed && next > 0x9f) ||
                     (lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next > 0x8f)))
        return false;
    }
    i += length;
  }
  return true;
}

std::string topics_json(const std::vector<TopicInfo>& topics) {
  return dump({{"topics", array_of(topics, [](const auto& one) { return to_json(one); })}});
}

std::string topic_json(const TopicDetail& topic) {
  return dump({{"info", to_json(topic.info)},
               {"id", topic.id},
               {"partitions", array_of(topic.partitions,
                                       [](const PartitionInfo& one) {
                                         return Json{{"id", one.id},
                                                     {"start", one.start},
                                                     {"end", one.end},
                                                     {"last_stable", one.last_stable},
                                                     {"bytes", one.bytes}};
                                       })},
               {"settings", array_of(topic.settings,
                                     [](const TopicSetting& one) {
                                       return Json{{"name", one.name}, {"value", one.value}};
                                     })},
               {"readers", array_of(topic.readers, [](const TopicReader& one) {
                  return Json{{"group", one.group}, {"state", one.state}, {"lag", one.lag}};
                })}});
}

std::string records_json(const TopicRecords& records) {
  return dump(
      {{"start", records.start},
       {"end", records.end},
       {"cut", records.cut},
       {"records", array_of(records.records, [](const auto& one) { return to_json(one); })}});
}

std::string groups_json(const GroupList& groups) {
  return dump({{"groups", array_of(groups.groups, [](const auto& one) { return to_json(one); })},
               {"unseen", groups.unseen}});
}

std::string group_json(const GroupDetail& group) {
  return dump({{"info", to_json(group.info)},
               {"assignor", group.assignor},
               {"members", array_of(group.members, [](const auto& one) { return to_json(one); })},
               {"offsets", array_of(group.offsets, [](const auto& one) { return to_json(one); })},
               {"lag_history", array_of(group.lag_history, [](const LagSample& one) {
                  return Json{{"time_ms", one.time_ms}, {"lag", one.lag}};
                })}});
}

std::string subjects_json(const SubjectPage& page) {
  return dump({{"registry", page.registry},
               {"off", page.off},
               {"total", page.total},
               {"subjects", array_of(page.subjects, [](const auto& one) { return to_json(one); })},
               {"next", page.next}});
}

std::string subject_json(const SubjectDetail& subject) {
  return dump({{"info", to_json(subject.info)}, {"versions", subject.versions}});
}

std::string schema_json(const SchemaText& schema) {
  return dump(
      {{"subject", schema.subject},
       {"version", schema.version},
       {"id", schema.id},
       {"type", schema.type},
       {"text", schema.text},
       {"references", array_of(schema.references, [](const SchemaReference& one) {
          return Json{{"name", one.name}, {"subject", one.subject}, {"version", one.version}};
        })}});
}

std::string verdict_json(const SchemaVerdict& verdict) {
  return dump({{"compatible", verdict.compatible}, {"messages", verdict.messages}});
}

std::string operation_json(const Operation& operation) {
  return dump({{"id", operation.id},
               {"kind", operation.kind},
               {"name", operation.name},
               {"state", operation.state},
               {"records", operation.records},
               {"why", operation.why}});
}

Result<std::optional<double>> parse_ingest_body(std::string_view body) {
  constexpr double kDay = 86'400;
  ASSIGN(auto json, parse_object(body));
  TRY(only_fields(json, {"seconds"}));
  const auto seconds = json.find("seconds");
  if (seconds == json.end()) return std::optional<double>();
  if (!seconds->is_number() || !(*seconds > 0) || *seconds > kDay)
    return error(Code::kInvalidArgument, "seconds must be a number over 0, at most 86400");
  return std::optional<double>(seconds->get<double>());
}

tailrace::Status parse_empty_body(std::string_view body) {
  ASSIGN(auto json, parse_object(body));
  return only_fields(json, {});
}

Result<Query> parse_query_body(std::string_view body) {
  ASSIGN(auto json, parse_object(body));
  TRY(only_fields(json, {"query", "limit", "next"}));
  Query query;
  ASSIGN(query.text, text_field(json, "query"));
  ASSIGN(query.next, text_field(json, "next"));
  if (!query.next.empty() && json.size() == 1) return query;
  if (json.contains("next"))
    return error(Code::kInvalidArgument, "next is not empty and stands alone");
  if (query.text.find_first_not_of(" \t\r\n;") == std::string::npos) {
    return error(Code::kInvalidArgument, "the query is empty");
  }
  const auto limit = json.find("limit");
  if (limit == json.end()) return query;
  const bool whole = limit->is_number_integer() && *limit >= 1 && *limit <= kMaxQueryRows;
  if (!whole) return error(Code::kInvalidArgument, "limit must be a number from 1 to 1000000");
  query.limit = limit->get<int>();
  return query;
}

Result<RedriveSelection> parse_redrive_body(std::string_view body) {
  ASSIGN(auto json, parse_object(body));
  TRY(only_fields(json, {"ids", "table", "reason", "all"}));
  RedriveSelection selection;
  ASSIGN(selection.table, text_field(json, "table"));
  ASSIGN(selection.reason, text_field(json, "reason"));
  if (json.contains("all") && !json["all"].is_boolean())
    return error(Code::kInvalidArgument, "all must be true or false");
  bool all = json.contains("all") && json["all"] == Json(true);
  if (auto ids = json.find("ids"); ids != json.end()) {
    if (!ids->is_array()) return error(Code::kInvalidArgument, "ids must be a list of strings");
    for (const auto& id : *ids) {
      if (!id.is_string()) return error(Code::kInvalidArgument, "ids must be a list of strings");
      selection.ids.push_back(id.get<std::string>());
    }
  }
  bool some = !selection.ids.empty() || !selection.table.empty() || !selection.reason.empty();
  if (!some && !all) {
    return error(Code::kInvalidArgument, "say which: ids, table, reason, or all");
  }
  return selection;
}

Result<SchemaProposal> parse_proposal_body(std::string_view body) {
  ASSIGN(auto json, parse_object(body));
  TRY(only_fields(json, {"type", "text", "references"}));
  SchemaProposal proposal;
  ASSIGN(proposal.type, text_field(json, "type"));
  ASSIGN(proposal.text, text_field(json, "text"));
  if (proposal.type != "AVRO" && proposal.type != "JSON" && proposal.type != "PROTOBUF")
    return error(Code::kInvalidArgument, "type must be AVRO, JSON or PROTOBUF");
  if (proposal.text.find_first_not_of(" \t\r\n") == std::string::npos)
    return error(Code::kInvalidArgument, "the schema is empty");
  const auto listed = json.find("references");
  if (listed == json.end()) return proposal;
  const auto wrong = error(Code::kInvalidArgument,
                           "references must be a list of objects with name, subject and version");
  if (!listed->is_array()) return wrong;
  for (const auto& one : *listed) {
    if (!one.is_object() || !only_fields(one, {"name", "subject", "version"})) return wrong;
    const auto version = one.find("version");
    ASSIGN(auto name, text_field(one, "name"));
    ASSIGN(auto subject, text_field(one, "subject"));
    if (version == one.end() || !version->is_number_integer() || *version < -1 ||
        *version > INT32_MAX || name.empty() || subject.empty())
      return wrong;
    proposal.references.push_back(
        {std::move(name), std::move(subject), version->get<std::int64_t>()});
  }
  return proposal;
}

}  // namespace tailrace::console
