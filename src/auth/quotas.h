// Quotas of clients (KIP-13, 124, 257, 546): what was set for which users and client ids, which of
// it counts for a client, and how long a client that took more has to wait.
//
// Of an entity's parts (user, client-id) each is a name, the default or absent. For a client the
// most exact one counts: user and client id, user and default id, user; default user and client id,
// both defaults, default user; client id; default id. Its rate is that of the samples of the last
// kSamples windows of kWindow; who is over its quota waits until the rate is down to it. Changes of
// topics (KIP-599) come out of a bucket instead, and connections count by address (KIP-612).
//
// Pure but for the file (Quotas): times are given. Threads: all calls of Quotas from any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::auth {

/// A part is absent, the default ("") or a name: <default> itself is no name of a client.
struct QuotaEntity {
  /// nullopt: the default.
  using Part = std::optional<std::string>;
  std::optional<Part> user;
  std::optional<Part> client_id;
  std::optional<Part> ip;

  auto operator<=>(const QuotaEntity&) const = default;
};

/// producer_byte_rate, consumer_byte_rate, request_percentage, controller_mutation_rate,
/// connection_creation_rate.
using QuotaValues = std::map<std::string, double, std::less<>>;

/// A rate over a sliding window, as Kafka measures it.
class Rate {
 public:
  using Millis = std::chrono::milliseconds;
  static constexpr std::size_t kSamples = 11;  // quota.window.num
  static constexpr Millis kWindow{1000};       // quota.window.size.seconds

  void record(double value, Millis now);
  /// Per second.
  double measure(Millis now) const;
  /// How long to wait until the rate is `bound`; 0 when it is not above.
  Millis throttle(double bound, Millis now) const;

 private:
  Millis span(Millis now) const;

  struct Sample {
    Millis from{-1};
    double sum = 0;
  };
  std::array<Sample, kSamples> samples_;
  std::size_t at_ = 0;
};

/// Credits that grow with time up to those of all windows, and may be overdrawn once (KIP-599).
class TokenBucket {
 public:
  using Millis = std::chrono::milliseconds;
  /// How long until nothing is overdrawn; 0 when nothing is.
  Millis wait(double a_second, Millis now);
  void take(double amount) { credits_ -= amount; }

 private:
  double credits_ = 0;
  std::optional<Millis> filled_;  // when last; never: it is full
};

class Quotas {
 public:
  using Millis = std::chrono::milliseconds;
  /// An empty path: nothing is kept.
  explicit Quotas(std::string path) : path_(std::move(path)) {}
  Status open();

  /// Of a clock that only goes forward.
  static Millis now() {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
  }

  std::map<QuotaEntity, QuotaValues> all() const;
  /// nullopt takes away; durable when it returns.
  Status change(const std::map<QuotaEntity, std::map<std::string, std::optional<double>>>& changes);

  /// False: no quota of any client is set, and nothing has to be measured.
  bool any() const { return any_; }
  /// What counts for a client, and for whom else it counts together.
  std::optional<std::pair<double, QuotaEntity>> quota(std::string_view key, const std::string& user,
                                                      const std::string& client_id) const;
  /// Notes what a client took; how long it has to wait, 0 when it is not over.
  Millis take(std::string_view key, const std::string& user, const std::string& client_id,
              double amount, Millis now);
  /// Partitions that a client makes or deletes (controller_mutation_rate). Strict: who is over his
  /// quota takes nothing, and has to wait; else he takes it and has to wait if he then is over.
  Millis take_changes(const std::string& user, const std::string& client_id, double amount,
                      bool strict, Millis now);
  /// A connection of an address (connection_creation_rate): 0 when it may be made; else it does not
  /// count, and so long nothing of that address is taken.
  Millis take_connection(const std::string& address, Millis now);

 private:
  using Who = std::tuple<std::string, std::string, std::string>;
  template <typename Measured>
  static Measured& measured(std::map<Who, Measured>& all, Who who);
  std::optional<std::pair<double, QuotaEntity>> find(std::string_view key, const std::string& user,
                                                     const std::string& client_id) const;
  Status save(const std::map<QuotaEntity, QuotaValues>& all) const;

  const std::string path_;
  mutable std::mutex mutex_;
  std::atomic<bool> any_ = false;
  std::map<QuotaEntity, QuotaValues> quotas_;
  // By what is measured, and who it is: user, and client id where the quota tells them apart.
  std::map<Who, Rate> rates_;
  std::map<Who, TokenBucket> buckets_;
};

}  // namespace tailrace::auth
