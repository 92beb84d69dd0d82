// Access rules as the protocol's requests and answers hold them.
#pragma once

#include <expected>
#include <optional>

#include "auth/acl.h"
#include "kafka/messages/create_acls_request.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {

/// What is said where there is no authorizer.
inline Refusal no_authorizer() {
  return {ErrorCode::kSecurityDisabled, "No Authorizer is configured."};
}

/// The rule that is to be made, or why it cannot be one.
std::expected<auth::Acl, Refusal> acl_of(const CreateAclsRequest::AclCreation& asked);

/// The filter of DescribeAcls and of each of DeleteAcls, whose fields have the same names.
template <typename Asked>
std::optional<auth::AclFilter> filter_of(const Asked& asked) {
  constexpr auto kWithin = [](int value, auth::Operation most) {
    return value >= 1 && value <= static_cast<int>(most);
  };
  const bool known = kWithin(asked.operation, auth::Operation::kTwoPhaseCommit) &&
                     asked.resource_type_filter >= 1 && asked.resource_type_filter <= 7 &&
                     asked.pattern_type_filter >= 1 && asked.pattern_type_filter <= 4 &&
                     asked.permission_type >= 1 && asked.permission_type <= 3;
  if (!known) return std::nullopt;
  auth::AclFilter filter;
  filter.resource = static_cast<auth::Resource>(asked.resource_type_filter);
  filter.pattern = static_cast<auth::Pattern>(asked.pattern_type_filter);
  filter.name = asked.resource_name_filter;
  filter.principal = asked.principal_filter;
  filter.host = asked.host_filter;
  filter.operation = static_cast<auth::Operation>(asked.operation);
  filter.permission = static_cast<auth::Permission>(asked.permission_type);
  return filter;
}

template <typename Enum>
std::int8_t wire_number(Enum value) {
  return static_cast<std::int8_t>(value);
}

}  // namespace tailrace::kafka
