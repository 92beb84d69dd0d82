// Why a request, or one of the things it asks for, is not done.
#pragma once

#include <string>

#include "kafka/error_code.h"

namespace tailrace::kafka {

struct Refusal {
  ErrorCode code;
  std::string why;
};

/// Of who makes or deletes more partitions than his quota lets him (KIP-599).
inline Refusal over_quota() {
  return {ErrorCode::kThrottlingQuotaExceeded, "The throttling quota has been exceeded."};
}

}  // namespace tailrace::kafka
