// What was set while the broker ran: of the broker, the cluster, of groups and of metrics
// subscriptions. Kept in one file, which is replaced whole:
//
//   line:  KIND ' ' RESOURCE ' ' NAME '=' VALUE '\n'     KIND: broker (RESOURCE empty: the
//   cluster),
//                                                        group, client-metrics
// with %XX for '%', ' ', '=' and what is below ' '. Threads: all calls from any thread.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kafka/config_layers.h"

namespace tailrace::kafka {

/// The numbers of the protocol's ConfigResource types.
enum class ResourceType : std::int8_t {
  kTopic = 2,
  kBroker = 4,
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32,
};

class ConfigStore {
 public:
  explicit ConfigStore(std::string path) : path_(std::move(path)) {}

  /// A file that is not there is a new cluster's. kDataLoss names a line that cannot be read.
  Status open();
  ConfigMap get(ResourceType type, const std::string& resource) const;
  /// Replaces all of one resource's; durable when it returns.
  Status set(ResourceType type, const std::string& resource, ConfigMap values);
  /// The resources that have something set, by name.
  std::vector<std::string> resources(ResourceType type) const;

 private:
  using Key = std::pair<ResourceType, std::string>;
  using All = std::map<Key, ConfigMap>;
  static std::string encode(const All& all);
  static Result<All> decode(std::string_view text);

  const std::string path_;
  mutable std::mutex mutex_;
  All all_;
};

}  // namespace tailrace::kafka
