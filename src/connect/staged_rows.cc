#include "connect/staged_rows.h"

#include <algorithm>
#include <optional>

#include "connect/postgres_position.h"
#include "connect/postgres_records.h"
#include "staging/json_text.h"
#include "staging/table_spec.h"

namespace tailrace::connect {
namespace {

bool is_hidden(std::string_view name) {
  return name.starts_with(staging::kHidden);
}

std::size_t members_of(std::string_view object) {
  std::size_t count = 0;
  staging::walk_members(object, [&](std::string_view, std::string_view) { ++count; });
  return count;
}

/// The object without hidden members but the last `metadata` ones; anything else as it is.
void append_shown(std::string& out, std::string_view object, std::size_t metadata = 0) {
  if (!object.starts_with('{')) {
    out += object;
    return;
  }
  char lead = '{';
  std::size_t left = metadata > 0 ? members_of(object) : 0;
  staging::walk_members(object, [&](std::string_view name, std::string_view raw) {
    const bool behind = metadata > 0 && left-- <= metadata;
    if (is_hidden(name) && !behind) return;
    out += lead;
    lead = ',';
    staging::append_quoted(out, name);
    out += ':';
    staging::append_compact(out, raw);
  });
  if (lead == '{') out += lead;
  out += '}';
}

std::optional<std::string_view> member(std::string_view object, std::string_view wanted) {
  std::optional<std::string_view> found;
  staging::walk_members(object, [&](std::string_view name, std::string_view raw) {
    if (name == wanted) found = raw;
  });
  return found;
}

/// {"id":"x"} is x; of several columns it stays an object.
void append_key(std::string& out, std::string_view key) {
  int members = 0;
  std::string_view only;
  staging::walk_members(key, [&](std::string_view, std::string_view raw) {
    ++members;
    only = raw;
  });
  if (members != 1)
    staging::append_compact(out, key);
  else if (only.starts_with('"'))
    staging::append_unescaped(out, only);
  else
    out += only;
}

class StagedRows final : public Source {
 public:
  StagedRows(StagedRowsConfig config, std::unique_ptr<Source> capture)
      : config_(std::move(config)), capture_(std::move(capture)) {}

  Status next(std::string_view position, Chunk& chunk, std::stop_token stop) override;
  bool replayable() const override { return capture_->replayable(); }
  void noted(std::string_view position) override {
    capture_->noted(position);
    if (config_.progress) config_.progress->came_to(position, true);
  }
  std::string fingerprint() const override { return capture_->fingerprint(); }
  std::string describe() const override {
    return "changes of " + config_.table + " in " + capture_->describe();
  }

 private:
  void add(std::size_t i, Chunk& chunk) const;

  const StagedRowsConfig config_;
  const std::unique_ptr<Source> capture_;
  Chunk captured_;
};

Status StagedRows::next(std::string_view position, Chunk& chunk, std::stop_token stop) {
  captured_.clear();
  if (config_.progress) config_.progress->came_to(position, false);
  TRY(capture_->next(position, captured_, stop));
  for (const telemetry::SpanContext& trace : captured_.traces()) chunk.add_trace(trace);
  for (std::size_t i = 0; i < captured_.size(); ++i) add(i, chunk);
  chunk.place = std::move(captured_.place);
  chunk.separator = captured_.separator;
  chunk.position = std::move(captured_.position);
  chunk.rejects = std::move(captured_.rejects);
  chunk.wait = captured_.wait;
  chunk.error = std::move(captured_.error);
  chunk.note_first = captured_.note_first;
  chunk.restart_sequences = captured_.restart_sequences;
  chunk.once = captured_.once;
  chunk.idle = captured_.idle;
  chunk.finished = captured_.finished;
  chunk.why = std::move(captured_.why);
  chunk.behind = captured_.behind;
  return {};
}

void StagedRows::add(std::size_t i, Chunk& chunk) const {
  const Chunk::Entry& from = captured_.entry(i);
  const std::string_view value = captured_.value(i);
  std::string& out = chunk.buffer();
  Chunk::Entry entry{.number = from.number, .timestamp_ms = from.timestamp_ms};
  entry.key_at = out.size();
  if (const auto key = captured_.key(i)) {
    append_key(out, *key);
    entry.has_key = true;
  }
  entry.key_bytes = out.size() - entry.key_at;
  entry.value_at = out.size();
  const bool row_alone = !config_.debezium && !config_.metadata;
  if (!from.has_value || (row_alone && member(value, "__deleted") == "\"true\"")) {
    entry.has_value = false;
  } else if (config_.debezium) {
    char lead = '{';
    staging::walk_members(value, [&](std::string_view name, std::string_view raw) {
      out += lead;
      lead = ',';
      staging::append_quoted(out, name);
      out += ':';
      if (name == "before" || name == "after")
        append_shown(out, raw);
      else
        out += raw;
    });
    out += '}';
  } else {
    append_shown(out, value, config_.metadata ? kFlatMetadata : 0);
  }
  entry.value_bytes = out.size() - entry.value_at;
  entry.trace = from.trace;
  chunk.add_entry(entry);
}

}  // namespace

void StagedProgress::came_to(std::string_view position, bool durable) {
  std::lock_guard lock(mutex_);
  position_ = position;
  if (!durable || followed_) return;
  const auto parsed = parse_postgres_position(position);
  followed_ = parsed && !parsed->tables.empty() &&
              std::ranges::all_of(parsed->tables, [](const auto& one) { return one.second.done; });
  if (followed_) changed_.notify_all();
}

bool StagedProgress::followed() const {
  std::lock_guard lock(mutex_);
  return followed_;
}

bool StagedProgress::wait_until_followed(std::chrono::milliseconds most,
                                         std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::move(stop), most, [this] { return followed_; });
}

Result<bool> StagedProgress::passed(std::string_view place) const {
  const auto wanted = postgres::parse_lsn(place);
  if (!wanted)
    return error(Code::kInternal, "PostgreSQL: no place in a log: " + std::string(place));
  std::lock_guard lock(mutex_);
  ASSIGN(const PostgresPosition position, parse_postgres_position(position_));
  return !position.empty() && position.lsn >= *wanted;
}

std::unique_ptr<Source> staged_rows(StagedRowsConfig config, std::unique_ptr<Source> capture) {
  return std::make_unique<StagedRows>(std::move(config), std::move(capture));
}

}  // namespace tailrace::connect
