// The actions of a Delta log (protocol reader 1, writer 2) as structs, and as lines of JSON.
//
// Delta protocol: https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Actions". Unknown
// actions and fields are skipped on reading; a table that asks for a newer reader or for features
// is refused (kUnimplemented).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columns/types.h"

namespace tailrace::lake {

/// The version of a table: the number of its log file.
using Version = std::int64_t;

/// A data file that is part of the table. `path` is relative to the table's folder, URL-encoded as
/// in the log.
struct AddFile {
  std::string path;
  std::vector<std::pair<std::string, std::optional<std::string>>> partition_values;
  std::int64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
  bool data_change = true;
  std::string stats;  ///< JSON {numRecords, minValues, maxValues, nullCount}, may be empty
};

struct RemoveFile {
  std::string path;
  std::int64_t deleted_ms = 0;
  bool data_change = true;
  std::vector<std::pair<std::string, std::optional<std::string>>> partition_values;
  std::int64_t size_bytes = 0;
};

struct Metadata {
  std::string id;
  std::string name;
  std::string schema_string;
  std::vector<std::string> partition_columns;
  std::vector<std::pair<std::string, std::string>> configuration;
  std::int64_t created_ms = 0;
};

struct Txn {
  std::string app_id;
  std::int64_t version = 0;
  std::int64_t updated_ms = 0;
};

struct Protocol {
  int reader = 1;
  int writer = 2;
  std::vector<std::string>
      features;  ///< of readers 3 and writers 7: timestampNtz is the one we write
};

/// What one commit says; empty parts are not written.
struct Actions {
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::vector<Txn> txns;
  std::vector<RemoveFile> removes;
  std::vector<AddFile> adds;
  std::string operation;          ///< commitInfo.operation, as "WRITE", "MERGE", "OPTIMIZE"
  std::int64_t timestamp_ms = 0;  ///< commitInfo.timestamp
};

/// One action a line.
std::string to_text(const Actions& actions);
Result<Actions> actions_from_text(std::string_view text);

}  // namespace tailrace::lake
