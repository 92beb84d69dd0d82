// `tailrace schemas`: asked of a schema registry over Confluent's REST API, ours or another.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>

#include "app/commands.h"
#include "app/open_schemas.h"
#include "app/terminal.h"
#include "rt/file.h"
#include "schema/json.h"
#include "subjects/subjects_client.h"

namespace tailrace::app {
namespace {

/// Lines of one schema times lines of another that a diff compares one by one.
constexpr std::size_t kMostCompared = 25'000'000;

using subjects::Proposal;
using subjects::SubjectsClient;
using subjects::VersionText;

/// "latest" is -1.
Result<int> version_of(const std::string& text) {
  if (text == "latest") return -1;
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc() && end == text.data() + text.size() && number > 0) return number;
  return error(Code::kInvalidArgument, text + " is no version: a number from 1 on, or `latest`");
}

Status list(SubjectsClient& registry, const SchemasOptions& options) {
  ASSIGN(const auto subjects, registry.subjects());
  Json rows = Json::array();
  for (const std::string& name : subjects) {
    ASSIGN(const VersionText latest, registry.version(name, -1));
    ASSIGN(const std::string level, registry.compatibility(name));
    rows.push_back({{"subject", name},
                    {"version", latest.version},
                    {"id", latest.id},
                    {"type", schema::format_name(latest.format)},
                    {"compatibility", level}});
  }
  print_table({"subject", "version", "id", "type", "compatibility"}, rows, options.json);
  return {};
}

/// The schema as people read it.
Result<std::string> schema_text(SubjectsClient& registry, const SchemasOptions& options,
                                const std::string& version) {
  ASSIGN(const int number, version_of(version));
  ASSIGN(const VersionText found, registry.version(options.subject, number));
  if (found.format == schema::Format::kProtobuf) return found.text;
  const Json json = Json::parse(found.text, nullptr, false);
  return json.is_discarded() ? found.text : json.dump(2) + "\n";
}

Status show(SubjectsClient& registry, const SchemasOptions& options) {
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

Status diff(SubjectsClient& registry, const SchemasOptions& options) {
  ASSIGN(const auto versions, registry.versions(options.subject));
  std::vector<std::string> numbers;
  for (const int number : versions) numbers.push_back(std::to_string(number));
  if (numbers.empty()) return error(Code::kNotFound, options.subject + " has no version");
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

Result<Proposal> proposal_of(const SchemasOptions& options) {
  Proposal proposal;
  ASSIGN(proposal.text, rt::read_whole(rt::posix_files(), options.file, schema::kMaxSchemaBytes));
  std::string type = options.type;
  const std::string ending = std::filesystem::path(options.file).extension();
  if (type.empty()) type = ending == ".proto" ? "PROTOBUF" : ending == ".json" ? "JSON" : "AVRO";
  const auto format = schema::format_named(type);
  if (!format) return error(Code::kInvalidArgument, "--type " + type + ": AVRO, JSON or PROTOBUF");
  proposal.format = *format;
  return proposal;
}

Status check(SubjectsClient& registry, const SchemasOptions& options) {
  ASSIGN(const Proposal proposal, proposal_of(options));
  ASSIGN(const auto verdict, registry.check(options.subject, proposal));
  if (verdict.compatible) {
    std::cout << fmt::format("ok: {} may be the next version of {}\n", options.file,
                             options.subject);
    return {};
  }
  std::string why;
  for (const std::string& message : verdict.messages) why += "\n  " + message;
  return error(Code::kFailedPrecondition, fmt::format("{} may not follow the versions of {}:{}",
                                                      options.file, options.subject, why));
}

Status put(SubjectsClient& registry, const SchemasOptions& options) {
  ASSIGN(const Proposal proposal, proposal_of(options));
  ASSIGN(const VersionText made, registry.put(options.subject, proposal));
  std::cout << fmt::format("version {} of {}, id {}\n", made.version, options.subject, made.id);
  return {};
}

Status run(const SchemasOptions& options) {
  const auto client = subjects::remote_subjects_client(
      registry_for(options.registry, options.project, options.data));
  SubjectsClient& registry = *client;
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
