#include "kafka_log/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"

namespace tailrace::kafka_log {

namespace {
constexpr std::chrono::milliseconds kTick{100};
constexpr int kAskMs = 10'000;
}  // namespace

std::string Stream::Place::text() const {
  return fmt::format("{}-{}", topic, partition.value);
}

Stream::Stream(Place place, Client& reader, const KafkaLogConfig& config, Health& health,
               std::function<void()> kick)
    : place_(std::move(place)),
      reader_(reader),
      config_(config),
      health_(health),
      kick_(std::move(kick)),
      topic_(rd_kafka_topic_new(reader.handle(), place_.topic.c_str(), nullptr)) {}

Stream::~Stream() {
  const std::lock_guard pumping(pump_mutex_);
  stop_fetching();
}

void Stream::raise_end(Offset end) {
  std::int64_t seen = known_end_;
  while (seen < end.value && !known_end_.compare_exchange_weak(seen, end.value)) {
  }
}

void Stream::raise_start(Offset start) {
  std::int64_t seen = start_;
  while (seen < start.value && !start_.compare_exchange_weak(seen, start.value)) {
  }
  raise_end(start);
}

Offset Stream::end() const {
  std::int64_t low = 0, high = 0;
  // librdkafka's high watermark has the records of open transactions, too.
  if (fetching_ && !at_end_ &&
      rd_kafka_get_watermark_offsets(reader_.handle(), place_.topic.c_str(), place_.partition.value,
                                     &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR)
    return Offset(std::max({high, known_end_.load(), next_.load()}));
  return Offset(std::max(known_end_.load(), next_.load()));
}

Offset Stream::start() const {
  std::int64_t low = 0, high = 0;
  if (fetching_ &&
      rd_kafka_get_watermark_offsets(reader_.handle(), place_.topic.c_str(), place_.partition.value,
                                     &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR)
    return Offset(std::max(low, start_.load()));
  return Offset(start_);
}

void Stream::interrupt() {
  interrupted_ = true;
  const std::lock_guard lock(mutex_);
  arrived_.notify_all();
}

// Called with pump_mutex_.
void Stream::stop_fetching() {
  if (!fetching_) return;
  rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  rd_kafka_consume_stop(topic_.get(), place_.partition.value);
  queue_.reset();
  fetching_ = false;
}

Status Stream::restart(Offset offset) {
  const std::lock_guard pumping(pump_mutex_);
  stop_fetching();
  {
    const std::lock_guard lock(mutex_);
    window_.clear();
    window_bytes_ = 0;
    next_ = offset.value;
    at_end_ = false;
    failed_.reset();
  }
  queue_.reset(rd_kafka_queue_new(reader_.handle()));
  rd_kafka_queue_cb_event_enable(
      queue_.get(), [](rd_kafka_t*, void* self) { static_cast<Stream*>(self)->kick_(); }, this);
  if (rd_kafka_consume_start_queue(topic_.get(), place_.partition.value, offset.value,
                                   queue_.get()) != 0)
    return error(Code::kInternal,
                 fmt::format("{}: reading from offset {} cannot begin: {}", place_.text(),
                             offset.value, rd_kafka_err2str(rd_kafka_last_error())));
  fetching_ = true;
  return {};
}

bool Stream::pump() {
  const std::lock_guard pumping(pump_mutex_);
  if (!fetching_) return false;
  {
    const std::lock_guard lock(mutex_);
    if (window_bytes_ >= kWindowBytes || failed_) {
      at_end_ = false;  // what comes now is not looked at
      return false;
    }
  }
  std::array<rd_kafka_message_t*, kPumpMessages> messages;
  const auto count =
      rd_kafka_consume_batch_queue(queue_.get(), 0, messages.data(), messages.size());
  if (count <= 0) return false;
  take(messages.data(), static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    rd_kafka_message_destroy(messages[i]);
  return true;
}

void Stream::take(rd_kafka_message_t** messages, std::size_t count) {
  std::int64_t next = next_;
  const auto put = [&] {
    if (batches_.count() == 0) return;
    if (auto bytes = batches_.finish())
      push(std::string(*bytes), Offset(next));
    else
      fail(bytes.error().code, bytes.error().what);
    batches_.clear();
  };
  batches_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_message_t& message = *messages[i];
    if (message.err) {
      put();
      take_error(message);
      next = next_;
      continue;
    }
    at_end_ = false;
    if (message.offset < next) continue;
    if (auto added = batches_.add(message); !added)
      return fail(added.error().code, added.error().what);
    next = message.offset + 1;
  }
  put();
}

void Stream::push(std::string batches, Offset next) {
  {
    const std::lock_guard lock(mutex_);
    window_bytes_ += batches.size();
    window_.push_back({std::move(batches), Offset(next_), next});
    next_ = next.value;
    arrived_.notify_all();
  }
  raise_end(next);
}

void Stream::fail(Code code, std::string what) {
  const std::lock_guard lock(mutex_);
  failed_ = Error{code, place_.text() + ": " + std::move(what)};
  arrived_.notify_all();
}

void Stream::take_error(const rd_kafka_message_t& message) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      health_.answered();
      if (message.offset > next_)
        push(empty_offsets(Offset(next_), Offset(message.offset)), Offset(message.offset));
      at_end_ = true;
      return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return past_retention(Offset(next_));
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return fail(code_of(message.err), rd_kafka_message_errstr(&message));
    default:
      LOG(debug, "{}: {}", place_.text(), rd_kafka_message_errstr(&message));
  }
}

// Kafka's own retention may take what was not read yet: said, and gone on behind it.
void Stream::past_retention(Offset offset) {
  std::int64_t low = 0, high = 0;
  const auto asked = rd_kafka_query_watermark_offsets(reader_.handle(), place_.topic.c_str(),
                                                      place_.partition.value, &low, &high, kAskMs);
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) {
    low = offset.value;  // tried again from the same place
  } else if (offset.value > high) {
    return fail(Code::kDataLoss,
                fmt::format("it ends at offset {}, but was read up to {}: records were lost, or "
                            "the topic was deleted and made again",
                            high, offset.value));
  } else if (low > offset.value) {
    LOG(warn, "{}: records {} to {} were removed by Kafka's retention before they were read",
        place_.text(), offset.value, low - 1);
    push(empty_offsets(offset, Offset(low)), Offset(low));
  }
  rd_kafka_consume_stop(topic_.get(), place_.partition.value);
  rd_kafka_consume_start_queue(topic_.get(), place_.partition.value, std::max(low, offset.value),
                               queue_.get());
}

