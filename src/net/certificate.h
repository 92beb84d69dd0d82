// What a certificate says: the key that a client may know a server by, and whom it names.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

struct X509_name_st;
struct x509_st;

namespace tailrace::net {

/// "sha256//BASE64" of the key of the first certificate (RFC 7469 §2.4), as
/// HttpOptions::public_key takes it. kInvalidArgument when there is none.
Result<std::string> public_key_pin(std::string_view certificates_pem);

struct CertificateNames {
  std::string subject;               ///< as RFC 2253 writes it; peer_subject() of net/tls.h
  std::set<std::string> alternates;  ///< "[2, localhost]", "[7, 127.0.0.1]": kind and name, as Java
};
CertificateNames names_of(x509_st& certificate);

/// A name as RFC 2253 writes it, its last part first; parts keep their order within one.
std::string name_text(const X509_name_st* name);

}  // namespace tailrace::net
