// The console's view of the project's schema registry.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "app/topic_subjects.h"
#include "console/schema_view.h"
#include "log/log.h"
#include "pipeline/project.h"
#include "subjects/subjects_client.h"

namespace tailrace::app {

/// The registry to look at, or why there is none.
struct LookedAtRegistry {
  std::unique_ptr<subjects::SubjectsClient> client;
  std::string where = {};  ///< as console::SubjectPage::registry
  std::string off = {};    ///< without a client
};

/// Requests take turns; after one that got no answer the others get its error for a moment, so that
/// a registry which hangs holds up the console once.
class RegistryView final : public console::SchemaView {
 public:
  /// Project and log must outlive it.
  RegistryView(LookedAtRegistry registry, const pipeline::Project& project, log::Log& log)
      : registry_(std::move(registry)), project_(project), log_(log) {}

  Result<console::SubjectPage> subjects(const console::SubjectQuery& query) override;
  Result<console::SubjectDetail> subject(const std::string& name) override;
  Result<console::SchemaText> schema(const std::string& subject, int version) override;
  Result<console::SchemaVerdict> check(const std::string& subject,
                                       const console::SchemaProposal& proposal) override;
  Result<console::SchemaText> put(const std::string& subject,
                                  const console::SchemaProposal& proposal) override;

 private:
  using Clock = std::chrono::steady_clock;

  /// `question` is asked of the client.
  template <typename Question>
  auto ask(Question question) -> decltype(question(std::declval<subjects::SubjectsClient&>()));
  static Result<console::SubjectInfo> info(subjects::SubjectsClient& client,
                                           const TopicSubjects& uses, const std::string& name);

  const LookedAtRegistry registry_;
  const pipeline::Project& project_;
  log::Log& log_;
  std::mutex mutex_;
  std::optional<Error> down_;
  Clock::time_point down_since_{};
};

}  // namespace tailrace::app
