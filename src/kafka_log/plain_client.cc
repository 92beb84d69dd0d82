// Plain producers and consumers on librdkafka.
#include "kafka_log/plain_client.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string_view>

#include "kafka_log/client.h"
#include "kafka_log/token_grant.h"

namespace tailrace::kafka_log {
namespace {

using namespace std::chrono_literals;

constexpr int kSlice = 100;                    ///< milliseconds between two looks at the stop token
constexpr int kAskMs = 30'000;                 ///< of a question about topics and offsets
constexpr std::size_t kMostBytes = 256 << 20;  ///< of messages in one answer

struct FreeList {
  void operator()(rd_kafka_topic_partition_list_t* p) const {
    rd_kafka_topic_partition_list_destroy(p);
  }
};
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, FreeList>;
struct FreeHandle {
  void operator()(rd_kafka_t* p) const { rd_kafka_destroy(p); }
};
using Handle = std::unique_ptr<rd_kafka_t, FreeHandle>;

std::unexpected<Error> failed(rd_kafka_resp_err_t err, std::string_view what) {
  return error(code_of(err), fmt::format("{}: {}", what, rd_kafka_err2str(err)));
}

/// Errors that a client goes on after by itself are kept for the sentence of one that it does not.
struct LastError {
  std::mutex mutex;
  std::string text;
  std::optional<TokenGrant> grant;
};

Result<Owned<rd_kafka_conf_t>> conf_of(const PlainSettings& settings, LastError& last) {
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  for (const auto& [name, value] : settings)
    if (!TokenGrant::owns(name)) TRY(set_property(*conf, name, value));
  rd_kafka_conf_set_opaque(conf.get(), &last);
  ASSIGN(last.grant, TokenGrant::of(settings));
  if (last.grant)
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(
        conf.get(), [](rd_kafka_t* handle, const char*, void* opaque) {
          static_cast<LastError*>(opaque)->grant->refresh(*handle);
        });
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int, const char* reason, void* opaque) {
    auto& kept = *static_cast<LastError*>(opaque);
    const std::lock_guard lock(kept.mutex);
    kept.text = reason;
  });
  return conf;
}

Result<Handle> open_handle(rd_kafka_type_t type, Owned<rd_kafka_conf_t> conf) {
  std::array<char, 512> why{};
  Handle handle(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (handle == nullptr) return error(Code::kInvalidArgument, fmt::format("Kafka: {}", why.data()));
  (void)conf.release();  // the handle's now
  return handle;
}

class Producer final : public PlainProducer {
 public:
  static Result<std::unique_ptr<PlainProducer>> open(const PlainSettings& settings) {
    auto made = std::make_unique<Producer>();
    ASSIGN(auto conf, conf_of(settings, made->last_));
    rd_kafka_conf_set_dr_msg_cb(conf.get(),
                                [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
                                  auto& first = *static_cast<std::atomic<int>*>(message->_private);
                                  int none = 0;
                                  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
                                    first.compare_exchange_strong(none, message->err);
                                });
    ASSIGN(made->handle_, open_handle(RD_KAFKA_PRODUCER, std::move(conf)));
    return made;
  }

  Status produce(const std::string& topic, const std::optional<std::string>& key,
                 const std::optional<std::string>& value) override {
    const void* key_bytes = key ? key->data() : nullptr;
    void* bytes = value ? const_cast<char*>(value->data()) : nullptr;
    const std::size_t key_size = key ? key->size() : 0, size = value ? value->size() : 0;
    while (true) {
      const auto err = rd_kafka_producev(
          handle_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_KEY(key_bytes, key_size),
          RD_KAFKA_V_VALUE(bytes, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_OPAQUE(&first_error_), RD_KAFKA_V_END);
      rd_kafka_poll(handle_.get(), err == RD_KAFKA_RESP_ERR__QUEUE_FULL ? kSlice : 0);
      if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
      if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL) return failed(err, topic);
    }
  }

  Status flush(std::stop_token stop) override {
    while (rd_kafka_flush(handle_.get(), kSlice) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
      if (stop.stop_requested()) {
        rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(handle_.get(), kSlice);
        return error(Code::kCancelled, "stopped");
      }
    }
    if (const int err = first_error_.load(); err != 0) {
      const std::lock_guard lock(last_.mutex);
      return error(code_of(static_cast<rd_kafka_resp_err_t>(err)),
                   fmt::format("a record was not acknowledged: {}{}{}",
                               rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(err)),
                               last_.text.empty() ? "" : "; ", last_.text));
    }
    return {};
  }

 private:
  LastError last_;
  std::atomic<int> first_error_ = 0;
  Handle handle_;
};

class Consumer final : public PlainConsumer {
 public:
  static Result<std::unique_ptr<Consumer>> open(const PlainSettings& settings) {
    auto made = std::make_unique<Consumer>();
    ASSIGN(auto conf, conf_of(settings, made->last_));
    ASSIGN(made->handle_, open_handle(RD_KAFKA_CONSUMER, std::move(conf)));
    rd_kafka_poll_set_consumer(made->handle_.get());
    return made;
  }
  ~Consumer() override {
    if (handle_ != nullptr) rd_kafka_consumer_close(handle_.get());
  }

