#include "kafka/broker_metrics.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kafka/broker.h"
#include "kafka/group_view.h"

namespace tailrace::kafka {
namespace {

using log::Traffic;

struct TopicPartitions {
  std::string topic;
  std::vector<std::shared_ptr<log::Partition>> partitions;
  std::size_t offline = 0;
};

std::vector<TopicPartitions> topics_of(log::Log& log) {
  std::vector<TopicPartitions> all;
  for (const auto& topic : log.topics()) {
    auto& one = all.emplace_back(TopicPartitions{topic.name, {}});
    for (std::int32_t i = 0; i < topic.settings.partitions; ++i) {
      if (auto partition = log.partition(topic.name, PartitionId(i))) {
        one.partitions.push_back(std::move(*partition));
      } else if (partition.error().code == Code::kDataLoss) {
        ++one.offline;
      }
    }
  }
  return all;
}

struct TrafficFamily {
  std::string_view name;
  Counter Traffic::*counter;
  std::string_view help;
};

constexpr std::array<TrafficFamily, 7> kTraffic = {{
    {"messagesin", &Traffic::messages_in, "Records appended"},
    {"bytesin", &Traffic::bytes_in, "Bytes appended, as stored"},
    {"bytesout", &Traffic::bytes_out, "Bytes sent to consumers"},
    {"totalproducerequests", &Traffic::produce_requests, "Partitions of produce requests"},
    {"failedproducerequests", &Traffic::failed_produce_requests,
     "Partitions of produce requests that were refused"},
    {"totalfetchrequests", &Traffic::fetch_requests, "Partitions of fetch requests"},
    {"failedfetchrequests", &Traffic::failed_fetch_requests,
     "Partitions of fetch requests that were refused"},
}};

void gauge(MetricsText& out, std::string_view name, std::string_view help,
           std::integral auto value) {
  out.family(name, MetricType::kGauge, help);
  out.add({}, value);
}

void write_partitions(MetricsText& out, const std::vector<TopicPartitions>& topics) {
  const auto family = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, MetricType::kGauge, help);
    for (const auto& topic : topics)
      for (const auto& partition : topic.partitions)
        out.add({{"topic", topic.topic}, {"partition", std::to_string(partition->id().value)}},
                value(*partition));
  };
  family("kafka_log_log_size", "Bytes on disk.",
         [](const log::Partition& partition) { return partition.size_bytes(); });
  family("kafka_log_log_logstartoffset", "The first offset that is there.",
         [](const log::Partition& partition) { return partition.log_start().value; });
  family("kafka_log_log_logendoffset", "The offset that the next record gets.",
         [](const log::Partition& partition) { return partition.next_offset().value; });
}

