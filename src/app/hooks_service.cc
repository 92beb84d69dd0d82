// A project's webhooks wired to its sources.
#include "app/hooks_service.h"

#include <fmt/format.h>

#include "app/host_port.h"
#include "connect/webhook_source.h"

namespace tailrace::app {
namespace {

Result<connect::WebhookOptions> options_of(const pipeline::IngestSpec& ingest) {
  auto options = connect::webhook_options({.name = ingest.name,
                                           .type = ingest.type,
                                           .options = ingest.options,
                                           .folder = {},
                                           .secrets = ingest.secrets});
  if (!options) return std::unexpected(options.error().in(ingest.place));
  return options;
}

}  // namespace

std::shared_ptr<connect::Inbox> HooksService::inbox(const pipeline::IngestSpec& ingest) {
  if (ingest.type != "webhook") return nullptr;
  auto& inbox = inboxes_[ingest.name];
  if (!inbox) inbox = std::make_shared<connect::Inbox>();
  return inbox;
}

Result<std::vector<hooks::HookConfig>> HooksService::webhooks() {
  std::vector<hooks::HookConfig> all;
  for (const pipeline::IngestSpec& ingest : project_.ingest) {
    if (ingest.type != "webhook") continue;
    hooks::HookConfig hook{.name = ingest.name, .options = {}, .inbox = inbox(ingest)};
    ASSIGN(hook.options, options_of(ingest));
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
    if (ingest.type != "webhook") continue;
    ASSIGN(const auto options, options_of(ingest));
    const auto [at, added] = paths.emplace(options.path, &ingest);
    if (!added)
      return error(Code::kInvalidArgument,
                   fmt::format("{}: the webhook {} has the path of {}, {}; give it another `path`",
                               ingest.place, ingest.name, at->second->name, at->second->place));
  }
  return {};
}

}  // namespace tailrace::app
