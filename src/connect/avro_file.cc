#include "connect/avro_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "connect/avro_codec.h"
#include "schema/avro/avro_schema.h"
#include "schema/avro/record_json.h"

namespace tailrace::connect {
namespace {

constexpr std::size_t kSyncBytes = 16;
/// Of a block, packed or not. Writers make them of some ten KiB.
constexpr std::size_t kMostBlock = 256 << 20;
/// Values may take no bytes.
constexpr std::int64_t kMostRecords = 64 << 20;
constexpr std::size_t kMostHead = 64 << 20;
/// What a reject has of a block.
constexpr std::size_t kMostShown = 64 << 10;
constexpr std::size_t kSearched = 1 << 20;

/// The bytes of a file, from wherever one likes.
class Input {
 public:
  static Result<Input> open(const std::string& path) {
    Input input;
    input.file_.open(path, std::ios::binary | std::ios::ate);
    if (!input.file_) return error(Code::kNotFound, path + ": cannot be opened");
    input.size_ = static_cast<std::size_t>(input.file_.tellg());
    input.go_to(0);
    return input;
  }
  std::size_t size() const { return size_; }
  std::size_t at() const { return at_; }
  std::size_t left() const { return size_ - at_; }
  void go_to(std::size_t at) {
    at_ = at;
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(at));
  }
  /// False: the file ends before.
  bool read(std::size_t size, std::string& out) {
    if (size > left()) return false;
    out.resize(size);
    if (!file_.read(out.data(), static_cast<std::streamsize>(size))) return false;
    at_ += size;
    return true;
  }
  std::optional<std::int64_t> read_long() {
    std::uint64_t raw = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const int byte = file_.get();
      if (byte < 0) return std::nullopt;
      ++at_;
      raw |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80)
        return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
    }
    return std::nullopt;
  }
  bool read_counted(std::string& out) {
    const auto size = read_long();
    return size && *size >= 0 && static_cast<std::size_t>(*size) <= kMostHead &&
           read(static_cast<std::size_t>(*size), out);
  }

 private:
  std::ifstream file_;
  std::size_t size_ = 0, at_ = 0;
};

struct FileHead {
  std::map<std::string, std::string> metadata;
  std::string sync;
};

Result<FileHead> read_head(Input& input) {
  const auto damaged = [&] {
    return error(Code::kDataLoss,
                 fmt::format("is no Avro file, or its head is damaged at byte {}", input.at()));
  };
  std::string magic;
  if (!input.read(kAvroMagic.size(), magic) || magic != kAvroMagic) return damaged();
  FileHead head;
  for (;;) {
    auto count = input.read_long();
    if (!count) return damaged();
    if (*count == 0) break;
    if (*count < 0 && !input.read_long()) return damaged();  // how long that part is
    for (std::int64_t i = 0; i < std::abs(*count); ++i) {
      std::string name, value;
      if (!input.read_counted(name) || !input.read_counted(value)) return damaged();
      head.metadata[std::move(name)] = std::move(value);
    }
  }
  if (!input.read(kSyncBytes, head.sync)) return damaged();
  return head;
}

class AvroFile final : public RecordFile {
 public:
  AvroFile(Input input, std::string sync, std::string codec, schema::SchemaPtr writer)
      : input_(std::move(input)),
        sync_(std::move(sync)),
        codec_(std::move(codec)),
        writer_(std::move(writer)) {}

  Result<bool> next(FileRecord& record) override {
    record.problem.clear();
    record.value.clear();
    while (records_ == 0) {
      if (!left_.empty()) return left_over(record);
      if (input_.left() == 0) return false;
      ASSIGN(const bool good, read_block(record));
      if (!good) return true;
    }
    record.number = ++number_;
    if (auto read = schema::avro::append_first_json(writer_, left_, record.value); !read) {
      // Where its next record begins is not known.
      const std::int64_t lost = records_ - 1;
      record.value.assign(as_text(left_).substr(0, kMostShown));
      record.problem = fmt::format("{}: {}{}", block_, read.error().what,
                                   lost > 0 ? fmt::format("; the {} records behind it in the "
                                                          "block are lost with it",
                                                          lost)
                                            : "");
      number_ += lost;
      records_ = 0;
      left_ = {};
      return true;
    }
    --records_;
    return true;
  }

 private:
  bool left_over(FileRecord& record) {
    record.number = number_;
    record.problem = fmt::format("{}: {} bytes are behind its last record", block_, left_.size());
    record.value.assign(as_text(left_).substr(0, kMostShown));
    left_ = {};
    return true;
  }

