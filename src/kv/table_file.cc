// A read that may not wait asks the kernel for what it has in memory, and for the rest to be
// brought.
#include "kv/table_file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

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

thread_local QuickReads* t_quick = nullptr;

class TableFile final : public rocksdb::FSRandomAccessFile {
 public:
  TableFile(std::string name, int file) : name_(std::move(name)), file_(file) {}
  ~TableFile() override { ::close(file_); }
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions&, Slice* result,
                char* scratch, IODebugContext*) const override {
    QuickReads* const quick = QuickReads::current();
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
      if (errno == EAGAIN && flags != 0) {
        quick->refuse();
        return IOStatus::Busy("not in memory");
      }
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
  void advise(int how) const { ::posix_fadvise(file_, 0, 0, how); }

  std::string name_;
  int file_;
};

}  // namespace

QuickReads::QuickReads() {
  t_quick = this;
}
QuickReads::~QuickReads() {
  t_quick = nullptr;
}
QuickReads* QuickReads::current() {
  return t_quick;
}

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
