// A log of records that are durable together, for a store whose memory it brings back after a
// crash. Records are numbered from 1 on, without gaps.
//
//   segment := { frame }                     the file NNNNNNNNNN.log in the log's folder
//   frame   := checksum:u64 first:u64 length:u32 { record } zeros up to a multiple of 4096 bytes
//   record  := length:u32 bytes
//
// Little-endian; the checksum is XXH3 of what follows it up to the frame's length, `first` the
// number of its first record. A frame is one write. Segments are filled with zeros before they are
// used and used again when nobody needs them, so a write changes neither the file's size nor its
// place: the disk has it after one trip. What an older use left behind a segment's last frame has
// numbers that do not continue it.
//
// A crash loses what was appended and not synced, nothing else. Opening ends a segment that was cut
// short: new records go to a new one. A record that is missing between others is kDataLoss.
//
// Disk full: append() is kResourceExhausted and the record is not in the log; what is in it can
// still be synced. A failed sync() keeps its records and the next one tries them on a new segment.
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rt/direct_io.h"

namespace tailrace::kv {

class CommitLog {
 public:
  struct Options {
    std::size_t segment_bytes = 16 << 20;
    /// Segments kept to be used again.
    std::size_t spare_segments = 4;
    /// Without it sync() leaves the bytes to the operating system.
    bool durable = true;
    /// The last record that need not be replayed.
    std::uint64_t done = 0;
  };
  using Replay = std::function<Status(std::uint64_t number, std::string_view record)>;
  /// Replays the records after `done`, in order, then is ready to append. Creates the folder.
  static Result<std::unique_ptr<CommitLog>> open(const std::string& folder, const Options& options,
                                                 const Replay& replay);
  ~CommitLog();
  CommitLog(const CommitLog&) = delete;
  CommitLog& operator=(const CommitLog&) = delete;

  /// Takes a record into memory, and room for it on the disk.
  Status append(std::string_view record);
  /// Forgets the record appended last, if it was appended since the last sync() that succeeded.
  void take_back();
  /// Everything appended is durable. kUnavailable, kResourceExhausted: it may not be.
  Status sync();
  /// Of the record appended last.
  std::uint64_t last() const { return next_ - 1; }
  bool synced() const { return records_.empty(); }
  /// Records up to this number are not needed any more.
  void release(std::uint64_t number);
  /// Ends a log of which nothing is needed any more: removes its files. The last call.
  void remove();

 private:
  struct Segment {
    std::uint64_t number = 0;  // of its file
    std::uint64_t last = 0;    // of its last record; 0: none
  };

  CommitLog(std::string folder, const Options& options);
  std::string path(std::uint64_t number) const;
  Status recover(const Replay& replay);
  Status read_segment(Segment& segment, std::uint64_t& expected, const Replay& replay);
  Status take_room(std::size_t frame_bytes);
  Status next_segment(std::size_t frame_bytes);
  Status fill(std::size_t bytes);
  std::size_t frame_bytes(std::size_t more) const;
  Status write_frame();
  void close();

  std::string folder_;
  Options options_;
  int fd_ = -1;
  std::size_t at_ = 0;            // where the next frame goes
  std::size_t filled_ = 0;        // the segment's bytes that can be written to
  bool broken_ = false;           // a write failed: the segment is not used any more
  std::deque<Segment> segments_;  // the last one is written to, where fd_ is open
  std::vector<std::uint64_t> spare_;
  std::uint64_t next_segment_ = 1;
  std::uint64_t next_ = 1;            // number of the next record
  std::vector<std::size_t> records_;  // where those of the frame in hand begin in frame_
  rt::AlignedMemory frame_;
  std::size_t frame_size_ = 0, frame_capacity_ = 0;
};

}  // namespace tailrace::kv
