// What is said of a Kafka that is somewhere else: its URL, librdkafka's settings by name, and who
// writes.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::kafka_log {

struct KafkaLogConfig {
  std::string url;                                ///< kafka://HOST:PORT[,HOST:PORT …]
  std::map<std::string, std::string> properties;  ///< of librdkafka, by name
  std::vector<std::string> secrets;               ///< values that must not be read in a message
  /// Whose log this is: internal topics and the transactional.id are named by it, and of two that
  /// write under one id the older one is shut out.
  std::string id;
  /// How long open() waits for a broker that does not answer.
  std::chrono::milliseconds start_patience{30'000};
  /// How long a read waits for records that are known to be there; 0 is for ever.
  std::chrono::milliseconds read_patience{0};
};

/// Whether a role's text is the URL of a Kafka.
bool is_kafka_url(std::string_view text);

/// Everything that can be judged without a broker: the URL and every setting. kInvalidArgument
/// names what is wrong and holds no secret.
Status check_config(const KafkaLogConfig& config);

/// HOST:PORT,… of the URL.
Result<std::string> brokers_of(const KafkaLogConfig& config);

/// A message with the secrets taken out.
std::string without_secrets(const KafkaLogConfig& config, std::string text);

}  // namespace tailrace::kafka_log
