// Ctrl-C and a manager's SIGTERM, as a flag that a loop looks at.
#pragma once

namespace tailrace::app {

/// From now on SIGINT and SIGTERM set the flag instead of ending the program.
void watch_stop_signals();
/// One of them came since.
bool stop_asked();

}  // namespace tailrace::app
