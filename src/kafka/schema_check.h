// Which topics have their records checked against a schema registry, by Confluent Server's names:
// confluent.key.schema.validation, confluent.value.schema.validation, and …subject.name.strategy.
// What the registry said to be right is kept; what it did not know is asked again.
//
// A request whose ids are not known yet waits for the registry on a thread of its own, and those of
// the same connection behind it: a producer's batches stay in order. While the registry gives no
// answer it is asked once a second.
//
// Threads: all calls from any thread; check(… kHere) on the thread of later() only.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kafka/error_code.h"
#include "kafka/refusal.h"
#include "kafka/schema_ids.h"
#include "kafka/worker.h"
#include "log/batch.h"
#include "log/topic.h"

namespace tailrace::kafka {

/// Why nothing of a batch is taken.
struct UnfitBatch {
  ErrorCode code = ErrorCode::kInvalidRecord;
  std::string message;
  /// The first faults, with the record's place in the batch.
  std::vector<std::pair<std::int32_t, std::string>> records = {};
};

class SchemaCheck {
 public:
  /// `registry` may be null: then nothing can be switched on, and what is on takes no records.
  explicit SchemaCheck(SchemaIds* registry) : registry_(registry) {}

  /// Whether this may be set on a topic: not without a registry.
  std::optional<Refusal> may_set(std::string_view name, std::string_view value) const;
  /// What a topic's settings say.
  void set(const std::string& topic, const log::TopicSettings& settings);
  void forget(const std::string& topic);

  /// Whether any topic is checked; costs nothing.
  bool any() const { return any_.load(std::memory_order_relaxed); }
  /// For keys, for values; none for a topic that is not checked.
  std::vector<SubjectRule> rules(const std::string& topic) const;

  enum class Ask : std::uint8_t { kNotNow, kHere };
  enum class Outcome : std::uint8_t { kFit, kUnfit, kMustAsk };
  /// Looks at every record of a batch. kMustAsk with kNotNow only. A batch that is damaged is
  /// nothing to judge here.
  Outcome check(std::string_view batch, const std::vector<SubjectRule>& rules, Ask ask,
                UnfitBatch& unfit);

  /// Whether work of this connection waits; what comes after it has to wait, too.
  bool waits(const void* connection) const;
  /// On the thread that may ask, one after the other.
  void later(const void* connection, std::move_only_function<void()> work);
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  bool fits(std::int32_t id, const SubjectRule& rule) const;
  Result<SchemaVerdict> ask(std::int32_t id, const SubjectRule& rule);
  void done(const void* connection);

  friend class BatchSchemas;

  SchemaIds* const registry_;
  std::atomic<bool> any_ = false;
  std::atomic<bool> any_waits_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<SubjectRule>, std::less<>> topics_;  // that are checked
  std::map<SubjectRule, std::set<std::int32_t>> fitting_;
  std::unordered_map<const void*, int> waiting_;
  Clock::time_point silent_until_{};  // of the asking thread
  std::string silence_;
  std::optional<Worker> worker_;  // once something waits
  bool stopping_ = false;
};

}  // namespace tailrace::kafka
