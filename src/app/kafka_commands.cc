// `tailrace topics | groups | produce | consume`: asked of a broker over Kafka's protocol, ours or
// a real one.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>
#include <thread>

#include "app/commands.h"
#include "app/group_members.h"
#include "app/instance.h"
#include "app/record_printer.h"
#include "app/stop_signals.h"
#include "app/terminal.h"
#include "kafka/client.h"
#include "kafka/error_code.h"
#include "kafka/messages/all_messages.h"
#include "kafka/properties.h"
#include "log/batch_builder.h"
#include "log/transactions.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

using kafka::Client;
using kafka::Version;

constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::size_t kBatchBytes = 512 << 10;
constexpr std::int32_t kFetchBytes = 8 << 20;

/// The broker that was named, or that of the instance which runs on a project's folder, or the
/// usual address.
std::string broker_of(const BrokerAddress& at) {
  if (!at.broker.empty()) return at.broker;
  const auto running = find_running(data_folder(at.project, at.data));
  return running && !running->kafka.empty() ? running->kafka : "127.0.0.1:9092";
}

Result<Client> connect(const BrokerAddress& at) {
  constexpr std::size_t kMostBytes = 16 << 20;
  kafka::ConfigMap settings;
  if (!at.config.empty()) {
    ASSIGN(const auto text, rt::read_whole(rt::posix_files(), at.config, kMostBytes));
    for (auto& one : kafka::parse_properties(text)) settings[one.name] = std::move(one.value);
  }
  return Client::connect(broker_of(at), settings);
}

std::unexpected<Error> refused(const std::string& what, std::int16_t code,
                               const std::optional<std::string>& why = {}) {
  const auto name = error_name(static_cast<kafka::ErrorCode>(code));
  return error(Code::kFailedPrecondition,
               fmt::format("{}: {}{}{}", what, name, why ? ": " : "", why.value_or("")));
}

using Topics = std::map<std::string, std::int32_t>;  // partitions

Result<Topics> topics_of(Client& client, const std::string& only) {
  kafka::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.topics.reset();
  if (!only.empty()) request.topics.emplace().push_back({{}, only});
  ASSIGN(const auto response, client.ask<kafka::MetadataResponse>(request));
  Topics topics;
  for (const auto& topic : response.topics) {
    if (topic.error_code != 0) return refused("topic " + topic.name.value_or(""), topic.error_code);
    topics[topic.name.value_or("")] = static_cast<std::int32_t>(topic.partitions.size());
  }
  return topics;
}

/// Offsets of every partition at a time (kEarliest, kLatest, or milliseconds).
using Offsets = std::map<std::pair<std::string, std::int32_t>, std::int64_t>;

Result<Offsets> offsets_of(Client& client, const Topics& topics, std::int64_t time) {
  kafka::ListOffsetsRequest request;
  request.replica_id = -1;
  for (const auto& [name, partitions] : topics) {
    auto& asked = request.topics.emplace_back();
    asked.name = name;
    for (std::int32_t i = 0; i < partitions; ++i) asked.partitions.push_back({i, -1, time});
  }
  ASSIGN(const auto response, client.ask<kafka::ListOffsetsResponse>(request, Version(8)));
  Offsets offsets;
  for (const auto& topic : response.topics) {
    for (const auto& one : topic.partitions) {
      if (one.error_code != 0) {
        return refused(fmt::format("{}-{}", topic.name, one.partition_index), one.error_code);
      }
      offsets[{topic.name, one.partition_index}] = one.offset;
    }
  }
  return offsets;
}

Result<Offsets> sizes_of(Client& client) {
  kafka::DescribeLogDirsRequest request;
  request.topics.reset();
  ASSIGN(const auto response, client.ask<kafka::DescribeLogDirsResponse>(request, Version(4)));
  Offsets sizes;
  for (const auto& folder : response.results) {
    for (const auto& topic : folder.topics) {
      for (const auto& one : topic.partitions) {
        sizes[{topic.name, one.partition_index}] += one.partition_size;
      }
    }
  }
  return sizes;
}