// Called with mutex_: the batches from the one that holds `offset` on; false when the window has
// none.
bool Stream::serve(Offset offset, std::size_t max_bytes, log::ReadBuffer& buffer) {
  while (!window_.empty() && window_.front().next <= offset) {
    window_bytes_ -= window_.front().batches.size();
    window_.pop_front();
  }
  if (window_.empty() || window_.front().first > offset) return false;
  const std::string_view all = window_.front().batches;
  log::BatchReader batches(all);
  log::BatchView batch;
  std::size_t from = all.size(), to = 0;
  while (batches.next(batch)) {
    const auto at = static_cast<std::size_t>(batch.bytes().data() - all.data());
    if (from == all.size() && batch.last_offset() < offset) continue;
    from = std::min(from, at);
    if (to > from && at + batch.bytes().size() - from > max_bytes) break;
    to = at + batch.bytes().size();
  }
  if (to <= from) return false;
  buffer.assign(all.substr(from, to - from));
  return true;
}

Status Stream::wait(std::unique_lock<std::mutex>& lock,
                    std::chrono::steady_clock::time_point since) {
  arrived_.wait_for(lock, kTick);
  const bool patient = config_.read_patience.count() == 0;
  if (patient || std::chrono::steady_clock::now() - since < config_.read_patience) return {};
  const Error why = health_.unavailable(place_.text() + " does not give its records");
  return error(why.code, why.what);
}

Status Stream::read(Offset offset, std::size_t max_bytes, log::ReadBuffer& buffer) {
  buffer.assign({});
  const auto since = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool was_full = window_bytes_ >= kWindowBytes;
    const bool served = serve(offset, max_bytes, buffer);
    if (was_full && window_bytes_ < kWindowBytes) kick_();
    if (served) return {};
    if (failed_) return std::unexpected(*failed_);
    if (!fetching_ || offset.value != next_) {
      lock.unlock();
      TRY(restart(offset));
      lock.lock();
      continue;
    }
    if (offset >= known_end() || interrupted_) return {};
    TRY(wait(lock, since));
  }
}

}  // namespace tailrace::kafka_log
