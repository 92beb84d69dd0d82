#include "app/schema_view.h"

#include <algorithm>
#include <cctype>

#include "subjects/name.h"

namespace tailrace::app {
namespace {

constexpr std::chrono::seconds kStaysDown{2};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

subjects::Proposal asked(const console::SchemaProposal& proposal) {
  subjects::Proposal out{
      .format = schema::format_named(proposal.type).value_or(schema::Format::kAvro),
      .text = proposal.text};
  for (const auto& [name, subject, version] : proposal.references)
    out.references.push_back({name, subject, static_cast<int>(version)});
  return out;
}

console::SchemaText shown(subjects::VersionText version) {
  console::SchemaText out{.subject = std::move(version.subject),
                          .version = version.version,
                          .id = version.id,
                          .type = std::string(schema::format_name(version.format)),
                          .text = std::move(version.text),
                          .references = {}};
  for (const auto& [name, subject, number] : version.references)
    out.references.push_back({name, subject, number});
  return out;
}

}  // namespace

template <typename Question>
auto RegistryView::ask(Question question)
    -> decltype(question(std::declval<subjects::SubjectsClient&>())) {
  const std::lock_guard lock(mutex_);
  if (!registry_.client) return error(Code::kFailedPrecondition, registry_.off);
  if (down_ && Clock::now() - down_since_ < kStaysDown) return std::unexpected(*down_);
  down_.reset();
  auto answer = question(*registry_.client);
  if (!answer && answer.error().code == Code::kUnavailable) {
    down_ = answer.error();
    down_since_ = Clock::now();
  }
  return answer;
}

Result<console::SubjectInfo> RegistryView::info(subjects::SubjectsClient& client,
                                                const TopicSubjects& uses,
                                                const std::string& name) {
  ASSIGN(const auto latest, client.version(name, -1));
  ASSIGN(auto level, client.compatibility(name));
  return console::SubjectInfo{.name = name,
                              .context = subjects::SubjectName::parse(name).context,
                              .type = std::string(schema::format_name(latest.format)),
                              .version = latest.version,
                              .id = latest.id,
                              .compatibility = std::move(level),
                              .uses = uses.uses_of(name)};
}

Result<console::SubjectPage> RegistryView::subjects(const console::SubjectQuery& query) {
  console::SubjectPage page{.registry = registry_.where, .off = registry_.off};
  if (!registry_.client) return page;
  const TopicSubjects uses(project_, log_.topics());
  const std::string wanted = lower(query.search);
  const auto left_out = [&](const std::string& name) {
    if (lower(name).find(wanted) == std::string::npos) return true;
    if (query.topic.empty()) return false;
    const auto of = uses.uses_of(name);
    return std::ranges::find(of, query.topic, &console::SubjectUse::topic) == of.end();
  };
  return ask([&](subjects::SubjectsClient& client) -> Result<console::SubjectPage> {
    ASSIGN(auto names, client.subjects());
    std::erase_if(names, left_out);
    page.total = static_cast<std::int64_t>(names.size());
    auto at = std::ranges::upper_bound(names, query.after);
    if (query.after.empty()) at = names.begin();
    const auto end = names.end() - at > query.limit ? at + query.limit : names.end();
    if (end != names.end()) page.next = *std::prev(end);
    for (; at != end; ++at) {
      auto one = info(client, uses, *at);
      // It may have been deleted since.
      if (!one && one.error().code == Code::kNotFound) continue;
      if (!one) return std::unexpected(one.error());
      page.subjects.push_back(std::move(*one));
    }
    return page;
  });
}

Result<console::SubjectDetail> RegistryView::subject(const std::string& name) {
  const TopicSubjects uses(project_, log_.topics());
  return ask([&](subjects::SubjectsClient& client) -> Result<console::SubjectDetail> {
    ASSIGN(const auto versions, client.versions(name));
    ASSIGN(auto about, info(client, uses, name));
    return console::SubjectDetail{.info = std::move(about),
                                  .versions = {versions.begin(), versions.end()}};
  });
}

Result<console::SchemaText> RegistryView::schema(const std::string& subject, int version) {
  ASSIGN(auto found,
         ask([&](subjects::SubjectsClient& client) { return client.version(subject, version); }));
  return shown(std::move(found));
}

Result<console::SchemaVerdict> RegistryView::check(const std::string& subject,
                                                   const console::SchemaProposal& proposal) {
  ASSIGN(auto verdict, ask([&](subjects::SubjectsClient& client) {
           return client.check(subject, asked(proposal));
         }));
  return console::SchemaVerdict{verdict.compatible, std::move(verdict.messages)};
}

Result<console::SchemaText> RegistryView::put(const std::string& subject,
                                              const console::SchemaProposal& proposal) {
  ASSIGN(auto put, ask([&](subjects::SubjectsClient& client) {
           return client.put(subject, asked(proposal));
         }));
  return shown(std::move(put));
}

}  // namespace tailrace::app
