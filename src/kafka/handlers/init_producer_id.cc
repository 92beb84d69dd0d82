// InitProducerId (KIP-98, 360): an id for an idempotent producer, or the next epoch for a
// transactional one.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/transaction_errors.h"
#include "kafka/messages/init_producer_id_request.h"
#include "kafka/messages/init_producer_id_response.h"

namespace tailrace::kafka {
namespace {

InitProducerIdResponse refusal(std::int16_t code) {
  InitProducerIdResponse response;
  response.error_code = code;
  response.producer_epoch = -1;
  return response;
}

void give_id(Call& call) {
  const auto id = call.broker().producer_ids().next();
  if (!id) return call.answer(refusal(wire(ErrorCode::kKafkaStorageError)));
  InitProducerIdResponse response;
  response.producer_id = *id;
  response.producer_epoch = 0;
  call.answer(response);
}

void init_transactional(Call call, const InitProducerIdRequest& request) {
  transactions::InitProducerId event{*request.transactional_id, request.transaction_timeout_ms};
  event.two_phase_commit = request.enable2_pc;
  event.keep_prepared = request.keep_prepared_txn;
  const bool id = request.producer_id != -1;
  const bool epoch = request.producer_epoch != -1;
  if (id != epoch) return call.answer(refusal(wire(ErrorCode::kInvalidRequest)));
  if (id) event.expected = {request.producer_id, request.producer_epoch};
  call.broker().transactions().ask(
      std::move(event), [call = std::move(call)](const auto& result) mutable {
        if (!result) return call.answer(refusal(kTransactionNotKept));
        const auto& answer = std::get<transactions::InitAnswer>(*result);
        InitProducerIdResponse response;
        response.error_code = wire(answer.error, call, 4);
        response.producer_id = answer.producer.id;
        response.producer_epoch = answer.producer.epoch;
        call.answer(response);
      });
}

}  // namespace

void init_producer_id(Call call, const InitProducerIdRequest& request) {
  // Both may wait for the disk: a new block of ids, or the topic that is made.
  call.broker().later([call = std::move(call), request]() mutable {
    if (request.transactional_id) return init_transactional(std::move(call), request);
    give_id(call);
  });
}

}  // namespace tailrace::kafka
