// The registry's parts put together.
#include "app/registry_service.h"

#include <malloc.h>

namespace tailrace::app {

Result<std::unique_ptr<RegistryService>> RegistryService::open(log::Log& log) {
  std::unique_ptr<RegistryService> service(new RegistryService(log));
  // Where it is damaged the registry says so to who asks, and all else goes on.
  const Status known = service->registry_.catch_up();
  if (!known && known.error().code != Code::kDataLoss) return std::unexpected(known.error());
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
