#include "connect/files_source.h"

#include <dirent.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "connect/json_path.h"
#include "connect/options.h"
#include "connect/record_file.h"

namespace tailrace::connect {
namespace {

using std::chrono::milliseconds;
using Json = nlohmann::json;

constexpr std::size_t kMaxChunkRecords = 4096;
constexpr std::size_t kMaxChunkBytes = 8 << 20;

struct FilesConfig {
  std::string folder, pattern, shown;
  FileFormat format = FileFormat::kAuto;
  std::int64_t every_ms = 0, settle_ms = 0;
  std::string key_text;
  JsonPath key;
};

struct FilesPosition {
  std::map<std::string, std::string> done;
  std::string name, identity;  // of the current file; empty for none
  std::int64_t next = 0;       // records and rejects of it that were emitted
};

Result<FilesPosition> parse_position(std::string_view text) {
  FilesPosition position;
  if (text.empty()) return position;
  try {
    const Json json = Json::parse(text);
    json.at("done").get_to(position.done);
    if (!json.contains("current")) return position;
    json["current"].at("name").get_to(position.name);
    json["current"].at("identity").get_to(position.identity);
    json["current"].at("next").get_to(position.next);
    return position;
  } catch (const Json::exception& failure) {
    return error(Code::kDataLoss, fmt::format("no position of a folder: {}", failure.what()));
  }
}

std::string encode_position(const FilesPosition& position) {
  Json json = {{"done", position.done}};
  if (!position.name.empty())
    json["current"] = {
        {"name", position.name}, {"identity", position.identity}, {"next", position.next}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Seen {
  std::string identity;
  std::string inode;
  std::int64_t mtime_ms = 0;
};

std::optional<Seen> look_at(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  const std::int64_t mtime_ns = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
  Seen seen;
  seen.inode = std::to_string(info.st_ino);
  seen.identity = fmt::format("{}:{}:{}", info.st_size, mtime_ns, info.st_ino);
  seen.mtime_ms = mtime_ns / 1'000'000;
  return seen;
}

class FilesSource final : public Source {
 public:
  FilesSource(FilesConfig config, rt::Clock& clock) : config_(std::move(config)), clock_(clock) {}

  Status next(std::string_view text, Chunk& chunk, std::stop_token) override {
    if (text != known_text_ || text.empty()) {
      ASSIGN(position_, parse_position(text));
      file_.reset();
    }
    if (position_.name.empty())
      choose(chunk);
    else
      read(chunk);
    chunk.position = known_text_ = encode_position(position_);
    return {};
  }

  bool replayable() const override { return true; }
  std::string fingerprint() const override {
    return "files " + config_.shown + " key=" + config_.key_text;
  }
  std::string describe() const override { return config_.shown; }

 private:
  Result<std::map<std::string, Seen>> list() const;
  bool complete(const std::string& name, const Seen& seen) const;
  bool wanted(const std::string& name, const Seen& seen, Chunk& chunk);
  void choose(Chunk& chunk);
  void read(Chunk& chunk);
  Status open_current();
  Result<bool> read_one(Chunk& chunk);
  void finish_file();
  void give_up(const std::string& what, Chunk& chunk);

  std::string path(const std::string& name) const { return config_.folder + "/" + name; }

  const FilesConfig config_;
  rt::Clock& clock_;
  FilesPosition position_;
  std::string known_text_;  // position_ as text: the file is open at that place
  std::unique_ptr<RecordFile> file_;
  FileRecord record_;
  std::map<std::string, std::pair<std::string, std::chrono::nanoseconds>> first_seen_;
  std::set<std::string> complained_;
};

Result<std::map<std::string, Seen>> FilesSource::list() const {
  DIR* folder = opendir(config_.folder.c_str());
  if (!folder)
    return error(Code::kUnavailable,
                 fmt::format("cannot list {}: {}", config_.folder, std::strerror(errno)));
  std::map<std::string, Seen> found;
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name.starts_with('.') || name.starts_with('_') || name.ends_with(".tmp")) continue;
    if (fnmatch(config_.pattern.c_str(), name.c_str(), 0) != 0) continue;
    if (auto seen = look_at(path(name))) found.emplace(name, std::move(*seen));
  }
  closedir(folder);
  return found;
}

bool FilesSource::complete(const std::string& name, const Seen& seen) const {
  if (clock_.now().value - seen.mtime_ms >= config_.settle_ms) return true;
  const auto before = first_seen_.find(name);
  return before != first_seen_.end() && before->second.first == seen.identity &&
         clock_.monotonic() - before->second.second >= milliseconds(config_.settle_ms);
}

/// Whether the file is still to be read; says so once when it was read and changed in place.
bool FilesSource::wanted(const std::string& name, const Seen& seen, Chunk& chunk) {
  const auto done = position_.done.find(name);
  if (done == position_.done.end()) return true;
  if (done->second == seen.identity) return false;
  if (!done->second.ends_with(":" + seen.inode)) return true;
  if (complained_.insert(name + seen.identity).second)
    chunk.error =
        fmt::format("{} changed after it was read; write what is new into a new file", path(name));
  return false;
}

void FilesSource::choose(Chunk& chunk) {
  chunk.idle = true;
  chunk.wait = milliseconds(config_.every_ms);
  chunk.why = "no new file in " + config_.shown;
  auto files = list();
  if (!files) {
    chunk.error = files.error().what;
    chunk.why = chunk.error;
    return;
  }
  for (const auto& [name, seen] : *files) {
    if (!wanted(name, seen, chunk)) continue;
    if (!complete(name, seen)) {
      const auto before = first_seen_.find(name);
      if (before == first_seen_.end() || before->second.first != seen.identity)
        first_seen_[name] = {seen.identity, clock_.monotonic()};
      chunk.idle = false;
      chunk.wait = milliseconds(std::min(config_.every_ms, config_.settle_ms));
      chunk.why = fmt::format("waits until {} is complete", name);
      continue;
    }
    first_seen_.erase(name);
    position_.name = name;
    position_.identity = seen.identity;
    position_.next = 0;
    file_.reset();
    chunk.idle = false;
    chunk.wait = milliseconds(0);
    chunk.note_first = true;
    return;
  }
}

Status FilesSource::open_current() {
  ASSIGN(file_, RecordFile::open(path(position_.name), config_.format));
  for (std::int64_t i = 0; i < position_.next; ++i) {
    ASSIGN(const bool more, file_->next(record_));
    if (!more) return error(Code::kDataLoss, "it holds fewer records than before");
  }
  return {};
}

void FilesSource::read(Chunk& chunk) {
  chunk.place = path(position_.name);
  const auto seen = look_at(chunk.place);
  if (!seen || seen->identity != position_.identity)
    return give_up(seen ? "changed while it was read" : "is gone before all of it was read", chunk);
  if (!file_)
    if (auto opened = open_current(); !opened) return give_up(opened.error().what, chunk);
  while (chunk.size() + chunk.rejects.size() < kMaxChunkRecords &&
         chunk.size_bytes() < kMaxChunkBytes) {
    auto more = read_one(chunk);
    if (!more) return give_up(more.error().what, chunk);
    if (!*more) return finish_file();
  }
}

Result<bool> FilesSource::read_one(Chunk& chunk) {
  ASSIGN(const bool more, file_->next(record_));
  if (!more) return false;
  ++position_.next;
  if (!record_.problem.empty()) {
    chunk.rejects.push_back({"unreadable", record_.problem,
                             fmt::format("{}:{}", chunk.place, record_.number),
                             std::move(record_.value)});
    return true;
  }
  const auto key = config_.key.is_root() ? std::nullopt : config_.key.find(record_.value);
  chunk.add(key, record_.value, record_.number);
  return true;
}

void FilesSource::finish_file() {
  position_.done[position_.name] = position_.identity;
  position_.name.clear();
  position_.identity.clear();
  position_.next = 0;
  file_.reset();
}

/// The rest of the file cannot be read: it is done, with one reject that says where it ended.
void FilesSource::give_up(const std::string& what, Chunk& chunk) {
  chunk.error = fmt::format("{} {} after {} records", chunk.place, what, position_.next);
  chunk.rejects.push_back(
      {"unreadable file", chunk.error, fmt::format("{}:{}", chunk.place, position_.next + 1), ""});
  chunk.restart_sequences = chunk.empty();
  finish_file();
}

}  // namespace

Result<std::unique_ptr<Source>> make_files_source(const SourceSpec& spec, rt::Clock& clock) {
  Options options(spec);
  FilesConfig config;
  options.require("path");
  config.shown = options.text("path", "");
  const std::string format = options.text("format", "auto");
  config.every_ms = std::max<std::int64_t>(1, options.duration_ms("every", "500ms"));
  config.settle_ms = options.duration_ms("settle", "500ms");
  config.key_text = options.text("key", "");
  TRY(options.finish());
  ASSIGN(config.format, parse_file_format(format));
  ASSIGN(config.key, JsonPath::parse(config.key_text));
  const std::string full =
      config.shown.starts_with('/') ? config.shown : spec.folder + "/" + config.shown;
  const std::size_t slash = full.rfind('/');
  const bool pattern = full.find_first_of("*?[", slash) != std::string::npos;
  config.folder = pattern ? full.substr(0, slash) : full;
  while (config.folder.size() > 1 && config.folder.ends_with('/')) config.folder.pop_back();
  config.pattern = pattern ? full.substr(slash + 1) : "*";
  return std::make_unique<FilesSource>(std::move(config), clock);
}

}  // namespace tailrace::connect
