// A chunk on disk: what was fetched from where it cannot be fetched again, from before its append
// until it is noted.
//
//   "TRSPOOL1" · crc32c u32 of the rest · records-before i64 · text from-position · text position ·
//   text place · separator i8 · count u32 · (has i8 · text key · text value · number i64)* ·
//   count u32 · (text reason · text detail · text origin · text bytes)* ·
//   count u32 · (text traceparent · text tracestate)* · (trace of the record u32)*
//   the traces' part may be missing (as older programs wrote it);
//   has = 1 a key + 2 no value; text = length u32 · bytes; big-endian
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connect/source.h"

namespace tailrace::connect {

/// Which step a spooled chunk belongs to: it is used only when the noted state stands exactly
/// there.
struct SpoolStep {
  std::int64_t records_before = 0;
  std::string from_position;

  bool operator==(const SpoolStep&) const = default;
};

std::string encode_spool(const SpoolStep& step, const Chunk& chunk);
/// kDataLoss when it is damaged.
Result<SpoolStep> decode_spool(std::string_view bytes, Chunk& chunk);

}  // namespace tailrace::connect
