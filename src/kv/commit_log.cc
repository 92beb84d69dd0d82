#include "kv/commit_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "base/log.h"
#include "rt/file.h"

namespace tailrace::kv {
namespace {

constexpr std::size_t kBlock = rt::kDirectAlignment;
constexpr std::size_t kFirstAt = sizeof(std::uint64_t);
constexpr std::size_t kLengthAt = kFirstAt + sizeof(std::uint64_t);
constexpr std::size_t kHead = kLengthAt + sizeof(std::uint32_t);
/// Zeros are written this many at a time.
constexpr std::size_t kFill = 1 << 20;
/// Memory of a frame that is kept for the next.
constexpr std::size_t kMostKept = 4 << 20;
constexpr std::size_t kMostFrameBytes = std::size_t{1} << 31;

constexpr std::size_t whole_blocks(std::size_t bytes) {
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <typename T>
void store(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

std::unexpected<Error> system_error(std::string_view what, const std::string& path) {
  const Code code =
      errno == ENOSPC || errno == EDQUOT ? Code::kResourceExhausted : Code::kUnavailable;
  return error(code, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

Status write_at(int fd, const char* bytes, std::size_t size, std::size_t at,
                const std::string& path) {
  while (size > 0) {
    const ssize_t done = ::pwrite(fd, bytes, size, static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      if (done == 0) errno = EIO;
      return system_error("cannot write", path);
    }
    bytes += done;
    size -= static_cast<std::size_t>(done);
    at += static_cast<std::size_t>(done);
  }
  return {};
}

/// The frame at the front of `bytes`, or nothing.
std::string_view frame_in(std::string_view bytes) {
  if (bytes.size() < kHead) return {};
  const std::size_t length = load<std::uint32_t>(bytes.data() + kLengthAt);
  if (length <= kHead || length > bytes.size()) return {};
  const std::uint64_t sum = XXH3_64bits(bytes.data() + kFirstAt, length - kFirstAt);
  return sum == load<std::uint64_t>(bytes.data()) ? bytes.substr(0, length) : std::string_view();
}

}  // namespace

CommitLog::CommitLog(std::string folder, const Options& options)
    : folder_(std::move(folder)), options_(options) {
  options_.segment_bytes = std::max(whole_blocks(options_.segment_bytes), kBlock);
}

CommitLog::~CommitLog() {
  close();
}

void CommitLog::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string CommitLog::path(std::uint64_t number) const {
  return fmt::format("{}/{:010}.log", folder_, number);
}

Result<std::unique_ptr<CommitLog>> CommitLog::open(const std::string& folder,
                                                   const Options& options, const Replay& replay) {
  TRY(rt::posix_files().make_folder(folder));
  std::unique_ptr<CommitLog> log(new CommitLog(folder, options));
  TRY(log->recover(replay));
  return log;
}

Status CommitLog::recover(const Replay& replay) {
  ASSIGN(const std::vector<std::string> names, rt::posix_files().list(folder_));
  for (const std::string& name : names) {
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed == std::errc() && std::string_view(end) == ".log") segments_.push_back({number, 0});
  }
  std::ranges::sort(segments_, {}, &Segment::number);
  std::uint64_t expected = options_.done + 1;
  for (Segment& segment : segments_) {
    TRY(read_segment(segment, expected, replay));
    next_segment_ = segment.number + 1;
  }
  next_ = expected;
  return {};
}

/// Frames at and after the expected record; earlier ones are done with, or left by an older use.
Status CommitLog::read_segment(Segment& segment, std::uint64_t& expected, const Replay& replay) {
  const std::string file = path(segment.number);
  ASSIGN(const std::string bytes, rt::read_whole(rt::posix_files(), file, kMostFrameBytes));
  std::string_view rest = bytes;
  std::uint64_t follows = 0;  // the number after the last frame's
  while (true) {
    const std::string_view frame = frame_in(rest);
    if (frame.empty()) break;
    std::uint64_t number = load<std::uint64_t>(frame.data() + kFirstAt);
    if (follows != 0 && number != follows) break;
    if (number > expected) {
      return error(Code::kDataLoss, fmt::format("{}: record {} follows {}: what was between them "
                                                "is lost",
                                                file, number, expected - 1));
    }
    for (std::string_view records = frame.substr(kHead); !records.empty(); ++number) {
      std::uint32_t length = 0;
      if (records.size() < sizeof length ||
          (length = load<std::uint32_t>(records.data())) > records.size() - sizeof length)
        return error(Code::kDataLoss, fmt::format("{}: record {} is damaged", file, number));
      if (number == expected) {
        TRY(replay(number, records.substr(sizeof length, length)));
        ++expected;
      }
      records.remove_prefix(sizeof length + length);
    }
    segment.last = number - 1;
    follows = number;
    rest.remove_prefix(std::min(rest.size(), whole_blocks(frame.size())));
  }
  // What was read may not have reached the disk yet; from now on others build on it.
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return system_error("cannot open", file);
  const int failed = options_.durable ? ::fdatasync(fd) : 0;
  ::close(fd);
  if (failed != 0) return system_error("cannot sync", file);
  return {};
}

std::size_t CommitLog::frame_bytes(std::size_t more) const {
  return whole_blocks(std::max(frame_size_, kHead) + more);
}

Status CommitLog::append(std::string_view record) {
  const std::size_t size = sizeof(std::uint32_t) + record.size();
  const std::size_t needed = frame_bytes(size);
  if (needed > kMostFrameBytes)
    return error(Code::kResourceExhausted, "a commit of more than 2 GiB; split it");
  TRY(take_room(needed));
  if (needed > frame_capacity_) {
    const std::size_t capacity = std::max(needed, 2 * frame_capacity_);
    rt::AlignedMemory larger = rt::aligned_memory(capacity);
    if (!larger) return error(Code::kResourceExhausted, "no memory for a commit");
    if (frame_size_ > 0) std::memcpy(larger.get(), frame_.get(), frame_size_);
    frame_ = std::move(larger);
    frame_capacity_ = capacity;
  }
  frame_size_ = std::max(frame_size_, kHead);
  records_.push_back(frame_size_);
  char* to = frame_.get() + frame_size_;
  store(to, static_cast<std::uint32_t>(record.size()));
  std::memcpy(to + sizeof(std::uint32_t), record.data(), record.size());
  frame_size_ += size;
  ++next_;
  return {};
}

void CommitLog::take_back() {
  CHECK(!records_.empty());
  frame_size_ = records_.back();
  records_.pop_back();
  if (records_.empty()) frame_size_ = 0;
  --next_;
}

/// The current segment has room for the frame in hand as it grows, or a new one has.
Status CommitLog::take_room(std::size_t frame_bytes) {
  const bool fits = at_ == 0 || at_ + frame_bytes <= options_.segment_bytes;
  if (fd_ < 0 || broken_ || !fits) TRY(next_segment(frame_bytes));
  while (at_ + frame_bytes > filled_) TRY(fill(at_ + frame_bytes));
  return {};
}

Status CommitLog::next_segment(std::size_t frame_bytes) {
  const std::uint64_t number = next_segment_;
  const std::string file = path(number);
  const bool again = !spare_.empty() && frame_bytes <= options_.segment_bytes;
  if (again) {
    TRY(rt::posix_files().rename(path(spare_.back()), file));
    spare_.pop_back();
  }
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC;
  const int fd = options_.durable ? rt::open_direct(file.c_str(), kFlags | O_DSYNC)
                                  : ::open(file.c_str(), kFlags, 0644);
  ++next_segment_;
  if (fd < 0) return system_error("cannot open", file);
  close();
  fd_ = fd;
  segments_.push_back({number, 0});
  const off_t size = ::lseek(fd, 0, SEEK_END);
  filled_ = size > 0 ? static_cast<std::size_t>(size) / kBlock * kBlock : 0;
  at_ = 0;
  broken_ = false;
  if (!again && options_.durable) TRY(rt::posix_files().sync_folder(folder_));
  return {};
}

/// Zeros up to `bytes` and some more.
Status CommitLog::fill(std::size_t bytes) {
  const std::size_t to =
      std::max(bytes, std::min(options_.segment_bytes, (bytes + kFill - 1) / kFill * kFill));
  static const rt::AlignedMemory zeros = [] {
    rt::AlignedMemory memory = rt::aligned_memory(kFill);
    std::memset(memory.get(), 0, kFill);
    return memory;
  }();
  while (filled_ < to) {
    const std::size_t some = std::min(kFill, to - filled_);
    TRY(write_at(fd_, zeros.get(), some, filled_, path(segments_.back().number)));
    filled_ += some;
  }
  return {};
}

Status CommitLog::sync() {
  if (records_.empty()) return {};
  TRY(take_room(frame_bytes(0)));
  if (Status written = write_frame(); !written) {
    broken_ = true;
    return written;
  }
  segments_.back().last = last();
  at_ += whole_blocks(frame_size_);
  frame_size_ = 0;
  records_.clear();
  if (frame_capacity_ > kMostKept) {
    frame_.reset();
    frame_capacity_ = 0;
  }
  return {};
}

Status CommitLog::write_frame() {
  char* frame = frame_.get();
  const std::size_t whole = whole_blocks(frame_size_);
  std::memset(frame + frame_size_, 0, whole - frame_size_);
  store(frame + kFirstAt, next_ - records_.size());
  store(frame + kLengthAt, static_cast<std::uint32_t>(frame_size_));
  store(frame, XXH3_64bits(frame + kFirstAt, frame_size_ - kFirstAt));
  return write_at(fd_, frame, whole, at_, path(segments_.back().number));
}

void CommitLog::release(std::uint64_t number) {
  while (!segments_.empty() && segments_.front().last <= number) {
    const std::uint64_t file = segments_.front().number;
    if (fd_ >= 0 && segments_.size() == 1) return;  // the one that is written to
    segments_.pop_front();
    if (spare_.size() < options_.spare_segments) {
      spare_.push_back(file);
    } else if (Status removed = rt::posix_files().remove(path(file)); !removed) {
      spare_.push_back(file);
    }
  }
}

void CommitLog::remove() {
  close();
  release(last());
  for (const std::uint64_t file : spare_) {
    // One that stays is read at the next start, for nothing.
    if (Status removed = rt::posix_files().remove(path(file)); !removed)
      LOG(warn, "{}", removed.error().what);
  }
  spare_.clear();
}

}  // namespace tailrace::kv
