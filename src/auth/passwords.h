// Whether a password is a user's, for doors where clients send the password itself (HTTP Basic, RFC
// 7617): users of a file, or those whose SCRAM credentials are kept.
//
//   file, a line:  USER: PASSWORD[,ROLE…]        # before remarks
//
// Threads: all calls from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/scram_users.h"
#include "base/result.h"

namespace tailrace::auth {

/// A user of a file.
struct FileUser {
  std::string password;
  std::vector<std::string> roles = {};
};
using FileUsers = std::map<std::string, FileUser>;

/// The form of Jetty's PropertyFileLoginModule, passwords as they are; kInvalidArgument names the
/// line and never what is in it.
Result<FileUsers> parse_users(std::string_view text);

/// What a client says in Authorization: Basic.
struct BasicLogin {
  std::string user, password;
};
/// Absent when the header says something else.
std::optional<BasicLogin> basic_login(std::string_view authorization);

class Passwords {
 public:
  explicit Passwords(FileUsers users) : file_(std::move(users)) {}
  /// `users` must outlive it; what is changed there counts at once.
  explicit Passwords(const ScramUsers& users);

  bool is_right(const std::string& user, std::string_view password) const;
  /// Whether the user has one of the roles; users without a file have none.
  bool has_role(const std::string& user, const std::vector<std::string>& wanted) const;

 private:
  /// A password that was found right, told apart without the work of SCRAM.
  struct Seen {
    ScramCredential credential;
    std::string digest;
  };
  bool is_scram_password(const std::string& user, std::string_view password) const;

  FileUsers file_;
  const ScramUsers* users_ = nullptr;
  std::string key_;  ///< of digests
  mutable std::mutex mutex_;
  mutable std::map<std::string, Seen> seen_;  ///< by user; as many as there are users at most
};

}  // namespace tailrace::auth
