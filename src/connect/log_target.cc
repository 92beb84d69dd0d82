// A topic as a target: which partition and which sequence a record gets depends on the noted state
// and the chunk alone, so the log drops what is emitted again.
//
//   FOLDER/NAME.json    what is noted: position, sequence of each partition, of the rejects
//   (written atomically)
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <deque>
#include <set>

#include "base/log.h"
#include "connect/log_producer.h"
#include "connect/reject_log.h"
#include "connect/runner.h"
#include "connect/target.h"
#include "schema/record_rows.h"
#include "telemetry/context.h"

namespace tailrace::connect {
namespace {

/// Blocks of so many records without a key go to one partition, so that batches are not too small.
constexpr std::int64_t kStickyRecords = 16;
/// Of a record: its id and its schema, and again behind the two of its trace.
constexpr std::size_t kMostHeaders = 6;

class LogTarget final : public Target {
 public:
  LogTarget(LogTargetConfig config, log::Log& log, rt::FileSystem& files, rt::Clock& clock)
      : config_(std::move(config)), log_(log), files_(files), clock_(clock) {}

  Status open();
  Result<NotedState> load(const std::string& fingerprint) override;
  std::int64_t written_since(const NotedState& state) const override;
  Result<std::optional<std::vector<std::string>>> ids_since(NotedState& state) override;
  Result<Written> write(Chunk& chunk, NotedState& state, std::stop_token stop) override;
  Status sync(NotedState& state) override;
  Status note(NotedState& state, bool clean) override;

 private:
  std::string state_path() const { return config_.folder + "/" + config_.name + ".json"; }
  std::int64_t producer() const { return producer_id(config_.name); }
  Status open_encoder(const NotedState& state);
  void take_sequences_from_log(NotedState& state) const;
  void take_lost_sequences_from_log(NotedState& state) const;
  void sort_records(Chunk& chunk, const NotedState& state);
  void encode_records(Chunk& chunk);
  std::span<const log::Header> own_headers(std::string_view id, bool named);
  void add_trace(const telemetry::SpanContext& trace, log::Record& record, std::int64_t most);
  std::int64_t end_of(std::size_t i) const { return partitions_[i]->next_offset().value; }
  static Reject refused(std::string_view reason, std::string detail, const Chunk& chunk,
                        std::size_t i);

  const LogTargetConfig config_;
  log::Log& log_;
  rt::FileSystem& files_;
  rt::Clock& clock_;
  std::vector<std::shared_ptr<log::Partition>> partitions_;
  std::set<std::size_t> unsynced_;  // of partitions_
  std::unique_ptr<RejectLog> rejects_;
  std::int64_t max_message_bytes_ = 0;
  bool rejected_ = false;  // since the last sync
  Written tries_;          // of this chunk, failed tries included

