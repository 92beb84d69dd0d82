#include "app/record_schemas.h"

#include <algorithm>

#include "schema/record_rows.h"
#include "schema/schema.h"

namespace tailrace::app {
namespace {

using kafka::SchemaVerdict;
using kafka::SubjectRule;
using kafka::SubjectStrategy;

class RecordSchemas final : public kafka::SchemaIds {
 public:
  explicit RecordSchemas(std::unique_ptr<subjects::SubjectsClient> registry)
      : registry_(std::move(registry)) {}

  std::optional<std::int32_t> id_of(std::string_view data) const override {
    return schema::wire_schema_id(data);
  }

  Result<SchemaVerdict> judge(std::int32_t id, const SubjectRule& rule) override {
    const auto subjects = registry_->subjects_of(id);
    if (!subjects && subjects.error().code == Code::kNotFound) return SchemaVerdict::kUnknown;
    if (!subjects) return std::unexpected(subjects.error());
    if (rule.strategy == SubjectStrategy::kTopicName) {
      return verdict(std::ranges::find(*subjects, rule.subject()) != subjects->end());
    }
    if (subjects->empty()) return SchemaVerdict::kOfAnotherSubject;
    return by_record(id, rule, *subjects);
  }

 private:
  static SchemaVerdict verdict(bool fits) {
    return fits ? SchemaVerdict::kFits : SchemaVerdict::kOfAnotherSubject;
  }

  Result<SchemaVerdict> by_record(std::int32_t id, const SubjectRule& rule,
                                  const std::vector<std::string>& subjects) {
    const std::string before =
        rule.strategy == SubjectStrategy::kTopicRecordName ? rule.topic + "-" : std::string();
    ASSIGN(const auto schema, registry_->by_id(id, subjects.front()));
    if (schema.format != schema::Format::kAvro) {
      return verdict(std::ranges::any_of(
          subjects, [&](const std::string& one) { return one.starts_with(before); }));
    }
    ASSIGN(const auto parsed, schema::parse_schema(schema.format, schema.text, schema.references,
                                                   schema::Age::kKnown));
    const std::string subject = before + parsed->record_name();
    return verdict(std::ranges::find(subjects, subject) != subjects.end());
  }

  const std::unique_ptr<subjects::SubjectsClient> registry_;
};

}  // namespace

std::unique_ptr<kafka::SchemaIds> record_schemas(
    std::unique_ptr<subjects::SubjectsClient> registry) {
  return std::make_unique<RecordSchemas>(std::move(registry));
}

}  // namespace tailrace::app
