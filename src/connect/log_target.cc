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

class LogTarget final : public Target {
 public:
  LogTarget(LogTargetConfig config, log::Log& log, rt::FileSystem& files, rt::Clock& clock)
      : config_(std::move(config)), log_(log), files_(files), clock_(clock) {}

  Status open();
  Result<NotedState> load(const std::string& fingerprint) override;
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
  void add_trace(const telemetry::SpanContext& trace, log::Record& record, std::int64_t most);

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
  struct TraceHeaders {
    telemetry::SpanContext trace;
    std::string parent;
    std::vector<log::Header> headers;  // the schema's last
  };
  std::deque<TraceHeaders> traces_;  // of the chunk; records point into it
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
  for (const Reject& reject : chunk.rejects) {
    rejects.push_back(encode_reject(config_.name, config_.topic, reject, clock_.now()));
    if (reject.by_target) ++written.misfits;
  }
  rejected_ |= !rejects.empty();
  TRY(rejects_->append(rejects, state.reject_sequence));
  tries_ = {};
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
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
          {std::string(kMisfit),
           fmt::format("it does not fit {}: {}", encoder_->describe(), encoded.error().what),
           chunk.origin(i), std::string(chunk.value(i)), true});
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

// Which records fit is decided without headers: what is emitted again may have others, or none.
void LogTarget::add_trace(const telemetry::SpanContext& trace, log::Record& record,
                          std::int64_t most) {
  if (traces_.empty() || !traces_.back().trace.same(trace)) {
    TraceHeaders& added = traces_.emplace_back();
    added.trace = trace;
    added.parent = telemetry::traceparent(trace);
    added.headers.push_back({telemetry::kTraceParent, added.parent});
    if (!trace.state.empty()) added.headers.push_back({telemetry::kTraceState, added.trace.state});
    added.headers.push_back(header_);
  }
  const std::vector<log::Header>& headers = traces_.back().headers;
  log::Record traced = record;
  traced.headers = std::span(headers).first(headers.size() - (record.headers.empty() ? 1 : 0));
  const auto bytes = log::kBatchHeaderBytes + log::RecordBatchBuilder::max_bytes(traced);
  if (static_cast<std::int64_t>(bytes) <= most) record = traced;
}

// Deals the chunk's records to partitions. One that is too large becomes a reject, and leaves an
// empty place: calling it again after a failed append must deal alike, so the decision is taken
// from the chunk alone.
void LogTarget::sort_records(Chunk& chunk, const NotedState& state) {
  sorted_.assign(state.sequences.size(), {});
  traces_.clear();
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
                       std::span(&header_, named ? 1 : 0)};
    if (!chunk.entry(i).has_value) record.value.reset();
    const auto most = log::kBatchHeaderBytes + log::RecordBatchBuilder::max_bytes(record);
    if (static_cast<std::int64_t>(most) > state.max_message_bytes) {
      chunk.rejects.push_back(
          {std::string(kOversized),
           fmt::format("{} bytes, max.message.bytes is {}", value.size(), state.max_message_bytes),
           chunk.origin(i), std::string(chunk.value(i)), true});
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
