// `tailrace init`: a small project that runs, with the generator as its source, and comments that
// teach.
#include <filesystem>
#include <map>

#include "pipeline/project.h"
#include "rt/file.h"

namespace tailrace::pipeline {
namespace {

constexpr const char* kBronze =
    R"(-- Bronze: every record as it came. STREAM reads a topic record by record.
-- A topic's columns: key, value, topic, partition, offset, timestamp.
CREATE STREAMING TABLE events_raw
COMMENT 'Records of the topic events, as they came'
AS SELECT key, value, topic, partition, offset, timestamp
FROM STREAM events;
)";

constexpr const char* kSilver =
    R"(-- Silver: typed columns. from_json takes out what its schema names; what does not fit
-- is NULL. An expectation without ON VIOLATION only counts; DROP ROW sends the row to the dead
-- letters; FAIL UPDATE stops this table.
CREATE STREAMING TABLE people (
  CONSTRAINT plausible_age EXPECT (age BETWEEN 0 AND 120),
  CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW
)
COMMENT 'One row for each record'
AS SELECT
  e.login.uuid AS id,
  e.name.first AS first_name,
  coalesce(e.location.country, 'unknown') AS country,
  e.dob.age AS age,
  timestamp AS seen_at
FROM (
  SELECT timestamp, from_json(value, 'login STRUCT<uuid: STRING>, name STRUCT<first: STRING>,
    location STRUCT<country: STRING>, dob STRUCT<age: INT>') AS e
  FROM STREAM events_raw
);
)";

constexpr const char* kGold =
    R"(-- Gold: a materialized view always equals its query.
CREATE MATERIALIZED VIEW people_by_country
COMMENT 'How many people, and how old'
AS SELECT country, count(*) AS people, round(avg(age), 1) AS avg_age
FROM people
GROUP BY country;

-- The ten newest people.
CREATE MATERIALIZED VIEW newest_people
AS SELECT id, first_name, country, seen_at
FROM people
ORDER BY seen_at DESC, id
LIMIT 10;
)";

constexpr const char* kSettings =
    R"(# What is outside the SQL: topics, where records come from, which tables are served by key.

# roles: {log: kafka://HOST:9092}    # the topics on a real Kafka instead of in the data folder

topics:
  events:
    partitions: 1
    format: json          # a record that is not JSON goes to the dead letters

# `use` says which of the blocks beside it works: fake, http, files … (`tailrace sources` has them
# all). Change that one word for data of your own.
ingest:
  - name: generator
    topic: events
    use: fake
    fake:
      kind: random_user   # records in the shape of randomuser.me
      seed: 1
      first: 100          # at once, so that there is something to see
      rate: 10            # then so many each second
      faults: {null_ids: 0.02}   # some without an id, so that there are dead letters to look at
    http:
      url: https://randomuser.me/api/?results=50
      every: 10s
      records: $.results  # each element of this list becomes one record
    files:
      path: input/        # JSON lines, JSON arrays, CSV, Parquet; .gz and .zst too

# Served tables: GET /api/tables/people_by_country/Norway
serving:
  people_by_country: {key: [country]}
  newest_people: {key: [id]}
)";

constexpr const char* kReadme = R"(
    ingest -> topic events -> events_raw -> people -> people_by_country, newest_people
                              (bronze)      (silver)  (gold, served)

Run it here:

    tailrace run .

and, while it runs, in another terminal:

    tailrace status .                                            each hop, and why one is empty
    tailrace sql . -c 'SELECT * FROM people_by_country ORDER BY people DESC LIMIT 5'
    tailrace sql . -c 'SELECT reason, origin, record FROM system.dead_letters LIMIT 5'
    curl 'http://127.0.0.1:9021/api/tables/people_by_country/Norway'

- `transformations/*.sql` are the tables: change the SQL and start again; only what changed is
  computed anew. `tailrace check .` says what is wrong before.
- `tailrace.yml` says where records come from. For data of your own change `use: fake` to `http` or
  `files`.
- `spark-pipeline.yml` is Spark's own: `tailrace spark .` runs the same tables on Spark.
- `.tailrace/` holds the data: the topics, the state, and every table as a Delta table in
  `.tailrace/lake/`. Remove it to start from nothing.
)";

}  // namespace

Status init_project(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failed;
  if (fs::exists(folder, failed))
    return error(Code::kAlreadyExists, folder + " is already there; choose another name");
  const fs::path root = fs::absolute(folder).lexically_normal();
  const std::string name =
      (root.has_filename() ? root.filename() : root.parent_path().filename()).string();
  rt::FileSystem& files = rt::posix_files();
  if (auto made = files.make_folder((root / "transformations").string()); !made)
    return std::unexpected(made.error().in(folder));
  const std::map<std::string, std::string> contents = {
      {"spark-pipeline.yml",
       "# Spark's own pipeline spec: which SQL files make the tables. Tailrace reads it as Spark "
       "does.\nname: \"" +
           name + "\"\nstorage: \"file://" + root.string() +
           "/pipeline-storage\"   # used by Spark only\nlibraries:\n  - glob:\n      include: "
           "transformations/**\n"},
      {"transformations/bronze.sql", kBronze},
      {"transformations/silver.sql", kSilver},
      {"transformations/gold.sql", kGold},
      {"tailrace.yml", kSettings},
      {"README.md", "# " + name + "\n" + kReadme},
      {".gitignore", ".tailrace/\npipeline-storage/\n"}};
  for (const auto& [file, text] : contents)
    TRY(rt::write_atomically(files, (root / file).string(), text));
  return {};
}

}  // namespace tailrace::pipeline
