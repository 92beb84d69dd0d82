#include "pipeline/spark_spec.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/log.h"
#include "yaml/file.h"

namespace tailrace::pipeline {
namespace {

namespace fs = std::filesystem;

Result<std::string> find_spec(const std::string& folder) {
  const std::string yaml = folder + "/spark-pipeline.yaml", yml = folder + "/spark-pipeline.yml";
  if (fs::exists(yaml) && fs::exists(yml))
    return error(Code::kInvalidArgument,
                 "[MULTIPLE_PIPELINE_SPEC_FILES_FOUND] " + folder +
                     " has both spark-pipeline.yaml and spark-pipeline.yml; keep one");
  if (fs::exists(yaml)) return yaml;
  if (fs::exists(yml)) return yml;
  return error(Code::kNotFound, "[PIPELINE_SPEC_FILE_NOT_FOUND] no spark-pipeline.yml in " +
                                    folder + "; `tailrace init NAME` writes a project that runs");
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return error(Code::kNotFound, path + ": there is no such file, or it cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Files of one `include`: a plain path, or FOLDER/**.
Result<std::vector<fs::path>> expand(const fs::path& base, const std::string& include) {
  std::vector<fs::path> found;
  const std::size_t star = include.find_first_of("*?[");
  if (star == std::string::npos) {
    found.push_back(base / include);
    return found;
  }
  if (!include.ends_with("/**") || star != include.size() - 2)
    return error(Code::kInvalidArgument, "[PIPELINE_SPEC_INVALID_GLOB_PATTERN] `" + include +
                                             "`: a path or FOLDER/** is expected");
  const fs::path root = base / include.substr(0, include.size() - 3);
  std::error_code failed;
  for (fs::recursive_directory_iterator at(root, failed), end; at != end; at.increment(failed)) {
    if (failed) break;
    if (at->is_directory() && at->path().filename() == "__pycache__")
      at.disable_recursion_pending();
    if (at->is_regular_file()) found.push_back(at->path());
  }
  std::ranges::sort(found);
  return found;
}

Status add_file(Project& project, const fs::path& path) {
  const std::string suffix = path.extension().string();
  const std::string shown = fs::relative(path, project.folder).string();
  if (suffix == ".py") {
    LOG(warn, "{}: Python definitions run on Spark only; the embedded engine takes SQL", shown);
    return {};
  }
  if (suffix != ".sql")
    return error(Code::kInvalidArgument,
                 "[PIPELINE_UNSUPPORTED_DEFINITIONS_FILE_EXTENSION] " + shown +
                     ": .sql or .py is expected; move other files elsewhere");
  ASSIGN(auto text, read_file(path.string()));
  project.sql_files.push_back({shown, std::move(text)});
  return {};
}

/// A value that stands as it is: Spark knows neither ${NAME} nor file: there.
Result<std::string> plain(const yaml::File& file, const char* field) {
  const YAML::Node node = file.root[field];
  if (!node.IsScalar()) return file.fail(node, "`" + std::string(field) + "` is one value");
  return node.Scalar();
}

Status read_libraries(Project& project, const yaml::File& file) {
  constexpr std::string_view kExample = "- glob: {include: transformations/**}";
  ASSIGN(const auto libraries, file.items(file.root["libraries"], "libraries", kExample));
  for (const YAML::Node& library : libraries) {
    const auto unlike = file.fail(library, "a library is written " + std::string(kExample));
    if (!library.IsMap()) return unlike;
    TRY(file.only_keys(library, {"glob"}));
    const YAML::Node glob = library["glob"];
    if (!glob || !glob.IsMap()) return unlike;
    TRY(file.only_keys(glob, {"include"}));
    if (!glob["include"]) return unlike;
    const YAML::Node include = glob["include"];
    ASSIGN(const std::string pattern, file.text(include, "include"));
    auto files = expand(project.folder, pattern);
    if (!files) return std::unexpected(files.error().in(file.place(include)));
    if (files->empty())
      LOG(warn, "{}: `{}` matches no file below {}", file.place(include), pattern, project.folder);
    for (const fs::path& path : *files)
      if (auto added = add_file(project, path); !added)
        return std::unexpected(added.error().in(file.place(include)));
  }
  return {};
}

Status read_configuration(Project& project, const yaml::File& file) {
  ASSIGN(const auto entries, file.entries(file.root["configuration"], "configuration",
                                          "spark.sql.shuffle.partitions: \"2\""));
  for (const yaml::File::Entry& entry : entries) {
    // A plain 2 is a number to YAML; Spark wants text there.
    const bool quoted = entry.value.Tag() == "!";
    const std::string& value = entry.value.Scalar();
    const bool number_or_bool = !quoted && (value == "true" || value == "false" ||
                                            value.find_first_not_of("0123456789.") == value.npos);
    if (!entry.value.IsScalar() || number_or_bool)
      return file.fail(entry.value, "[PIPELINE_SPEC_DICT_VALUE_NOT_STRING] `configuration." +
                                        entry.key + "` must be text: put it in quotes");
    project.configuration[entry.key] = value;
  }
  return {};
}

}  // namespace

Result<Project> load_spark_spec(const std::string& folder) {
  ASSIGN(const std::string path, find_spec(folder));
  ASSIGN(const yaml::File file, yaml::File::load(path));
  if (auto known = file.only_keys(file.root, {"name", "storage", "catalog", "database", "schema",
                                              "configuration", "libraries"});
      !known)
    return std::unexpected(known.error().in("[PIPELINE_SPEC_UNEXPECTED_FIELD]"));
  Project project;
  project.folder = folder;
  for (const char* field : {"name", "storage"})
    if (!file.root.IsMap() || !file.root[field])
      return error(Code::kInvalidArgument,
                   "[PIPELINE_SPEC_MISSING_REQUIRED_FIELD] " + path + ": `" + field +
                       "` is missing; the file begins with name: my_project and storage: "
                       "file:///folder/for/spark");
  ASSIGN(project.name, plain(file, "name"));
  ASSIGN(project.storage, plain(file, "storage"));
  if (project.storage.find("://") == std::string::npos && !project.storage.starts_with("file:/"))
    return file.fail(file.root["storage"],
                     "[PIPELINE_STORAGE_ROOT_INVALID] `storage` is a URI: file:///…");
  for (const char* field : {"schema", "database"})
    if (file.root[field]) {
      ASSIGN(project.database, plain(file, field));
    }
  TRY(read_configuration(project, file));
  TRY(read_libraries(project, file));
  return project;
}

}  // namespace tailrace::pipeline
