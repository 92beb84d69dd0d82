// A few records of a partition, to be looked at.
#pragma once

#include "app/record_decoder.h"
#include "console/log_view.h"
#include "log/partition.h"

namespace tailrace::app {

/// Bytes of one read. A log on a Kafka somewhere else takes small reads for looks that do not move
/// the stream which the pipeline reads.
enum class ReadBytes : std::size_t { kHere = 256 << 10, kElsewhere = 1 };

/// The newest `query.limit` records, or the first ones from `query.offset` on. Long keys, values
/// and headers are cut; no more than 64 MiB of the log are looked at. `decoder` may be null. Errors
/// as Partition::read.
Result<console::TopicRecords> look_at_records(log::Partition& partition,
                                              const console::RecordsQuery& query,
                                              ReadBytes read_bytes, RecordDecoder* decoder);

}  // namespace tailrace::app
