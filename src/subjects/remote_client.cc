#include "subjects/remote_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/base64.h"
#include "net/http_client.h"
#include "net/http_message.h"
#include "schema/json.h"
#include "subjects/name.h"
#include "subjects/subjects_client.h"

namespace tailrace::subjects {
namespace {

constexpr std::chrono::milliseconds kFirstWait{100};
constexpr std::size_t kMostReferences = 1000;
/// A schema of 5 MB, every character escaped, and what stands around it.
constexpr std::size_t kMostAnswerBytes = 32 << 20;
constexpr const char* kContentType = "application/vnd.schemaregistry.v1+json";

Code code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kFailedPrecondition;
    case 422:
      return Code::kInvalidArgument;
    default:
      return Code::kUnavailable;
  }
}

schema::Format format_of(const schema::Json& answer) {
  const std::string* type = answer.find_text("schemaType");
  const auto format = type ? schema::format_named(*type) : std::nullopt;
  return format.value_or(schema::Format::kAvro);
}

int number_of(const schema::Json& answer, std::string_view name) {
  const schema::Json* found = answer.find(name);
  const std::int64_t* number = found ? found->integer() : nullptr;
  return number ? static_cast<int>(*number) : 0;
}

std::unexpected<Error> no_list() {
  return error(Code::kUnavailable, "the schema registry's answer is no list");
}

Result<std::vector<std::string>> texts_of(const schema::Json& answer) {
  const schema::JsonArray* all = answer.array();
  if (!all) return no_list();
  std::vector<std::string> texts;
  for (const schema::Json& one : *all)
    if (const std::string* text = one.text()) texts.push_back(*text);
  return texts;
}

std::string path_of(const std::string& subject) {
  return "/subjects/" + net::percent_encode(subject);
}

/// What is sent to register a schema, or to try it.
std::string body_of(const Proposal& proposal) {
  schema::JsonObject body{{"schema", proposal.text}};
  if (proposal.format != schema::Format::kAvro)
    body.push_back({"schemaType", std::string(schema::format_name(proposal.format))});
  if (!proposal.references.empty()) body.push_back({"references", to_json(proposal.references)});
  std::string text;
  schema::append_json(text, schema::Json(std::move(body)));
  return text;
}

Result<VersionText> version_text(const schema::Json& answer, const std::string& subject) {
  const std::string* text = answer.find_text("schema");
  if (!text) return error(Code::kUnavailable, "the schema registry's answer holds no schema");
  VersionText out{.subject = subject,
                  .version = number_of(answer, "version"),
                  .id = number_of(answer, "id"),
                  .format = format_of(answer),
                  .text = *text};
  if (const schema::Json* listed = answer.find("references"); listed && listed->array()) {
    ASSIGN(out.references, references_of(*listed));
  }
  return out;
}

/// What each request carries: content type, login, certificates, the longest answer.
net::HttpOptions http_options(const RemoteRegistry& registry) {
  net::HttpOptions options;
  options.headers = {{"Accept", kContentType}, {"Content-Type", kContentType}};
  if (!registry.user.empty())
    options.headers.emplace_back("Authorization",
                                 "Basic " + encode_base64(registry.user + ":" + registry.password));
  options.ca_file = registry.ca_file;
  options.timeout_ms = registry.timeout_ms;
  options.max_body_bytes = kMostAnswerBytes;
  return options;
}

class RemoteClient final : public SubjectsClient {
 public:
  explicit RemoteClient(RemoteRegistry registry)
      : registry_(std::move(registry)), options_(http_options(registry_)) {
    while (registry_.url.ends_with('/')) registry_.url.pop_back();
  }

