// What a handler of groups answers when the coordinator could not keep its records.
#pragma once

#include <string>
#include <vector>

#include "kafka/error_code.h"

namespace tailrace::kafka {

/// The client finds the coordinator again, and asks again.
inline constexpr std::int16_t kNotKept = wire(ErrorCode::kCoordinatorNotAvailable);

/// The same for each of the groups that were asked for.
template <typename Group>
void refuse_each(const std::vector<std::string>& names, std::vector<Group>& groups) {
  for (const auto& name : names) {
    auto& group = groups.emplace_back();
    group.group_id = name;
    group.error_code = kNotKept;
  }
}

}  // namespace tailrace::kafka
