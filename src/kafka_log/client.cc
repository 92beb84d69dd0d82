#include "kafka_log/client.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "base/log.h"

namespace tailrace::kafka_log {
namespace {

struct Property {
  const char* name;
  const char* value;
};

constexpr Property kForAll[] = {
    {"client.id", "tailrace"},
    {"reconnect.backoff.max.ms", "1000"},
    // Above any topic's max.message.bytes, which decides.
    {"message.max.bytes", "300000000"},
    {"receive.message.max.bytes", "600000000"},
};
constexpr Property kForReaders[] = {
    {"enable.partition.eof", "true"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"queued.max.messages.kbytes", "16384"},
    {"fetch.message.max.bytes", "4194304"},
    {"fetch.wait.max.ms", "100"},
};
constexpr Property kForLookers[] = {
    {"enable.partition.eof", "true"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"fetch.wait.max.ms", "10"},
};
constexpr Property kForWriters[] = {
    {"queue.buffering.max.messages", "2000000"},
    {"transaction.timeout.ms", "60000"},
};

/// What exactly-once stands on, and what the URL says.
constexpr Property kReserved[] = {
    {"bootstrap.servers", "the URL names the brokers"},
    {"metadata.broker.list", "the URL names the brokers"},
    {"transactional.id", "it is made from the project's name"},
    {"enable.idempotence", "writing is always transactional"},
    {"isolation.level", "reading is always read_committed"},
    {"enable.partition.eof", "reading depends on it"},
    {"auto.offset.reset", "positions are kept in checkpoints"},
    {"enable.auto.commit", "positions are kept in checkpoints"},
    {"group.id", "positions are kept in checkpoints"},
    {"acks", "an append is acknowledged by all replicas"},
    {"request.required.acks", "an append is acknowledged by all replicas"},
};

void on_log(const rd_kafka_t*, int level, const char*, const char* text) {
  // What went wrong is told by errors; these lines say the same, and more often.
  LOG(debug, "librdkafka, level {}: {}", level, text);
}

std::span<const Property> defaults_of(ClientKind kind) {
  if (kind == ClientKind::kReader) return kForReaders;
  if (kind == ClientKind::kLooker) return kForLookers;
  return kForWriters;
}

Status set_users(const KafkaLogConfig& config, rd_kafka_conf_t& conf) {
  if (auto grant = TokenGrant::of(config.properties); !grant) return std::unexpected(grant.error());
  for (const auto& [name, value] : config.properties) {
    for (const Property& reserved : kReserved)
      if (name == reserved.name)
        return error(Code::kInvalidArgument,
                     fmt::format("`{}` cannot be set: {}", name, reserved.value));
    if (TokenGrant::owns(name)) continue;
    if (auto set = set_property(conf, name, value); !set)
      return error(set.error().code, without_secrets(config, set.error().what));
  }
  return {};
}

}  // namespace

Result<Owned<rd_kafka_conf_t>> client_settings(const KafkaLogConfig& config, ClientKind kind) {
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  for (const Property& property : kForAll) TRY(set_property(*conf, property.name, property.value));
  for (const Property& property : defaults_of(kind))
    TRY(set_property(*conf, property.name, property.value));
  TRY(set_users(config, *conf));
  ASSIGN(const std::string brokers, brokers_of(config));
  TRY(set_property(*conf, "bootstrap.servers", brokers));
  TRY(set_property(*conf, "log.queue", "false"));
  if (kind != ClientKind::kWriter) {
    TRY(set_property(*conf, "isolation.level", "read_committed"));
    TRY(set_property(*conf, "enable.auto.commit", "false"));
  }
  return conf;
}

Result<std::unique_ptr<Client>> Client::open(const KafkaLogConfig& config, ClientKind kind,
                                             Owned<rd_kafka_conf_t> settings, Health& health,
                                             Delivered delivered) {
  std::unique_ptr<Client> client(new Client(config, health));
  client->writes_ = kind == ClientKind::kWriter;
  client->delivered_ = std::move(delivered);
  rd_kafka_conf_set_opaque(settings.get(), client.get());
  rd_kafka_conf_set_log_cb(settings.get(), on_log);
  rd_kafka_conf_set_error_cb(settings.get(), [](rd_kafka_t*, int err, const char* why, void* self) {
    static_cast<Client*>(self)->on_error(static_cast<rd_kafka_resp_err_t>(err), why);
  });
  if (client->delivered_)
    rd_kafka_conf_set_dr_msg_cb(settings.get(),
                                [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                                  static_cast<Client*>(self)->delivered_(*message);
                                });
  ASSIGN(client->grant_, TokenGrant::of(config.properties));
  if (client->grant_)
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(
        settings.get(), [](rd_kafka_t* handle, const char*, void* self) {
          static_cast<Client*>(self)->grant_->refresh(*handle);
        });
  std::array<char, 512> why{};
  const auto type = client->writes_ ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  client->handle_ = rd_kafka_new(type, settings.get(), why.data(), why.size());
  if (!client->handle_)
    return error(Code::kInvalidArgument,
                 fmt::format("{}: {}", config.url, without_secrets(config, why.data())));
  settings.release();
  client->thread_ =
      std::jthread([self = client.get()](const std::stop_token& stop) { self->serve(stop); });
  return client;
}

Client::~Client() {
  thread_ = {};
  if (!handle_) return;
  if (writes_) rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Client::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) rd_kafka_poll(handle_, 50);
}

void Client::on_error(rd_kafka_resp_err_t err, const char* reason) {
  std::string what = without_secrets(config_, reason);
  switch (err) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
      return health_.refused(std::move(what));
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      return health_.all_down();
    case RD_KAFKA_RESP_ERR__FATAL:
      return;
    default:
      return health_.note_cause(std::move(what));
  }
}

}  // namespace tailrace::kafka_log
