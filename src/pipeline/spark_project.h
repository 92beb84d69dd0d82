// A project as a plain Spark pipeline project: what `tailrace spark` writes and open Spark 4.2
// runs.
//
//   spark-pipeline.yml          the project's own, with storage, catalogue and warehouse below the
//   folder transformations/*.sql       the SQL files as they are; only a statement with what open
//   Spark refuses is rewritten transformations/tailrace_topics.py   the topics' relations, read
//   from topics/ topics/<topic>/*.parquet    the topics' records (spark_export.h)
//
// What is rewritten: OR REFRESH goes away. A table with expectations becomes a view of its query,
// the table that takes the rows which hold, and, with DROP ROW, a table of those which do not:
//
//   CREATE STREAMING TABLE t (CONSTRAINT c EXPECT (x) ON VIOLATION DROP ROW) AS q
//   →  CREATE TEMPORARY VIEW t__checked AS q;
//      CREATE STREAMING TABLE t AS SELECT * FROM STREAM t__checked WHERE (x) IS TRUE;
//      CREATE STREAMING TABLE t__quarantine AS SELECT *, … AS reason FROM STREAM t__checked WHERE
//      NOT ((x) IS TRUE)
//
// `reason` is the names of the broken DROP ROW expectations, joined by ", ". FAIL UPDATE raises an
// error for the first row that breaks it, and is looked at before DROP ROW. An expectation that
// only warns disappears. NULL is a violation. A JSON topic's records that are not JSON go to
// RELATION__rejected instead of the relation. Where a topic's format has a schema its records are
// read by it before Spark gets them: the value is the same STRUCT.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/project.h"
#include "pipeline/topic_type.h"

namespace tailrace::pipeline {

struct WrittenFile {
  std::string path;  ///< below the written project's folder
  std::string text;
};

/// The files of the Spark project for `project`, in `folder` (absolute: Spark's storage is a URI).
/// Nothing is written. kInvalidArgument: SQL that does not parse. kUnimplemented, with the place:
/// SQL that has no form in open Spark.
Result<std::vector<WrittenFile>> spark_project(const Project& project, const std::string& folder,
                                               const TopicTypes& types = {});

/// Writes the files; others in the folder stay as they are (the tables, catalogue and checkpoints
/// of earlier runs).
Status write_spark_project(const std::vector<WrittenFile>& files, const std::string& folder);

}  // namespace tailrace::pipeline
