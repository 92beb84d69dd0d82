// What the door for Airflow's clients is told: an address, and a file of its users.
#pragma once

#include <string>

#include "airflow/door.h"
#include "base/result.h"

namespace tailrace::app {

/// `users`: a file of lines `USER: PASSWORD`; empty: everybody may. kFailedPrecondition where
/// others than this machine's users reach the address and anybody might trigger what he likes.
Result<airflow::DoorConfig> airflow_config(const std::string& address, const std::string& users);

}  // namespace tailrace::app
