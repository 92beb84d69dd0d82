#include "pipeline/contracts/contract.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "pipeline/contracts/rules.h"
#include "pipeline/contracts/standard.h"
#include "pipeline/names.h"
#include "pipeline/project.h"
#include "rt/file.h"

namespace tailrace::pipeline {
namespace {

namespace fs = std::filesystem;

std::string text_of(const YAML::Node& node, const char* key) {
  if (!node.IsMap() || !node[key] || !node[key].IsScalar()) return "";
  return node[key].Scalar();
}

bool flag_of(const YAML::Node& node, const char* key) {
  return lower(text_of(node, key)) == "true";
}

ContractColumn column_of(const yaml::File& file, const YAML::Node& node) {
  ContractColumn column{.name = data_name(node),
                        .logical_type = text_of(node, "logicalType"),
                        .physical_type = text_of(node, "physicalType"),
                        .unique = flag_of(node, "unique"),
                        .place = file.place(node)};
  if (flag_of(node, "primaryKey"))
    column.key_position = std::max(1, std::atoi(text_of(node, "primaryKeyPosition").c_str()));
  column.required = column.key_position > 0 || flag_of(node, "required");
  for (const auto& field : node["properties"]) column.fields.push_back(column_of(file, field));
  if (node["items"]) column.items.push_back(column_of(file, node["items"]));
  return column;
}

/// The topic that an object is; null when it is a table.
const TopicSpec* topic_of(const Project& project, const YAML::Node& node, const std::string& name) {
  const std::string type = lower(text_of(node, "physicalType"));
  if (type == "table" || type == "view") return nullptr;
  for (const TopicSpec& topic : project.topics)
    if (topic.name == name || (type != "topic" && same_name(topic.relation, name))) return &topic;
  return nullptr;
}

ContractObject object_of(const Project& project, const yaml::File& file, const YAML::Node& node) {
  ContractObject object{
      .name = text_of(node, "name"), .target = data_name(node), .place = file.place(node)};
  const TopicSpec* topic = topic_of(project, node, object.target);
  object.is_topic = topic || lower(text_of(node, "physicalType")) == "topic";
  if (topic) object.target = topic->name;
  for (const auto& property : node["properties"])
    object.columns.push_back(column_of(file, property));
  // The columns of a topic without a schema are nowhere.
  if (object.is_topic && !(topic && topic->values)) return object;
  object.rules = make_rules({.file = file,
                             .contract = file.root,
                             .object = node,
                             .relation = topic ? topic->relation : object.target,
                             .row = object.is_topic ? "`value`." : ""});
  return object;
}

/// What the objects that are tables ask of all their rows.
void add_measures(const Project& project, const yaml::File& file, std::vector<Measure>& measures) {
  for (const auto& node : file.root["schema"]) {
    const std::string table = data_name(node);
    if (topic_of(project, node, table) || lower(text_of(node, "physicalType")) == "topic") continue;
    for (Measure& measure : make_measures(
             {.file = file, .contract = file.root, .object = node, .relation = table, .row = ""})) {
      measure.contract = text_of(file.root, "id");
      measure.version = text_of(file.root, "version");
      measure.table = table;
      measures.push_back(std::move(measure));
    }
  }
}

/// Who answers for the data: the team's name, its members whose role is owner, else its first.
std::string owner_of(const YAML::Node& team) {
  if (!team) return "";
  const std::string name = text_of(team, "name");
  const YAML::Node members = team.IsMap() ? team["members"] : team;
  std::string owners, first;
  for (const auto& member : members) {
    if (!text_of(member, "dateOut").empty()) continue;
    const std::string shown =
        text_of(member, "name").empty() ? text_of(member, "username") : text_of(member, "name");
    if (first.empty()) first = shown;
    if (lower(text_of(member, "role")).find("owner") != std::string::npos)
      owners += (owners.empty() ? "" : ", ") + shown;
  }
  if (owners.empty() && name.empty()) return first;
  if (name.empty() || owners.empty()) return name + owners;
  return name + " (" + owners + ")";
}

ServiceLevel level_of(const yaml::File& file, const YAML::Node& contract, const YAML::Node& node) {
  ServiceLevel level{.property = text_of(node, "property"),
                     .value = text_of(node, "value"),
                     .unit = text_of(node, "unit"),
                     .element = text_of(node, "element"),
                     .driver = text_of(node, "driver"),
                     .place = file.place(node)};
  if (level.element.empty()) level.element = text_of(contract, "slaDefaultElement");
  return level;
}

Contract contract_of(const Project& project, const yaml::File& file) {
  const YAML::Node& root = file.root;
  Contract contract{.file = file.path,
                    .id = text_of(root, "id"),
                    .name = text_of(root, "name"),
                    .version = text_of(root, "version"),
                    .status = text_of(root, "status"),
                    .domain = text_of(root, "domain"),
                    .owner = owner_of(root["team"])};
  for (const auto& object : root["schema"])
    contract.objects.push_back(object_of(project, file, object));
  for (const auto& level : root["slaProperties"])
    contract.levels.push_back(level_of(file, root, level));
  return contract;
}

Result<std::vector<fs::path>> contract_files(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) return found;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    const std::string suffix = lower(entry.path().extension().string());
    if (suffix == ".yml" || suffix == ".yaml" || suffix == ".json") found.push_back(entry.path());
  }
  if (failed)
    return error(Code::kUnavailable, folder.string() + " cannot be read: " + failed.message());
  std::ranges::sort(found);
  return found;
}

