#include "kafka/broker.h"

#include <fmt/format.h>

#include "base/log.h"
#include "rt/random.h"

namespace tailrace::kafka {
namespace {

/// The value of `name=value` in a file of properties.
std::string property(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with(name) && line.substr(name.size()).starts_with('=')) {
      return std::string(line.substr(name.size() + 1));
    }
  }
  return {};
}

std::string new_cluster_id() {
  rt::Random random(rt::system_seed());
  log::TopicId id{};
  for (auto& byte : id) byte = static_cast<std::uint8_t>(random.next());
  return log::topic_id_text(id);
}

}  // namespace

Broker::Broker(log::Log& log, BrokerConfig config, std::string folder)
    : log_(log),
      config_(std::move(config)),
      folder_(std::move(folder)),
      features_(folder_ + "/features"),
      producer_ids_(folder_ + "/producer-ids"),
      fetch_sessions_(config_.fetch_sessions),
      committer_(log_),
      groups_(log_, committer_, {config_.groups, config_.offsets_partitions}) {}

Result<std::unique_ptr<Broker>> Broker::open(log::Log& log, BrokerConfig config,
                                             std::string folder) {
  std::unique_ptr<Broker> broker(new Broker(log, std::move(config), std::move(folder)));
  TRY(broker->read_identity());
  TRY(broker->features_.load());
  TRY(broker->groups_.start());
  auto& parking = broker->parking_;
  log.listen([&parking](const log::Partition& partition, std::uint64_t bytes) {
    parking.appended(partition, bytes);
  });
  return broker;
}

Broker::~Broker() {
  stop();
}

void Broker::stop() {
  log_.listen({});
  worker_.stop();
  parking_.stop();
  committer_.stop();
  groups_.stop();
}

Status Broker::read_identity() {
  auto& files = rt::posix_files();
  const std::string path = folder_ + "/meta.properties";
  auto text = rt::read_whole(files, path, 1 << 16);
  if (!text && text.error().code != Code::kNotFound) return std::unexpected(text.error());
  if (text) cluster_id_ = property(*text, "cluster.id");
  if (!cluster_id_.empty()) return {};
  cluster_id_ = new_cluster_id();
  return rt::write_atomically(
      files, path,
      fmt::format("version=1\ncluster.id={}\nnode.id={}\n", cluster_id_, config_.node_id));
}

Result<log::Topic> Broker::find_or_create(const std::string& name, bool create) {
  if (auto topic = log_.topic(name)) return *topic;
  if (!create || !config_.auto_create_topics) {
    return error(Code::kNotFound, fmt::format("no topic {}", name));
  }
  TRY(log::check_topic_name(name));
  TRY(log_.ensure_topic(name, config_.topic));
  LOG(info, "topic {} created, with {} partitions", name, config_.topic.partitions);
  if (auto topic = log_.topic(name)) {
    topic_changed(*topic);
    return *topic;
  }
  return error(Code::kNotFound, fmt::format("topic {} was deleted", name));
}

void Broker::topic_changed(const log::Topic& topic) {
  groups_.topic_changed(topic);
}

void Broker::topic_deleted(const log::Topic& topic) {
  groups_.topic_deleted(topic);
}

bool Broker::is_internal(std::string_view topic) {
  return topic == "__consumer_offsets" || topic == "__transaction_state" ||
         topic == "__share_group_state";
}

}  // namespace tailrace::kafka
