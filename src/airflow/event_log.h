// Who asked for what through the API: Airflow's audit log, a row for each request that may change
// something, whether it then does or not.
#pragma once

#include <string_view>

#include "airflow/call.h"

namespace tailrace::airflow {

/// How a request is noted.
struct Noted {
  std::string_view event = {};  ///< the name of Airflow's own function; empty: it is not
  std::string_view names = {};  ///< what the path's names are called, with spaces between them
};

/// Before the request is looked at. Not noted: dry runs of clearing. Secrets are ***, and so are
/// the values of variables and the extras of connections.
Answer<void> note(const Call& call, const Noted& noted);

}  // namespace tailrace::airflow
