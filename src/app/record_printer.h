// What `tailrace consume` prints of a record.
//
//   VALUE                                  a line; with a schema its JSON, else the bytes as they
//   are
//   {"topic", "partition", "offset", "timestamp", "key", "value"}          --json
//
// With --json a key or value of a schema is its JSON, with "key_schema" or "value_schema"
// {"id", "type", "subject", "version"} beside it, the last two where they are known. One that
// cannot be decoded is "value_hex" with "value_error" instead of "value", and the same of keys;
// without
// --json the reason goes to standard error, each once.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "app/commands.h"
#include "app/record_decoder.h"
#include "log/record.h"

namespace tailrace::app {

class RecordPrinter {
 public:
  /// Asks the registry when the first record names a schema; `--raw` never. The options must
  /// outlive it.
  explicit RecordPrinter(const ConsumeOptions& options);

  void print(std::int32_t partition, const log::RecordView& record);

 private:
  std::optional<console::DecodedBytes> decoded(bool key, const log::RecordView& record);
  void add(std::string& line, bool key, const log::RecordView& record);
  void say_once(const std::string& why);

  const ConsumeOptions& options_;
  std::unique_ptr<RecordDecoder> decoder_;  ///< null with --raw
  std::set<std::string> said_;
};

}  // namespace tailrace::app
