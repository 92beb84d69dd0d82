#include "kafka/error_code.h"

namespace tailrace::kafka {
namespace {

/// Of failures that mean the same whatever was tried.
ErrorCode common_error(Code code) {
  switch (code) {
    case Code::kNotFound:
    case Code::kCancelled:
      return ErrorCode::kUnknownTopicOrPartition;
    case Code::kUnavailable:
    case Code::kPermissionDenied:
    case Code::kResourceExhausted:
      return ErrorCode::kKafkaStorageError;
    default:
      return ErrorCode::kUnknownServerError;
  }
}

}  // namespace

ErrorCode append_error(Code code) {
  switch (code) {
    case Code::kDataLoss:
      return ErrorCode::kCorruptMessage;
    case Code::kOutOfRange:
      return ErrorCode::kMessageTooLarge;
    case Code::kInvalidArgument:
      return ErrorCode::kInvalidRecord;
    case Code::kFailedPrecondition:
      return ErrorCode::kOutOfOrderSequenceNumber;
    case Code::kAborted:
      return ErrorCode::kInvalidProducerEpoch;
    case Code::kAlreadyExists:
      return ErrorCode::kInvalidTxnState;
    case Code::kDeadlineExceeded:
      return ErrorCode::kInvalidTimestamp;
    default:
      return common_error(code);
  }
}

ErrorCode read_error(Code code) {
  switch (code) {
    case Code::kOutOfRange:
      return ErrorCode::kOffsetOutOfRange;
    case Code::kDataLoss:
      return ErrorCode::kKafkaStorageError;
    default:
      return common_error(code);
  }
}

ErrorCode topic_error(Code code) {
  switch (code) {
    case Code::kAlreadyExists:
      return ErrorCode::kTopicAlreadyExists;
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return ErrorCode::kInvalidConfig;
    case Code::kDataLoss:
      return ErrorCode::kKafkaStorageError;
    case Code::kCancelled:
      return ErrorCode::kUnknownServerError;
    default:
      return common_error(code);
  }
}

}  // namespace tailrace::kafka
