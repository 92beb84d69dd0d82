#include "connect/record_file.h"

#include <fmt/format.h>

#include "connect/byte_stream.h"
#include "connect/csv.h"
#include "connect/json_path.h"
#include "connect/parquet_rows.h"

namespace tailrace::connect {
namespace {

bool blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

class JsonLines final : public RecordFile {
 public:
  explicit JsonLines(LineReader lines) : lines_(std::move(lines)) {}

  Result<bool> next(FileRecord& record) override {
    do {
      ASSIGN(const bool more, lines_.next(record.value));
      if (!more) return false;
      ++number_;
      if (number_ == 1 && record.value.starts_with("\xEF\xBB\xBF")) record.value.erase(0, 3);
    } while (blank(record.value));
    record.number = number_;
    const Status good = check_json(record.value);
    record.problem = good ? "" : good.error().what;
    return true;
  }

 private:
  LineReader lines_;
  std::int64_t number_ = 0;
};

class JsonDocument final : public RecordFile {
 public:
  explicit JsonDocument(LineReader lines) : lines_(std::move(lines)) {}

  Result<bool> next(FileRecord& record) override {
    if (!loaded_) TRY(load());
    if (at_ == elements_.size()) return false;
    record.value = std::move(elements_[at_++]);
    record.number = static_cast<std::int64_t>(at_);
    record.problem = problem_;
    return true;
  }

 private:
  Status load() {
    loaded_ = true;
    std::string text, line;
    while (true) {
      ASSIGN(const bool more, lines_.next(line));
      if (!more) break;
      if (text.size() + line.size() > kMaxDocument)
        return error(Code::kResourceExhausted, "a JSON array over 1 GiB: write JSON lines instead");
      text += line;
      text += '\n';
    }
    auto elements = json_elements(text, JsonPath());
    if (elements) {
      elements_ = std::move(*elements);
    } else {
      problem_ = elements.error().what;
      elements_.push_back(std::move(text));
    }
    return {};
  }

  static constexpr std::size_t kMaxDocument = 1 << 30;
  LineReader lines_;
  std::vector<std::string> elements_;
  std::string problem_;
  std::size_t at_ = 0;
  bool loaded_ = false;
};

FileFormat format_by_name(std::string_view name) {
  for (const std::string_view packed : {".gz", ".zst"})
    if (name.ends_with(packed)) name.remove_suffix(packed.size());
  if (name.ends_with(".csv")) return FileFormat::kCsv;
  if (name.ends_with(".parquet")) return FileFormat::kParquet;
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) return FileFormat::kJsonLines;
  return FileFormat::kAuto;
}

}  // namespace

Result<FileFormat> parse_file_format(std::string_view name) {
  if (name == "auto") return FileFormat::kAuto;
  if (name == "jsonl" || name == "json_lines" || name == "ndjson") return FileFormat::kJsonLines;
  if (name == "json") return FileFormat::kJson;
  if (name == "csv") return FileFormat::kCsv;
  if (name == "parquet") return FileFormat::kParquet;
  return error(Code::kInvalidArgument,
               fmt::format("format \"{}\" is none of auto, jsonl, json, csv, parquet", name));
}

Result<std::unique_ptr<RecordFile>> RecordFile::open(const std::string& path, FileFormat format) {
  if (format == FileFormat::kAuto) format = format_by_name(path);
  if (format == FileFormat::kParquet) return open_parquet(path);
  ASSIGN(auto stream, ByteStream::open(path));
  LineReader lines(std::move(stream));
  if (format == FileFormat::kCsv) return open_csv(std::move(lines));
  if (format == FileFormat::kAuto) {
    ASSIGN(const char first, lines.peek());
    format = first == '[' ? FileFormat::kJson : FileFormat::kJsonLines;
  }
  if (format == FileFormat::kJson) return std::make_unique<JsonDocument>(std::move(lines));
  return std::make_unique<JsonLines>(std::move(lines));
}

}  // namespace tailrace::connect
