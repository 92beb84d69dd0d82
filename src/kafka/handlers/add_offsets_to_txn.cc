// AddOffsetsToTxn (KIP-98): the partition of __consumer_offsets that holds a group comes into the
// transaction.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/transaction_errors.h"
#include "kafka/messages/add_offsets_to_txn_request.h"
#include "kafka/messages/add_offsets_to_txn_response.h"

namespace tailrace::kafka {

void add_offsets_to_txn(Call call, const AddOffsetsToTxnRequest& request) {
  const auto partition = call.broker().groups().partition_of(request.group_id);
  const transactions::AddPartitions event{request.transactional_id,
                                          {request.producer_id, request.producer_epoch},
                                          {{kOffsetsTopic, {partition.value}}}};
  call.broker().transactions().ask(event, [call = std::move(call)](const auto& result) mutable {
    AddOffsetsToTxnResponse response;
    response.error_code = kTransactionNotKept;
    if (result) {
      response.error_code = wire(std::get<transactions::AddAnswer>(*result).error, call, 2);
    }
    call.answer(response);
  });
}

}  // namespace tailrace::kafka
