// CreateAcls (KIP-140): rules of who may do what.
#include "kafka/acl_messages.h"
#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/create_acls_response.h"

namespace tailrace::kafka {
namespace {

using Result = CreateAclsResponse::AclCreationResult;

void refuse(Result& result, const Refusal& refusal) {
  result.error_code = wire(refusal.code);
  result.error_message = refusal.why;
}

CreateAclsResponse create(Broker& broker, const CreateAclsRequest& request) {
  CreateAclsResponse response;
  std::vector<auth::Acl> acls;
  for (const auto& asked : request.creations) {
    auto& result = response.results.emplace_back();
    result.error_message.reset();
    auto acl = broker.authorizer() == nullptr ? std::unexpected(no_authorizer()) : acl_of(asked);
    if (acl) {
      acls.push_back(std::move(*acl));
    } else {
      refuse(result, acl.error());
    }
  }
  if (acls.empty()) return response;
  if (const auto done = broker.authorizer()->add(acls); !done) {
    for (auto& result : response.results) {
      if (result.error_code == 0)
        refuse(result, {ErrorCode::kKafkaStorageError, done.error().what});
    }
  }
  return response;
}

}  // namespace

void create_acls(Call call, const CreateAclsRequest& request) {
  call.broker().later([call = std::make_shared<Call>(std::move(call)), request] {
    call->answer(create(call->broker(), request));
  });
}

}  // namespace tailrace::kafka
