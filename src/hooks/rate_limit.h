// How many requests a second: a bucket that fills at a rate and is emptied by one a request; one
// for all, and one for each client's address. They are taken from apart: the address is known at
// once, while what strangers send must not use up what is for all who may send.
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tailrace::hooks {

struct RateConfig {
  double rate = 0;         ///< a second; 0: any
  double client_rate = 0;  ///< of one address
  double burst = 0;        ///< what a bucket holds; 0: a second's, at least one
};

class RateLimit {
 public:
  explicit RateLimit(RateConfig config) : config_(config) {}

  /// Zero: it may pass, and counts. Else how long until it might.
  std::chrono::nanoseconds take_of(std::string_view client, std::chrono::nanoseconds now);
  std::chrono::nanoseconds take_of_all(std::chrono::nanoseconds now);

  /// Beyond so many addresses those that were heard of least recently begin anew.
  static constexpr std::size_t kMostClients = 10'000;

 private:
  struct Bucket {
    double tokens = 0;
    std::chrono::nanoseconds at{0};
  };
  struct Client {
    std::string address;
    Bucket bucket;
  };
  double burst_of(double rate) const;
  std::chrono::nanoseconds take(Bucket& bucket, double rate, std::chrono::nanoseconds now) const;
  Bucket& bucket_of(std::string_view client, std::chrono::nanoseconds now);

  const RateConfig config_;
  std::mutex mutex_;
  Bucket all_;
  bool begun_ = false;
  std::list<Client> clients_;  ///< the one heard of last first
  std::unordered_map<std::string_view, std::list<Client>::iterator> by_address_;
};

}  // namespace tailrace::hooks
