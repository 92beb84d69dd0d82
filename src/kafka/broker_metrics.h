// The broker in Prometheus' words. Names are those that the JMX exporter's Kafka rules make of
// Kafka's own metrics, and kafka_exporter's for the lag of groups; units are as in the names.
//
// A scrape reads topics, partitions and groups as they are; only traffic and requests are counted
// as they happen (log::Traffic, RequestMetrics).
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"

namespace tailrace::kafka {

class Broker;

class BrokerMetrics {
 public:
  explicit BrokerMetrics(Broker& broker) : broker_(broker) {}
  /// Of each listener by its name.
  using Connections = std::vector<std::pair<std::string, std::size_t>>;
  /// Any thread. Groups are left out when their coordinator does not answer.
  void write(MetricsText& out, const Connections& connections);

 private:
  void write_traffic(MetricsText& out);

  Broker& broker_;
  std::mutex mutex_;
  /// Sums over all topics as they were shown last: a topic that is deleted during a scrape must
  /// not let them go back, which would count as a restart.
  std::array<std::uint64_t, 7> shown_{};
};

}  // namespace tailrace::kafka
