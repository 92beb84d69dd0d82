// The text of each service that a compose file may hold, and the volumes that it needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailrace::compose {

struct Service {
  std::string_view name;
  std::string_view text;  ///< two spaces deep, as it stands below `services:`
  std::vector<std::string_view> volumes = {};
};

/// All of the real systems, in the order in which they are written.
const std::vector<Service>& real_services();

}  // namespace tailrace::compose
