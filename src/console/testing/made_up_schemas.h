// A schema registry that is made up, for the console's tests and its demo.
#pragma once

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "console/schema_view.h"

namespace tailrace::console {

class MadeUpSchemas final : public SchemaView {
 public:
  enum class State { kFilled, kEmpty, kOff, kDown };

  /// `more` subjects beside those that the tests know.
  explicit MadeUpSchemas(State state, int more = 0) : state_(state) {
    if (state != State::kFilled) return;
    texts_["users_created-value"] = {
        R"({"type":"record","name":"User","fields":[{"name":"id","type":"string"}]})",
        R"({"type":"record","name":"User","fields":[{"name":"id","type":"string"},)"
        R"({"name":"age","type":"int","default":0}]})"};
    texts_[":.eu:orders/new-value"] = {
        "syntax = \"proto3\";\nimport \"user.proto\";\n\nmessage Order {\n  int64 number = "
        "1;\n}\n"};
    for (int i = 0; i < more; ++i)
      texts_[fmt::format("subject_{:04}-value", i)] = {R"({"type":"object"})"};
  }

  Result<SubjectPage> subjects(const SubjectQuery& query) override {
    query_ = query;
    if (state_ == State::kDown) return down();
    SubjectPage page{.registry = "embedded, http://127.0.0.1:8081"};
    if (state_ == State::kOff) page.off = "The project runs with --registry off: run it without";
    const std::lock_guard lock(mutex_);
    for (const auto& [name, versions] : texts_) {
      const auto about = info(name);
      const bool of_topic =
          query.topic.empty() || (!about.uses.empty() && about.uses[0].topic == query.topic);
      if (name.find(query.search) == std::string::npos || !of_topic) continue;
      ++page.total;
      if (name <= query.after && !query.after.empty()) continue;
      if (std::ssize(page.subjects) == query.limit)
        page.next = page.subjects.back().name;
      else
        page.subjects.push_back(about);
    }
    return page;
  }

  Result<SubjectDetail> subject(const std::string& name) override {
    if (state_ == State::kDown) return down();
    const std::lock_guard lock(mutex_);
    if (!texts_.contains(name)) return missing(name);
    SubjectDetail detail{.info = info(name), .versions = {}};
    for (std::int64_t v = 1; v <= detail.info.version; ++v) detail.versions.push_back(v);
    return detail;
  }

  Result<SchemaText> schema(const std::string& subject, int version) override {
    const std::lock_guard lock(mutex_);
    if (!texts_.contains(subject)) return missing(subject);
    const auto& all = texts_[subject];
    const auto number = version < 0 ? all.size() : static_cast<std::size_t>(version);
    if (number > all.size())
      return error(Code::kNotFound, fmt::format("Version {} not found.", version));
    SchemaText out = {.subject = subject,
                      .version = static_cast<std::int64_t>(number),
                      .id = static_cast<std::int64_t>(number),
                      .type = info(subject).type,
                      .text = all[number - 1],
                      .references = {}};
    if (out.type == "PROTOBUF") out.references = {{"user.proto", "users_created-value", 1}};
    return out;
  }

  Result<SchemaVerdict> check(const std::string&, const SchemaProposal& proposal) override {
    proposal_ = proposal;
    if (proposal.text.find("vip") == std::string::npos) return SchemaVerdict{.compatible = true};
    return SchemaVerdict{false, {"{errorType:'READER_FIELD_MISSING', at '/fields/2'}"}};
  }

  Result<SchemaText> put(const std::string& subject, const SchemaProposal& proposal) override {
    {
      const std::lock_guard lock(mutex_);
      texts_[subject].push_back(proposal.text);
    }
    return schema(subject, -1);
  }

  const SubjectQuery& last_query() const { return query_; }
  const SchemaProposal& last_proposal() const { return proposal_; }

 private:
  static std::unexpected<Error> down() {
    return error(Code::kUnavailable, "the schema registry: connection refused by 127.0.0.1:8081");
  }
  static std::unexpected<Error> missing(const std::string& subject) {
    return error(Code::kNotFound, "Subject '" + subject + "' not found.");
  }

  SubjectInfo info(const std::string& name) const {
    const auto version = std::ssize(texts_.at(name));
    const bool eu = name.starts_with(":.eu:");
    SubjectInfo out{.name = name,
                    .context = eu ? ".eu" : ".",
                    .type = eu                              ? "PROTOBUF"
                            : name == "users_created-value" ? "AVRO"
                                                            : "JSON",
                    .version = version,
                    .id = version,
                    .compatibility = "BACKWARD",
                    .uses = {}};
    if (out.type == "AVRO") out.uses = {{"users_created", "value"}};
    return out;
  }

  const State state_;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> texts_;
  SubjectQuery query_;
  SchemaProposal proposal_;
};

}  // namespace tailrace::console
