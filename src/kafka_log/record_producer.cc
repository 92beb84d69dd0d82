#include "kafka_log/record_producer.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>

#include "kafka_log/properties.h"

namespace tailrace::kafka_log {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSliceMs = 100;

struct FreeHandle {
  void operator()(rd_kafka_t* p) const { rd_kafka_destroy(p); }
};
using Handle = std::unique_ptr<rd_kafka_t, FreeHandle>;
struct FreeHeaders {
  void operator()(rd_kafka_headers_t* p) const { rd_kafka_headers_destroy(p); }
};
using Headers = std::unique_ptr<rd_kafka_headers_t, FreeHeaders>;

int left_ms(RecordProducer::Time deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kSliceMs));
}

bool is_unfit(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || err == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

class Producer final : public RecordProducer {
 public:
  Producer(const std::map<std::string, std::string>& settings,
           const std::vector<std::string>& names, MakeToken token)
      : settings_(settings), names_(names), token_(std::move(token)) {}

  Status connect() {
    Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
    for (const auto& [name, value] : settings_) TRY(set_property(*conf, name, value));
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
    rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int, const char* reason, void* self) {
      static_cast<Producer*>(self)->last_error_ = reason;
    });
    rd_kafka_conf_set_dr_msg_cb(conf.get(),
                                [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                                  static_cast<Producer*>(self)->settle_one(
                                      message->err, *static_cast<Delivery*>(message->_private));
                                });
    if (token_) {
      rd_kafka_conf_set_oauthbearer_token_refresh_cb(
          conf.get(), [](rd_kafka_t* handle, const char*, void* self) {
            static_cast<Producer*>(self)->refresh_token(handle);
          });
    }
    std::array<char, 512> why{};
    topics_.clear();
    handle_.reset();
    handle_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why.data(), why.size()));
    if (handle_ == nullptr)
      return error(Code::kInvalidArgument, fmt::format("Kafka: {}", why.data()));
    (void)conf.release();  // the handle's now
    for (const std::string& name : names_)
      topics_.emplace_back(rd_kafka_topic_new(handle_.get(), name.c_str(), nullptr));
    rd_kafka_poll(handle_.get(), 0);
    return {};
  }

  void send(const ProducedRecord& record, Delivery& delivery, Time deadline) override {
    if (auto alive = reopen_if_dead(); !alive) {
      fail(delivery, alive.error());
      return;
    }
    while (true) {
      const auto err = produce(record, delivery);
      if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++delivery.open;
        rd_kafka_poll(handle_.get(), 0);
        return;
      }
      if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        delivery.unfit = delivery.unfit || is_unfit(err);
        fail(delivery, {code_of(err), fmt::format("{}: {}", record.topic, rd_kafka_err2str(err))});
        return;
      }
      const int left = left_ms(deadline);
      if (left == 0) {
        fail(delivery, late());
        return;
      }
      rd_kafka_poll(handle_.get(), left);
    }
  }

  void settle(Time deadline) override {
    while (rd_kafka_outq_len(handle_.get()) > 0) {
      const int left = left_ms(deadline);
      if (left == 0) {
        rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        while (rd_kafka_outq_len(handle_.get()) > 0) rd_kafka_poll(handle_.get(), kSliceMs);
        return;
      }
      rd_kafka_poll(handle_.get(), left);
    }
  }

 private:
  static void fail(Delivery& delivery, Error error) {
    if (!delivery.failed) delivery.failed = std::move(error);
  }
  Error late() const {
    return {Code::kDeadlineExceeded, fmt::format("not acknowledged in time{}{}",
                                                 last_error_.empty() ? "" : ": ", last_error_)};
  }

  void settle_one(rd_kafka_resp_err_t err, Delivery& delivery) {
    --delivery.open;
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++delivery.acknowledged;
      last_error_.clear();
    } else if (err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
      fail(delivery, late());
    } else {
      delivery.unfit = delivery.unfit || is_unfit(err);
      fail(delivery, {code_of(err), rd_kafka_err2str(err)});
    }
  }

  rd_kafka_resp_err_t produce(const ProducedRecord& record, Delivery& delivery) {
    Headers headers(rd_kafka_headers_new(record.headers.size()));
    for (const auto& [name, value] : record.headers)
      rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                          value.data(), static_cast<ssize_t>(value.size()));
    const void* key = record.key ? record.key->data() : nullptr;
    const std::size_t key_size = record.key ? record.key->size() : 0;
    void* value = const_cast<char*>(record.value.data());
    const auto err = rd_kafka_producev(
        handle_.get(), RD_KAFKA_V_TOPIC(record.topic.c_str()), RD_KAFKA_V_KEY(key, key_size),
        RD_KAFKA_V_VALUE(value, record.value.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_OPAQUE(&delivery), RD_KAFKA_V_END);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) (void)headers.release();  // the message's now
    return err;
  }

  /// An idempotent producer that lost its place for good is opened anew.
  Status reopen_if_dead() {
    std::array<char, 512> why{};
    if (rd_kafka_fatal_error(handle_.get(), why.data(), why.size()) == RD_KAFKA_RESP_ERR_NO_ERROR)
      return {};
    settle(Clock::now());
    return connect();
  }

  void refresh_token(rd_kafka_t* handle) {
    const auto token = token_();
    std::array<char, 512> why{};
    if (!token) {
      rd_kafka_oauthbearer_set_token_failure(handle, token.error().what.c_str());
    } else if (rd_kafka_oauthbearer_set_token(handle, token->text.c_str(), token->expires_ms,
                                              token->principal.c_str(), nullptr, 0, why.data(),
                                              why.size()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_oauthbearer_set_token_failure(handle, why.data());
    }
  }

  const std::map<std::string, std::string> settings_;
  const std::vector<std::string> names_;
  const MakeToken token_;
  std::string last_error_;
  Handle handle_;
  std::vector<Owned<rd_kafka_topic_t>> topics_;  // held, so that they are looked up; gone first
};

}  // namespace

Result<std::unique_ptr<RecordProducer>> RecordProducer::open(
    const std::map<std::string, std::string>& settings, const std::vector<std::string>& topics,
    MakeToken token) {
  auto made = std::make_unique<Producer>(settings, topics, std::move(token));
  TRY(made->connect());
  return made;
}

}  // namespace tailrace::kafka_log
