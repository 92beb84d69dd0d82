// TLS at a door, by the PEM files that a command's options name.
#pragma once

#include <memory>
#include <string>

#include "app/run_options.h"
#include "base/result.h"
#include "net/tls.h"

namespace tailrace::app {

/// Null without a certificate; `flags`: what a user says the files with begins so.
Result<std::shared_ptr<const net::Tls>> door_tls(const TlsFiles& files, const std::string& flags);

/// The key that a client of the door knows it by; empty without a certificate.
Result<std::string> door_key(const TlsFiles& files);

}  // namespace tailrace::app
