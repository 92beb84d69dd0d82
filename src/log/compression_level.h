// How hard a codec works on batches that are compressed here: Kafka's compression.*.level.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "log/compression.h"

namespace tailrace::log {

/// As compress(). `level`: gzip -1 to 9; lz4 1 to 17, of which 9 is the fast one; zstd -131072 to
/// 22. The others have none.
Status compress_at(int level, Compression compression, std::string_view input, std::string& out);

}  // namespace tailrace::log