Status show_topics(const TopicsOptions& options) {
  ASSIGN(auto client, connect(options.at));
  ASSIGN(const auto topics, topics_of(client, options.topic));
  ASSIGN(const auto first, offsets_of(client, topics, kEarliest));
  ASSIGN(const auto end, offsets_of(client, topics, kLatest));
  ASSIGN(const auto sizes, sizes_of(client));
  Json rows = Json::array();
  for (const auto& [name, partitions] : topics) {
    Json row = {{"topic", name}, {"partitions", partitions}, {"records", 0}, {"bytes", 0}};
    for (std::int32_t i = 0; i < partitions; ++i) {
      const std::pair place(name, i);
      const auto size = sizes.contains(place) ? sizes.at(place) : 0;
      if (!options.topic.empty()) {
        rows.push_back({{"topic", name},
                        {"partition", i},
                        {"first", first.at(place)},
                        {"end", end.at(place)},
                        {"bytes", size}});
      }
      row["records"] = row["records"].get<std::int64_t>() + end.at(place) - first.at(place);
      row["bytes"] = row["bytes"].get<std::int64_t>() + size;
    }
    if (options.topic.empty()) rows.push_back(row);
  }
  const Json columns = options.topic.empty() ? Json{"topic", "partitions", "records", "bytes"}
                                             : Json{"topic", "partition", "first", "end", "bytes"};
  print_table(columns, rows, options.json);
  return {};
}

Result<kafka::OffsetFetchResponse> committed_of(Client& client, const std::string& group) {
  kafka::OffsetFetchRequest request;
  auto& asked = request.groups.emplace_back();
  asked.group_id = group;
  asked.topics.reset();
  return client.ask<kafka::OffsetFetchResponse>(request, Version(8));
}

/// A row for each partition the group has an offset of.
Result<Json> lag_of(Client& client, const std::string& group) {
  ASSIGN(const auto committed, committed_of(client, group));
  Json rows = Json::array();
  for (const auto& told : committed.groups) {
    if (told.error_code != 0) return refused("group " + group, told.error_code);
    for (const auto& topic : told.topics) {
      auto known = topics_of(client, topic.name);
      Offsets end;
      if (known) {
        ASSIGN(end, offsets_of(client, *known, kLatest));
      }
      for (const auto& one : topic.partitions) {
        const auto at = end.find({topic.name, one.partition_index});
        const bool gone = at == end.end();
        rows.push_back({{"group", group},
                        {"topic", topic.name},
                        {"partition", one.partition_index},
                        {"committed", one.committed_offset},
                        {"end", gone ? Json() : Json(at->second)},
                        {"lag", gone ? Json() : Json(at->second - one.committed_offset)}});
      }
    }
  }
  return rows;
}

/// The same of a share group: from where on it has records before it, and how many.
Result<Json> share_lag_of(Client& client, const std::string& group) {
  kafka::DescribeShareGroupOffsetsRequest request;
  auto& asked = request.groups.emplace_back();
  asked.group_id = group;
  asked.topics.reset();
  ASSIGN(const auto response, client.ask<kafka::DescribeShareGroupOffsetsResponse>(request));
  Json rows = Json::array();
  for (const auto& told : response.groups) {
    if (told.error_code != 0) return refused("group " + group, told.error_code);
    for (const auto& topic : told.topics) {
      auto known = topics_of(client, topic.topic_name);
      Offsets end;
      if (known) {
        ASSIGN(end, offsets_of(client, *known, kLatest));
      }
      for (const auto& one : topic.partitions) {
        const auto at = end.find({topic.topic_name, one.partition_index});
        rows.push_back({{"group", group},
                        {"topic", topic.topic_name},
                        {"partition", one.partition_index},
                        {"committed", one.start_offset < 0 ? Json() : Json(one.start_offset)},
                        {"end", at == end.end() ? Json() : Json(at->second)},
                        {"lag", one.lag < 0 ? Json() : Json(one.lag)}});
      }
    }
  }
  return rows;
}

