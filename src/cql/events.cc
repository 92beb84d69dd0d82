#include "cql/events.h"

#include <algorithm>

namespace tailrace::cql {

void Events::add(std::shared_ptr<const Line> line, net::Outlet outlet) {
  const std::lock_guard lock(mutex_);
  // Clients come and go while the schema stays as it is.
  std::erase_if(listeners_, [](const Listener& one) { return !one.outlet.open(); });
  const bool known =
      std::ranges::any_of(listeners_, [&](const Listener& one) { return one.line == line; });
  if (!known) listeners_.push_back({std::move(line), std::move(outlet)});
}

void Events::tell(const cql_protocol::SchemaChange& change) {
  const cql_protocol::Event event(change);
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [&event](const Listener& one) {
    return !one.outlet.push(event_bytes(*one.line, event));
  });
}

}  // namespace tailrace::cql
