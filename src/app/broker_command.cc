// `tailrace broker`: the log and its Kafka door alone, until a signal.
#include <csignal>
#include <iostream>
#include <thread>

#include "app/commands.h"
#include "kafka/door.h"
#include "log/upkeep.h"
#include "rt/file.h"

namespace tailrace::app {
namespace {

constexpr std::chrono::seconds kUpkeepEvery{15};

std::atomic<int> g_signal = 0;

void on_signal(int number) {
  g_signal = number;
}

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

void run_until_signal(log::Log& log) {
  const log::Upkeep upkeep(log, kUpkeepEvery);
  while (!g_signal) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

Status serve(const BrokerOptions& options) {
  ASSIGN(auto config, config_of(options));
  TRY(rt::posix_files().make_folder(options.data));
  ASSIGN(const auto held, rt::posix_files().lock_folder(options.data));
  const std::string folder = options.data + "/log";
  ASSIGN(const auto log, log::Log::open(folder, {}));
  ASSIGN(const auto door, kafka::Door::start(*log, std::move(config), folder));
  const bool one = door->broker().listeners().size() == 1;
  std::cout << "kafka  " << (one ? door->address() : door->listeners()) << "; Ctrl-C stops"
            << std::endl;
  run_until_signal(*log);
  door->stop();
  return log->close();
}

}  // namespace

int broker_command(const BrokerOptions& options) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  const auto served = serve(options);
  return served ? 0 : fail(served.error());
}

}  // namespace tailrace::app
