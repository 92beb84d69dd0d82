#include "connect/postgres_position.h"

#include <nlohmann/json.hpp>

namespace tailrace::connect {
namespace {

using nlohmann::json;

constexpr std::string_view kNone = "this is no position of a PostgreSQL source";

postgres::Lsn lsn_of(const json& value) {
  const auto lsn = postgres::parse_lsn(value.get<std::string>());
  if (!lsn) throw json::other_error::create(501, "no LSN", &value);
  return *lsn;
}

PostgresPosition read(const json& value) {
  PostgresPosition position;
  position.system = value.at("system").get<std::string>();
  position.start = lsn_of(value.at("start"));
  position.lsn = lsn_of(value.at("lsn"));
  if (value.contains("tx")) {
    position.transaction = lsn_of(value.at("tx"));
    position.changes = value.at("n").get<std::int64_t>();
  }
  for (const auto& [name, table] : value.at("tables").items()) {
    SnapshotProgress& progress = position.tables[name];
    progress.done = table.at("state").get<std::string>() == "done";
    progress.rows = table.at("rows").get<std::int64_t>();
    if (table.contains("after")) progress.after = table.at("after").get<std::vector<std::string>>();
    progress.seen = table.value("seen", "");
    progress.until = table.value("until", "");
  }
  if (value.contains("keys"))
    position.keys = value.at("keys").get<std::map<std::string, std::vector<std::string>>>();
  return position;
}

}  // namespace

std::string encode_postgres_position(const PostgresPosition& position) {
  json value{{"system", position.system},
             {"start", text(position.start)},
             {"lsn", text(position.lsn)},
             {"tables", json::object()}};
  if (position.transaction.value != 0) {
    value["tx"] = text(position.transaction);
    value["n"] = position.changes;
  }
  for (const auto& [name, progress] : position.tables) {
    json& table = value["tables"][name];
    table = {{"state", progress.done ? "done" : "pending"}, {"rows", progress.rows}};
    if (!progress.done && !progress.after.empty()) table["after"] = progress.after;
    if (!progress.until.empty()) table["seen"] = progress.seen;
    if (!progress.until.empty()) table["until"] = progress.until;
  }
  if (!position.keys.empty()) value["keys"] = position.keys;
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<PostgresPosition> parse_postgres_position(std::string_view text) {
  if (text.empty()) return PostgresPosition();
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object()) return error(Code::kDataLoss, std::string(kNone));
  try {
    return read(value);
  } catch (const json::exception&) {
    return error(Code::kDataLoss, std::string(kNone));
  }
}

}  // namespace tailrace::connect
