// The ids of deliveries that were accepted: as many and for as long as is asked.
//
//   FOLDER/NNNNNNNNNN   entries, oldest file first, 65,536 a file:
//                       digest 16 bytes · at_ms i64 · crc32c u32 of both; big-endian
//
// Of an id its digest is kept, the first half of its SHA-256: an id can be of any length, and
// nobody makes two that are taken for one. In memory it costs 32 bytes or less. What is too old or
// too much goes a file at a time. An entry that does not match its checksum (a torn tail) is left
// out.
//
// Threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rt/file.h"

namespace tailrace::connect {

class InboxIds {
 public:
  /// Those older than `keep_ms` are forgotten, and beyond `most` (and a file more) the oldest.
  static Result<std::unique_ptr<InboxIds>> open(const std::string& folder, std::int64_t keep_ms,
                                                std::int64_t most,
                                                rt::FileSystem& files = rt::posix_files());

  bool knows(std::string_view id, std::int64_t now_ms) const;
  /// Known from now on, in memory.
  void add(std::string_view id, std::int64_t now_ms);
  /// All that were added are durable when it returns. After an Error it may be called again.
  Status sync();

 private:
  using Digest = std::array<char, 16>;
  struct Entry {
    Digest digest;
    std::int64_t at_ms = 0;
  };
  /// What one file holds, by digest.
  class Table {
   public:
    explicit Table(std::uint64_t number) : number_(number) {}
    const Entry* find(const Digest& digest) const;
    void add(const Entry& entry);
    std::uint64_t number() const { return number_; }
    std::size_t size() const { return entries_.size(); }
    const Entry& entry(std::size_t i) const { return entries_[i]; }
    std::int64_t newest_ms() const { return newest_ms_; }

   private:
    void place(std::uint32_t entry);
    std::uint64_t number_;
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> slots_;  ///< 0: free; else an entry's number from 1 on
    std::int64_t newest_ms_ = INT64_MIN;
  };

  InboxIds(std::string folder, std::int64_t keep_ms, std::int64_t most, rt::FileSystem& files)
      : folder_(std::move(folder)), keep_ms_(keep_ms), most_(most), files_(files) {}
  static Digest digest_of(std::string_view id);
  static std::string encode(const Entry& entry);
  std::string path_of(std::uint64_t number) const;
  Status load(std::uint64_t number);
  void put(const Entry& entry);
  void forget(std::int64_t now_ms);
  Status write(Table& table, std::size_t from);
  Status open_last(std::uint64_t number);

  const std::string folder_;
  const std::int64_t keep_ms_;
  const std::int64_t most_;
  rt::FileSystem& files_;
  std::deque<Table> tables_;              ///< the last one is added to
  std::size_t count_ = 0;                 ///< of all tables
  std::size_t unwritten_ = 0;             ///< of the last entries
  std::vector<std::uint64_t> forgotten_;  ///< files to remove
  std::unique_ptr<rt::WritableFile> file_;
  std::uint64_t file_number_ = 0;  ///< whose file_ is
};

}  // namespace tailrace::connect
