#include "pipeline/stages.h"

#include <algorithm>
#include <map>

#include "connect/json_path.h"

namespace tailrace::pipeline {
namespace {

bool is_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (text.empty() || text.size() > staging::kMaxNameBytes || !letter(text.front())) return false;
  return std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string all;
  for (const std::string_view one : words) (all += all.empty() ? "" : ", ") += one;
  return all;
}

/// One of `known`, or where it is wrong with the nearest.
Status check_word(const yaml::File& file, const YAML::Node& node, std::string_view what,
                  const std::string& word, const std::vector<std::string_view>& known) {
  if (std::ranges::find(known, word) != known.end()) return {};
  const std::string near = yaml::nearest(word, known);
  return file.fail(node, "`" + std::string(what) + ": " + word + "` is none of: " + joined(known) +
                             (near.empty() ? "" : "; did you mean `" + near + "`?"));
}

/// TYPE, or {type: TYPE, path: $.a.b}.
Result<staging::Column> read_column(const yaml::File& file, const yaml::File::Entry& entry) {
  staging::Column column{.name = entry.key};
  if (!is_name(column.name))
    return file.fail(entry.key_node, "`" + column.name +
                                         "` is no column's name: letters, digits "
                                         "and _, at most 63, and no digit first");
  const YAML::Node& node = entry.value;
  if (node.IsMap()) TRY(file.only_keys(node, {"type", "path"}));
  const YAML::Node type = node.IsMap() ? node["type"] : node;
  if (!type || type.IsNull())
    return file.fail(entry.key_node, "column `" + column.name + "` has no `type`: one of " +
                                         joined(staging::type_names()));
  ASSIGN(const std::string word, file.text(type, "type"));
  TRY(check_word(file, type, "type", word, staging::type_names()));
  column.type = *staging::type_named(word);
  if (!node.IsMap() || !node["path"]) return column;
  ASSIGN(const std::string text, file.text(node["path"], "path"));
  const auto path = connect::JsonPath::parse(text);
  if (!path) return file.fail(node["path"], path.error().what);
  if (path->is_root())
    return file.fail(node["path"],
                     "`path` is of a member: $.login.uuid; the whole record is in "
                     "the table's other columns");
  column.pointer = path->pointer();
  return column;
}

Status read_columns(const yaml::File& file, const YAML::Node& node, staging::TableSpec& table) {
  ASSIGN(const auto entries, file.entries(node, "columns", "NAME: {type: text, path: $.a}"));
  for (const yaml::File::Entry& entry : entries) {
    ASSIGN(auto column, read_column(file, entry));
    const auto low = [](std::string text) {
      for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return text;
    };
    for (const staging::Column& other : table.columns)
      if (low(other.name) == low(column.name))
        return file.fail(entry.key_node, "there is a column `" + other.name +
                                             "`, and capitals alone make no difference");
    table.columns.push_back(std::move(column));
  }
  if (table.columns.size() > staging::kMaxColumns)
    return file.fail(node, "`columns` are at most " + std::to_string(staging::kMaxColumns));
  return {};
}

Status read_key(const yaml::File& file, const YAML::Node& node, staging::TableSpec& table) {
  std::vector<std::pair<YAML::Node, std::string>> names;
  if (node.IsScalar()) {
    names.emplace_back(node, node.Scalar());
  } else {
    ASSIGN(const auto items, file.items(node, "key", "[COLUMN, COLUMN]"));
    for (const YAML::Node& item : items) {
      ASSIGN(auto text, file.text(item, "key"));
      names.emplace_back(item, std::move(text));
    }
  }
  if (names.empty()) return file.fail(node, "`key` is empty: name the columns that name one row");
  std::vector<std::string_view> known;
  for (const staging::Column& column : table.columns) known.push_back(column.name);
  for (const auto& [at, name] : names) {
    if (!is_name(name)) return file.fail(at, "`" + name + "` is no column's name");
    if (!known.empty()) TRY(check_word(file, at, "key", name, known));
    const auto column = std::ranges::find(table.columns, name, &staging::Column::name);
    if (column != table.columns.end() && column->type == staging::Type::kJson)
      return file.fail(at, "`" + name + "` is JSON, which names no row");
    if (std::ranges::find(table.key, name) != table.key.end())
      return file.fail(at, "`" + name + "` is twice in `key`");
    table.key.push_back(name);
  }
  return {};
}

Status read_slot(const yaml::File& file, const YAML::Node& node, std::string& slot) {
  ASSIGN(slot, file.text(node, "slot"));
  const bool named = !slot.empty() && slot.size() <= 63 && std::ranges::all_of(slot, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!named)
    return file.fail(node, "`slot`: PostgreSQL takes up to 63 small letters, digits and _");
  return {};
}

Status read_stage(const yaml::File& file, const YAML::Node& node, StageSpec& stage) {
  if (node.IsNull()) return {};
  TRY(file.only_keys(node, {"columns", "key", "mode", "envelope", "metadata", "slot"}));
  if (!node.IsMap()) return file.fail(node, "a staging table is written {columns: …, key: […]}");
  if (node["columns"]) TRY(read_columns(file, node["columns"], stage.table));
  if (node["key"]) TRY(read_key(file, node["key"], stage.table));
  std::string mode = "upsert";
  if (node["mode"]) {
    ASSIGN(mode, file.text(node["mode"], "mode"));
    TRY(check_word(file, node["mode"], "mode", mode, {"upsert", "insert"}));
  }
  if (mode == "insert") stage.table.mode = staging::TableSpec::Mode::kInsert;
  std::string envelope = "flat";
  if (node["envelope"]) {
    ASSIGN(envelope, file.text(node["envelope"], "envelope"));
    TRY(check_word(file, node["envelope"], "envelope", envelope, {"flat", "debezium"}));
  }
  stage.debezium = envelope == "debezium";
  if (node["metadata"]) {
    ASSIGN(const std::string word, file.text(node["metadata"], "metadata"));
    TRY(check_word(file, node["metadata"], "metadata", word, {"true", "false"}));
    stage.metadata = word == "true";
    if (stage.metadata && stage.debezium)
      return file.fail(node["metadata"],
                       "`metadata` is of the flat envelope: Debezium's has `op` and `source`");
  }
  stage.table.before = stage.debezium || stage.metadata;
  return node["slot"] ? read_slot(file, node["slot"], stage.slot) : Status();
}

/// What the sources say of the stage they land in.
Status join_sources(const Project& project, StageSpec& stage) {
  const IngestSpec* first = nullptr;
  for (const IngestSpec& ingest : project.ingest) {
    if (ingest.stage != stage.table.name) continue;
    const bool keys = ingest.options.contains("key");
    if (first == nullptr) {
      first = &ingest;
      stage.topic = ingest.topic;
      stage.table.record_keys = keys;
    }
    const bool first_keys = first->options.contains("key");
    if (ingest.topic != first->topic || (stage.table.key.empty() && keys != first_keys))
      return error(Code::kInvalidArgument,
                   ingest.place + ": source `" + ingest.name + "` lands in `" + ingest.stage +
                       "` as `" + first->name + "` does: both name the same topic" +
                       (ingest.topic == first->topic ? ", and a `key` or none" : ""));
  }
  if (first == nullptr)
    return error(Code::kInvalidArgument, stage.place + ": no source lands in `" + stage.table.name +
                                             "`; give one of `ingest`: stage: " + stage.table.name);
  return {};
}

}  // namespace