Status show_groups(const GroupsOptions& options) {
  ASSIGN(auto client, connect(options.at));
  if (options.members) {
    if (options.group.empty())
      return error(Code::kInvalidArgument, "--members is about one group: name it");
    ASSIGN(const auto rows, group_members(client, options.group));
    print_table(member_columns(rows), rows, options.json);
    return {};
  }
  if (!options.group.empty()) {
    ASSIGN(auto rows, lag_of(client, options.group));
    if (rows.empty()) {
      // An older broker knows no share groups.
      if (auto shared = share_lag_of(client, options.group)) rows = std::move(*shared);
    }
    if (rows.empty()) {
      return error(Code::kNotFound, "group " + options.group + " has committed no offset");
    }
    print_table({"group", "topic", "partition", "committed", "end", "lag"}, rows, options.json);
    return {};
  }
  ASSIGN(const auto response, client.ask<kafka::ListGroupsResponse>(kafka::ListGroupsRequest{}));
  if (response.error_code != 0) return refused("groups", response.error_code);
  Json rows = Json::array();
  for (const auto& group : response.groups) {
    std::int64_t lag = 0;
    const bool shares = group.group_type == "share";
    ASSIGN(const auto partitions,
           shares ? share_lag_of(client, group.group_id) : lag_of(client, group.group_id));
    for (const auto& one : partitions)
      lag += one["lag"].is_null() ? 0 : one["lag"].get<std::int64_t>();
    rows.push_back({{"group", group.group_id},
                    {"type", group.group_type},
                    {"state", group.group_state},
                    {"lag", lag}});
  }
  print_table({"group", "type", "state", "lag"}, rows, options.json);
  return {};
}

/// Kafka's default partitioner for keys: murmur2 of the bytes.
std::uint32_t murmur2(std::string_view bytes) {
  constexpr std::uint32_t kMix = 0x5bd1e995;
  std::uint32_t hash = 0x9747b28c ^ static_cast<std::uint32_t>(bytes.size());
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i]));
  };
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t k = byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    k *= kMix;
    k ^= k >> 24;
    hash = (hash * kMix) ^ (k * kMix);
  }
  if (bytes.size() - i >= 3) hash ^= byte(i + 2) << 16;
  if (bytes.size() - i >= 2) hash ^= byte(i + 1) << 8;
  if (bytes.size() - i >= 1) hash = (hash ^ byte(i)) * kMix;
  hash = (hash ^ (hash >> 13)) * kMix;
  return hash ^ (hash >> 15);
}

/// Lines on their way to a topic, a batch a partition.
class Lines {
 public:
  Lines(Client& client, std::string topic, std::int32_t partitions)
      : client_(client), topic_(std::move(topic)), batches_(static_cast<std::size_t>(partitions)) {}

  Status add(std::optional<std::string_view> key, std::string_view value) {
    const auto count = static_cast<std::uint32_t>(batches_.size());
    const auto to = key ? (murmur2(*key) & 0x7fffffff) % count : (count_ / kTogether) % count;
    auto& batch = batches_[to];
    batch.add({key, value, TimestampMs(now_ms()), {}});
    ++count_;
    if (batch.size_bytes() < kBatchBytes) return {};
    return send(static_cast<std::int32_t>(to));
  }
  Status send_all() {
    for (std::size_t i = 0; i < batches_.size(); ++i) TRY(send(static_cast<std::int32_t>(i)));
    return {};
  }
  std::uint32_t count() const { return count_; }
  /// Where they are, a row a partition.
  Json rows() const {
    Json found = Json::array();
    for (const auto& [partition, sent] : sent_) {
      found.push_back({{"topic", topic_},
                       {"partition", partition},
                       {"records", sent.records},
                       {"first", sent.first},
                       {"last", sent.last}});
    }
    return found;
  }

 private:
  struct Sent {
    std::int64_t records = 0;
    std::int64_t first = -1;
    std::int64_t last = -1;
  };
  static constexpr std::uint32_t kTogether = 100;  // records without key that stay together

