// What the door for Airflow's clients is told: an address, and a file of its users.
#pragma once

#include <string>

#include "airflow/door.h"
#include "app/run_options.h"
#include "base/result.h"

namespace tailrace::app {

/// `users` as door_users.h says; empty: everybody may. kFailedPrecondition where others than this
/// machine's users reach the address and anybody might trigger what he likes.
Result<airflow::DoorConfig> airflow_config(const AirflowSettings& settings);

}  // namespace tailrace::app
