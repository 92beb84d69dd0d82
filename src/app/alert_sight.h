// What alerts see of a running instance.
#pragma once

#include <memory>

#include "alerts/sight.h"
#include "app/instance.h"

namespace tailrace::app {

/// To be made before the workflows start, which it listens to. The instance outlives it.
std::unique_ptr<alerts::Sight> make_alert_sight(Instance& instance);

/// Who speaks in messages. `page`: what tailrace.yml says, else the console's address.
alerts::Sender alert_sender(const pipeline::Project& project, const std::string& page);

}  // namespace tailrace::app
