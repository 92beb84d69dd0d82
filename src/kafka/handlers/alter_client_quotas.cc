// AlterClientQuotas (KIP-546): sets and takes away quotas of users, client ids and addresses.
#include <cmath>
#include <expected>

#include "kafka/broker.h"
#include "kafka/handlers/all.h"
#include "kafka/messages/alter_client_quotas_request.h"
#include "kafka/messages/alter_client_quotas_response.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {
namespace {

using Asked = AlterClientQuotasRequest::EntryData;
using Values = std::map<std::string, std::optional<double>>;

std::unexpected<Refusal> invalid(std::string why) {
  return std::unexpected(Refusal{ErrorCode::kInvalidRequest, std::move(why)});
}

std::expected<auth::QuotaEntity, Refusal> entity_of(const Asked& asked) {
  auth::QuotaEntity entity;
  if (asked.entity.empty()) return invalid("Invalid empty client quota entity");
  for (const auto& part : asked.entity) {
    const auto& type = part.entity_type;
    auto* to = type == "user"        ? &entity.user
               : type == "client-id" ? &entity.client_id
               : type == "ip"        ? &entity.ip
                                     : nullptr;
    if (to == nullptr) return invalid("Unhandled client quota entity type: " + type);
    if (*to) return invalid("Duplicate client quota entity type: " + type);
    if (part.entity_name && part.entity_name->empty())
      return invalid("Empty " + type + " not supported");
    *to = part.entity_name;
  }
  if (entity.ip && (entity.user || entity.client_id)) {
    return invalid(
        "Invalid entity combination, IP entity should not be combined with User or "
        "ClientId");
  }
  return entity;
}

std::expected<Values, Refusal> values_of(const Asked& asked, bool of_address) {
  Values values;
  for (const auto& op : asked.ops) {
    const bool whole = op.key == "producer_byte_rate" || op.key == "consumer_byte_rate" ||
                       op.key == "connection_creation_rate";
    const bool known =
        of_address ? op.key == "connection_creation_rate"
                   : op.key == "producer_byte_rate" || op.key == "consumer_byte_rate" ||
                         op.key == "request_percentage" || op.key == "controller_mutation_rate";
    if (!known) return invalid("Invalid configuration key " + op.key);
    if (op.remove) {
      values[op.key] = std::nullopt;
      continue;
    }
    if (!(op.value > 0)) return invalid("Quota " + op.key + " must be greater than 0");
    if (whole && std::abs(op.value - std::round(op.value)) > 1e-6) {
      return invalid(op.key + " cannot be a fractional value.");
    }
    values[op.key] = op.value;
  }
  return values;
}

AlterClientQuotasResponse alter(Broker& broker, const AlterClientQuotasRequest& request) {
  AlterClientQuotasResponse response;
  for (const auto& asked : request.entries) {
    auto& answer = response.entries.emplace_back();
    answer.error_message.reset();
    for (const auto& part : asked.entity) {
      answer.entity.push_back({part.entity_type, part.entity_name});
    }
    std::optional<Refusal> refusal;
    const auto entity = entity_of(asked);
    const auto values =
        entity ? values_of(asked, entity->ip.has_value()) : std::unexpected(entity.error());
    if (!values) {
      refusal = values.error();
    } else if (!request.validate_only) {
      const auto done = broker.quotas().change({{*entity, *values}});
      if (!done) refusal = Refusal{ErrorCode::kKafkaStorageError, done.error().what};
    }
    if (!refusal) continue;
    answer.error_code = wire(refusal->code);
    answer.error_message = refusal->why;
  }
  return response;
}

}  // namespace

void alter_client_quotas(Call call, const AlterClientQuotasRequest& request) {
  call.broker().later([call = std::make_shared<Call>(std::move(call)), request] {
    call->answer(alter(call->broker(), request));
  });
}

}  // namespace tailrace::kafka
