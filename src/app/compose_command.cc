// `tailrace compose` and `tailrace health`: what a container needs of the program.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "app/airflow_files.h"
#include "app/commands.h"
#include "app/hooks_service.h"
#include "compose/compose.h"
#include "net/http_client.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSettingsBytes = 1 << 20;

Status write_plain(const fs::path& path, const compose::File& file) {
  const int mode = file.secret ? 0600 : 0644;
  const int extra = file.secret ? O_EXCL : O_TRUNC;
  const int handle = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | extra, mode);
  if (handle < 0)
    return error(Code::kUnavailable, path.string() + ": " + std::generic_category().message(errno));
  const auto size = static_cast<ssize_t>(file.text.size());
  const bool whole = ::write(handle, file.text.data(), file.text.size()) == size;
  ::close(handle);
  if (!whole) return error(Code::kUnavailable, path.string() + ": could not be written whole");
  return {};
}

/// What is there stays as it is: somebody may have changed it, and containers were started with it.
Status add_missing(const fs::path& path, const compose::File& file) {
  ASSIGN(const auto text, rt::read_whole(rt::posix_files(), path.string(), kSettingsBytes));
  const std::string missing = compose::missing_lines(text, file.text);
  std::cout << (missing.empty() ? "kept   " : "added to ") << path.string() << "\n";
  if (missing.empty()) return {};
  std::ofstream out(path, std::ios::app);
  if (!(out << missing).flush())
    return error(Code::kUnavailable, path.string() + ": could not be written whole");
  return {};
}

/// Where the project is in Airflow's container; its folder of DAGs is this one's sibling.
constexpr const char* kProject = "/opt/airflow/project";

Status add_airflow(const std::string& dags, const fs::path& project, compose::Options& asked) {
  ASSIGN(const AirflowNeeds needs, airflow_needs(dags));
  for (const std::string& doubt : needs.doubts) std::cerr << "warning: " << doubt << "\n";
  asked.secrets = needs.secrets;
  asked.packages.clear();
  for (const std::string& package : needs.packages) {
    if (package.starts_with("apache-airflow==")) continue;  // the image itself
    asked.packages += (asked.packages.empty() ? "" : " ") + package;
  }
  const auto add = [&](const std::vector<AirflowFile>& files) {
    for (const AirflowFile& file : files) {
      // Its folder is on Python's path: what pip wants stays away.
      if (file.name.ends_with(".py") || file.name == ".airflowignore")
        asked.loader.push_back({file.name, file.text, false});
    }
  };
  add(airflow_loader(std::string(kProject) + "/dags", fs::absolute(project).filename().string()));
  if (needs.own_provider) add(airflow_provider());
  return {};
}

Result<int> write_all(const ComposeOptions& options) {
  ASSIGN(const auto project, pipeline::load_project(options.project));
  const fs::path out =
      options.out.empty() ? fs::path(project.folder) / "compose" : fs::path(options.out);
  std::error_code failed;
  fs::create_directories(out, failed);
  if (failed) return error(Code::kUnavailable, out.string() + ": " + failed.message());
  compose::Options asked;
  asked.real = options.real || options.all;
  asked.all = options.all;
  asked.folder = fs::relative(project.folder, out, failed).string();
  if (failed || asked.folder.empty()) asked.folder = fs::absolute(project.folder).string();
  if (!asked.folder.starts_with('.') && !asked.folder.starts_with('/'))
    asked.folder = "./" + asked.folder;
  asked.version = TAILRACE_VERSION;
  const std::string dags = (fs::path(project.folder) / "dags").string();
  asked.workflows = fs::is_directory(dags);
  ASSIGN(asked.hooks, has_guarded_door(project));
  if (asked.workflows && asked.real) TRY(add_airflow(dags, fs::path(project.folder), asked));
  const std::string settings = (fs::path(project.folder) / "tailrace.yml").string();
  if (fs::exists(settings)) {
    ASSIGN(asked.settings, rt::read_whole(rt::posix_files(), settings, kSettingsBytes));
  }
  for (const std::string& name : compose::variables_of(asked.settings))
    if (const char* value = std::getenv(name.c_str())) asked.environment[name] = value;
  ASSIGN(const auto files, compose::compose_files(project, asked));
  for (const compose::File& file : files) {
    const fs::path path = out / file.name;
    fs::create_directories(path.parent_path(), failed);
    if (file.secret && fs::exists(path)) {
      TRY(add_missing(path, file));
      continue;
    }
    TRY(write_plain(path, file));
    std::cout << "wrote  " << path.string() << "\n";
  }
  std::cout << "start it there: docker compose up --wait\n";
  return 0;
}

}  // namespace

int compose_command(const ComposeOptions& options) {
  auto done = write_all(options);
  return done ? *done : fail(done.error());
}

int health_command(const std::string& url) {
  std::string at = url;
  while (at.ends_with('/')) at.pop_back();
  constexpr int kPatienceMs = 4'000;
  auto answer = net::HttpClient().get(
      at + "/healthz", {.timeout_ms = kPatienceMs, .max_body_bytes = 1 << 16, .max_redirects = 0});
  if (!answer) return fail(answer.error());
  if (answer->status != 200)
    return fail({Code::kUnavailable, net::redact_url(at) + " answers " +
                                         std::to_string(answer->status) + " to /healthz"});
  std::cout << "healthy\n";
  return 0;
}

}  // namespace tailrace::app
