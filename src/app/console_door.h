// What the control centre is told of its door: an address, TLS, and who may come in.
#pragma once

#include <string>

#include "app/run_options.h"
#include "base/result.h"
#include "console/console.h"

namespace tailrace::app {

/// `data` has the token by which commands that can read the folder come in; it is made anew.
Result<console::ConsoleConfig> console_config(const ConsoleSettings& settings,
                                              const std::string& data);
/// The token of the program that runs on `data`; empty when it asks for none.
std::string console_token(const std::string& data);
/// After the door has closed.
void forget_console_token(const std::string& data);

}  // namespace tailrace::app
