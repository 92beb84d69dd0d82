// One librdkafka client: its settings, its handle, and a thread that serves its callbacks.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/strong.h"
#include "kafka_log/config.h"
#include "kafka_log/health.h"
#include "kafka_log/properties.h"
#include "kafka_log/token_grant.h"

namespace tailrace::kafka_log {

/// kReader streams partitions, kLooker reads a little here and there, kWriter appends.
enum class ClientKind { kReader, kLooker, kWriter };

/// The user's settings over ours, under those that exactly-once stands on. kInvalidArgument names
/// an unknown, ill-valued or reserved one.
Result<Owned<rd_kafka_conf_t>> client_settings(const KafkaLogConfig& config, ClientKind kind);

class Client {
 public:
  /// What became of a produced message; on the client's own thread.
  using Delivered = std::function<void(const rd_kafka_message_t&)>;

  /// Connects in the background. kInvalidArgument when the settings contradict each other.
  static Result<std::unique_ptr<Client>> open(const KafkaLogConfig& config, ClientKind kind,
                                              Owned<rd_kafka_conf_t> settings, Health& health,
                                              Delivered delivered = {});
  ~Client();

  rd_kafka_t* handle() const { return handle_; }

 private:
  Client(const KafkaLogConfig& config, Health& health) : config_(config), health_(health) {}
  void serve(const std::stop_token& stop);
  void on_error(rd_kafka_resp_err_t err, const char* reason);

  const KafkaLogConfig& config_;
  Health& health_;
  Delivered delivered_;
  std::optional<TokenGrant> grant_;
  bool writes_ = false;
  rd_kafka_t* handle_ = nullptr;
  std::jthread thread_;
};

}  // namespace tailrace::kafka_log
