#include "app/record_schemas.h"

#include <algorithm>
#include <map>
#include <mutex>

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

  std::string_view header_name(bool key) const override {
    return key ? schema::kKeySchemaHeader : schema::kValueSchemaHeader;
  }

  Result<std::optional<std::int32_t>> id_in_header(std::string_view header, bool,
                                                   bool ask) override {
    const auto named = schema::header_schema(header);
    if (!named) return error(Code::kInvalidArgument, "it is no schema's id");
    if (named->guid.empty()) return named->id;
    {
      const std::lock_guard lock(mutex_);
      const auto known = guids_.find(named->guid);
      if (known != guids_.end()) return known->second;
    }
    if (!ask) return std::nullopt;
    ASSIGN(const int id, registry_->id_of_guid(named->guid, ""));
    const std::lock_guard lock(mutex_);
    return guids_[named->guid] = id;
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
  std::mutex mutex_;
  std::map<std::string, std::int32_t> guids_;  ///< of schemas that are there
};

}  // namespace

std::unique_ptr<kafka::SchemaIds> record_schemas(
    std::unique_ptr<subjects::SubjectsClient> registry) {
  return std::make_unique<RecordSchemas>(std::move(registry));
}

}  // namespace tailrace::app
