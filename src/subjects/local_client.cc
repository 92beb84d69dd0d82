// The registry of this process, asked without a network.
#include "subjects/subjects_client.h"

namespace tailrace::subjects {
namespace {

std::unexpected<Error> as_error(const Refusal& refusal) {
  const Code code = refusal.status() == 404   ? Code::kNotFound
                    : refusal.status() == 409 ? Code::kFailedPrecondition
                    : refusal.status() == 422 ? Code::kInvalidArgument
                                              : Code::kUnavailable;
  return error(code, refusal.message);
}

class LocalClient final : public SubjectsClient {
 public:
  explicit LocalClient(Registry& registry) : registry_(registry) {}

  Result<RegisteredSchema> by_id(int id, const std::string& subject) override {
    const auto found = registry_.by_id(id, subject);
    if (!found) return as_error(found.error());
    RegisteredSchema schema = {.id = id};
    if (const auto users = registry_.users_of_id(id, subject, true); users) {
      for (const SubjectVersion& user : *users)
        if (user.subject == subject) schema.version = user.version;
    }
    return complete(**found, std::move(schema));
  }

  Result<std::vector<std::string>> subjects_of(int id) override {
    const auto users = registry_.users_of_id(id, "", false);
    if (!users) return as_error(users.error());
    std::vector<std::string> subjects;
    for (const SubjectVersion& user : *users) subjects.push_back(user.subject);
    return subjects;
  }

  Result<RegisteredSchema> latest(const std::string& subject) override {
    const auto found = registry_.version(subject, -1, false);
    if (!found) return as_error(found.error());
    return complete(**found, {.id = (*found)->id, .version = (*found)->version});
  }

  Result<RegisteredSchema> register_schema(const std::string& subject, schema::Format format,
                                           const std::string& text) override {
    Candidate candidate;
    candidate.schema_type = schema::format_name(format);
    candidate.text = text;
    const auto put = registry_.register_schema(subject, candidate, false, false);
    if (!put) return as_error(put.error());
    return complete(**put, {.id = (*put)->id, .version = (*put)->version});
  }

 private:
  Result<RegisteredSchema> complete(const SchemaVersion& known, RegisteredSchema schema) const {
    schema.subject = known.subject;
    schema.format = known.format;
    schema.text = known.text;
    schema.rules = known.rules;
    auto references = registry_.references_of(known);
    if (!references) return as_error(references.error());
    schema.references = std::move(*references);
    return schema;
  }

  Registry& registry_;
};

}  // namespace

std::unique_ptr<SchemaClient> local_client(Registry& registry) {
  return std::make_unique<LocalClient>(registry);
}

std::unique_ptr<SubjectsClient> local_subjects_client(Registry& registry) {
  return std::make_unique<LocalClient>(registry);
}

}  // namespace tailrace::subjects
