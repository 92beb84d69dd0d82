// Certificates of a server that change while it runs: connections that are made from now on get
// those of another context, open ones keep theirs. Protocols, cipher suites, and whether clients
// must show a certificate stay those of the first.
//
// Threads: all calls from any.
#pragma once

#include <memory>

#include "net/certificate.h"
#include "net/tls.h"

namespace tailrace::net {

/// Servers that were opened with `tls` show the certificates of `now`, another server's context,
/// and trust whom it trusts.
void use_instead(const Tls& tls, std::shared_ptr<const Tls> now);
/// Whom the certificate names that `tls` shows, as it counts now.
CertificateNames shown_names(const Tls& tls);

/// Of every server's context, before its first connection.
void make_swappable(ssl_ctx_st& context);

}  // namespace tailrace::net
