// A connection of the door: reads each request's header, and hands the rest to the api's handler.
#pragma once

#include <memory>

#include "kafka/broker.h"
#include "kafka/call.h"
#include "net/frame_server.h"

namespace tailrace::kafka {

class Session final : public net::FrameSession {
 public:
  Session(Broker& broker, const net::Peer& peer);
  void serve(std::string_view frame, net::Reply reply) override;

 private:
  Broker& broker_;
  std::shared_ptr<Caller> client_;
};

}  // namespace tailrace::kafka
