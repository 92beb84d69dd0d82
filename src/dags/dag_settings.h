// What a DAG file says of a DAG beside its tasks: words, numbers, dates, schedule, params,
// deadlines.
#pragma once

#include "dags/build.h"

namespace tailrace::dags {

/// The settings of `config` into `dag`; `defaults` becomes its default_args, with their dates read
/// and without their params, which are the DAG's.
void read_settings(const Node& config, const Building& building, Dag& dag, Node& defaults);

/// What a finding adds where Airflow has a feature and dag-factory 1.1 has no key for it.
inline constexpr const char* kNeedsLoader =
    "; dag-factory 1.1 does not pass it on: on Airflow use the loader that `tailrace airflow` "
    "writes";

}  // namespace tailrace::dags
