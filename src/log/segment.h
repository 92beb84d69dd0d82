// One segment of a partition: record batches laid end to end, two sparse indexes, and the aborted
// transactions, in Kafka's files.
//
//   <base>.log        record batches (batch.h)
//   <base>.index      entries: relative offset i32 of a batch's last record · position i32 of the
//   batch <base>.timeindex  entries: greatest timestamp so far i64 · relative offset i32 of that
//   batch's last record
//
//   <base>.txnindex   aborted transactions (transactions.h); only where there are any
//   <base>.txncheck   of each entry of the .txnindex its CRC-32C u32; a file of our own
//
// The first two are a help, never a truth: they are rebuilt from the .log where they are missing or
// do not fit. So is the .txnindex where its entries are not those that were checked: a start sees
// it, and reads refuse it. A segment that is being written by the cleaner has the suffix .cleaned
// behind all names (swap.h).
// Not thread-safe, but data() may be read and writer() synced from other threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/strong.h"
#include "log/batch.h"
#include "log/retention.h"
#include "log/transactions.h"
#include "rt/file.h"

namespace tailrace::log {

/// A file of fixed-size big-endian entries.
class IndexFile {
 public:
  IndexFile(rt::FileSystem& files, std::string path, std::size_t entry_bytes)
      : files_(&files), path_(std::move(path)), entry_bytes_(entry_bytes) {}

  /// Counts the entries that are there; a missing file has none.
  Status load();
  /// Entries go to the file in groups, at the latest with sync(): after a crash they are made again
  /// from the log. Failures are remembered as missing entries: an index is only a help.
  void append(std::string_view entry);
  /// Appends and tells of a failure; nothing of the entry counts then.
  Status add(std::string_view entry);
  /// Keeps the first `count` entries.
  Status truncate(std::size_t count);
  Status sync();
  /// What sync() does but for the disk: somebody else sees to it.
  void write_out();
  std::size_t count() const { return count_; }
  /// The entry's bytes.
  Result<std::string> entry(std::size_t i) const { return entries(i, 1); }
  /// The bytes of `count` entries from `first` on, all of which are there.
  Result<std::string> entries(std::size_t first, std::size_t count) const;
  /// Opens for reading what is there now: a file that takes its name later is not read.
  Status hold() const;

 private:
  /// Not kept open: a broker has many partitions, and few of them are written to at a time.
  Result<std::unique_ptr<rt::WritableFile>> open_writer() const;
  Status write(std::string_view entries);
  Status flush();
  std::size_t stored() const { return count_ - pending_.size() / entry_bytes_; }

  rt::FileSystem* files_;
  std::string path_;
  std::size_t entry_bytes_;
  std::size_t count_ = 0;
  std::string pending_;  // the last entries, not in the file yet
  bool unsynced_ = false;
  mutable std::unique_ptr<rt::ReadableFile> reader_;
};

/// A place in a segment.
struct SegmentPlace {
  std::uint64_t position = 0;
  Offset offset;
};

/// Whether offsets may be missing between batches: only where the cleaner may have been.
enum class Gaps { kRefused, kAllowed };

class Segment {
 public:
  /// Opens the files of an existing or a new segment. `next` of a sealed one is the base of the one
  /// after it.
  static Result<std::shared_ptr<Segment>> open(rt::FileSystem& files, const std::string& folder,
                                               Offset base, std::string_view suffix = {});

  /// Differs between any two segments of a process, those of the same base too.
  std::uint64_t id() const { return id_; }
  Offset base() const { return base_; }
  Offset next() const { return next_; }
  std::uint64_t size_bytes() const { return size_; }
  SegmentFacts facts() const { return {base_, next_, size_, max_timestamp_}; }
  const std::string& log_path() const { return log_path_; }
  const std::shared_ptr<rt::ReadableFile>& data() const { return data_; }
  /// Null while the segment rests: then nothing is to be synced.
  const std::shared_ptr<rt::WritableFile>& writer() const { return writer_; }

  /// Takes a segment as it is: its indexes are trusted when they look right, rebuilt otherwise.
  Status trust(Offset next, Gaps gaps);
  /// Syncs all files and closes them for writing.
  Status seal();
  Status sync_indexes();
  /// The same without the disk, which somebody else asks before the indexes are trusted.
  void write_out_indexes();

