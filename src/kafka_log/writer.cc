#include "kafka_log/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "rt/clock.h"
#include "rt/random.h"

namespace tailrace::kafka_log {
namespace {

constexpr std::size_t kMostGathered = 16 << 20;
constexpr std::chrono::milliseconds kGather{5};
constexpr std::chrono::milliseconds kRetry{500};
constexpr std::chrono::seconds kClaimTakes{2};
constexpr int kTries = 4;
constexpr int kCommitMs = 5'000;
constexpr int kInitMs = 15'000;
constexpr std::int64_t kLargestBatch = 1'000'000;
/// Rooms for what a batch adds to the records of max.message.bytes.
constexpr std::int64_t kBatchRoom = 512;

std::string own_name() {
  return fmt::format("{:016x}", rt::system_seed());
}

std::size_t bytes_of(const log::Record& record) {
  std::size_t bytes = record.key.value_or("").size() + record.value.value_or("").size();
  for (const log::Header& header : record.headers)
    bytes += header.key.size() + header.value.value_or("").size();
  return bytes;
}

}  // namespace

Writer::Writer(const KafkaLogConfig& config, Topics& topics, Looker& looker, Health& health,
               Committed committed)
    : config_(config),
      topics_(topics),
      looker_(looker),
      health_(health),
      committed_(std::move(committed)),
      positions_topic_(topics.real_name(kPositionsTopic)),
      name_(own_name()) {}

Writer::~Writer() {
  thread_ = {};
}

Status Writer::open() {
  log::TopicSettings settings;
  settings.segment_bytes = 1 << 20;
  settings.extra = {{"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0.1"}};
  if (auto made = topics_.create(kPositionsTopic, settings);
      !made && made.error().code != Code::kAlreadyExists)
    return made;
  {
    const std::lock_guard committing(commit_mutex_);
    TRY(take_over_and_claim());
    ASSIGN(auto positions, read_positions(looker_, positions_topic_));
    const std::lock_guard lock(mutex_);
    next_ = std::move(positions.next);
  }
  opened_ = true;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

std::optional<std::int32_t> Writer::last_sequence(const Lane& lane) const {
  const std::lock_guard lock(mutex_);
  const auto found = next_.find(lane);
  if (found == next_.end()) return std::nullopt;
  return (found->second - 1) & 0x7fffffff;
}

std::unique_ptr<Writer::Chunk> Writer::copy(const Lane& lane, std::int64_t first,
                                            std::span<const log::Record> records) {
  auto chunk = std::make_unique<Chunk>();
  chunk->lane = lane;
  chunk->first = log::wrap_sequence(first);
  std::size_t size = 0;
  for (const log::Record& record : records) size += bytes_of(record);
  chunk->bytes.reserve(size);
  const auto keep = [&](std::string_view text) {
    const std::size_t at = chunk->bytes.size();
    chunk->bytes += text;
    return std::string_view(chunk->bytes).substr(at);
  };
  const TimestampMs now = rt::system_clock().now();
  for (const log::Record& record : records) {
    std::vector<log::Header> headers;
    for (const log::Header& header : record.headers) {
      headers.push_back({keep(header.key), std::nullopt});
      if (header.value) headers.back().value = keep(*header.value);
    }
    log::Record kept{
        std::nullopt, std::nullopt, record.timestamp.value < 0 ? now : record.timestamp, {}};
    if (record.key) kept.key = keep(*record.key);
    if (record.value) kept.value = keep(*record.value);
    chunk->headers.push_back(std::move(headers));
    chunk->records.push_back(kept);
  }
  return chunk;
}

// Called with mutex_.
Result<std::int64_t> Writer::known_prefix(const Lane& lane, std::int64_t first,
                                          std::int64_t count) const {
  const auto found = next_.find(lane);
  if (lane.producer < 0 || found == next_.end()) return 0;
  const std::int64_t ahead = log::sequence_ahead(first, found->second);
  if (ahead > 0)
    return error(Code::kFailedPrecondition,
                 fmt::format("{}-{}: producer {} goes on with sequence {}, {} is expected",
                             lane.topic, lane.partition, lane.producer, first, found->second));
  return std::min(-ahead, count);
}

Result<log::AppendResult> Writer::append(const std::string& topic, PartitionId id,
                                         std::span<const log::Record> records,
                                         const log::Producer& producer, log::Durability durability,
                                         Offset next) {
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    full = gathering_bytes_ >= kMostGathered;
  }
  if (full) TRY(commit());
  const Lane lane{producer.id, topic, id.value};
  const auto count = static_cast<std::int64_t>(records.size());
  log::AppendResult result{next, 0, 0};
  {
    const std::lock_guard lock(mutex_);
    ASSIGN(result.duplicates, known_prefix(lane, producer.first_sequence, count));
    result.appended = count - result.duplicates;
    if (result.appended > 0) {
      const auto rest = records.subspan(static_cast<std::size_t>(result.duplicates));
      gathering_.push_back(copy(lane, producer.first_sequence + result.duplicates, rest));
      gathering_bytes_ += gathering_.back()->bytes.size();
      if (lane.producer >= 0) next_[lane] = log::wrap_sequence(producer.first_sequence + count);
      gathered_.notify_all();
    }
  }
  if (durability == log::Durability::kSync) TRY(commit());
  return result;
}

Status Writer::commit() {
  const std::lock_guard committing(commit_mutex_);
  return commit_chunks();
}

// Called with commit_mutex_, as are all below.
Status Writer::commit_chunks() {
  if (!opened_) return error(Code::kFailedPrecondition, "the log was opened to be read only");
  if (!sending_.empty()) TRY(transact());
  {
    const std::lock_guard lock(mutex_);
    sending_.swap(gathering_);
    gathering_bytes_ = 0;
  }
  return sending_.empty() ? Status() : transact();
}

Status Writer::transact() {
  if (shut_out_) return std::unexpected(*shut_out_);
  if (!client_) TRY(reopen());
  if (sending_.empty()) return {};
  if (!begun_) TRY(send());
  if (const Owned<rd_kafka_error_t> failure{
          rd_kafka_commit_transaction(client_->handle(), kCommitMs)})
    return std::unexpected(doubt(*failure, "a transaction is not committed yet"));
  begun_ = false;
  health_.answered();
  for (const auto& chunk : sending_)
    committed_(chunk->lane.topic, PartitionId(chunk->lane.partition), Offset(chunk->end + 1));
  sending_.clear();
  return {};
}

Status Writer::send() {
  undelivered_ = 0;
  if (const Owned<rd_kafka_error_t> failure{rd_kafka_begin_transaction(client_->handle())})
    return std::unexpected(doubt(*failure, "a transaction cannot begin"));
  begun_ = true;
  Status sent;
  for (const auto& chunk : sending_)
    if (sent) sent = send_chunk(*chunk);
  if (sent) sent = send_positions();
  if (!sent) {
    client_.reset();
    begun_ = false;
  }
  return sent;
}

Status Writer::send_chunk(Chunk& chunk) {
  const std::string topic = topics_.real_name(chunk.lane.topic);
  chunk.end = -1;
  for (std::size_t i = 0; i < chunk.records.size(); ++i) {
    log::Record record = chunk.records[i];
    record.headers = chunk.headers[i];
    TRY(send_message(topic, PartitionId(chunk.lane.partition), record, &chunk));
  }
  return {};
}

Status Writer::send_positions() {
  std::map<Lane, std::int32_t> next;
  for (const auto& chunk : sending_)
    if (chunk->lane.producer >= 0)
      next[chunk->lane] =
          log::wrap_sequence(chunk->first + static_cast<std::int64_t>(chunk->records.size()));
  for (const auto& [lane, sequence] : next) {
    const std::string key = lane_key(lane), value = std::to_string(sequence);
    const log::Record record{key, value, rt::system_clock().now(), {}};
    TRY(send_message(positions_topic_, PartitionId(0), record, nullptr));
  }
  return {};
}

// A chunk's bytes stay until its transaction is over, so they are not copied again.
Status Writer::send_message(const std::string& topic, PartitionId partition,
                            const log::Record& record, Chunk* chunk) {
  const auto pointer = [](const std::optional<std::string_view>& text) {
    return text ? const_cast<char*>(text->data()) : nullptr;
  };
  std::vector<rd_kafka_vu_t> parts;
  const auto part = [&parts](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    parts.emplace_back().vtype = type;
    return parts.back();
  };
  part(RD_KAFKA_VTYPE_TOPIC).u.cstr = topic.c_str();
  part(RD_KAFKA_VTYPE_PARTITION).u.i32 = partition.value;
  part(RD_KAFKA_VTYPE_MSGFLAGS).u.i = chunk ? 0 : RD_KAFKA_MSG_F_COPY;
  part(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = record.timestamp.value;
  part(RD_KAFKA_VTYPE_OPAQUE).u.ptr = chunk;
  if (record.key) part(RD_KAFKA_VTYPE_KEY).u.mem = {pointer(record.key), record.key->size()};
  if (record.value)
    part(RD_KAFKA_VTYPE_VALUE).u.mem = {pointer(record.value), record.value->size()};
  std::vector<std::string> names;
  names.reserve(record.headers.size());
  for (const log::Header& header : record.headers) {
    rd_kafka_vu_t& one = part(RD_KAFKA_VTYPE_HEADER);
    one.u.header.name = names.emplace_back(header.key).c_str();
    one.u.header.val = pointer(header.value);
    one.u.header.size = header.value ? static_cast<ssize_t>(header.value->size()) : 0;
  }
  const Owned<rd_kafka_error_t> failure{
      rd_kafka_produceva(client_->handle(), parts.data(), parts.size())};
  if (!failure) return {};
  return error(
      code_of(rd_kafka_error_code(failure.get())),
      fmt::format("{}-{}: {}", topic, partition.value, rd_kafka_error_string(failure.get())));
}

void Writer::on_delivered(const rd_kafka_message_t& message) {
  int none = 0;
  if (message.err) {
    if (message.err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
        message.err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
      undelivered_.compare_exchange_strong(none, message.err);
    return;
  }
  auto* chunk = static_cast<Chunk*>(message._private);
  if (!chunk) return;
  std::int64_t seen = chunk->end;
  while (seen < message.offset && !chunk->end.compare_exchange_weak(seen, message.offset)) {
  }
}

// What a failed call of the transaction means. Where it can simply be called again it will be; else
// the client is given up.
Error Writer::doubt(rd_kafka_error_t& failure, std::string_view doing) {
  const auto undelivered = static_cast<rd_kafka_resp_err_t>(undelivered_.load());
  const std::string why =
      undelivered ? rd_kafka_err2str(undelivered) : rd_kafka_error_string(&failure);
  const Error error = health_.unavailable(fmt::format("{}: {}", doing, why));
  if (rd_kafka_error_is_retriable(&failure) && !rd_kafka_error_txn_requires_abort(&failure))
    return error;
  LOG(debug, "{}: {}; the writer is opened again", doing, why);
  fenced_ = rd_kafka_error_code(&failure) == RD_KAFKA_RESP_ERR__FENCED ||
            rd_kafka_error_is_fatal(&failure);
  client_.reset();
  begun_ = false;
  if (undelivered && code_of(undelivered) != Code::kUnavailable)
    return {code_of(undelivered), fmt::format("{}: {}", config_.url, why)};
  if (rd_kafka_error_code(&failure) == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
    return {Code::kUnimplemented,
            fmt::format("{} has no transactions, and without them records would be doubled: {}",
                        config_.url, why)};
  return error;
}

// A new client under the id: the transaction of the one before it is over when it has begun.
Status Writer::take_over() {
  ASSIGN(auto settings, client_settings(config_, ClientKind::kWriter));
  TRY(set_property(*settings, "transactional.id", "tailrace." + config_.id));
  TRY(set_property(*settings, "enable.idempotence", "true"));
  // librdkafka fills batches to this; the topic with the smallest limit must take them.
  const std::int64_t batch =
      std::clamp(topics_.least_max_message_bytes() - kBatchRoom, std::int64_t{1}, kLargestBatch);
  TRY(set_property(*settings, "batch.size", std::to_string(batch)));
  ASSIGN(client_, Client::open(config_, ClientKind::kWriter, std::move(settings), health_,
                               [this](const rd_kafka_message_t& m) { on_delivered(m); }));
  undelivered_ = 0;
  if (const Owned<rd_kafka_error_t> failure{
          rd_kafka_init_transactions(client_->handle(), kInitMs)}) {
    const Error why = doubt(*failure, "writing cannot begin");
    client_.reset();
    return std::unexpected(why);
  }
  return {};
}

// An older writer that was just shut out may not have seen who did it, and come back once.
Status Writer::take_over_and_claim() {
  for (int tries = 1;; ++tries) {
    Status taken = take_over();
    if (taken) taken = claim();
    if (taken || taken.error().code != Code::kUnavailable || tries == kTries) return taken;
    client_.reset();
  }
}

Status Writer::claim() {
  if (const Owned<rd_kafka_error_t> failure{rd_kafka_begin_transaction(client_->handle())})
    return std::unexpected(doubt(*failure, "writing cannot begin"));
  const log::Record record{kOwnerKey, name_, rt::system_clock().now(), {}};
  TRY(send_message(positions_topic_, PartitionId(0), record, nullptr));
  if (const Owned<rd_kafka_error_t> failure{
          rd_kafka_commit_transaction(client_->handle(), kInitMs)})
    return std::unexpected(doubt(*failure, "writing cannot begin"));
  return {};
}

Status Writer::reopen() {
  // Who shut us out, if somebody did, needs a moment to write its name.
  if (std::exchange(fenced_, false)) std::this_thread::sleep_for(kClaimTakes);
  ASSIGN(const Positions before, read_positions(looker_, positions_topic_));
  if (before.owner != name_) {
    shut_out_ = Error{Code::kAborted,
                      fmt::format("another tailrace writes to {} as `{}` now; stop one of the two, "
                                  "or give this one another `id` under roles.log",
                                  config_.url, config_.id)};
    return std::unexpected(*shut_out_);
  }
  TRY(take_over());
  auto positions = read_positions(looker_, positions_topic_);
  if (!positions) {
    client_.reset();
    return std::unexpected(positions.error());
  }
  drop_committed(*positions);
  return {};
}

void Writer::drop_committed(const Positions& positions) {
  std::erase_if(sending_, [&](const std::unique_ptr<Chunk>& chunk) {
    const auto found = positions.next.find(chunk->lane);
    return found != positions.next.end() && log::sequence_ahead(chunk->first, found->second) < 0;
  });
}

void Writer::run(const std::stop_token& stop) {
  std::mutex idle_mutex;
  std::condition_variable_any idle;
  const auto pause = [&](std::chrono::milliseconds time) {
    std::unique_lock lock(idle_mutex);
    idle.wait_for(lock, stop, time, [] { return false; });
  };
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (!gathered_.wait(lock, stop, [this] { return !gathering_.empty(); })) return;
    }
    pause(kGather);
    if (commit()) continue;
    pause(kRetry);
  }
}

void Writer::close() {
  if (!opened_) return;
  thread_ = {};
  const std::lock_guard committing(commit_mutex_);
  // What is not committed now is emitted again by its source at the next start.
  if (auto last = commit_chunks(); !last)
    LOG(warn, "the last appends are not committed: {}", last.error().what);
  client_.reset();
  opened_ = false;
}

}  // namespace tailrace::kafka_log
