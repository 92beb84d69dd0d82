#include "kafka/listener_config.h"

namespace tailrace::kafka {

const ConfigInfo* find_listener_config(std::string_view name) {
  constexpr std::string_view kPrefix = "listener.name.";
  if (!name.starts_with(kPrefix)) return nullptr;
  for (auto dot = name.find('.', kPrefix.size()); dot != std::string_view::npos;
       dot = name.find('.', dot + 1)) {
    if (const auto* found = find_config(ConfigKind::kBroker, name.substr(dot + 1))) return found;
  }
  return nullptr;
}

}  // namespace tailrace::kafka
