// The kernel's own calls: all of libaio that would be used is their names.
#include "kv/disk_reads.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <utility>

#include "base/check.h"

namespace tailrace::kv {
namespace {

/// That may be on their way; those beyond wait in threads.
constexpr unsigned kMostBegun = 1024;
/// That a thread takes at once.
constexpr long kMostTaken = 32;
/// One piece in so many comes into the page cache, too, so that what is read often gets there,
/// however small the store's own cache is.
constexpr unsigned kBroughtIn = 16;

bool is_brought_in() {
  thread_local unsigned count = 0;
  return ++count % kBroughtIn == 0;
}

}  // namespace

struct DiskReads::Request {
  iocb control{};
  Pieces* pieces;
  Work then;
  std::atomic<bool> given{false};  ///< the kernel passes it from thread to thread
};

DiskReads::DiskReads(int threads, std::function<void(const std::function<void()>&)> around)
    : around_(around ? std::move(around) : [](const std::function<void()>& work) { work(); }) {
  static_assert(sizeof(aio_context_t) == sizeof context_);
  if (::syscall(SYS_io_setup, kMostBegun, &context_) != 0) {
    context_ = 0;
    return;
  }
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { loop(); });
}

DiskReads::~DiskReads() {
  if (context_ == 0) return;
  for (std::size_t left = begun_; left > 0; left = begun_) begun_.wait(left);
  stopping_ = true;
  ::syscall(SYS_io_destroy, context_);  // wakes who waits for more
  for (auto& thread : threads_) thread.join();
}

void DiskReads::bring(Pieces& pieces, Work then) {
  if (!pieces.wanted) return then();
  if (context_ == 0) {
    pieces.wanted.reset();
    return then();
  }
  Piece& piece = *pieces.wanted;
  piece.bytes = Pages(piece.size);
  auto request = std::make_unique<Request>();
  request->pieces = &pieces;
  request->then = std::move(then);
  iocb& control = request->control;
  control.aio_data = reinterpret_cast<std::uint64_t>(request.get());
  control.aio_lio_opcode = IOCB_CMD_PREAD;
  control.aio_rw_flags = RWF_NOWAIT;  // else what is full, or a file system without, is waited for
  control.aio_fildes = static_cast<std::uint32_t>(piece.file->descriptor());
  control.aio_buf = reinterpret_cast<std::uint64_t>(piece.bytes.data());
  control.aio_nbytes = piece.size;
  control.aio_offset = static_cast<std::int64_t>(piece.offset);
  iocb* const begun = &control;
  ++begun_;
  // From here on the request may be another thread's, and gone.
  Request* const given = request.release();
  given->given.store(true, std::memory_order_release);
  if (::syscall(SYS_io_submit, context_, 1, &begun) != 1) end(given, -1);
}

void DiskReads::end(Request* given, std::int64_t read) {
  const std::unique_ptr<Request> request(given);
  CHECK(given->given.load(std::memory_order_acquire));
  Pieces& pieces = *request->pieces;
  Piece piece = std::move(*pieces.wanted);
  pieces.wanted.reset();
  const auto file = piece.file;
  const auto offset = piece.offset, size = static_cast<std::uint64_t>(piece.size);
  if (read > 0) {
    piece.size = static_cast<std::size_t>(read);  // less at the file's end
    pieces.arrived.push_back(std::move(piece));
  }
  request->then();
  if (is_brought_in())
    ::posix_fadvise(file->descriptor(), static_cast<off_t>(offset), static_cast<off_t>(size),
                    POSIX_FADV_WILLNEED);
  if (--begun_ == 0) begun_.notify_all();
}

void DiskReads::loop() {
  std::array<io_event, kMostTaken> events;
  while (!stopping_) {
    const auto taken =
        ::syscall(SYS_io_getevents, context_, 1L, kMostTaken, events.data(), nullptr);
    if (taken <= 0) continue;  // interrupted, or it ends
    around_([&] {
      for (long i = 0; i < taken; ++i)
        end(reinterpret_cast<Request*>(events[static_cast<std::size_t>(i)].data),
            events[static_cast<std::size_t>(i)].res);
    });
  }
}

}  // namespace tailrace::kv
