// One invocation: its items become records, each of which is acknowledged before the answer says
// so.
//
// At least once: what failed or was answered too late comes again, and what Lambda repeats is
// produced again with the same ce_id. An item that can never be a record goes to the topic of
// rejects and counts as done.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "kafka_log/record_producer.h"
#include "lambda/answer.h"
#include "lambda/object_lines.h"
#include "lambda/settings.h"

namespace tailrace::lambda {

struct Invocation {
  std::string request_id;
  std::int64_t deadline_ms = 0;  ///< since 1970
  std::string trace_id = {};     ///< X-Ray's header
  std::string body;
};

class Handler {
 public:
  /// Both must live as long as it. `now_ms` is since 1970.
  Handler(const Settings& settings, kafka_log::RecordProducer& producer, FetchLines fetch,
          std::function<std::int64_t()> now_ms);

  /// Ends before the invocation's deadline, with what is not acknowledged by then failed. `told` is
  /// a sentence for the log where something was rejected or failed.
  Answer handle(const Invocation& invocation, std::string& told);

 private:
  using Time = kafka_log::RecordProducer::Time;
  struct Pending;

  Time deadline_of(const Invocation& invocation) const;
  void begin(const Event& event, const Item& item, Pending& pending, Time deadline);
  void begin_object(const Event& event, const Item& item, Pending& pending, Time deadline);
  void retry_alone(const Event& event, const Item& item, Pending& pending, Time deadline);
  void reject(const Event& event, const Item& item, Refusal refusal, Pending& pending,
              Time deadline);

  const Settings& settings_;
  kafka_log::RecordProducer& producer_;
  const FetchLines fetch_;
  const std::function<std::int64_t()> now_ms_;
  std::string request_id_;
};

}  // namespace tailrace::lambda
