#include "connect/files_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "connect/byte_stream.h"
#include "connect/files_marks.h"
#include "connect/files_position.h"
#include "connect/input_folder.h"
#include "connect/json_path.h"
#include "connect/options.h"
#include "connect/record_file.h"
#include "rt/folder_watch.h"

namespace tailrace::connect {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t kMaxChunkRecords = 4096;
constexpr std::size_t kMaxChunkBytes = 8 << 20;
/// The position names so many files at most.
constexpr std::size_t kMaxQueue = 1000;
/// A listing may cost this part of the time, of a folder whose changes are told, and of another.
constexpr int kTold = 50, kUntold = 5;
constexpr milliseconds kRetryAfter{5000};

constexpr OptionRow kOptions[] = {
    {"path", "needed",
     "a folder, a file, or a pattern: `in/*.json`, `in/**` (folders below, too), "
     "`in/day=*/**/*.csv`"},
    {"format", "auto",
     "`jsonl`, `json`, `csv`, `parquet`, `avro`; `text`: each line becomes `{\"line\": …}`; `auto` "
     "goes by "
     "the name, then by the first bytes, and never takes `text`"},
    {"every", "500ms",
     "how often the folder is looked at; a file that was written or moved there is seen at once, "
     "where the system tells of it. A listing that takes long is made less often"},
    {"settle", "500ms",
     "a file that does not grow by lines is read when it stood still for so long"},
    {"unfinished", "1m",
     "a line without its end, a packed file cut short: a reject when it stood still for so long"},
};

struct FilesConfig {
  std::string name, folder;  ///< where its marks are kept; "" for nowhere
  std::string path, shown;
  FileFormat format = FileFormat::kAuto;
  milliseconds every{0}, settle{0}, unfinished{0};
  std::string key_text;
  JsonPath key;
};

class FilesSource final : public Source {
 public:
  FilesSource(FilesConfig config, rt::Clock& clock)
      : config_(std::move(config)), clock_(clock), folder_(config_.path) {}

  Status next(std::string_view text, Chunk& chunk, std::stop_token) override {
    if (text != known_text_ || text.empty()) {
      ASSIGN(position_, FilesPosition::parse(text));
      file_.reset();
    }
    if (!marks_) TRY(open(text.empty()));
    if (position_.queue.empty())
      TRY(choose(chunk));
    else
      read(chunk);
    chunk.position = known_text_ = position_.encode();
    return {};
  }

  bool replayable() const override { return true; }
  std::string fingerprint() const override {
    return "files " + config_.shown + " key=" + config_.key_text;
  }
  std::string describe() const override { return config_.shown; }
  void wake_by(std::function<void()> wake) override { wake_ = std::move(wake); }

 private:
  Status open(bool beginning);
  Status choose(Chunk& chunk);
  Status choose_from_backlog(Chunk& chunk);
  Status fill_backlog();
  Status keep_marks();
  Status look_at(const std::string& name, Chunk& chunk);
  Result<FileMark> mark_of(const std::string& name, const SeenFile& seen);
  bool is_due(const std::string& name, const SeenFile& seen, FileMark& mark, Chunk& chunk);
  bool nothing_new(const std::string& name, const SeenFile& seen, const FileMark& mark,
                   LastLine worth, Chunk& chunk);
  bool same_file(const std::string& name, const SeenFile& seen, FileMark& mark, Chunk& chunk);
  bool readable(const std::string& name, Chunk& chunk);
  LastLine worth_of_last_line(const std::string& name, const SeenFile& seen);
  void note_why(Chunk& chunk, std::string why, bool wrong);
  void wait_for(Chunk& chunk, std::string why);
  void complain_once(const std::string& name, const SeenFile& seen, Chunk& chunk);

  void read(Chunk& chunk);
  Status open_current();
  Result<bool> read_one(Chunk& chunk, const std::string& place);
  void end_file(bool done);
  void give_up(const Error& why, Chunk& chunk, const std::string& place);

  std::string path(const std::string& name) const { return folder_.path_of(name); }