  Status subscribe_to(const std::vector<std::string>& topics) {
    const Partitions list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
    for (const auto& topic : topics)
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto err = rd_kafka_subscribe(handle_.get(), list.get());
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(err, "subscribe");
    return {};
  }

  Status assign_all(const std::vector<std::string>& topics, bool latest, bool keep_start) {
    const Partitions list(rd_kafka_topic_partition_list_new(8));
    for (const auto& topic : topics) TRY(add_partitions(topic, *list));
    auto err = rd_kafka_committed(handle_.get(), list.get(), kAskMs);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(err, "the group's offsets");
    bool fresh = false;
    for (int i = 0; i < list->cnt; ++i) {
      auto& one = list->elems[i];
      if (one.offset >= 0) continue;
      std::int64_t low = 0, high = 0;
      err = rd_kafka_query_watermark_offsets(handle_.get(), one.topic, one.partition, &low, &high,
                                             kAskMs);
      if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(err, one.topic);
      one.offset = latest ? high : low;
      fresh = true;
    }
    err = rd_kafka_assign(handle_.get(), list.get());
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(err, "assign");
    if (fresh && keep_start) {
      err = rd_kafka_commit(handle_.get(), list.get(), 0);
      if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(err, "commit");
    }
    return {};
  }

  Result<std::vector<PlainMessage>> consume(std::size_t most, std::chrono::milliseconds wait,
                                            std::stop_token stop) override {
    std::vector<PlainMessage> all;
    std::size_t bytes = 0;
    const auto end = std::chrono::steady_clock::now() + wait;
    while (all.size() < most && bytes < kMostBytes && !stop.stop_requested()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                            end - std::chrono::steady_clock::now())
                            .count();
      if (left < 0) break;
      const Owned<rd_kafka_message_t> message(
          rd_kafka_consumer_poll(handle_.get(), static_cast<int>(std::min<long>(left, kSlice))));
      if (message == nullptr) {
        if (left == 0) break;
        continue;
      }
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error(code_of(message->err), rd_kafka_message_errstr(message.get()));
      all.push_back(told(*message));
      bytes += message->len + message->key_len;
    }
    return all;
  }

  Status commit() override {
    const auto err = rd_kafka_commit(handle_.get(), nullptr, 0);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR && err != RD_KAFKA_RESP_ERR__NO_OFFSET)
      return failed(err, "commit");
    return {};
  }

  Status commit(const PlainMessage& message) override {
    const Partitions list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), message.topic.c_str(), message.partition)
        ->offset = message.offset + 1;
    const auto err = rd_kafka_commit(handle_.get(), list.get(), 0);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(err, "commit");
    return {};
  }

 private:
  Status add_partitions(const std::string& topic, rd_kafka_topic_partition_list_t& list) {
    const Owned<rd_kafka_topic_t> named(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
    const struct rd_kafka_metadata* found = nullptr;
    const auto err = rd_kafka_metadata(handle_.get(), 0, named.get(), &found, kAskMs);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(err, topic);
    using Found = const struct rd_kafka_metadata;
    const std::unique_ptr<Found, void (*)(Found*)> kept(found, rd_kafka_metadata_destroy);
    if (found->topic_cnt != 1 || found->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return failed(found->topic_cnt == 1 ? found->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
                    topic);
    for (int i = 0; i < found->topics[0].partition_cnt; ++i)
      rd_kafka_topic_partition_list_add(&list, topic.c_str(), found->topics[0].partitions[i].id);
    return {};
  }

  static PlainMessage told(const rd_kafka_message_t& message) {
    const auto bytes = [](const void* data, std::size_t size) {
      return data == nullptr ? std::optional<std::string>()
                             : std::string(static_cast<const char*>(data), size);
    };
    PlainMessage one{.topic = rd_kafka_topic_name(message.rkt),
                     .partition = message.partition,
                     .offset = message.offset,
                     .key = bytes(message.key, message.key_len),
                     .value = bytes(message.payload, message.len),
                     .headers = {}};
    rd_kafka_timestamp_type_t type{};
    one.timestamp_ms = rd_kafka_message_timestamp(&message, &type);
    one.timestamp_type = type;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t i = 0;
           rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
           ++i)
        one.headers.emplace_back(name, bytes(value, size));
    }
    return one;
  }

  LastError last_;
  Handle handle_;
};

}  // namespace

Result<std::unique_ptr<PlainProducer>> PlainProducer::open(const PlainSettings& settings) {
  return Producer::open(settings);
}

Result<std::unique_ptr<PlainConsumer>> PlainConsumer::subscribe(
    const PlainSettings& settings, const std::vector<std::string>& topics) {
  ASSIGN(auto made, Consumer::open(settings));
  TRY(made->subscribe_to(topics));
  return made;
}

Result<std::unique_ptr<PlainConsumer>> PlainConsumer::assign(const PlainSettings& settings,
                                                             const std::vector<std::string>& topics,
                                                             bool keep_start) {
  ASSIGN(auto made, Consumer::open(settings));
  const auto reset = settings.find("auto.offset.reset");
  const bool earliest =
      reset != settings.end() &&
      (reset->second == "earliest" || reset->second == "smallest" || reset->second == "beginning");
  TRY(made->assign_all(topics, !earliest, keep_start));
  return made;
}

}  // namespace tailrace::kafka_log
