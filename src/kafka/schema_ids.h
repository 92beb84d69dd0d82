// What the broker asks of a schema registry, to check records by (confluent.*.schema.validation).
// Whoever opens the broker knows where the registry is.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tailrace::kafka {

/// How a subject is named after a topic and the record's schema, as Confluent's serializers do it.
enum class SubjectStrategy : std::uint8_t { kTopicName, kRecordName, kTopicRecordName };

/// The subject that the schema of a topic's keys or values has to be of.
struct SubjectRule {
  SubjectStrategy strategy = SubjectStrategy::kTopicName;
  std::string topic;
  bool key = false;

  /// "orders-value"; for people where the record's name is needed: "orders-<record name>".
  std::string subject() const;
  auto operator<=>(const SubjectRule&) const = default;
};

enum class SchemaVerdict : std::uint8_t { kFits, kOfAnotherSubject, kUnknown };

class SchemaIds {
 public:
  virtual ~SchemaIds() = default;
  /// What a key or value says to be written with; nullopt when it does not begin so.
  virtual std::optional<std::int32_t> id_of(std::string_view data) const = 0;
  /// An error when the registry gives no answer now. May wait for a network; one call at a time.
  virtual Result<SchemaVerdict> judge(std::int32_t id, const SubjectRule& rule) = 0;
};

}  // namespace tailrace::kafka
