// `tailrace init`: a small project that runs, with the generator as its source.
#include <filesystem>

#include "pipeline/project.h"
#include "rt/file.h"

namespace tailrace::pipeline {
namespace {

constexpr const char* kTransformations = R"(-- Bronze: every record as it came.
CREATE STREAMING TABLE events_raw
TBLPROPERTIES ('quality' = 'bronze')
AS SELECT key, value, topic, partition, offset, timestamp FROM STREAM events;

-- Silver: typed columns; a record without an id goes to the dead letters.
CREATE STREAMING TABLE events_clean (
  CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW
)
TBLPROPERTIES ('quality' = 'silver')
AS SELECT e.login.uuid AS id, e.name.first AS first_name,
  coalesce(e.location.country, 'unknown') AS country
FROM (
  SELECT from_json(value, 'login STRUCT<uuid: STRING>, name STRUCT<first: STRING>,
    location STRUCT<country: STRING>') AS e
  FROM STREAM events_raw
);

-- Gold: kept up to date with every record.
CREATE MATERIALIZED VIEW people_by_country
TBLPROPERTIES ('quality' = 'gold')
AS SELECT country, count(*) AS people FROM events_clean GROUP BY country;
)";

constexpr const char* kSettings = R"(topics:
  events: {partitions: 1, format: json}

ingest:
  - name: generator
    topic: events
    use: fake
    fake: {kind: random_user, seed: 1, first: 100, rate: 10}

serving:
  people_by_country: {key: [country]}
)";

}  // namespace

Status init_project(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failed;
  if (fs::exists(folder, failed))
    return error(Code::kAlreadyExists, folder + " is already there; choose another name");
  const fs::path root = fs::absolute(folder);
  rt::FileSystem& files = rt::posix_files();
  TRY(files.make_folder((root / "transformations").string()));
  const std::string spec =
      "name: " + root.filename().string() + "\nstorage: file://" + root.string() +
      "/pipeline-storage\nlibraries:\n  - glob:\n      include: transformations/**\n";
  TRY(rt::write_atomically(files, (root / "spark-pipeline.yml").string(), spec));
  TRY(rt::write_atomically(files, (root / "transformations/people.sql").string(),
                           kTransformations));
  TRY(rt::write_atomically(files, (root / "tailrace.yml").string(), kSettings));
  return rt::write_atomically(files, (root / ".gitignore").string(), ".tailrace/\n");
}

}  // namespace tailrace::pipeline
