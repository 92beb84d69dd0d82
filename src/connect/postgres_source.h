// A PostgreSQL's tables as a source: its rows, then each change in the order in which transactions
// were committed, by logical replication (pgoutput). README.md has the options.
//
//   postgres_setup.h      connections, publication, slot
//   postgres_snapshot.h   the rows that were there before, in chunks between the changes
//   postgres_changes.h    the stream's messages to records
//   postgres_records.h    what a record looks like
//   postgres_spill.h      large transactions until their end
//   postgres_position.h   where it stands
//
// Each change once: the slot is confirmed only up to what the runner has noted, so after a crash of
// either side the server sends again what is not noted, in the same order, and the position says
// how much of the first transaction is done. Chunks of the snapshot differ each time they are read:
// they are Chunk::once. On a database where nothing of interest happens the position follows the
// server's log every `heartbeat`, and with it the slot: it holds no log for longer.
#pragma once

#include "connect/source_types.h"
#include "rt/clock.h"

namespace tailrace::connect {

/// `use: postgres`
extern const SourceType kPostgresSource;

/// kInvalidArgument names the option.
Result<std::unique_ptr<Source>> make_postgres_source(const SourceSpec& spec,
                                                     rt::Clock& clock = rt::system_clock());

}  // namespace tailrace::connect
