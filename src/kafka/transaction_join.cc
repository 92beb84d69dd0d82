#include "kafka/transaction_join.h"

namespace tailrace::kafka {
namespace {

ErrorCode told(transactions::ErrorCode code, JoinAs as) {
  if (code == transactions::ErrorCode::kProducerFenced) return ErrorCode::kInvalidProducerEpoch;
  if (code == transactions::ErrorCode::kTransactionAbortable && as == JoinAs::kOldClient) {
    return ErrorCode::kInvalidTxnState;
  }
  return code;
}

void note(JoinErrors& errors, const transactions::Partitions& partitions, ErrorCode code) {
  if (code == ErrorCode::kNone) return;
  for (const auto& [topic, some] : partitions) {
    for (const auto partition : some) errors[{topic, partition}] = code;
  }
}

}  // namespace

void join_transaction(TransactionCoordinator& coordinator, const std::string& id,
                      transactions::Producer producer, const transactions::Partitions& partitions,
                      JoinAs as, std::move_only_function<void(const JoinErrors& errors)> done) {
  if (as != JoinAs::kAddedByTheBroker && !coordinator.verifies()) return done({});
  transactions::Happening what = transactions::VerifyPartitions{id, producer, partitions};
  if (as == JoinAs::kAddedByTheBroker) {
    what = transactions::AddPartitions{id, producer, partitions, transactions::kEpochPerTransaction,
                                       true};
  }
  coordinator.ask(
      std::move(what), [partitions, as, done = std::move(done)](const auto& result) mutable {
        JoinErrors errors;
        if (!result) {
          note(errors, partitions, ErrorCode::kCoordinatorNotAvailable);
        } else if (const auto* add = std::get_if<transactions::AddAnswer>(&*result)) {
          note(errors, partitions, told(add->error, as));
        } else {
          for (const auto& one : std::get<transactions::VerifyAnswer>(*result).partitions) {
            const auto code = told(one.error, as);
            if (code != ErrorCode::kNone) errors[{one.topic, one.partition}] = code;
          }
        }
        done(errors);
      });
}

}  // namespace tailrace::kafka
