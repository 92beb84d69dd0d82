#include "doctor/doctor.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "doctor/rules.h"

namespace tailrace::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 2'000;
constexpr std::uintmax_t kMaxBytes = 1 << 20;

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

bool is_compose(const std::string& name) {
  const bool yaml = name.ends_with(".yml") || name.ends_with(".yaml");
  return yaml && (name.starts_with("docker-compose") || name.starts_with("compose"));
}

/// Files below the folder by their path in it; nothing hidden, installed or very large.
Result<std::vector<std::string>> list_files(const std::string& folder) {
  static const std::set<std::string> kPassedOver = {"node_modules", "venv",          "env",
                                                    "__pycache__",  "site-packages", "build"};
  std::error_code failed;
  std::vector<std::string> out;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied,
                                      failed);
  if (failed) return error(Code::kNotFound, folder + ": " + failed.message());
  for (; at != fs::recursive_directory_iterator(); at.increment(failed)) {
    if (failed) break;
    const std::string name = at->path().filename().string();
    if (at->is_directory(failed) && (name.starts_with('.') || kPassedOver.contains(name)))
      at.disable_recursion_pending();
    if (!at->is_regular_file(failed) || at->file_size(failed) > kMaxBytes) continue;
    out.push_back(fs::relative(at->path(), folder, failed).generic_string());
    if (out.size() >= kMaxFiles) break;
  }
  std::ranges::sort(out);
  return out;
}

void read_requirements(const std::string& folder, const std::string& name,
                       std::vector<Requirement>& out) {
  std::ifstream in(fs::path(folder) / name);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line = line.substr(0, line.find('#'));
    std::string word;
    std::istringstream(line) >> word;
    const std::size_t end = std::min(word.find_first_of("=<>!~[;"), word.size());
    const std::size_t pinned = word.find("==");
    if (end > 0 && !word.starts_with('-'))
      out.push_back({name, number, word.substr(0, end),
                     pinned == std::string::npos ? "" : word.substr(pinned + 2)});
  }
}

/// That it keeps Airflow's metadata is another thing, and true.
void read_claims(const std::string& folder, const std::string& name, std::vector<Claim>& out) {
  std::ifstream in(fs::path(folder) / name);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::ranges::transform(line, line.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto has = [&line](std::string_view word) { return line.contains(word); };
    if (has("postgres") && !has("metadata") &&
        (has(" stor") || has("saved") || has("persist") || has("written") || has("insert")))
      out.push_back({name, number});
  }
}

/// The statements of a .cql file, by semicolons.
void read_cql(const std::string& folder, const std::string& name, std::vector<CqlStatement>& out) {
  const std::string text = read_text(fs::path(folder) / name);
  int line = 1;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find(';', from), text.size());
    out.push_back({name, text.substr(from, end - from), line});
    line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(from),
                                        text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    from = end + 1;
  }
}

/// A path of a compose file, as seen from the folder: "./dags/" is "dags", "." is "".
std::string inner(const std::string& compose, const std::string& path) {
  if (path.empty() || path.starts_with('/') || path.starts_with('~')) return "/";
  if (path[0] != '.' && path.find('/') == std::string::npos) return "/";  // a volume's name
  std::string out = (fs::path(compose).parent_path() / path).lexically_normal().generic_string();
  while (out.ends_with('/')) out.pop_back();
  return out == "." ? "" : out;
}

bool is_below(const std::string& path, const std::string& folder) {
  return folder.empty() || path == folder || path.starts_with(folder + "/");
}

std::vector<const Service*> homes_of(const Folder& folder, const std::string& path) {
  std::vector<const Service*> out;
  for (const ComposeFile& file : folder.compose)
    for (const Service& one : file.services) {
      bool here = !one.context.empty() && inner(file.path, one.context) != "/" &&
                  is_below(path, inner(file.path, one.context)) &&
                  (!inner(file.path, one.context).empty() ||
                   mentions(one.command.text, fs::path(path).filename().string()));
      for (const Volume& volume : one.volumes)
        here = here || (inner(file.path, volume.source) != "/" &&
                        is_below(path, inner(file.path, volume.source)));
      if (here) out.push_back(&one);
    }
  return out;
}

}  // namespace

std::vector<const Service*> Folder::homes(const Script& script) const {
  return homes_of(*this, script.path);
}

Result<Folder> read_folder(const std::string& path) {
  Folder folder;
  folder.path = path;
  ASSIGN(const auto files, list_files(path));
  for (const std::string& name : files) {
    const std::string last = fs::path(name).filename().string();
    if (is_compose(last)) {
      const std::string below = fs::path(name).parent_path().string();
      auto file = read_compose(below.empty() ? path : path + "/" + below, last);
      if (file) {
        file->path = name;
        for (Service& one : file->services)
          if (!one.image_file.empty())
            one.image_file = (fs::path(below) / one.image_file).generic_string();
        folder.compose.push_back(std::move(*file));
      } else {
        folder.unread.push_back(file.error().what);
      }
    }
    if (last.starts_with("requirements") && last.ends_with(".txt"))
      read_requirements(path, name, folder.requirements);
    if (last.ends_with(".cql")) read_cql(path, name, folder.cql);
    if (last.ends_with(".md")) read_claims(path, name, folder.claims);
  }
  for (const std::string& name : files) {
    if (!name.ends_with(".py")) continue;
    std::map<std::string, std::string> environment;
    for (const Service* home : homes_of(folder, name))
      for (const auto& [key, value] : home->environment) environment.try_emplace(key, value.text);
    folder.scripts.push_back(read_script(name, read_text(fs::path(path) / name), environment));
    for (const Site& statement : folder.scripts.back().cql)
      folder.cql.push_back({name, statement.text, statement.line});
  }
  if (folder.compose.empty() && folder.scripts.empty())
    return error(Code::kInvalidArgument,
                 path + ": neither a compose file nor a Python script is here" +
                     (folder.unread.empty() ? "" : "; " + folder.unread[0]));
  return folder;
}

std::vector<Finding> find_faults(const Folder& folder) {
  Findings out;
  check_services(folder, out);
  check_addresses(folder, out);
  check_versions(folder, out);
  check_scripts(folder, out);
  check_columns(folder, out);
  std::ranges::sort(out);
  // Two services that share a line by an anchor tell it once.
  out.erase(std::unique(out.begin(), out.end(),
                        [](const Finding& a, const Finding& b) {
                          return a.file == b.file && a.line == b.line && a.fault == b.fault &&
                                 a.what == b.what;
                        }),
            out.end());
  return out;
}

std::vector<std::pair<std::string, std::string>> faults() {
  return {
      {"unserialisable", "a value that json.dumps refuses is sent: the topic stays empty"},
      {"swallowed-error", "a failure is only logged: the task ends green"},
      {"version-mismatch", "a connector, library or word for another version"},
      {"image-gone", "an image that no longer exists or is no longer kept"},
      {"image-unpinned", "an image without a version"},
      {"localhost", "localhost inside a container, for another container"},
      {"listener", "a Kafka listener that sends its clients to the wrong address"},
      {"unknown-column", "a column is written that the table does not have"},
      {"dropped-field", "a field is sent that nobody reads"},
      {"never-sent", "a field is read that nobody sends"},
      {"topic-mismatch", "a topic is read that nobody writes"},
      {"lost-checkpoint", "a checkpoint that does not outlive a restart"},
      {"no-volume", "a store without a volume"},
      {"not-ready", "a service waits for a start, not for an answer"},
      {"no-memory-limit", "a large service without a limit of memory"},
      {"unused-service", "a service runs that nobody uses"},
  };
}

}  // namespace tailrace::doctor
