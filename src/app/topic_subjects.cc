#include "app/topic_subjects.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "subjects/name.h"

namespace tailrace::app {
namespace {

/// "topic_name", "record_name" or "topic_record_name": tailrace.yml's words.
std::string strategy_of(const log::TopicSettings& settings, std::string_view part) {
  const auto set = settings.extra.find(fmt::format("confluent.{}.subject.name.strategy", part));
  if (set == settings.extra.end()) return "topic_name";
  if (set->second.ends_with(".TopicRecordNameStrategy")) return "topic_record_name";
  return set->second.ends_with(".RecordNameStrategy") ? "record_name" : "topic_name";
}

const pipeline::ValueSpec* spec_of(const pipeline::Project& project, const std::string& topic) {
  for (const pipeline::TopicSpec& spec : project.topics)
    if (spec.name == topic && spec.values) return &*spec.values;
  return nullptr;
}

}  // namespace

TopicSubjects::TopicSubjects(const pipeline::Project& project,
                             const std::vector<log::Topic>& topics) {
  for (const log::Topic& topic : topics) {
    for (const char* part : {"key", "value"}) {
      const auto* spec = std::string_view(part) == "value" ? spec_of(project, topic.name) : nullptr;
      const std::string strategy = spec ? spec->strategy : strategy_of(topic.settings, part);
      const console::SubjectUse use{topic.name, part};
      if (spec && !spec->subject.empty())
        rules_.push_back({use, spec->subject});
      else if (strategy == "topic_name")
        rules_.push_back({use, topic.name + "-" + part});
      else if (strategy == "topic_record_name")
        rules_.push_back({use, topic.name + "-", true});
    }
  }
  std::ranges::sort(rules_, {}, [](const Rule& rule) { return rule.use.topic; });
}

std::vector<console::SubjectUse> TopicSubjects::uses_of(const std::string& subject) const {
  const std::string bare = subjects::SubjectName::parse(subject).subject;
  std::vector<console::SubjectUse> uses;
  for (const Rule& rule : rules_) {
    const bool fits = rule.is_prefix ? bare.starts_with(rule.subject)
                                     : rule.subject == bare || rule.subject == subject;
    if (fits) uses.push_back(rule.use);
  }
  return uses;
}

}  // namespace tailrace::app
