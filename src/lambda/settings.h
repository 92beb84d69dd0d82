// What a function is told: `lambda:` in the package's tailrace.yml, and variables of its
// environment, which go before the file.
//
//   lambda:                                   environment
//     kafka: kafka://HOST:PORT,HOST:PORT      TAILRACE_KAFKA, the scheme may be missing
//     properties: {security.protocol: SSL}    TAILRACE_KAFKA_SECURITY_PROTOCOL=SSL, one each;
//                                             TAILRACE_KAFKA_PROPERTIES={"security.protocol":
//                                             "SSL"}
//     topic: events-{source}                  TAILRACE_TOPIC; {source}, {name} and {type} of an
//     item key: $.user.id                          TAILRACE_KEY; auto: what the event keys by; none
//     envelope: record                        TAILRACE_ENVELOPE; or event: payload and metadata
//     format: any                             TAILRACE_FORMAT; json: what is none is rejected
//     s3: notification                        TAILRACE_S3; lines: the object's lines are records
//     rejected: __rejected                    TAILRACE_REJECTED; off: they fail, and are retried
//     partial: true                           TAILRACE_PARTIAL; false: one failed, all failed
//     files: [certs/ca.pem]                   go into the package; a path in it is one of the
//     settings margin: 500                             TAILRACE_MARGIN_MS: how long before the
//     deadline an
//                                             answer is given with what is not acknowledged failed
//
// ${NAME} in the file is the environment's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::lambda {

struct Settings {
  std::map<std::string, std::string>
      kafka;  ///< librdkafka's settings, bootstrap.servers among them
  std::string topic;
  bool own_key = true;                ///< of the event: partition key, message group, object
  std::vector<std::string> key_path;  ///< json.h's; empty: none
  bool whole_event = false;           ///< envelope: event
  bool json_only = false;
  bool s3_lines = false;
  std::string rejected = "__rejected";  ///< empty: off
  bool partial = true;
  int margin_ms = 500;
};

using Environment = std::map<std::string, std::string>;
Environment process_environment();

/// `file` is the path of a tailrace.yml; empty: there is none. kInvalidArgument names the setting
/// and its place, and holds no value of a secret.
Result<Settings> read_settings(const std::string& file, const Environment& environment);

/// As read_settings() without an environment, but what only the environment can say may be missing:
/// its variables are returned.
Result<std::vector<std::string>> check_settings(const std::string& file);

/// Whether a tailrace.yml has a `lambda:` part.
Result<bool> has_settings(const std::string& file);

/// The topic of an item; what Kafka does not take in a name becomes _.
std::string topic_name(std::string_view pattern, std::string_view source, std::string_view name,
                       std::string_view type);

}  // namespace tailrace::lambda
