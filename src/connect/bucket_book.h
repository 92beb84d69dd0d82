// The objects of a bucket that a source has learnt of, in the order in which it reads them: the
// file FOLDER/NAME.objects (SQLite).
//
//   object(n, key, etag, version, size, tries, retry_ms, why)   key and etag are there once
//   meta(name, value)                              fingerprint, since_ms, cleaned, listed_to
//
// An object gets its number before it is read, durably, and the source's position is a number: what
// is below it was read, whatever crashed. So the position stays small, and a hundred thousand
// objects are a hundred thousand rows. A content that could not be read now keeps its row, with
// the time of the next try, and then moves to a new number behind all others.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sqlite/database.h"

namespace tailrace::connect {

struct BookedObject {
  std::int64_t n = 0;
  std::string key = {};
  std::string etag = {};
  std::string version = {};
  std::int64_t size_bytes = 0;
};

class ObjectBook {
 public:
  /// A book of other settings is emptied. `now_ms` becomes the time since which objects are new.
  static Result<std::unique_ptr<ObjectBook>> open(const std::string& path,
                                                  const std::string& fingerprint,
                                                  std::int64_t now_ms);

  /// Enters those that are not there, by key and etag; where `once`, by key alone. Durable
  /// afterwards. How many were new.
  Result<std::int64_t> enter(const std::vector<BookedObject>& objects, bool once);
  /// How far a listing has come that is not at its end, "" for none: it goes on there after a
  /// crash. A page without new objects need not be kept.
  const std::string& listed_to() const { return listed_to_; }
  Status set_listed_to(const std::string& key);
  /// From `n` on, at most so many.
  Result<std::vector<BookedObject>> from(std::int64_t n, int most);
  /// The greatest number so far, 0 in an empty book.
  std::int64_t last() const { return last_; }
  std::int64_t count() const { return count_; }
  std::int64_t since_ms() const { return since_ms_; }
  /// The greatest key, "" in an empty book.
  Result<std::string> greatest_key();

  /// It could not be read: again at `retry_ms`. To be called before the source's position passes
  /// it; what passes it without being put off, and is read after all, calls taken().
  Status put_off(std::int64_t n, std::int64_t retry_ms, const std::string& why);
  Status taken(std::int64_t n);
  /// How often it was put off.
  Result<int> tries(std::int64_t n);
  struct PutOff {
    std::int64_t count = 0;
    std::int64_t next_ms = 0;
    std::string why = {};  ///< of the first
  };
  Result<PutOff> waiting();
  /// Those below `noted` whose time has come get new numbers. How many.
  Result<std::int64_t> call_again(std::int64_t noted, std::int64_t now_ms);

  /// It was not read to its end, and never will be: it is not to be deleted or moved. To be called
  /// before the source's position passes it.
  Status keep(std::int64_t n, const std::string& why);
  /// As from(), without those that are put off or kept.
  Result<std::vector<BookedObject>> read_from(std::int64_t n, std::int64_t below, int most);
  /// Up to which number (excluded) objects were deleted or moved.
  std::int64_t cleaned() const { return cleaned_; }
  Status set_cleaned(std::int64_t n);

 private:
  explicit ObjectBook(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}
  Status set_up(const std::string& fingerprint, std::int64_t now_ms);
  Result<std::string> meta(const char* name);
  Status set_meta(const char* name, const std::string& value);

  const std::unique_ptr<sqlite::Database> database_;
  std::string listed_to_;
  std::int64_t last_ = 0, count_ = 0, since_ms_ = 0, cleaned_ = 0;
};

}  // namespace tailrace::connect
