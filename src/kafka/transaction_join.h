// Before records are written in a transaction their partitions must be in it (KIP-890): newer
// clients leave it to the broker to add them, for older ones it is checked that they did (unless
// transaction.partition.verification.enable is off).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "kafka/error_code.h"
#include "kafka/transaction_coordinator.h"

namespace tailrace::kafka {

/// What the client of a transaction understands.
enum class JoinAs {
  kOldClient,        ///< TRANSACTION_ABORTABLE is INVALID_TXN_STATE to it
  kVerifying,        ///< it added the partitions itself
  kAddedByTheBroker  ///< it has an epoch for each transaction
};

/// Those that must not be written, and why.
using JoinErrors = std::map<std::pair<std::string, std::int32_t>, ErrorCode>;

/// `done`, on any thread, when the partitions are in the transaction for good, with those that are
/// not.
void join_transaction(TransactionCoordinator& coordinator, const std::string& id,
                      transactions::Producer producer, const transactions::Partitions& partitions,
                      JoinAs as, std::move_only_function<void(const JoinErrors& errors)> done);

}  // namespace tailrace::kafka
