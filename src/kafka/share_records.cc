#include "kafka/share_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "kafka/coordinator_record.h"
#include "kafka/messages/share_snapshot_key.h"
#include "kafka/messages/share_snapshot_value.h"
#include "kafka/messages/share_update_key.h"
#include "kafka/messages/share_update_value.h"
#include "log/topic.h"

namespace tailrace::kafka {
namespace {

constexpr Version kValueVersion(0);

template <typename Batch>
std::vector<Batch> message(const std::vector<share::StateBatch>& batches) {
  std::vector<Batch> out;
  for (const auto& batch : batches) {
    out.push_back({batch.first.value, batch.last.value, static_cast<std::int8_t>(batch.state),
                   batch.delivery_count});
  }
  return out;
}

/// A batch that cannot be is left out: what it would tell of comes again.
template <typename Batch>
std::vector<share::StateBatch> plain(const std::vector<Batch>& batches) {
  std::vector<share::StateBatch> out;
  for (const auto& batch : batches) {
    const auto state = static_cast<share::RecordState>(batch.delivery_state);
    const bool known = state == share::RecordState::kAvailable || share::is_final(state);
    if (!known || batch.first_offset < 0 || batch.last_offset < batch.first_offset) continue;
    out.push_back(
        {Offset(batch.first_offset), Offset(batch.last_offset), state, batch.delivery_count});
  }
  return out;
}

template <typename Key>
share::Key plain_key(const Key& key) {
  return {key.group_id, key.topic_id, PartitionId(key.partition)};
}

Result<RecordBytes> encode(const share::Key& key, const share::Snapshot& snapshot) {
  RecordBytes out;
  ASSIGN(out.key, encode_record_key(ShareSnapshotKey{key.group, key.topic, key.partition.value}));
  ShareSnapshotValue value;
  value.snapshot_epoch = snapshot.snapshot_epoch.value;
  value.state_epoch = snapshot.state_epoch.value;
  value.leader_epoch = 0;
  value.start_offset = snapshot.start.value;
  value.delivery_complete_count = snapshot.complete;
  value.create_timestamp = snapshot.created.value;
  value.write_timestamp = snapshot.written.value;
  value.state_batches = message<ShareSnapshotValue::StateBatch>(snapshot.batches);
  ASSIGN(out.value, encode_record_value(value, kValueVersion));
  return out;
}

Result<RecordBytes> encode(const share::Key& key, const share::Update& update) {
  RecordBytes out;
  ASSIGN(out.key, encode_record_key(ShareUpdateKey{key.group, key.topic, key.partition.value}));
  ShareUpdateValue value;
  value.snapshot_epoch = update.snapshot_epoch.value;
  value.leader_epoch = 0;
  value.start_offset = update.start.value;
  value.delivery_complete_count = update.complete;
  value.state_batches = message<ShareUpdateValue::StateBatch>(update.batches);
  ASSIGN(out.value, encode_record_value(value, kValueVersion));
  return out;
}

Result<RecordBytes> encode(const share::Key& key, const share::Forgotten&) {
  RecordBytes out;
  ASSIGN(out.key, encode_record_key(ShareSnapshotKey{key.group, key.topic, key.partition.value}));
  return out;
}

Result<std::optional<share::Record>> decode_snapshot(std::string_view key,
                                                     std::optional<std::string_view> value) {
  ASSIGN(const auto name, decode_record_key<ShareSnapshotKey>(key));
  if (!value) return share::Record{plain_key(name), share::Forgotten{}};
  ASSIGN(const auto told, decode_record_value<ShareSnapshotValue>(*value));
  return share::Record{
      plain_key(name),
      share::Snapshot{share::SnapshotEpoch(told.snapshot_epoch),
                      share::StateEpoch(told.state_epoch), Offset(told.start_offset),
                      told.delivery_complete_count, TimestampMs(told.create_timestamp),
                      TimestampMs(told.write_timestamp), plain(told.state_batches)}};
}

Result<std::optional<share::Record>> decode_update(std::string_view key,
                                                   std::optional<std::string_view> value) {
  ASSIGN(const auto name, decode_record_key<ShareUpdateKey>(key));
  if (!value) return std::nullopt;
  ASSIGN(const auto told, decode_record_value<ShareUpdateValue>(*value));
  return share::Record{
      plain_key(name),
      share::Update{share::SnapshotEpoch(told.snapshot_epoch), Offset(told.start_offset),
                    told.delivery_complete_count, plain(told.state_batches)}};
}

}  // namespace

Result<RecordBytes> encode_share_record(const share::Record& record) {
  return std::visit([&](const auto& value) { return encode(record.key, value); }, record.value);
}

Result<std::optional<share::Record>> decode_share_record(std::string_view key,
                                                         std::optional<std::string_view> value) {
  ASSIGN(const std::int16_t type, record_key_type(key));
  switch (type) {
    case ShareSnapshotKey::kRecordKeyType:
      return decode_snapshot(key, value);
    case ShareUpdateKey::kRecordKeyType:
      return decode_update(key, value);
    default:
      return std::nullopt;
  }
}

std::string share_key_text(const share::Key& key) {
  return fmt::format("{}:{}:{}", key.group, log::topic_id_text(key.topic), key.partition.value);
}

bool is_share_key_text(std::string_view text) {
  constexpr std::size_t kIdLength = 22;
  const auto last = text.rfind(':');
  if (last == std::string_view::npos || last < kIdLength + 1) return false;
  const auto number = text.substr(last + 1);
  const auto id = text.substr(last - kIdLength, kIdLength);
  std::int32_t partition = -1;
  const auto [end, failed] =
      std::from_chars(number.data(), number.data() + number.size(), partition);
  const auto in_id = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  };
  return failed == std::errc() && end == number.data() + number.size() && partition >= 0 &&
         text[last - kIdLength - 1] == ':' && std::ranges::all_of(id, in_id);
}

}  // namespace tailrace::kafka
