// `tailrace schemas`: asked of a schema registry over Confluent's REST API, ours or another.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "app/commands.h"
#include "app/open_schemas.h"
#include "app/terminal.h"
#include "net/http_client.h"
#include "net/http_message.h"
#include "pipeline/project.h"
#include "rt/file.h"
#include "schema/json.h"
#include "subjects/remote_client.h"

namespace tailrace::app {
namespace {

/// Lines of one schema times lines of another that a diff compares one by one.
constexpr std::size_t kMostCompared = 25'000'000;

/// The one that was named, or the project's, or that of the instance which runs on its folder, or
/// the usual address.
subjects::RemoteRegistry registry_of(const SchemasOptions& options) {
  if (!options.registry.empty()) return {.url = options.registry};
  if (const auto project = pipeline::load_project(options.project);
      project && project->roles.registry != "embedded")
    return remote_registry(*project);
  const auto running = find_running(data_folder(options.project, options.data));
  const bool serves = running && !running->registry.empty();
  return {.url = serves ? running->registry : "http://127.0.0.1:8081"};
}

class Asking {
 public:
  explicit Asking(const subjects::RemoteRegistry& at)
      : url_(at.url), options_(subjects::http_options(at)) {
    while (url_.ends_with('/')) url_.pop_back();
  }

  Result<Json> get(const std::string& path) {
    ASSIGN(const auto answer, http_.get(url_ + path, options_));
    return read(answer);
  }
  Result<Json> post(const std::string& path, const Json& body) {
    ASSIGN(const auto answer, http_.post(url_ + path, body.dump(), options_));
    return read(answer);
  }

 private:
  Result<Json> read(const net::HttpResponse& answer) const {
    Json json = Json::parse(answer.body, nullptr, false);
    if (answer.status == 200 && !json.is_discarded()) return json;
    const bool says = json.is_object() && json.contains("message") && json["message"].is_string();
    return error(answer.status == 404 ? Code::kNotFound : Code::kFailedPrecondition,
                 says ? json["message"].get<std::string>()
                      : fmt::format("{} answers {}", net::redact_url(url_), answer.status));
  }

