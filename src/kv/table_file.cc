// A read that may not wait asks the kernel what it has in memory, by mincore of a mapping that
// nobody looks into: preadv2's RWF_NOWAIT alone would begin to read the rest into the page cache.
#include "kv/table_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "kv/quick_reads.h"

namespace tailrace::kv {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class TableFile final : public rocksdb::FSRandomAccessFile {
 public:
  /// Takes the file over.
  TableFile(std::string name, int file) : name_(std::move(name)), file_(file) {
    struct stat about {};
    if (::fstat(file_, &about) != 0 || about.st_size == 0) return;
    size_ = static_cast<std::size_t>(about.st_size);
    void* const at = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file_, 0);
    if (at == MAP_FAILED) return;
    mapping_ = static_cast<char*>(at);
    direct_ = DirectFile::open(name_.c_str());
  }
  ~TableFile() override {
    if (mapping_ != nullptr) ::munmap(mapping_, size_);
    ::close(file_);
  }
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* result,
                char* scratch, IODebugContext*) const override {
    QuickReads* const quick = QuickReads::current();
    if (quick != nullptr && direct_) {
      if (const auto bytes = quick->find(direct_.get(), offset, size); !bytes.empty()) {
        std::memcpy(scratch, bytes.data(), bytes.size());
        *result = Slice(scratch, bytes.size());
        return IOStatus::OK();
      }
      if (!is_in_memory(offset, size)) return refused(*quick, offset, size);
    }
    int flags = quick != nullptr ? RWF_NOWAIT : 0;
    std::size_t read = 0;
    while (read < size) {
      const iovec into{scratch + read, size - read};
      const auto got = ::preadv2(file_, &into, 1, static_cast<off_t>(offset + read), flags);
      if (got == 0) break;  // the file's end
      if (got > 0) {
        read += static_cast<std::size_t>(got);
        continue;
      }
      if (errno == EINTR) continue;
      if (errno == EOPNOTSUPP && flags != 0) {  // a file system that cannot tell: this read waits
        flags = 0;
        continue;
      }
      if (errno == EAGAIN && flags != 0) return refused(*quick, offset, size);
      return IOStatus::IOError("reading " + name_, std::strerror(errno));
    }
    *result = Slice(scratch, read);
    return IOStatus::OK();
  }

  IOStatus Prefetch(std::uint64_t offset, std::size_t size, const IOOptions&,
                    IODebugContext*) override {
    if (::readahead(file_, static_cast<off_t>(offset), size) == 0) return IOStatus::OK();
    return IOStatus::IOError("reading " + name_, std::strerror(errno));
  }

  void Hint(AccessPattern pattern) override {
    switch (pattern) {
      case kNormal:
        return advise(POSIX_FADV_NORMAL);
      case kRandom:
        return advise(POSIX_FADV_RANDOM);
      case kSequential:
        return advise(POSIX_FADV_SEQUENTIAL);
      case kWillNeed:
        return advise(POSIX_FADV_WILLNEED);
      case kWontNeed:
        return advise(POSIX_FADV_DONTNEED);
    }
  }

  IOStatus InvalidateCache(std::size_t offset, std::size_t size) override {
    ::posix_fadvise(file_, static_cast<off_t>(offset), static_cast<off_t>(size),
                    POSIX_FADV_DONTNEED);
    return IOStatus::OK();
  }

 private:
  IOStatus refused(QuickReads& quick, std::uint64_t offset, std::size_t size) const {
    quick.refuse(direct_, offset, size);
    return IOStatus::Busy("not in memory");
  }

  /// Whether the page cache has a part; true, too, where that is not known.
  bool is_in_memory(std::uint64_t offset, std::size_t size) const {
    std::array<unsigned char, 32> there;
    const std::size_t end = std::min(size_, static_cast<std::size_t>(offset) + size);
    for (std::size_t at = offset / kPage * kPage; at < end; at += there.size() * kPage) {
      const std::size_t length = std::min(end - at, there.size() * kPage);
      if (::mincore(mapping_ + at, length, there.data()) != 0) return true;
      const auto pages = static_cast<std::ptrdiff_t>((length + kPage - 1) / kPage);
      if (!std::all_of(there.begin(), there.begin() + pages, [](auto page) { return page & 1U; }))
        return false;
    }
    return true;
  }

  void advise(int how) const { ::posix_fadvise(file_, 0, 0, how); }

  std::string name_;
  int file_;
  std::size_t size_ = 0;
  char* mapping_ = nullptr;
  std::shared_ptr<const DirectFile> direct_;  ///< null: it is read through the page cache alone
};

}  // namespace

IOStatus open_table_file(const std::string& name,
                         std::unique_ptr<rocksdb::FSRandomAccessFile>* file) {
  const int opened = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) {
    const std::string why = std::strerror(errno);
    return errno == ENOENT ? IOStatus::PathNotFound("opening " + name, why)
                           : IOStatus::IOError("opening " + name, why);
  }
  *file = std::make_unique<TableFile>(name, opened);
  return IOStatus::OK();
}

}  // namespace tailrace::kv
