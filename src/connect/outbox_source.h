// The outbox of a staging table as a source: what changed, in order, as messages.
//
//   position {"seq":N}   replayable: what is behind a noted position is kept until it is noted, too
//
// Envelopes:
//   flat      the row as a JSON object in the order of its columns, without those that begin with
//             `_`; a deleted row is a tombstone
//   flat with metadata
//             the row, a deleted one as it was, and what postgres_records.h puts behind it: __lsn
//             is the change's number, __schema SQLite's `main`, __txId null
//   debezium  {"before","after","source","op","ts_ms"}, op c, u, d; no tombstone follows a d
// The key is the key column's text, of several columns a JSON object of them.
#pragma once

#include <memory>

#include "connect/source.h"
#include "staging/staging.h"

namespace tailrace::connect {

struct OutboxConfig {
  std::string name;       ///< of the project: source.name of Debezium's envelope
  std::string table;      ///< of the staging
  std::string where;      ///< for people
  std::string version;    ///< of the program
  bool debezium = false;  ///< the envelope; else flat
  bool metadata = false;  ///< flat alone
};

std::unique_ptr<Source> outbox_source(OutboxConfig config,
                                      std::shared_ptr<staging::Changes> changes);

}  // namespace tailrace::connect
