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
  /// The same of a record's header, where it has the one that is for schemas. nullopt: the registry
  /// has to be asked, and `ask` is false. kNotFound: it has no such schema; kInvalidArgument: the
  /// header names none; others: it gives no answer now.
  virtual Result<std::optional<std::int32_t>> id_in_header(std::string_view header, bool key,
                                                           bool ask) = 0;
  /// The header's name, of keys and of values.
  virtual std::string_view header_name(bool key) const = 0;
  /// An error when the registry gives no answer now. May wait for a network; one call at a time.
  virtual Result<SchemaVerdict> judge(std::int32_t id, const SubjectRule& rule) = 0;
};

}  // namespace tailrace::kafka