Result<yaml::File> load_file(const fs::path& path, const std::string& shown) {
  std::error_code failed;
  if (const auto size = fs::file_size(path, failed); !failed && size > kMaxContractBytes)
    return error(Code::kResourceExhausted,
                 fmt::format("{}: a contract of more than {} MiB", shown, kMaxContractBytes >> 20));
  ASSIGN(yaml::File file, yaml::File::load(path.string()));
  file.path = shown;
  return file;
}

}  // namespace

Result<std::vector<Contract>> load_contracts(const Project& project) {
  std::vector<Contract> contracts;
  std::string faults;
  ASSIGN(const auto files, contract_files(fs::path(project.folder) / "contracts"));
  for (const fs::path& path : files) {
    const std::string shown = "contracts/" + path.filename().string();
    ASSIGN(const yaml::File file, load_file(path, shown));
    const auto wrong = standard_faults(file);
    for (const std::string& fault : wrong) faults += (faults.empty() ? "" : "\n") + fault;
    if (!wrong.empty()) continue;
    contracts.push_back(contract_of(project, file));
    for (std::size_t i = 0; i + 1 < contracts.size(); ++i)
      if (contracts[i].id == contracts.back().id)
        return error(Code::kInvalidArgument, fmt::format("{}: contract `{}` is also in {}", shown,
                                                         contracts[i].id, contracts[i].file));
  }
  if (!faults.empty()) return error(Code::kInvalidArgument, faults);
  return contracts;
}

Result<std::vector<Measure>> load_measures(const Project& project) {
  std::vector<Measure> measures;
  for (const Contract& contract : project.contracts) {
    ASSIGN(const yaml::File file,
           load_file(fs::path(project.folder) / contract.file, contract.file));
    add_measures(project, file, measures);
  }
  return measures;
}

std::vector<const ContractRule*> contract_rules(const Project& project, bool topic,
                                                std::string_view target) {
  std::vector<const ContractRule*> rules;
  for (const Contract& contract : project.contracts)
    for (const ContractObject& object : contract.objects)
      if (object.is_topic == topic && same_name(object.target, target))
        for (const ContractRule& rule : object.rules) rules.push_back(&rule);
  return rules;
}

}  // namespace tailrace::pipeline
