// What handlers of transactions answer.
#pragma once

#include "kafka/call.h"
#include "kafka/error_code.h"
#include "transactions/types.h"

namespace tailrace::kafka {

/// The coordinator could not keep its record: the client asks again.
inline constexpr std::int16_t kTransactionNotKept = wire(ErrorCode::kCoordinatorNotAvailable);

/// PRODUCER_FENCED is known to clients of `since` and later (KIP-588).
inline std::int16_t wire(transactions::ErrorCode code, const Call& call, std::int16_t since) {
  if (code == transactions::ErrorCode::kProducerFenced && !call.since(since)) {
    return wire(ErrorCode::kInvalidProducerEpoch);
  }
  return static_cast<std::int16_t>(code);
}

}  // namespace tailrace::kafka
