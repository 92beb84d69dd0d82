// Datagrams that others send over UDP: one record each.
//
// UDP promises nothing: what comes faster than it is written is dropped by the system and counted,
// what was on its way when we died is lost.
#pragma once

#include <memory>

#include "connect/source_types.h"

namespace tailrace::connect {

/// `use: udp`
extern const SourceType kUdpSource;

}  // namespace tailrace::connect
