// The users whose passwords SCRAM checks: kept by name and mechanism in one file.
//
//   line:  USER MECHANISM ITERATIONS SALT STORED_KEY SERVER_KEY      the last three in base64
//
// Threads: all calls from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/scram.h"
#include "base/result.h"

namespace tailrace::auth {

class ScramUsers {
 public:
  explicit ScramUsers(std::string path) : path_(std::move(path)) {}
  Status open();

  using Key = std::pair<std::string, ScramMechanism>;
  std::optional<ScramCredential> find(const std::string& user, ScramMechanism mechanism) const;
  /// Mechanisms and iterations of every user, by name.
  std::map<std::string, std::vector<std::pair<ScramMechanism, std::int32_t>>> all() const;
  /// nullopt takes away. All of it or nothing; durable when it returns.
  Status change(const std::map<Key, std::optional<ScramCredential>>& changes);

 private:
  const std::string path_;
  mutable std::mutex mutex_;
  std::map<Key, ScramCredential> users_;
};

}  // namespace tailrace::auth
