#include "connect/byte_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tailrace::connect {
namespace {

constexpr std::size_t kBlock = 256 << 10;
constexpr std::size_t kMaxLine = 256 << 20;
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

Error cannot_read(const std::string& path) {
  return {errno == ENOENT ? Code::kNotFound : Code::kUnavailable,
          fmt::format("cannot read {}: {}", path, std::strerror(errno))};
}

class PlainPart final : public ByteStream {
 public:
  PlainPart(std::string path, int file, std::int64_t from, std::int64_t to)
      : path_(std::move(path)), file_(file), at_(from), to_(to) {}
  ~PlainPart() override { close(file_); }

  Status read(std::string& buffer) override {
    const auto want = std::min<std::int64_t>(kBlock, to_ - at_);
    buffer.resize(static_cast<std::size_t>(std::max<std::int64_t>(want, 0)));
    if (buffer.empty()) return {};
    const ssize_t got = pread(file_, buffer.data(), buffer.size(), at_);
    if (got < 0) return std::unexpected(cannot_read(path_));
    if (got == 0) return error(Code::kDataLoss, fmt::format("{} was cut to {} bytes", path_, at_));
    buffer.resize(static_cast<std::size_t>(got));
    at_ += got;
    return {};
  }

 private:
  std::string path_;
  int file_;
  std::int64_t at_, to_;
};

/// gzread reads plain files, too.
class GzipStream final : public ByteStream {
 public:
  GzipStream(std::string path, gzFile file) : path_(std::move(path)), file_(file) {}
  ~GzipStream() override { gzclose_r(file_); }

  Status read(std::string& buffer) override {
    buffer.resize(kBlock);
    const int got = gzread(file_, buffer.data(), kBlock);
    int code = Z_OK;
    const char* what = gzerror(file_, &code);
    if (got < 0 || code == Z_BUF_ERROR)
      return error(Code::kDataLoss,
                   fmt::format("{}: {}", path_, code == Z_BUF_ERROR ? "cut short" : what));
    buffer.resize(static_cast<std::size_t>(got));
    return {};
  }

 private:
  std::string path_;
  gzFile file_;
};

class ZstdStream final : public ByteStream {
 public:
  ZstdStream(std::string path, std::FILE* file)
      : path_(std::move(path)), file_(file), context_(ZSTD_createDCtx()) {}
  ~ZstdStream() override {
    ZSTD_freeDCtx(context_);
    std::fclose(file_);
  }

  Status read(std::string& buffer) override {
    buffer.resize(kBlock);
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size) {
        packed_.resize(kBlock);
        packed_.resize(std::fread(packed_.data(), 1, kBlock, file_));
        in_ = {packed_.data(), packed_.size(), 0};
        if (packed_.empty()) break;
      }
      open_frame_ = ZSTD_decompressStream(context_, &out, &in_);
      if (ZSTD_isError(open_frame_))
        return error(Code::kDataLoss, fmt::format("{}: {}", path_, ZSTD_getErrorName(open_frame_)));
    }
    if (out.pos == 0 && open_frame_ != 0) return error(Code::kDataLoss, path_ + ": cut short");
    buffer.resize(out.pos);
    return {};
  }

 private:
  std::string path_;
  std::FILE* file_;
  ZSTD_DCtx* context_;
  std::string packed_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  std::size_t open_frame_ = 0;
};

}  // namespace

Result<std::string> first_bytes(const std::string& path, std::size_t most) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(cannot_read(path));
  std::string bytes(most, '\0');
  const ssize_t got = pread(file, bytes.data(), most, 0);
  const int why = errno;
  close(file);
  errno = why;
  if (got < 0) return std::unexpected(cannot_read(path));
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

bool is_packed(const std::string& path) {
  if (path.ends_with(".gz") || path.ends_with(".zst")) return true;
  const auto bytes = first_bytes(path, 4);
  return bytes && (bytes->starts_with(kGzipMagic) || bytes->starts_with(kZstdMagic));
}

Result<std::unique_ptr<ByteStream>> ByteStream::open(const std::string& path) {
  ASSIGN(const std::string magic, first_bytes(path, 4));
  const bool gzip_named = path.ends_with(".gz") && !magic.starts_with(kZstdMagic);
  if (magic.starts_with(kZstdMagic) || (path.ends_with(".zst") && !gzip_named)) {
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (!file) return std::unexpected(cannot_read(path));
    return std::make_unique<ZstdStream>(path, file);
  }
  gzFile file = gzopen(path.c_str(), "rb");
  if (!file) return std::unexpected(cannot_read(path));
  gzbuffer(file, kBlock);
  return std::make_unique<GzipStream>(path, file);
}

Result<std::unique_ptr<ByteStream>> ByteStream::open_part(const std::string& path,
                                                          std::int64_t from, std::int64_t to) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(cannot_read(path));
  return std::make_unique<PlainPart>(path, file, from, to);
}

Status LineReader::more() {
  if (at_ > 0) {
    buffer_.erase(0, at_);
    offset_ += static_cast<std::int64_t>(at_);
    at_ = 0;
  }
  TRY(stream_->read(chunk_));
  ended_ = chunk_.empty();
  buffer_ += chunk_;
  return {};
}

Result<bool> LineReader::next(std::string& line) {
  std::size_t searched = at_;
  std::size_t end;
  while ((end = buffer_.find('\n', searched)) == std::string::npos && !ended_) {
    const std::size_t seen = buffer_.size() - at_;
    if (seen > kMaxLine) return error(Code::kResourceExhausted, "a line is longer than 256 MiB");
    TRY(more());
    searched = at_ + seen;
  }
  line_was_ended_ = end != std::string::npos;
  if (!line_was_ended_) {
    if (at_ == buffer_.size()) return false;
    end = buffer_.size();
  }
  line.assign(buffer_, at_, end - at_);
  at_ = std::min(end + 1, buffer_.size());
  return true;
}

Result<std::string_view> LineReader::look() {
  if (at_ == buffer_.size() && !ended_) TRY(more());
  return std::string_view(buffer_).substr(at_);
}

Result<char> LineReader::peek() {
  std::size_t searched = 0;  // bytes after at_ that are blank
  while (true) {
    const std::size_t first = buffer_.find_first_not_of(" \t\r\n\xEF\xBB\xBF", at_ + searched);
    if (first != std::string::npos) return buffer_[first];
    if (ended_ || buffer_.size() - at_ > kMaxLine) return '\0';
    searched = buffer_.size() - at_;
    TRY(more());
  }
}

}  // namespace tailrace::connect
