// DeleteGroups (KIP-229): empty groups, with their offsets.
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/handlers/group_errors.h"
#include "kafka/messages/delete_groups_request.h"
#include "kafka/messages/delete_groups_response.h"

namespace tailrace::kafka {

void delete_groups(Call call, const DeleteGroupsRequest& request) {
  const auto names = request.groups_names;
  call.broker().groups().ask(
      groups::DeleteGroups{.groups = names},
      [call = std::move(call), names](const auto& result) mutable {
        DeleteGroupsResponse response;
        if (result) {
          for (const auto& group : std::get<groups::DeleteAnswer>(*result).groups) {
            response.results.push_back({group.group, wire(group.error)});
          }
        } else {
          for (const auto& name : names) response.results.push_back({name, kNotKept});
        }
        call.answer(response);
      });
}

}  // namespace tailrace::kafka
