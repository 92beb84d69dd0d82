// What a handler of groups answers when the coordinator could not keep its records.
#pragma once

#include "kafka/error_code.h"

namespace tailrace::kafka {

/// The client finds the coordinator again, and asks again.
inline constexpr std::int16_t kNotKept = wire(ErrorCode::kCoordinatorNotAvailable);

}  // namespace tailrace::kafka
