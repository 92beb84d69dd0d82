#include "kafka/acl_messages.h"

#include <fmt/format.h>

namespace tailrace::kafka {
namespace {

std::unexpected<Refusal> invalid(std::string why) {
  return std::unexpected(Refusal{ErrorCode::kInvalidRequest, std::move(why)});
}

}  // namespace

std::expected<auth::Acl, Refusal> acl_of(const CreateAclsRequest::AclCreation& asked) {
  auth::Acl acl;
  acl.resource = static_cast<auth::Resource>(asked.resource_type);
  acl.pattern = static_cast<auth::Pattern>(asked.resource_pattern_type);
  acl.name = asked.resource_name;
  acl.principal = asked.principal;
  acl.host = asked.host;
  acl.operation = static_cast<auth::Operation>(asked.operation);
  acl.permission = static_cast<auth::Permission>(asked.permission_type);
  if (asked.resource_type < 2 || asked.resource_type > 7) {
    return invalid(fmt::format("Invalid resourceType {}", asked.resource_type));
  }
  if (acl.pattern != auth::Pattern::kLiteral && acl.pattern != auth::Pattern::kPrefixed) {
    return invalid(fmt::format("Invalid patternType {}", asked.resource_pattern_type));
  }
  if (asked.operation < 2 || acl.operation > auth::Operation::kTwoPhaseCommit) {
    return invalid(fmt::format("Invalid operation {}", asked.operation));
  }
  if (acl.permission != auth::Permission::kDeny && acl.permission != auth::Permission::kAllow) {
    return invalid(fmt::format("Invalid permissionType {}", asked.permission_type));
  }
  if (acl.name.empty()) return invalid("Resource name should not be empty");
  if (acl.resource == auth::Resource::kCluster && acl.name != auth::kClusterName) {
    return invalid(
        fmt::format("The only valid name for the CLUSTER resource is {}", auth::kClusterName));
  }
  if (!auth::parse_principal(acl.principal)) {
    return invalid(
        fmt::format("Could not parse principal from `{}` (no colon is present "
                    "separating the principal type from the principal name)",
                    acl.principal));
  }
  if (acl.host.empty()) return invalid("Host should not be empty");
  return acl;
}

}  // namespace tailrace::kafka
