// DescribeAcls (KIP-140): the rules that a filter matches, by what they are about.
#include "kafka/acl_messages.h"
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_acls_request.h"
#include "kafka/messages/describe_acls_response.h"

namespace tailrace::kafka {

void describe_acls(Call call, const DescribeAclsRequest& request) {
  DescribeAclsResponse response;
  response.error_message.reset();
  const auto* authorizer = call.broker().authorizer();
  const auto filter = filter_of(request);
  if (authorizer == nullptr || !filter) {
    const auto refusal = authorizer == nullptr
                             ? Refusal{ErrorCode::kSecurityDisabled,
                                       "No Authorizer is configured on the broker"}
                             : Refusal{ErrorCode::kInvalidRequest,
                                       "The AclBindingFilter contains unknown elements."};
    response.error_code = wire(refusal.code);
    response.error_message = refusal.why;
    return call.answer(response);
  }
  // In the order of resource, pattern and name: those of one stand together.
  for (const auto& acl : authorizer->matching(*filter)) {
    auto& all = response.resources;
    if (all.empty() || all.back().resource_type != wire_number(acl.resource) ||
        all.back().pattern_type != wire_number(acl.pattern) ||
        all.back().resource_name != acl.name) {
      auto& fresh = all.emplace_back();
      fresh.resource_type = wire_number(acl.resource);
      fresh.pattern_type = wire_number(acl.pattern);
      fresh.resource_name = acl.name;
    }
    all.back().acls.push_back(
        {acl.principal, acl.host, wire_number(acl.operation), wire_number(acl.permission)});
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
