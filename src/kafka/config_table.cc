#include "kafka/config_table.h"

#include <algorithm>

#include "base/edit_distance.h"

namespace tailrace::kafka {

const ConfigInfo* find_config(ConfigKind kind, std::string_view name) {
  const auto all = configs(kind);
  const auto found = std::ranges::lower_bound(all, name, {}, &ConfigInfo::name);
  return found != all.end() && found->name == name ? &*found : nullptr;
}

std::string_view nearest_config(ConfigKind kind, std::string_view name) {
  const auto near = [&](const ConfigInfo& config) {
    return edit_distance(name.substr(0, 200), config.name);
  };
  return std::ranges::min_element(configs(kind), {}, near)->name;
}

}  // namespace tailrace::kafka
