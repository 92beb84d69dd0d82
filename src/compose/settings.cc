// The text of tailrace.yml as YAML.
#include "compose/settings.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <set>

namespace tailrace::compose {
namespace {

Result<YAML::Node> parsed(const std::string& settings) {
  try {
    return YAML::Load(settings);
  } catch (const YAML::Exception& failure) {
    return error(Code::kInvalidArgument, std::string("tailrace.yml: ") + failure.what());
  }
}

/// Of `../x` and `/x`; `a/../b` is inside.
bool is_outside(const std::string& path) {
  const auto normal = std::filesystem::path(path).lexically_normal();
  return normal.is_absolute() || *normal.begin() == "..";
}

void add_files(const YAML::Node& node, bool is_file, bool in_tls, std::set<std::string>& found) {
  if (node.IsMap()) {
    for (const auto& entry : node) {
      const std::string& key = entry.first.Scalar();
      const bool of_tls = in_tls && (key == "certificate" || key == "key" || key == "clients");
      const bool is_path = key.ends_with("_file") || key == "jars" || of_tls;
      add_files(entry.second, is_path, key == "tls", found);
    }
  } else if (node.IsSequence()) {
    for (const auto& item : node) add_files(item, false, false, found);
  } else if (node.IsScalar()) {
    const std::string& text = node.Scalar();
    const bool named = text.starts_with("file:") && !text.starts_with("file://");
    const std::string path = named ? text.substr(5) : is_file ? text : "";
    if (!path.empty() && path.find("${") == std::string::npos && is_outside(path))
      found.insert(path);
  }
}

}  // namespace

Result<std::map<std::string, std::string>> written_roles(const std::string& settings) {
  ASSIGN(const YAML::Node root, parsed(settings));
  std::map<std::string, std::string> roles;
  if (!root.IsMap() || !root["roles"] || !root["roles"].IsMap()) return roles;
  for (const auto& entry : root["roles"]) {
    YAML::Node role = entry.second;
    if (role.IsNull()) continue;
    role.SetStyle(YAML::EmitterStyle::Flow);  // its own comes before the emitter's
    YAML::Emitter out;
    out << role;
    roles[entry.first.Scalar()] = out.c_str();
  }
  return roles;
}

std::string with_engine(const std::string& written, const std::string& url,
                        const std::map<std::string, std::string>& properties) {
  YAML::Node role = YAML::Load(written);
  if (!role.IsMap()) role = YAML::Node(YAML::NodeType::Map);
  role["url"] = url;
  for (const auto& [name, value] : properties) role["properties"][name] = value;
  role.SetStyle(YAML::EmitterStyle::Flow);
  YAML::Emitter out;
  out << role;
  return out.c_str();
}

Result<std::vector<std::string>> files_outside(const std::string& settings) {
  ASSIGN(const YAML::Node root, parsed(settings));
  std::set<std::string> found;
  add_files(root, false, false, found);
  return std::vector<std::string>(found.begin(), found.end());
}

}  // namespace tailrace::compose
