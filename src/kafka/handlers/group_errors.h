// What a handler of groups answers when the coordinator could not keep its records.
#pragma once

#include "groups/types.h"
#include "kafka/error_code.h"

namespace tailrace::kafka {

/// The client finds the coordinator again, and asks again.
inline constexpr std::int16_t kNotKept = wire(ErrorCode::kCoordinatorNotAvailable);

inline std::int16_t wire(groups::ErrorCode code) {
  return static_cast<std::int16_t>(code);
}

}  // namespace tailrace::kafka
