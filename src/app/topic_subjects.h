// Which subjects of a schema registry the keys and values of topics have their schemas in.
#pragma once

#include <string>
#include <vector>

#include "console/schema_view.h"
#include "log/log.h"
#include "pipeline/project.h"

namespace tailrace::app {

/// How subjects are named after a log's topics: as tailrace.yml says of a topic, else by the
/// topic's settings of Confluent's names (confluent.value.subject.name.strategy), else TOPIC-key
/// and TOPIC-value. A subject that is named after a record alone belongs to no topic.
class TopicSubjects {
 public:
  TopicSubjects(const pipeline::Project& project, const std::vector<log::Topic>& topics);

  /// Topics by name; `subject` may have a context.
  std::vector<console::SubjectUse> uses_of(const std::string& subject) const;

 private:
  struct Rule {
    console::SubjectUse use;
    std::string subject;  ///< or, for many, what their names begin with
    bool is_prefix = false;
  };
  std::vector<Rule> rules_;
};

}  // namespace tailrace::app
