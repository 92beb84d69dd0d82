// A file that Arrow writes to, patient with a full disk (rt/room_watch.h): a Parquet file that has
// begun cannot take a failed write back.
//
// Whole blocks go past the page cache (O_DIRECT, where the file system takes it): the file is
// synced at its end and seldom read again soon, so pages for it would only cost time and push
// others out.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "rt/direct_io.h"
#include "rt/room_watch.h"

namespace tailrace::lake {

class PatientOutput final : public arrow::io::OutputStream {
 public:
  /// Creates the file; it must not be there. `room` may be null: then a full disk is an error.
  static Result<std::shared_ptr<PatientOutput>> create(std::string path,
                                                       std::shared_ptr<rt::RoomWatch> room);
  ~PatientOutput() override;

  using arrow::io::OutputStream::Write;
  arrow::Status Write(const void* data, std::int64_t size) override;
  arrow::Status Close() override;
  arrow::Result<std::int64_t> Tell() const override { return written_; }
  bool closed() const override { return fd_ < 0; }

 private:
  PatientOutput(std::string path, int fd, std::shared_ptr<rt::RoomWatch> room)
      : path_(std::move(path)), fd_(fd), room_(std::move(room)) {}

  /// Writes all of `data` to the file.
  arrow::Status put(const char* data, std::size_t size);

  std::string path_;
  int fd_;
  std::shared_ptr<rt::RoomWatch> room_;
  static constexpr std::size_t kBlockBytes = 256 << 10;
  rt::AlignedMemory block_ = rt::aligned_memory(kBlockBytes);
  std::size_t block_used_ = 0;  ///< bytes that are not in the file yet
  std::int64_t written_ = 0;    ///< with them
};

}  // namespace tailrace::lake
