#include "groups/streams_topology.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tailrace::groups {

namespace {

using Counts = std::map<std::string, std::int32_t>;

/// At most three names, and how many more there are.
template <typename Names>
std::string summary(const Names& names) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> shown;
  for (const auto& name : names)
    if (shown.size() < kShown) shown.push_back(name);
  const auto more = names.size() - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "),
                     more == 0 ? "" : fmt::format(" and {} additional topics", more));
}

std::string pairs(const Counts& counts) {
  std::vector<std::string> out;
  for (const auto& [name, count] : counts) out.push_back(fmt::format("{}={}", name, count));
  return fmt::format("{{{}}}", fmt::join(out, ", "));
}

class Configuration {
 public:
  Configuration(const StreamsTopology& topology, const Topics& topics)
      : topology_(topology), topics_(topics) {}

  std::expected<ConfiguredTopology, Refusal> run() {
    out_.topology = topology_;
    std::ranges::sort(out_.topology.subtopologies, {}, &Subtopology::id);
    if (!find_sources() || !decide_repartitions() || !copartition()) return end();
    if (!decide_changelogs()) return end();
    for (auto& part : out_.topology.subtopologies) configure(part);
    find_missing();
    return end();
  }

 private:
  std::expected<ConfiguredTopology, Refusal> end() {
    if (refusal_) return std::unexpected(std::move(*refusal_));
    if (out_.trouble && out_.trouble->code != StreamsStatusCode::kMissingInternalTopics) {
      out_.subtopologies.clear();
      out_.topology = topology_;
    }
    return std::move(out_);
  }

  bool trouble(StreamsStatusCode code, std::string detail) {
    out_.trouble = StreamsStatus{code, std::move(detail)};
    return false;
  }
  bool incorrect(std::string detail) {
    return trouble(StreamsStatusCode::kIncorrectlyPartitionedTopics, std::move(detail));
  }
  bool refuse(std::string message) {
    refusal_ = Refusal{ErrorCode::kStreamsInvalidTopology, std::move(message)};
    return false;
  }

  /// What exists counts; what does not, as it was decided. Nothing: neither.
  std::optional<std::int32_t> count(const std::string& topic) const {
    if (const auto found = topics_.find(topic); found != topics_.end())
      return found->second.partitions;
    const auto found = decided_.find(topic);
    return found == decided_.end() ? std::nullopt : std::optional(found->second);
  }

  bool find_sources() {
    std::set<std::string> missing;
    for (const auto& part : topology_.subtopologies)
      for (const auto& name : part.sources)
        if (!topics_.contains(name)) missing.insert(name);
    if (missing.empty()) return true;
    return trouble(StreamsStatusCode::kMissingSourceTopics,
                   fmt::format("Source topics {} are missing.", summary(missing)));
  }

  /// The most partitions of what fills a topic, of those that are known.
  std::optional<std::int32_t> widest(const Subtopology& part) const {
    std::optional<std::int32_t> most;
    for (const auto& topic : part.repartitions)
      if (const auto found = decided_.find(topic.name); found != decided_.end())
        most = std::max(most.value_or(0), found->second);
    for (const auto& topic : part.sources) most = std::max(most.value_or(0), *count(topic));
    return most;
  }

  bool decide_repartitions() {
    Counts& decided = decided_;
    for (const auto& part : out_.topology.subtopologies)
      for (const auto& topic : part.repartitions)
        if (topic.partitions != 0) decided[topic.name] = topic.partitions;
    for (bool again = true; again;) {
      again = false;
      bool progress = false;
      for (const auto& part : out_.topology.subtopologies)
        for (const auto& sink : part.repartition_sinks) {
          if (decided.contains(sink)) continue;
          const auto most = widest(part);
          if (most) decided[sink] = *most;
          (most ? progress : again) = true;
        }
      if (again && !progress)
        return refuse(
            "Failed to compute number of partitions for all repartition topics. There may be loops "
            "in the topology that cannot be resolved.");
    }
    for (const auto& part : out_.topology.subtopologies)
      for (const auto& topic : part.repartitions)
        if (!decided.contains(topic.name))
          return refuse(
              "Failed to compute number of partitions for all repartition topics, because a "
              "repartition source topic is never used as a sink topic.");
    return true;
  }

  /// The group's topics; nothing when it names a place that is not there.
  static std::optional<std::set<std::string>> names_of(const Subtopology& part,
                                                       const CopartitionGroup& group) {
    std::set<std::string> names;
    const auto valid = [](std::int16_t place, const auto& list) {
      return place >= 0 && place < std::ssize(list);
    };
    for (const auto place : group.sources) {
      if (!valid(place, part.sources)) return std::nullopt;
      names.insert(part.sources[static_cast<std::size_t>(place)]);
    }
    for (const auto place : group.repartitions) {
      if (!valid(place, part.repartitions)) return std::nullopt;
      names.insert(part.repartitions[static_cast<std::size_t>(place)].name);
    }
    return names;
  }

