// ListGroups: of every type, by state and type (KIP-518, 848).
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/list_groups_request.h"
#include "kafka/messages/list_groups_response.h"

namespace tailrace::kafka {

void list_groups(Call call, const ListGroupsRequest& request) {
  groups::ListGroups event{.states = request.states_filter, .types = request.types_filter};
  call.broker().groups().ask(
      std::move(event), [call = std::move(call)](const auto& result) mutable {
        ListGroupsResponse response;
        if (result) {
          for (const auto& group : std::get<groups::ListAnswer>(*result).groups) {
            response.groups.push_back({group.group, group.protocol_type, group.state, group.type});
          }
        } else {
          response.error_code = kNotKept;
        }
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
