#include "groups/consumer_protocol.h"

#include <algorithm>

#include "base/bytes.h"

namespace tailrace::groups {

namespace {

constexpr std::int16_t kHighestVersion = 3;

/// Reads from the front; once something lacks, all that follows does.
class Reader {
 public:
  explicit Reader(std::string_view from) : from_(from) {}

  bool ok() const { return ok_; }

  template <typename T>
  T number() {
    const auto bytes = take(sizeof(T));
    return ok_ ? load_be<T>(bytes.data()) : T{};
  }
  /// A length below zero is "none".
  template <typename Length>
  std::optional<std::string> maybe_bytes() {
    const auto length = number<Length>();
    if (!ok_ || length < 0) return std::nullopt;
    return std::string(take(static_cast<std::size_t>(length)));
  }
  std::string string() {
    auto text = maybe_bytes<std::int16_t>();
    ok_ = ok_ && text.has_value();
    return text.value_or("");
  }
  template <typename Do>
  void each(const Do& read) {
    const auto count = number<std::int32_t>();
    ok_ = ok_ && count >= 0;
    for (std::int32_t i = 0; ok_ && i < count; ++i) read();
  }
  NamedPartitions partitions() {
    NamedPartitions out;
    each([&] {
      auto& some = out[string()];
      each([&] { some.insert(number<std::int32_t>()); });
    });
    return out;
  }

 private:
  std::string_view take(std::size_t size) {
    ok_ = ok_ && from_.size() >= size;
    if (!ok_) return {};
    const auto taken = from_.substr(0, size);
    from_.remove_prefix(size);
    return taken;
  }

  std::string_view from_;
  bool ok_ = true;
};

/// The version and the topics, which all versions open with.
ConsumerSubscription opening(Reader& in) {
  ConsumerSubscription out;
  out.version = in.number<std::int16_t>();
  if (out.version >= 0) in.each([&] { out.topics.push_back(in.string()); });
  return out;
}

}  // namespace

std::optional<std::set<std::string>> subscribed_topics(std::string_view metadata) {
  Reader in(metadata);
  const auto read = opening(in);
  if (!in.ok() || read.version < 0) return std::nullopt;
  return std::set(read.topics.begin(), read.topics.end());
}

std::optional<ConsumerSubscription> read_subscription(std::string_view bytes) {
  Reader in(bytes);
  auto out = opening(in);
  in.maybe_bytes<std::int32_t>();
  if (out.version >= 1) out.owned = in.partitions();
  if (out.version >= 2) in.number<std::int32_t>();
  if (out.version >= 3) out.rack = in.maybe_bytes<std::int16_t>();
  if (!in.ok() || out.version < 0) return std::nullopt;
  return out;
}

std::optional<ConsumerAssignment> read_assignment(std::string_view bytes) {
  Reader in(bytes);
  const auto version = in.number<std::int16_t>();
  ConsumerAssignment out;
  out.partitions = in.partitions();
  out.user_data = in.maybe_bytes<std::int32_t>().value_or("");
  if (!in.ok() || version < 0) return std::nullopt;
  return out;
}

std::string write_assignment(const NamedPartitions& partitions, std::int16_t version) {
  std::string out;
  append_be<std::int16_t>(out, std::min(version, kHighestVersion));
  append_be<std::int32_t>(out, static_cast<std::int32_t>(partitions.size()));
  for (const auto& [topic, some] : partitions) {
    append_be<std::int16_t>(out, static_cast<std::int16_t>(topic.size()));
    out += topic;
    append_be<std::int32_t>(out, static_cast<std::int32_t>(some.size()));
    for (const auto partition : some) append_be<std::int32_t>(out, partition);
  }
  append_be<std::int32_t>(out, -1);
  return out;
}

Assignment by_id(const NamedPartitions& partitions, const Topics& topics) {
  Assignment out;
  for (const auto& [name, some] : partitions)
    if (const auto topic = topics.find(name); topic != topics.end())
      out.emplace(topic->second.id, some);
  return out;
}

NamedPartitions by_name(const Assignment& assignment, const Topics& topics) {
  NamedPartitions out;
  for (const auto& [name, topic] : topics)
    if (const auto some = assignment.find(topic.id); some != assignment.end())
      out.emplace(name, some->second);
  return out;
}

std::string assignment_for(std::string_view subscription, const Assignment& assignment,
                           const Topics& topics) {
  const auto said = read_subscription(subscription);
  return write_assignment(by_name(assignment, topics), said ? said->version : std::int16_t{0});
}

}  // namespace tailrace::groups
