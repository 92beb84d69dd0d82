// Certificates of listeners that change while the broker runs (KIP-226). They come from
// listener.name.NAME.ssl.keystore.* and ssl.truststore.* that are set on the broker, and from files
// that were replaced: every change of the settings of this broker reads them again. Connections
// that are made from then on get them, open ones keep theirs.
//
// As in Kafka a new certificate has the subject of the old one and all its alternative names, but
// where ssl.allow.dn.changes and ssl.allow.san.changes say otherwise (KIP-978); whether clients
// must show a certificate does not change.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kafka/broker.h"

namespace tailrace::kafka {

/// Whether it is a setting that certificates are read by: listener.name.NAME.ssl.keystore.type
bool is_of_keystore(std::string_view setting);

using NewCertificates =
    std::vector<std::pair<std::shared_ptr<Listener>, std::shared_ptr<const net::Tls>>>;

/// Of all listeners that speak TLS, with `values` set on the broker. kInvalidArgument says, as
/// Kafka does, which cannot be.
Result<NewCertificates> read_certificates(const Broker& broker, const ConfigMap& values);
/// Connections that are made from now on get them.
void take_certificates(const NewCertificates& all);
/// Both, with what is set on the broker now; what cannot be is a line in the log, and stays as it
/// is.
void read_certificates_again(Broker& broker);

}  // namespace tailrace::kafka
