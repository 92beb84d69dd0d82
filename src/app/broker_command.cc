// `tailrace broker`: the log and its Kafka door alone, until a signal.
#include <fmt/ranges.h>

#include <csignal>
#include <iostream>

#include "app/commands.h"
#include "app/metrics_door.h"
#include "app/record_schemas.h"
#include "app/registry_service.h"
#include "app/stop_signals.h"
#include "base/log.h"
#include "kafka/door.h"
#include "log/log.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

Result<kafka::BrokerConfig> config_of(const BrokerOptions& options) {
  constexpr std::size_t kMostBytes = 16 << 20;
  kafka::BrokerConfig config;
  if (!options.config.empty()) {
    ASSIGN(const auto text, rt::read_whole(rt::posix_files(), options.config, kMostBytes));
    if (auto set = config.set_all(text); !set) {
      return std::unexpected(set.error().in(options.config));
    }
  }
  for (const auto& setting : options.settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos) {
      return error(Code::kInvalidArgument, "--set " + setting + ": NAME=VALUE is expected");
    }
    TRY(config.set(setting.substr(0, equals), setting.substr(equals + 1)));
  }
  if (!options.listen.empty()) {
    config.listen = options.listen;
    config.by_listeners = false;
    config.flag = "--listen";
  }
  return config;
}

Status serve(const BrokerOptions& options) {
  ASSIGN(auto config, config_of(options));
  if (!config.without_effect.empty()) {
    LOG(warn, "kept and shown, but without effect here: {}",
        fmt::join(config.without_effect, ", "));
  }
  TRY(rt::posix_files().make_folder(options.data));
  ASSIGN(const auto held, rt::posix_files().lock_folder(options.data));
  const std::string folder = options.data + "/log";
  ASSIGN(const auto log, log::Log::open(folder, {}));
  std::unique_ptr<RegistryService> registry;
  std::unique_ptr<kafka::SchemaIds> schemas;
  if (!options.registry.empty()) {
    ASSIGN(registry, RegistryService::open(*log));
    schemas = record_schemas(subjects::local_subjects_client(registry->registry()));
  }
  ASSIGN(const auto door, kafka::Door::start(*log, std::move(config), folder, schemas.get()));
  if (registry) {
    TRY(registry->start({.listen = options.registry,
                         .flag = "--registry",
                         .config = options.registry_config,
                         .settings = {},
                         .folder = folder,
                         .users = &door->broker().scram_users()}));
    std::cout << "registry  " << registry->url() << "\n";
  }
  ASSIGN(const auto metrics, serve_metrics(options.metrics, [&](MetricsText& out) {
           door->write_metrics(out);
           if (registry) registry->write_metrics(out);
         }));
  if (metrics) std::cout << "metrics  " << metrics->url() << "/metrics\n";
  const bool one = door->broker().listeners().size() == 1;
  std::cout << "kafka  " << (one ? door->address() : door->listeners()) << "; Ctrl-C stops"
            << std::endl;
  keep_until_stop(*log);
  if (metrics) metrics->stop();
  if (registry) registry->stop();
  door->stop();
  return log->close();
}

}  // namespace

int broker_command(const BrokerOptions& options) {
  watch_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);
  const auto served = serve(options);
  return served ? 0 : fail(served.error());
}

}  // namespace tailrace::app
