// The features of a cluster (KIP-584, 1022) and the levels they are set to, kept beside the log.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::kafka {

/// A feature as Kafka 4.3.1 knows it.
struct Feature {
  std::string_view name;
  std::int16_t lowest;
  std::int16_t highest;
  std::int16_t usual;  ///< the level of a new cluster
};

class Features {
 public:
  explicit Features(std::string path) : path_(std::move(path)) {}

  /// By name.
  static std::span<const Feature> known();
  /// Reads the levels; a missing file is a new cluster.
  Status load();
  std::int16_t level(std::string_view name) const;
  /// Grows with every change.
  std::int64_t epoch() const;
  /// kInvalidArgument, in Kafka's words, for a name or a level there is not.
  static Status check(std::string_view name, std::int16_t level);
  /// Sets checked levels, all or none; durable when it returns.
  Status set(const std::map<std::string, std::int16_t>& levels);

 private:
  Status save() const;

  const std::string path_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int16_t, std::less<>> levels_;  // that differ from the usual ones
  std::int64_t epoch_ = 1;
};

}  // namespace tailrace::kafka
