#include "dags/read.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "dags/build.h"
#include "dags/ignore.h"
#include "dags/python_types.h"
#include "dags/tree.h"
#include "dags/yaml11.h"

namespace fs = std::filesystem;

namespace tailrace::dags {
namespace {

using jinja::Value;

bool is_yaml(const fs::path& path) {
  return path.extension() == ".yml" || path.extension() == ".yaml";
}
bool is_defaults(const fs::path& path) {
  return path.filename() == "defaults.yml" || path.filename() == "defaults.yaml";
}

std::optional<std::string> content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return std::nullopt;
  return text;
}

/// {**low, **high}: the keys of both, high's values.
Node overlaid(Node low, const Node& high) {
  for (std::size_t i = 0; i < high.keys.size(); ++i) low.set(high.keys[i], high.items[i]);
  return low;
}

/// dag-factory's merge_configs: what is missing comes from `defaults`, mappings part by part.
void merge_configs(Node& config, const Node& defaults) {
  for (std::size_t i = 0; i < defaults.keys.size(); ++i) {
    Node* own = nullptr;
    for (std::size_t k = 0; k < config.keys.size(); ++k)
      if (config.keys[k].value == defaults.keys[i].value) own = &config.items[k];
    if (!own)
      config.set(defaults.keys[i], defaults.items[i]);
    else if (own->is_map() && defaults.items[i].is_map())
      merge_configs(*own, defaults.items[i]);
  }
}

class FolderReader {
 public:
  FolderReader(fs::path path, const Operators& operators, const Surroundings& surroundings)
      : path_(std::move(path)),
        operators_(operators),
        surroundings_(surroundings),
        root_(surroundings.folder.empty() ? root_of(path_) : fs::path(surroundings.folder)),
        callables_(root_.string()) {
    if (!surroundings_.environment)
      surroundings_.environment = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
      };
    if (surroundings_.now == 0)
      surroundings_.now = std::chrono::duration_cast<std::chrono::microseconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count();
  }

  Reading read() {
    for (const fs::path& file : files()) read_file(file);
    reading_.findings = findings_.take();
    std::ranges::stable_sort(reading_.findings, {}, [](const Finding& each) {
      return std::tuple(each.place.file, each.place.line, each.place.column);
    });
    return std::move(reading_);
  }

 private:
  static fs::path root_of(const fs::path& path) {
    return fs::is_directory(path) ? path : path.has_parent_path() ? path.parent_path() : ".";
  }

  std::vector<fs::path> files() {
    if (!fs::is_directory(path_)) return {path_};
    std::vector<fs::path> found;
    collect(path_, found);
    std::ranges::sort(found);
    return found;
  }

  void collect(const fs::path& folder, std::vector<fs::path>& found) {
    std::error_code code;
    ignore_.load(folder.string());
    for (const auto& entry : fs::directory_iterator(folder, code)) {
      const fs::path& path = entry.path();
      if (ignore_.matches(path.string(), entry.is_directory())) continue;
      if (entry.is_directory())
        collect(path, found);
      else if (is_yaml(path) && !is_defaults(path))
        found.push_back(path);
    }
    if (code) findings_.fatal({folder.string()}, "the folder cannot be read: " + code.message());
  }

  /// A file as dag-factory's load_yaml_file gives it; none after a finding.
  std::optional<Node> load(const fs::path& path) {
    const auto text = content(path);
    if (!text) {
      findings_.fatal({path.string()}, "cannot be read");
      return std::nullopt;
    }
    auto node = load_yaml(*text, path.string(), surroundings_.environment, findings_);
    if (!node) return std::nullopt;
    const int faults = findings_.fatal_count();
    cast(*node, findings_);
    if (findings_.fatal_count() > faults) return std::nullopt;
    if (node->is_none()) {
      findings_.doubt({path.string()}, "the file is empty");
      return std::nullopt;
    }
    if (!node->is_map()) {
      findings_.fatal(node->place, "a DAG file is a mapping of DAG ids, not " + node->what());
      return std::nullopt;
    }
    return node;
  }

