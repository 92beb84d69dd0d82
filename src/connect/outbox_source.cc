#include "connect/outbox_source.h"

#include <fmt/format.h>

#include <charconv>

#include "base/log.h"
#include "connect/json_path.h"
#include "telemetry/context_text.h"

namespace tailrace::connect {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kChunkChanges = 4096;
constexpr std::size_t kChunkBytes = 8 << 20;
/// How long it looks for changes before it says that there are none.
constexpr auto kLook = 100ms;
constexpr std::string_view kHead = "{\"seq\":";

Result<std::int64_t> parse_position(std::string_view position) {
  if (position.empty()) return 0;
  std::int64_t number = 0;
  const auto wrong = error(Code::kDataLoss, "no position of an outbox");
  if (!position.starts_with(kHead)) return wrong;
  const auto [end, failed] =
      std::from_chars(position.data() + kHead.size(), position.data() + position.size(), number);
  if (failed != std::errc() || number < 0) return wrong;
  return number;
}

class OutboxSource final : public Source {
 public:
  OutboxSource(OutboxConfig config, std::shared_ptr<staging::Changes> changes)
      : config_(std::move(config)), changes_(std::move(changes)) {
    source_head_ = "\"source\":{\"version\":";
    append_json_string(source_head_, config_.version);
    source_head_ += ",\"connector\":\"sqlite\",\"name\":";
    append_json_string(source_head_, config_.name);
    source_head_ += ",\"snapshot\":\"false\",\"db\":\"staging\",\"table\":";
    append_json_string(source_head_, config_.table);
  }

  Status next(std::string_view position, Chunk& chunk, std::stop_token stop) override;
  bool replayable() const override { return true; }
  std::string fingerprint() const override {
    return fmt::format("outbox {} {}", config_.table, changes_->identity());
  }
  std::string describe() const override {
    return fmt::format("changes of {} in {}", config_.table, config_.where);
  }
  void noted(std::string_view position) override;

 private:
  void add(const staging::Change& change, Chunk& chunk) const;
  void append_envelope(std::string& out, const staging::Change& change) const;
  void append_with_metadata(std::string& out, std::string_view row,
                            const staging::Change& change) const;

  const OutboxConfig config_;
  const std::shared_ptr<staging::Changes> changes_;
  std::string source_head_;
};

Status OutboxSource::next(std::string_view position, Chunk& chunk, std::stop_token stop) {
  ASSIGN(std::int64_t last, parse_position(position));
  chunk.place = "staging:" + config_.table;
  chunk.separator = '#';
  const auto visit = [&](const staging::Change& change) {
    add(change, chunk);
    last = change.number;
  };
  TRY(changes_->read(last, kChunkChanges, kChunkBytes, visit));
  if (chunk.empty()) {
    changes_->wait(kLook, stop);
    TRY(changes_->read(last, kChunkChanges, kChunkBytes, visit));
  }
  chunk.position = chunk.empty() ? std::string(position) : fmt::format("{}{}}}", kHead, last);
  if (!chunk.empty()) return {};
  chunk.idle = true;
  chunk.wait = 1ms;
  chunk.why = "no change waits in the outbox";
  return {};
}

void OutboxSource::add(const staging::Change& change, Chunk& chunk) const {
  std::string& out = chunk.buffer();
  Chunk::Entry entry;
  entry.number = change.number;
  entry.timestamp_ms = change.time_ms;
  entry.has_key = true;
  entry.key_at = out.size();
  entry.key_bytes = change.key.size();
  out += change.key;
  entry.value_at = out.size();
  const auto& row = change.after ? change.after : change.before;
  if (config_.debezium)
    append_envelope(out, change);
  else if (config_.metadata && row)
    append_with_metadata(out, *row, change);
  else if (change.after)
    out += *change.after;
  else
    entry.has_value = false;
  entry.value_bytes = out.size() - entry.value_at;
  if (const auto trace = telemetry::parse_context_text(change.trace)) {
    const auto& traces = chunk.traces();
    const bool same = !traces.empty() && traces.back().same(*trace);
    entry.trace = same ? static_cast<std::uint32_t>(traces.size()) : chunk.add_trace(*trace);
  }
  chunk.add_entry(entry);
}

void OutboxSource::append_envelope(std::string& out, const staging::Change& change) const {
  out += "{\"before\":";
  out += change.before.value_or("null");
  out += ",\"after\":";
  out += change.after.value_or("null");
  out += ',';
  out += source_head_;
  out += fmt::format(",\"ts_ms\":{0},\"seq\":{1}}},\"op\":\"{2}\",\"ts_ms\":{0}}}", change.time_ms,
                     change.number, change.op);
}

void OutboxSource::append_with_metadata(std::string& out, std::string_view row,
                                        const staging::Change& change) const {
  out += row.substr(0, row.size() - 1);
  if (row.size() > 2) out += ',';
  out +=
      fmt::format("\"__deleted\":\"{}\",\"__op\":\"{}\",\"__table\":", change.op == 'd', change.op);
  append_json_string(out, config_.table);
  out += fmt::format(",\"__schema\":\"main\",\"__lsn\":{},\"__txId\":null,\"__source_ts_ms\":{}}}",
                     change.number, change.time_ms);
}

void OutboxSource::noted(std::string_view position) {
  const auto number = parse_position(position);
  if (!number) return;
  // What stays is forgotten with the next one.
  if (auto forgotten = changes_->forget(*number); !forgotten)
    LOG_OF(warn, log_of("table", config_.table), "the outbox of {} could not be pruned: {}",
           config_.table, forgotten.error().what);
}

}  // namespace

std::unique_ptr<Source> outbox_source(OutboxConfig config,
                                      std::shared_ptr<staging::Changes> changes) {
  return std::make_unique<OutboxSource>(std::move(config), std::move(changes));
}

}  // namespace tailrace::connect
