// Who wants to be told of what (REGISTER): connections, and the events pushed to them.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cql/line.h"
#include "cql_protocol/messages.h"
#include "net/frame_server.h"

namespace tailrace::cql {

/// Any thread.
class Events {
 public:
  /// From now on `line`'s client is told of changes of the schema, until its connection is gone.
  void add(std::shared_ptr<const Line> line, net::Outlet outlet);
  void tell(const cql_protocol::SchemaChange& change);

 private:
  struct Listener {
    std::shared_ptr<const Line> line;
    net::Outlet outlet;
  };

  std::mutex mutex_;
  std::vector<Listener> listeners_;
};

}  // namespace tailrace::cql
