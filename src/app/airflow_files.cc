#include "app/airflow_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "dags/read.h"
#include "workflows/settings.h"

// Of airflow_files.S.
extern "C" {
struct TailraceEmbeddedFile {
  const char* name;
  const char* begin;
  const char* end;
};
extern const TailraceEmbeddedFile app_airflow_files[];
}

namespace tailrace::app {
namespace {

constexpr std::string_view kAirflow = "apache-airflow==3.3.2";
constexpr std::string_view kDagFactory = "dag-factory==1.1.0";
constexpr std::string_view kOwnProvider = "tailrace_provider.";
/// Of each provider the version that operators were recorded from (spec/airflow_operators.yml).
constexpr std::pair<std::string_view, std::string_view> kProviders[] = {
    {"amazon", "9.39.0"},      {"apache-cassandra", "3.10.1"},
    {"apache-kafka", "2.1.0"}, {"apache-spark", "6.3.4"},
    {"common-sql", "2.4.0"},   {"http", "6.3.0"},
    {"slack", "9.11.1"},       {"smtp", "3.2.0"},
    {"standard", "1.21.0"},
};
/// Where a provider's modules end in an operator's path.
constexpr std::string_view kKinds[] = {"operators", "sensors",       "decorators", "transfers",
                                       "triggers",  "notifications", "hooks",      "timetables"};

/// The package that an operator is of, as pip takes it; empty: Airflow's own.
std::string package_of(const std::string& path) {
  constexpr std::string_view kPackage = "airflow.providers.";
  if (!path.starts_with(kPackage)) return "";
  std::string name;
  std::size_t at = kPackage.size();
  while (at < path.size()) {
    const std::size_t dot = std::min(path.find('.', at), path.size());
    const std::string_view word = std::string_view(path).substr(at, dot - at);
    if (std::ranges::find(kKinds, word) != std::end(kKinds))
      return "apache-airflow-providers-" + name;
    name += fmt::format("{}{}", name.empty() ? "" : "-", word);
    // What is below is a folder of it, as `aws` is of amazon.
    for (const auto& [provider, version] : kProviders)
      if (name == provider) return fmt::format("apache-airflow-providers-{}=={}", name, version);
    at = dot + 1;
  }
  return "";
}

std::vector<AirflowFile> embedded(std::string_view folder) {
  std::vector<AirflowFile> files;
  for (const TailraceEmbeddedFile* file = app_airflow_files; file->name != nullptr; ++file) {
    if (std::string_view(file->name).starts_with(folder))
      files.push_back({file->name, std::string(file->begin, file->end)});
  }
  return files;
}

/// The text as a Python literal.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

}  // namespace

Result<AirflowNeeds> airflow_needs(const std::string& folder) {
  if (folder.find('\n') != std::string::npos)
    return error(Code::kInvalidArgument, "the project's path has a line break");
  ASSIGN(const auto reading, dags::read(folder, dags::operators_of_an_airflow()));
  std::string fatal;
  std::vector<std::string> doubts;
  for (const auto& finding : reading.findings) {
    if (finding.fatal)
      fatal += (fatal.empty() ? "" : "\n") + finding.text();
    else
      doubts.push_back(finding.text());
  }
  if (!fatal.empty()) return error(Code::kInvalidArgument, fatal);
  const std::string project = std::filesystem::path(folder).parent_path().string();
  AirflowNeeds needs{.dags = reading.dags.size(),
                     .packages = {},
                     .own_provider = false,
                     .secrets = false,
                     .doubts = std::move(doubts)};
  ASSIGN(needs.secrets, workflows::has_connections(project));
  needs.own_provider = needs.secrets;
  std::set<std::string> packages;
  for (const auto& dag : reading.dags) {
    for (const auto& task : dag->tasks) {
      needs.own_provider |= task.operator_path.starts_with(kOwnProvider);
      if (std::string package = package_of(task.operator_path); !package.empty())
        packages.insert(std::move(package));
    }
  }
  needs.packages = {std::string(kAirflow), std::string(kDagFactory)};
  needs.packages.insert(needs.packages.end(), packages.begin(), packages.end());
  return needs;
}

std::vector<AirflowFile> airflow_loader(const std::string& dags, const std::string& project) {
  std::vector<AirflowFile> files = embedded("tailrace_airflow/");
  files.push_back({"tailrace_airflow/__init__.py", "\"\"\"Tailrace beside Airflow.\"\"\"\n"});
  files.push_back({".airflowignore", "tailrace_airflow/\ntailrace_provider/\n"});
  files.push_back(
      {"tailrace_project.py",
       fmt::format("\"\"\"The DAG files of {0} on Airflow: written by `tailrace`.\"\"\"\n"
                   "import sys\n\n"
                   "sys.path.insert(0, {1})\n"
                   "from tailrace_airflow import loader  # noqa: E402\n\n"
                   "loader.load(globals(), {1})\n",
                   project, quoted(dags))});
  return files;
}

std::vector<AirflowFile> airflow_provider() {
  return embedded("tailrace_provider/");
}

}  // namespace tailrace::app