  /// False: `record` is the reject that it is.
  Result<bool> read_block(FileRecord& record) {
    const std::size_t begin = input_.at();
    ++blocks_;
    block_ = fmt::format("block {} at byte {}", blocks_, begin);
    const auto count = input_.read_long(), size = input_.read_long();
    if (!count || !size) return lost(record, begin, 0, "its head is damaged");
    const bool whole = *count >= 0 && *count <= kMostRecords && *size >= 0 &&
                       static_cast<std::size_t>(*size) <= kMostBlock &&
                       static_cast<std::size_t>(*size) + kSyncBytes <= input_.left();
    if (!whole)
      return lost(record, begin, 0,
                  fmt::format("it says that it has {} records in {} bytes, and {} are left", *count,
                              *size, input_.left()));
    std::string sync;
    if (!input_.read(static_cast<std::size_t>(*size), packed_) || !input_.read(kSyncBytes, sync))
      return error(Code::kUnavailable, block_ + ": it cannot be read");
    if (sync != sync_) return unmarked(record, begin, *count);
    auto data = unpack_avro_block(codec_, packed_, kMostBlock);
    if (!data) {
      record.value.assign(packed_, 0, kMostShown);
      return rejected(record, *count, data.error().what);
    }
    data_ = std::move(*data);
    left_ = as_bytes(data_);
    records_ = *count;
    return true;
  }

  /// What ends it is not the sync marker: it may be that alone, or its length is another.
  Result<bool> unmarked(FileRecord& record, std::size_t begin, std::int64_t count) {
    constexpr const char* kWhy = "what ends it is not the sync marker";
    const std::size_t behind = input_.at();
    if (!is_block_at(behind)) return lost(record, begin, count, kWhy);
    input_.go_to(behind);
    record.value.assign(packed_, 0, kMostShown);
    return rejected(record, count, kWhy);
  }

  /// Or the end of the file.
  bool is_block_at(std::size_t at) {
    input_.go_to(at);
    if (input_.left() == 0) return true;
    const auto count = input_.read_long(), size = input_.read_long();
    if (!count || !size || *count < 0 || *size < 0) return false;
    const std::size_t left = input_.left();
    if (left < kSyncBytes || static_cast<std::size_t>(*size) > left - kSyncBytes) return false;
    input_.go_to(input_.at() + static_cast<std::size_t>(*size));
    std::string sync;
    return input_.read(kSyncBytes, sync) && sync == sync_;
  }

  Result<bool> rejected(FileRecord& record, std::int64_t count, const std::string& why) {
    record.number = number_ + 1;
    record.problem =
        fmt::format("{}{}: {}", block_,
                    count > 1 ? fmt::format(" (records {} to {})", number_ + 1, number_ + count)
                              : std::string(),
                    why);
    number_ += std::max<std::int64_t>(count, 1);
    return false;
  }

  /// Goes on behind the next sync marker; kDataLoss where there is none.
  Result<bool> lost(FileRecord& record, std::size_t begin, std::int64_t count,
                    const std::string& why) {
    const auto behind = behind_next_sync(begin);
    if (!behind) {
      input_.go_to(input_.size());
      return error(Code::kDataLoss, block_ + ": " + why + ", and no block follows");
    }
    input_.go_to(begin);
    if (!input_.read(std::min(kMostShown, *behind - begin), record.value))
      return error(Code::kUnavailable, block_ + ": it cannot be read");
    input_.go_to(*behind);
    return rejected(record, count, why);
  }

  std::optional<std::size_t> behind_next_sync(std::size_t from) {
    std::string piece;
    for (std::size_t at = from; at + kSyncBytes <= input_.size();) {
      input_.go_to(at);
      if (!input_.read(std::min(kSearched, input_.size() - at), piece)) return std::nullopt;
      if (const auto found = piece.find(sync_); found != std::string::npos)
        return at + found + kSyncBytes;
      if (piece.size() < kSearched) return std::nullopt;
      at += piece.size() - kSyncBytes + 1;
    }
    return std::nullopt;
  }

  Input input_;
  const std::string sync_, codec_;
  const schema::SchemaPtr writer_;
  std::string packed_, data_, block_;
  Bytes left_;                ///< of data_
  std::int64_t records_ = 0;  ///< that are left in the block
  std::int64_t number_ = 0, blocks_ = 0;
};

}  // namespace

Result<std::unique_ptr<RecordFile>> open_avro(const std::string& path) {
  ASSIGN(auto input, Input::open(path));
  ASSIGN(auto head, read_head(input));
  const auto codec = head.metadata.find("avro.codec");
  std::string packing = codec == head.metadata.end() ? "null" : codec->second;
  TRY(check_avro_codec(packing));
  const auto text = head.metadata.find("avro.schema");
  if (text == head.metadata.end()) return error(Code::kDataLoss, "has no schema");
  // As files have them that were written long ago: a default that does not fit is no reason.
  auto writer = schema::avro::AvroSchema::parse(text->second, {}, schema::Age::kKnown);
  if (!writer) return error(Code::kDataLoss, "its schema cannot be read: " + writer.error().what);
  return std::make_unique<AvroFile>(std::move(input), std::move(head.sync), std::move(packing),
                                    std::move(*writer));
}

}  // namespace tailrace::connect
