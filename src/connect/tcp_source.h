// Lines that others send over TCP, TLS too: one record a line.
//
// Nothing is answered, so a sender cannot know what is on disk: what was on its way when either
// side died is lost, and nothing of it is doubled.
#pragma once

#include <memory>

#include "connect/source_types.h"

namespace tailrace::connect {

/// `use: tcp`
extern const SourceType kTcpSource;

}  // namespace tailrace::connect