  static std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  Status send(std::int32_t partition) {
    auto& batch = batches_[static_cast<std::size_t>(partition)];
    if (batch.empty()) return {};
    ASSIGN(const auto bytes, batch.finish());
    kafka::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 30'000;
    auto& topic = request.topic_data.emplace_back();
    topic.name = topic_;
    topic.partition_data.push_back({partition, kafka::Records{bytes, {}}});
    ASSIGN(const auto built, log::BatchView::parse(bytes));
    const std::int64_t records = built.next_offset() - built.base_offset();
    ASSIGN(const auto response, client_.ask<kafka::ProduceResponse>(request, Version(11)));
    batch.clear();
    const auto& answer = response.responses.at(0).partition_responses.at(0);
    if (answer.error_code == 0) {
      auto& sent = sent_[partition];
      if (sent.records == 0) sent.first = answer.base_offset;
      sent.records += records;
      sent.last = answer.base_offset + records - 1;
      return {};
    }
    return refused(fmt::format("{}-{}", topic_, partition), answer.error_code,
                   answer.error_message);
  }

  Client& client_;
  const std::string topic_;
  std::vector<log::RecordBatchBuilder> batches_;
  std::uint32_t count_ = 0;
  std::map<std::int32_t, Sent> sent_;  // by partition
};

Status send_lines(const ProduceOptions& options) {
  ASSIGN(auto client, connect(options.at));
  kafka::MetadataRequest request;
  request.topics->push_back({{}, options.topic});
  ASSIGN(const auto metadata, client.ask<kafka::MetadataResponse>(request));
  const auto& topic = metadata.topics.at(0);
  if (topic.error_code != 0) return refused("topic " + options.topic, topic.error_code);
  Lines lines(client, options.topic, static_cast<std::int32_t>(topic.partitions.size()));
  for (std::string line; std::getline(std::cin, line);) {
    const auto at = options.separator.empty() ? std::string::npos : line.find(options.separator);
    const std::string_view all(line);
    if (at == std::string::npos) {
      TRY(lines.add(std::nullopt, all));
    } else {
      TRY(lines.add(all.substr(0, at), all.substr(at + options.separator.size())));
    }
  }
  TRY(lines.send_all());
  if (options.json)
    print_table({"topic", "partition", "records", "first", "last"}, lines.rows(), true);
  std::cerr << lines.count() << " records\n";
  return {};
}

/// Reads a topic's partitions from given offsets.
class Reading {
 public:
  Reading(const ConsumeOptions& options, Client& client, kafka::Uuid topic, Offsets from)
      : options_(options),
        client_(client),
        topic_(topic),
        next_(std::move(from)),
        printer_(options) {}

  /// One fetch, what came of it printed; false when `limit` records were printed.
  Result<bool> step(std::int32_t wait_ms) {
    kafka::FetchRequest request;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    request.max_bytes = kFetchBytes;
    request.isolation_level = 1;
    auto& topic = request.topics.emplace_back();
    topic.topic_id = topic_;
    for (const auto& [place, offset] : next_) {
      auto& asked = topic.partitions.emplace_back();
      asked.partition = place.second;
      asked.fetch_offset = offset;
      asked.partition_max_bytes = kFetchBytes;
    }
    ASSIGN(const auto response, client_.ask<kafka::FetchResponse>(request, Version(16)));
    if (response.error_code != 0) return refused(options_.topic, response.error_code);
    for (const auto& answered : response.responses) {
      for (const auto& one : answered.partitions) TRY(take(one));
    }
    std::cout.flush();
    return printed_ < options_.limit;
  }
  bool at(const Offsets& end) const {
    return std::ranges::all_of(
        next_, [&](const auto& entry) { return entry.second >= end.at(entry.first); });
  }

