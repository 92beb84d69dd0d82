// Settings by Kafka's names as one listener or one client sees them, and the certificates they
// name: inline PEM, PEM files or PKCS#12.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kafka/config_layers.h"
#include "net/tls.h"

namespace tailrace::kafka {

class Settings {
 public:
  /// What stands behind `prefix` counts before what does not. `values` outlive it.
  explicit Settings(const ConfigMap& values, std::string prefix = {})
      : values_(values), prefix_(std::move(prefix)) {}

  /// What was set; else the broker's default of Kafka; empty when there is none.
  std::string get(const std::string& name) const;
  /// Set behind the prefix; empty otherwise.
  std::string own(const std::string& name) const;
  bool has(const std::string& name) const;
  std::int64_t number(const std::string& name) const;
  std::vector<std::string> list(const std::string& name) const;

 private:
  const ConfigMap& values_;
  const std::string prefix_;
};

/// kInvalidArgument that names a setting.
std::unexpected<Error> unusable(const std::string& name, std::string_view why);

/// ssl.keystore.*; kInvalidArgument names the setting that is missing or cannot be used.
Result<net::TlsIdentity> tls_identity(const Settings& settings);
/// "listener.name.ssl." of SSL: what stands before the settings of one listener alone.
std::string listener_prefix(std::string listener);

/// ssl.truststore.*; empty when none is named.
Result<std::string> tls_trusted(const Settings& settings);

/// All of a listener's; `sasl`: its clients log in, too.
Result<net::TlsServerConfig> tls_server_config(const Settings& settings, bool sasl);

}  // namespace tailrace::kafka
