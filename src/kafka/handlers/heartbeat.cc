// Heartbeat: a member of a classic group is alive.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/heartbeat_request.h"
#include "kafka/messages/heartbeat_response.h"

namespace tailrace::kafka {

void heartbeat(Call call, const HeartbeatRequest& request) {
  groups::Heartbeat event{.group = request.group_id,
                          .member = request.member_id,
                          .instance = request.group_instance_id,
                          .generation = groups::Generation(request.generation_id)};
  call.broker().groups().ask(
      std::move(event), [call = std::move(call)](const auto& result) mutable {
        HeartbeatResponse response;
        response.error_code =
            result ? wire(std::get<groups::HeartbeatAnswer>(*result).error) : kNotKept;
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
