// Dead letters: every record that did not make it, with reason, origin and bytes, in the project's
// store.
//
//   key    "d" + 8-byte big-endian id          value    JSON (below), bytes in base64
//
// Ids grow; the next one is part of the checkpoint, so a crash neither loses nor doubles a letter:
// the store falls back to the checkpoint and the replay writes the same ids again. The pipeline
// thread writes, any thread reads.
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
  std::string reason;  ///< "decode", "oversized", "expectation NAME", "late", "error"
  std::string detail;  ///< the whole sentence
  std::string topic;   ///< where it came from; empty when it never reached a topic
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  std::string origin;  ///< topic-partition@offset, or file:line, or a URL
  std::string bytes;   ///< the record as it came; the row as JSON when the record is not known
  std::int64_t time_ms = 0;
  bool redriven = false;
};

class DeadLetters {
 public:
  explicit DeadLetters(kv::Store& store) : store_(store) {}

  /// After open or recovery: the next id, and the counts by flow and reason.
  Status load();

  void add(DeadLetter letter, kv::WriteBatch& batch);
  void mark_redriven(DeadLetter letter, kv::WriteBatch& batch);
  /// Forgets the letters of a flow that starts again from nothing.
  Status erase_flow(const std::string& flow, kv::WriteBatch& batch);

  /// Letters with id > after, in order of id, until `visit` returns false.
  Status scan(std::uint64_t after, const std::function<bool(const DeadLetter&)>& visit) const;
  Result<std::optional<DeadLetter>> get(std::uint64_t id) const;

  /// flow → reason → how many that were not redriven.
  std::map<std::string, std::map<std::string, std::int64_t>> counts() const;

 private:
  void count(const DeadLetter& letter, std::int64_t by);

  kv::Store& store_;
  mutable std::mutex mutex_;
  std::uint64_t next_id_ = 1;
  std::map<std::string, std::map<std::string, std::int64_t>> counts_;
};

}  // namespace tailrace::pipeline
