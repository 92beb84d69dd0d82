#include "log/offset_checkpoint.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

namespace tailrace::log {

std::string encode_checkpoint(const OffsetCheckpoint& offsets) {
  std::string text = fmt::format("0\n{}\n", offsets.size());
  for (const auto& [key, offset] : offsets) {
    text += fmt::format("{} {} {}\n", key.first, key.second.value, offset.value);
  }
  return text;
}

Result<OffsetCheckpoint> decode_checkpoint(std::string_view text) {
  std::istringstream in{std::string(text)};
  int version = -1;
  std::size_t count = 0;
  if (!(in >> version >> count) || version != 0) {
    return error(Code::kDataLoss, "no checkpoint of version 0");
  }
  OffsetCheckpoint offsets;
  std::string topic;
  std::int32_t partition;
  std::int64_t offset;
  while (in >> topic >> partition >> offset) {
    if (partition < 0 || offset < 0) return error(Code::kDataLoss, "negative number");
    offsets[{topic, PartitionId(partition)}] = Offset(offset);
  }
  if (!in.eof() || offsets.size() != count) {
    return error(Code::kDataLoss,
                 fmt::format("{} entries where {} are announced", offsets.size(), count));
  }
  return offsets;
}

Result<OffsetCheckpoint> read_checkpoint(rt::FileSystem& files, const std::string& path) {
  auto text = rt::read_whole(files, path, 64 << 20);
  if (!text) {
    if (text.error().code == Code::kNotFound) return OffsetCheckpoint{};
    return std::unexpected(text.error());
  }
  auto offsets = decode_checkpoint(*text);
  if (!offsets) return std::unexpected(offsets.error().in(path));
  return offsets;
}

}  // namespace tailrace::log
