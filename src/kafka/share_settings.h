// What a share group's settings say (kafka-configs, entity type groups; the broker's group.share.*
// where they are not set).
#pragma once

#include <cstdint>

#include "kafka/config_layers.h"
#include "share/share_partition.h"

namespace tailrace::kafka {

struct ShareSettings {
  enum class Reset : std::uint8_t { kLatest, kEarliest, kByDuration };

  share::Settings partition;
  bool committed = false;        // share.isolation.level
  Reset reset = Reset::kLatest;  // share.auto.offset.reset: where a new group begins
  std::int64_t back_ms = 0;      // with kByDuration: at records so old
};

/// `own`: what was set on the group itself.
ShareSettings share_settings(const ConfigLayers& layers, const ConfigMap& own);

}  // namespace tailrace::kafka
