// A project's webhooks and functions wired to its sources.
#include "app/hooks_service.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "app/door_tls.h"
#include "app/host_port.h"
#include "columns/types.h"
#include "connect/bucket_options.h"
#include "connect/json_path.h"
#include "connect/webhook_source.h"
#include "console/arrow_rows.h"
#include "console/json.h"
#include "hooks/python_function.h"
#include "pipeline/names.h"
#include "rt/clock.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

namespace fs = std::filesystem;

/// Threads and calls that wait, of functions in SQL.
constexpr std::size_t kSqlThreads = 2, kSqlWaiting = 1000;
constexpr int kMostRows = 100'000;
/// Of dead letters: calls that were given up.
constexpr std::string_view kLostFlow = "functions.", kLostReason = "function";

/// What the door is to know of a source; nothing of one that it does not feed.
Result<std::optional<connect::WebhookOptions>> hook_of(const pipeline::IngestSpec& ingest) {
  const connect::SourceSpec spec{.name = ingest.name,
                                 .type = ingest.type,
                                 .options = ingest.options,
                                 .folder = {},
                                 .secrets = ingest.secrets};
  Result<std::optional<connect::WebhookOptions>> hook;
  if (ingest.type == "webhook") hook = connect::webhook_options(spec);
  if (ingest.type == "bucket") hook = connect::bucket_hook(spec);
  if (!hook) return std::unexpected(hook.error().in(ingest.place));
  return hook;
}

std::int64_t modified_ms(const std::string& file) {
  struct stat found {};
  if (file.empty() || stat(file.c_str(), &found) != 0) return 0;
  return found.st_mtim.tv_sec * 1000 + found.st_mtim.tv_nsec / 1'000'000;
}

/// The relation `event`: one row, whose column `value` is the event's JSON.
Result<pipeline::QueryRelation> event_relation(const std::string& event) {
  const Schema schema = arrow::schema({arrow::field("value", arrow::utf8())});
  arrow::StringBuilder column;
  TRY(from_arrow(column.Append(event)));
  ASSIGN(const Array values, from_arrow(column.Finish()));
  const Batch row = arrow::RecordBatch::Make(schema, 1, {values});
  return pipeline::QueryRelation{
      "event", schema,
      [row](const std::function<Status(const Batch&)>& visit) { return visit(row); }};
}

/// The rows of a query as JSON: all of them, the first, or its only column.
Result<std::string> rows_of(const std::string& text, const std::string& event,
                            std::vector<pipeline::QueryRelation> relations,
                            const std::string& answer,
                            std::chrono::steady_clock::time_point until) {
  std::erase_if(relations, [](const auto& one) { return pipeline::same_name(one.name, "event"); });
  ASSIGN(auto own, event_relation(event));
  relations.push_back(std::move(own));
  ASSIGN(const auto result,
         pipeline::run_query(text, relations, rt::system_clock().now().value * 1000, kMostRows,
                             until));
  if (result.truncated)
    return error(Code::kResourceExhausted, fmt::format("over {} rows", kMostRows));
  console::Rows rows;
  for (const Batch& batch : result.rows) console::append_rows(batch, rows);
  if (answer == "rows") return console::objects_json(rows);
  if (rows.rows.empty()) return std::string("null");
  rows.rows.resize(1);
  if (answer == "row") {
    const std::string one = console::objects_json(rows);
    return one.substr(1, one.size() - 2);
  }
  if (rows.columns.size() != 1)
    return error(Code::kInvalidArgument, "`answer: value` is of a query with one column");
  const console::Value& cell = rows.rows.front().front();
  const auto* said = std::get_if<std::string>(&cell.v);
  // A text that is JSON, of to_json(), is that.
  if (said != nullptr && connect::check_json(*said)) return *said;
  return console::value_json(cell);
}

}  // namespace

std::shared_ptr<connect::Inbox> HooksService::inbox(const pipeline::IngestSpec& ingest) {
  const auto hook = hook_of(ingest);
  if (!hook || !*hook) return nullptr;
  auto& inbox = inboxes_[ingest.name];
  if (!inbox) inbox = std::make_shared<connect::Inbox>();
  return inbox;
}

Result<std::vector<hooks::HookConfig>> HooksService::webhooks() {
  std::vector<hooks::HookConfig> all;
  for (const pipeline::IngestSpec& ingest : project_.ingest) {
    ASSIGN(auto options, hook_of(ingest));
    if (!options) continue;
    hooks::HookConfig hook{
        .name = ingest.name, .options = std::move(*options), .inbox = inbox(ingest)};
    if (ingest.paused)
      hook.closed = [name = ingest.name] {
        return fmt::format("the source {} is paused: it takes records while a workflow runs it",
                           name);
      };
    all.push_back(std::move(hook));
  }
  return all;
}

