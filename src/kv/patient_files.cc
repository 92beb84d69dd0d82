// Appends go by position, so that a write cut short by a full disk can be repeated as a whole.
#include "kv/patient_files.h"

#include "kv/table_file.h"

namespace tailrace::kv {

namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class PatientFile : public rocksdb::FSWritableFileWrapper {
 public:
  PatientFile(std::string name, std::unique_ptr<FSWritableFile> file,
              std::shared_ptr<rt::RoomWatch> watch)
      : FSWritableFileWrapper(file.get()),
        name_(std::move(name)),
        file_(std::move(file)),
        watch_(std::move(watch)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = PositionedAppend(data, size_, options, debug);
    if (status.ok()) size_ += data.size();
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  /// Past the page cache RocksDB keeps the place itself: it writes the last block again as it
  /// fills.
  IOStatus PositionedAppend(const Slice& data, uint64_t offset, const IOOptions& options,
                            IODebugContext* debug) override {
    while (true) {
      IOStatus status = file_->PositionedAppend(data, offset, options, debug);
      if (status.IsNoSpace() && watch_->wait_for_room(name_)) continue;
      if (status.ok()) watch_->got_room();
      return status;
    }
  }
  IOStatus PositionedAppend(const Slice& data, uint64_t offset, const IOOptions& options,
                            const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return PositionedAppend(data, offset, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    size_ = size;
    return FSWritableFileWrapper::Truncate(size, options, debug);
  }

 private:
  std::string name_;
  std::unique_ptr<FSWritableFile> file_;
  std::uint64_t size_ = 0;
  std::shared_ptr<rt::RoomWatch> watch_;
};

class PatientFiles : public rocksdb::FileSystemWrapper {
 public:
  PatientFiles(std::shared_ptr<rt::RoomWatch> watch,
               std::shared_ptr<const std::atomic<bool>> refuses)
      : FileSystemWrapper(rocksdb::FileSystem::Default()),
        watch_(std::move(watch)),
        refuses_(std::move(refuses)) {}

  const char* Name() const override { return "PatientFiles"; }

  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                               IODebugContext* debug) override {
    if (options.use_direct_reads || options.use_mmap_reads)
      return FileSystemWrapper::NewRandomAccessFile(name, options, file, debug);
    return open_table_file(name, file);
  }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    if (*refuses_) return IOStatus::IOError(name, "the store closes");
    IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    while (status.IsNoSpace() && watch_->wait_for_room(name)) {
      status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    }
    if (status.ok()) *file = std::make_unique<PatientFile>(name, std::move(*file), watch_);
    return status;
  }

 private:
  std::shared_ptr<rt::RoomWatch> watch_;
  std::shared_ptr<const std::atomic<bool>> refuses_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> patient_files(
    std::shared_ptr<rt::RoomWatch> watch, std::shared_ptr<const std::atomic<bool>> refuses) {
  return std::make_shared<PatientFiles>(std::move(watch), std::move(refuses));
}

}  // namespace tailrace::kv
