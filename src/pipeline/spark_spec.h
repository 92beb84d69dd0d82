// spark-pipeline.yml: Spark's pipeline spec, with the errors Spark's own command gives
// (pyspark/pipelines/cli.py, 4.2).
#pragma once

#include "pipeline/project.h"

namespace tailrace::pipeline {

/// Finds the spec in `folder` and reads name, storage, database, configuration and the files of
/// `libraries`.
Result<Project> load_spark_spec(const std::string& folder);

}  // namespace tailrace::pipeline
