// The registry's parts put together.
#include "app/registry_service.h"

#include <malloc.h>

namespace tailrace::app {

Result<std::unique_ptr<RegistryService>> RegistryService::open(log::Log& log) {
  std::unique_ptr<RegistryService> service(new RegistryService(log));
  TRY(service->registry_.catch_up());
  malloc_trim(0);  // what reading took
  return service;
}

Status RegistryService::start(RegistrySettings settings) {
  if (settings.users == nullptr) {
    users_ = std::make_unique<auth::ScramUsers>(settings.folder + "/scram-users");
    TRY(users_->open());
    settings.users = users_.get();
  }
  ASSIGN(auto config, door_config(settings));
  ASSIGN(door_, registry::Door::start(std::move(config), registry_));
  return {};
}

}  // namespace tailrace::app
