#include "kafka/schema_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "kafka/config_table.h"
#include "log/find_header.h"

namespace tailrace::kafka {

namespace {

constexpr std::string_view kValidation[] = {"confluent.value.schema.validation",
                                            "confluent.key.schema.validation"};
/// A batch is looked at until it has so many faults.
constexpr std::size_t kMostFaults = 100;
/// Ids kept of one subject; beyond it they are asked for again.
constexpr std::size_t kMostIds = 100'000;
constexpr std::chrono::seconds kSilence{1};

bool is_on(std::string_view name, std::string_view value) {
  const auto* config = find_config(ConfigKind::kTopic, name);
  return config != nullptr && read_config(*config, value) == "true";
}

SubjectStrategy strategy_of(std::string_view name) {
  if (name.ends_with(".TopicRecordNameStrategy")) return SubjectStrategy::kTopicRecordName;
  if (name.ends_with(".RecordNameStrategy")) return SubjectStrategy::kRecordName;
  return SubjectStrategy::kTopicName;
}

std::optional<SubjectRule> rule_of(const std::string& topic, const log::TopicSettings& settings,
                                   bool key) {
  const std::string_view part = key ? "key" : "value";
  const auto on = settings.extra.find(fmt::format("confluent.{}.schema.validation", part));
  if (on == settings.extra.end() || !is_on(on->first, on->second)) return std::nullopt;
  const auto strategy =
      settings.extra.find(fmt::format("confluent.{}.subject.name.strategy", part));
  return SubjectRule{strategy == settings.extra.end() ? SubjectStrategy::kTopicName
                                                      : strategy_of(strategy->second),
                     topic, key};
}

}  // namespace

std::string SubjectRule::subject() const {
  switch (strategy) {
    case SubjectStrategy::kTopicName:
      return topic + (key ? "-key" : "-value");
    case SubjectStrategy::kRecordName:
      return "<record name>";
    case SubjectStrategy::kTopicRecordName:
      return topic + "-<record name>";
  }
  return {};
}

/// One batch, record by record.
class BatchSchemas {
 public:
  BatchSchemas(SchemaCheck& check, SchemaCheck::Ask ask, UnfitBatch& unfit)
      : check_(check), ask_(ask), unfit_(unfit) {}

  SchemaCheck::Outcome run(const log::BatchView& batch, const std::vector<SubjectRule>& rules) {
    topic_ = rules.front().topic;
    std::string buffer;
    auto reader = batch.records(buffer);
    if (!reader) return unreadable(reader.error());
    log::RecordView record;
    for (std::int32_t index = 0; reader->next(record); ++index) {
      for (const auto& rule : rules) {
        const auto& data = rule.key ? record.key : record.value;
        if (data && !look(*data, record.headers, rule, index))
          return SchemaCheck::Outcome::kMustAsk;
        if (silent_) return SchemaCheck::Outcome::kUnfit;
      }
      if (unfit_.records.size() >= kMostFaults) return SchemaCheck::Outcome::kUnfit;
    }
    if (auto read = reader->status(); !read) return unreadable(read.error());
    return unfit_.records.empty() ? SchemaCheck::Outcome::kFit : SchemaCheck::Outcome::kUnfit;
  }

 private:
  using Seen = std::pair<std::int32_t, bool>;

  SchemaCheck::Outcome unreadable(const Error& why) {
    unfit_ = {ErrorCode::kInvalidRecord, fmt::format("topic {}: {}", topic_, why.what)};
    return SchemaCheck::Outcome::kUnfit;
  }

  /// False: the registry has to be asked, and not on this thread.
  bool look(std::string_view data, const log::HeaderViews& headers, const SubjectRule& rule,
            std::int32_t index) {
    const std::string_view part = rule.key ? "key" : "value";
    if (check_.registry_ == nullptr) return no_registry();
    auto id = check_.registry_->id_of(data);
    const std::string_view name = check_.registry_->header_name(rule.key);
    if (const auto header = log::find_header(headers, name)) {
      const bool ask = ask_ == SchemaCheck::Ask::kHere;
      const auto named = check_.registry_->id_in_header(*header, rule.key, ask);
      const auto code = named ? Code::kInternal : named.error().code;
      if (code == Code::kNotFound || code == Code::kInvalidArgument) {
        fault(index, fmt::format("topic {}: header {} of record {} of the batch: {}", topic_, name,
                                 index, named.error().what));
        return true;
      }
      if (!named) return no_answer(rule, named.error());
      if (!*named) return false;
      id = *named;
    }
    if (!id) {
      fault(index, fmt::format("topic {}: the {} of record {} of the batch does not begin with a "
                               "schema's id; it has to have one of subject {}",
                               topic_, part, index, rule.subject()));
      return true;
    }
    const auto verdict = verdict_of(*id, rule);
    if (!verdict) return silent_;
    if (*verdict == SchemaVerdict::kUnknown) {
      fault(index, fmt::format("topic {}: schema id {} of the {} is not in the registry; it has to "
                               "be one of subject {}",
                               topic_, *id, part, rule.subject()));
    } else if (*verdict == SchemaVerdict::kOfAnotherSubject) {
      fault(index, fmt::format("topic {}: schema id {} of the {} is not one of subject {}", topic_,
                               *id, part, rule.subject()));
    }
    return true;
  }

  bool no_answer(const SubjectRule& rule, const Error& why) {
    silent_ = true;
    unfit_ = {ErrorCode::kNotEnoughReplicas,
              fmt::format("topic {}: the schema in a header cannot be checked to be of subject {} "
                          "now: {}",
                          topic_, rule.subject(), why.what)};
    return true;
  }

