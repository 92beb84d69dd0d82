// One input file as a sequence of JSON values: JSON lines, a JSON array or pretty-printed values,
// CSV with a header, Parquet, Avro, or lines of text as {"line": …}; gzip and zstd are unpacked on
// the way. The sequence depends on the file's bytes and the FilePart alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::connect {

enum class FileFormat { kAuto, kJsonLines, kJson, kCsv, kParquet, kAvro, kText };
Result<FileFormat> parse_file_format(std::string_view name);
/// A file of it may grow, record by record.
bool is_of_lines(FileFormat format);

/// What a file is. One that grows by lines can be read from where the last reading ended; any other
/// is read from its beginning.
struct FileShape {
  FileFormat format = FileFormat::kJsonLines;
  bool grows = false;
};

/// kAuto goes by the name, then by the first bytes. kInvalidArgument: of no known kind.
Result<FileShape> shape_of(const std::string& path, FileFormat format);

/// What a last line without its '\n' is worth.
enum class LastLine : std::int8_t {
  kMayGoOn = 0,      ///< a whole JSON object or array is taken, anything else waits
  kProbablyAll = 1,  ///< so is another JSON value and a row of CSV
  kAll = 2,          ///< so is anything: text is taken, what is no record is a reject
};

/// Which part of a growing file is read. Others are read whole.
struct FilePart {
  std::int64_t offset = 0;
  std::int64_t end = 0;
  std::int64_t line = 0;   ///< lines before `offset`
  bool open_line = false;  ///< the line before `offset` had no '\n' when it was taken
  LastLine last = LastLine::kAll;

  bool operator==(const FilePart&) const = default;
};

struct FileRecord {
  std::string value;        ///< JSON, or the bytes as they are when it was rejected
  std::int64_t number = 0;  ///< line (text) or row (Parquet, Avro, JSON array), from 1
  std::string problem;      ///< why it is a reject; empty for a record
};

class RecordFile {
 public:
  virtual ~RecordFile() = default;
  /// False at the end. kDataLoss: damaged, or cut short.
  virtual Result<bool> next(FileRecord& record) = 0;
  /// The part with offset, line and open_line after the last record.
  const FilePart& part() const { return part_; }

  static Result<std::unique_ptr<RecordFile>> open(const std::string& path, const FileShape& shape,
                                                  const FilePart& part);

 protected:
  FilePart part_;
};

}  // namespace tailrace::connect
