// What transactions want done: records appended, markers written, then answers given.
//
// Actions are done in order, over all steps: an answer is sent, and markers are written, when every
// append before it, of this or an earlier step, is durable.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "transactions/records.h"
#include "transactions/types.h"

namespace tailrace::transactions {

struct InitAnswer {
  ErrorCode error = ErrorCode::kNone;
  Producer producer{};
};

/// An error of the transaction, of all its partitions.
struct AddAnswer {
  ErrorCode error = ErrorCode::kNone;
};

struct VerifyAnswer {
  struct Partition {
    std::string topic;
    std::int32_t partition = 0;
    ErrorCode error = ErrorCode::kNone;
  };
  std::vector<Partition> partitions{};
};

struct EndAnswer {
  ErrorCode error = ErrorCode::kNone;
  Producer producer{};  // to go on with; of a client with an epoch for each transaction only
};

struct DescribedTransaction {
  ErrorCode error = ErrorCode::kNone;
  std::string id{};
  Transaction transaction{};
};

struct DescribeAnswer {
  std::vector<DescribedTransaction> transactions;
};

struct ListAnswer {
  struct Listed {
    std::string id;
    std::int64_t producer_id = kNoProducerId;
    State state = State::kEmpty;
  };
  ErrorCode error = ErrorCode::kNone;
  std::vector<std::string> unknown_states{};
  std::vector<Listed> transactions{};
};

using Answer =
    std::variant<InitAnswer, AddAnswer, VerifyAnswer, EndAnswer, DescribeAnswer, ListAnswer>;

/// A record for __transaction_state.
struct Append {
  Record record;
};

/// The end of a transaction, to be written to each of its partitions; when all of it is durable,
/// MarkersWritten. It comes again after a restart.
struct WriteMarkers {
  std::string id;
  Producer producer;
  bool commit = false;
  Version version;
  Partitions partitions;
};

struct Reply {
  RequestId request;
  Answer answer;
};

using Action = std::variant<Append, WriteMarkers, Reply>;
using Actions = std::vector<Action>;

}  // namespace tailrace::transactions