  std::vector<std::vector<log::Record>> sorted_;
  log::Header header_;                      // of every record, where schemas are named there
  std::unique_ptr<RecordEncoder> encoder_;  // null: records stay as they are
  std::string encoded_;                     // the chunk's, end to end
  std::vector<std::size_t> encoded_ends_;
  std::vector<bool> misfits_;
  std::size_t left_out_told_ = 0;
  // Of the chunk; records point into them.
  std::vector<log::Header> headers_;
  struct Trace {
    telemetry::SpanContext trace;
    std::string parent;
  };
  std::deque<Trace> traces_;
};

Status LogTarget::open() {
  const auto topic = log_.topic(config_.topic);
  if (!topic) return error(Code::kNotFound, fmt::format("topic {} is not there", config_.topic));
  for (std::int32_t i = 0; i < topic->settings.partitions; ++i) {
    ASSIGN(auto partition, log_.partition(config_.topic, PartitionId(i)));
    partitions_.push_back(std::move(partition));
  }
  max_message_bytes_ = topic->settings.max_message_bytes;
  ASSIGN(rejects_, RejectLog::open(log_, config_.name));
  return {};
}

Result<NotedState> LogTarget::load(const std::string& fingerprint) {
  TRY(files_.make_folder(config_.folder));
  NotedState state;
  ASSIGN(const bool exists, files_.exists(state_path()));
  if (exists) {
    ASSIGN(const std::string text, rt::read_whole(files_, state_path(), 64 << 20));
    auto noted = decode_state(text);
    if (!noted) return std::unexpected(noted.error().in(state_path()));
    state = std::move(*noted);
  }
  if (!exists || state.fingerprint != fingerprint) {
    if (exists)
      LOG_OF(info, log_of("source", config_.name, "topic", config_.topic),
             "ingest {}: its settings changed; it begins again", config_.name);
    const std::int64_t records = state.records;
    state = {};
    state.fingerprint = fingerprint;
    state.records = records;
    state.clean = true;
    state.sequences.resize(partitions_.size());
    take_sequences_from_log(state);
  }
  // What was emitted and not noted must be emitted to the same partitions under the same limit.
  if (state.sequences.empty() || state.sequences.size() > partitions_.size())
    return error(Code::kDataLoss,
                 fmt::format("{} speaks of {} partitions, topic {} has {}", state_path(),
                             state.sequences.size(), config_.topic, partitions_.size()));
  take_lost_sequences_from_log(state);
  // A state of an older program: it spooled what had ids.
  for (std::size_t i = state.ends.size(); i < partitions_.size(); ++i)
    state.ends.push_back(end_of(i));
  if (state.reject_end < 0) state.reject_end = rejects_->end();
  if (state.clean) {
    for (std::size_t i = state.sequences.size(); i < partitions_.size(); ++i)
      state.sequences.push_back(sequence_after(*partitions_[i], producer()));
    state.max_message_bytes = max_message_bytes_;
    state.schema_id = config_.encoders.present;
  }
  TRY(open_encoder(state));
  return state;
}

// What was emitted and not noted must be emitted by the same schema: which records fit it decides
// which sequences they get.
Status LogTarget::open_encoder(const NotedState& state) {
  if (state.schema_id == 0) return {};
  ASSIGN(const auto schema, config_.encoders.schema(state.schema_id));
  ASSIGN(encoder_, make_encoder(schema));
  if (state.schema_id != config_.encoders.present)
    LOG_OF(info, log_of("source", config_.name, "topic", config_.topic),
           "ingest {}: it goes on with {} until it has been stopped and started again",
           config_.name, encoder_->describe());
  return {};
}

void LogTarget::take_sequences_from_log(NotedState& state) const {
  for (std::size_t i = 0; i < state.sequences.size(); ++i)
    state.sequences[i] = sequence_after(*partitions_[i], producer());
  state.reject_sequence = rejects_->next_sequence();
}

// Records that were noted as durable may be gone all the same, when the log lost a damaged tail and
// said so. What follows must not be taken for a gap.
void LogTarget::take_lost_sequences_from_log(NotedState& state) const {
  for (std::size_t i = 0; i < state.sequences.size(); ++i)
    catch_up(*partitions_[i], producer(), state.sequences[i]);
  rejects_->catch_up(state.reject_sequence);
}

std::int64_t LogTarget::written_since(const NotedState& state) const {
  std::int64_t records = 0;
  for (std::size_t i = 0; i < state.sequences.size(); ++i) {
    const std::int64_t held = sequence_after(*partitions_[i], producer());
    records += std::max<std::int64_t>(log::sequence_ahead(held, state.sequences[i]), 0);
  }
  return records;
}

Result<std::optional<std::vector<std::string>>> LogTarget::ids_since(NotedState& state) {
  if (!config_.ids_in_records) return std::nullopt;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < state.sequences.size(); ++i) {
    const std::int64_t end = end_of(i);
    TRY(connect::ids_since(*partitions_[i], producer(), state.ends[i], state.sequences[i], ids));
    state.ends[i] = end;
  }
  const std::int64_t end = rejects_->end();
  TRY(rejects_->ids_since(state.reject_end, state.reject_sequence, ids));
  state.reject_end = end;
  return ids;
}

Result<Target::Written> LogTarget::write(Chunk& chunk, NotedState& state, std::stop_token) {
  if (chunk.restart_sequences) {
    take_sequences_from_log(state);
    chunk.restart_sequences = false;
  }
  sort_records(chunk, state);
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    if (sorted_[i].empty()) continue;
    const log::Producer from{producer(), 0, state.sequences[i]};
    unsynced_.insert(i);
    ASSIGN(const auto result, partitions_[i]->append(sorted_[i], from, log::Durability::kNoSync));
    tries_.appended += result.appended;
    tries_.duplicates += result.duplicates;
  }
  Written written = tries_;
  std::vector<std::string> rejects;
  std::vector<std::string> ids;
  for (const Reject& reject : chunk.rejects) {
    ids.push_back(reject.id);
    rejects.push_back(encode_reject(config_.name, config_.topic, reject, clock_.now()));
    if (reject.by_target) ++written.misfits;
  }
  rejected_ |= !rejects.empty();
  TRY(rejects_->append(rejects, state.reject_sequence, ids));
  tries_ = {};
  state.reject_end = rejects_->end();
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    state.ends[i] = end_of(i);
    state.sequences[i] += static_cast<std::int64_t>(sorted_[i].size());
    for (const log::Record& record : sorted_[i])
      written.appended_bytes += static_cast<std::int64_t>(record.value.value_or("").size());
  }
  state.reject_sequence += static_cast<std::int64_t>(rejects.size());
  state.records += static_cast<std::int64_t>(chunk.size());
  state.position = chunk.position;
  return written;
}

void LogTarget::encode_records(Chunk& chunk) {
  encoded_.clear();
  encoded_ends_.clear();
  misfits_.assign(chunk.size(), false);
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if (!chunk.entry(i).has_value) {
      encoded_ends_.push_back(encoded_.size());
      continue;
    }
    if (auto encoded = encoder_->encode(chunk.value(i), encoded_); !encoded) {
      misfits_[i] = true;
      chunk.rejects.push_back(
          refused(kMisfit,
                  fmt::format("it does not fit {}: {}", encoder_->describe(), encoded.error().what),
                  chunk, i));
    }
    encoded_ends_.push_back(encoded_.size());
  }
  const auto& left_out = encoder_->left_out();
  if (left_out.size() == left_out_told_) return;
  left_out_told_ = left_out.size();
  LOG_OF(warn, log_of("source", config_.name, "topic", config_.topic),
         "ingest {}: {} is not in {}, and is left out of its records", config_.name,
         fmt::join(left_out, ", "), encoder_->describe());
}

