#include "connect/noted_state.h"

#include <nlohmann/json.hpp>

namespace tailrace::connect {

std::string encode_state(const NotedState& state) {
  nlohmann::json json = {
      {"fingerprint", state.fingerprint}, {"position", state.position},
      {"sequences", state.sequences},     {"reject_sequence", state.reject_sequence},
      {"records", state.records},         {"max_message_bytes", state.max_message_bytes},
      {"schema_id", state.schema_id},     {"clean", state.clean}};
  if (!state.ends.empty()) json["ends"] = state.ends;
  if (state.reject_end >= 0) json["reject_end"] = state.reject_end;
  if (!state.rejects.empty()) json["rejects"] = state.rejects;
  return json.dump(1) + "\n";
}

Result<NotedState> decode_state(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    NotedState state;
    json.at("fingerprint").get_to(state.fingerprint);
    json.at("position").get_to(state.position);
    json.at("sequences").get_to(state.sequences);
    json.at("reject_sequence").get_to(state.reject_sequence);
    json.at("records").get_to(state.records);
    json.at("max_message_bytes").get_to(state.max_message_bytes);
    state.schema_id = json.value("schema_id", 0);
    state.ends = json.value("ends", std::vector<std::int64_t>());
    state.reject_end = json.value("reject_end", std::int64_t{-1});
    state.rejects = json.value("rejects", std::vector<std::string>());
    json.at("clean").get_to(state.clean);
    return state;
  } catch (const nlohmann::json::exception& failure) {
    return error(Code::kDataLoss, failure.what());
  }
}

}  // namespace tailrace::connect
