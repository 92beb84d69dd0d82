// CQL over a data folder: the engine, its store in it, and the door with its logins.
#pragma once

#include <memory>
#include <string>

#include "app/run_options.h"
#include "base/result.h"
#include "cql/door.h"
#include "cql_query/engine.h"

namespace tailrace::app {

class CqlService {
 public:
  /// Opens or makes the store in `folder`.
  static Result<std::unique_ptr<CqlService>> open(const std::string& folder, CqlLogins logins);
  /// Opens the door. kFailedPrecondition: others would reach it, and log in with the password that
  /// everybody knows.
  Status start(const CqlSettings& settings);

  cql_query::Engine& engine() { return *engine_; }
  /// "127.0.0.1:9042"; empty without a door.
  std::string address() const { return door_ ? door_->address() : std::string(); }
  void write_metrics(MetricsText& out) const {
    if (door_) door_->write_metrics(out);
  }
  void stop() {
    if (door_) door_->stop();
  }

 private:
  Status check_default_password(const std::string& host, const CqlSettings& settings) const;

  CqlLogins logins_;
  std::unique_ptr<cql_query::Engine> engine_;
  std::unique_ptr<cql::Door> door_;
};

}  // namespace tailrace::app
