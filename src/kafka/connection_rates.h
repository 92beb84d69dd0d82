// How fast connections may be made (KIP-402, 612): max.connection.creation.rate of the broker and
// of each listener, beyond which new ones wait, and connection_creation_rate of addresses, beyond
// which they are refused.
//
// Threads: all calls from any thread; times are given.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "auth/quotas.h"
#include "kafka/listener.h"
#include "net/frame_server.h"

namespace tailrace::kafka {

class ConnectionRates {
 public:
  using Millis = std::chrono::milliseconds;
  explicit ConnectionRates(auth::Quotas& quotas) : quotas_(quotas) {}

  /// Of all listeners together, a second; 0 lets none in.
  void set_most(std::int64_t a_second);
  /// What becomes of a connection that was just made.
  net::Admission admit(const Listener& listener, const std::string& address, Millis now);

 private:
  auth::Quotas& quotas_;
  std::mutex mutex_;
  std::int64_t most_ = INT32_MAX;
  auth::Rate rate_;
  std::map<std::string, auth::Rate> of_listeners_;
};

}  // namespace tailrace::kafka