  /// The defaults of the folders from the root down to the file's; the nearest folder's count.
  const Node* folder_defaults(const fs::path& folder) {
    const auto seen = defaults_.find(folder.string());
    if (seen != defaults_.end()) return &seen->second;
    Node made{.kind = Node::Kind::kMap};
    const fs::path inside = folder.lexically_relative(root_);
    const bool below = !inside.empty() && *inside.begin() != "..";
    if (folder.lexically_normal() != root_.lexically_normal() && folder.has_parent_path()) {
      const fs::path above = below && inside != "." ? folder.parent_path() : root_;
      if (const Node* node = folder_defaults(above)) made = *node;
    }
    for (const char* name : {"defaults.yml", "defaults.yaml"}) {
      if (!fs::is_regular_file(folder / name)) continue;
      if (auto own = load(folder / name)) add_defaults(made, *own);
      break;
    }
    return &defaults_.emplace(folder.string(), std::move(made)).first->second;
  }

  /// default_args key by key, tags joined and sorted, else the nearer folder's.
  static void add_defaults(Node& made, const Node& own) {
    for (std::size_t i = 0; i < own.keys.size(); ++i) {
      const std::string key = own.keys[i].text();
      const Node* before = made.find(key);
      if (key == "default_args" && before && before->is_map() && own.items[i].is_map()) {
        made.set(own.keys[i], overlaid(*before, own.items[i]));
      } else if (key == "tags" && own.items[i].is_list()) {
        Node tags = own.items[i];
        if (before) tags.items.insert(tags.items.end(), before->items.begin(), before->items.end());
        const auto by_text = [](const Node& tag) { return to_value(tag).text(); };
        std::ranges::sort(tags.items, {}, by_text);
        const auto same = std::ranges::unique(tags.items, {}, by_text);
        tags.items.erase(same.begin(), same.end());
        made.set(own.keys[i], std::move(tags));
      } else {
        made.set(own.keys[i], own.items[i]);
      }
    }
  }

  void read_file(const fs::path& path) {
    const auto file = load(path);
    if (!file) return;
    Node defaults{.kind = Node::Kind::kMap};
    if (const Node* own = file->find("default"); own && !own->is_none()) {
      if (own->is_map())
        defaults = *own;
      else
        findings_.fatal(own->place, "`default` is a mapping, not " + own->what());
    }
    Node of_dags{.kind = Node::Kind::kMap};
    if (const Node* folders = folder_defaults(path.parent_path())) {
      const Node* far = folders->find("default_args");
      const Node* near = defaults.find("default_args");
      if (far && far->is_map())
        defaults.set(*folders->find_key("default_args"),
                     near && near->is_map() ? overlaid(*far, *near) : *far);
      for (std::size_t i = 0; i < folders->keys.size(); ++i)
        if (folders->keys[i].text() != "default_args")
          of_dags.set(folders->keys[i], folders->items[i]);
    }
    for (std::size_t i = 0; i < file->keys.size(); ++i) {
      const Node::Key& name = file->keys[i];
      if (name.text() == "default" || name.text() == "task_groups") continue;
      if (!file->items[i].is_map()) {
        findings_.fatal(name.place, "the DAG `" + name.text() +
                                        "` is a mapping with `tasks`, not a " +
                                        file->items[i].type_name());
        continue;
      }
      Node config = overlaid(of_dags, file->items[i]);
      config.place = file->items[i].place;
      merge_configs(config, defaults);
      add(name, std::move(config));
    }
  }

  void add(const Node::Key& name, Node config) {
    auto dag = build_dag(name, std::move(config),
                         {.operators = operators_,
                          .callables = callables_,
                          .findings = findings_,
                          .now = surroundings_.now});
    if (!dag) return;
    const auto [first, fresh] = places_.emplace(dag->id, name.place);
    if (fresh)
      reading_.dags.push_back(std::move(dag));
    else
      findings_.fatal(name.place, "the DAG `" + dag->id + "` is at " + first->second.text() +
                                      " already; give one of them another id");
  }

  fs::path path_;
  const Operators& operators_;
  Surroundings surroundings_;
  fs::path root_;
  Callables callables_;
  Ignore ignore_;
  Findings findings_;
  std::map<std::string, Node> defaults_;
  std::map<std::string, Place> places_;
  Reading reading_;
};

}  // namespace

std::string Finding::text() const {
  return place.text() + ": " + what;
}

Result<Reading> read(const std::string& path, const Operators& operators,
                     const Surroundings& surroundings) {
  std::error_code code;
  if (!fs::exists(path, code)) return error(Code::kNotFound, path + ": is not there");
  return FolderReader(path, operators, surroundings).read();
}

}  // namespace tailrace::dags
