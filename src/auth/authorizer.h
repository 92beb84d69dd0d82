// The rules of a broker with those who stand above them: kept in one file, and asked for every
// action. Who is denied something that he named has a line in the log.
//
//   line:  RESOURCE PATTERN NAME PRINCIPAL HOST OPERATION PERMISSION      numbers of the protocol
//
// Threads: all calls from any thread.
#pragma once

#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/acl.h"
#include "base/result.h"

namespace tailrace::auth {

struct AuthorizerConfig {
  std::set<std::string, std::less<>> super_users;  ///< super.users: "User:admin"
  bool everyone_else = false;                      ///< allow.everyone.if.no.acl.found
};

class Authorizer {
 public:
  Authorizer(std::string path, AuthorizerConfig config)
      : path_(std::move(path)), config_(std::move(config)), acls_(config_.everyone_else) {}
  /// Reads the rules. kDataLoss names the file.
  Status open();

  /// `request` is what the line in the log calls it; empty: nobody named the resource, no line.
  bool allows(const Action& action, std::string_view request) const;
  bool allows_on_some(const Action& action) const;

  std::vector<Acl> matching(const AclFilter& filter) const;
  /// Durable when they return.
  Status add(const std::vector<Acl>& acls);
  /// What was taken away, filter by filter.
  Result<std::vector<std::vector<Acl>>> remove(const std::vector<AclFilter>& filters);

 private:
  Status save(const Acls& acls) const;

  const std::string path_;
  const AuthorizerConfig config_;
  mutable std::shared_mutex mutex_;
  Acls acls_;
};

}  // namespace tailrace::auth
