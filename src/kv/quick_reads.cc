// A part of a file is wanted by the pages it lies in.
#include "kv/quick_reads.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace tailrace::kv {
namespace {

/// More than this at once is not for who reads here and there.
constexpr std::size_t kMostBytes = 64 << 10;

thread_local QuickReads* t_current = nullptr;

}  // namespace

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
      return {piece.bytes.get() + (offset - piece.offset), size};
  }
  return {};
}

void QuickReads::refuse(std::shared_ptr<const DirectFile> file, std::uint64_t offset,
                        std::size_t size) {
  // A scan that was refused may ask for more before it ends: the first is wanted.
  if (std::exchange(refused_, true) || !file || size > kMostBytes) return;
  const std::uint64_t begin = offset / kPage * kPage;
  const std::size_t pages = static_cast<std::size_t>(offset + size - begin + kPage - 1) / kPage;
  pieces_.wanted.emplace(std::move(file), begin, pages * kPage);
}

}  // namespace tailrace::kv
