// Reads a conversation, says its lines to Groups and writes down what they do; testdata/README.md
// has the language. The text that comes back equals the text that was read when all went as
// written.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/testing/conversation_line.h"
#include "groups/consumer_protocol.h"
#include "groups/groups.h"
#include "groups/testing/actions_text.h"

namespace tailrace::groups::testing {

using conversations::Line;
using conversations::split;

/// The metadata a classic consumer sends: the topics, no user data; since version 1 what it owns.
inline std::string consumer_metadata(const std::vector<std::string>& topics,
                                     const std::optional<NamedPartitions>& owned = {}) {
  std::string out;
  append_be<std::int16_t>(out, owned ? 1 : 0);
  append_be<std::int32_t>(out, static_cast<std::int32_t>(topics.size()));
  for (const auto& topic : topics) {
    append_be<std::int16_t>(out, static_cast<std::int16_t>(topic.size()));
    out += topic;
  }
  append_be<std::int32_t>(out, -1);
  // What an assignment has between its version and its user data.
  if (owned) out += write_assignment(*owned, 1).substr(2);
  return out;
}

/// t:0+1/u:2
inline NamedPartitions named_partitions(const std::string& text) {
  NamedPartitions out;
  for (const auto& one : split(text, '/')) {
    const auto parts = split(one, ':');
    for (const auto& partition : split(parts.at(1), '+'))
      out[parts[0]].insert(std::stoi(partition));
  }
  return out;
}

inline TopicId topic_id(std::int64_t number) {
  TopicId id;
  store_be<std::int64_t>(id.bytes.data() + 8, number);
  return id;
}

class Conversation {
 public:
  static std::string perform(const std::string& text) {
    Conversation conversation;
    conversation.config_.consumer_assignment_interval_ms = 0;
    conversation.config_.share_assignment_interval_ms = 0;
    conversation.config_.streams_assignment_interval_ms = 0;
    conversation.config_.streams_initial_rebalance_delay_ms = 0;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("  ")) continue;
      conversation.out_ += line + "\n";
      if (!line.empty() && !line.starts_with("#")) conversation.say(line);
    }
    return conversation.out_;
  }

 private:
  /// What an actor was told last.
  struct Actor {
    std::string member;
    std::int32_t generation = -1;
    std::int32_t epoch = 0;
    Assignment owned;
    TaskSet tasks;
  };

  void say(const std::string& text) {
    const Line line(text);
    if (line.word(0) == "config") return configure(line);
    if (!groups_) make();
    if (line.has("t")) pass_time_until(line.number("t", 0));
    if (line.word(0) == "restart") return restart();
    if (line.word(0) == "-") return;
    if (line.word(0) == "topic") {
      topics_.push_back(topic(line));
      return perform(topics_.back());
    }
    if (line.word(0) == "settings") return perform(settings(line));
    actor_ = line.word(0);
    const auto verb = verbs().find(line.word(1));
    if (verb == verbs().end()) throw std::runtime_error("no such verb: " + text);
    perform((this->*verb->second)(line));
  }

  void configure(const Line& line) {
    config_.group_initial_rebalance_delay_ms =
        static_cast<std::int32_t>(line.number("delay", config_.group_initial_rebalance_delay_ms));
    config_.group_max_size =
        static_cast<std::int32_t>(line.number("max_size", config_.group_max_size));
    config_.consumer_max_size = config_.group_max_size;
    if (line.has("max_size")) config_.share_max_size = config_.group_max_size;
    config_.streams_max_size = config_.group_max_size;
    if (line.has("delay"))
      config_.streams_initial_rebalance_delay_ms = config_.group_initial_rebalance_delay_ms;
    config_.streams_num_standby_replicas =
        static_cast<std::int32_t>(line.number("standbys", config_.streams_num_standby_replicas));
    config_.consumer_migration_policy = policy(line.text("policy", "bidirectional"));
    config_.offsets_retention_ms = line.number("retention", config_.offsets_retention_ms);
    config_.offsets_retention_check_interval_ms =
        line.number("check", config_.offsets_retention_check_interval_ms);
    config_.consumer_assignment_interval_ms =
        line.number("interval", config_.consumer_assignment_interval_ms);
    config_.share_assignment_interval_ms = config_.consumer_assignment_interval_ms;
    config_.streams_assignment_interval_ms = config_.consumer_assignment_interval_ms;
    config_.consumer_session_timeout_ms =
        static_cast<std::int32_t>(line.number("session", config_.consumer_session_timeout_ms));
    config_.offset_metadata_max_bytes =
        static_cast<std::int32_t>(line.number("metadata", config_.offset_metadata_max_bytes));
  }

  static MigrationPolicy policy(const std::string& word) {
    if (word == "disabled") return MigrationPolicy::kDisabled;
    if (word == "upgrade") return MigrationPolicy::kUpgrade;
    return word == "downgrade" ? MigrationPolicy::kDowngrade : MigrationPolicy::kBidirectional;
  }

  void make() {
    groups_ = std::make_unique<Groups>(config_, [this] { return std::to_string(++names_); });
    for (const auto& [record, producer] : log_)
      if (const auto* marker = std::get_if<AppendMarker>(&record))
        groups_->replay(*marker);
      else
        groups_->replay(std::get<Record>(record), producer);
    for (const auto& change : topics_) groups_->step({{}, change}, TimestampMs(now_));
    note(groups_->start(TimestampMs(now_)));
  }

  void restart() { make(); }

  void pass_time_until(std::int64_t time) {
    for (auto due = groups_->next_deadline(); due && due->value <= time;
         due = groups_->next_deadline()) {
      now_ = std::max(now_, due->value);
      note(groups_->step({{}, Tick{}}, TimestampMs(now_)));
    }
    now_ = std::max(now_, time);
  }

  void perform(Happening what) {
    const RequestId id(++requests_);
    asked_[id] = actor_;
    note(groups_->step({id, std::move(what)}, TimestampMs(now_)));
  }

  void note(const Actions& actions) {
    for (const auto& action : actions) {
      out_ += fmt::format("  t={} {}\n", now_, written(action));
      if (const auto* append = std::get_if<Append>(&action))
        log_.emplace_back(append->record, append->producer);
      else if (const auto* marker = std::get_if<AppendMarker>(&action))
        log_.emplace_back(*marker, std::nullopt);
      else if (const auto* reply = std::get_if<Reply>(&action))
        remember(*reply);
    }
  }

  std::string written(const Action& action) const {
    if (const auto* append = std::get_if<Append>(&action))
      return "append " + text_of(append->record) +
             (append->producer ? fmt::format(" producer={}", append->producer->id) : "");
    if (const auto* marker = std::get_if<AppendMarker>(&action))
      return fmt::format("append {} producer={}", marker->committed ? "commit" : "abort",
                         marker->producer.id);
    if (const auto* initialise = std::get_if<ShareInitialise>(&action)) return text_of(*initialise);
    if (const auto* forget = std::get_if<ShareForget>(&action)) return text_of(*forget);
    const auto& reply = std::get<Reply>(action);
    return asked_.at(reply.request) + ": " + text_of(reply.answer);
  }

  void remember(const Reply& reply) {
    auto& actor = actors_[asked_.at(reply.request)];
    if (const auto* joined = std::get_if<JoinAnswer>(&reply.answer)) {
      const bool given = joined->error == ErrorCode::kMemberIdRequired;
      if (given || joined->error == ErrorCode::kNone) actor.member = joined->member;
      if (joined->error == ErrorCode::kNone) actor.generation = joined->generation.value;
    } else if (const auto* beat = std::get_if<ConsumerHeartbeatAnswer>(&reply.answer)) {
      if (beat->error != ErrorCode::kNone) return;
      actor.member = beat->member;
      actor.epoch = beat->epoch.value;
      if (beat->assignment) actor.owned = *beat->assignment;
    } else if (const auto* shared = std::get_if<ShareHeartbeatAnswer>(&reply.answer)) {
      if (shared->error == ErrorCode::kNone) actor.epoch = shared->epoch.value;
    } else if (const auto* streams = std::get_if<StreamsHeartbeatAnswer>(&reply.answer)) {
      if (streams->error != ErrorCode::kNone) return;
      actor.member = streams->member;
      actor.epoch = streams->epoch.value;
      if (streams->tasks) actor.tasks = *streams->tasks;
    }
  }

  Actor& actor() { return actors_[actor_]; }
  std::string member(const Line& line) {
    const auto id = line.text("member", actor().member);
    return id == "-" ? "" : id;
  }
  Generation generation(const Line& line) {
    return Generation(static_cast<std::int32_t>(line.number("generation", actor().generation)));
  }
  Client client() const { return {actor_, "/127.0.0.1"}; }

  static Happening settings(const Line& line) {
    GroupSettings settings{line.word(1), {}, {}, {}};
    if (line.has("session"))
      settings.consumer_session_timeout_ms = static_cast<std::int32_t>(line.number("session", 0));
    if (line.has("interval")) settings.consumer_assignment_interval_ms = line.number("interval", 0);
    if (line.has("standbys"))
      settings.streams_num_standby_replicas = static_cast<std::int32_t>(line.number("standbys", 0));
    return settings;
  }

  static Happening topic(const Line& line) {
    if (line.says("deleted")) return TopicDeleted{line.word(1)};
    return TopicChanged{line.word(1),
                        Topic{topic_id(line.number("id", 1)),
                              static_cast<std::int32_t>(line.number("partitions", 1))}};
  }

  Happening joins(const Line& line) {
    JoinGroup join;
    join.group = line.word(2);
    join.member = member(line);
    join.instance = line.maybe("instance");
    join.session_timeout_ms = static_cast<std::int32_t>(line.number("session", 10'000));
    join.rebalance_timeout_ms = static_cast<std::int32_t>(line.number("rebalance", 60'000));
    join.protocol_type = line.text("type", "consumer");
    const bool consumer = join.protocol_type == "consumer";
    const auto owned =
        line.has("owned") ? std::optional(named_partitions(line.text("owned"))) : std::nullopt;
    for (const auto& name : split(line.text("protocols", "range"), ','))
      join.protocols.push_back(
          {name, consumer ? consumer_metadata(line.list("topics"), owned) : "m"});
    join.client = client();
    join.takes_member_id = line.number("version", 9) >= 4;
    join.takes_skip_assignment = line.number("version", 9) >= 9;
    return join;
  }

  Happening syncs(const Line& line) {
    SyncGroup sync{line.word(2),
                   member(line),
                   line.maybe("instance"),
                   generation(line),
                   line.maybe("type"),
                   line.maybe("protocol"),
                   {}};
    for (const auto& one : line.list("assign")) {
      const auto colon = one.find(':');
      const auto bytes = one.substr(colon + 1);
      sync.assignments.push_back(
          {one.substr(0, colon), bytes.starts_with("@")
                                     ? write_assignment(named_partitions(bytes.substr(1)), 1)
                                     : bytes});
    }
    return sync;
  }

  Happening beats(const Line& line) {
    return Heartbeat{line.word(2), member(line), line.maybe("instance"), generation(line)};
  }

  Happening leaves(const Line& line) {
    LeaveGroup leave{line.word(2), {}};
    for (const auto& one : split(line.text("members", member(line)), ',')) {
      const auto slash = one.find('/');
      leave.members.push_back({one.substr(0, slash), slash == std::string::npos
                                                         ? std::nullopt
                                                         : std::optional(one.substr(slash + 1))});
    }
    return leave;
  }

  /// offsets=topic:partition:offset:metadata,…
  Happening commits(const Line& line) {
    CommitOffsets commit;
    commit.group = line.word(2);
    commit.member = member(line);
    commit.instance = line.maybe("instance");
    commit.generation = line.has("epoch")
                            ? Generation(static_cast<std::int32_t>(line.number("epoch", 0)))
                            : generation(line);
    commit.retention_ms = line.number("retention", -1);
    commit.takes_group_errors = line.number("version", 9) >= 9;
    if (line.has("producer")) commit.producer = Producer{line.number("producer", 0), 0};
    for (const auto& one : line.list("offsets")) {
      const auto parts = split(one, ':');
      commit.topics.push_back({parts[0],
                               topic_id(line.number("id", 0)),
                               {{std::stoi(parts[1]), std::stoll(parts[2]), LeaderEpoch(0),
                                 parts.size() > 3 ? parts[3] : ""}}});
    }
    return commit;
  }

  static std::vector<TopicPartitions> partitions(const Line& line) {
    std::vector<TopicPartitions> topics;
    for (const auto& one : line.list("offsets")) {
      const auto parts = split(one, ':');
      topics.push_back({parts[0], topic_id(line.number("id", 0)), {std::stoi(parts[1])}});
    }
    return topics;
  }

  Happening fetches(const Line& line) {
    FetchOffsets fetch{line.word(2), line.maybe("member"), {}, {}, line.says("stable")};
    fetch.member_epoch = MemberEpoch(static_cast<std::int32_t>(line.number("epoch", -1)));
    if (line.has("offsets")) fetch.topics = partitions(line);
    if (fetch.member == "-") fetch.member = "";
    return fetch;
  }

  Happening forgets(const Line& line) { return DeleteOffsets{line.word(2), partitions(line)}; }
  Happening describes(const Line& line) {
    return DescribeGroups{split(line.word(2), ','), line.number("version", 6) >= 6};
  }
  Happening lists(const Line& line) { return ListGroups{line.list("states"), line.list("types")}; }
  Happening deletes(const Line& line) { return DeleteGroups{split(line.word(2), ',')}; }
  Happening ends(const Line& line) {
    return EndTransaction{{line.number("producer", 0), 0}, line.says("commit")};
  }

  /// owned=#1:0+1,#2:3; "owned=" owns nothing; without: as it was told last, from the second on.
  Happening consumes(const Line& line) {
    ConsumerHeartbeat beat;
    beat.group = line.word(2);
    beat.member = member(line);
    beat.epoch = MemberEpoch(static_cast<std::int32_t>(line.number("epoch", actor().epoch)));
    beat.instance = line.maybe("instance");
    beat.rack = line.maybe("rack");
    beat.rebalance_timeout_ms =
        static_cast<std::int32_t>(line.number("rebalance", beat.epoch.value == 0 ? 60'000 : -1));
    if (line.has("topics")) beat.topics = line.list("topics");
    beat.regex = line.maybe("regex");
    beat.assignor = line.maybe("assignor");
    if (line.has("owned")) beat.owned = assignment(line.text("owned"));
    if (!line.has("owned") && !line.says("silent"))
      beat.owned = beat.epoch.value == 0 ? Assignment{} : actor().owned;
    beat.client = client();
    beat.makes_member_id = line.number("version", 1) < 1;
    if (line.has("sees"))
      beat.may_describe = [seen = line.list("sees")](const std::string& topic) {
        return std::ranges::count(seen, topic) > 0;
      };
    return beat;
  }

  Happening shares(const Line& line) {
    ShareHeartbeat beat;
    beat.group = line.word(2);
    beat.member = line.text("member", actor_);
    if (beat.member == "-") beat.member = "";
    beat.epoch = MemberEpoch(static_cast<std::int32_t>(line.number("epoch", actor().epoch)));
    beat.rack = line.maybe("rack");
    if (line.has("topics")) beat.topics = line.list("topics");
    beat.client = client();
    return beat;
  }
  Happening watches(const Line& line) { return DescribeShareGroups{split(line.word(2), ',')}; }
  Happening places(const Line& line) { return ShareTopics{split(line.word(2), ',')}; }
  /// offsets=topic:partition:start,…
  Happening moves(const Line& line) {
    AlterShareOffsets alter{line.word(2), {}};
    for (const auto& one : line.list("offsets")) {
      const auto parts = split(one, ':');
      alter.topics.push_back({parts[0], {{std::stoi(parts[1]), std::stoll(parts[2])}}});
    }
    return alter;
  }
  Happening drops(const Line& line) {
    return DeleteShareOffsets{line.word(2), line.list("topics")};
  }

  /// ID:SOURCES:SINKS:REPARTITIONS:CHANGELOGS,… with lists a+b; a repartition topic may have /N
  /// partitions. All that a part reads is copartitioned where it says so with a sixth field.
  static StreamsTopology topology(const Line& line) {
    StreamsTopology out;
    out.epoch = static_cast<std::int32_t>(line.number("topology", 0));
    for (const auto& one : line.list("parts")) {
      auto fields = split(one, ':');
      fields.resize(6);
      auto& part = out.subtopologies.emplace_back();
      part.id = fields[0];
      part.sources = split(fields[1], '+');
      part.repartition_sinks = split(fields[2], '+');
      part.repartitions = internal_topics(fields[3]);
      part.changelogs = internal_topics(fields[4]);
      if (fields[5].empty()) continue;
      auto& group = part.copartitions.emplace_back();
      for (std::int16_t i = 0; i < std::ssize(part.sources); ++i) group.sources.push_back(i);
      for (std::int16_t i = 0; i < std::ssize(part.repartitions); ++i)
        group.repartitions.push_back(i);
    }
    return out;
  }
  static std::vector<InternalTopic> internal_topics(const std::string& text) {
    std::vector<InternalTopic> out;
    for (const auto& one : split(text, '+')) {
      const auto parts = split(one, '/');
      out.push_back({parts[0], parts.size() > 1 ? std::stoi(parts[1]) : 0, 0, {}});
    }
    return out;
  }
  static Tasks tasks(const std::string& text) {
    Tasks out;
    for (const auto& one : split(text, ',')) {
      const auto parts = split(one, ':');
      for (const auto& partition : split(parts.at(1), '+'))
        out[parts[0]].insert(std::stoi(partition));
    }
    return out;
  }

  /// owned=0:0+1,1:2 (active); without: as it was told last, from the second on.
  Happening streams(const Line& line) {
    StreamsHeartbeat beat;
    beat.group = line.word(2);
    beat.member = line.text("member", actor_);
    if (beat.member == "-") beat.member = "";
    beat.epoch = MemberEpoch(static_cast<std::int32_t>(line.number("epoch", actor().epoch)));
    const bool joins = beat.epoch.value == 0;
    beat.instance = line.maybe("instance");
    beat.rack = line.maybe("rack");
    beat.endpoint_epoch = static_cast<std::int32_t>(line.number("endpoints", 0));
    beat.rebalance_timeout_ms =
        static_cast<std::int32_t>(line.number("rebalance", joins ? 60'000 : -1));
    if (line.has("parts")) beat.topology = topology(line);
    if (!line.says("silent")) {
      const auto last = joins ? TaskSet{} : actor().tasks;
      beat.active = line.has("owned") ? tasks(line.text("owned")) : last.active;
      beat.standby = line.has("standby") ? tasks(line.text("standby")) : last.standby;
      beat.warmup = last.warmup;
    }
    if (joins) beat.process = line.text("process", actor_);
    if (line.has("at")) beat.endpoint = StreamsEndpoint{line.text("at"), 80};
    beat.shutdown = line.says("shutdown");
    beat.client = client();
    return beat;
  }
  Happening surveys(const Line& line) { return DescribeStreamsGroups{split(line.word(2), ',')}; }

  static Assignment assignment(const std::string& text) {
    Assignment out;
    for (const auto& one : split(text, ',')) {
      const auto parts = split(one.substr(1), ':');
      for (const auto& partition : split(parts.at(1), '+'))
        out[topic_id(std::stoll(parts[0]))].insert(std::stoi(partition));
    }
    return out;
  }

  Happening inspects(const Line& line) { return DescribeConsumerGroups{split(line.word(2), ',')}; }

  using Verb = Happening (Conversation::*)(const Line&);
  static const std::map<std::string, Verb>& verbs() {
    static const std::map<std::string, Verb> all = {
        {"streams", &Conversation::streams},     {"surveys", &Conversation::surveys},
        {"joins", &Conversation::joins},         {"syncs", &Conversation::syncs},
        {"beats", &Conversation::beats},         {"leaves", &Conversation::leaves},
        {"commits", &Conversation::commits},     {"fetches", &Conversation::fetches},
        {"forgets", &Conversation::forgets},     {"ends", &Conversation::ends},
        {"describes", &Conversation::describes}, {"lists", &Conversation::lists},
        {"deletes", &Conversation::deletes},     {"consumes", &Conversation::consumes},
        {"inspects", &Conversation::inspects},   {"shares", &Conversation::shares},
        {"watches", &Conversation::watches},     {"places", &Conversation::places},
        {"moves", &Conversation::moves},         {"drops", &Conversation::drops},
    };
    return all;
  }

  GroupsConfig config_;
  std::unique_ptr<Groups> groups_;
  std::vector<std::pair<std::variant<Record, AppendMarker>, std::optional<Producer>>> log_;
  std::vector<Happening> topics_;
  std::map<std::string, Actor> actors_;
  std::map<RequestId, std::string> asked_;
  std::string actor_;
  std::string out_;
  std::int64_t now_ = 0;
  std::uint64_t requests_ = 0;
  int names_ = 0;
};

}  // namespace tailrace::groups::testing
