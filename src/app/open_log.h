// The log of a project: its own files in the data folder, or the Kafka that tailrace.yml names.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "kafka_log/kafka_log.h"
#include "log/log.h"
#include "pipeline/project.h"

namespace tailrace::app {

struct OpenedLog {
  std::unique_ptr<log::Log> log;
  kafka_log::KafkaLog* remote = nullptr;  ///< the log, when it is somewhere else
};

/// `once`: a read waits for the broker only for a while, since nobody would see that it waits.
Result<OpenedLog> open_log(const pipeline::Project& project, const std::string& data, bool once);

/// Judges what `roles.log` says, without a broker.
Status check_log(const pipeline::Project& project);

/// Makes the project's topics, or gives those that are there its settings.
Status open_topics(const pipeline::Project& project, OpenedLog& opened);

/// The settings that a project wants of a topic.
Result<log::TopicSettings> settings_of(const pipeline::TopicSpec& topic,
                                       log::TopicSettings over = {});

}  // namespace tailrace::app
