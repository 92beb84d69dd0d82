#include "connect/record_file.h"

#include <fmt/format.h>

#include <optional>

#include "connect/avro_file.h"
#include "connect/byte_stream.h"
#include "connect/csv.h"
#include "connect/json_lines.h"
#include "connect/json_path.h"
#include "connect/json_values.h"
#include "connect/parquet_rows.h"

namespace tailrace::connect {
namespace {

constexpr std::size_t kSniffed = 64 << 10;
constexpr std::string_view kBlanks = " \t\r\n\xEF\xBB\xBF";

FileFormat format_by_name(std::string_view name) {
  for (const std::string_view packed : {".gz", ".zst"})
    if (name.ends_with(packed)) name.remove_suffix(packed.size());
  if (name.ends_with(".csv")) return FileFormat::kCsv;
  if (name.ends_with(".parquet")) return FileFormat::kParquet;
  if (name.ends_with(".avro")) return FileFormat::kAvro;
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) return FileFormat::kJsonLines;
  if (name.ends_with(".json")) return FileFormat::kJson;
  return FileFormat::kAuto;
}

Result<std::string> first_text(const std::string& path, bool packed) {
  if (!packed) return first_bytes(path, kSniffed);
  ASSIGN(const auto stream, ByteStream::open(path));
  std::string text;
  TRY(stream->read(text));
  return text;
}

/// By the first line: "[…" is an array, "{" alone begins a value over several lines.
FileFormat json_by_text(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return FileFormat::kJsonLines;
  std::string_view line = text.substr(first, text.find('\n', first) - first);
  while (!line.empty() && kBlanks.contains(line.back())) line.remove_suffix(1);
  return line.starts_with('[') || line == "{" ? FileFormat::kJson : FileFormat::kJsonLines;
}

}  // namespace

Result<FileFormat> parse_file_format(std::string_view name) {
  if (name == "auto") return FileFormat::kAuto;
  if (name == "jsonl" || name == "json_lines" || name == "ndjson") return FileFormat::kJsonLines;
  if (name == "json") return FileFormat::kJson;
  if (name == "csv") return FileFormat::kCsv;
  if (name == "parquet") return FileFormat::kParquet;
  if (name == "avro") return FileFormat::kAvro;
  if (name == "text") return FileFormat::kText;
  return error(
      Code::kInvalidArgument,
      fmt::format("format \"{}\" is none of auto, jsonl, json, csv, parquet, avro, text", name));
}

bool is_of_lines(FileFormat format) {
  return format == FileFormat::kJsonLines || format == FileFormat::kCsv ||
         format == FileFormat::kText;
}

Result<FileShape> shape_of(const std::string& path, FileFormat given) {
  FileFormat format = given == FileFormat::kAuto ? format_by_name(path) : given;
  const bool packed = is_packed(path);
  const bool sniffed =
      given == FileFormat::kAuto && (format == FileFormat::kAuto || format == FileFormat::kJson);
  if (sniffed) {
    ASSIGN(const std::string text, first_text(path, packed));
    if (format == FileFormat::kAuto && text.starts_with(kAvroMagic))
      return FileShape{FileFormat::kAvro, false};
    const auto first = text.find_first_not_of(kBlanks);
    if (format == FileFormat::kAuto && first != std::string::npos && text[first] != '{' &&
        text[first] != '[')
      return error(
          Code::kInvalidArgument,
          "is of no known kind: name it .jsonl, .json, .csv, .parquet or .avro, or set `format`");
    format = json_by_text(text);
  }
  return FileShape{format, is_of_lines(format) && !packed};
}

Result<std::unique_ptr<RecordFile>> RecordFile::open(const std::string& path,
                                                     const FileShape& shape, const FilePart& part) {
  if (shape.format == FileFormat::kParquet) return open_parquet(path);
  if (shape.format == FileFormat::kAvro) return open_avro(path);
  if (!shape.grows) {
    ASSIGN(auto stream, ByteStream::open(path));
    LineReader bytes(std::move(stream));
    if (shape.format == FileFormat::kCsv) return open_csv({}, std::move(bytes), FilePart{});
    if (shape.format == FileFormat::kJson) return open_json_values(std::move(bytes));
    if (shape.format == FileFormat::kText) return open_text_lines(std::move(bytes), FilePart{});
    return open_json_lines(std::move(bytes), FilePart{});
  }
  ASSIGN(auto stream, ByteStream::open_part(path, part.offset, part.end));
  LineReader lines(std::move(stream), part.offset);
  if (shape.format == FileFormat::kJsonLines) return open_json_lines(std::move(lines), part);
  if (shape.format == FileFormat::kText) return open_text_lines(std::move(lines), part);
  std::optional<LineReader> header;
  if (part.offset > 0) {
    ASSIGN(auto beginning, ByteStream::open_part(path, 0, part.offset));
    header.emplace(std::move(beginning));
  }
  return open_csv(std::move(header), std::move(lines), part);
}

}  // namespace tailrace::connect
