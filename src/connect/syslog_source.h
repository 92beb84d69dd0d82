// A syslog server: RFC 5424 and RFC 3164 over UDP (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425),
// one JSON record a message (syslog_message.h). What is no syslog is a reject with its bytes.
//
// Syslog has no answers: what was on its way when either side died is lost. Over UDP what comes
// faster than it is written is dropped by the system and counted.
#pragma once

#include <memory>

#include "connect/source_types.h"

namespace tailrace::connect {

/// `use: syslog`
extern const SourceType kSyslogSource;

}  // namespace tailrace::connect
