#include "cql_roles/logins.h"

#include <fmt/format.h>

#include "auth/digest.h"
#include "cql_roles/passwords.h"

namespace tailrace::cql_roles {

using cql_types::ErrorCode;
using cql_types::Outcome;

namespace {

std::unexpected<cql_types::Failure> refused(std::string what) {
  return cql_types::failure(ErrorCode::kBadCredentials, std::move(what));
}

Outcome<void> wrong(const std::string& role) {
  return refused(fmt::format("Provided username {} and/or password are incorrect", role));
}

Outcome<void> check_login(const Roles& roles, const std::string& name) {
  const Role* role = roles.find(name);
  if (role != nullptr && role->login) return {};
  return refused(fmt::format("{} is not permitted to log in", name));
}

std::string hash_of(const Roles& roles, const std::string& name) {
  const Role* role = roles.find(name);
  return role == nullptr ? std::string() : role->salted_hash;
}

/// A hash of nothing: who is not there takes as long to refuse as who is.
constexpr std::string_view kNobodysHash = "$2a$10$......................";

}  // namespace

Logins::Logins(std::function<RolesPtr()> roles, Options options)
    : roles_(std::move(roles)),
      options_(options),
      clock_(options.clock != nullptr ? *options.clock : rt::system_clock()),
      secret_(auth::random_bytes(64)) {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { loop(); });
}

Logins::~Logins() {
  std::deque<Login> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(waiting_);
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
  for (auto& login : left)
    login.done(refused("Unable to perform authentication: the server stops"));
}

std::string Logins::digest_of(const Login& login, const std::string& salted_hash) const {
  // Neither a role nor a hash tells by its length where it ends: the lengths stand before.
  return auth::hmac_sha512(
      secret_, fmt::format("{}:{}:{}{}{}", login.role.size(), salted_hash.size(), login.role,
                           salted_hash, login.password));
}

bool Logins::is_remembered(const std::string& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.find(digest);
  if (found == remembered_.end()) return false;
  if (now() < found->second) return true;
  remembered_.erase(found);
  return false;
}

void Logins::remember(const std::string& digest) {
  const std::lock_guard lock(mutex_);
  if (remembered_.size() >= options_.most_remembered) {
    std::erase_if(remembered_, [&](const auto& one) { return one.second <= now(); });
    if (remembered_.size() >= options_.most_remembered) remembered_.clear();
  }
  remembered_[digest] = now() + options_.remembered;
}

void Logins::log_in(std::string role, std::string password, Done done) {
  Login login{std::move(role), std::move(password), std::move(done)};
  const RolesPtr roles = roles_();
  const std::string salted_hash = hash_of(*roles, login.role);
  if (!salted_hash.empty() && is_remembered(digest_of(login, salted_hash)))
    return login.done(check_login(*roles, login.role));
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() < options_.waiting) {
      waiting_.push_back(std::move(login));
      changed_.notify_one();
      return;
    }
  }
  login.done(refused("Unable to perform authentication: too many clients log in at once"));
}

void Logins::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Login login = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    decide(std::move(login));
    lock.lock();
  }
}

void Logins::decide(Login login) {
  const RolesPtr roles = roles_();
  const std::string salted_hash = hash_of(*roles, login.role);
  const std::string digest = digest_of(login, salted_hash);
  // It may have been remembered while it waited.
  const bool usable = form_of_hash(salted_hash) == HashForm::kUsable;
  if (!usable) is_password(login.password, kNobodysHash);
  const bool right = usable && (is_remembered(digest) || is_password(login.password, salted_hash));
  if (!right) return login.done(wrong(login.role));
  remember(digest);
  login.done(check_login(*roles, login.role));
}

}  // namespace tailrace::cql_roles
