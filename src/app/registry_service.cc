// The registry's parts put together.
#include "app/registry_service.h"

#include <malloc.h>

#include "app/host_port.h"

namespace tailrace::app {

Result<std::unique_ptr<RegistryService>> RegistryService::start(log::Log& log,
                                                                const std::string& address,
                                                                const std::string& flag) {
  ASSIGN(const HostPort at, host_port(address, flag));
  std::unique_ptr<RegistryService> service(new RegistryService(log));
  TRY(service->records_.load(service->registry_));
  malloc_trim(0);  // what reading took
  registry::DoorConfig config{.host = at.host, .port = at.port, .flag = flag};
  ASSIGN(service->door_, registry::Door::start(std::move(config), service->registry_));
  return service;
}

}  // namespace tailrace::app
