// Files that were written, and the commits of tables: told by the system's inotify.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/log.h"
#include "workflows/asset_sources.h"

namespace tailrace::workflows {
namespace {

namespace fs = std::filesystem;
using jinja::Dict;
using jinja::Value;

constexpr std::uint32_t kWatch = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE |
                                 IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t kChangesBytes = 64 << 10;
constexpr std::size_t kMostCommitBytes = 256 << 20;
constexpr std::size_t kVersionDigits = 20;
/// A folder may have more; then they are begun with in parts.
constexpr std::size_t kMostCursors = 1000;

/// What of a file tells one writing from the next.
std::string version_of(const struct stat& file) {
  return fmt::format("{}.{:09} {} {}", file.st_mtim.tv_sec, file.st_mtim.tv_nsec, file.st_size,
                     file.st_ino);
}

/// Whether somebody writes to it now: then its closing will be told. Others than its owner cannot
/// know, and take it as whole.
bool is_open_for_writing(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return false;
  // Who opens it in this moment to write sends the lease's holder a signal: one that does nothing.
  (void)::fcntl(file, F_SETSIG, SIGURG);
  const bool busy = ::fcntl(file, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
  ::close(file);
  return busy;
}

Value file_extra(const std::string& path, const struct stat& file) {
  Dict extra;
  extra.set(Value("path"), Value(path));
  extra.set(Value("size"), Value(static_cast<std::int64_t>(file.st_size)));
  extra.set(Value("modified"), Value(static_cast<double>(file.st_mtim.tv_sec) +
                                     static_cast<double>(file.st_mtim.tv_nsec) / 1e9));
  return Value(std::move(extra));
}

std::optional<std::int64_t> version_in(const std::string& name) {
  if (name.size() != kVersionDigits + 5 || !name.ends_with(".json")) return std::nullopt;
  std::int64_t version = 0;
  for (std::size_t i = 0; i < kVersionDigits; ++i) {
    if (name[i] < '0' || name[i] > '9') return std::nullopt;
    if (version > (INT64_MAX - 9) / 10) return std::nullopt;
    version = version * 10 + (name[i] - '0');
  }
  return version;
}

/// Of a commit's actions: whether they changed rows, and how many rows its files have.
struct CommitFacts {
  bool changed = false;
  std::int64_t added_rows = 0, files_removed = 0;
  bool rows_known = true;
};

Result<CommitFacts> read_commit(const std::string& path) {
  std::error_code failed;
  if (fs::file_size(path, failed) > kMostCommitBytes && !failed)
    return error(Code::kResourceExhausted, path + " is over 256 MiB");
  std::ifstream in(path, std::ios::binary);
  if (!in) return error(Code::kNotFound, path + ": " + std::strerror(errno));
  CommitFacts facts;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty()) continue;
    auto action = jinja::from_json(line);
    if (!action) return std::unexpected(action.error().in(path));
    const Dict* what = action->dict();
    if (what == nullptr) continue;
    for (const std::string_view kind : {"add", "remove"}) {
      const Value* found = what->find(kind);
      const Dict* file = found == nullptr ? nullptr : found->dict();
      if (file == nullptr) continue;
      const Value* change = file->find(std::string_view("dataChange"));
      if (change != nullptr && !change->truth()) continue;
      facts.changed = true;
      if (kind == "remove") {
        ++facts.files_removed;
        continue;
      }
      const Value* stats = file->find(std::string_view("stats"));
      if (stats == nullptr || stats->string() == nullptr) {
        facts.rows_known = false;
        continue;
      }
      const auto read = jinja::from_json(*stats->string());
      const Value* rows = read && read->dict() != nullptr
                              ? read->dict()->find(std::string_view("numRecords"))
                              : nullptr;
      if (rows != nullptr && rows->integer() != nullptr) {
        facts.added_rows += *rows->integer();
      } else {
        facts.rows_known = false;
      }
    }
  }
  return facts;
}

}  // namespace

