#include "kafka/broker_config.h"

namespace tailrace::kafka {

Status BrokerConfig::set(std::string_view name, std::string_view value) {
  return error(Code::kUnimplemented, std::string(name) + "=" + std::string(value));
}

}  // namespace tailrace::kafka
