// The settings of the room, named as in Kafka's server.properties.
#pragma once

#include "transactions/types.h"

namespace tailrace::transactions {

struct TransactionsConfig {
  std::int32_t transaction_max_timeout_ms = 900'000;
  Millis transactional_id_expiration_ms = 7 * 24 * 3'600'000LL;
  bool two_phase_commit = false;  // transaction.two.phase.commit.enable (KIP-939)
  /// How long an implicit AddPartitions waits for the end of the transaction before it.
  Millis add_partitions_wait_ms = 100;  // add.partitions.to.txn.retry.backoff.max.ms
};

}  // namespace tailrace::transactions
