// ListPartitionReassignments (KIP-455): none is ever under way.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/list_partition_reassignments_request.h"
#include "kafka/messages/list_partition_reassignments_response.h"

namespace tailrace::kafka {

void list_partition_reassignments(Call call, const ListPartitionReassignmentsRequest& /*request*/) {
  ListPartitionReassignmentsResponse response;
  response.error_message.reset();
  call.answer(response);
}

}  // namespace tailrace::kafka
