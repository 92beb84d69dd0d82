// The door's handlers, one api each in handlers/NAME.cc. Each answers its call, at once or later.
#pragma once

#include <span>

#include "kafka/call.h"

namespace tailrace::kafka {

/// Takes a request, whose header was read, from its reader. It may not wait: it runs on the
/// connection's thread.
using Handler = void (*)(Call call, Reader& reader);

struct ServedApi {
  ApiKey key;
  Handler handler;
};

/// Every api that is served, by rising key.
std::span<const ServedApi> served_apis();
/// nullptr when it is not served.
Handler find_handler(ApiKey key);

}  // namespace tailrace::kafka
