// ListTransactions (KIP-664), since version 1 by duration (KIP-994), since 2 by a pattern of the
// id.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/transaction_errors.h"
#include "kafka/messages/list_transactions_request.h"
#include "kafka/messages/list_transactions_response.h"

namespace tailrace::kafka {

void list_transactions(Call call, const ListTransactionsRequest& request) {
  transactions::ListTransactions event{request.state_filters, request.producer_id_filters,
                                       request.duration_filter,
                                       request.transactional_id_pattern.value_or("")};
  call.broker().transactions().ask(
      std::move(event), [call = std::move(call)](const auto& result) mutable {
        ListTransactionsResponse response;
        if (!result) {
          response.error_code = kTransactionNotKept;
          return call.answer(response);
        }
        const auto& answer = std::get<transactions::ListAnswer>(*result);
        response.error_code = wire(answer.error, call, 0);
        response.unknown_state_filters = answer.unknown_states;
        for (const auto& one : answer.transactions) {
          response.transaction_states.push_back(
              {one.id, one.producer_id, std::string(transactions::state_name(one.state))});
        }
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
