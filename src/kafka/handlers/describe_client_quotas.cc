// DescribeClientQuotas (KIP-546): the quotas of the entities that a filter matches.
#include <set>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/describe_client_quotas_request.h"
#include "kafka/messages/describe_client_quotas_response.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {
namespace {

using Asked = DescribeClientQuotasRequest::ComponentData;
using Part = auth::QuotaEntity::Part;

constexpr std::int8_t kExact = 0;
constexpr std::int8_t kDefault = 1;
constexpr std::int8_t kAny = 2;

const std::optional<Part>& part_of(const auth::QuotaEntity& entity, const std::string& type) {
  if (type == "user") return entity.user;
  return type == "ip" ? entity.ip : entity.client_id;
}

std::optional<Refusal> check(const DescribeClientQuotasRequest& request) {
  std::set<std::string> types;
  for (const auto& one : request.components) {
    const auto& type = one.entity_type;
    if (type != "user" && type != "client-id" && type != "ip") {
      return Refusal{type.empty() ? ErrorCode::kInvalidRequest : ErrorCode::kUnsupportedVersion,
                     type.empty() ? "Invalid empty entity type." : "Unhandled entity type " + type};
    }
    if (!types.insert(type).second) {
      return Refusal{ErrorCode::kInvalidRequest,
                     "Entity type " + type + " cannot appear more than once in the filter."};
    }
    if (one.match_type < kExact || one.match_type > kAny) {
      return Refusal{ErrorCode::kInvalidRequest,
                     "Unknown match type " + std::to_string(one.match_type)};
    }
    if (one.match_type == kExact && !one.match) {
      return Refusal{ErrorCode::kInvalidRequest,
                     "Request specified MATCH_TYPE_EXACT, but set match string to null."};
    }
  }
  if (types.contains("ip") && types.size() > 1) {
    return Refusal{ErrorCode::kInvalidRequest,
                   "Invalid entity filter component combination, IP filter component should not be "
                   "used with user or clientId filter component."};
  }
  return std::nullopt;
}

bool matches(const Asked& asked, const std::optional<Part>& part) {
  if (!part) return false;
  if (asked.match_type == kAny) return true;
  if (asked.match_type == kDefault) return !*part;
  return *part == asked.match;
}

bool matches(const DescribeClientQuotasRequest& request, const auth::QuotaEntity& entity) {
  for (const auto& one : request.components) {
    if (!matches(one, part_of(entity, one.entity_type))) return false;
  }
  const auto parts = entity.user.has_value() + entity.client_id.has_value() + entity.ip.has_value();
  return !request.strict || static_cast<std::size_t>(parts) == request.components.size();
}

}  // namespace

void describe_client_quotas(Call call, const DescribeClientQuotasRequest& request) {
  DescribeClientQuotasResponse response;
  response.error_message.reset();
  if (const auto refusal = check(request)) {
    response.error_code = wire(refusal->code);
    response.error_message = refusal->why;
    response.entries.reset();
    return call.answer(response);
  }
  response.entries.emplace();
  for (const auto& [entity, values] : call.broker().quotas().all()) {
    if (!matches(request, entity)) continue;
    auto& entry = response.entries->emplace_back();
    if (entity.user) entry.entity.push_back({"user", *entity.user});
    if (entity.client_id) entry.entity.push_back({"client-id", *entity.client_id});
    if (entity.ip) entry.entity.push_back({"ip", *entity.ip});
    for (const auto& [key, value] : values) entry.values.push_back({key, value});
  }
  call.answer(response);
}

}  // namespace tailrace::kafka
