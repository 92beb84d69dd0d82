// The records of a project's topics as Parquet files that Spark reads as a stream of files.
//
// FOLDER/topics/<topic>/<topic>-<20-digit sequence>.parquet holds the columns of the topic's
// relation; records that are not JSON included, but not those that a topic's schema cannot read;
// FOLDER/topics/<topic>.positions holds how many files there are, the next offset of each partition
// and how many records they hold. Files are never changed, are durable before the positions say so,
// and are named in place by one rename: a second export adds files of the records that came since.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "pipeline/project.h"
#include "pipeline/topic_reader.h"
#include "pipeline/topic_type.h"

namespace tailrace::pipeline {

/// How far a topic is exported.
struct Exported {
  std::int64_t files = 0;
  std::int64_t records = 0;
  Positions positions;
};

/// Nothing yet where there is no export.
Result<Exported> read_exported(const std::string& folder, const std::string& topic);

struct TopicExport {
  std::string topic;
  std::int64_t records = 0;  ///< written by this call
  std::int64_t removed = 0;  ///< retention removed them before an export could write them
};

/// Writes what is new in each topic of the project. The caller is the one writer of FOLDER.
/// `schemas` is asked for what wrote the records of topics that have types; null where there are
/// none.
Result<std::vector<TopicExport>> export_topics(log::Log& log, const Project& project,
                                               const std::string& folder,
                                               const TopicTypes& types = {},
                                               subjects::SchemaClient* schemas = nullptr);

}  // namespace tailrace::pipeline
