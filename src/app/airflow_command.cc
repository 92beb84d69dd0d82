// `tailrace airflow`: writes what a real Airflow needs to run the project's DAG files as they are.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <set>

#include "app/commands.h"
#include "app/instance.h"
#include "dags/read.h"
#include "rt/file.h"

extern "C" {
extern const char app_airflow_loader_begin[];
extern const char app_airflow_loader_end[];
}

namespace tailrace::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAirflow = "apache-airflow==3.3.2";
constexpr std::string_view kDagFactory = "dag-factory==1.1.0";
constexpr std::string_view kOwnProvider = "airflow-provider-tailrace";
/// Where a provider's modules end in an operator's path.
constexpr std::string_view kKinds[] = {"operators", "sensors",       "decorators", "transfers",
                                       "triggers",  "notifications", "hooks",      "timetables"};

/// The package that an operator is of; empty: Airflow's own.
std::string package_of(const std::string& path) {
  constexpr std::string_view kProviders = "airflow.providers.";
  if (path.starts_with("tailrace_provider.")) return std::string(kOwnProvider);
  if (!path.starts_with(kProviders)) return "";
  std::string name = "apache-airflow-providers";
  std::size_t at = kProviders.size();
  while (at < path.size()) {
    const std::size_t dot = std::min(path.find('.', at), path.size());
    const std::string_view word = std::string_view(path).substr(at, dot - at);
    if (std::ranges::find(kKinds, word) != std::end(kKinds)) return name;
    name += fmt::format("-{}", word);
    at = dot + 1;
  }
  return "";
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

Status write_all(const std::string& project, const std::string& out) {
  const std::string dags = project + "/dags";
  if (dags.find('\n') != std::string::npos)
    return error(Code::kInvalidArgument, "the project's path has a line break");
  ASSIGN(const auto reading, dags::read(dags, dags::airflow_operators()));
  std::string fatal;
  std::set<std::string> packages;
  for (const auto& finding : reading.findings) {
    if (finding.fatal) fatal += (fatal.empty() ? "" : "\n") + finding.text();
  }
  if (!fatal.empty()) return error(Code::kInvalidArgument, fatal);
  for (const auto& dag : reading.dags) {
    for (const auto& task : dag->tasks) {
      if (std::string package = package_of(task.operator_path); !package.empty())
        packages.insert(std::move(package));
    }
  }
  const auto write = [&](const std::string& name, const std::string& text) -> Status {
    TRY(rt::posix_files().make_folder(fs::path(out + "/" + name).parent_path().string()));
    return rt::write_atomically(rt::posix_files(), out + "/" + name, text);
  };
  std::string requirements = fmt::format("{}\n{}\n", kAirflow, kDagFactory);
  for (const std::string& package : packages) requirements += package + "\n";
  TRY(write("requirements.txt", requirements));
  TRY(write("dags/tailrace_airflow/__init__.py", "\"\"\"Tailrace beside Airflow.\"\"\"\n"));
  TRY(write("dags/tailrace_airflow/loader.py",
            std::string(app_airflow_loader_begin, app_airflow_loader_end)));
  TRY(write("dags/.airflowignore", "tailrace_airflow/\n"));
  const std::string module = fmt::format(
      "\"\"\"The DAG files of {0} on Airflow: written by `tailrace airflow`.\"\"\"\n"
      "import sys\n\n"
      "sys.path.insert(0, {1})\n"
      "from tailrace_airflow import loader  # noqa: E402\n\n"
      "loader.load(globals(), {1})\n",
      fs::path(project).filename().string(), quoted(dags));
  TRY(write("dags/tailrace_project.py", module));
  std::cout << fmt::format(
      "wrote {0}: {1} DAGs\n\n"
      "  python3 -m venv {0}/venv && {0}/venv/bin/pip install -r {0}/requirements.txt\n"
      "  export AIRFLOW_HOME={0}/home AIRFLOW__CORE__DAGS_FOLDER={0}/dags "
      "AIRFLOW__CORE__LOAD_EXAMPLES=False\n"
      "  {0}/venv/bin/airflow standalone\n",
      out, reading.dags.size());
  if (packages.contains(std::string(kOwnProvider)))
    std::cout << "\n"
              << kOwnProvider << " is Tailrace's own: pip install python/tailrace_provider\n";
  return {};
}

}  // namespace

int airflow_command(const AirflowOptions& options) {
  std::string project = fs::absolute(options.project).lexically_normal().string();
  while (project.size() > 1 && project.ends_with('/')) project.pop_back();
  const std::string out =
      fs::absolute(options.out.empty() ? data_folder(project, options.data) + "/airflow"
                                       : options.out)
          .lexically_normal()
          .string();
  const auto written = write_all(project, out);
  return written ? 0 : fail(written.error());
}

}  // namespace tailrace::app