Reject LogTarget::refused(std::string_view reason, std::string detail, const Chunk& chunk,
                          std::size_t i) {
  return {.reason = std::string(reason),
          .detail = std::move(detail),
          .origin = chunk.origin(i),
          .bytes = std::string(chunk.value(i)),
          .by_target = true,
          .id = std::string(chunk.id(i))};
}

// Those that a record is not written without.
std::span<const log::Header> LogTarget::own_headers(std::string_view id, bool named) {
  const std::size_t begin = headers_.size();
  if (!id.empty()) headers_.push_back({kIdHeader, id});
  if (named) headers_.push_back(header_);
  return std::span(headers_).subspan(begin);
}

// Which records fit is decided without the trace: what is emitted again may have another, or none.
void LogTarget::add_trace(const telemetry::SpanContext& trace, log::Record& record,
                          std::int64_t most) {
  if (traces_.empty() || !traces_.back().trace.same(trace))
    traces_.push_back({trace, telemetry::traceparent(trace)});
  const Trace& kept = traces_.back();
  const std::size_t begin = headers_.size();
  headers_.push_back({telemetry::kTraceParent, kept.parent});
  if (!kept.trace.state.empty()) headers_.push_back({telemetry::kTraceState, kept.trace.state});
  for (const log::Header header : record.headers) headers_.push_back(header);  // copied, not moved
  log::Record traced = record;
  traced.headers = std::span(headers_).subspan(begin);
  const auto bytes = log::kBatchHeaderBytes + log::RecordBatchBuilder::max_bytes(traced);
  if (static_cast<std::int64_t>(bytes) <= most) record = traced;
}

// Deals the chunk's records to partitions. One that is too large becomes a reject, and leaves an
// empty place: calling it again after a failed append must deal alike, so the decision is taken
// from the chunk alone.
void LogTarget::sort_records(Chunk& chunk, const NotedState& state) {
  sorted_.assign(state.sequences.size(), {});
  traces_.clear();
  headers_.clear();
  headers_.reserve(chunk.size() * kMostHeaders);
  const auto partitions = static_cast<std::int32_t>(sorted_.size());
  // Of a try before this one.
  std::erase_if(chunk.rejects, [](const Reject& reject) { return reject.by_target; });
  if (encoder_) encode_records(chunk);
  const bool in_header = encoder_ && config_.encoders.in_header;
  if (in_header) header_ = {schema::kValueSchemaHeader, encoder_->name_in_header()};
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if (encoder_ && misfits_[i]) continue;
    const auto key = chunk.key(i);
    std::size_t begin = i == 0 || !encoder_ ? 0 : encoded_ends_[i - 1];
    const bool named = in_header && chunk.entry(i).has_value;
    if (named) begin += encoder_->name_bytes();
    const std::string_view value =
        encoder_ ? std::string_view(encoded_).substr(begin, encoded_ends_[i] - begin)
                 : chunk.value(i);
    log::Record record{key, value, TimestampMs(chunk.entry(i).timestamp_ms),
                       own_headers(chunk.id(i), named)};
    if (!chunk.entry(i).has_value) record.value.reset();
    const auto most = log::kBatchHeaderBytes + log::RecordBatchBuilder::max_bytes(record);
    if (static_cast<std::int64_t>(most) > state.max_message_bytes) {
      chunk.rejects.push_back(refused(
          kOversized,
          fmt::format("{} bytes, max.message.bytes is {}", value.size(), state.max_message_bytes),
          chunk, i));
      continue;
    }
    if (const auto* trace = chunk.trace_of(i)) add_trace(*trace, record, state.max_message_bytes);
    const std::int64_t number = state.records + static_cast<std::int64_t>(i);
    const std::int32_t to = key ? partition_of_key(*key, partitions)
                                : static_cast<std::int32_t>(number / kStickyRecords % partitions);
    sorted_[to].push_back(record);
  }
}

Status LogTarget::sync(NotedState&) {
  std::vector<std::shared_ptr<log::Partition>> partitions;
  for (const std::size_t i : unsynced_) partitions.push_back(partitions_[i]);
  if (!partitions.empty()) {
    for (const Status& synced : log_.sync(partitions)) TRY(synced);
  }
  unsynced_.clear();
  if (rejected_) TRY(rejects_->sync());
  rejected_ = false;
  return {};
}

Status LogTarget::note(NotedState& state, bool clean) {
  TRY(sync(state));
  state.clean = clean;
  return rt::write_atomically(files_, state_path(), encode_state(state));
}

}  // namespace

Result<std::unique_ptr<Target>> log_target(LogTargetConfig config, log::Log& log,
                                           rt::FileSystem& files, rt::Clock& clock) {
  auto target = std::make_unique<LogTarget>(std::move(config), log, files, clock);
  TRY(target->open());
  return target;
}

}  // namespace tailrace::connect
