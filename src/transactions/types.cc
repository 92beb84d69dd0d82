#include "transactions/types.h"

#include <algorithm>
#include <array>

namespace tailrace::transactions {

std::string_view error_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNone:
      return "NONE";
    case ErrorCode::kCoordinatorLoadInProgress:
      return "COORDINATOR_LOAD_IN_PROGRESS";
    case ErrorCode::kUnsupportedVersion:
      return "UNSUPPORTED_VERSION";
    case ErrorCode::kInvalidRequest:
      return "INVALID_REQUEST";
    case ErrorCode::kInvalidTxnState:
      return "INVALID_TXN_STATE";
    case ErrorCode::kInvalidProducerIdMapping:
      return "INVALID_PRODUCER_ID_MAPPING";
    case ErrorCode::kInvalidTransactionTimeout:
      return "INVALID_TRANSACTION_TIMEOUT";
    case ErrorCode::kConcurrentTransactions:
      return "CONCURRENT_TRANSACTIONS";
    case ErrorCode::kTransactionalIdAuthorizationFailed:
      return "TRANSACTIONAL_ID_AUTHORIZATION_FAILED";
    case ErrorCode::kProducerFenced:
      return "PRODUCER_FENCED";
    case ErrorCode::kTransactionalIdNotFound:
      return "TRANSACTIONAL_ID_NOT_FOUND";
    case ErrorCode::kTransactionAbortable:
      return "TRANSACTION_ABORTABLE";
    case ErrorCode::kInvalidRegularExpression:
      return "INVALID_REGULAR_EXPRESSION";
  }
  return "UNKNOWN_SERVER_ERROR";
}

std::string_view state_name(State state) {
  switch (state) {
    case State::kEmpty:
      return "Empty";
    case State::kOngoing:
      return "Ongoing";
    case State::kPrepareCommit:
      return "PrepareCommit";
    case State::kPrepareAbort:
      return "PrepareAbort";
    case State::kCompleteCommit:
      return "CompleteCommit";
    case State::kCompleteAbort:
      return "CompleteAbort";
  }
  return "Unknown";
}

bool is_state_name(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "Empty",          "Ongoing",       "PrepareCommit", "PrepareAbort",
      "CompleteCommit", "CompleteAbort", "Dead",          "PrepareEpochFence"};
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace tailrace::transactions