  bool no_registry() {
    silent_ = true;
    unfit_ = {ErrorCode::kNotEnoughReplicas,
              fmt::format("topic {}: its records are to be checked, and this broker has no schema "
                          "registry",
                          topic_)};
    return true;
  }

  void fault(std::int32_t index, std::string why) {
    if (unfit_.records.empty()) unfit_.message = why;
    unfit_.records.emplace_back(index, std::move(why));
  }

  /// Nothing when the registry was not asked, or was silent.
  std::optional<SchemaVerdict> verdict_of(std::int32_t id, const SubjectRule& rule) {
    const auto seen = seen_.find({id, rule.key});
    if (seen != seen_.end()) return seen->second;
    if (check_.fits(id, rule)) return seen_[{id, rule.key}] = SchemaVerdict::kFits;
    if (ask_ == SchemaCheck::Ask::kNotNow) return std::nullopt;
    const auto answer = check_.ask(id, rule);
    if (answer) return seen_[{id, rule.key}] = *answer;
    silent_ = true;
    // What clients try again, and know not to be written.
    unfit_ = {ErrorCode::kNotEnoughReplicas,
              fmt::format("topic {}: schema id {} cannot be checked to be of subject {} now: {}",
                          topic_, id, rule.subject(), answer.error().what)};
    return std::nullopt;
  }

  SchemaCheck& check_;
  const SchemaCheck::Ask ask_;
  UnfitBatch& unfit_;
  std::string topic_;
  std::map<Seen, SchemaVerdict> seen_;
  bool silent_ = false;
};

std::optional<Refusal> SchemaCheck::may_set(std::string_view name, std::string_view value) const {
  if (registry_ != nullptr || std::ranges::find(kValidation, name) == std::end(kValidation) ||
      !is_on(name, value)) {
    return std::nullopt;
  }
  return Refusal{ErrorCode::kInvalidConfig,
                 fmt::format("{} needs a schema registry, and this broker has none: start it with "
                             "one (--registry, or `registry` of a project's roles)",
                             name)};
}

void SchemaCheck::set(const std::string& topic, const log::TopicSettings& settings) {
  std::vector<SubjectRule> rules;
  for (const bool key : {true, false}) {
    if (auto rule = rule_of(topic, settings, key)) rules.push_back(std::move(*rule));
  }
  if (rules.empty()) return forget(topic);
  const std::unique_lock lock(mutex_);
  topics_[topic] = std::move(rules);
  any_ = true;
}

void SchemaCheck::forget(const std::string& topic) {
  const std::unique_lock lock(mutex_);
  topics_.erase(topic);
  any_ = !topics_.empty();
  std::erase_if(fitting_, [&](const auto& one) { return one.first.topic == topic; });
}

std::vector<SubjectRule> SchemaCheck::rules(const std::string& topic) const {
  const std::unique_lock lock(mutex_);
  const auto found = topics_.find(topic);
  return found == topics_.end() ? std::vector<SubjectRule>() : found->second;
}

SchemaCheck::Outcome SchemaCheck::check(std::string_view batch,
                                        const std::vector<SubjectRule>& rules, Ask ask,
                                        UnfitBatch& unfit) {
  const auto view = log::BatchView::parse(batch);
  if (rules.empty() || !view || !view->crc_matches()) return Outcome::kFit;
  return BatchSchemas(*this, ask, unfit).run(*view, rules);
}

bool SchemaCheck::fits(std::int32_t id, const SubjectRule& rule) const {
  const std::unique_lock lock(mutex_);
  const auto found = fitting_.find(rule);
  return found != fitting_.end() && found->second.contains(id);
}

Result<SchemaVerdict> SchemaCheck::ask(std::int32_t id, const SubjectRule& rule) {
  if (Clock::now() < silent_until_) return error(Code::kUnavailable, silence_);
  auto answer = registry_->judge(id, rule);
  if (!answer) {
    if (silence_.empty()) LOG(warn, "records cannot be checked: {}", answer.error().what);
    silence_ = answer.error().what;
    silent_until_ = Clock::now() + kSilence;
    return answer;
  }
  silence_.clear();
  if (*answer != SchemaVerdict::kFits) return answer;
  const std::unique_lock lock(mutex_);
  auto& ids = fitting_[rule];
  if (ids.size() >= kMostIds) ids.clear();
  ids.insert(id);
  return answer;
}

bool SchemaCheck::waits(const void* connection) const {
  if (!any_waits_) return false;
  const std::unique_lock lock(mutex_);
  return waiting_.contains(connection);
}

void SchemaCheck::later(const void* connection, std::move_only_function<void()> work) {
  const std::unique_lock lock(mutex_);
  if (stopping_) return;
  if (!worker_) worker_.emplace();
  ++waiting_[connection];
  any_waits_ = true;
  worker_->post([this, connection, work = std::move(work)]() mutable {
    work();
    done(connection);
  });
}

void SchemaCheck::done(const void* connection) {
  const std::unique_lock lock(mutex_);
  const auto found = waiting_.find(connection);
  if (--found->second == 0) waiting_.erase(found);
  any_waits_ = !waiting_.empty();
}

void SchemaCheck::stop() {
  {
    const std::unique_lock lock(mutex_);
    stopping_ = true;
  }
  if (worker_) worker_->stop();
}

}  // namespace tailrace::kafka