  bool copartition() {
    for (const auto& part : out_.topology.subtopologies)
      for (const auto& topic : part.repartitions)
        (topic.partitions != 0 ? fixed_ : flexible_).insert(topic.name);
    for (const auto& part : out_.topology.subtopologies)
      for (const auto& group : part.copartitions) {
        const auto names = names_of(part, group);
        if (!names)
          return refuse("A copartition group of subtopology " + part.id +
                        " names a topic that the subtopology does not have.");
        if (!names->empty() && !copartition(*names)) return false;
      }
    return true;
  }

  /// All of them alike: as the topics from outside, else as those that say it, else as the widest.
  bool copartition(const std::set<std::string>& names) {
    Counts internal, external;
    for (const auto& name : names)
      (fixed_.contains(name) || flexible_.contains(name) ? internal : external)[name] =
          *count(name);
    Counts telling = external;
    if (external.empty())
      for (const auto& name : fixed_) telling[name] = *count(name);
    std::int32_t wanted = 0;
    for (const auto& [name, partitions] : telling.empty() ? internal : telling)
      wanted = std::max(wanted, partitions);
    for (const auto& [name, partitions] : telling)
      if (partitions != wanted)
        return incorrect("Following topics do not have the same number of partitions: [" +
                         pairs(external.empty() ? internal : external) + "]");
    for (const auto& [name, partitions] : internal) {
      if (fixed_.contains(name) && partitions != wanted)
        return incorrect(
            fmt::format("Number of partitions [{}] of repartition topic [{}] doesn't match number "
                        "of partitions [{}] of the source topic.",
                        partitions, name, wanted));
      decided_[name] = wanted;
    }
    return true;
  }

  bool decide_changelogs() {
    for (const auto& part : out_.topology.subtopologies) {
      const auto tasks = tasks_of(part);
      if (tasks == 0) return refuse("No source topics found for subtopology " + part.id);
      for (const auto& topic : part.changelogs) decided_[topic.name] = tasks;
    }
    return true;
  }

  std::int32_t tasks_of(const Subtopology& part) const {
    std::int32_t most = 0;
    for (const auto& topic : part.sources) most = std::max(most, count(topic).value_or(0));
    for (const auto& topic : part.repartitions)
      most = std::max(most, count(topic.name).value_or(0));
    return most;
  }

  void configure(Subtopology& part) {
    auto& told = out_.subtopologies[part.id];
    told.tasks = tasks_of(part);
    told.stateful = !part.changelogs.empty();
    told.sources.insert(part.sources.begin(), part.sources.end());
    for (auto* list : {&part.repartitions, &part.changelogs})
      for (auto& topic : *list)
        if (topic.partitions == 0) topic.partitions = decided_.at(topic.name);
    for (const auto& topic : part.repartitions) told.sources.insert(topic.name);
  }

  void find_missing() {
    std::map<std::string, InternalTopic> internal;
    for (const auto& part : out_.topology.subtopologies)
      for (const auto* list : {&part.repartitions, &part.changelogs})
        for (const auto& topic : *list) internal.insert_or_assign(topic.name, topic);
    std::vector<std::string> names;
    for (const auto& [name, topic] : internal) {
      const auto found = topics_.find(name);
      if (found == topics_.end()) {
        out_.missing.push_back(topic);
        names.push_back(name);
      } else if (found->second.partitions != topic.partitions) {
        out_.missing.clear();
        incorrect(fmt::format(
            "Existing topic {} has different number of partitions: expected {}, found {}", name,
            topic.partitions, found->second.partitions));
        return;
      }
    }
    if (!names.empty())
      trouble(StreamsStatusCode::kMissingInternalTopics,
              "Internal topics are missing: " + summary(names));
  }

  const StreamsTopology& topology_;
  const Topics& topics_;
  Counts decided_;  // of internal topics
  std::set<std::string> fixed_, flexible_;
  std::optional<Refusal> refusal_;
  ConfiguredTopology out_;
};

}  // namespace

std::expected<ConfiguredTopology, Refusal> configure(const StreamsTopology& topology,
                                                     const Topics& topics) {
  return Configuration(topology, topics).run();
}

std::set<std::string> required_topics(const StreamsTopology& topology) {
  std::set<std::string> out;
  for (const auto& part : topology.subtopologies) {
    out.insert(part.sources.begin(), part.sources.end());
    for (const auto* list : {&part.repartitions, &part.changelogs})
      for (const auto& topic : *list) out.insert(topic.name);
  }
  return out;
}

const Subtopology* reader_of(const StreamsTopology& topology, const std::string& topic) {
  for (const auto& part : topology.subtopologies)
    if (std::ranges::find(part.sources, topic) != part.sources.end() ||
        std::ranges::find(part.repartitions, topic, &InternalTopic::name) !=
            part.repartitions.end())
      return &part;
  return nullptr;
}

}  // namespace tailrace::groups
