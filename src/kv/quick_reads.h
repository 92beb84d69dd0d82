// Reads that do not wait for the disk: a thread that serves many connections answers at once what
// is in memory, and has the rest brought (disk_reads.h) or leaves it to threads that may wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tailrace::kv {

/// Of memory, and what places, lengths and addresses of reads past the page cache are multiples of.
inline constexpr std::size_t kPage = 4096;

/// A file as it is read past the page cache (O_DIRECT), open as long as somebody has it.
class DirectFile {
 public:
  /// Null where the file system has no such reads.
  static std::shared_ptr<const DirectFile> open(const char* name);
  ~DirectFile();
  DirectFile(const DirectFile&) = delete;
  DirectFile& operator=(const DirectFile&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  explicit DirectFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Memory of whole pages; small ones are kept for the next, for they are taken in one thread and
/// let go in another, which the system's allocator is slow at.
class Pages {
 public:
  Pages() = default;
  explicit Pages(std::size_t size);
  ~Pages();
  Pages(Pages&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)), size_(other.size_) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    return *this;
  }

  char* data() const { return memory_; }

 private:
  char* memory_ = nullptr;
  std::size_t size_ = 0;
};

/// A part of a file, whole pages of it.
struct Piece {
  std::shared_ptr<const DirectFile> file;
  std::uint64_t offset = 0;
  std::size_t size = 0;
  Pages bytes = {};  ///< none: not read
};

/// What one read lacked in its tries so far: what came of it from the disk, and what the last try
/// still lacks. It is the caller's between two tries; one thread at a time.
struct Pieces {
  std::vector<Piece> arrived;
  std::optional<Piece> wanted;  ///< none: the last try lacked nothing that can be brought alone
};

/// While one lives, its thread's reads of both stores fail instead of waiting for the disk
/// (kUnavailable, or a cursor that ends so): from the first part of a table's file on that is
/// neither in the page cache nor among the pieces, refused() is true, and the part is wanted. A
/// file system that cannot tell is waited for. Failed or not: when refused() is true, read again,
/// with the piece or without a QuickReads. One at a time in a thread.
class QuickReads {
 public:
  explicit QuickReads(Pieces& pieces);
  ~QuickReads();
  QuickReads(const QuickReads&) = delete;
  QuickReads& operator=(const QuickReads&) = delete;

  bool refused() const { return refused_; }

  /// The calling thread's; null: reads wait.
  static QuickReads* current();

  /// For who reads files. What has arrived of a part; empty: not all of it.
  std::string_view find(const DirectFile* file, std::uint64_t offset, std::size_t size) const;
  /// A part is not there; `file` null: nor can it be brought.
  void refuse(std::shared_ptr<const DirectFile> file, std::uint64_t offset, std::size_t size);

 private:
  Pieces& pieces_;
  bool refused_ = false;
};

}  // namespace tailrace::kv
