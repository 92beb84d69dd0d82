#include "kafka_log/look.h"

#include <fmt/format.h>

namespace tailrace::kafka_log {
namespace {
constexpr std::chrono::seconds kSilence{10};
}  // namespace

Status Looker::open() {
  if (client_) return {};
  ASSIGN(auto settings, client_settings(config_, ClientKind::kLooker));
  ASSIGN(client_, Client::open(config_, ClientKind::kLooker, std::move(settings), health_));
  return {};
}

Status Looker::look(const std::string& topic, PartitionId partition, Offset offset,
                    const Take& take) {
  const std::lock_guard lock(mutex_);
  TRY(open());
  const Owned<rd_kafka_topic_t> handle(
      rd_kafka_topic_new(client_->handle(), topic.c_str(), nullptr));
  if (rd_kafka_consume_start(handle.get(), partition.value, offset.value) != 0)
    return error(Code::kInternal, fmt::format("{}-{}: {}", topic, partition.value,
                                              rd_kafka_err2str(rd_kafka_last_error())));
  auto followed = follow(handle.get(), partition, take);
  rd_kafka_consume_stop(handle.get(), partition.value);
  if (!followed)
    return std::unexpected(followed.error().in(fmt::format("{}-{}", topic, partition.value)));
  return {};
}

Status Looker::follow(rd_kafka_topic_t* topic, PartitionId partition, const Take& take) {
  auto last = std::chrono::steady_clock::now();
  for (;;) {
    const Owned<rd_kafka_message_t> message(rd_kafka_consume(topic, partition.value, 100));
    const auto now = std::chrono::steady_clock::now();
    if (!message || message->err == RD_KAFKA_RESP_ERR__TRANSPORT) {
      const Error why = health_.unavailable("no answer");
      if (now - last > kSilence) return error(why.code, why.what);
      continue;
    }
    last = now;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return {};
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
      return error(Code::kOutOfRange, "no such offset");
    if (message->err) return error(code_of(message->err), rd_kafka_message_errstr(message.get()));
    ASSIGN(const bool more, take(*message));
    if (!more) return {};
  }
}

}  // namespace tailrace::kafka_log
