// InitProducerId (KIP-98, 360): an id for an idempotent producer.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/init_producer_id_request.h"
#include "kafka/messages/init_producer_id_response.h"

namespace tailrace::kafka {

void init_producer_id(Call call, const InitProducerIdRequest& request) {
  call.broker().later([call = std::make_shared<Call>(std::move(call)), request] {
    InitProducerIdResponse response;
    response.producer_epoch = -1;
    if (request.transactional_id) {
      response.error_code = wire(ErrorCode::kCoordinatorNotAvailable);
    } else if (auto id = call->broker().producer_ids().next()) {
      response.producer_id = *id;
      response.producer_epoch = 0;
    } else {
      response.error_code = wire(ErrorCode::kKafkaStorageError);
    }
    call->answer(response);
  });
}

}  // namespace tailrace::kafka
