// Whether the settings of one resource, all of them together, are ones that Kafka would take.
#pragma once

#include <optional>

#include "kafka/config_layers.h"
#include "kafka/refusal.h"

namespace tailrace::kafka {

std::optional<Refusal> check_topic_configs(const ConfigMap& values);
/// `of_cluster`: what all brokers are to have, rather than this one.
std::optional<Refusal> check_broker_configs(const ConfigMap& values, bool of_cluster);
/// The broker has limits for what a group may ask.
std::optional<Refusal> check_group_configs(const ConfigMap& values, const ConfigLayers& broker);
/// KIP-714.
std::optional<Refusal> check_client_metrics_configs(const ConfigMap& values);

}  // namespace tailrace::kafka