  const FilesConfig config_;
  rt::Clock& clock_;
  InputFolder folder_;
  FilesPosition position_;
  std::string known_text_;  // position_ as text: the file is open at that place
  FileMark mark_;           // of the open file
  FileShape shape_;
  std::unique_ptr<RecordFile> file_;
  FileRecord record_;
  struct Still {
    std::int64_t size_bytes = 0, mtime_ns = 0;
    nanoseconds since{0};
  };
  struct Retry {
    nanoseconds at{0};
    std::string why;
  };
  std::map<std::string, Still> still_;  // since when a file has not changed
  std::map<std::string, Retry> retry_;  // not to be tried before
  std::set<std::string> complained_;
  std::unique_ptr<FileMarks> marks_;
  std::unique_ptr<rt::FolderWatch> watch_;  // null: the folder is listed each time
  std::function<void()> wake_;
  std::deque<std::string> backlog_;  // names that are to be looked at
  std::set<std::string> unsettled_;  // looked at, and to be looked at again
  bool listed_ = false;              // the backlog is of all files
  nanoseconds listed_at_{0};
  nanoseconds list_at_{0}, cost_{0};  // the next listing; what this one has taken
};

/// How long the file has stood still, in words of its last line.
LastLine FilesSource::worth_of_last_line(const std::string& name, const SeenFile& seen) {
  Still& still = still_[name];
  const nanoseconds now = clock_.monotonic();
  if (still.size_bytes != seen.size_bytes || still.mtime_ns != seen.mtime_ns)
    still = {seen.size_bytes, seen.mtime_ns, now};
  const nanoseconds age(clock_.now().value * 1'000'000 - seen.mtime_ns);
  const nanoseconds quiet = std::max(age, now - still.since);
  return quiet >= config_.unfinished ? LastLine::kAll
         : quiet >= config_.settle   ? LastLine::kProbablyAll
                                     : LastLine::kMayGoOn;
}

/// The first reason is shown, but one that is wrong before one that only waits.
void FilesSource::note_why(Chunk& chunk, std::string why, bool wrong) {
  if (wrong && chunk.error.empty()) chunk.error = chunk.why = why;
  if (chunk.why.empty()) chunk.why = std::move(why);
}

void FilesSource::wait_for(Chunk& chunk, std::string why) {
  chunk.idle = false;
  chunk.wait = std::max(milliseconds(1), std::min(config_.every, config_.settle));
  note_why(chunk, std::move(why), false);
}

void FilesSource::complain_once(const std::string& name, const SeenFile& seen, Chunk& chunk) {
  if (!complained_.insert(name + seen.id + std::to_string(seen.mtime_ns)).second) return;
  note_why(
      chunk,
      fmt::format("{} changed after it was read; write what is new into a new file", path(name)),
      true);
}

bool FilesSource::readable(const std::string& name, Chunk& chunk) {
  const auto retry = retry_.find(name);
  if (retry != retry_.end() && clock_.monotonic() < retry->second.at) {
    note_why(chunk, retry->second.why, true);
    return false;
  }
  if (faccessat(AT_FDCWD, path(name).c_str(), R_OK, AT_EACCESS) == 0) return true;
  note_why(chunk, fmt::format("cannot read {}: {}", path(name), std::strerror(errno)), true);
  return false;
}

/// Whether `mark` speaks of this file, and not of its content before a change in place. Where it is
/// another file, or one that was emptied, the mark begins anew.
bool FilesSource::same_file(const std::string& name, const SeenFile& seen, FileMark& mark,
                            Chunk& chunk) {
  const bool untouched = seen.size_bytes == mark.part.end && seen.mtime_ns == mark.mtime_ns;
  if (mark.id == seen.id && untouched) return true;
  const bool another = mark.id != seen.id || (seen.size_bytes == 0 && mark.part.end > 0);
  const bool nothing_taken = mark.records == 0 && !mark.done;
  const bool appended =
      seen.size_bytes >= mark.part.end && print_of(path(name), mark.part.end) == mark.print;
  // Without a time of birth an inode may be another file's by now.
  const bool recycled = !appended && seen.id.ends_with(".0");
  if (another || recycled || (nothing_taken && !appended)) {
    mark = {};
    mark.id = seen.id;
    return true;
  }
  if (!appended) complain_once(name, seen, chunk);
  return appended;
}

/// Whether nothing has come since `mark`; the chunk may say what it waits for.
bool FilesSource::nothing_new(const std::string& name, const SeenFile& seen, const FileMark& mark,
                              LastLine worth, Chunk& chunk) {
  if (seen.size_bytes == 0) return true;
  const bool changed =
      seen.size_bytes != mark.part.end || (seen.mtime_ns != mark.mtime_ns && !mark.done);
  if (changed) return false;
  if (mark.done || mark.part.offset >= mark.part.end) return true;
  if (worth > mark.part.last) return false;
  const std::string why =
      fmt::format("{}: unfinished after {} records; waits for the rest", path(name), mark.records);
  if (worth == LastLine::kMayGoOn)
    wait_for(chunk, why);
  else
    note_why(chunk, why, false);
  return true;
}

/// Whether there is something to read; `mark` then says what, otherwise the chunk may say why not.
bool FilesSource::is_due(const std::string& name, const SeenFile& seen, FileMark& mark,
                         Chunk& chunk) {
  if (!same_file(name, seen, mark, chunk)) return false;
  const bool as_it_was = seen.size_bytes == mark.part.end && seen.mtime_ns == mark.mtime_ns;
  if (as_it_was && (mark.done || mark.part.offset >= mark.part.end)) return false;
  const LastLine worth = worth_of_last_line(name, seen);
  if (nothing_new(name, seen, mark, worth, chunk) || !readable(name, chunk)) return false;
  const auto shape = shape_of(path(name), config_.format);
  if (!shape) {
    const bool wrong = shape.error().code != Code::kInvalidArgument;
    note_why(chunk, fmt::format("{} {}", path(name), shape.error().what), wrong);
    return false;
  }
  if (!shape->grows && worth == LastLine::kMayGoOn) {
    wait_for(chunk, fmt::format("waits until {} is complete", path(name)));
    return false;
  }
  if (mark.done && !is_of_lines(shape->format)) {
    complain_once(name, seen, chunk);
    return false;
  }
  mark.mtime_ns = seen.mtime_ns;
  mark.part.end = seen.size_bytes;
  mark.part.last = worth;
  mark.print = print_of(path(name), seen.size_bytes);
  mark.done = false;
  return true;
}

Status FilesSource::open(bool beginning) {
  // Without a folder of its own (a source that is only tried) nothing is kept.
  const std::string path = config_.folder.empty() ? std::string(sqlite::kInMemory)
                                                  : config_.folder + "/" + config_.name + ".files";
  ASSIGN(marks_, FileMarks::open(path, fingerprint(), beginning));
  auto watch = rt::FolderWatch::start(wake_ ? wake_ : [] {});
  if (watch) watch_ = std::move(*watch);
  return {};
}

/// The mark of the file that has this name now. One that was renamed brings its own; that of
/// another file is put aside until that one is found.
Result<FileMark> FilesSource::mark_of(const std::string& name, const SeenFile& seen) {
  ASSIGN(const auto known, marks_->find(name));
  if (known && known->id == seen.id) return *known;
  ASSIGN(const auto same, marks_->of_id(seen.id));
  for (const auto& [old, mark] : same) {
    const auto there = old.empty() ? std::nullopt : folder_.look(old);
    if (there && there->id == seen.id) continue;  // a second link to it
    if (print_of(path(name), mark.part.end) != mark.print) continue;
    if (known) TRY(marks_->displace(name));
    TRY(marks_->rename(old, seen.id, name));
    return mark;
  }
  if (!known) return FileMark{};
  TRY(marks_->displace(name));
  return *known;
}

/// The marks of a queue that was read go to the others, before anything else is decided.
Status FilesSource::keep_marks() {
  TRY(marks_->begin());
  for (const auto& [name, mark] : position_.marks()) {
    TRY(marks_->put(name, mark));
    still_.erase(name);
  }
  TRY(marks_->commit());
  position_ = {};
  return {};
}

/// Of all files where it is time for that, or the system has lost count; of those that changed or
/// wait for something else.
Status FilesSource::fill_backlog() {
  rt::FolderWatch::Changes changes;
  if (watch_) changes = watch_->take();
  // Where the system loses count all the time, a listing must not be all that is done.
  if (changes.all) list_at_ = std::min(list_at_, listed_at_ + cost_ * kUntold);
  listed_ = clock_.monotonic() >= list_at_;
  backlog_.clear();
  if (listed_) {
    cost_ = nanoseconds(0);
    bool told = watch_ != nullptr;
    const auto began = clock_.monotonic();
    auto names = folder_.list([&](const std::string& folder) {
      if (told && !watch_->add(folder)) told = false;
    });
    if (!names) return std::unexpected(names.error());
    if (!told) watch_.reset();
    backlog_.assign(names->begin(), names->end());
    unsettled_.clear();
    cost_ = clock_.monotonic() - began;
    return {};
  }
  std::set<std::string> names = std::exchange(unsettled_, {});
  for (const std::string& changed : changes.paths)
    if (auto name = folder_.name_of(changed)) names.insert(std::move(*name));
  backlog_.assign(names.begin(), names.end());
  return {};
}

Status FilesSource::look_at(const std::string& name, Chunk& chunk) {
  const auto seen = folder_.look(name);
  if (!seen) return {};
  if (!simdjson::validate_utf8(name)) {
    note_why(chunk,
             fmt::format("a file in {} has a name that is not UTF-8: rename it", config_.shown),
             true);
    return {};
  }
  ASSIGN(FileMark mark, mark_of(name, *seen));
  const FileMark before = mark;
  Chunk said;
  const bool due = is_due(name, *seen, mark, said);
  if (due) {
    position_.put(name, mark);
    position_.queue.push_back(name);
    return {};
  }
  // One that was emptied begins anew, though it may be as long as before when it is looked at next.
  if (mark != before) TRY(marks_->put(name, mark));
  if (said.why.empty()) return {};
  unsettled_.insert(name);
  if (said.wait > nanoseconds(0)) {
    chunk.idle = false;
    chunk.wait = said.wait;
  }
  note_why(chunk, said.why, !said.error.empty());
  return {};
}

Status FilesSource::choose_from_backlog(Chunk& chunk) {
  TRY(marks_->begin());
  const auto began = clock_.monotonic();
  while (!backlog_.empty() && position_.queue.size() < kMaxQueue) {
    const std::string name = std::move(backlog_.front());
    backlog_.pop_front();
    TRY(look_at(name, chunk));
  }
  cost_ += clock_.monotonic() - began;
  return marks_->commit();
}

Status FilesSource::choose(Chunk& chunk) {
  if (!position_.marks().empty()) {
    TRY(keep_marks());
    chunk.note_first = true;
    return {};
  }
  chunk.idle = true;
  chunk.wait = config_.every;
  if (backlog_.empty()) {
    if (auto filled = fill_backlog(); !filled) {
      note_why(chunk, filled.error().what, true);
      return {};
    }
  }
  TRY(choose_from_backlog(chunk));
  if (backlog_.empty() && listed_) {
    listed_ = false;
    list_at_ = clock_.monotonic() +
               std::max<nanoseconds>(config_.every, cost_ * (watch_ ? kTold : kUntold));
  }
  if (position_.queue.empty()) {
    if (chunk.why.empty()) chunk.why = "no new file in " + config_.shown;
    return {};
  }
  chunk.idle = false;
  chunk.wait = milliseconds(0);
  chunk.note_first = true;
  return {};
}

Status FilesSource::open_current() {
  const std::string& name = position_.queue.front();
  mark_ = *position_.find(name);
  shape_ = {};
  TRY(first_bytes(path(name), 1));  // is it there, may it be read
  ASSIGN(shape_, shape_of(path(name), config_.format));
  ASSIGN(file_, RecordFile::open(path(name), shape_, mark_.part));
  for (std::int64_t i = 0; !shape_.grows && i < mark_.records; ++i) {
    ASSIGN(const bool more, file_->next(record_));
    if (!more) return error(Code::kOutOfRange, "holds fewer records than before");
  }
  return {};
}

/// As many files of the queue as the chunk has room for. A file that cannot be opened is a chunk of
/// its own.
void FilesSource::read(Chunk& chunk) {
  while (!position_.queue.empty()) {
    const std::string place = path(position_.queue.front());
    const bool nothing_yet = chunk.empty() && chunk.rejects.empty();
    if (!file_) {
      if (auto opened = open_current(); !opened) {
        file_.reset();
        if (nothing_yet) give_up(opened.error(), chunk, place);
        return;
      }
    }
    chunk.add_place(place);
    while (true) {
      const bool full = chunk.size() + chunk.rejects.size() >= kMaxChunkRecords ||
                        chunk.size_bytes() >= kMaxChunkBytes;
      if (full) return position_.put(position_.queue.front(), mark_);
      auto more = read_one(chunk, place);
      if (!more) return give_up(more.error(), chunk, place);
      if (!*more) break;
    }
    end_file(!shape_.grows);
  }
}

Result<bool> FilesSource::read_one(Chunk& chunk, const std::string& place) {
  ASSIGN(const bool more, file_->next(record_));
  if (shape_.grows) mark_.part = file_->part();
  if (!more) return false;
  ++mark_.records;
  if (!record_.problem.empty()) {
    chunk.rejects.push_back({"unreadable", record_.problem,
                             fmt::format("{}:{}", place, record_.number),
                             std::move(record_.value)});
    return true;
  }
  const auto key = config_.key.is_root() ? std::nullopt : config_.key.find(record_.value);
  chunk.add(key, record_.value, record_.number);
  return true;
}

void FilesSource::end_file(bool done) {
  mark_.done = done;
  position_.put(position_.queue.front(), mark_);
  position_.queue.pop_front();
  file_.reset();
}

/// What follows cannot be read: it waits where it may be unfinished, else a reject says where it
/// ended.
void FilesSource::give_up(const Error& why, Chunk& chunk, const std::string& place) {
  const std::string& name = position_.queue.front();
  const bool gone = why.code == Code::kNotFound || why.code == Code::kOutOfRange;
  chunk.error = why.code == Code::kNotFound
                    ? fmt::format("{} is gone before all of it was read, after {} records", place,
                                  mark_.records)
                    : fmt::format("{}: {} after {} records", place, why.what, mark_.records);
  if (why.code == Code::kUnavailable) {
    retry_[name] = {clock_.monotonic() + kRetryAfter, chunk.error};
    unsettled_.insert(name);
    mark_.mtime_ns = 0;
    return end_file(false);
  }
  if (why.code == Code::kDataLoss && !shape_.grows && mark_.part.last != LastLine::kAll) {
    chunk.error += "; waits for the rest";
    unsettled_.insert(name);
    return end_file(false);
  }
  chunk.rejects.push_back(
      {"unreadable file", chunk.error, fmt::format("{}:{}", place, mark_.records + 1), ""});
  chunk.restart_sequences = gone && chunk.empty();
  mark_.part.offset = mark_.part.end;
  end_file(true);
}

}  // namespace

Result<std::unique_ptr<Source>> make_files_source(const SourceSpec& spec, rt::Clock& clock) {
  Options options(spec, kOptions);
  FilesConfig config;
  config.name = spec.name;
  config.folder = spec.scratch;
  config.shown = options.text("path");
  config.path = options.path("path");
  const std::string format = options.text("format");
  config.every = milliseconds(std::max<std::int64_t>(1, options.duration_ms("every")));
  config.settle = milliseconds(options.duration_ms("settle"));
  config.unfinished = milliseconds(options.duration_ms("unfinished"));
  config.key_text = options.text("key");
  TRY(options.finish());
  ASSIGN(config.format, parse_file_format(format));
  ASSIGN(config.key, JsonPath::parse(config.key_text));
  return std::make_unique<FilesSource>(std::move(config), clock);
}

constinit const SourceType kFilesSource{
    .type = "files",
    .what = "reads the files of a folder, and what comes to them",
    .options = kOptions,
    .make = [](const SourceSpec& spec) { return make_files_source(spec); },
};

}  // namespace tailrace::connect
