// Settings of one listener alone, and of one of its mechanisms: listener.name.NAME.SETTING,
// listener.name.NAME.MECHANISM.SETTING.
#pragma once

#include <string_view>

#include "kafka/config_table.h"

namespace tailrace::kafka {

/// The SETTING; nullptr when the name is not one of those.
const ConfigInfo* find_listener_config(std::string_view name);

}  // namespace tailrace::kafka
