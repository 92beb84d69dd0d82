// The registry of this process, asked without a network.
#include <algorithm>

#include "subjects/name.h"
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

Candidate candidate_of(const Proposal& proposal) {
  Candidate candidate;
  candidate.schema_type = schema::format_name(proposal.format);
  candidate.text = proposal.text;
  candidate.references = proposal.references;
  return candidate;
}

VersionText text_of(const SchemaVersion& known) {
  return {.subject = known.subject,
          .version = known.version,
          .id = known.id,
          .format = known.format,
          .text = known.text,
          .references = known.references};
}

class LocalClient final : public SubjectsClient {
 public:
  explicit LocalClient(Registry& registry) : registry_(registry) {}

  Result<RegisteredSchema> by_id(int id, const std::string& subject) override {
    TRY(available());
    const auto found = registry_.by_id(id, subject);
    if (!found) return as_error(found.error());
    RegisteredSchema schema = {.id = id};
    if (const auto users = registry_.users_of_id(id, subject, true); users) {
      for (const SubjectVersion& user : *users)
        if (user.subject == subject) schema.version = user.version;
    }
    return complete(**found, std::move(schema));
  }

  Result<int> id_of_guid(const std::string& guid, const std::string& subject) override {
    TRY(available());
    for (const ContextId& one : registry_.ids_of_guid(guid))
      if (one.context == SubjectName::parse(subject).context) return one.id;
    return error(Code::kNotFound, "Schema " + guid + " not found");
  }

  Result<std::vector<std::string>> subjects_of(int id) override {
    TRY(available());
    const auto users = registry_.users_of_id(id, "", false);
    if (!users) return as_error(users.error());
    std::vector<std::string> subjects;
    for (const SubjectVersion& user : *users) subjects.push_back(user.subject);
    return subjects;
  }

  Result<std::vector<std::string>> subjects() override {
    TRY(available());
    auto all = registry_.subjects(kEveryContext, Show::kLive);
    std::ranges::sort(all);
    return all;
  }

  Result<std::vector<int>> versions(const std::string& subject) override {
    TRY(available());
    const auto found = registry_.versions(subject, Show::kLive);
    if (!found) return as_error(found.error());
    return *found;
  }

  Result<VersionText> version(const std::string& subject, int number) override {
    TRY(available());
    const auto found = registry_.version(subject, number, false);
    if (!found) return as_error(found.error());
    return text_of(**found);
  }

  Result<std::string> compatibility(const std::string& subject) override {
    TRY(available());
    const auto config = registry_.config(subject, true);
    if (!config) return as_error(config.error());
    return std::string(
        schema::level_name(config->compatibility.value_or(schema::Level::kBackward)));
  }

  Result<Verdict> check(const std::string& subject, const Proposal& proposal) override {
    TRY(available());
    const auto why = registry_.incompatibilities(subject, candidate_of(proposal), {}, false);
    // As the registry's door answers when it is to say why.
    if (!why && why.error().code == 42201) return Verdict{.messages = {why.error().message}};
    if (!why) return as_error(why.error());
    return Verdict{.compatible = why->empty(), .messages = *why};
  }

  Result<VersionText> put(const std::string& subject, const Proposal& proposal) override {
    TRY(available());
    const auto put = registry_.register_schema(subject, candidate_of(proposal), false, false);
    if (!put) return as_error(put.error());
    return text_of(**put);
  }

  Result<RegisteredSchema> latest(const std::string& subject) override {
    TRY(available());
    const auto found = registry_.version(subject, -1, false);
    if (!found) return as_error(found.error());
    return complete(**found, {.id = (*found)->id, .version = (*found)->version});
  }

  Result<RegisteredSchema> register_schema(const std::string& subject, schema::Format format,
                                           const std::string& text) override {
    TRY(available());
    const auto put = registry_.register_schema(
        subject, candidate_of({.format = format, .text = text}), false, false);
    if (!put) return as_error(put.error());
    return complete(**put, {.id = (*put)->id, .version = (*put)->version});
  }

 private:
  Status available() const {
    if (const auto known = registry_.available(); !known) return as_error(known.error());
    return {};
  }

  Result<RegisteredSchema> complete(const SchemaVersion& known, RegisteredSchema schema) const {
    schema.subject = known.subject;
    schema.format = known.format;
    schema.text = known.text;
    schema.rules = known.rules;
    schema.guid = known.guid();
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