Result<std::unique_ptr<hooks::Function>> HooksService::function(
    const pipeline::FunctionSpec& spec, const Relations& relations,
    const std::shared_ptr<hooks::WorkQueue>& workers) {
  using Kind = pipeline::FunctionSpec::Kind;
  hooks::FunctionInfo info{.name = spec.name,
                           .description = spec.description,
                           .runtime = spec.kind == Kind::kPython ? "python3.11" : "provided.al2023",
                           .handler = spec.handler,
                           .code = spec.code,
                           .timeout_ms = spec.timeout_ms,
                           .memory_bytes = spec.memory_bytes,
                           .environment = spec.environment,
                           .modified_ms = modified_ms(spec.file),
                           .retry_after_ms = spec.retry_after_ms};
  std::unique_ptr<hooks::Function> made;
  if (spec.kind == Kind::kPython) {
    made = hooks::python_function(info, {.file = spec.file,
                                         .folder = fs::absolute(project_.folder).string(),
                                         .workers = spec.workers,
                                         .log_file = data_ + "/functions/" + spec.name + ".log"});
  } else if (spec.kind == Kind::kSql) {
    const std::string answer = spec.ingest.empty() ? spec.answer : "rows";
    made = hooks::sql_function(
        info,
        [relations, answer](const std::string& text, const std::string& event,
                            std::chrono::steady_clock::time_point until) {
          return rows_of(text, event, relations(), answer, until);
        },
        workers);
  }
  if (spec.ingest.empty()) return made;
  for (const pipeline::IngestSpec& ingest : project_.ingest) {
    if (ingest.name != spec.ingest) continue;
    hooks::HookConfig source{.name = ingest.name, .options = {}, .inbox = inbox(ingest)};
    ASSIGN(auto options, hook_of(ingest));
    if (options) source.options = std::move(*options);
    return hooks::ingest_function(std::move(info), std::move(made), std::move(source));
  }
  return error(Code::kNotFound, spec.place + ": there is no source " + spec.ingest);
}

Result<std::unique_ptr<hooks::Functions>> HooksService::functions(const Relations& relations) {
  if (project_.functions.empty()) return nullptr;
  hooks::FunctionsConfig config;
  const auto workers = std::make_shared<hooks::WorkQueue>(kSqlThreads, kSqlWaiting);
  for (const pipeline::FunctionSpec& spec : project_.functions) {
    ASSIGN(auto made, function(spec, relations, workers));
    config.functions.push_back(std::move(made));
  }
  config.login = {.token = project_.invoke.token,
                  .access_key = project_.invoke.access_key,
                  .secret_key = project_.invoke.secret_key};
  TRY(rt::posix_files().make_folder(data_ + "/functions"));
  config.queue_file = data_ + "/functions/queue.db";
  config.lost = [this](const hooks::LostCall& lost) { return keep_lost(lost); };
  return hooks::Functions::open(std::move(config));
}

Status HooksService::keep_lost(const hooks::LostCall& lost) {
  const std::string source = std::string(kLostFlow) + lost.function;
  auto& rejects = lost_[source];
  if (!rejects) {
    ASSIGN(rejects, connect::RejectLog::open(log_, source));
  }
  const std::string one = connect::encode_reject(source, "",
                                                 {.reason = std::string(kLostReason),
                                                  .detail = lost.why,
                                                  .origin = source + "#" + lost.request_id,
                                                  .bytes = lost.event},
                                                 rt::system_clock().now());
  TRY(rejects->append({&one, 1}, rejects->next_sequence()));
  return rejects->sync();
}

Result<bool> HooksService::send_back(const pipeline::DeadLetter& letter) {
  if (letter.reason != kLostReason || !letter.flow.starts_with(kLostFlow)) return false;
  if (!door_ || door_->functions() == nullptr)
    return error(Code::kFailedPrecondition, "the functions are not called here: --hooks is off");
  TRY(door_->functions()->queue(
      letter.flow.substr(kLostFlow.size()),
      {.request_id = fmt::format("redrive-{}-{}", letter.id, letter.time_ms),
       .event = letter.bytes}));
  return true;
}

Status HooksService::start(const HooksSettings& settings, Relations relations) {
  if (settings.listen == "off") return {};
  hooks::DoorConfig config;
  ASSIGN(config.hooks, webhooks());
  ASSIGN(config.functions, functions(relations));
  if (config.hooks.empty() && !config.functions) return {};
  ASSIGN(auto at, host_port(settings.listen, config.flag));
  config.host = std::move(at.host);
  config.port = at.port;
  ASSIGN(config.tls, door_tls(settings.tls, "--hooks-"));
  ASSIGN(door_, hooks::Door::start(std::move(config)));
  return {};
}

Result<bool> has_guarded_door(const pipeline::Project& project) {
  bool has = !project.functions.empty();
  for (const pipeline::IngestSpec& ingest : project.ingest) {
    ASSIGN(const auto hook, hook_of(ingest));
    if (!hook) continue;
    has = true;
    if (!hook->guarded() && !hook->open)
      return error(Code::kFailedPrecondition,
                   fmt::format("{}: in a container others reach the webhook {}, and it takes "
                               "whatever anybody sends: give it a `token` or a `signature`, or say "
                               "`open: true`",
                               ingest.place, ingest.name));
  }
  const pipeline::InvokeSpec& invoke = project.invoke;
  if (!project.functions.empty() && invoke.token.empty() && invoke.access_key.empty())
    return error(Code::kFailedPrecondition,
                 fmt::format("{}: in a container others reach the functions: say who may call "
                             "them: `invoke: {{token: \"${{INVOKE_TOKEN}}\"}}`, or access_key and "
                             "secret_key",
                             project.functions.front().place));
  return has;
}

Status check_hooks(const pipeline::Project& project) {
  std::map<std::string, const pipeline::IngestSpec*> paths;
  for (const pipeline::IngestSpec& ingest : project.ingest) {
    ASSIGN(const auto hook, hook_of(ingest));
    if (!hook) continue;
    const auto [at, added] = paths.emplace(hook->path, &ingest);
    if (!added)
      return error(Code::kInvalidArgument,
                   fmt::format("{}: the webhook {} has the path of {}, {}; give it another `path`",
                               ingest.place, ingest.name, at->second->name, at->second->place));
  }
  return {};
}

}  // namespace tailrace::app
