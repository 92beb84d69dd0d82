// A connection of the door: reads each request's header, and hands the rest to the api's handler.
#pragma once

#include <memory>

#include "kafka/broker.h"
#include "kafka/call.h"
#include "net/frame_server.h"

namespace tailrace::kafka {

class Session final : public net::FrameSession {
 public:
  Session(Broker& broker, std::shared_ptr<const Listener> listener, const net::Peer& peer);
  void serve(std::string_view frame, net::Reply reply) override;
  /// Less while nobody knows who it is.
  std::size_t most_frame_bytes() const override;

 private:
  void serve_bare(std::string_view message, net::Reply reply);

  Broker& broker_;
  std::shared_ptr<Caller> client_;
};

}  // namespace tailrace::kafka
