// Ctrl-C and a manager's SIGTERM, as a flag that a loop looks at.
#pragma once

#include "log/log.h"

namespace tailrace::app {

/// From now on SIGINT and SIGTERM set the flag instead of ending the program.
void watch_stop_signals();
/// One of them came since.
bool stop_asked();
void wait_for_stop();
/// Looks after the log until then.
void keep_until_stop(log::Log& log);

}  // namespace tailrace::app
