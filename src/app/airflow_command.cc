// `tailrace airflow`: writes what a real Airflow needs to run the project's DAG files as they are.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/airflow_files.h"
#include "app/commands.h"
#include "app/instance.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

namespace fs = std::filesystem;

Status write(const std::string& path, const std::string& text) {
  TRY(rt::posix_files().make_folder(fs::path(path).parent_path().string()));
  return rt::write_atomically(rt::posix_files(), path, text);
}

Status write_all(const std::string& project, const std::string& out) {
  const std::string dags = project + "/dags";
  ASSIGN(const AirflowNeeds needs, airflow_needs(dags));
  for (const std::string& doubt : needs.doubts) std::cerr << "warning: " << doubt << "\n";
  std::string requirements;
  for (const std::string& package : needs.packages) requirements += package + "\n";
  TRY(write(out + "/requirements.txt", requirements));
  for (const AirflowFile& file : airflow_loader(dags, fs::path(project).filename().string()))
    TRY(write(out + "/dags/" + file.name, file.text));
  if (needs.own_provider) {
    for (const AirflowFile& file : airflow_provider()) TRY(write(out + "/" + file.name, file.text));
  }
  std::cout << fmt::format(
      "wrote {0}: {1} DAGs\n\n"
      "  python3 -m venv {0}/venv && {0}/venv/bin/pip install -r {0}/requirements.txt{2}\n"
      "  export AIRFLOW_HOME={0}/home AIRFLOW__CORE__DAGS_FOLDER={0}/dags "
      "AIRFLOW__CORE__LOAD_EXAMPLES=False\n",
      out, needs.dags, needs.own_provider ? " " + out + "/tailrace_provider" : "");
  if (needs.own_provider)
    std::cout << "  export AIRFLOW_CONN_TAILRACE_DEFAULT=tailrace://127.0.0.1:9021\n";
  if (needs.secrets)
    std::cout << fmt::format(
        "  export AIRFLOW__SECRETS__BACKEND=tailrace_provider.secrets.ProjectSecrets\n"
        "  export AIRFLOW__SECRETS__BACKEND_KWARGS='{}'\n",
        nlohmann::json{{"project", project}}.dump());
  std::cout << fmt::format("  {}/venv/bin/airflow standalone\n", out);
  if (needs.secrets)
    std::cout
        << "\nAirflow reads the connections and variables of tailrace.yml there: what they name "
           "as ${NAME} is to be in its environment.\n";
  if (needs.own_provider)
    std::cout << "\ntailrace_provider asks a running `tailrace run` for what its tasks do; with "
                 "`roles: {schedule: http://127.0.0.1:8080}` that leaves the DAGs to Airflow.\n";
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
