// EndTxn (KIP-98, 890): commits or aborts. Since version 5 each transaction has an epoch of its
// own, and the answer tells the next one.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/transaction_errors.h"
#include "kafka/messages/end_txn_request.h"
#include "kafka/messages/end_txn_response.h"

namespace tailrace::kafka {

void end_txn(Call call, const EndTxnRequest& request) {
  const transactions::EndTransaction event{
      request.transactional_id,
      {request.producer_id, request.producer_epoch},
      request.committed,
      call.since(5) ? transactions::kEpochPerTransaction : transactions::kPlain};
  call.broker().transactions().ask(event, [call = std::move(call)](const auto& result) mutable {
    EndTxnResponse response;
    if (!result) {
      response.error_code = kTransactionNotKept;
      return call.answer(response);
    }
    const auto& answer = std::get<transactions::EndAnswer>(*result);
    response.error_code = wire(answer.error, call, 2);
    response.producer_id = answer.producer.id;
    response.producer_epoch = answer.producer.epoch;
    call.answer(response);
  });
}

}  // namespace tailrace::kafka
