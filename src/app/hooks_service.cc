// A project's webhooks wired to its sources.
#include "app/hooks_service.h"

#include <fmt/format.h>

#include "app/host_port.h"
#include "connect/bucket_options.h"
#include "connect/webhook_source.h"

namespace tailrace::app {
namespace {

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

Status HooksService::start(const HooksSettings& settings) {
  if (settings.listen == "off") return {};
  hooks::DoorConfig config;
  ASSIGN(config.hooks, webhooks());
  if (config.hooks.empty()) return {};
  ASSIGN(auto at, host_port(settings.listen, config.flag));
  config.host = std::move(at.host);
  config.port = at.port;
  ASSIGN(config.tls,
         door_tls({.certificate = settings.certificate, .key = settings.key}, "--hooks-"));
  ASSIGN(door_, hooks::Door::start(std::move(config)));
  return {};
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
