// Logins: right, wrong, remembered, and not more at once than there is room for.
#include "cql_roles/logins.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace tailrace::cql_roles {
namespace {

// Of "hidden", by jBCrypt (tests/cql/roles.cql), in 2^4 rounds.
constexpr const char* kHidden = "$2a$04$aU1MrMbXHIrikVpjIbOEue5QrzGypgvB9EcD32LT5Ok0zjVt21Cee";

class LoginsTest : public testing::Test {
 protected:
  LoginsTest() { set({.name = "ann", .login = true, .salted_hash = kHidden}); }

  void set(Role role) {
    auto roles = std::make_shared<Roles>();
    roles->add(std::move(role));
    roles->settle();
    roles_ = std::shared_ptr<const Roles>(std::move(roles));
  }
  std::unique_ptr<Logins> logins(std::size_t waiting = 10) {
    Logins::Options options;
    options.waiting = waiting;
    options.clock = &clock_;
    return std::make_unique<Logins>([this] { return roles_.load(); }, options);
  }
  /// What was answered; nothing: it is right.
  static std::string ask(Logins& logins, const std::string& role, const std::string& password) {
    std::promise<std::string> told;
    logins.log_in(role, password, [&](cql_types::Outcome<void> outcome) {
      told.set_value(outcome ? "" : outcome.error().message);
    });
    return told.get_future().get();
  }
  /// Whether it is answered before log_in returns: without bcrypt.
  static bool at_once(Logins& logins, const std::string& role, const std::string& password) {
    std::promise<void> answered;
    std::atomic<std::thread::id> by;
    logins.log_in(role, password, [&](cql_types::Outcome<void>) {
      by = std::this_thread::get_id();
      answered.set_value();
    });
    answered.get_future().wait();
    return by.load() == std::this_thread::get_id();
  }

  std::atomic<RolesPtr> roles_;
  rt::ManualClock clock_{TimestampMs(0)};
};

TEST_F(LoginsTest, only_the_right_password_of_a_role_that_may_log_in_is_let_in) {
  const auto logins = this->logins();
  EXPECT_EQ(ask(*logins, "ann", "hidden"), "");
  EXPECT_EQ(ask(*logins, "ann", "Hidden"), "Provided username ann and/or password are incorrect");
  EXPECT_EQ(ask(*logins, "bea", "hidden"), "Provided username bea and/or password are incorrect");
  set({.name = "ann", .login = false, .salted_hash = kHidden});
  EXPECT_EQ(ask(*logins, "ann", "hidden"), "ann is not permitted to log in");
  set({.name = "ann", .login = true});
  EXPECT_EQ(ask(*logins, "ann", ""), "Provided username ann and/or password are incorrect");
}

TEST_F(LoginsTest, a_right_login_is_remembered_until_its_time_or_its_hash_is_over) {
  const auto logins = this->logins();
  EXPECT_FALSE(at_once(*logins, "ann", "hidden"));
  EXPECT_TRUE(at_once(*logins, "ann", "hidden"));
  EXPECT_FALSE(at_once(*logins, "ann", "hidden2"));
  clock_.advance(std::chrono::seconds(61));
  EXPECT_FALSE(at_once(*logins, "ann", "hidden"));
  EXPECT_TRUE(at_once(*logins, "ann", "hidden"));
  std::string other = kHidden;
  other.back() = 'f';
  set({.name = "ann", .login = true, .salted_hash = other});
  EXPECT_EQ(ask(*logins, "ann", "hidden"), "Provided username ann and/or password are incorrect");
  set({.name = "bea", .login = true, .salted_hash = kHidden});
  EXPECT_EQ(ask(*logins, "ann", "hidden"), "Provided username ann and/or password are incorrect");
}

TEST_F(LoginsTest, a_wrong_login_is_never_remembered) {
  const auto logins = this->logins();
  EXPECT_FALSE(at_once(*logins, "ann", "wrong"));
  EXPECT_FALSE(at_once(*logins, "ann", "wrong"));
}

TEST_F(LoginsTest, who_comes_when_there_is_no_room_is_refused_and_all_are_answered) {
  std::mutex first_waits;
  std::atomic<int> let_in = 0, refused = 0;
  constexpr int kRoom = 3;
  constexpr int kClients = 20;
  {
    const auto logins = this->logins(kRoom);
    first_waits.lock();
    std::promise<void> first_is_there;
    // The only thread stands in the first one's answer meanwhile.
    logins->log_in("ann", "hidden", [&](cql_types::Outcome<void> outcome) {
      first_is_there.set_value();
      const std::lock_guard wait(first_waits);
      (outcome ? let_in : refused) += 1;
    });
    first_is_there.get_future().wait();
    clock_.advance(std::chrono::hours(1));  // nothing is remembered
    for (int i = 1; i < kClients; ++i)
      logins->log_in("ann", "hidden",
                     [&](cql_types::Outcome<void> outcome) { (outcome ? let_in : refused) += 1; });
    EXPECT_EQ(refused, kClients - 1 - kRoom);
    first_waits.unlock();
  }
  EXPECT_EQ(let_in + refused, kClients);
}

}  // namespace
}  // namespace tailrace::cql_roles