Status FileEvents::start(std::vector<AssetSource> sources,
                         const std::vector<metadata::Cursor>& cursors) {
  watched_.clear();
  if (sources.empty()) return {};
  changes_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (changes_ < 0 || wake_ < 0)
    return error(Code::kResourceExhausted,
                 fmt::format("files cannot be watched (inotify): {}", std::strerror(errno)));
  for (AssetSource& source : sources) {
    const bool is_table = source.kind == AssetSource::Kind::kTable;
    Watched watched{.source = std::move(source),
                    .folder = {},
                    .begun = false,
                    .seen = {},
                    .watch = -1,
                    .there = false,
                    .failing = {}};
    watched.folder =
        is_table ? lake_ + "/" + watched.source.name + "/_delta_log" : watched.source.folder;
    for (const metadata::Cursor& cursor : cursors) {
      if (cursor.source != watched.source.uri) continue;
      watched.begun = true;
      if (is_table || !cursor.part.empty()) watched.seen[cursor.part] = cursor.value.value_or("");
    }
    watched_.push_back(std::move(watched));
  }
  for (Watched& watched : watched_) arm(watched);
  thread_ = std::thread([this] { run(); });
  return {};
}

void FileEvents::stop() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
    thread_.join();
  }
  for (int* file : {&changes_, &wake_}) {
    if (*file >= 0) ::close(*file);
    *file = -1;
  }
}

