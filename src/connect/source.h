// A source of records: where they come from, one emission after another, from a position.
//
// A position is JSON text that the source alone understands; "" is the beginning. Two kinds of
// source:
//   replayable   next() from the same position gives the same records again (fake, files), so what
//   was appended but not
//                yet noted is simply emitted again and dropped by the log, which knows its
//                sequences
//   one-shot     what next() fetched cannot be fetched again (http): the runner spools it before it
//   appends it. A replayable source may emit such chunks, too (Chunk::once)
//
// Order of calls: next(position, chunk, stop), append what the chunk holds, next(chunk.position,
// …). A chunk without records is a step too: a source that must choose (the next file) first emits
// its choice as a position, and the runner notes it durably when `note_first` says so. Threads: one
// thread calls a source.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "telemetry/context.h"

namespace tailrace::connect {

/// The header of a record with the id that its delivery was sent by.
inline constexpr std::string_view kIdHeader = "delivery-id";

/// What could not become a record: kept with reason and bytes in the topic of rejects.
struct Reject {
  std::string reason;  ///< "bad JSON", "oversized", …
  std::string detail;  ///< the whole sentence
  std::string origin;  ///< file:line, URL#index, source#number
  std::string bytes;
  bool by_target = false;  ///< it was the target that refused it
  std::string id = {};     ///< of the delivery that it came with, where that has one
};

/// Records of one emission, laid end to end in one buffer that is reused from chunk to chunk.
class Chunk {
 public:
  struct Entry {
    std::size_t key_at = 0;
    std::size_t key_bytes = 0;
    std::size_t value_at = 0;
    std::size_t value_bytes = 0;
    std::int64_t number = 0;         ///< line, row or record number: the end of the origin
    std::int64_t timestamp_ms = -1;  ///< -1: the time of the append
    bool has_key = false;
    bool has_value = true;    ///< false: a tombstone, the key was deleted
    std::uint32_t place = 0;  ///< 0: the chunk's; else what add_place() gave
    std::uint32_t trace = 0;  ///< 0: none of its own; else what add_trace() gave
    /// Kept with the record (kIdHeader); none in a chunk that is spooled.
    std::size_t id_at = 0;
    std::size_t id_bytes = 0;
  };

  /// Where the records come from: a file, a URL, "fake:NAME". origin(i) is place:number.
  std::string place;
  char separator = ':';
  std::string position;  ///< after this chunk
  std::vector<Reject> rejects;
  /// How long to wait before next() is called again.
  std::chrono::nanoseconds wait{0};
  /// A failure of this try, for people; the source goes on after `wait`.
  std::string error;
  /// The position must be durable before next() is called again.
  bool note_first = false;
  /// What it holds must be durable before next() is called again, and the source is told so by
  /// durable(); the position need not be.
  bool sync_first = false;
  /// What was emitted since the last noted position cannot be emitted again (a file is gone):
  /// sequences come from the log.
  bool restart_sequences = false;
  /// Of a replayable source: this chunk alone cannot be emitted again, so it is spooled.
  bool once = false;
  /// Nothing more is there for now (wait > 0) …
  bool idle = false;
  /// … or ever.
  bool finished = false;
  /// Why it waits, or how far it is, for people: "next poll in 10 s".
  std::string why;
  /// How far behind the end of what it follows it is, where that is known.
  struct Behind {
    std::int64_t bytes = 0;
    double seconds = 0;
  };
  std::optional<Behind> behind = {};
  /// When its first record came, where that was after the call of next(); nanoseconds since 1970.
  std::int64_t came_ns = 0;
  /// Of the span that writes it; not valid: none.
  telemetry::SpanContext trace;

  void clear();
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  std::size_t size_bytes() const { return bytes_.size(); }

  /// Adds a record; the views may not point into this chunk.
  void add(std::optional<std::string_view> key, std::string_view value, std::int64_t number);
  void add_tombstone(std::string_view key, std::int64_t number);
  /// To write in place: append key and value to buffer(), then say where they lie.
  std::string& buffer() { return bytes_; }
  void add_entry(const Entry& entry) { entries_.push_back(entry); }
  /// What is added from now on comes from there, not from `place`. Not in a chunk that is spooled.
  void add_place(std::string place) { places_.push_back(std::move(place)); }
  /// A trace that records came in (Entry::trace).
  std::uint32_t add_trace(const telemetry::SpanContext& trace);
  /// 0, or what add_trace() gave.
  void set_trace(std::size_t i, std::uint32_t trace) { entries_[i].trace = trace; }
  const std::vector<telemetry::SpanContext>& traces() const { return traces_; }
  /// The trace that the record belongs to, its own or the chunk's; null: none.
  const telemetry::SpanContext* trace_of(std::size_t i) const;

  std::optional<std::string_view> key(std::size_t i) const;
  std::string_view value(std::size_t i) const;  ///< "" of a tombstone
  std::string_view id(std::size_t i) const;     ///< "": it has none
  std::string origin(std::size_t i) const;
  const Entry& entry(std::size_t i) const { return entries_[i]; }

 private:
  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::string> places_;
  std::vector<telemetry::SpanContext> traces_;
};

class Source {
 public:
  virtual ~Source() = default;
  /// Fills `chunk` (cleared by the caller) with what follows `position`. An Error is a wrong
  /// position or a wrong set-up and ends the source; what may pass (a refused connection, a 500) is
  /// chunk.error with a wait.
  virtual Status next(std::string_view position, Chunk& chunk, std::stop_token stop) = 0;
  virtual bool replayable() const = 0;
  /// Changes when the same position would give other records (another seed, another path).
  virtual std::string fingerprint() const = 0;
  /// "fake, 50/s", "https://…, every 10s": for the hop view; without secrets.
  virtual std::string describe() const = 0;
  /// What came before `position` is durable in the topic and will not be asked for again. Called
  /// by the thread that calls next(), also with the position that a run begins at.
  virtual void noted(std::string_view /*position*/) {}
  /// The same of a chunk with `sync_first`, where its position may not be noted yet.
  virtual void durable(std::string_view /*position*/) {}
  /// Where the target keeps Entry::id with its record, so that both are there or neither: called
  /// once before the first next(), with the ids of what was written after the noted position.
  virtual Status written_since(std::span<const std::string> /*ids*/) { return {}; }
  /// Called before a position is noted: what the source remembers of ids that were durable before
  /// must not be lost afterwards.
  virtual Status keep() { return {}; }
  /// Called before the first next(): from any thread `wake` ends the wait that the last chunk asked
  /// for, because there may be more.
  virtual void wake_by(std::function<void()> /*wake*/) {}
};

class Inbox;

/// What a project says of a source: its type (source_types.h) and its options, nested
/// keys joined by dots.
struct SourceSpec {
  std::string name;
  std::string type;
  std::map<std::string, std::string> options;
  std::string folder;                     ///< relative paths start here
  std::vector<std::string> secrets = {};  ///< what came from the environment or a file
  /// A folder that lasts as long as what is noted: for what does not fit into a position or into
  /// memory. Empty: what a source remembers beside its position ends with the process.
  std::string scratch = {};
  /// Of a source that a door feeds (webhook): the door's side has it, too. Null: one that stays
  /// empty.
  std::shared_ptr<Inbox> inbox = {};
};

/// kInvalidArgument names the source, the option and the nearest known one.
Result<std::unique_ptr<Source>> make_source(const SourceSpec& spec);

}  // namespace tailrace::connect
