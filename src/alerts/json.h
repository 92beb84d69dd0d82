// Alerts and messages as JSON: how the store keeps them, and what a generic webhook gets.
#pragma once

#include <nlohmann/json.hpp>

#include "alerts/states.h"

namespace tailrace::alerts {

using Json = nlohmann::json;

Json json_of(const Labels& labels);
Json json_of(const Alert& alert);
Json json_of(const Message& message);
/// kDataLoss when it is none.
Result<Alert> alert_of(std::string_view json);
Result<Message> message_of(std::string_view json);

/// Its bytes; what is no UTF-8 becomes U+FFFD.
std::string dump(const Json& json);

/// `2026-01-02T03:04:05.678Z`
std::string time_text(Ms ms);
/// At most so many bytes, cut between two characters, with … where it is cut.
std::string cut(std::string_view text, std::size_t bytes);

}  // namespace tailrace::alerts