const StageSpec* find_stage(const Project& project, std::string_view name) {
  for (const StageSpec& stage : project.stages)
    if (stage.table.name == name) return &stage;
  return nullptr;
}

Status read_staging_role(const yaml::File& file, const YAML::Node& node, Roles& roles) {
  if (!node) return {};
  RemoteStagingSpec& remote = roles.remote_staging;
  remote.place = file.place(node);
  const bool mapping = node.IsMap();
  if (mapping) {
    TRY(file.only_keys(node, {"url", "user", "password"}));
    if (!node["url"])
      return file.fail(node, "`url` is missing: postgresql://USER@HOST:PORT/DATABASE");
  }
  const YAML::Node url = mapping ? node["url"] : node;
  ASSIGN(roles.staging, file.text(url, "staging"));
  if (roles.staging != "embedded" && !roles.staging.starts_with("postgresql://") &&
      !roles.staging.starts_with("postgres://"))
    return file.fail(url, "`staging` is embedded or postgresql://USER@HOST:PORT/DATABASE");
  for (auto [key, value] : {std::pair{"user", &remote.user}, {"password", &remote.password}}) {
    if (!mapping || !node[key]) continue;
    if (roles.staging == "embedded")
      return file.fail(node[key], "`" + std::string(key) + "` is of a postgresql:// staging");
    ASSIGN(*value, file.text(node[key], key));
  }
  return {};
}

Status read_stages(Project& project, const yaml::File& file) {
  ASSIGN(const auto entries,
         file.entries(file.root["staging"], "staging", "TABLE: {columns: …, key: [COLUMN]}"));
  for (const auto& [name, name_node, node] : entries) {
    StageSpec stage;
    stage.table.name = name;
    stage.place = file.place(name_node);
    if (!is_name(name) || name.starts_with("tailrace_") || name.starts_with("sqlite_"))
      return file.fail(name_node, "`" + name +
                                      "` is no staging table's name: letters, digits and "
                                      "_, and neither tailrace_ nor sqlite_ first");
    TRY(read_stage(file, node, stage));
    project.stages.push_back(std::move(stage));
  }
  for (const IngestSpec& ingest : project.ingest) {
    if (ingest.stage.empty() || find_stage(project, ingest.stage) != nullptr) continue;
    std::vector<std::string_view> names;
    for (const StageSpec& stage : project.stages) names.push_back(stage.table.name);
    if (const std::string near = yaml::nearest(ingest.stage, names); !near.empty())
      return error(Code::kInvalidArgument, ingest.place + ": `stage: " + ingest.stage +
                                               "` is not among `staging`; did you mean `" + near +
                                               "`?");
    if (!is_name(ingest.stage) || ingest.stage.starts_with("tailrace_") ||
        ingest.stage.starts_with("sqlite_"))
      return error(Code::kInvalidArgument,
                   ingest.place + ": `stage: " + ingest.stage +
                       "` is no table's name: letters, digits and _, and neither tailrace_ nor "
                       "sqlite_ first");
    StageSpec stage;
    stage.table.name = ingest.stage;
    stage.place = ingest.place;
    project.stages.push_back(std::move(stage));
  }
  for (StageSpec& stage : project.stages) TRY(join_sources(project, stage));
  std::map<std::string, std::string> slots;  // and whose they are
  for (const StageSpec& stage : project.stages) {
    if (stage.slot.empty()) continue;
    if (project.roles.staging == "embedded")
      return error(Code::kInvalidArgument,
                   stage.place + ": `slot` is of a postgresql:// staging (roles)");
    const auto [at, is_new] = slots.try_emplace(stage.slot, stage.table.name);
    if (!is_new)
      return error(Code::kInvalidArgument, stage.place + ": `slot: " + stage.slot +
                                               "` is that of `" + at->second +
                                               "`, too: each table has its own");
  }
  return {};
}

}  // namespace tailrace::pipeline
