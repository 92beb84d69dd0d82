// CQL over a data folder: the engine, its store in it, and the door.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cql/door.h"
#include "cql_query/engine.h"

namespace tailrace::app {

struct CqlSettings {
  std::string listen = "127.0.0.1:9042";  ///< HOST:PORT, port 0 picks a free one
  std::string flag = "--listen";          ///< what a user changes `listen` with
  std::string tls_certificate = {};       ///< a PEM file: own first, then the chain; empty: no TLS
  std::string tls_key = {};               ///< a PEM file
  std::string tls_clients = {};  ///< a PEM file of authorities; clients must show certificates of
                                 ///< theirs; empty: they need none
};

class CqlService {
 public:
  /// Opens or makes the store in `folder`.
  static Result<std::unique_ptr<CqlService>> open(const std::string& folder);
  /// Opens the door.
  Status start(const CqlSettings& settings);

  cql_query::Engine& engine() { return *engine_; }
  /// "127.0.0.1:9042"; empty without a door.
  std::string address() const { return door_ ? door_->address() : std::string(); }
  void stop() {
    if (door_) door_->stop();
  }

 private:
  std::unique_ptr<cql_query::Engine> engine_;
  std::unique_ptr<cql::Door> door_;
};

}  // namespace tailrace::app
