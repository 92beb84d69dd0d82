// Receivers of bytes: a TCP or TLS port, a UDP port, standard input or a named pipe. What the bytes
// say is the caller's: a Framing parts them, a Decode makes records of the parts.
//
// Back-pressure: what does not fit into the inbox waits, and meanwhile nothing more is read; a
// stream's sender is held up so, datagrams are dropped by the system, which is counted.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "connect/framing.h"
#include "connect/options.h"
#include "connect/pushed_source.h"
#include "connect/text_records.h"
#include "net/tls.h"

namespace tailrace::connect {

struct Decoding {
  std::function<std::unique_ptr<Framing>()> framing;
  Decode decode;
};

struct TcpListenerConfig {
  std::string name;  ///< of the source
  HostPort at;
  std::size_t connections = 256;
  std::chrono::milliseconds idle{0};  ///< a silent connection is closed after this
  std::shared_ptr<const net::Tls> tls = {};
};
std::unique_ptr<Receiver> tcp_listener(TcpListenerConfig config, Decoding decoding);

struct UdpListenerConfig {
  std::string name;
  HostPort at;
  std::size_t held_bytes = 0;  ///< by the system, until they are read
};
/// A datagram is a message; its framing is not asked.
std::unique_ptr<Receiver> udp_listener(UdpListenerConfig config, Decode decode);

/// "-" is standard input, whose end closes the inbox; a named pipe is opened again at its writers'
/// end.
std::unique_ptr<Receiver> pipe_reader(std::string path, Decoding decoding);

/// The options tls.certificate, tls.key and tls.clients; nullptr without a certificate.
std::shared_ptr<const net::Tls> tls_of(Options& options);

inline constexpr std::string_view kListenOption =
    "HOST:PORT; port 0 picks a free one, which the hop's line names";
inline constexpr std::string_view kCertificateOption =
    "a PEM file, own certificate first: speak TLS";
inline constexpr std::string_view kTlsKeyOption = "the certificate's key, a PEM file";
inline constexpr std::string_view kTlsClientsOption =
    "a PEM file of authorities: senders must show a certificate of theirs";

}  // namespace tailrace::connect