 private:
  Status take(const kafka::FetchResponse::PartitionData& one) {
    const auto where = fmt::format("{}-{}", options_.topic, one.partition_index);
    if (one.error_code != 0) return refused(where, one.error_code);
    auto& next = next_.at({options_.topic, one.partition_index});
    std::string plain;
    std::vector<log::AbortedTransaction> aborted;
    for (const auto& gone : one.aborted_transactions.value_or(
             std::vector<kafka::FetchResponse::AbortedTransaction>())) {
      // Where the marker lies is not told: it is met on the way.
      aborted.push_back({gone.producer_id, Offset(gone.first_offset), Offset(INT64_MAX), Offset()});
    }
    log::CommittedFilter committed(std::move(aborted));
    log::BatchReader batches(one.records ? one.records->first : std::string_view());
    for (log::BatchView batch; batches.next(batch);) {
      if (!committed.hides(batch)) TRY(take(one.partition_index, batch, next, plain));
      next = std::max(next, batch.next_offset().value);
    }
    return {};
  }
  Status take(std::int32_t partition, const log::BatchView& batch, std::int64_t next,
              std::string& plain) {
    ASSIGN(auto records, batch.records(plain));
    for (log::RecordView record; records.next(record);) {
      if (record.offset.value < next || printed_ == options_.limit) continue;
      printer_.print(partition, record);
      ++printed_;
    }
    return records.status();
  }

  const ConsumeOptions& options_;
  Client& client_;
  const kafka::Uuid topic_;
  Offsets next_;
  RecordPrinter printer_;
  std::int64_t printed_ = 0;
};

Result<Offsets> beginning_of(Client& client, const Topics& topics, const std::string& from) {
  if (from == "beginning") return offsets_of(client, topics, kEarliest);
  if (from == "end") return offsets_of(client, topics, kLatest);
  std::int64_t offset = 0;
  const auto [end, failed] = std::from_chars(from.data(), from.data() + from.size(), offset);
  if (failed != std::errc() || end != from.data() + from.size() || offset < 0) {
    return error(Code::kInvalidArgument, "--from " + from + ": beginning, end or an offset");
  }
  ASSIGN(auto offsets, offsets_of(client, topics, kEarliest));
  for (auto& [place, first] : offsets) first = std::max(first, offset);
  return offsets;
}

/// Partitions that end before an offset are read from their end on; kOutOfRange when all do.
Status check_beginning(const ConsumeOptions& options, Offsets& from, const Offsets& end) {
  bool some = from.empty();
  std::vector<std::string> ends;
  for (auto& [place, offset] : from) {
    const auto last = end.at(place);
    some = some || offset <= last;
    offset = std::min(offset, last);
    ends.push_back(fmt::format("{}-{} at {}", place.first, place.second, last));
  }
  if (some) return {};
  return error(Code::kOutOfRange,
               fmt::format("--from {} is beyond the end: {}", options.from, fmt::join(ends, ", ")));
}

Status read_topic(const ConsumeOptions& options) {
  ASSIGN(auto client, connect(options.at));
  kafka::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.topics->push_back({{}, options.topic});
  ASSIGN(const auto metadata, client.ask<kafka::MetadataResponse>(request));
  const auto& topic = metadata.topics.at(0);
  if (topic.error_code != 0) return refused("topic " + options.topic, topic.error_code);
  const auto count = static_cast<std::int32_t>(topic.partitions.size());
  if (options.partition >= count) {
    return error(Code::kNotFound, fmt::format("topic {} has {} partitions", options.topic, count));
  }
  const Topics all{{options.topic, count}};
  ASSIGN(auto from, beginning_of(client, all, options.from));
  if (options.partition >= 0) {
    std::erase_if(from, [&](const auto& entry) { return entry.first.second != options.partition; });
  }
  ASSIGN(const auto end, offsets_of(client, all, kLatest));
  TRY(check_beginning(options, from, end));
  Reading reading(options, client, topic.topic_id, std::move(from));
  while (!stop_asked() && (options.follow || !reading.at(end))) {
    ASSIGN(const bool more, reading.step(options.follow ? 500 : 100));
    if (!more) break;
  }
  return {};
}

int report(const Status& done) {
  return done ? 0 : fail(done.error());
}

}  // namespace

int topics_command(const TopicsOptions& options) {
  return report(show_topics(options));
}

int groups_command(const GroupsOptions& options) {
  return report(show_groups(options));
}

int produce_command(const ProduceOptions& options) {
  return report(send_lines(options));
}

int consume_command(const ConsumeOptions& options) {
  watch_stop_signals();
  return report(read_topic(options));
}

}  // namespace tailrace::app
