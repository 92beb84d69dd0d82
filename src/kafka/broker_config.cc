#include "kafka/broker_config.h"

#include <fmt/format.h>

namespace tailrace::kafka {

Status BrokerConfig::set(std::string_view name, std::string_view value) {
  if (name == "num.partitions") return log::set_setting(topic, "partitions", value);
  if (name == "auto.create.topics.enable" && (value == "true" || value == "false")) {
    auto_create_topics = value == "true";
    return {};
  }
  return error(Code::kUnimplemented, fmt::format("{}={} is not supported yet", name, value));
}

}  // namespace tailrace::kafka
