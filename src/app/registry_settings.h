// What the schema registry's door is told: an address, and settings by the names that Confluent's
// registry has for them, in a file of properties or one by one.
//
//   listeners                        http://HOST:PORT or https://HOST:PORT, one
//   ssl.keystore.*, ssl.key.password, ssl.truststore.*   PEM or PKCS#12, as of the Kafka door
//   ssl.client.authentication        NONE, REQUESTED, REQUIRED
//   ssl.enabled.protocols, ssl.cipher.suites
//   authentication.method            NONE, BASIC
//   authentication.realm, authentication.roles, authentication.skip.paths
//   authentication.users.location    a file of users (auth/passwords.h); without it the users that
//                                    kafka-configs gave SCRAM passwords
//
// Other names are passed over, with a line in the log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/scram_users.h"
#include "base/result.h"
#include "registry/door.h"

namespace tailrace::app {

struct RegistrySettings {
  std::string listen;  ///< HOST:PORT; empty: as `listeners` says, or 127.0.0.1:8081
  std::string flag = "--listen";
  std::string config;                 ///< a file; empty for none
  std::vector<std::string> settings;  ///< NAME=VALUE, after those of the file
  std::string folder;                 ///< of the log, with the cluster's id
  const auth::ScramUsers* users = nullptr;
};

/// kInvalidArgument names the setting or the file; never a value that may be secret.
Result<registry::DoorConfig> door_config(const RegistrySettings& settings);

}  // namespace tailrace::app
