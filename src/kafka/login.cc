#include "kafka/login.h"

#include "base/log.h"

namespace tailrace::kafka {

net::Manner settle_login(Broker& broker, Caller& client,
                         const std::expected<Sasl::Step, Refusal>& step) {
  if (step) {
    // Renewed it is the same, and handlers on other threads may be reading it.
    if (step->principal && client.principal != *step->principal)
      client.principal = *step->principal;
    if (step->principal) {
      client.by_token = step->by_token;
      client.listener->logins->succeeded.add();
    }
    return {};
  }
  client.listener->logins->failed.add();
  LOG(warn, "kafka: login of {}:{} at {} by {} failed, the {}th of this broker: {}",
      client.peer.address, client.peer.port, client.listener->name, client.sasl->mechanism(),
      broker.login_failed(), step.error().why);
  return {.delay = client.listener->failed_login_delay, .close_after = true};
}

}  // namespace tailrace::kafka
