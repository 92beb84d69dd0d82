// A look is a listing of the folder and a stat of each file.
#include "workflows/dag_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

namespace tailrace::workflows {

namespace fs = std::filesystem;

DagFiles dag_files(const std::string& folder) {
  DagFiles found;
  std::error_code failed;
  auto entry = fs::recursive_directory_iterator(
      folder, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    const fs::path& path = entry->path();
    const bool is_yaml = path.extension() == ".yml" || path.extension() == ".yaml";
    if (!is_yaml && path.filename() != ".airflowignore") continue;
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) continue;
    found[path.string()] = fmt::format("{}.{:09} {} {}", file.st_mtim.tv_sec, file.st_mtim.tv_nsec,
                                       file.st_size, file.st_ino);
  }
  return found;
}

DagFileLooks::DagFileLooks(std::string folder, DagFiles seen, std::function<void()> changed,
                           std::chrono::milliseconds pause)
    : folder_(std::move(folder)),
      seen_(std::move(seen)),
      changed_(std::move(changed)),
      pause_(pause),
      thread_([this](const std::stop_token& stop) { loop(stop); }) {}

void DagFileLooks::loop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  DagFiles before = seen_;
  while (true) {
    {
      std::unique_lock lock(mutex);
      stopped.wait_for(lock, stop, pause_, [] { return false; });
    }
    if (stop.stop_requested()) return;
    DagFiles now = dag_files(folder_);
    if (now != seen_ && now == before) {
      seen_ = now;
      changed_();
    }
    before = std::move(now);
  }
}

}  // namespace tailrace::workflows
