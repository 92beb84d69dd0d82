#include "pipeline/checkpoint.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tailrace::pipeline {
namespace {

constexpr const char* kKey = "c";

using Json = nlohmann::json;

Json flow_json(const FlowMark& flow) {
  return {{"definition", flow.definition},
          {"text", flow.text},
          {"failed", flow.failed},
          {"expectations", flow.expectations}};
}

FlowMark flow_from(const Json& json) {
  return {json.at("definition"), json.value("text", ""), json.at("failed"),
          json.at("expectations").get<std::vector<std::pair<std::int64_t, std::int64_t>>>()};
}

Json positions_json(const Positions& positions) {
  Json list = Json::array();
  for (Offset offset : positions) list.push_back(offset.value);
  return list;
}

Json letters_json(const LetterTotals& letters) {
  return {{"next_id", letters.next_id}, {"oldest_id", letters.oldest_id}, {"bytes", letters.bytes},
          {"waiting", letters.waiting}, {"trimmed", letters.trimmed},     {"last", letters.last}};
}

LetterTotals letters_from(const Json& json) {
  return {json.at("next_id"), json.at("oldest_id"), json.at("bytes"),
          json.at("waiting"), json.at("trimmed"),   json.at("last")};
}

Checkpoint from_json(const Json& json) {
  Checkpoint c;
  c.engine = json.value("engine", c.engine);
  c.number = json.at("number");
  for (const auto& [topic, list] : json.at("positions").items())
    for (const Json& offset : list)
      c.positions[topic].push_back(Offset(offset.get<std::int64_t>()));
  c.rows = json.at("rows");
  c.decoded = json.at("decoded");
  for (const auto& [name, flow] : json.at("flows").items()) c.flows[name] = flow_from(flow);
  if (json.contains("topic_expectations")) c.topic_expectations = json.at("topic_expectations");
  if (json.contains("letters")) c.letters = letters_from(json.at("letters"));
  return c;
}

}  // namespace

Result<std::optional<Checkpoint>> Checkpoint::load(const kv::Store& store) {
  ASSIGN(const auto text, store.get(kKey));
  if (!text) return std::nullopt;
  try {
    return from_json(Json::parse(*text));
  } catch (const Json::exception& e) {
    return error(Code::kDataLoss,
                 std::string("the checkpoint in the state store cannot be read: ") + e.what());
  }
}

Result<std::optional<Checkpoint>> Checkpoint::load_of(std::string_view engine,
                                                      const kv::Store& store,
                                                      const std::string& data) {
  ASSIGN(auto last, load(store));
  if (last && last->engine != engine)
    return error(
        Code::kFailedPrecondition,
        fmt::format(
            "the tables in {0} are kept by the engine `{1}`, and tailrace.yml names another "
            "(roles: engine): give the project a new data folder (--data), or move {0}/state, "
            "{0}/lake and {0}/spark away, so that they are made again from the log",
            data, last->engine));
  return last;
}

void Checkpoint::write(kv::WriteBatch& batch) const {
  Json json = {{"engine", engine}, {"number", number}, {"rows", rows}, {"decoded", decoded}};
  json["positions"] = Json::object();
  for (const auto& [topic, list] : positions) json["positions"][topic] = positions_json(list);
  json["flows"] = Json::object();
  for (const auto& [name, flow] : flows) json["flows"][name] = flow_json(flow);
  if (!topic_expectations.empty()) json["topic_expectations"] = topic_expectations;
  if (letters) json["letters"] = letters_json(*letters);
  batch.put(kKey, json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace tailrace::pipeline
