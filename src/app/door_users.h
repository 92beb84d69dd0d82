// Who may use a door: what `--…-users` names.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "auth/passwords.h"
#include "base/result.h"

namespace tailrace::app {

/// `users`: a file of lines `USER: PASSWORD`, or `env:NAME`, a variable of the environment with
/// such lines. Errors begin with `flag` or with what cannot be read, and never tell a password.
Result<std::shared_ptr<const auth::Passwords>> door_users(const std::string& users,
                                                          std::string_view flag);

}  // namespace tailrace::app
