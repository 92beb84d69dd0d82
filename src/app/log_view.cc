#include "app/log_view.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "kafka/broker.h"
#include "rt/clock.h"

namespace tailrace::app {
namespace {

constexpr std::chrono::seconds kSampleEvery{5};
constexpr std::chrono::milliseconds kRateOver{500};

std::string place_name(const std::string& topic, std::int32_t partition) {
  return topic + "-" + std::to_string(partition);
}

console::GroupInfo told(const kafka::GroupView& group) {
  std::set<std::string> topics;
  for (const auto& offset : group.offsets) topics.insert(offset.topic);
  return {.name = group.name,
          .type = group.type,
          .state = group.state,
          .members = static_cast<std::int32_t>(group.members.size()),
          .topics = {topics.begin(), topics.end()},
          .lag = group.lag()};
}

std::vector<console::GroupMember> members_of(const kafka::GroupView& group) {
  std::vector<console::GroupMember> members;
  for (const auto& member : group.members) {
    auto& out = members.emplace_back(console::GroupMember{member.id,
                                                          member.instance,
                                                          member.client_id,
                                                          member.host,
                                                          {},
                                                          member.tasks.active,
                                                          member.tasks.standby,
                                                          member.tasks.warmup});
    for (const auto& [topic, partitions] : member.assigned)
      for (const auto partition : partitions) out.assigned.push_back(place_name(topic, partition));
  }
  return members;
}

std::vector<console::GroupOffset> offsets_of(const kafka::GroupView& group) {
  std::map<std::string, std::string> owners;
  // A share group's partition is of many members at once.
  const bool shares = group.type == "share";
  for (const auto& member : shares ? std::vector<kafka::GroupMemberView>() : group.members)
    for (const auto& [topic, partitions] : member.assigned)
      for (const auto partition : partitions)
        owners[place_name(topic, partition)] = member.client_id;
  std::vector<console::GroupOffset> offsets;
  for (const auto& offset : group.offsets) {
    auto& out = offsets.emplace_back(console::GroupOffset{
        offset.topic, offset.partition, offset.committed, offset.end, offset.lag, offset.metadata,
        owners[place_name(offset.topic, offset.partition)]});
    for (const auto& one : offset.in_flight)
      out.in_flight.push_back({one.first, one.last, one.acquired, one.count, one.member});
  }
  return offsets;
}

std::vector<console::TopicSetting> own_settings(const log::TopicSettings& settings) {
  std::vector<console::TopicSetting> own;
  if (!settings.own) {
    for (const auto& [name, value] : settings.extra) own.push_back({name, value});
    return own;
  }
  for (const auto& name : *settings.own)
    own.push_back({name, log::get_setting(settings, name).value_or("")});
  return own;
}

/// Who has offsets in a topic, or partitions of it assigned.
std::vector<console::TopicReader> readers_of(const std::vector<kafka::GroupView>& groups,
                                             std::string_view topic) {
  std::vector<console::TopicReader> readers;
  for (const auto& group : groups) {
    bool reads = false;
    std::int64_t lag = 0;
    for (const auto& offset : group.offsets) {
      if (offset.topic != topic) continue;
      reads = true;
      lag += std::max<std::int64_t>(0, offset.lag);
    }
    if (reads) readers.push_back({group.name, group.state, lag});
  }
  return readers;
}

}  // namespace

InstanceLogView::InstanceLogView(log::Log& log, ReadBytes read_bytes, std::string unseen)
    : log_(log), read_bytes_(read_bytes), unseen_(std::move(unseen)) {}

InstanceLogView::~InstanceLogView() {
  close();
}

void InstanceLogView::open(kafka::Door& door) {
  {
    const std::unique_lock lock(door_mutex_);
    door_ = &door;
  }
  sampler_ = std::jthread([this](const std::stop_token& stop) { sample_lags(stop); });
}

void InstanceLogView::close() {
  if (sampler_.joinable()) {
    sampler_.request_stop();
    sampler_.join();
  }
  const std::unique_lock lock(door_mutex_);
  door_ = nullptr;
}

void InstanceLogView::sample_lags(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (const auto groups = look()) {
      std::vector<std::pair<std::string, std::int64_t>> lags;
      for (const auto& group : *groups) lags.emplace_back(group.name, group.lag());
      lags_.note(rt::system_clock().now(), lags);
    }
    std::unique_lock lock(sampling_mutex_);
    sampling_.wait_for(lock, stop, kSampleEvery, [] { return false; });
  }
}

