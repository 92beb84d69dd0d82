// The Kafka door: listeners whose connections speak Kafka's protocol to one broker.
//
// Order of calls: Door::start(log, config, folder) → address() … → stop() (or the destructor). The
// log must outlive it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "kafka/broker.h"
#include "kafka/broker_config.h"
#include "kafka/broker_metrics.h"
#include "log/log.h"
#include "net/frame_server.h"

namespace tailrace::kafka {

class Door {
 public:
  /// `folder` is the log's: the cluster's id is kept beside its topics. `registry`, if any, must
  /// outlive the door. Errors as FrameServer::start.
  static Result<std::unique_ptr<Door>> start(log::Log& log, BrokerConfig config, std::string folder,
                                             SchemaIds* registry = nullptr);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  /// Of all listeners: "PLAINTEXT://127.0.0.1:9092, SSL://127.0.0.1:9093"
  std::string listeners() const;
  /// Of the first listener: "127.0.0.1:9092"
  std::string address() const;
  Broker& broker() { return *broker_; }
  /// The broker's metrics; not after stop().
  void write_metrics(MetricsText& out);
  void stop();

 private:
  Door() = default;

  std::unique_ptr<Broker> broker_;
  std::unique_ptr<BrokerMetrics> metrics_;
  std::vector<std::unique_ptr<net::FrameServer>> servers_;  // one a listener
};

}  // namespace tailrace::kafka
