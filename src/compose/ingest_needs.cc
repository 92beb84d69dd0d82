#include "compose/ingest_needs.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "net/address.h"

namespace tailrace::compose {
namespace {

using pipeline::IngestSpec;

std::string option(const IngestSpec& ingest, const std::string& name, std::string otherwise) {
  const auto found = ingest.options.find(name);
  return found == ingest.options.end() ? std::move(otherwise) : found->second;
}

/// The protocols that the source listens by; none: it does not.
std::vector<std::string> transports(const IngestSpec& ingest) {
  if (ingest.type == "tcp" || ingest.type == "udp") return {ingest.type};
  if (ingest.type != "syslog") return {};
  const std::string tls = option(ingest, "tls.certificate", "");
  const std::string said = option(ingest, "transports", tls.empty() ? "udp,tcp" : "tcp");
  std::vector<std::string> found;
  for (const char* one : {"tcp", "udp"})
    if (said.find(one) != std::string::npos) found.emplace_back(one);
  return found;
}

/// The folder, or file, that a pattern's files are in.
std::string before_pattern(const std::string& path) {
  const auto glob = path.find_first_of("*?[");
  if (glob == std::string::npos) return path;
  const auto slash = path.rfind('/', glob);
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool is_outside(const std::string& path) {
  const auto normal = std::filesystem::path(path).lexically_normal();
  return normal.is_absolute() || *normal.begin() == "..";
}

/// Where the scalar at a mark ends.
std::size_t end_of_scalar(const std::string& text, std::size_t begin) {
  const char quote = text[begin];
  if (quote == '"' || quote == '\'') {
    const auto end = text.find(quote, begin + 1);
    return end == std::string::npos ? text.size() : end + 1;
  }
  const auto end = text.find_first_of(" \t\r\n,}]", begin);
  return std::min(end, text.size());
}

struct Change {
  std::size_t begin, end;
  std::string text;
};

/// The change that lets the source listen everywhere.
Result<Change> listen_everywhere(const std::string& settings, const YAML::Node& root,
                                 std::size_t source, const std::string& type,
                                 const std::string& address) {
  try {
    const YAML::Node said = root["ingest"][source][type]["listen"];
    const auto begin = static_cast<std::size_t>(said.Mark().pos);
    return Change{begin, end_of_scalar(settings, begin), "\"" + address + "\""};
  } catch (const YAML::Exception&) {
    return error(Code::kInternal, "`listen` of a source is not where tailrace.yml has it");
  }
}

}  // namespace

Result<IngestNeeds> ingest_needs(const pipeline::Project& project, const std::string& settings) {
  IngestNeeds needs;
  std::set<std::string> folders;
  std::vector<Change> changes;
  YAML::Node root;
  try {
    root = YAML::Load(settings);
  } catch (const YAML::Exception& failure) {
    return error(Code::kInvalidArgument, std::string("tailrace.yml: ") + failure.what());
  }
  for (std::size_t i = 0; i < project.ingest.size(); ++i) {
    const IngestSpec& ingest = project.ingest[i];
    if (ingest.type == "files") {
      const std::string folder = before_pattern(option(ingest, "path", "."));
      if (is_outside(folder)) folders.insert(folder);
    }
    const auto by = transports(ingest);
    if (by.empty()) continue;
    const auto at = net::parse_address(option(ingest, "listen", ""));
    if (!at || at->port == 0)
      return error(Code::kFailedPrecondition,
                   ingest.place + ": `listen` of " + ingest.name +
                       " names no port: a container publishes only one that is known before");
    const std::string port = std::to_string(at->port);
    for (const std::string& transport : by)
      needs.ports.push_back(port + ":" + port + (transport == "udp" ? "/udp" : ""));
    if (at->host == "0.0.0.0" || at->host == "::") continue;
    ASSIGN(auto change, listen_everywhere(settings, root, i, ingest.type, "0.0.0.0:" + port));
    changes.push_back(std::move(change));
  }
  needs.folders.assign(folders.begin(), folders.end());
  needs.settings = settings;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change)
    needs.settings.replace(change->begin, change->end - change->begin, change->text);
  return needs;
}

}  // namespace tailrace::compose