  Result<RegisteredSchema> by_id(int id, const std::string& subject) override {
    const std::lock_guard lock(mutex_);
    const auto kept = kept_.find({id, subject});
    if (kept != kept_.end()) return kept->second;
    ASSIGN(const auto answer,
           ask(fmt::format("/schemas/ids/{}?subject={}", id, net::percent_encode(subject))));
    RegisteredSchema schema = {.id = id, .subject = subject};
    TRY(fill(answer, schema));
    ASSIGN(const auto users, ask(fmt::format("/schemas/ids/{}/versions", id)));
    if (const schema::JsonArray* all = users.array())
      for (const schema::Json& user : *all) {
        const std::string* name = user.find_text("subject");
        if (name && *name == subject) schema.version = number_of(user, "version");
      }
    return kept_[{id, subject}] = std::move(schema);
  }

  Result<int> id_of_guid(const std::string& guid, const std::string& subject) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(const auto answer, ask("/schemas/guids/" + net::percent_encode(guid) + "/ids"));
    const schema::JsonArray* all = answer.array();
    if (!all) return no_list();
    for (const schema::Json& one : *all) {
      const std::string* context = one.find_text("context");
      if (context && *context == SubjectName::parse(subject).context) return number_of(one, "id");
    }
    return error(Code::kNotFound, "the schema registry has no schema " + guid);
  }

  Result<std::vector<std::string>> subjects_of(int id) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(const auto answer, ask(fmt::format("/schemas/ids/{}/subjects", id)));
    return texts_of(answer);
  }

  Result<std::vector<std::string>> subjects() override {
    const std::lock_guard lock(mutex_);
    ASSIGN(const auto answer, ask("/subjects"));
    ASSIGN(auto all, texts_of(answer));
    std::ranges::sort(all);
    return all;
  }

  Result<std::vector<int>> versions(const std::string& subject) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(const auto answer, ask(path_of(subject) + "/versions"));
    const schema::JsonArray* all = answer.array();
    if (!all) return no_list();
    std::vector<int> numbers;
    for (const schema::Json& one : *all)
      if (const std::int64_t* number = one.integer()) numbers.push_back(static_cast<int>(*number));
    std::ranges::sort(numbers);
    return numbers;
  }

  Result<VersionText> version(const std::string& subject, int number) override {
    const std::lock_guard lock(mutex_);
    const std::string which = number < 0 ? "latest" : std::to_string(number);
    ASSIGN(const auto answer, ask(path_of(subject) + "/versions/" + which));
    return version_text(answer, subject);
  }

  Result<std::string> compatibility(const std::string& subject) override {
    const std::lock_guard lock(mutex_);
    auto answer = ask("/config/" + net::percent_encode(subject) + "?defaultToGlobal=true");
    // Not every registry knows the parameter.
    if (!answer && answer.error().code == Code::kNotFound) answer = ask("/config");
    if (!answer) return std::unexpected(answer.error());
    const std::string* level = answer->find_text("compatibilityLevel");
    return level ? *level : std::string();
  }

  Result<Verdict> check(const std::string& subject, const Proposal& proposal) override {
    const std::string body = body_of(proposal);
    const std::lock_guard lock(mutex_);
    ASSIGN(const auto answer,
           ask("/compatibility" + path_of(subject) + "/versions?verbose=true", &body));
    const schema::Json* fits = answer.find("is_compatible");
    const schema::Json* messages = answer.find("messages");
    if (!fits || !fits->boolean())
      return error(Code::kUnavailable, "the schema registry's answer holds no verdict");
    Verdict verdict{.compatible = *fits->boolean()};
    if (messages && messages->array()) {
      ASSIGN(verdict.messages, texts_of(*messages));
    }
    return verdict;
  }

  Result<VersionText> put(const std::string& subject, const Proposal& proposal) override {
    ASSIGN(const auto answer, registered(subject, body_of(proposal)));
    return version_text(answer, subject);
  }

  Result<RegisteredSchema> latest(const std::string& subject) override {
    const std::lock_guard lock(mutex_);
    ASSIGN(const auto answer,
           ask("/subjects/" + net::percent_encode(subject) + "/versions/latest"));
    return version_of(answer, subject);
  }

  Result<RegisteredSchema> register_schema(const std::string& subject, schema::Format format,
                                           const std::string& text) override {
    ASSIGN(const auto answer, registered(subject, body_of({.format = format, .text = text})));
    return version_of(answer, subject);
  }

 private:
  /// The version that a body is, once it is registered.
  Result<schema::Json> registered(const std::string& subject, const std::string& body) {
    const std::lock_guard lock(mutex_);
    TRY(ask(path_of(subject) + "/versions", &body));
    return ask(path_of(subject), &body);
  }

  /// GET, or POST of a body.
  Result<schema::Json> ask(const std::string& path, const std::string* body = nullptr) {
    std::chrono::milliseconds wait = kFirstWait;
    for (int tried = 1;; ++tried, wait *= 4) {
      auto answer = ask_once(path, body);
      const bool passes = !answer && answer.error().code == Code::kUnavailable;
      if (!passes || tried >= registry_.tries) return answer;
      std::this_thread::sleep_for(wait);
    }
  }

  Result<schema::Json> ask_once(const std::string& path, const std::string* body) {
    const std::string url = registry_.url + path;
    auto got = body ? http_.post(url, *body, options_) : http_.get(url, options_);
    if (!got) {
      const bool late = got.error().code == Code::kDeadlineExceeded;
      return error(late ? Code::kUnavailable : got.error().code,
                   "the schema registry: " + got.error().what);
    }
    auto json = schema::parse_json(got->body);
    if (got->status == 200 && json) return json;
    const std::string* message = json ? json->find_text("message") : nullptr;
    return error(code_of(got->status), fmt::format("the schema registry at {} answers {}{}",
                                                   net::redact_url(registry_.url), got->status,
                                                   message ? ": " + *message : std::string()));
  }

  Result<RegisteredSchema> version_of(const schema::Json& answer, const std::string& subject) {
    RegisteredSchema schema = {
        .id = number_of(answer, "id"), .subject = subject, .version = number_of(answer, "version")};
    TRY(fill(answer, schema));
    return schema;
  }

  Status fill(const schema::Json& answer, RegisteredSchema& schema) {
    const std::string* text = answer.find_text("schema");
    if (!text) return error(Code::kUnavailable, "the schema registry's answer holds no schema");
    schema.format = format_of(answer);
    schema.text = *text;
    if (const std::string* guid = answer.find_text("guid")) schema.guid = *guid;
    if (const schema::Json* rules = answer.find("ruleSet"); rules && !rules->is_null()) {
      ASSIGN(schema.rules, rule_set_of(*rules));
    }
    std::set<std::string> seen;
    return add_references(answer, seen, schema.references);
  }

  /// What a version's references name, each behind what it refers to itself.
  Status add_references(const schema::Json& answer, std::set<std::string>& seen,
                        std::vector<schema::Reference>& out) {
    const schema::Json* listed = answer.find("references");
    const schema::JsonArray* all = listed ? listed->array() : nullptr;
    if (!all) return {};
    for (const schema::Json& one : *all) {
      const std::string* name = one.find_text("name");
      const std::string* subject = one.find_text("subject");
      if (!name || !subject)
        return error(Code::kUnavailable, "the schema registry's answer has a reference to nothing");
      if (!seen.insert(*name).second) continue;
      if (seen.size() > kMostReferences)
        return error(Code::kResourceExhausted, "a schema with too many references");
      ASSIGN(const auto target,
             ask(fmt::format("/subjects/{}/versions/{}", net::percent_encode(*subject),
                             number_of(one, "version"))));
      TRY(add_references(target, seen, out));
      const std::string* text = target.find_text("schema");
      out.push_back({*name, text ? *text : std::string()});
    }
    return {};
  }

  RemoteRegistry registry_;
  net::HttpOptions options_;
  std::mutex mutex_;
  net::HttpClient http_;
  std::map<std::pair<int, std::string>, RegisteredSchema> kept_;
};

}  // namespace

std::unique_ptr<SchemaClient> remote_client(RemoteRegistry registry) {
  return std::make_unique<RemoteClient>(std::move(registry));
}

std::unique_ptr<SubjectsClient> remote_subjects_client(RemoteRegistry registry) {
  return std::make_unique<RemoteClient>(std::move(registry));
}

}  // namespace tailrace::subjects
