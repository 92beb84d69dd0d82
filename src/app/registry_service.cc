// The registry's parts put together.
#include "app/registry_service.h"

#include <malloc.h>

#include "app/host_port.h"

namespace tailrace::app {

Result<std::unique_ptr<RegistryService>> RegistryService::open(log::Log& log) {
  std::unique_ptr<RegistryService> service(new RegistryService(log));
  TRY(service->registry_.catch_up());
  malloc_trim(0);  // what reading took
  return service;
}

Status RegistryService::start(const std::string& address, const std::string& flag) {
  ASSIGN(const HostPort at, host_port(address, flag));
  registry::DoorConfig config{.host = at.host, .port = at.port, .flag = flag};
  ASSIGN(door_, registry::Door::start(std::move(config), registry_));
  return {};
}

Result<std::unique_ptr<RegistryService>> RegistryService::start(log::Log& log,
                                                                const std::string& address,
                                                                const std::string& flag) {
  ASSIGN(auto service, open(log));
  TRY(service->start(address, flag));
  return service;
}

}  // namespace tailrace::app