Result<std::vector<kafka::GroupView>> InstanceLogView::look(const std::string& name) {
  const std::shared_lock lock(door_mutex_);
  if (door_ == nullptr) return std::vector<kafka::GroupView>();
  return kafka::look_at_groups(door_->broker(), name);
}

/// Between two calls that are far enough apart.
void InstanceLogView::rate(console::TopicInfo& info, std::uint64_t records, std::uint64_t bytes) {
  const auto now = Clock::now();
  const std::unique_lock lock(rates_mutex_);
  auto [found, fresh] = rates_.try_emplace(info.name, Rate{records, bytes, now});
  Rate& rate = found->second;
  if (records < rate.records) rate = {records, bytes, now};  // another topic of the same name
  if (now - rate.when >= kRateOver) {
    const double seconds = std::chrono::duration<double>(now - rate.when).count();
    rate = {records, bytes, now, static_cast<double>(records - rate.records) / seconds,
            static_cast<double>(bytes - rate.bytes) / seconds};
  }
  info.records_per_s = rate.records_per_s;
  info.bytes_per_s = rate.bytes_per_s;
}

console::TopicInfo InstanceLogView::info(const log::Topic& topic) {
  console::TopicInfo info{.name = topic.name,
                          .internal = kafka::Broker::is_internal(topic.name),
                          .partitions = topic.settings.partitions};
  std::uint64_t records = 0, bytes = 0;
  for (std::int32_t i = 0; i < topic.settings.partitions; ++i) {
    auto partition = log_.partition(topic.name, PartitionId(i));
    if (!partition) continue;
    info.records += (*partition)->high_watermark() - (*partition)->log_start();
    info.bytes += static_cast<std::int64_t>((*partition)->size_bytes());
    records += (*partition)->traffic().messages_in.value();
    bytes += (*partition)->traffic().bytes_in.value();
  }
  rate(info, records, bytes);
  return info;
}

std::vector<console::TopicInfo> InstanceLogView::topics() {
  std::vector<console::TopicInfo> all;
  std::set<std::string> names;
  for (const auto& topic : log_.topics()) {
    all.push_back(info(topic));
    names.insert(topic.name);
  }
  const std::unique_lock lock(rates_mutex_);
  std::erase_if(rates_, [&](const auto& rate) { return !names.contains(rate.first); });
  return all;
}

Result<console::TopicDetail> InstanceLogView::topic(std::string_view name) {
  const auto topic = log_.topic(name);
  if (!topic) return error(Code::kNotFound, "there is no topic `" + std::string(name) + "`");
  console::TopicDetail detail;
  detail.info = info(*topic);
  if (topic->id != log::TopicId{}) detail.id = log::topic_id_text(topic->id);
  for (std::int32_t i = 0; i < topic->settings.partitions; ++i) {
    ASSIGN(const auto partition, log_.partition(name, PartitionId(i)));
    detail.partitions.push_back({.id = i,
                                 .start = partition->log_start().value,
                                 .end = partition->high_watermark().value,
                                 .last_stable = partition->last_stable_offset().value,
                                 .bytes = static_cast<std::int64_t>(partition->size_bytes())});
  }
  detail.settings = own_settings(topic->settings);
  ASSIGN(const auto groups, look());
  detail.readers = readers_of(groups, name);
  return detail;
}

Result<console::TopicRecords> InstanceLogView::records(std::string_view topic,
                                                       const console::RecordsQuery& query) {
  ASSIGN(const auto partition, log_.partition(topic, PartitionId(query.partition)));
  return look_at_records(*partition, query, read_bytes_, decoder_.get());
}

Result<console::GroupList> InstanceLogView::groups() {
  ASSIGN(const auto groups, look());
  console::GroupList list;
  const std::shared_lock lock(door_mutex_);
  if (door_ == nullptr) list.unseen = unseen_;
  for (const auto& group : groups) list.groups.push_back(told(group));
  return list;
}

Result<console::GroupDetail> InstanceLogView::group(std::string_view name) {
  ASSIGN(const auto groups, look(std::string(name)));
  if (groups.empty())
    return error(Code::kNotFound, "there is no group `" + std::string(name) + "`");
  const auto& group = groups.front();
  return console::GroupDetail{.info = told(group),
                              .assignor = group.assignor,
                              .members = members_of(group),
                              .offsets = offsets_of(group),
                              .lag_history = lags_.of(group.name)};
}

void InstanceLogView::write_metrics(MetricsText& out) {
  const std::shared_lock lock(door_mutex_);
  if (door_ != nullptr) door_->write_metrics(out);
}

}  // namespace tailrace::app
