// The console's view of the log and of the groups that read it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include "app/lag_history.h"
#include "app/topic_records.h"
#include "console/log_view.h"
#include "kafka/door.h"
#include "kafka/group_view.h"
#include "log/log.h"

namespace tailrace::app {

/// Groups are those of the door while there is one; without it they are unseen.
class InstanceLogView final : public console::LogView {
 public:
  /// `unseen`: why there are no groups to see without a door, in words.
  InstanceLogView(log::Log& log, ReadBytes read_bytes, std::string unseen);
  ~InstanceLogView() override;

  /// The door has opened; lag is sampled from now on.
  void open(kafka::Door& door);
  /// Keys and values with a schema are decoded from now on; before the first call of records().
  void decode_by(std::unique_ptr<RecordDecoder> decoder) { decoder_ = std::move(decoder); }
  /// Waits for those that look through it, and lets nobody look any more.
  void close();

  std::vector<console::TopicInfo> topics() override;
  Result<console::TopicDetail> topic(std::string_view name) override;
  Result<console::TopicRecords> records(std::string_view topic,
                                        const console::RecordsQuery& query) override;
  Result<console::GroupList> groups() override;
  Result<console::GroupDetail> group(std::string_view name) override;
  void write_metrics(MetricsText& out) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Rate {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    Clock::time_point when{};
    double records_per_s = 0;
    double bytes_per_s = 0;
  };
  console::TopicInfo info(const log::Topic& topic);
  void rate(console::TopicInfo& info, std::uint64_t records, std::uint64_t bytes);
  /// Without a door: none.
  Result<std::vector<kafka::GroupView>> look(const std::string& name = {});
  void sample_lags(const std::stop_token& stop);

  log::Log& log_;
  const ReadBytes read_bytes_;
  const std::string unseen_;
  std::unique_ptr<RecordDecoder> decoder_;
  std::shared_mutex door_mutex_;
  kafka::Door* door_ = nullptr;
  std::mutex rates_mutex_;
  std::map<std::string, Rate> rates_;
  LagHistory lags_;
  std::mutex sampling_mutex_;
  std::condition_variable_any sampling_;
  std::jthread sampler_;
};

}  // namespace tailrace::app
