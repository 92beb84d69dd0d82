// The members of a group of any type, and what each of them has, asked of a broker over Kafka's
// protocol.
#pragma once

#include <string>

#include "app/terminal.h"
#include "base/result.h"
#include "kafka/client.h"

namespace tailrace::app {

/// A row each: group, type, member, client, host, assigned ("topic-0, topic-1"), and of a streams
/// group active, standby and warmup tasks ("0_1, 0_2"). kNotFound when there is no such group.
Result<Json> group_members(kafka::Client& client, const std::string& group);
/// The columns of a table of them.
Json member_columns(const Json& rows);

}  // namespace tailrace::app
