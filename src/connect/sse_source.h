// Server-sent events: a stream that a server keeps open, one record an event.
//
// Position: {"id": the last event's id, "n": events so far}. What was fetched is spooled with it
// before it is appended, and the next connection says `Last-Event-ID`: a server that replays from
// there gives each event once, through any crash of ours and any cut of the connection. One without
// ids, or that does not replay, gives what comes while we are connected.
//
// A thread reads and parses; it waits while 4 MiB or 8192 events were not taken yet, and so does
// the server.
#pragma once

#include <memory>

#include "connect/source_types.h"
#include "rt/clock.h"

namespace tailrace::connect {

/// `use: sse`
extern const SourceType kSseSource;

}  // namespace tailrace::connect
