#include "app/door_users.h"

#include <cstdlib>

#include "rt/file.h"

namespace tailrace::app {
namespace {

Result<std::string> users_text(const std::string& users) {
  constexpr std::size_t kMostBytes = 16 << 20;
  constexpr std::string_view kEnvironment = "env:";
  if (!users.starts_with(kEnvironment)) return rt::read_whole(rt::posix_files(), users, kMostBytes);
  const char* text = std::getenv(users.substr(kEnvironment.size()).c_str());
  if (text == nullptr || *text == '\0')
    return error(Code::kInvalidArgument,
                 users + ": the environment has no such variable, of lines USER: PASSWORD");
  return std::string(text);
}

}  // namespace

Result<std::shared_ptr<const auth::Passwords>> door_users(const std::string& users,
                                                          std::string_view flag) {
  const auto text = users_text(users);
  if (!text) return std::unexpected(text.error().in(flag));
  auto known = auth::parse_users(*text);
  if (!known) return std::unexpected(known.error().in(users));
  return std::make_shared<const auth::Passwords>(std::move(*known));
}

}  // namespace tailrace::app