void FileEvents::run() {
  std::array<pollfd, 2> waits{pollfd{changes_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
  while (true) {
    // What could not be told is tried again.
    const bool failing = std::ranges::any_of(
        watched_, [](const Watched& watched) { return !watched.failing.empty(); });
    const int ready = ::poll(waits.data(), waits.size(), failing ? 1000 : -1);
    if (ready < 0 && errno != EINTR) return;
    if ((waits[1].revents & POLLIN) != 0) return;
    if (!read_changes()) {
      for (Watched& watched : watched_) arm(watched);
      continue;
    }
    for (Watched& watched : watched_) {
      if (!watched.failing.empty()) arm(watched);
    }
  }
}

/// False when the system has lost some, and everything must be looked at.
bool FileEvents::read_changes() {
  alignas(inotify_event) std::array<char, kChangesBytes> bytes;
  while (true) {
    const ssize_t size = ::read(changes_, bytes.data(), bytes.size());
    if (size <= 0) return true;
    for (ssize_t at = 0; at < size;) {
      inotify_event change;
      std::memcpy(&change, bytes.data() + at, sizeof change);
      const std::string name =
          change.len == 0 ? "" : std::string(bytes.data() + at + sizeof change);
      at += static_cast<ssize_t>(sizeof change + change.len);
      if ((change.mask & IN_Q_OVERFLOW) != 0) return false;
      for (Watched& watched : watched_) {
        if (watched.watch != change.wd) continue;
        const bool is_left = (change.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
        if (!watched.there || is_left) {
          if ((change.mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(changes_, change.wd);
          arm(watched);
        } else if (watched.source.kind == AssetSource::Kind::kTable) {
          tell(watched, scan_table(watched));
        } else if (matches_pattern(watched.source.name, name)) {
          const bool is_gone = (change.mask & (IN_DELETE | IN_MOVED_FROM)) != 0;
          const std::string path = watched.folder + "/" + name;
          tell(watched, is_gone                          ? gone(watched, path)
                        : (change.mask & IN_CREATE) != 0 ? Status{}
                                                         : look(watched, name));
        }
      }
    }
  }
}

/// Watches its folder, or the nearest above it until it is there; then looks at what it has.
void FileEvents::arm(Watched& watched) {
  std::string folder = watched.folder;
  while (true) {
    watched.watch = ::inotify_add_watch(changes_, folder.c_str(), kWatch);
    if (watched.watch >= 0 || folder == "/" || folder.empty()) break;
    folder = fs::path(folder).parent_path().string();
  }
  watched.there = watched.watch >= 0 && folder == watched.folder;
  if (watched.watch < 0) {
    tell(watched,
         error(Code::kUnavailable, fmt::format("{}: {}", watched.folder, std::strerror(errno))));
    return;
  }
  // It may have been made between the two looks.
  std::error_code ignored;
  if (!watched.there && fs::is_directory(watched.folder, ignored)) return arm(watched);
  tell(watched,
       watched.source.kind == AssetSource::Kind::kTable ? scan_table(watched) : scan(watched));
}

void FileEvents::tell(Watched& watched, const Status& status) {
  const std::string failing = status ? "" : status.error().what;
  if (!failing.empty() && failing != watched.failing)
    LOG(warn, "events of {} wait: {}", watched.source.uri, failing);
  watched.failing = failing;
}

/// Every file: new ones are told, but for those that were there before the first look.
Status FileEvents::scan(Watched& watched) {
  std::vector<metadata::Cursor> first;
  std::set<std::string> present;
  std::error_code failed;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(watched.folder, failed)) {
    const std::string name = entry.path().filename().string();
    if (matches_pattern(watched.source.name, name)) names.push_back(name);
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    const std::string path = watched.folder + "/" + name;
    present.insert(path);
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) continue;
    if (watched.begun) {
      if (!is_open_for_writing(path)) TRY(look(watched, name));
      continue;
    }
    const std::string version = is_open_for_writing(path) ? "" : version_of(file);
    if (version.empty()) continue;
    watched.seen[path] = version;
    first.push_back({watched.source.uri, path, version});
    if (first.size() == kMostCursors) {
      TRY(sink_.happened(watched.source, std::nullopt, std::exchange(first, {})));
    }
  }
  if (!watched.begun) {
    first.push_back({watched.source.uri, "", "begun"});
    TRY(sink_.happened(watched.source, std::nullopt, std::move(first)));
    watched.begun = true;
  }
  std::vector<std::string> away;
  for (const auto& [path, version] : watched.seen)
    if (!present.contains(path)) away.push_back(path);
  for (const std::string& path : away) TRY(gone(watched, path));
  return {};
}

Status FileEvents::look(Watched& watched, const std::string& name) {
  const std::string path = watched.folder + "/" + name;
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return {};
  const std::string version = version_of(file);
  if (const auto seen = watched.seen.find(path); seen != watched.seen.end()) {
    if (seen->second == version) return {};
  }
  TRY(sink_.happened(watched.source, file_extra(path, file),
                     {{watched.source.uri, path, version}}));
  watched.seen[path] = version;
  return {};
}

Status FileEvents::gone(Watched& watched, const std::string& path) {
  if (!watched.seen.contains(path)) return {};
  TRY(sink_.happened(watched.source, std::nullopt, {{watched.source.uri, path, std::nullopt}}));
  watched.seen.erase(path);
  return {};
}

/// The commits behind the last one that was told.
Status FileEvents::scan_table(Watched& watched) {
  std::vector<std::int64_t> versions;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(watched.folder, failed))
    if (const auto version = version_in(entry.path().filename().string()))
      versions.push_back(*version);
  std::ranges::sort(versions);
  const auto cursor = [&](std::int64_t version) {
    return metadata::Cursor{watched.source.uri, "", std::to_string(version)};
  };
  const std::int64_t latest = versions.empty() ? -1 : versions.back();
  if (!watched.begun) {
    TRY(sink_.happened(watched.source, std::nullopt, {cursor(latest)}));
    watched.begun = true;
    watched.seen[""] = std::to_string(latest);
    return {};
  }
  std::int64_t told = std::strtoll(watched.seen[""].c_str(), nullptr, 10);
  if (latest < told) told = -1;  // the table was made anew
  for (const std::int64_t version : versions) {
    if (version <= told) continue;
    ASSIGN(const auto facts, read_commit(fmt::format("{}/{:020}.json", watched.folder, version)));
    watched.seen[""] = std::to_string(version);
    if (!facts.changed) continue;
    Dict extra;
    extra.set(Value("table"), Value(watched.source.name));
    extra.set(Value("version"), Value(version));
    if (facts.rows_known) extra.set(Value("rows_written"), Value(facts.added_rows));
    const auto kept = sink_.happened(watched.source, Value(std::move(extra)), {cursor(version)});
    if (kept) continue;
    watched.seen[""] = std::to_string(version - 1);
    return kept;
  }
  return {};
}

}  // namespace tailrace::workflows
