// Whether who logs in is who he says: a few threads for bcrypt, which takes 60 ms and more, and a
// bounded line before them, so that guessing passwords takes neither the threads of sockets nor
// more of the machine than theirs. A login that was right is right again for a while without
// bcrypt: pools of connections come back at once.
//
// Threads: log_in is called from any; `done` may be called before it returns, or later from one of
// Logins'.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cql_roles/roles.h"
#include "cql_types/failure.h"
#include "rt/clock.h"

namespace tailrace::cql_roles {

class Logins {
 public:
  struct Options {
    int threads = 1;
    std::size_t waiting = 200;  ///< before the threads; who comes then is refused
    std::chrono::milliseconds remembered = std::chrono::minutes(1);
    std::size_t most_remembered = 10'000;
    rt::Clock* clock = nullptr;  ///< null: the machine's
  };

  /// `roles` tells the present ones; any thread.
  Logins(std::function<RolesPtr()> roles, Options options);
  /// Answers who still waits with a refusal.
  ~Logins();
  Logins(const Logins&) = delete;
  Logins& operator=(const Logins&) = delete;

  /// kBadCredentials, in Cassandra's words, or nothing.
  using Done = std::move_only_function<void(cql_types::Outcome<void>)>;
  void log_in(std::string role, std::string password, Done done);

 private:
  struct Login {
    std::string role, password;
    Done done;
  };

  void loop();
  void decide(Login login);
  /// What is remembered of a login: nobody finds the password by it.
  std::string digest_of(const Login& login, const std::string& salted_hash) const;
  bool is_remembered(const std::string& digest);
  void remember(const std::string& digest);
  std::chrono::nanoseconds now() const { return clock_.monotonic(); }

  const std::function<RolesPtr()> roles_;
  const Options options_;
  rt::Clock& clock_;
  const std::string secret_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Login> waiting_;
  std::map<std::string, std::chrono::nanoseconds> remembered_;  // until when
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tailrace::cql_roles