  /// Writes an aborted transaction whose marker comes next.
  Status add_aborted(const AbortedTransaction& transaction);
  /// Takes back the last add_aborted().
  Status drop_last_aborted();
  /// After the batches from `from` on were scanned: what was seen replaces what is there. One with
  /// a first offset below 0 (its beginning is no longer in the log) is kept as it is there, if it
  /// is.
  Status merge_aborted(Offset from, std::vector<AbortedTransaction> seen);
  bool has_aborted() const { return aborted_.count() > 0; }
  /// Whether the aborted transactions are those that were written. Else merge_aborted() from the
  /// base on makes them anew.
  bool aborted_is_sound() const;
  Status sync_aborted();
  /// Adds those that overlap [from, upto); true when no later segment has another one.
  Result<bool> collect_aborted(Offset from, Offset upto,
                               std::vector<AbortedTransaction>& found) const;
  Result<std::vector<AbortedTransaction>> aborted() const;

  /// Opens the .log for writing, which rest() ended; before write(). Who shares the segment between
  /// threads calls both under his lock: they change writer().
  Status make_writable();
  void rest() { writer_.reset(); }
  /// Writes whole batches; on failure nothing of them stays (or `broken` until repair() succeeds).
  Status write(std::string_view batches);
  /// Notes the batches of the last write() as part of the segment.
  void note(std::string_view batches, std::int64_t index_interval_bytes);
  /// As note(), for one batch at `position`: used by recovery.
  void note_batch(const BatchView& batch, std::uint64_t position, std::int64_t index_interval);

  /// A batch start at or before the batch that holds `offset`.
  SegmentPlace floor(Offset offset) const;
  /// An offset from which a search for the first timestamp ≥ `time` may start.
  Offset floor_time(TimestampMs time) const;

  /// Forgets everything from `place` on in the indexes, and sets the end there.
  Status rewind(SegmentPlace place);
  /// All files, empty.
  Status start_anew();
  /// Cuts the .log at the end.
  Status cut();
  void end_at(Offset next) { next_ = next; }

  /// Reads go on after its files have lost their names or another segment has taken them.
  Status hold_files() const;
  Status remove_files(rt::FileSystem& files) const;

 private:
  void add_last_time();
  Segment(rt::FileSystem& files, std::string stem, Offset base, std::string_view suffix);
  bool indexes_look_right() const;
  Result<std::vector<AbortedTransaction>> aborted(std::size_t first, std::size_t count) const;
  Status truncate_aborted(std::size_t count);
  Result<SegmentPlace> index_entry(std::size_t i) const;
  Result<std::pair<TimestampMs, Offset>> time_entry(std::size_t i) const;

  rt::FileSystem& files_;
  const std::uint64_t id_;
  const Offset base_;
  const std::string stem_;
  const std::string suffix_;
  const std::string log_path_;
  Offset next_;
  std::uint64_t size_ = 0;
  TimestampMs max_timestamp_{-1};
  TimestampMs indexed_timestamp_{-1};
  Offset max_timestamp_offset_;
  std::uint64_t since_index_ = 0;
  bool broken_ = false;
  std::shared_ptr<rt::ReadableFile> data_;
  std::shared_ptr<rt::WritableFile> writer_;
  IndexFile offsets_;
  IndexFile times_;
  IndexFile aborted_;
  IndexFile checks_;
};

/// What a segment consists of, the .log last.
inline constexpr std::string_view kSegmentSuffixes[] = {".index", ".timeindex", ".txnindex",
                                                        ".txncheck", ".log"};

/// The 20-digit name of an offset.
std::string offset_name(Offset offset);

/// Where a scan of batches ended.
struct ScanEnd {
  SegmentPlace end;  ///< after the last good batch
  std::string flaw;  ///< what is wrong there; empty when the file ends there
};

/// Reads batches from `from` to `limit`, checks lengths, CRC and growing offsets, and shows each
/// good one with its position; an Error from there ends the scan and is the result.
using BatchSeen = std::function<Status(const BatchView&, std::uint64_t)>;
Result<ScanEnd> scan_batches(const rt::ReadableFile& file, SegmentPlace from, std::uint64_t limit,
                             Gaps gaps, const BatchSeen& seen);

/// The position of a valid batch (magic 2, CRC, offset ≥ least) at or after `from`, if there is
/// one.
Result<std::optional<std::uint64_t>> find_batch(const rt::ReadableFile& file, std::uint64_t from,
                                                std::uint64_t limit, Offset least);

}  // namespace tailrace::log
