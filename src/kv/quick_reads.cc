// A part of a file is wanted by the pages it lies in.
#include "kv/quick_reads.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace tailrace::kv {
namespace {

/// More than this at once is not for who reads here and there.
constexpr std::size_t kMostBytes = 64 << 10;

/// What most pieces fit into: a block that lies across pages, a part of an index.
constexpr std::size_t kKeptBytes = 24 << 10;
constexpr std::size_t kMostKept = 256;

thread_local QuickReads* t_current = nullptr;

/// Memory of kKeptBytes that nobody has now.
class Kept {
 public:
  ~Kept() {
    for (char* memory : free_) std::free(memory);
  }
  char* take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return nullptr;
    char* const memory = free_.back();
    free_.pop_back();
    return memory;
  }
  /// False: there is enough.
  bool give(char* memory) {
    const std::lock_guard lock(mutex_);
    if (free_.size() == kMostKept) return false;
    free_.push_back(memory);
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<char*> free_;
};

Kept& kept() {
  static Kept all;
  return all;
}

}  // namespace

Pages::Pages(std::size_t size) : size_(size) {
  const bool small = size <= kKeptBytes;
  if (small) memory_ = kept().take();
  if (memory_ == nullptr)
    memory_ = static_cast<char*>(std::aligned_alloc(kPage, small ? kKeptBytes : size));
  if (memory_ == nullptr) throw std::bad_alloc();
}

Pages::~Pages() {
  if (memory_ == nullptr || (size_ <= kKeptBytes && kept().give(memory_))) return;
  std::free(memory_);
}

std::shared_ptr<const DirectFile> DirectFile::open(const char* name) {
  const int descriptor = ::open(name, O_RDONLY | O_CLOEXEC | O_DIRECT);
  if (descriptor < 0) return nullptr;
  return std::shared_ptr<const DirectFile>(new DirectFile(descriptor));
}

DirectFile::~DirectFile() {
  ::close(descriptor_);
}

QuickReads::QuickReads(Pieces& pieces) : pieces_(pieces) {
  pieces_.wanted.reset();
  t_current = this;
}

QuickReads::~QuickReads() {
  t_current = nullptr;
}

QuickReads* QuickReads::current() {
  return t_current;
}

std::string_view QuickReads::find(const DirectFile* file, std::uint64_t offset,
                                  std::size_t size) const {
  for (const Piece& piece : pieces_.arrived) {
    if (piece.file.get() == file && piece.offset <= offset &&
        offset + size <= piece.offset + piece.size)
      return {piece.bytes.data() + (offset - piece.offset), size};
  }
  return {};
}

void QuickReads::refuse(std::shared_ptr<const DirectFile> file, std::uint64_t offset,
                        std::size_t size) {
  // A scan that was refused may ask for more before it ends: the first is wanted.
  if (std::exchange(refused_, true) || !file || size > kMostBytes) return;
  const std::uint64_t begin = offset / kPage * kPage;
  const std::size_t pages = static_cast<std::size_t>(offset + size - begin + kPage - 1) / kPage;
  pieces_.wanted.emplace(Piece{std::move(file), begin, pages * kPage});
}

}  // namespace tailrace::kv
