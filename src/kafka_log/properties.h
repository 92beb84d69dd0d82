// librdkafka's objects owned, its settings set by name, its errors in our words.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace tailrace::kafka_log {

/// Frees what librdkafka gave.
struct Free {
  void operator()(rd_kafka_conf_t* p) const { rd_kafka_conf_destroy(p); }
  void operator()(rd_kafka_topic_t* p) const { rd_kafka_topic_destroy(p); }
  void operator()(rd_kafka_queue_t* p) const { rd_kafka_queue_destroy(p); }
  void operator()(rd_kafka_error_t* p) const { rd_kafka_error_destroy(p); }
  void operator()(rd_kafka_event_t* p) const { rd_kafka_event_destroy(p); }
  void operator()(rd_kafka_message_t* p) const { rd_kafka_message_destroy(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

/// Sets one that is ours.
Status set_property(rd_kafka_conf_t& conf, const std::string& name, const std::string& value);

/// The error's kind in our words.
Code code_of(rd_kafka_resp_err_t err);

}  // namespace tailrace::kafka_log
