// What the outcome of a login step does to its connection: who it is from then on, or its end, some
// time later (connection.failed.authentication.delay.ms), with a line in the log.
#pragma once

#include "kafka/broker.h"
#include "kafka/call.h"
#include "kafka/sasl.h"

namespace tailrace::kafka {

/// Notes the outcome with the client; how its answer has to leave.
net::Manner settle_login(Broker& broker, Caller& client,
                         const std::expected<Sasl::Step, Refusal>& step);

}  // namespace tailrace::kafka