  std::string url_;
  net::HttpOptions options_;
  net::HttpClient http_;
};

std::string subject_path(const SchemasOptions& options) {
  return "/subjects/" + net::percent_encode(options.subject);
}

Status list(Asking& registry, const SchemasOptions& options) {
  ASSIGN(const Json subjects, registry.get("/subjects"));
  Json rows = Json::array();
  for (const Json& subject : subjects) {
    const std::string name = subject.get<std::string>();
    ASSIGN(const Json latest,
           registry.get("/subjects/" + net::percent_encode(name) + "/versions/latest"));
    ASSIGN(const Json config,
           registry.get("/config/" + net::percent_encode(name) + "?defaultToGlobal=true"));
    rows.push_back({{"subject", name},
                    {"version", latest.value("version", 0)},
                    {"id", latest.value("id", 0)},
                    {"type", latest.value("schemaType", "AVRO")},
                    {"compatibility", config.value("compatibilityLevel", "")}});
  }
  print_table({"subject", "version", "id", "type", "compatibility"}, rows, options.json);
  return {};
}

/// The schema as people read it.
Result<std::string> schema_text(Asking& registry, const SchemasOptions& options,
                                const std::string& version) {
  ASSIGN(const Json found,
         registry.get(subject_path(options) + "/versions/" + net::percent_encode(version)));
  const std::string text = found.value("schema", "");
  if (found.value("schemaType", "AVRO") == "PROTOBUF") return text;
  const Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? text : json.dump(2) + "\n";
}

Status show(Asking& registry, const SchemasOptions& options) {
  ASSIGN(const std::string text, schema_text(registry, options, options.version));
  std::cout << text;
  return {};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

/// Lines of both: ' ' for what is in both, '-' and '+' for what is in one, by their longest common
/// subsequence.
std::vector<std::pair<char, std::string>> compared(const std::vector<std::string>& a,
                                                   const std::vector<std::string>& b) {
  std::vector<std::pair<char, std::string>> out;
  const std::size_t n = a.size(), m = b.size();
  const bool small = n == 0 || m <= kMostCompared / n;
  std::vector<std::vector<std::uint32_t>> common(small ? n + 1 : 0,
                                                 std::vector<std::uint32_t>(small ? m + 1 : 0));
  for (std::size_t i = n; small && i-- > 0;)
    for (std::size_t j = m; j-- > 0;)
      common[i][j] =
          a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::size_t i = 0, j = 0;
  while (i < n || j < m) {
    if (i < n && j < m && a[i] == b[j]) {
      out.emplace_back(' ', a[i]);
      ++i, ++j;
    } else if (i < n && (j == m || !small || common[i + 1][j] >= common[i][j + 1])) {
      out.emplace_back('-', a[i++]);
    } else {
      out.emplace_back('+', b[j++]);
    }
  }
  return out;
}

Status diff(Asking& registry, const SchemasOptions& options) {
  ASSIGN(const Json versions, registry.get(subject_path(options) + "/versions"));
  std::vector<std::string> numbers;
  for (const Json& number : versions) numbers.push_back(number.dump());
  const std::string newer = options.version == "latest" ? numbers.back() : options.version;
  std::string older = options.other;
  if (older.empty()) {
    const auto at = std::ranges::find(numbers, newer);
    if (at == numbers.end() || at == numbers.begin())
      return error(Code::kNotFound,
                   fmt::format("{} has no version before {}", options.subject, newer));
    older = *std::prev(at);
  }
  ASSIGN(const std::string before, schema_text(registry, options, older));
  ASSIGN(const std::string after, schema_text(registry, options, newer));
  const bool colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
  std::cout << fmt::format("{} version {} -> {}\n", options.subject, older, newer);
  for (const auto& [mark, line] : compared(lines_of(before), lines_of(after))) {
    const char* colour = !colours ? "" : mark == '+' ? "\033[32m" : mark == '-' ? "\033[31m" : "";
    std::cout << colour << mark << ' ' << line << (*colour ? "\033[0m" : "") << "\n";
  }
  return {};
}

Result<Json> candidate_of(const SchemasOptions& options) {
  ASSIGN(const std::string text,
         rt::read_whole(rt::posix_files(), options.file, schema::kMaxSchemaBytes));
  std::string type = options.type;
  const std::string ending = std::filesystem::path(options.file).extension();
  if (type.empty()) type = ending == ".proto" ? "PROTOBUF" : ending == ".json" ? "JSON" : "AVRO";
  return Json{{"schema", text}, {"schemaType", type}};
}

Status check(Asking& registry, const SchemasOptions& options) {
  ASSIGN(const Json candidate, candidate_of(options));
  ASSIGN(const Json answer,
         registry.post("/compatibility" + subject_path(options) + "/versions?verbose=true",
                       candidate));
  if (answer.value("is_compatible", false)) {
    std::cout << fmt::format("ok: {} may be the next version of {}\n", options.file,
                             options.subject);
    return {};
  }
  std::string why;
  for (const Json& message : answer.value("messages", Json::array()))
    why += "\n  " + (message.is_string() ? message.get<std::string>() : message.dump());
  return error(Code::kFailedPrecondition, fmt::format("{} may not follow the versions of {}:{}",
                                                      options.file, options.subject, why));
}

Status put(Asking& registry, const SchemasOptions& options) {
  ASSIGN(const Json candidate, candidate_of(options));
  TRY(registry.post(subject_path(options) + "/versions", candidate));
  ASSIGN(const Json answer, registry.post(subject_path(options), candidate));
  std::cout << fmt::format("version {} of {}, id {}\n", answer.value("version", 0), options.subject,
                           answer.value("id", 0));
  return {};
}

Status run(const SchemasOptions& options) {
  Asking registry(registry_of(options));
  switch (options.action) {
    case SchemasOptions::Action::kList:
      return list(registry, options);
    case SchemasOptions::Action::kShow:
      return show(registry, options);
    case SchemasOptions::Action::kDiff:
      return diff(registry, options);
    case SchemasOptions::Action::kCheck:
      return check(registry, options);
    case SchemasOptions::Action::kRegister:
      return put(registry, options);
  }
  return {};
}

}  // namespace

int schemas_command(const SchemasOptions& options) {
  const auto done = run(options);
  return done ? 0 : fail(done.error());
}

}  // namespace tailrace::app
