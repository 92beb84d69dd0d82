// Dead letters: every record that did not make it, with reason, origin and bytes, in the project's
// store.
//
//   key    "d" + 8-byte big-endian id          value    JSON (below), bytes in base64
//
// Ids grow; the next one is part of the checkpoint, with all counts, so a crash neither loses nor
// doubles a letter: the store falls back to the checkpoint and the replay writes the same ids
// again. Only the oldest are ever removed, by age and by bytes, and counted. The pipeline thread
// writes, any thread reads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/store.h"

namespace tailrace::pipeline {

struct DeadLetter {
  std::uint64_t id = 0;
  std::string
      flow;  ///< table whose flow rejected it; the topic's name for decode, the source's for ingest
  std::string reason;  ///< "decode", "oversized", "expectation NAME", "late", "null key", "error"
  std::string detail;  ///< the whole sentence
  std::string topic;   ///< where it came from; empty when it never reached a topic
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  std::string origin;  ///< topic-partition@offset, or file:line, or a URL
  std::string bytes;   ///< the record as it came; the row as JSON when the record is not known
  std::int64_t time_ms = 0;
  bool redriven = false;
};

/// "the record t-0@1 broke expectation small (n < 100)", of a letter that stops a flow.
std::string broken_by(const DeadLetter& letter);

/// By flow and reason.
using LetterCounts = std::map<std::string, std::map<std::string, std::int64_t>>;

/// What is known of all letters without reading one; part of the checkpoint.
struct LetterTotals {
  std::uint64_t next_id = 1;
  std::uint64_t oldest_id = 1;              ///< no letter has a smaller id
  std::int64_t bytes = 0;                   ///< of the records kept
  LetterCounts waiting;                     ///< neither redriven nor trimmed
  LetterCounts trimmed;                     ///< removed unread, by age or bytes
  std::map<std::string, std::string> last;  ///< by flow, the newest: origin and detail
};

class DeadLetters {
 public:
  explicit DeadLetters(kv::Store& store) : store_(store) {}

  /// After open or recovery: the totals of the checkpoint; nullopt counts them from the letters.
  Status load(std::optional<LetterTotals> totals);

  void add(DeadLetter letter, kv::WriteBatch& batch);
  /// Those that are still there and were not redriven before.
  Status mark_redriven(const std::vector<DeadLetter>& letters, kv::WriteBatch& batch);
  /// Removes the oldest while they are older than `keep_ms` or all together are above `max_bytes`;
  /// at most some thousands a call. Gives how many.
  Result<std::int64_t> trim(std::int64_t now_ms, std::int64_t keep_ms, std::int64_t max_bytes,
                            kv::WriteBatch& batch);
  /// Forgets the letters of a flow that starts again from nothing.
  Status erase_flow(const std::string& flow, kv::WriteBatch& batch);

  /// Letters with id > after, in order of id, until `visit` returns false.
  Status scan(std::uint64_t after, const std::function<bool(const DeadLetter&)>& visit) const;
  Result<std::optional<DeadLetter>> get(std::uint64_t id) const;
  /// Whether there is one of the same flow and record.
  Result<bool> has(const DeadLetter& letter) const;

  /// As of the last written(): never ahead of what scan() finds.
  LetterTotals totals() const;
  /// With what is in a batch that is not in the store yet; for the pipeline thread.
  LetterTotals pending_totals() const;
  /// Every batch given out so far is in the store.
  void written();

 private:
  kv::Store& store_;
  mutable std::mutex mutex_;
  LetterTotals totals_;
  LetterTotals written_;
  bool changed_ = false;        ///< since written()
  std::int64_t oldest_ms_ = 0;  ///< no letter is older; 0: not known
};

}  // namespace tailrace::pipeline
