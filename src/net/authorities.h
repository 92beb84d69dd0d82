// Whose certificates are trusted, where curl asks: OpenSSL by itself looks at SSL_CERT_FILE,
// libcurl does not.
#pragma once

#include <cstdlib>
#include <string>

namespace tailrace::net {

/// A file of authorities (PEM): `given`, else the environment's SSL_CERT_FILE; "": the system's.
inline std::string authorities_file(const std::string& given) {
  if (!given.empty()) return given;
  const char* of_environment = std::getenv("SSL_CERT_FILE");
  return of_environment == nullptr ? "" : of_environment;
}

}  // namespace tailrace::net