void write_counts(MetricsText& out, const std::vector<TopicPartitions>& topics) {
  std::size_t partitions = 0;
  std::size_t offline = 0;
  for (const auto& topic : topics) {
    partitions += topic.partitions.size();
    offline += topic.offline;
  }
  gauge(out, "kafka_server_replicamanager_partitioncount", "Partitions here.", partitions);
  gauge(out, "kafka_server_replicamanager_leadercount", "Partitions led from here.", partitions);
  gauge(out, "kafka_server_replicamanager_underreplicatedpartitions",
        "Partitions that lack a replica: none, since there is one broker.", 0);
  gauge(out, "kafka_server_replicamanager_offlinereplicacount",
        "Partitions that are not served, because their files are damaged.", offline);
  gauge(out, "kafka_controller_kafkacontroller_activecontrollercount",
        "1: this broker is the controller.", 1);
  gauge(out, "kafka_controller_kafkacontroller_globaltopiccount", "Topics of the cluster.",
        topics.size());
  gauge(out, "kafka_controller_kafkacontroller_globalpartitioncount", "Partitions of the cluster.",
        partitions);
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

void write_group_counts(MetricsText& out, const std::vector<GroupView>& groups) {
  std::map<std::string, std::size_t> types = {
      {"classic", 0}, {"consumer", 0}, {"share", 0}, {"streams", 0}};
  std::map<std::string, std::size_t> classic, consumer, streams, share;
  std::size_t offsets = 0;
  for (const auto& group : groups) {
    ++types[lower_case(group.type)];
    if (group.type == "classic") ++classic[group.state];
    if (group.type == "consumer") ++consumer[lower_case(group.state)];
    if (group.type == "streams") ++streams[lower_case(group.state)];
    if (group.type == "share") ++share[lower_case(group.state)];
    for (const auto& offset : group.offsets) offsets += offset.committed >= 0 ? 1 : 0;
  }
  const std::string prefix = "kafka_coordinator_group_groupmetadatamanager_num";
  gauge(out, prefix + "offsets", "Offsets that groups committed.", offsets);
  gauge(out, prefix + "groups", "Classic groups.", types["classic"]);
  for (const char* state :
       {"PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty"}) {
    const auto found = classic.find(state);
    gauge(out, prefix + "groups" + lower_case(state),
          std::string("Classic groups in the state ") + state + ".",
          found == classic.end() ? 0 : found->second);
  }
  out.family("kafka_server_group_coordinator_metrics_group_count", MetricType::kGauge,
             "Groups by protocol.");
  for (const auto& [type, count] : types) out.add({{"protocol", type}}, count);
  out.family("kafka_server_group_coordinator_metrics_consumer_group_count", MetricType::kGauge,
             "Groups whose broker assigns (KIP-848), by state.");
  for (const char* state : {"empty", "assigning", "reconciling", "stable", "dead"})
    out.add({{"state", state}}, consumer[state]);
  out.family("kafka_server_group_coordinator_metrics_streams_group_count", MetricType::kGauge,
             "Groups of Kafka Streams programs (KIP-1071), by state.");
  for (const char* state : {"empty", "notready", "assigning", "reconciling", "stable", "dead"})
    out.add({{"state", state}}, streams[state]);
  out.family("kafka_server_group_coordinator_metrics_share_group_count", MetricType::kGauge,
             "Share groups (KIP-932), by state.");
  for (const char* state : {"empty", "stable", "dead"}) out.add({{"state", state}}, share[state]);
}

std::int64_t in_flight(const GroupOffsetView& offset) {
  std::int64_t records = 0;
  for (const DeliveriesView& some : offset.in_flight)
    if (some.acquired) records += some.last - some.first + 1;
  return records;
}

void write_in_flight(MetricsText& out, const std::vector<GroupView>& groups) {
  out.family("kafka_server_sharepartitionmetrics_inflightmessagecount", MetricType::kGauge,
             "Records of a share group's partition that are with its members.");
  for (const auto& group : groups) {
    if (group.type != "share") continue;
    for (const auto& offset : group.offsets)
      out.add({{"group", group.name},
               {"topic", offset.topic},
               {"partition", std::to_string(offset.partition)}},
              in_flight(offset));
  }
}

void write_group_offsets(MetricsText& out, const std::vector<GroupView>& groups) {
  const auto family = [&](std::string_view name, std::string_view help, auto value) {
    out.family(name, MetricType::kGauge, help);
    for (const auto& group : groups)
      for (const auto& offset : group.offsets)
        out.add({{"consumergroup", group.name},
                 {"topic", offset.topic},
                 {"partition", std::to_string(offset.partition)}},
                value(offset));
  };
  family("kafka_consumergroup_lag", "Records yet to be read; -1 when nothing is committed.",
         [](const GroupOffsetView& offset) { return offset.lag; });
  family("kafka_consumergroup_current_offset", "The offset committed; -1 for none.",
         [](const GroupOffsetView& offset) { return offset.committed; });
  out.family("kafka_consumergroup_lag_sum", MetricType::kGauge,
             "Records yet to be read, by topic.");
  for (const auto& group : groups) {
    std::map<std::string, std::int64_t> sums;
    for (const auto& offset : group.offsets)
      sums[offset.topic] += std::max<std::int64_t>(0, offset.lag);
    for (const auto& [topic, lag] : sums)
      out.add({{"consumergroup", group.name}, {"topic", topic}}, lag);
  }
  out.family("kafka_consumergroup_members", MetricType::kGauge, "Members of a group.");
  for (const auto& group : groups) out.add({{"consumergroup", group.name}}, group.members.size());
}

void write_logins(MetricsText& out, const std::vector<std::shared_ptr<Listener>>& listeners) {
  const auto family = [&](std::string_view name, std::string_view help, auto counter) {
    out.family(name, MetricType::kCounter, help);
    for (const auto& one : listeners)
      out.add({{"listener", one->name}}, ((*one->logins).*counter).value());
  };
  family("kafka_server_socket_server_metrics_successful_authentication_total",
         "Logins, those that renewed one with them.", &Listener::Logins::succeeded);
  family("kafka_server_socket_server_metrics_failed_authentication_total", "Logins that failed.",
         &Listener::Logins::failed);
}

}  // namespace

void BrokerMetrics::write_traffic(MetricsText& out) {
  const Traffic& retired = broker_.log().retired();
  std::array<std::uint64_t, kTraffic.size()> sums;
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = (retired.*kTraffic[i].counter).value();
  const auto topics = topics_of(broker_.log());
  for (std::size_t i = 0; i < kTraffic.size(); ++i) {
    const auto& [name, counter, help] = kTraffic[i];
    out.family("kafka_server_brokertopicmetrics_" + std::string(name) + "_total",
               MetricType::kCounter,
               std::string(help) + " since the start: of each topic, and without label of all.");
    std::vector<std::uint64_t> of_topics;
    for (const auto& topic : topics) {
      auto& sum = of_topics.emplace_back(0);
      for (const auto& partition : topic.partitions) sum += (partition->traffic().*counter).value();
      sums[i] += sum;
    }
    out.add({}, shown_[i] = std::max(shown_[i], sums[i]));
    for (std::size_t t = 0; t < topics.size(); ++t)
      out.add({{"topic", topics[t].topic}}, of_topics[t]);
  }
  write_counts(out, topics);
  write_partitions(out, topics);
}

void BrokerMetrics::write(MetricsText& out, const Connections& connections) {
  {
    const std::unique_lock lock(mutex_);
    write_traffic(out);
  }
  out.family("kafka_server_socket_server_metrics_connection_count", MetricType::kGauge,
             "Connections of Kafka's clients.");
  for (const auto& [listener, count] : connections) out.add({{"listener", listener}}, count);
  write_logins(out, broker_.listeners());
  broker_.requests().write(out);
  broker_.share().write_metrics(out);
  broker_.transactions().write_metrics(out);
  const auto groups = look_at_groups(broker_);
  if (!groups) return;
  write_group_counts(out, *groups);
  write_group_offsets(out, *groups);
  write_in_flight(out, *groups);
}

}  // namespace tailrace::kafka
