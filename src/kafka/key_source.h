// Where the public keys of an identity provider come from: a file or a URL (token_checks.h).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "auth/json_web_keys.h"
#include "base/result.h"

namespace tailrace::kafka {

/// Threads: all calls from any thread; none waits for the network.
class KeySource {
 public:
  virtual ~KeySource() = default;
  /// Those that are known now; never null.
  virtual std::shared_ptr<const auth::JsonWebKeys> keys() = 0;
  /// A token names one that is not among them.
  virtual void missed(const std::string& id) = 0;
};

struct KeyRefresh {
  std::chrono::milliseconds interval{3'600'000};  ///< jwks.endpoint.refresh.ms
  std::chrono::milliseconds backoff{100};         ///< jwks.endpoint.retry.backoff.ms
  std::chrono::milliseconds backoff_most{10'000};
  std::string ca_file;  ///< PEM certificates that are trusted instead of the system's
};

/// Errors name the file.
Result<std::unique_ptr<KeySource>> keys_of_file(std::string path);
/// Waits for the first answer. Errors name the URL.
Result<std::unique_ptr<KeySource>> keys_of_url(std::string url, KeyRefresh refresh);

}  // namespace tailrace::kafka
