// A place in PostgreSQL's write-ahead log, written as its programs do: 16/B374D848.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong.h"

namespace tailrace::postgres {

/// Bytes since the log began; 0 is no place.
using Lsn = Strong<struct LsnTag, std::uint64_t>;

std::string text(Lsn lsn);
std::optional<Lsn> parse_lsn(std::string_view text);

}  // namespace tailrace::postgres
