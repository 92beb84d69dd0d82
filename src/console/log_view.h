// What the console shows of the log: topics, their partitions and records, and the groups that read
// them. Implemented by app/ over the log and the Kafka door; the functions are called from several
// threads at once.
//
//   GET /api/topics                        TopicInfo of every topic
//   GET /api/topics/NAME                   TopicDetail
//   GET /api/topics/NAME/records?partition&offset&limit    TopicRecords; without offset the newest
//   GET /api/groups                        GroupInfo of every group
//   GET /api/groups/NAME                   GroupDetail
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"

namespace tailrace::console {

struct TopicInfo {
  std::string name;
  bool internal = false;  ///< Kafka's own: __consumer_offsets, …
  std::int32_t partitions = 0;
  std::int64_t records = 0;  ///< offsets from start to end; compaction may have taken some
  std::int64_t bytes = 0;
  double records_per_s = 0;  ///< appended; between two calls, so 0 in the first
  double bytes_per_s = 0;
};

struct PartitionInfo {
  std::int32_t id = 0;
  std::int64_t start = 0;
  std::int64_t end = 0;          ///< the offset that the next record gets
  std::int64_t last_stable = 0;  ///< where read_committed readers wait
  std::int64_t bytes = 0;
};

struct TopicSetting {
  std::string name;
  std::string value;
};

/// A group that has offsets in a topic, or partitions of it assigned.
struct TopicReader {
  std::string group;
  std::string state;
  std::int64_t lag = 0;  ///< in this topic
};

struct TopicDetail {
  TopicInfo info;
  std::string id;  ///< as Kafka prints it
  std::vector<PartitionInfo> partitions;
  std::vector<TopicSetting> settings;  ///< those that were set on the topic itself
  std::vector<TopicReader> readers;
};

/// What bytes in a schema registry's wire format are.
struct DecodedBytes {
  std::int64_t schema_id = 0;
  std::string type = {};     ///< AVRO, JSON or PROTOBUF; "" when the schema is not known
  std::string subject = {};  ///< one that has the schema; "" when none is known
  std::int64_t version = 0;  ///< in the subject; 0 when that is not known
  std::string json = {};     ///< the value, cut where it is long
  bool cut = false;
  std::string why = {};  ///< why there is no value; "" when there is one
};

/// Bytes of a record, cut where they are long.
struct ShownBytes {
  std::string bytes;
  std::int64_t size = 0;                     ///< before they were cut
  std::optional<DecodedBytes> decoded = {};  ///< where they name a schema
};

struct RecordHeader {
  std::string key;
  std::optional<ShownBytes> value;
};

struct TopicRecord {
  std::int64_t offset = 0;
  std::int64_t time_ms = 0;
  std::optional<ShownBytes> key;
  std::optional<ShownBytes> value;
  std::vector<RecordHeader> headers;
};

struct RecordsQuery {
  std::int32_t partition = 0;
  std::optional<std::int64_t> offset;  ///< the first one; none: the newest
  int limit = 20;                      ///< 1 … kMostRecords, checked
};
inline constexpr int kMostRecords = 100;

struct TopicRecords {
  std::int64_t start = 0;
  std::int64_t end = 0;
  bool cut = false;                  ///< there were more, beyond the bytes that one answer looks at
  std::vector<TopicRecord> records;  ///< by offset; control records are left out
};

struct GroupInfo {
  std::string name;
  std::string type;   ///< "classic", "consumer", …
  std::string state;  ///< Kafka's word: "Stable"
  std::int32_t members = 0;
  std::vector<std::string> topics;
  std::int64_t lag = 0;
};

struct GroupMember {
  std::string id;
  std::string instance;
  std::string client_id;
  std::string host;
  std::vector<std::string> assigned;  ///< "topic-0"
  /// Of a streams group, "0_1": the second task of the first subtopology.
  std::vector<std::string> active_tasks = {}, standby_tasks = {}, warmup_tasks = {};
};

/// Records of a share group's partition that are with a member, or came back from one.
struct Deliveries {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool acquired = false;    ///< else: available again
  std::int32_t count = 0;   ///< how often they were delivered
  std::string member = {};  ///< its id
};

struct GroupOffset {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t committed = -1;  ///< -1: none; of a share group where it begins
  std::int64_t end = -1;        ///< -1: the partition is gone
  std::int64_t lag = -1;        ///< -1: one of the two is not known
  std::string metadata;
  std::string member;  ///< client id of who has it; empty for nobody, or a share group's many
  std::vector<Deliveries> in_flight = {};
};

/// The lag of a group at one time.
struct LagSample {
  std::int64_t time_ms = 0;
  std::int64_t lag = 0;
};

struct GroupDetail {
  GroupInfo info;
  std::string assignor;
  std::vector<GroupMember> members;
  std::vector<GroupOffset> offsets;
  std::vector<LagSample> lag_history;  ///< the oldest first
};

/// A list of groups, or why there is none to see.
struct GroupList {
  std::vector<GroupInfo> groups;
  std::string unseen;  ///< where the groups are kept, when that is not here
};

class LogView {
 public:
  virtual ~LogView() = default;
  virtual std::vector<TopicInfo> topics() = 0;
  virtual Result<TopicDetail> topic(std::string_view name) = 0;
  virtual Result<TopicRecords> records(std::string_view topic, const RecordsQuery& query) = 0;
  virtual Result<GroupList> groups() = 0;
  virtual Result<GroupDetail> group(std::string_view name) = 0;
  /// The broker's metrics, where there is one here.
  virtual void write_metrics(MetricsText& out) = 0;
};

}  // namespace tailrace::console
