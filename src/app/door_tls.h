// TLS at a door, by the PEM files that a command's options name.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/tls.h"

namespace tailrace::app {

struct TlsFiles {
  std::string certificate = {};  ///< own first, then the chain; empty: no TLS
  std::string key = {};
  std::string clients = {};  ///< authorities; clients must show certificates of theirs; empty: they
                             ///< need none
};

/// Null without a certificate; `flags`: what a user says the files with begins so.
Result<std::shared_ptr<const net::Tls>> door_tls(const TlsFiles& files, const std::string& flags);

/// The key that a client of the door knows it by; empty without a certificate.
Result<std::string> door_key(const TlsFiles& files);

}  // namespace tailrace::app
