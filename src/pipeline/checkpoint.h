// What a checkpoint says: the one record that joins positions and counts, with the number of the
// lake commits that go with it (lake_commits.h). Kept under the key "c" as JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/store.h"
#include "pipeline/dead_letters.h"
#include "pipeline/topic_reader.h"

namespace tailrace::pipeline {

struct FlowMark {
  std::string definition;  ///< of the plan the state belongs to
  std::string text;        ///< Flow::text
  std::string failed;      ///< why it stopped, or empty
  std::vector<std::pair<std::int64_t, std::int64_t>> expectations;  ///< passed, failed
};

/// Records that kept and broke an expectation, by its name.
using NamedCounts = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;

struct Checkpoint {
  std::string engine = "embedded";  ///< which one keeps the tables; or "spark"
  std::int64_t number = 0;
  std::map<std::string, Positions> positions;  ///< by topic
  std::map<std::string, std::int64_t> rows;    ///< by table
  std::map<std::string, FlowMark> flows;
  std::map<std::string, std::int64_t> decoded;  ///< by topic: records that could be decoded
  /// By topic and name: passed and failed.
  std::map<std::string, NamedCounts> topic_expectations;
  std::optional<LetterTotals> letters;

  /// nullopt in a new store; kDataLoss when it cannot be read.
  static Result<std::optional<Checkpoint>> load(const kv::Store& store);
  /// The same, of that engine: kFailedPrecondition where another one keeps the tables of `data`.
  static Result<std::optional<Checkpoint>> load_of(std::string_view engine, const kv::Store& store,
                                                   const std::string& data);
  void write(kv::WriteBatch& batch) const;
};

}  // namespace tailrace::pipeline
