// A log that is made up, for the console's tests and its demo.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "console/log_view.h"

namespace tailrace::console {

class MadeUpLog final : public LogView {
 public:
  explicit MadeUpLog(int topics = 3, bool has_groups = true)
      : topics_(topics), has_groups_(has_groups) {}

  std::vector<TopicInfo> topics() override {
    std::vector<TopicInfo> all;
    if (topics_ > 0) all.push_back(info("__consumer_offsets"));
    for (int i = 0; i + 1 < topics_; ++i) all.push_back(info(name(i)));
    return all;
  }

  Result<TopicDetail> topic(std::string_view name) override {
    for (const auto& topic : topics()) {
      if (topic.name != name) continue;
      TopicDetail detail{topic, "9qBRQhjRTEq6qHmvLcJO6g", {}, {}, {}};
      for (int p = 0; p < topic.partitions; ++p) {
        const auto end = grown() / 4 + p;
        detail.partitions.push_back({p, 10, end, end, end * 240});
      }
      detail.settings = {{"cleanup.policy", "compact"}, {"retention.ms", "3600000"}};
      if (has_groups_) detail.readers = {{"analytics", "Stable", lag()}};
      return detail;
    }
    return error(Code::kNotFound, "there is no topic `" + std::string(name) + "`");
  }

  Result<TopicRecords> records(std::string_view topic, const RecordsQuery& query) override {
    query_ = query;
    if (topic == "empty") return TopicRecords{};
    TopicRecords out{10, grown() / 4, false, {}};
    const auto first = query.offset.value_or(out.end - query.limit);
    if (first < out.start || first > out.end)
      return error(Code::kOutOfRange,
                   fmt::format("{}-{}@{}: no such offset", topic, query.partition, first));
    for (auto offset = first; offset < std::min(out.end, first + query.limit); ++offset)
      out.records.push_back(record(offset));
    return out;
  }

  Result<GroupList> groups() override {
    GroupList list;
    if (!has_groups_) return list;
    list.groups = {group_info("analytics"),
                   {"billing", "consumer", "Empty", 0, {"users_created"}, 1'200},
                   {"night shift/é", "classic", "Empty", 0, {}, 0}};
    return list;
  }

  Result<GroupDetail> group(std::string_view name) override {
    if (!has_groups_ || name != "analytics")
      return error(Code::kNotFound, "there is no group `" + std::string(name) + "`");
    GroupDetail detail{group_info("analytics"), "range", {}, {}, {}};
    detail.members = {
        {"consumer-1-6f2a", "", "consumer-1", "/10.0.0.7", {"users_created-0"}},
        {"consumer-2-91bd", "rack-2", "consumer-2", "/10.0.0.8", {"users_created-1"}}};
    for (int p = 0; p < 2; ++p)
      detail.offsets.push_back({"users_created", p, 900, 900 + lag() / 2, lag() / 2, "",
                                fmt::format("consumer-{}", p + 1)});
    detail.offsets.push_back({"users_created", 2, -1, 400, -1, "", ""});
    for (int i = 0; i < 60; ++i)
      detail.lag_history.push_back({1'795'236'300'000 + i * 5000, (i * 37) % 200});
    return detail;
  }

  void write_metrics(MetricsText& out) override {
    out.family("kafka_log_log_size", MetricType::kGauge, "Bytes on disk.");
    out.add({{"topic", "t"}, {"partition", "0"}}, 5);
  }

  const RecordsQuery& last_query() const { return query_; }

 private:
  using Clock = std::chrono::steady_clock;

  static std::string name(int i) {
    if (i == 0) return "users_created";
    return fmt::format("topic_{:04}", i);
  }
  double age() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  std::int64_t grown() const { return 10'000 + static_cast<std::int64_t>(age() * 1000); }
  std::int64_t lag() const { return static_cast<std::int64_t>(age() * 10) % 100 * 2; }

  TopicInfo info(const std::string& topic) const {
    const bool internal = topic.starts_with("__");
    const double rate = internal ? 0 : 1000 + 100 * std::sin(age());
    return {topic, internal, 4, grown(), grown() * 240, rate, rate * 240};
  }

  GroupInfo group_info(const std::string& group) const {
    return {group, "classic", "Stable", 2, {"users_created"}, lag()};
  }

  static ShownBytes bytes(std::string text) {
    const auto size = static_cast<std::int64_t>(text.size());
    return {std::move(text), size, {}};
  }

  /// A key that nobody can decode, and a value of a schema.
  static void decode(TopicRecord& out) {
    out.key = bytes(std::string("\x00\x00\x00\x00\x63zz", 7));
    out.key->decoded = {.schema_id = 99, .why = "Schema 99 not found"};
    out.value = bytes(std::string("\x00\x00\x00\x00\x02\x04Zo\x0e", 9));
    out.value->decoded = {.schema_id = 2,
                          .type = "AVRO",
                          .subject = "users_created-value",
                          .version = 2,
                          .json = R"({"id":"Zo","age":7})"};
  }

  static TopicRecord record(std::int64_t offset) {
    TopicRecord out{offset, 1'795'236'300'000 + offset, {}, {}, {}};
    out.key = bytes(fmt::format("user-{}", offset));
    out.value = bytes(fmt::format(R"({{"id":{},"name":{{"first":"Chiara"}}}})", offset));
    if (offset % 3 == 0) out.value = bytes(std::string("\x00\x00\x01\xff<script>", 12));
    if (offset % 5 == 0) out.value = std::nullopt;
    if (offset % 7 == 0) decode(out);
    out.headers = {{"trace", bytes("4bf92f3577b34da6")}, {"empty", std::nullopt}};
    return out;
  }

  const int topics_;
  const bool has_groups_;
  RecordsQuery query_;
  const Clock::time_point start_ = Clock::now();
};

}  // namespace tailrace::console
