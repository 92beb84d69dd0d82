#include "app/topic_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace tailrace::app {
namespace {

constexpr std::size_t kShownBytes = 4096;
constexpr std::size_t kShownJsonBytes = 16384;
constexpr std::size_t kShownHeaders = 50;
constexpr std::size_t kMostBytes = 64 << 20;

console::ShownBytes shown(std::string_view bytes) {
  return {std::string(bytes.substr(0, kShownBytes)), static_cast<std::int64_t>(bytes.size()), {}};
}

std::optional<console::ShownBytes> shown(const std::optional<std::string_view>& bytes) {
  if (!bytes) return std::nullopt;
  return shown(*bytes);
}

/// Cut between characters.
void shorten(console::DecodedBytes& decoded) {
  std::string& json = decoded.json;
  decoded.cut = json.size() > kShownJsonBytes;
  if (!decoded.cut) return;
  std::size_t end = kShownJsonBytes;
  while (end > 0 && (json[end] & 0xC0) == 0x80) --end;
  json.resize(end);
}

/// A key or value, decoded where it names a schema.
std::optional<console::ShownBytes> shown(const std::optional<std::string_view>& bytes,
                                         const std::string& topic, bool key,
                                         const log::HeaderViews& headers, RecordDecoder* decoder) {
  auto out = shown(bytes);
  if (!out || !decoder) return out;
  out->decoded = decoder->decode(topic, key, *bytes, headers);
  if (out->decoded) shorten(*out->decoded);
  return out;
}

console::TopicRecord shown(const log::RecordView& record, const std::string& topic,
                           RecordDecoder* decoder) {
  console::TopicRecord out{.offset = record.offset.value,
                           .time_ms = record.timestamp.value,
                           .key = shown(record.key, topic, true, record.headers, decoder),
                           .value = shown(record.value, topic, false, record.headers, decoder),
                           .headers = {}};
  auto headers = record.headers;
  for (log::Header header; out.headers.size() < kShownHeaders && headers.next(header);)
    out.headers.push_back({std::string(header.key.substr(0, kShownBytes)), shown(header.value)});
  return out;
}

std::unexpected<Error> beyond(const log::Partition& partition, std::int64_t offset) {
  return error(Code::kOutOfRange,
               fmt::format("{}-{}@{}: the partition ends at offset {}", partition.topic(),
                           partition.id().value, offset, partition.high_watermark().value));
}

/// Reads on from an offset and keeps the first or the last records of what it reads.
class Look {
 public:
  Look(log::Partition& partition, std::size_t limit, bool newest, ReadBytes read_bytes,
       RecordDecoder* decoder)
      : partition_(partition),
        topic_(partition.topic()),
        decoder_(decoder),
        limit_(limit),
        newest_(newest),
        read_bytes_(static_cast<std::size_t>(read_bytes)) {}

  Status read(Offset from, Offset end) {
    log::ReadBuffer buffer;
    for (Offset at = from; at < end && !full();) {
      if (looked_at_ >= kMostBytes) {
        cut_ = true;
        return {};
      }
      TRY(partition_.read(at, read_bytes_, buffer, end));
      if (buffer.empty()) return {};
      looked_at_ += buffer.size_bytes();
      auto batches = buffer.batches();
      for (log::BatchView batch; !full() && batches.next(batch); at = batch.next_offset())
        TRY(take(batch, from, end));
    }
    return {};
  }

  std::deque<console::TopicRecord>& records() { return records_; }
  bool cut() const { return cut_; }
  bool full() const { return !newest_ && records_.size() >= limit_; }

 private:
  Status take(const log::BatchView& batch, Offset from, Offset end) {
    if (batch.control()) return {};
    ASSIGN(auto reader, batch.records(plain_));
    for (log::RecordView record; !full() && reader.next(record);) {
      if (record.offset < from || record.offset >= end) continue;
      records_.push_back(shown(record, topic_, decoder_));
      if (records_.size() > limit_) records_.pop_front();
    }
    return full() ? Status{} : reader.status();
  }

  log::Partition& partition_;
  const std::string topic_;
  RecordDecoder* const decoder_;
  const std::size_t limit_;
  const bool newest_;
  const std::size_t read_bytes_;
  std::string plain_;
  std::size_t looked_at_ = 0;
  bool cut_ = false;
  std::deque<console::TopicRecord> records_;
};

}  // namespace

Result<console::TopicRecords> look_at_records(log::Partition& partition,
                                              const console::RecordsQuery& query,
                                              ReadBytes read_bytes, RecordDecoder* decoder) {
  const Offset start = partition.log_start(), end = partition.high_watermark();
  const auto limit = static_cast<std::size_t>(query.limit);
  console::TopicRecords out{.start = start.value, .end = end.value, .cut = false, .records = {}};
  if (query.offset && *query.offset > end.value) return beyond(partition, *query.offset);
  // Compaction and markers leave offsets without records: the newest may lie further back.
  for (std::int64_t back = query.limit;; back *= 8) {
    const Offset from =
        query.offset ? Offset(*query.offset) : Offset(std::max(start.value, end.value - back));
    Look look(partition, limit, !query.offset, read_bytes, decoder);
    if (auto read = look.read(from, end); !read) return std::unexpected(read.error());
    const bool enough = look.records().size() >= limit || look.cut() || from <= start;
    if (!query.offset && !enough) continue;
    out.cut = look.cut();
    out.records.assign(std::make_move_iterator(look.records().begin()),
                       std::make_move_iterator(look.records().end()));
    return out;
  }
}

}  // namespace tailrace::app
