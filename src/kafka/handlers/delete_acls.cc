// DeleteAcls (KIP-140): takes away all rules that a filter matches.
#include "kafka/acl_messages.h"
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/delete_acls_request.h"
#include "kafka/messages/delete_acls_response.h"

namespace tailrace::kafka {
namespace {

DeleteAclsResponse::DeleteAclsMatchingAcl told(const auth::Acl& acl) {
  DeleteAclsResponse::DeleteAclsMatchingAcl out;
  out.error_message.reset();
  out.resource_type = wire_number(acl.resource);
  out.resource_name = acl.name;
  out.pattern_type = wire_number(acl.pattern);
  out.principal = acl.principal;
  out.host = acl.host;
  out.operation = wire_number(acl.operation);
  out.permission_type = wire_number(acl.permission);
  return out;
}

DeleteAclsResponse remove(Broker& broker, const DeleteAclsRequest& request) {
  DeleteAclsResponse response;
  const auto refuse = [&](std::size_t i, const Refusal& refusal) {
    response.filter_results[i].error_code = wire(refusal.code);
    response.filter_results[i].error_message = refusal.why;
  };
  response.filter_results.resize(request.filters.size());
  std::vector<auth::AclFilter> filters;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < request.filters.size(); ++i) {
    response.filter_results[i].error_message.reset();
    const auto filter = filter_of(request.filters[i]);
    if (broker.authorizer() == nullptr) {
      refuse(i, no_authorizer());
    } else if (!filter) {
      refuse(i, {ErrorCode::kInvalidRequest, "Unknown AclBindingFilter."});
    } else {
      filters.push_back(*filter);
      places.push_back(i);
    }
  }
  if (filters.empty()) return response;
  const auto removed = broker.authorizer()->remove(filters);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!removed) {
      refuse(places[i], {ErrorCode::kKafkaStorageError, removed.error().what});
      continue;
    }
    for (const auto& acl : removed->at(i)) {
      response.filter_results[places[i]].matching_acls.push_back(told(acl));
    }
  }
  return response;
}

}  // namespace

void delete_acls(Call call, const DeleteAclsRequest& request) {
  call.broker().later([call = std::make_shared<Call>(std::move(call)), request] {
    call->answer(remove(call->broker(), request));
  });
}

}  // namespace tailrace::kafka
